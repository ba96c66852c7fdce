// SPDX-License-Identifier: Apache-2.0
/*
 * Programs under ptrace(2), as cordon is static and takes no preloaded library: what they do to
 * the files of one directory, in the order in which the kernel did it. What runs in a pid namespace
 * of its own, a sandbox, is let go: it reaches none of these files.
 */
#include "tests/durability/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/traced.h"

enum { MAX_TASKS = 64, WHOLE_PATH = 1024 };

struct task {
	pid_t pid;
	unsigned long nr, args[6];
};

struct recorder {
	struct disk *disk;
	size_t n_tasks;
	struct task tasks[MAX_TASKS];
	bool unknown; /* a call was made that the model lacks */
};

__attribute__((format(printf, 2, 3))) static void unknown(struct recorder *r, const char *fmt, ...)
{
	va_list ap;

	r->unknown = true;
	va_start(ap, fmt);
	fputs("crash: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/* --- what a call speaks of ----------------------------------------------------------------- */

static bool peek(pid_t pid, unsigned long addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)addr, len };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

/* A path of at most WHOLE_PATH bytes, page by page. */
static bool peek_path(pid_t pid, unsigned long addr, char *ret)
{
	for (size_t n = 0; n < WHOLE_PATH;) {
		size_t some = 4096 - (addr + n) % 4096;

		some = some > WHOLE_PATH - n ? WHOLE_PATH - n : some;
		if (!peek(pid, addr + n, ret + n, some))
			return false;
		if (memchr(ret + n, '\0', some))
			return true;
		n += some;
	}
	return false;
}

/* The file's name, when a path leads directly into the directory. */
static bool name_in(const struct recorder *r, pid_t pid, int dirfd, unsigned long addr,
		    char ret[NAME_SIZE])
{
	char path[WHOLE_PATH], link[64], dir[WHOLE_PATH] = "", *slash;
	ssize_t n;

	if (!peek_path(pid, addr, path))
		return false;
	slash = strrchr(path, '/');
	if (path[0] != '/') {
		if (dirfd == AT_FDCWD)
			snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
		else
			snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, dirfd);
		n = readlink(link, dir, sizeof(dir) - 1);
		if (n <= 0 || slash)
			return false;
	} else {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	}
	if (strcmp(dir, r->disk->dir) != 0)
		return false;
	return snprintf(ret, NAME_SIZE, "%.*s", NAME_SIZE - 1, slash ? slash + 1 : path) > 0;
}

/* The file behind a descriptor: its index, or -1; -2 for the directory itself. */
static int inode_at(const struct recorder *r, pid_t pid, int fd)
{
	const struct disk *d = r->disk;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	if (stat(path, &st) < 0 || st.st_dev != d->dev)
		return -1;
	if (S_ISDIR(st.st_mode))
		return st.st_ino == d->ino ? -2 : -1;
	for (size_t i = 0; i < d->n_inodes; i++)
		if (d->inode[i].ino == st.st_ino && !d->inode[i].gone)
			return (int)i;
	return -1;
}

static unsigned long offset_of(pid_t pid, int fd)
{
	char path[64], line[128];
	unsigned long pos = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f))
		sscanf(line, "pos: %lu", &pos);
	if (f)
		fclose(f);
	return pos;
}

/* --- operations ---------------------------------------------------------------------------- */

static struct op *new_op(struct recorder *r, enum op_kind kind, unsigned inode)
{
	static struct op spare;
	struct op *op = &r->disk->op[r->disk->n_ops];

	if (r->disk->n_ops == MAX_OPS) {
		unknown(r, "more than %d operations", MAX_OPS);
		return &spare;
	}
	r->disk->n_ops++;
	*op = (struct op){ .kind = kind, .inode = inode };
	return op;
}

