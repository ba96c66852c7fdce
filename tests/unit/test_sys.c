// SPDX-License-Identifier: Apache-2.0
/* Raw calls: results or -errno, errno left as the kernel gave it to nobody, descriptors closed at
 * exec. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

static void test_openat2(void **state)
{
	int fd;

	(void)state;
	fd = sys_openat2(AT_FDCWD, "/proc/self/status", O_RDONLY, 0, 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* not asked for */
	fd_closep(&fd);
	assert_int_equal(sys_openat2(AT_FDCWD, "/no such", O_RDONLY, 0, 0), -ENOENT);
	assert_int_equal(sys_openat2(AT_FDCWD, "/proc/self", O_PATH, 0, RESOLVE_NO_SYMLINKS),
			 -ELOOP);
	/* unlike openat(2), what the kernel does not know is refused */
	assert_int_equal(sys_openat2(AT_FDCWD, "/", UINT64_C(1) << 40, 0, 0), -EINVAL);
	assert_int_equal(sys_openat2(AT_FDCWD, "/", O_RDONLY, 0644, 0), -EINVAL);
	assert_int_equal(sys_openat2(AT_FDCWD, NULL, O_RDONLY, 0, 0), -EFAULT);
}

/* Each with arguments that must fail: the answer is the kernel's own, not -1. */
static void test_errors(void **state)
{
	const struct sys_landlock_ruleset unknown = { .handled_fs = UINT64_C(1) << 63 };

	(void)state;
	assert_int_equal(sys_open_tree(-1, "", AT_EMPTY_PATH), -EBADF);
	assert_int_equal(sys_close_range(2, 1, 0), -EINVAL);
	assert_int_equal(sys_close_range(0, 1, 1U << 30), -EINVAL);
	assert_int_equal(sys_pidfd_open(-1, 0), -EINVAL);
	assert_int_equal(sys_pidfd_getfd(-1, 0), -EBADF);
	assert_int_equal(sys_pidfd_send_signal(-1, 0), -EBADF);
	assert_int_equal(sys_seccomp(1000, 0, NULL), -EINVAL);
	assert_int_equal(sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, NULL), -EFAULT);
	if (sys_landlock_abi() > 0) {
		assert_int_equal(sys_landlock_create_ruleset(&unknown), -EINVAL);
		assert_int_equal(sys_landlock_add_path(-1, -1, 1), -EBADF);
		assert_true(sys_landlock_restrict_self(-1, 0) < 0);
	}
}

static void test_landlock(void **state)
{
	const struct sys_landlock_ruleset set = { .handled_fs = SYS_LANDLOCK_FS_EXECUTE |
								SYS_LANDLOCK_FS_READ_FILE };
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	(void)state;
	assert_true(sys_landlock_abi() >= 0);
	if (sys_landlock_abi() == 0) {
		fd = sys_landlock_create_ruleset(&set);
		assert_true(fd == -ENOSYS || fd == -EOPNOTSUPP);
		return;
	}
	/* ABI 1 knows the first field only: the others are not told, so every kernel takes it */
	fd = sys_landlock_create_ruleset(&set);
	assert_true(fd >= 0);
	assert_int_equal(sys_landlock_add_path(fd, top, SYS_LANDLOCK_FS_EXECUTE), 0);
	assert_int_equal(sys_landlock_add_path(fd, top, SYS_LANDLOCK_FS_MAKE_SYM), -EINVAL);
	fd_closep(&fd);
}

static void test_close_range(void **state)
{
	int base = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 400);

	(void)state;
	assert_true(base >= 400);
	for (int i = 1; i < 5; i++)
		assert_int_equal(dup2(STDIN_FILENO, base + i), base + i);
	assert_int_equal(sys_close_range((unsigned)base + 1, (unsigned)base + 3, 0), 0);
	assert_true(fcntl(base, F_GETFD) >= 0);
	for (int i = 1; i < 4; i++)
		assert_int_equal(fcntl(base + i, F_GETFD), -1);
	assert_true(fcntl(base + 4, F_GETFD) >= 0);
	(void)close(base);
	(void)close(base + 4);
}

