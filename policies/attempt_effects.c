// SPDX-License-Identifier: Apache-2.0
/*
 * What a call would do, as far as its registers and written texts tell. What lies in other memory
 * (clone3's and openat2's structures, iovecs) has no effect here: no mechanism of ours that looks
 * at effects can be told of it before the call is made.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "policies/attempt_text.h"

/* When a row counts. */
enum when {
	ALWAYS,
	IS,	/* the argument is value */
	IS_NOT, /* the argument, in its own width, is not value */
	ANY_OF, /* it has one of value's bits */
	BELOW_0,
	OTHER_WHO, /* it is not 0, and the first argument, what kind of number it is, is value */
};

struct row {
	const char *call;
	uint8_t kind;	/* enum effect_kind */
	uint8_t nth;	/* EFFECT_FILE: which of the call's paths; else the argument for value */
	uint32_t what;	/* FILE_*, CAP_* */
	uint8_t when;	/* enum when */
	uint8_t arg;	/* that it looks at */
	uint64_t value; /* and compares with */
};

#define FILES(call, nth, access)                                                                   \
	{                                                                                          \
		call, EFFECT_FILE, nth, access, ALWAYS, 0, 0                                       \
	}
#define NEEDS(call, capability)                                                                    \
	{                                                                                          \
		call, EFFECT_CAPABILITY, 0, capability, ALWAYS, 0, 0                               \
	}
#define NEEDS_IF(call, capability, when, arg, value)                                               \
	{                                                                                          \
		call, EFFECT_CAPABILITY, arg, capability, when, arg, value                         \
	}
#define MOUNTS(call) { call, EFFECT_MOUNT, 0, 0, ALWAYS, 0, 0 }, NEEDS(call, CAP_SYS_ADMIN)
#define TRACES(call)                                                                               \
	{                                                                                          \
		call, EFFECT_PTRACE, 0, 0, ALWAYS, 0, 0                                            \
	}
/* 0 is the caller itself, or its group */
#define TRACES_OTHER(call)                                                                         \
	{                                                                                          \
		call, EFFECT_PTRACE, 0, 0, IS_NOT, 0, 0                                            \
	}
#define SIGNALS(call)                                                                              \
	{                                                                                          \
		call, EFFECT_SIGNAL, 0, 0, IS_NOT, 0, 0                                            \
	}
/* of another process, too: 0 is the caller */
#define ASKS(call)                                                                                 \
	{                                                                                          \
		call, EFFECT_PROCESS, 0, 0, IS_NOT, 0, 0                                           \
	}
/* its first argument says whether the second is of a process, a group or a user */
#define ASKS_IF(call, which)                                                                       \
	{                                                                                          \
		call, EFFECT_PROCESS, 1, 0, OTHER_WHO, 1, which                                    \
	}
/* -1 leaves an id as it is; the value says which is asked for */
#define SETS_ID(call, capability, arg) NEEDS_IF(call, capability, IS_NOT, arg, UINT32_MAX)

