// SPDX-License-Identifier: Apache-2.0
/*
 * The processes of a recording, as procfs shows them: program, ancestors, memory, directories. A
 * look there costs as much as a notification, so what was seen is kept until a call that was seen
 * may have changed it, and never for longer than a second: a number can be another process's then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "audit/peer.h"
#include "base/fd.h"

enum { FEW = 2 }; /* texts of a process that are not worth opening its memory for */

bool learn_is_valid(const struct learn_event *e)
{
	uint64_t id = e->notif->id;

	return e->notify_fd < 0 || ioctl(e->notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* --- what changes --- */

static void begin_second(struct learn *l)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (l->ages.second == (uint32_t)now.tv_sec + 1)
		return;
	l->ages.second = (uint32_t)now.tv_sec + 1; /* never that of zeroed memory */
	l->ages.names++;
	l->ages.dirs++;
	l->ages.cwd++;
	l->ages.fds++;
}

static void change(struct learn *l, uint16_t role, uint8_t fd)
{
	if (role & LEARN_ROLE_CHDIR)
		l->ages.cwd++;
	if (role & LEARN_ROLE_CLOSE)
		l->ages.fd[fd]++;
	if (role & (LEARN_ROLE_CLOSES | LEARN_ROLE_EXEC))
		l->ages.fds++;
	if (role & LEARN_ROLE_RENAMES)
		l->ages.names++;
	if (role & (LEARN_ROLE_RENAMES | LEARN_ROLE_RMDIR))
		l->ages.dirs++;
}

enum {
	CHANGES = LEARN_ROLE_EXEC | LEARN_ROLE_CHDIR | LEARN_ROLE_CLOSE | LEARN_ROLE_CLOSES |
		  LEARN_ROLE_RENAMES | LEARN_ROLE_RMDIR,
};

static struct learn_pid *slot_of(struct learn *l, int32_t pid)
{
	return &l->pids[(uint32_t)pid % LEARN_PIDS];
}

static struct learn_memory *memory_slot(struct learn *l, int32_t pid)
{
	return &l->memories[(uint32_t)pid % LEARN_MEMORIES];
}

static void forget_memory(struct learn_memory *m)
{
	if (m->fd > 0)
		(void)close(m->fd - 1);
	*m = (struct learn_memory){ 0 };
}

void learn_process(struct learn *l, const struct learn_event *e, const struct learn_shape *shape)
{
	const int32_t pid = (int32_t)e->notif->pid;
	struct learn_pid *p = slot_of(l, pid);

	if (e->denied || !(shape->role & (CHANGES | LEARN_ROLE_EXIT)))
		return;
	if (shape->role & (LEARN_ROLE_EXEC | LEARN_ROLE_EXIT)) {
		struct learn_memory *m = memory_slot(l, pid);

		if (m->pid == pid)
			forget_memory(m);
	}
	if (shape->role & LEARN_ROLE_EXIT) {
		if (p->pid == pid)
			*p = (struct learn_pid){ 0 };
		return;
	}
	/* Now, because it may go on at once, and at its next call, because it is not done yet. */
	p->fd = (uint8_t)(e->notif->data.args[shape->closing] % ARRAY_SIZE(l->ages.fd));
	change(l, shape->role, p->fd);
	if (p->pid == pid)
		p->changed = shape->role & CHANGES;
}

/* --- programs --- */

static uint16_t program_named(struct learn *l, const char *path)
{
	uint32_t text;

	for (uint16_t i = 0; i < l->n_programs; i++) {
		if (strcmp(l->text + l->programs[i], path) == 0)
			return (uint16_t)(i + 1);
	}
	text = l->n_programs < LEARN_PROGRAMS ? learn_text(l, path) : 0;
	if (text == 0) {
		l->lost_programs++;
		return 0;
	}
	l->programs[l->n_programs++] = text;
	return l->n_programs;
}

static uint16_t program_of(struct learn *l, int32_t pid)
{
	char name[64], path[LIMIT_PATH];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	n = readlink(name, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	return program_named(l, path);
}

void learn_process_launch(struct learn *l, int32_t pid)
{
	*slot_of(l, pid) = (struct learn_pid){ .pid = pid, .changed = LEARN_ROLE_EXEC };
}

uint16_t learn_program(struct learn *l, int32_t pid)
{
	struct learn_pid *p = slot_of(l, pid);
	bool executed;

	begin_second(l);
	if (p->pid == pid && p->program > 0 && p->second == l->ages.second && !p->changed)
		return p->program;
	if (p->pid != pid)
		*p = (struct learn_pid){ .pid = pid };
	executed = p->changed & LEARN_ROLE_EXEC;
	if (p->changed)
		change(l, p->changed, p->fd);
	p->changed = 0;
	if (p->program > 0 && p->second == l->ages.second && !executed)
		return p->program;
	p->second = l->ages.second;
	p->texts = 0;
	p->program = program_of(l, pid);
	if (executed && p->program > 0)
		learn_mapped(l, pid, p->program);
	return p->program;
}

/* The parent's number is the fourth word of stat, behind a name that may hold anything but ends
 * with the last parenthesis. */
static int32_t parent_of(int32_t pid)
{
	char name[64], text[512];
	_cleanup_close_ int fd = -1;
	const char *p;
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || strlen(p) < 5)
		return 0;
	return (int32_t)strtol(p + 4, NULL, 10);
}

const struct learn_chain *learn_chain(struct learn *l, int32_t pid, uint16_t program)
{
	struct learn_chain *c = &l->chains[(uint32_t)pid % LEARN_CHAINS];
	int32_t parent = pid;

	if (c->pid == pid && c->program == program && c->second == l->ages.second)
		return c;
	*c = (struct learn_chain){ .pid = pid, .program = program, .second = l->ages.second };
	while (program > 0 && c->n < LEARN_CHAIN) {
		if (c->n == 0 || c->chain[c->n - 1] != program)
			c->chain[c->n++] = program;
		parent = parent_of(parent);
		if (parent <= 1 || parent_of(parent) == getpid())
			break;
		program = program_of(l, parent);
	}
	return c;
}

/* --- memory --- */

/* A descriptor of the caller's memory, which is no other's whatever becomes of its number; -1 for
 * one that is seldom read. */
static int memory_of(struct learn *l, const struct learn_event *e)
{
	const int32_t pid = (int32_t)e->notif->pid;
	struct learn_memory *m = memory_slot(l, pid);
	struct learn_pid *p = slot_of(l, pid);
	char name[64];
	int fd;

	if (m->pid == pid && m->fd > 0 && m->second == l->ages.second)
		return m->fd - 1;
	if (p->pid != pid || p->texts < FEW) {
		if (p->pid == pid)
			p->texts++;
		return -1;
	}
	forget_memory(m);
	(void)snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	*m = (struct learn_memory){ .pid = pid, .second = l->ages.second, .fd = fd + 1 };
	if (!learn_is_valid(e))
		forget_memory(m);
	return m->fd - 1;
}

ssize_t learn_memory(struct learn *l, const struct learn_event *e, uint64_t addr, void *buf,
		     size_t len, bool *unsure)
{
	const int fd = memory_of(l, e);
	pid_t pid = (pid_t)e->notif->pid;
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, len, (off_t)addr);

	if (n > 0)
		return n;
	*unsure = true;
	return peer_memory(&pid, addr, buf, len);
}

