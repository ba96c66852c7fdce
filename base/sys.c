// SPDX-License-Identifier: Apache-2.0
#include "base/sys.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux gives these the same numbers on all architectures (asm-generic/unistd.h). */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif

#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#endif

/* struct mount_attr of linux/mount.h, whose include collides with glibc's sys/mount.h. */
struct sys_mount_attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
};

/* struct statx of linux/stat.h, by its offsets: not every libc has it, or has all of it. */
struct sys_statx {
	uint32_t mask;
	uint8_t skipped[140];
	uint64_t mnt_id;
	uint8_t rest[104];
};
_Static_assert(sizeof(struct sys_statx) == 256, "struct statx has 256 bytes");
enum { SYS_STATX_MNT_ID = 0x1000, SYS_STATX_DONT_SYNC = 0x4000 };

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return result(syscall(SYS_open_tree, dirfd, path, flags));
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return result(syscall(SYS_move_mount, from_fd, from, to_fd, to, flags));
}

int sys_fsopen(const char *fs, unsigned flags)
{
	return result(syscall(SYS_fsopen, fs, flags));
}

int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return result(syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}

int sys_fsmount(int fd, unsigned flags, unsigned attrs)
{
	return result(syscall(SYS_fsmount, fd, flags, attrs));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, uint64_t set, uint64_t clear,
		      uint64_t propagation)
{
	struct sys_mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear,
		.propagation = propagation,
	};

	return result(syscall(SYS_mount_setattr, dirfd, path, flags, &attr, sizeof(attr)));
}

int sys_mount_id(int dirfd, const char *path, uint64_t *ret)
{
	struct sys_statx st;
	const int flags =
		AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | SYS_STATX_DONT_SYNC;
	int r = result(syscall(SYS_statx, dirfd, path, flags, SYS_STATX_MNT_ID, &st));

	if (r < 0)
		return r;
	if (!(st.mask & SYS_STATX_MNT_ID))
		return -ENODATA;
	*ret = st.mnt_id;
	return 0;
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return result(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_umount2(const char *path, int flags)
{
	return result(umount2(path, flags));
}

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	long r;

	/* EAGAIN: a rename or mount raced with a scoped look-up (openat2(2)); bounded retries. */
	for (int i = 0; i < 128; i++) {
		r = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (r >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return result(r);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return result(syscall(SYS_close_range, first, last, flags));
}

pid_t sys_clone3(struct clone_args *args)
{
	return result(syscall(SYS_clone3, args, sizeof(*args)));
}

int sys_waitid_pidfd(int pidfd, siginfo_t *ret, int options, struct rusage *ret_used)
{
	return result(syscall(SYS_waitid, P_PIDFD, pidfd, ret, options, ret_used));
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return result(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	return result(syscall(SYS_pidfd_getfd, pidfd, fd, 0U));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return result(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0U));
}

int sys_seccomp(unsigned op, unsigned flags, void *args)
{
	return result(syscall(SYS_seccomp, op, flags, args));
}

int sys_landlock_create_ruleset(const struct sys_landlock_ruleset *attr)
{
	size_t size = attr->scoped	  ? sizeof(*attr)
		      : attr->handled_net ? offsetof(struct sys_landlock_ruleset, scoped)
					  : offsetof(struct sys_landlock_ruleset, handled_net);

	return result(syscall(SYS_landlock_create_ruleset, attr, size, 0U));
}

int sys_landlock_add_path(int ruleset, int parent_fd, uint64_t allowed)
{
	struct sys_landlock_path rule = { .allowed = allowed, .parent_fd = parent_fd };

	return result(
		syscall(SYS_landlock_add_rule, ruleset, SYS_LANDLOCK_RULE_PATH_BENEATH, &rule, 0U));
}

int sys_landlock_add_port(int ruleset, uint16_t port, uint64_t allowed)
{
	struct sys_landlock_port rule = { .allowed = allowed, .port = port };

	return result(
		syscall(SYS_landlock_add_rule, ruleset, SYS_LANDLOCK_RULE_NET_PORT, &rule, 0U));
}

int sys_landlock_restrict_self(int ruleset, unsigned flags)
{
	return result(syscall(SYS_landlock_restrict_self, ruleset, flags));
}

int sys_landlock_abi(void)
{
	int r = result(
		syscall(SYS_landlock_create_ruleset, NULL, 0, SYS_LANDLOCK_CREATE_RULESET_VERSION));

	return r == -ENOSYS || r == -EOPNOTSUPP ? 0 : r;
}

int sys_lsm_get_self_attr(unsigned attr, struct sys_lsm_ctx *ctx, uint32_t *size, uint32_t flags)
{
	return result(syscall(SYS_lsm_get_self_attr, attr, ctx, size, flags));
}

int sys_lsm_set_self_attr(unsigned attr, const struct sys_lsm_ctx *ctx, uint32_t size,
			  uint32_t flags)
{
	return result(syscall(SYS_lsm_set_self_attr, attr, ctx, size, flags));
}

int sys_getrandom(void *buf, size_t len)
{
	/* Up to 256 bytes are never interrupted once the pool is ready (getrandom(2)). */
	ssize_t n = getrandom(buf, len, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int sys_keyctl_join_session(void)
{
	return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0));
}

int sys_keyctl_session(void)
{
	return result(
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0));
}

int sys_signal_default(int sig)
{
	/* struct sigaction as the kernel has it: handler, flags, restorer, mask (asm/signal.h). */
	static const struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} dfl = { .handler = SIG_DFL };

	return result(syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(dfl.mask)));
}

int sys_rlimit(int resource, const struct rlimit *set, struct rlimit *ret_old)
{
	return result(syscall(SYS_prlimit64, 0, resource, set, ret_old));
}