static const struct row rows[] = {
	/* --- a name's existence and attributes --- */
	FILES("access", 0, FILE_STAT),
	FILES("cachestat", 0, FILE_STAT),
	FILES("chdir", 0, FILE_STAT),
	FILES("chroot", 0, FILE_STAT),
	NEEDS("chroot", CAP_SYS_CHROOT),
	FILES("faccessat", 0, FILE_STAT),
	FILES("faccessat2", 0, FILE_STAT),
	FILES("fanotify_mark", 0, FILE_STAT),
	FILES("file_getattr", 0, FILE_STAT),
	FILES("fstatat64", 0, FILE_STAT),
	FILES("getxattr", 0, FILE_STAT),
	FILES("getxattrat", 0, FILE_STAT),
	FILES("inotify_add_watch", 0, FILE_STAT),
	FILES("lgetxattr", 0, FILE_STAT),
	FILES("listxattr", 0, FILE_STAT),
	FILES("listxattrat", 0, FILE_STAT),
	FILES("llistxattr", 0, FILE_STAT),
	FILES("lstat", 0, FILE_STAT),
	FILES("lstat64", 0, FILE_STAT),
	FILES("name_to_handle_at", 0, FILE_STAT),
	FILES("newfstatat", 0, FILE_STAT),
	FILES("oldlstat", 0, FILE_STAT),
	FILES("oldstat", 0, FILE_STAT),
	FILES("readlink", 0, FILE_STAT),
	FILES("readlinkat", 0, FILE_STAT),
	FILES("stat", 0, FILE_STAT),
	FILES("stat64", 0, FILE_STAT),
	FILES("statfs", 0, FILE_STAT),
	FILES("statfs64", 0, FILE_STAT),
	FILES("statx", 0, FILE_STAT),

	/* --- content; open's flags are read below. openat2's are in memory: at least this --- */
	FILES("execve", 0, FILE_EXEC),
	FILES("execveat", 0, FILE_EXEC),
	FILES("openat2", 0, FILE_READ),
	FILES("truncate", 0, FILE_TRUNCATE),
	FILES("truncate64", 0, FILE_TRUNCATE),
	FILES("uselib", 0, FILE_MMAP_EXEC),

	/* --- names; the second one of rename and link is read below --- */
	FILES("link", 0, FILE_STAT),
	FILES("linkat", 0, FILE_STAT),
	FILES("mkdir", 0, FILE_MKDIR),
	FILES("mkdirat", 0, FILE_MKDIR),
	FILES("rename", 0, FILE_REMOVE),
	FILES("renameat", 0, FILE_REMOVE),
	FILES("renameat2", 0, FILE_REMOVE),
	FILES("rmdir", 0, FILE_REMOVE),
	/* the target of a symlink is a text that nobody looks up */
	FILES("symlink", 1, FILE_SYMLINK),
	FILES("symlinkat", 1, FILE_SYMLINK),
	FILES("unlink", 0, FILE_REMOVE),
	FILES("unlinkat", 0, FILE_REMOVE),

	/* --- mode, owner, times, attributes --- */
	FILES("chmod", 0, FILE_CHMOD),
	FILES("chown", 0, FILE_CHMOD),
	SETS_ID("chown", CAP_CHOWN, 1),
	FILES("fchmodat", 0, FILE_CHMOD),
	FILES("fchmodat2", 0, FILE_CHMOD),
	SETS_ID("fchown", CAP_CHOWN, 1),
	FILES("fchownat", 0, FILE_CHMOD),
	SETS_ID("fchownat", CAP_CHOWN, 2),
	FILES("file_setattr", 0, FILE_CHMOD),
	FILES("futimesat", 0, FILE_CHMOD),
	FILES("lchown", 0, FILE_CHMOD),
	SETS_ID("lchown", CAP_CHOWN, 1),
	FILES("lremovexattr", 0, FILE_CHMOD),
	FILES("lsetxattr", 0, FILE_CHMOD),
	FILES("removexattr", 0, FILE_CHMOD),
	FILES("removexattrat", 0, FILE_CHMOD),
	FILES("setxattr", 0, FILE_CHMOD),
	FILES("setxattrat", 0, FILE_CHMOD),
	FILES("utime", 0, FILE_CHMOD),
	FILES("utimensat", 0, FILE_CHMOD),
	FILES("utimes", 0, FILE_CHMOD),

	/* --- the mount tree --- */
	MOUNTS("fsconfig"),
	MOUNTS("fsmount"),
	MOUNTS("fsopen"),
	MOUNTS("fspick"),
	MOUNTS("mount"),
	MOUNTS("mount_setattr"),
	MOUNTS("move_mount"),
	{ "open_tree", EFFECT_MOUNT, 0, 0, ANY_OF, 2, OPEN_TREE_CLONE },
	NEEDS_IF("open_tree", CAP_SYS_ADMIN, ANY_OF, 2, OPEN_TREE_CLONE),
	FILES("open_tree", 0, FILE_STAT),
	{ "open_tree_attr", EFFECT_MOUNT, 0, 0, ANY_OF, 2, OPEN_TREE_CLONE },
	NEEDS_IF("open_tree_attr", CAP_SYS_ADMIN, ANY_OF, 2, OPEN_TREE_CLONE),
	FILES("open_tree_attr", 0, FILE_STAT),
	MOUNTS("pivot_root"),
	MOUNTS("umount"),
	MOUNTS("umount2"),

	/* --- the machine --- */
	NEEDS("acct", CAP_SYS_PACCT),
	NEEDS("bpf", CAP_BPF),
	NEEDS("clock_settime", CAP_SYS_TIME),
	NEEDS("delete_module", CAP_SYS_MODULE),
	NEEDS("finit_module", CAP_SYS_MODULE),
	NEEDS("init_module", CAP_SYS_MODULE),
	NEEDS_IF("ioperm", CAP_SYS_RAWIO, IS_NOT, 2, 0),
	NEEDS_IF("iopl", CAP_SYS_RAWIO, IS_NOT, 0, 0),
	NEEDS("kexec_file_load", CAP_SYS_BOOT),
	NEEDS("kexec_load", CAP_SYS_BOOT),
	NEEDS("lookup_dcookie", CAP_SYS_ADMIN),
	NEEDS("open_by_handle_at", CAP_DAC_READ_SEARCH),
	NEEDS("perf_event_open", CAP_PERFMON),
	NEEDS("quotactl", CAP_SYS_ADMIN),
	NEEDS("quotactl_fd", CAP_SYS_ADMIN),
	NEEDS("reboot", CAP_SYS_BOOT),
	NEEDS("setdomainname", CAP_SYS_ADMIN),
	NEEDS("sethostname", CAP_SYS_ADMIN),
	NEEDS("settimeofday", CAP_SYS_TIME),
	NEEDS("stime", CAP_SYS_TIME),
	NEEDS("swapoff", CAP_SYS_ADMIN),
	NEEDS("swapon", CAP_SYS_ADMIN),
	NEEDS("vhangup", CAP_SYS_TTY_CONFIG),

	/* --- the process's own identity and standing --- */
	NEEDS("setgroups", CAP_SETGID),
	SETS_ID("setgid", CAP_SETGID, 0),
	SETS_ID("setregid", CAP_SETGID, 0),
	SETS_ID("setregid", CAP_SETGID, 1),
	SETS_ID("setresgid", CAP_SETGID, 0),
	SETS_ID("setresgid", CAP_SETGID, 1),
	SETS_ID("setresgid", CAP_SETGID, 2),
	SETS_ID("setresuid", CAP_SETUID, 0),
	SETS_ID("setresuid", CAP_SETUID, 1),
	SETS_ID("setresuid", CAP_SETUID, 2),
	SETS_ID("setreuid", CAP_SETUID, 0),
	SETS_ID("setreuid", CAP_SETUID, 1),
	SETS_ID("setuid", CAP_SETUID, 0),
	NEEDS_IF("prctl", CAP_SETPCAP, IS, 0, PR_CAPBSET_DROP),
	NEEDS_IF("prctl", CAP_SETPCAP, IS, 0, PR_SET_SECUREBITS),
	NEEDS_IF("prctl", CAP_SYS_RESOURCE, IS, 0, PR_SET_MM),
	NEEDS_IF("sched_setscheduler", CAP_SYS_NICE, IS, 1, SCHED_FIFO),
	NEEDS_IF("sched_setscheduler", CAP_SYS_NICE, IS, 1, SCHED_RR),
	NEEDS_IF("setpriority", CAP_SYS_NICE, BELOW_0, 2, 0),
	NEEDS_IF("nice", CAP_SYS_NICE, BELOW_0, 0, 0),

	/* --- other processes; what is asked of oneself with pid 0 is nobody else's business --- */
	TRACES_OTHER("get_robust_list"),
	TRACES("kcmp"),
	TRACES_OTHER("migrate_pages"),
	TRACES_OTHER("move_pages"),
	TRACES("pidfd_getfd"),
	TRACES("process_madvise"),
	TRACES("process_vm_readv"),
	TRACES("process_vm_writev"),
	{ "ptrace", EFFECT_PTRACE, 1, 0, IS_NOT, 0, PTRACE_TRACEME },
	ASKS("getpgid"),
	ASKS_IF("getpriority", PRIO_PROCESS),
	ASKS("getsid"),
	ASKS_IF("ioprio_get", IOPRIO_WHO_PROCESS),
	ASKS_IF("ioprio_set", IOPRIO_WHO_PROCESS),
	ASKS("pidfd_open"),
	ASKS("prlimit64"),
	ASKS("sched_getaffinity"),
	ASKS("sched_getattr"),
	ASKS("sched_getparam"),
	ASKS("sched_getscheduler"),
	ASKS("sched_rr_get_interval"),
	ASKS("sched_setaffinity"),
	ASKS("sched_setattr"),
	ASKS("sched_setparam"),
	ASKS("sched_setscheduler"),
	ASKS("setpgid"),
	ASKS_IF("setpriority", PRIO_PROCESS),
	{ "mq_open", EFFECT_QUEUE, 1, 0, ALWAYS, 0, 0 },
	SIGNALS("kill"),
	{ "pidfd_send_signal", EFFECT_SIGNAL, 0, 0, ALWAYS, 0, 0 },
	SIGNALS("rt_sigqueueinfo"),
	SIGNALS("rt_tgsigqueueinfo"),
	SIGNALS("tgkill"),
	SIGNALS("tkill"),
};