/* --- directories --- */

/* Each only grows: their sum is what it was when both are. */
uint64_t learn_fd_age(const struct learn *l, int fd)
{
	return l->ages.fds + l->ages.fd[(unsigned)fd % ARRAY_SIZE(l->ages.fd)];
}

static uint64_t start_age(const struct learn *l, int dirfd)
{
	return (uint64_t)l->ages.names << 32 |
	       (uint32_t)(dirfd == AT_FDCWD ? l->ages.cwd : learn_fd_age(l, dirfd));
}

int learn_start(struct learn *l, const struct learn_event *e, int dirfd, char ret[LIMIT_PATH],
		bool *unsure)
{
	const int32_t pid = (int32_t)e->notif->pid;
	struct learn_start *s = &l->starts[((uint32_t)pid * 31 + (uint32_t)dirfd) % LEARN_STARTS];
	const uint64_t age = start_age(l, dirfd);
	char name[64];
	ssize_t n;

	if (s->pid == pid && s->dirfd == dirfd && s->age == age &&
	    !(l->blind_fds && dirfd != AT_FDCWD)) {
		memcpy(ret, s->text, sizeof(s->text));
		return 0;
	}
	if (dirfd == AT_FDCWD)
		(void)snprintf(name, sizeof(name), "/proc/%d/cwd", pid);
	else
		(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, dirfd);
	*unsure = true;
	n = readlink(name, ret, LIMIT_PATH - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	ret[n] = '\0';
	if (ret[0] != '/')
		return -ENOTDIR; /* "pipe:[1]" and its kin are no place */
	if ((size_t)n < sizeof(s->text)) {
		*s = (struct learn_start){ .pid = pid, .dirfd = dirfd, .age = age };
		memcpy(s->text, ret, (size_t)n + 1);
	}
	return 0;
}
