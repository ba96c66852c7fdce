// SPDX-License-Identifier: Apache-2.0
/* The probes on this machine, and on hosts made poorer: a user namespace of our own whose limits
 * we set, a /proc that is covered in places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "sandbox/probe.h"

static void test_release(void **state)
{
	static const char *const bad[] = { "", "6", "6.", ".18", "x6.1", "6,1", "123456789.1" };
	unsigned major = 0, minor = 0;
	size_t i;

	(void)state;
	assert_int_equal(probe_parse_release("6.18.44-fc-v595", &major, &minor), 0);
	assert_int_equal(major, 6);
	assert_int_equal(minor, 18);
	assert_int_equal(probe_parse_release("5.15", &major, &minor), 0);
	assert_int_equal(minor, 15);
	assert_int_equal(probe_parse_release("7.0-rc1", &major, &minor), 0);
	assert_int_equal(major, 7);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(probe_parse_release(bad[i], &major, &minor), -EINVAL);
	assert_int_equal(major, 7);
}

static void test_root_mount(void **state)
{
	(void)state;
	assert_true(probe_has_root_mount("22 27 0:21 / /proc rw - proc proc rw\n"
					 "27 1 254:0 / / rw - ext4 /dev/vda rw\n"));
	assert_true(probe_has_root_mount("27 1 254:0 /sub/tree / rw - ext4 /dev/vda rw"));
	assert_false(probe_has_root_mount("22 27 0:21 / /proc rw - proc proc rw\n"));
	assert_false(probe_has_root_mount(""));
	assert_false(probe_has_root_mount("27 1 254:0 /\n / rw\n"));
}

static void test_landlock_text(void **state)
{
	char text[PROBE_DETAIL];

	(void)state;
	probe_landlock_text(0, text, sizeof(text));
	assert_non_null(strstr(text, "none; not here: 1 files"));
	assert_non_null(strstr(text, "10 UDP"));
	assert_non_null(strstr(text, "11 no_new_privs by itself (7.3)")); /* the longest one fits */
	probe_landlock_text(7, text, sizeof(text));
	assert_true(strncmp(text, "ABI 7; not here: 8 ", 19) == 0);
	assert_null(strstr(text, "TCP"));
	probe_landlock_text(3, text, sizeof(text));
	assert_non_null(strstr(text, "4 TCP"));
	probe_landlock_text(11, text, sizeof(text));
	assert_string_equal(text, "ABI 11");
	probe_landlock_text(99, text, sizeof(text));
	assert_string_equal(text, "ABI 99");
}

static void test_userns_hints(void **state)
{
	const struct probe_userns_facts plain = { 1000, -1, -1, false, false, false };
	struct probe_userns_facts f = plain;

	(void)state;
	assert_non_null(strstr(probe_userns_hint_from(-EINVAL, &plain), "CONFIG_USER_NS"));
	assert_non_null(strstr(probe_userns_hint_from(EACCES, &plain), "SELinux"));
	assert_non_null(strstr(probe_userns_hint_from(-ENOSYS, &plain), "clone3"));
	assert_non_null(strstr(probe_userns_hint_from(-ENOSPC, &plain), "too many"));
	f.max_user_namespaces = 0;
	assert_non_null(strstr(probe_userns_hint_from(-ENOSPC, &f), "sysctl"));
	/* EPERM has many causes; each is named when its switch says so, and only then */
	assert_non_null(strstr(probe_userns_hint_from(-EPERM, &plain), "no switch"));
	f = plain;
	f.unprivileged_clone = 0;
	assert_non_null(strstr(probe_userns_hint_from(EPERM, &f), "unprivileged_userns_clone=1"));
	f.unprivileged_clone = 1;
	assert_non_null(strstr(probe_userns_hint_from(EPERM, &f), "no switch"));
	f.apparmor_restrict = 1;
	assert_non_null(strstr(probe_userns_hint_from(EPERM, &f), "AppArmor"));
	f.apparmor_restrict = 0;
	f.chrooted = true;
	assert_non_null(strstr(probe_userns_hint_from(EPERM, &f), "chroot"));
	f.chrooted = false;
	f.filtered = true;
	assert_non_null(strstr(probe_userns_hint_from(EPERM, &f), "seccomp"));
	/* switches for ordinary users do not explain it for root */
	f = (struct probe_userns_facts){ 1000, 0, 1, true, false, false };
	assert_non_null(strstr(probe_userns_hint_from(EPERM, &f), "no switch"));
	assert_string_equal(probe_userns_hint_from(-EIO, &plain), "");
	assert_string_equal(probe_userns_hint_from(0, &plain), "");
}