/* Two effects of the same meaning are one; ATTEMPT_EFFECTS hold the most that a call can have. */
static void add(struct attempt *a, struct effect effect)
{
	for (uint8_t i = 0; i < a->n_effects; i++) {
		const struct effect *e = &a->effects[i];

		if (e->kind == effect.kind && e->capability == effect.capability &&
		    (effect.kind != EFFECT_FILE || e->path == effect.path))
			return;
	}
	if (a->n_effects < ATTEMPT_EFFECTS)
		a->effects[a->n_effects++] = effect;
}

static void add_capability(struct attempt *a, unsigned capability, uint64_t value)
{
	add(a, (struct effect){ .kind = EFFECT_CAPABILITY,
				.capability = (uint8_t)capability,
				.value = value });
}

/* The value as the kernel reads it: 32-bit ones without what the register holds above. */
static uint64_t arg(const struct attempt *a, unsigned i)
{
	uint8_t width = a->call->args[i].width;

	return width == WIDTH_S32 || width == WIDTH_U32 ? (uint32_t)a->args[i] : a->args[i];
}

static bool row_counts(const struct row *row, const struct attempt *a)
{
	uint64_t value = arg(a, row->arg);

	switch ((enum when)row->when) {
	case ALWAYS:
		return true;
	case IS:
		return value == row->value;
	case IS_NOT:
		return value != row->value;
	case ANY_OF:
		return (value & row->value) != 0;
	case BELOW_0:
		return a->call->args[row->arg].width == WIDTH_S64 ? (int64_t)value < 0
								  : (int32_t)value < 0;
	case OTHER_WHO:
		return value != 0 && arg(a, 0) == row->value;
	}
	return false;
}

