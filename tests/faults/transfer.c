// SPDX-License-Identifier: Apache-2.0
/*
 * Where less than all may be moved:
 *
 * - regular files, in memory or on a disk: reading ends where the file does, and on FUSE and
 * network file systems at a signal or a reply; writing at a full disk, a quota, a limit, a signal.
 * - /proc, /sys and cgroups: reading, as a writer in the kernel may have had less to say. Writing
 *   there is all or nothing (the handlers parse what they are given).
 * - pipes: reading what is there; writing more than PIPE_BUF bytes (pipe(7)).
 * - stream sockets and terminals: both directions.
 * - SOCK_SEQPACKET and SOCK_DGRAM: a message goes out whole or not at all (unix(7)). One that is
 * longer than the reader's buffer is cut, with MSG_TRUNC where the call can say so: that is what a
 * shorter buffer does here, and its reader must not take the rest for the whole.
 * - getdents64: entries that fit, whole ones.
 * - process_vm_readv(2): up to a page that is not there.
 * - getrandom(2): above 256 bytes, which no launch asks for.
 *
 * Not signalfd, eventfd, pidfd and file system contexts: whole units, or an error.
 */
#include "tests/faults/transfer.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Where a call has its length: in a register, in an array of iovec whose number is in a register,
 * or in a msghdr's. */
enum form { FORM_COUNT, FORM_VECTOR, FORM_MESSAGE };

/* Numbers are registers, the first argument being 0. */
static const struct transfer {
	int nr;
	enum form form;
	signed char fd;	     /* -1: none */
	unsigned char where; /* FORM_COUNT: the length; else: the address of vector or message */
	bool out;
} transfers[] = {
	{ SYS_read, FORM_COUNT, 0, 2, false },
	{ SYS_pread64, FORM_COUNT, 0, 2, false },
	{ SYS_readv, FORM_VECTOR, 0, 1, false },
	{ SYS_preadv, FORM_VECTOR, 0, 1, false },
	{ SYS_recvfrom, FORM_COUNT, 0, 2, false },
	{ SYS_recvmsg, FORM_MESSAGE, 0, 1, false },
	{ SYS_write, FORM_COUNT, 0, 2, true },
	{ SYS_pwrite64, FORM_COUNT, 0, 2, true },
	{ SYS_writev, FORM_VECTOR, 0, 1, true },
	{ SYS_pwritev, FORM_VECTOR, 0, 1, true },
	{ SYS_sendto, FORM_COUNT, 0, 2, true },
	{ SYS_sendmsg, FORM_MESSAGE, 0, 1, true },
	{ SYS_getdents64, FORM_COUNT, 0, 2, false },
	{ SYS_getrandom, FORM_COUNT, -1, 1, false },
	{ SYS_copy_file_range, FORM_COUNT, 2, 4, true },
	{ SYS_splice, FORM_COUNT, 2, 4, true },
	{ SYS_sendfile, FORM_COUNT, 0, 3, true },
	{ SYS_process_vm_readv, FORM_VECTOR, -1, 1, false },
};

/* struct msghdr and struct iovec of a 64-bit process. */
enum { MSG_IOV = 16, MSG_IOVLEN = 24, IOV_SIZE = 16, IOV_LEN = 8, MOST_IOV = 64 };

/* One entry with a name of up to 28 bytes: a shorter buffer is an error, and no short answer. */
enum { LEAST_ENTRY = 48, WHOLE_RANDOM = 256 };

static const struct transfer *find(const struct user_regs_struct *regs)
{
	for (size_t i = 0; i < sizeof(transfers) / sizeof(*transfers); i++)
		if (transfers[i].nr == (int)regs->orig_rax)
			return &transfers[i];
	return NULL;
}

static unsigned long long *argument(struct user_regs_struct *r, unsigned which)
{
	unsigned long long *const at[] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 };

	return at[which];
}

static bool is_kernels(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	       (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
		fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC);
}