static void test_clone3_and_pidfd(void **state)
{
	int pidfd = -1, p[2], got, status;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = sys_clone3(&args);
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	assert_true(pidfd >= 0);
	got = sys_pidfd_getfd(pidfd, p[0]);
	assert_true(got >= 0 && got != p[0]);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(p[1], "x", 1), 1);
	{
		char c = 0;

		assert_int_equal(read(got, &c, 1), 1);
		assert_int_equal(c, 'x');
	}
	fd_closep(&got);
	got = sys_pidfd_open(pid, 0);
	assert_true(got >= 0);
	fd_closep(&got);
	assert_int_equal(sys_pidfd_getfd(pidfd, 1 << 20), -EBADF);
	assert_int_equal(sys_pidfd_send_signal(pidfd, 0), 0);
	assert_int_equal(sys_pidfd_send_signal(pidfd, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(sys_pidfd_send_signal(pidfd, SIGKILL), -ESRCH);
	fd_closep(&pidfd);
	fd_closep(&p[0]);
	fd_closep(&p[1]);
	args.flags = UINT64_C(1) << 63;
	assert_int_equal(sys_clone3(&args), -EINVAL);
}

static void test_random(void **state)
{
	unsigned char a[256] = { 0 }, b[256] = { 0 };

	(void)state;
	assert_int_equal(sys_getrandom(a, sizeof(a)), 0);
	assert_int_equal(sys_getrandom(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(sys_getrandom(a, 0), 0);
	assert_int_equal(sys_getrandom(NULL, 16), -EFAULT);
}

static int write_to(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* A detached tmpfs in namespaces of a child's own: the calls that a launch rests on do their work.
 * The child reports the line that failed. */
static int mount_calls(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int fs, mnt, tree;
	char map[32];

	if (syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	/* on tmpfs nobody without a number inside can make anything: EOVERFLOW */
	(void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (write_to("/proc/self/uid_map", map) < 0 || write_to("/proc/self/setgroups", "deny") < 0)
		return __LINE__;
	(void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (write_to("/proc/self/gid_map", map) < 0)
		return __LINE__;
	fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fcntl(fs, F_GETFD) != FD_CLOEXEC)
		return __LINE__;
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "no such", "1", 0) != -EINVAL)
		return __LINE__;
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", "65536", 0) != 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return __LINE__;
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
	if (mnt < 0 || fcntl(mnt, F_GETFD) != FD_CLOEXEC)
		return __LINE__;
	if (mkdirat(mnt, "d", 0755) < 0)
		return __LINE__;
	if (sys_mount_setattr(mnt, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0, 0) != 0 ||
	    mkdirat(mnt, "cordon-sys-made", 0755) == 0 || errno != EROFS)
		return __LINE__;
	if (sys_mount_setattr(mnt, "", AT_EMPTY_PATH, 0, MOUNT_ATTR_RDONLY, MS_PRIVATE) != 0 ||
	    mkdirat(mnt, "cordon-sys-made", 0755) < 0)
		return __LINE__;
	if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, 0, 0, MS_PRIVATE) != 0)
		return __LINE__;
	if (sys_move_mount(mnt, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
	    access("/tmp/cordon-sys-made", F_OK) < 0)
		return __LINE__;
	tree = sys_open_tree(AT_FDCWD, "/tmp", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return __LINE__;
	if (sys_umount2("/tmp", MNT_DETACH) != 0 || access("/tmp/cordon-sys-made", F_OK) == 0)
		return __LINE__;
	if (sys_pivot_root("/tmp/no such", "/tmp") != -ENOENT)
		return __LINE__;
	return faccessat(tree, "cordon-sys-made", F_OK, 0) == 0 ? 0 : __LINE__;
}

static void test_mounts(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		int r = mount_calls();

		_exit(r < 0 ? 255 : r ? 1 + r % 200 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 255)
		skip(); /* no user namespaces here */
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_keyring(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		long old = syscall(SYS_keyctl, 0, -3, 0); /* GET_KEYRING_ID, session */
		int r = sys_keyctl_join_session();

		if (r < 0) /* no keys in this kernel, or a filter */
			_exit(r == -ENOSYS || r == -EPERM ? 0 : 1);
		_exit(r != old ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openat2),		 cmocka_unit_test(test_errors),
		cmocka_unit_test(test_landlock),	 cmocka_unit_test(test_close_range),
		cmocka_unit_test(test_clone3_and_pidfd), cmocka_unit_test(test_random),
		cmocka_unit_test(test_mounts),		 cmocka_unit_test(test_keyring),
	};

	return cmocka_run_group_tests_name("sys", tests, NULL, NULL);
}