/* Of the call's nth path, made absolute; without a text nothing is known. 0 or -errno. */
static int add_file(struct attempt *a, unsigned nth, uint32_t access, uint64_t value,
		    const char *cwd)
{
	for (unsigned i = 0; i < a->call->n_args; i++) {
		int r;

		if (a->call->args[i].kind != KIND_PATH || nth-- > 0)
			continue;
		if (!a->text[i])
			return 0;
		r = attempt_text_resolve(a, i, 0, cwd);
		if (r < 0)
			return r;
		add(a, (struct effect){ .kind = EFFECT_FILE,
					.access = access,
					.value = value,
					.path = a->text[i] });
		return 0;
	}
	return 0;
}

static int add_open(struct attempt *a, uint64_t flags, const char *cwd)
{
	/* Bits that are the same on each architecture (include/uapi/asm-generic/fcntl.h). */
	enum { TMPFILE = 020000000 };
	uint64_t mode = flags & O_ACCMODE;
	uint32_t access = 0;

	if (flags & O_PATH)
		return add_file(a, 0, FILE_STAT, 0, cwd);
	if (mode == O_RDONLY || mode == O_RDWR)
		access |= FILE_READ;
	/* 3 asks for both permissions and gives neither (ioctl alone) */
	if (mode != O_RDONLY)
		access |= FILE_WRITE | (mode == O_ACCMODE ? FILE_READ : 0U);
	if (flags & O_TRUNC)
		access |= FILE_TRUNCATE;
	/* O_TMPFILE makes no name, whatever O_CREAT's bit says */
	if (flags & O_CREAT && !(flags & TMPFILE))
		access |= FILE_CREATE;
	return add_file(a, 0, access, 0, cwd);
}