static void on_write(struct recorder *r, const struct task *t, long n, bool at)
{
	const int inode = inode_at(r, t->pid, (int)t->args[0]);
	struct op *op;

	if (inode < 0 || n == 0)
		return;
	op = new_op(r, OP_WRITE, (unsigned)inode);
	op->len = (size_t)n;
	op->at = at ? t->args[3] : offset_of(t->pid, (int)t->args[0]) - (size_t)n;
	op->data = malloc(op->len);
	if (!op->data || !peek(t->pid, t->args[1], op->data, op->len))
		unknown(r, "cannot read what process %d wrote", t->pid);
}

static void on_open(struct recorder *r, const struct task *t, int fd, int dirfd, unsigned long path,
		    unsigned long flags)
{
	struct disk *d = r->disk;
	char name[NAME_SIZE], link[64];
	struct stat st;
	struct op *op;
	int i;

	if (!(flags & (O_CREAT | O_TRUNC)) || !name_in(r, t->pid, dirfd, path, name))
		return;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		unknown(r, "O_TMPFILE is not known");
	i = disk_find(&d->now, name);
	if (i >= 0) {
		if (flags & O_TRUNC)
			new_op(r, OP_CUT, d->now.of[i].inode);
		return;
	}
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", t->pid, fd);
	if (d->n_inodes == MAX_INODES || stat(link, &st) < 0) {
		unknown(r, "cannot follow the new file '%s'", name);
		return;
	}
	op = new_op(r, OP_CREATE, (unsigned)d->n_inodes);
	memcpy(op->name, name, NAME_SIZE);
	d->inode[d->n_inodes].ino = st.st_ino;
	d->inode[d->n_inodes++].base.p = calloc(1, 1);
	names_apply(&d->now, op);
}

/* A name that goes, or another one that it takes: the file that had it is gone. */
static void drop(struct disk *d, const char *name)
{
	int i = disk_find(&d->now, name);

	if (i >= 0)
		d->inode[d->now.of[i].inode].gone = true;
}

static void on_rename(struct recorder *r, const struct task *t, int from_fd, unsigned long from,
		      int to_fd, unsigned long to)
{
	char name[NAME_SIZE], new[NAME_SIZE];
	const bool was = name_in(r, t->pid, from_fd, from, name);
	struct op *op;

	if (was != name_in(r, t->pid, to_fd, to, new))
		unknown(r, "a file came or went by rename");
	if (!was)
		return;
	op = new_op(r, OP_RENAME, 0);
	memcpy(op->name, name, NAME_SIZE);
	memcpy(op->to, new, NAME_SIZE);
	drop(r->disk, new);
	names_apply(&r->disk->now, op);
}

static void on_unlink(struct recorder *r, const struct task *t, int dirfd, unsigned long path)
{
	char name[NAME_SIZE];
	struct op *op;

	if (!name_in(r, t->pid, dirfd, path, name))
		return;
	op = new_op(r, OP_UNLINK, 0);
	memcpy(op->name, name, NAME_SIZE);
	drop(r->disk, name);
	names_apply(&r->disk->now, op);
}

static void on_sync(struct recorder *r, const struct task *t)
{
	const int inode = inode_at(r, t->pid, (int)t->args[0]);

	if (inode != -1)
		new_op(r, inode < 0 ? OP_SYNC_DIR : OP_SYNC, inode < 0 ? 0 : (unsigned)inode);
}

/* These change a file in a way of their own; none is made by what is recorded. */
static void on_other(struct recorder *r, const struct task *t)
{
	static const struct {
		int nr, fd;
	} others[] = {
		{ SYS_writev, 0 },   { SYS_pwritev, 0 },	 { SYS_pwritev2, 0 },
		{ SYS_sendfile, 0 }, { SYS_copy_file_range, 2 }, { SYS_splice, 2 },
	};
	char name[NAME_SIZE];
	int fd = -1;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (others[i].nr == (int)t->nr)
			fd = (int)t->args[others[i].fd];
	if (t->nr == SYS_fallocate && !(t->args[1] & FALLOC_FL_KEEP_SIZE))
		fd = (int)t->args[0];
	if (t->nr == SYS_mmap && (t->args[2] & PROT_WRITE) && (t->args[3] & MAP_SHARED))
		fd = (int)t->args[4];
	if (fd >= 0 && inode_at(r, t->pid, fd) >= 0)
		unknown(r, "system call %lu on a file of the directory is not known", t->nr);
	if ((t->nr == SYS_linkat && name_in(r, t->pid, (int)t->args[2], t->args[3], name)) ||
	    (t->nr == SYS_link && name_in(r, t->pid, AT_FDCWD, t->args[1], name)))
		unknown(r, "a link is not known");
}