static bool is_stream(pid_t pid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), own = -1, type = 0;
	socklen_t len = sizeof(type);

	if (pidfd >= 0)
		own = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (own < 0 || getsockopt(own, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		fprintf(stderr, "inject: cannot look at socket %d of process %d: %s\n", fd, pid,
			strerror(errno));
	if (own >= 0)
		close(own);
	if (pidfd >= 0)
		close(pidfd);
	return type == SOCK_STREAM;
}

/* Major numbers of Documentation/admin-guide/devices.txt: consoles, tty and ptmx, pty slaves. */
static bool is_terminal(dev_t dev)
{
	return major(dev) == 4 || (major(dev) == 5 && minor(dev) != 1) ||
	       (major(dev) >= 136 && major(dev) <= 143);
}

bool transfer_can_be_short(pid_t pid, const struct user_regs_struct *regs)
{
	const struct transfer *t = find(regs);
	struct user_regs_struct copy = *regs;
	char path[64];
	struct stat st;
	int fd;

	if (!t)
		return false;
	if (t->fd < 0)
		return t->nr != SYS_getrandom || *argument(&copy, t->where) > WHOLE_RANDOM;
	fd = (int)*argument(&copy, (unsigned)t->fd);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	if (stat(path, &st) < 0)
		return false; /* no descriptor at all */
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return !t->out || !is_kernels(path);
	case S_IFDIR:
		return t->nr == SYS_getdents64;
	case S_IFIFO:
		return !t->out || (t->form == FORM_COUNT && *argument(&copy, t->where) > PIPE_BUF);
	case S_IFSOCK:
		return !t->out || is_stream(pid, fd);
	case S_IFCHR:
		return is_terminal(st.st_rdev);
	default:
		return false;
	}
}

/* --- the process's memory ------------------------------------------------------------------ */

static int peek(pid_t pid, unsigned long addr, unsigned long *ret)
{
	errno = 0;
	*ret = (unsigned long)ptrace(PTRACE_PEEKDATA, pid, addr, 0);
	return errno == 0 ? 0 : -1;
}

static int change(pid_t pid, unsigned long addr, unsigned long word, struct transfer_undo *undo)
{
	unsigned long was;

	if (peek(pid, addr, &was) < 0 || ptrace(PTRACE_POKEDATA, pid, addr, word) < 0)
		return -1;
	undo->addr[undo->n] = addr;
	undo->word[undo->n++] = was;
	return 0;
}

void transfer_restore(pid_t pid, const struct transfer_undo *undo)
{
	for (size_t i = undo->n; i-- > 0;)
		ptrace(PTRACE_POKEDATA, pid, undo->addr[i], undo->word[i]);
}

/* The element in which the first most bytes end becomes shorter and the last one. */
static int cut_vector(pid_t pid, unsigned long vec, size_t *n, size_t most,
		      struct transfer_undo *undo)
{
	for (size_t i = 0; i < *n && i < MOST_IOV; i++) {
		const unsigned long at = vec + i * IOV_SIZE + IOV_LEN;
		unsigned long len;

		if (peek(pid, at, &len) < 0)
			return -1;
		if (len > most) {
			*n = i + 1;
			return change(pid, at, most, undo);
		}
		most -= len;
	}
	return -1;
}

int transfer_shorten(pid_t pid, struct user_regs_struct *regs, size_t most,
		     struct transfer_undo *ret)
{
	const struct transfer *t = find(regs);
	unsigned long long *where;
	unsigned long vec, count;
	size_t n;

	*ret = (struct transfer_undo){ .n = 0 };
	if (!t)
		return -1;
	where = argument(regs, t->where);
	switch (t->form) {
	case FORM_COUNT:
		if (t->nr == SYS_getdents64 && most < LEAST_ENTRY)
			most = LEAST_ENTRY;
		if (*where <= most)
			return -1;
		*where = most;
		return 0;
	case FORM_VECTOR:
		n = (size_t)*argument(regs, t->where + 1U);
		if (cut_vector(pid, (unsigned long)*where, &n, most, ret) < 0)
			return -1;
		*argument(regs, t->where + 1U) = n;
		return 0;
	default:
		if (peek(pid, (unsigned long)*where + MSG_IOV, &vec) < 0 ||
		    peek(pid, (unsigned long)*where + MSG_IOVLEN, &count) < 0)
			return -1;
		n = count;
		if (cut_vector(pid, vec, &n, most, ret) < 0)
			return -1;
		return change(pid, (unsigned long)*where + MSG_IOVLEN, n, ret);
	}
}
