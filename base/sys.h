// SPDX-License-Identifier: Apache-2.0
/*
 * System calls as the kernel has them: each returns its result or -errno and leaves errno
 * alone. Constants that Debian 12's headers (Linux 6.1) lack are defined here with their
 * source, so that a program built there uses what a newer kernel offers.
 */
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#ifndef FSOPEN_CLOEXEC
#include <linux/mount.h> /* musl knows the old calls only; glibc and this file exclude each other */
#endif
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Landlock: linux/landlock.h up to Linux 7.3 (ABI 11); own names, so that any header will do. */
#define SYS_LANDLOCK_FS_EXECUTE		    (1ULL << 0)
#define SYS_LANDLOCK_FS_WRITE_FILE	    (1ULL << 1)
#define SYS_LANDLOCK_FS_READ_FILE	    (1ULL << 2)
#define SYS_LANDLOCK_FS_READ_DIR	    (1ULL << 3)
#define SYS_LANDLOCK_FS_REMOVE_DIR	    (1ULL << 4)
#define SYS_LANDLOCK_FS_REMOVE_FILE	    (1ULL << 5)
#define SYS_LANDLOCK_FS_MAKE_CHAR	    (1ULL << 6)
#define SYS_LANDLOCK_FS_MAKE_DIR	    (1ULL << 7)
#define SYS_LANDLOCK_FS_MAKE_REG	    (1ULL << 8)
#define SYS_LANDLOCK_FS_MAKE_SOCK	    (1ULL << 9)
#define SYS_LANDLOCK_FS_MAKE_FIFO	    (1ULL << 10)
#define SYS_LANDLOCK_FS_MAKE_BLOCK	    (1ULL << 11)
#define SYS_LANDLOCK_FS_MAKE_SYM	    (1ULL << 12)
#define SYS_LANDLOCK_FS_REFER		    (1ULL << 13) /* ABI 2, Linux 5.19 */
#define SYS_LANDLOCK_FS_TRUNCATE	    (1ULL << 14) /* ABI 3, Linux 6.2 */
#define SYS_LANDLOCK_FS_IOCTL_DEV	    (1ULL << 15) /* ABI 5, Linux 6.10 */
#define SYS_LANDLOCK_FS_RESOLVE_UNIX	    (1ULL << 16) /* ABI 9, Linux 7.1 */
#define SYS_LANDLOCK_NET_BIND_TCP	    (1ULL << 0)	 /* ABI 4, Linux 6.7 */
#define SYS_LANDLOCK_NET_CONNECT_TCP	    (1ULL << 1)
#define SYS_LANDLOCK_NET_BIND_UDP	    (1ULL << 2) /* ABI 10, Linux 7.2 */
#define SYS_LANDLOCK_NET_CONNECT_SEND_UDP   (1ULL << 3)
#define SYS_LANDLOCK_SCOPE_ABSTRACT_UNIX    (1ULL << 0) /* ABI 6, Linux 6.12 */
#define SYS_LANDLOCK_SCOPE_SIGNAL	    (1ULL << 1)
#define SYS_LANDLOCK_CREATE_RULESET_VERSION 1U
#define SYS_LANDLOCK_RULE_PATH_BENEATH	    1
#define SYS_LANDLOCK_RULE_NET_PORT	    2  /* ABI 4 */
#define SYS_LANDLOCK_LOG_SAME_EXEC_OFF	    1U /* landlock_restrict_self, ABI 7, Linux 6.15 */
#define SYS_LANDLOCK_LOG_NEW_EXEC_ON	    2U

struct sys_landlock_ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};
struct sys_landlock_port {
	uint64_t allowed;
	uint64_t port; /* in host order */
};

struct sys_landlock_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* Security modules: linux/lsm.h, Linux 6.8. */
#define SYS_LSM_ID_SELINUX   101
#define SYS_LSM_ID_APPARMOR  104
#define SYS_LSM_ATTR_CURRENT 100U
#define SYS_LSM_ATTR_EXEC    101U
#define SYS_LSM_FLAG_SINGLE  1U

struct sys_lsm_ctx {
	uint64_t id, flags;
	uint64_t len;	  /* of all of it */
	uint64_t ctx_len; /* of what follows */
	char ctx[];
};

int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int sys_fsopen(const char *fs, unsigned flags);
int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attrs);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, uint64_t set, uint64_t clear,
		      uint64_t propagation);
/* Which mount a path ends at: a number that differs for any two mounts there are. 0, -errno, or
 * -ENODATA when the kernel does not say (before Linux 5.8). */
int sys_mount_id(int dirfd, const char *path, uint64_t *ret);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_umount2(const char *path, int flags);
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
/* fork semantics (no stack given): 0 in the child, the pid in the parent. */
pid_t sys_clone3(struct clone_args *args);
/* waitid(2) by pidfd, with the fifth argument that libc leaves out: what the process and those that
 * it waited for have used. 0 or -errno. */
int sys_waitid_pidfd(int pidfd, siginfo_t *ret, int options, struct rusage *ret_used);
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_getfd(int pidfd, int fd);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_seccomp(unsigned op, unsigned flags, void *args);
/* A descriptor or -errno. A kernel older than a field refuses an attribute that reaches to it
 * (landlock_create_ruleset(2), E2BIG), so trailing fields that are 0 are not told. */
int sys_landlock_create_ruleset(const struct sys_landlock_ruleset *attr);
int sys_landlock_add_path(int ruleset, int parent_fd, uint64_t allowed);
int sys_landlock_add_port(int ruleset, uint16_t port, uint64_t allowed);
int sys_landlock_restrict_self(int ruleset, unsigned flags);
/* Highest Landlock ABI of the running kernel, 0 when it has none or it is disabled; -errno when it
 * would not say. */
int sys_landlock_abi(void);
/* The calling thread's attribute of one module (ctx->id with SYS_LSM_FLAG_SINGLE): how many
 * contexts came, and what they take in *size. */
int sys_lsm_get_self_attr(unsigned attr, struct sys_lsm_ctx *ctx, uint32_t *size, uint32_t flags);
int sys_lsm_set_self_attr(unsigned attr, const struct sys_lsm_ctx *ctx, uint32_t size,
			  uint32_t flags);
int sys_getrandom(void *buf, size_t len); /* 0 or -errno; all of it or nothing */
/* Join a new, empty session keyring; its serial number, as the second tells the one in use. */
int sys_keyctl_join_session(void);
int sys_keyctl_session(void);
/* Of the calling process; either pointer may be NULL. A plain int where libc has an enum. */
int sys_rlimit(int resource, const struct rlimit *set, struct rlimit *ret_old);
/* The default disposition, also for the two signals that libc keeps for itself and its sigaction()
 * refuses: a caller may have left them ignored. */
int sys_signal_default(int sig);
