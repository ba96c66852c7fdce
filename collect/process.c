// SPDX-License-Identifier: Apache-2.0
#include "collect/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum { TEXT_MAX = 8192 };

/* --- text ---------------------------------------------------------------------------------- */

/* A number of at most 32 bits behind blanks; NULL: none. */
static const char *number(const char *p, uint32_t *ret)
{
	uint64_t v = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned)(*p - '0');
		if (v > UINT32_MAX)
			return NULL;
	}
	*ret = (uint32_t)v;
	return p;
}

/* Behind "NAME:" at a line's begin. The one line that others shape, "Name:", has its newlines
 * escaped (fs/proc/array.c). */
static const char *line(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? at + strlen(name) : NULL;
}

static const char *pid_number(const char *p, pid_t *ret)
{
	uint32_t v;

	p = p ? number(p, &v) : NULL;
	if (!p || v > INT_MAX)
		return NULL;
	*ret = (pid_t)v;
	return p;
}

int process_parse_status(const char *text, struct process *ret)
{
	const char *p;
	uint32_t uid;

	if (!pid_number(line(text, "\nTgid:"), &ret->pid) ||
	    !pid_number(line(text, "\nPPid:"), &ret->parent))
		return -EINVAL;
	p = line(text, "\nUid:");
	for (int i = 0; i < 4; i++) {
		p = p ? number(p, &uid) : NULL;
		if (!p)
			return -EINVAL;
		ret->uid[i] = uid;
	}
	p = line(text, "\nNSpid:");
	for (ret->depth = 0; p && *p != '\n'; ret->depth++) {
		if (ret->depth == PROCESS_DEPTH)
			return -EINVAL;
		p = pid_number(p, &ret->number[ret->depth]);
	}
	return p && ret->depth > 0 ? 0 : -EINVAL;
}

/* Field 22; the second one, in brackets, is the process's own choice and may hold brackets. */
int process_parse_started(const char *text, unsigned long ticks_a_second, uint64_t *ret_ms)
{
	const char *p = strrchr(text, ')');
	uint64_t v = 0;

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p || *p < '0' || *p > '9' || ticks_a_second == 0)
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > UINT64_MAX / 100000)
			return -EINVAL;
		v = v * 10 + (unsigned)(*p - '0');
	}
	*ret_ms = v * 1000 / ticks_a_second;
	return 0;
}

int process_parse_map(const char *text, uid_t uid)
{
	uint32_t inside, outside, count;
	const char *p;

	if (!*text)
		return -EAGAIN;
	p = number(text, &inside);
	p = p ? number(p, &outside) : NULL;
	p = p ? number(p, &count) : NULL;
	if (!p)
		return -EINVAL;
	return count == 1 && outside == uid && strcmp(p, "\n") == 0;
}

/* "Pid:" is in what the kernel prints for a pidfd and for no other kind of descriptor. -1 and 0:
 * gone, or not to be seen. */
pid_t process_parse_fdinfo(const char *text)
{
	const char *p = line(text, "\nPid:");
	pid_t pid;

	if (!p || !line(text, "\nNSpid:"))
		return -EBADF;
	return pid_number(p, &pid) && pid > 0 ? pid : -ESRCH;
}

/* --- /proc --------------------------------------------------------------------------------- */

static int read_at(int dir, const char *name, char text[TEXT_MAX])
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (len < TEXT_MAX - 1) {
		ssize_t n = read(fd, text + len, TEXT_MAX - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return strlen(text) == len ? 0 : -EINVAL;
}

int process_open(int proc, pid_t pid, struct process *ret)
{
	char text[TEXT_MAX], name[16];
	int r;

	*ret = PROCESS_INIT;
	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	ret->dir = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	r = read_at(ret->dir, "status", text);
	r = r ? r : process_parse_status(text, ret);
	/* A thread's number leads to a directory too, and is not what was asked for. */
	if (r == 0 && ret->pid != pid)
		r = -ESRCH;
	if (r < 0)
		process_close(ret);
	return r;
}

void process_close(struct process *p)
{
	fd_closep(&p->dir);
}

int process_is_still(const struct process *p)
{
	struct process now = PROCESS_INIT;
	char text[TEXT_MAX];
	int r = read_at(p->dir, "status", text);

	r = r ? r : process_parse_status(text, &now);
	return r ? r : now.parent == p->parent ? 0 : -ESRCH;
}

bool process_is_of(const struct process *p, uid_t uid)
{
	return p->uid[0] == uid && p->uid[1] == uid && p->uid[2] == uid && p->uid[3] == uid;
}

int process_started(const struct process *p, uint64_t *ret_ms)
{
	char text[TEXT_MAX];
	int r = read_at(p->dir, "stat", text);

	return r ? r : process_parse_started(text, (unsigned long)sysconf(_SC_CLK_TCK), ret_ms);
}

int process_maps_only(const struct process *p, uid_t uid)
{
	char text[TEXT_MAX];
	int r = read_at(p->dir, "uid_map", text);

	return r ? r : process_parse_map(text, uid);
}

pid_t process_of_pidfd(int proc, int pidfd)
{
	char text[TEXT_MAX], name[32];
	int r;

	(void)snprintf(name, sizeof(name), "self/fdinfo/%d", pidfd);
	r = read_at(proc, name, text);
	return r ? r : process_parse_fdinfo(text);
}