static int count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* All of them: filled in, distinct, quick, and nothing left behind. */
static void test_all_here(void **state)
{
	size_t i, j, n = probe_count();
	struct probe_result *r = calloc(n, sizeof(*r));
	struct timespec a, b;
	int fds = count_fds();
	long ms;

	(void)state;
	assert_non_null(r);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < n; i++)
		probe_run(i, &r[i]);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	/* a doctor takes below one second on an idle machine; an emulated one says that it is slow */
	assert_true(ms < (getenv("CORDON_TEST_SLOW") ? 100000 : 5000));
	for (i = 0; i < n; i++) {
		assert_true(r[i].id[0] && r[i].name[0]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(r[i].id, r[j].id);
		if (r[i].have) {
			assert_int_equal(r[i].error, 0);
			assert_string_equal(r[i].hint, "");
		} else {
			assert_true(r[i].error < 0);
			assert_true(r[i].detail[0] != '\0');
		}
	}
	assert_int_equal(count_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(access("/proc/self/status", F_OK), 0);
	free(r);
}

static void test_unknown_id(void **state)
{
	struct probe_result r = { .detail = "kept" };

	(void)state;
	assert_int_equal(probe_run_id("no-such", &r), -ENOENT);
	assert_string_equal(r.detail, "kept");
	assert_int_equal(probe_run_id("kernel", &r), 0);
	assert_string_equal(r.id, "kernel");
	assert_true(r.have);
}

/* --- poorer hosts: fn runs as root of a new user and mount namespace */

static int write_to(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static int in_namespace(int (*fn)(void))
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int status;
	char map[32];
	pid_t pid = sys_clone3(&args);

	if (pid == 0) {
		(void)snprintf(map, sizeof(map), "0 %u 1", uid);
		if (write_to("/proc/self/uid_map", map) < 0)
			_exit(200);
		/* the kernel makes no user namespace for an id that is not mapped */
		(void)snprintf(map, sizeof(map), "0 %u 1", gid);
		if (write_to("/proc/self/setgroups", "deny") < 0 ||
		    write_to("/proc/self/gid_map", map) < 0)
			_exit(200);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(201);
		_exit(fn());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 202;
}

static int without_userns(void)
{
	struct probe_result r;

	if (probe_run_id("userns", &r) < 0 || !r.have)
		return 1;
	if (write_to("/proc/sys/user/max_user_namespaces", "0") < 0)
		return 2;
	if (probe_run_id("userns", &r) < 0 || r.have || r.error != -ENOSPC)
		return 3;
	if (!strstr(r.hint, "max_user_namespaces") || !strstr(r.detail, "max_user_namespaces=0"))
		return 4;
	/* what depends on it names it, and gives no hint of its own */
	if (probe_run_id("pidns", &r) < 0 || r.have || r.hint[0] || !strstr(r.detail, "not tried"))
		return 5;
	if (probe_run_id("idmap", &r) < 0 || r.have || r.hint[0] || r.cost[0])
		return 6;
	return strstr(probe_userns_hint(-ENOSPC), "switched off") ? 0 : 7;
}

static void test_user_namespaces_off(void **state)
{
	(void)state;
	assert_int_equal(in_namespace(without_userns), 0);
}

static int without_netns(void)
{
	struct probe_result r;

	if (probe_run_id("netns", &r) < 0 || !r.have)
		return 1;
	if (write_to("/proc/sys/user/max_net_namespaces", "0") < 0)
		return 2;
	if (probe_run_id("netns", &r) < 0 || r.have || r.error != -ENOSPC)
		return 3;
	if (!strstr(r.hint, "max_net_namespaces"))
		return 4;
	return probe_run_id("ipcns", &r) == 0 && r.have ? 0 : 5;
}

static void test_net_namespaces_off(void **state)
{
	(void)state;
	assert_int_equal(in_namespace(without_netns), 0);
}

static int masked_proc(void)
{
	struct probe_result r;

	if (probe_run_id("proc", &r) < 0 || !r.have)
		return 1;
	if (mount("none", "/proc/bus", "tmpfs", 0, NULL) < 0)
		return 2;
	if (probe_run_id("proc", &r) < 0 || r.have || r.error != -EPERM)
		return 3;
	return strstr(r.detail, "covered") && r.hint[0] ? 0 : 4;
}

static void test_masked_proc(void **state)
{
	(void)state;
	assert_int_equal(in_namespace(masked_proc), 0);
}

static int listener_taken(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };
	struct probe_result r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) < 0)
		return 2;
	if (probe_run_id("notify", &r) < 0 || r.have || r.error != -EBUSY)
		return 3;
	return strstr(r.detail, "listener") && r.hint[0] ? 0 : 4;
}

/* A listener around us takes the only one; the probe says so instead of blaming the kernel. */
static void test_listener_taken(void **state)
{
	struct probe_result r;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(probe_run_id("notify", &r), 0);
	assert_true(r.have);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(listener_taken());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_root_mount),
		cmocka_unit_test(test_landlock_text),
		cmocka_unit_test(test_userns_hints),
		cmocka_unit_test(test_all_here),
		cmocka_unit_test(test_unknown_id),
		cmocka_unit_test(test_user_namespaces_off),
		cmocka_unit_test(test_net_namespaces_off),
		cmocka_unit_test(test_masked_proc),
		cmocka_unit_test(test_listener_taken),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