static int add_mknod(struct attempt *a, uint64_t mode, uint64_t dev, const char *cwd)
{
	uint64_t type = mode & S_IFMT;
	int r = add_file(a, 0, type == 0 || type == S_IFREG ? FILE_CREATE : FILE_MKNOD, mode, cwd);

	/* a whiteout, character device 0:0, is for everybody (fs/namei.c, vfs_mknod) */
	if (type == S_IFBLK || (type == S_IFCHR && dev != 0))
		add_capability(a, CAP_MKNOD, mode);
	return r;
}

static size_t parent_len(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

/* rename's and link's new name. The old one's effect is there already. */
static int add_new_name(struct attempt *a, const char *cwd)
{
	const char *old = a->n_effects > 0 ? a->effects[0].path : NULL;
	int r = add_file(a, 1, FILE_CREATE, 0, cwd);
	struct effect *e = a->n_effects > 0 ? &a->effects[a->n_effects - 1] : NULL;

	if (r < 0 || !e || e->access != FILE_CREATE)
		return r;
	if (!old || parent_len(old) != parent_len(e->path) ||
	    strncmp(old, e->path, parent_len(old)) != 0)
		e->access |= FILE_LINK;
	return 0;
}

static void add_socket(struct attempt *a)
{
	uint16_t family = (uint16_t)a->args[0];
	uint32_t type = (uint32_t)a->args[1] & 0xfU;

	if (a->n_args == 0)
		return;
	add(a, (struct effect){ .kind = EFFECT_SOCKET,
				.family = family,
				.type = type,
				.protocol = type == SOCK_DGRAM ? POLICY_PORT_UDP : POLICY_PORT_TCP,
				.value = (uint32_t)a->args[2] });
	if (family == AF_PACKET ||
	    ((family == AF_INET || family == AF_INET6) && type == SOCK_RAW) || type == SOCK_PACKET)
		add_capability(a, CAP_NET_RAW, 0);
}

/* The address that connect, bind or sendto has as its argument. */
static int add_address(struct attempt *a, unsigned i, enum effect_kind kind, const char *cwd)
{
	struct attempt_address address;
	int r;

	if (!a->text[i])
		return 0;
	r = attempt_text_address(a->text[i], &address);
	if (r < 0)
		return r;
	if (address.family != AF_UNIX) {
		add(a, (struct effect){ .kind = (uint8_t)kind,
					.family = address.family,
					.protocol = address.protocol,
					.port = address.port });
		/* below ip_unprivileged_port_start's default; 0 lets the kernel choose */
		if (kind == EFFECT_BIND && address.port > 0 && address.port < IPPORT_RESERVED)
			add_capability(a, CAP_NET_BIND_SERVICE, address.port);
		return 0;
	}
	if (address.path[0] != '@') {
		r = attempt_text_resolve(a, i, (size_t)(address.path - a->text[i]), cwd);
		if (r < 0)
			return r;
		address.path = a->text[i] + strlen("unix:");
	}
	if (kind == EFFECT_CONNECT)
		add(a, (struct effect){
			       .kind = EFFECT_UNIX, .family = AF_UNIX, .path = address.path });
	else if (address.path[0] != '@')
		add(a, (struct effect){ .kind = EFFECT_FILE,
					.access = FILE_MKNOD,
					.value = S_IFSOCK,
					.path = address.path });
	return 0;
}

static void add_namespaces(struct attempt *a, uint64_t flags)
{
	static const uint64_t all = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

	flags &= all;
	if (flags == 0)
		return;
	add(a, (struct effect){ .kind = EFFECT_NAMESPACE, .value = flags });
	/* Within a new user namespace, made first, the caller has every capability. */
	if (!(flags & CLONE_NEWUSER))
		add_capability(a, CAP_SYS_ADMIN, 0);
}

static bool is(const struct attempt *a, const char *name)
{
	return strcmp(a->call->name, name) == 0;
}

/* What a table cannot say. */
static int add_others(struct attempt *a, const char *cwd)
{
	if (is(a, "open"))
		return add_open(a, a->args[1], cwd);
	if (is(a, "openat"))
		return add_open(a, a->args[2], cwd);
	if (is(a, "creat"))
		return add_open(a, O_WRONLY | O_CREAT | O_TRUNC, cwd);
	if (is(a, "mknod"))
		return add_mknod(a, a->args[1], (uint32_t)a->args[2], cwd);
	if (is(a, "mknodat"))
		return add_mknod(a, a->args[2], (uint32_t)a->args[3], cwd);
	if (is(a, "link") || is(a, "linkat") || is(a, "rename") || is(a, "renameat") ||
	    is(a, "renameat2"))
		return add_new_name(a, cwd);
	if (is(a, "connect"))
		return add_address(a, 1, EFFECT_CONNECT, cwd);
	if (is(a, "bind"))
		return add_address(a, 1, EFFECT_BIND, cwd);
	if (is(a, "sendto"))
		return add_address(a, 4, EFFECT_CONNECT, cwd);
	if (is(a, "socket") || is(a, "socketpair"))
		add_socket(a);
	/* clone's lowest byte is the exit signal, where CLONE_NEWTIME's bit is no flag */
	else if (is(a, "clone"))
		add_namespaces(a, a->args[0] & ~(uint64_t)CSIGNAL);
	else if (is(a, "unshare"))
		add_namespaces(a, a->args[0]);
	else if (is(a, "setns"))
		add(a, (struct effect){ .kind = EFFECT_NAMESPACE, .value = (uint32_t)a->args[1] }),
			add_capability(a, CAP_SYS_ADMIN, 0);
	/* reading the whole buffer and its size is for everybody: kernel/printk/printk.c */
	else if (is(a, "syslog") && (uint32_t)a->args[0] != 3 && (uint32_t)a->args[0] != 10)
		add_capability(a, CAP_SYSLOG, (uint32_t)a->args[0]);
	return 0;
}

int attempt_find_effects(struct attempt *a, const char *cwd)
{
	a->n_effects = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		int r = 0;

		if (strcmp(row->call, a->call->name) != 0 || !row_counts(row, a))
			continue;
		if (row->kind == EFFECT_FILE)
			r = add_file(a, row->nth, row->what, 0, cwd);
		else
			add(a, (struct effect){ .kind = row->kind,
						.capability = (uint8_t)row->what,
						.value = arg(a, row->nth) });
		if (r < 0)
			return r;
	}
	return add_others(a, cwd);
}