static void on_exit_of(struct recorder *r, const struct task *t, long result)
{
	const unsigned long *a = t->args;

	if (result < 0)
		return;
	switch (t->nr) {
	case SYS_write:
	case SYS_pwrite64:
		on_write(r, t, result, t->nr == SYS_pwrite64);
		break;
	case SYS_ftruncate:
		if (inode_at(r, t->pid, (int)a[0]) >= 0)
			new_op(r, OP_CUT, (unsigned)inode_at(r, t->pid, (int)a[0]))->at = a[1];
		break;
	case SYS_open:
		on_open(r, t, (int)result, AT_FDCWD, a[0], a[1]);
		break;
	case SYS_openat:
		on_open(r, t, (int)result, (int)a[0], a[1], a[2]);
		break;
	case SYS_rename:
		on_rename(r, t, AT_FDCWD, a[0], AT_FDCWD, a[1]);
		break;
	case SYS_renameat:
	case SYS_renameat2:
		on_rename(r, t, (int)a[0], a[1], (int)a[2], a[3]);
		break;
	case SYS_unlink:
		on_unlink(r, t, AT_FDCWD, a[0]);
		break;
	case SYS_unlinkat:
		on_unlink(r, t, (int)a[0], a[1]);
		break;
	case SYS_fsync:
	case SYS_fdatasync:
		on_sync(r, t);
		break;
	default:
		on_other(r, t);
	}
}

/* --- following ----------------------------------------------------------------------------- */

static struct task *find(struct recorder *r, pid_t pid)
{
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].pid == pid)
			return &r->tasks[i];
	return NULL;
}

static void adopt(struct recorder *r, pid_t pid)
{
	int last;

	if (traced_is_inside(pid, &last) || r->n_tasks == MAX_TASKS) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	r->tasks[r->n_tasks++] = (struct task){ .pid = pid };
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
}

static void on_syscall(struct recorder *r, struct task *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		t->nr = info.entry.nr;
		for (int i = 0; i < 6; i++)
			t->args[i] = info.entry.args[i];
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		on_exit_of(r, t, (long)info.exit.rval);
	}
}

static void on_stop(struct recorder *r, pid_t pid, int status)
{
	struct task *t = find(r, pid);
	const int event = status >> 16, sig = WSTOPSIG(status);

	if (!t) {
		adopt(r, pid);
		return;
	}
	if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return;
	}
	if (sig == (SIGTRAP | 0x80))
		on_syscall(r, t);
	ptrace(PTRACE_SYSCALL, pid, 0, sig == (SIGTRAP | 0x80) || event ? 0 : sig);
}

int record_run(struct disk *disk, char *const *argv, int *ret_status)
{
	struct recorder r = { .disk = disk };
	pid_t first = fork(), pid;
	int status;

	if (first == 0) {
		raise(SIGSTOP);
		execv(argv[0], argv);
		_exit(127);
	}
	if (first < 0 || waitpid(first, &status, WUNTRACED) < 0 ||
	    ptrace(PTRACE_SEIZE, first, 0, TRACED_OPTIONS) < 0) {
		fprintf(stderr, "crash: cannot trace '%s': %s\n", argv[0], strerror(errno));
		return -1;
	}
	r.tasks[r.n_tasks++] = (struct task){ .pid = first };
	kill(first, SIGCONT);
	*ret_status = -1;
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		struct task *t = pid > 0 ? find(&r, pid) : NULL;

		if (pid > 0 && WIFSTOPPED(status)) {
			on_stop(&r, pid, status);
			continue;
		}
		if (t)
			*t = r.tasks[--r.n_tasks];
		if (pid == first)
			*ret_status = status;
	}
	return r.unknown ? -1 : 0;
}
