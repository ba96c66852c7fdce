// SPDX-License-Identifier: Apache-2.0
/* The files of one log as readers see them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/place.h"
#include "audit/rotate.h"
#include "base/fd.h"

void log_set_close(struct log_set *set)
{
	for (size_t i = 0; set && i < set->n; i++)
		fd_closep(&set->file[i].fd);
	if (set)
		explicit_bzero(&set->state, sizeof(set->state));
	free(set);
}

/* The head, locked while the set is opened: its descriptor, or -1 when there is none. */
static int open_head(int dir, const char *name)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	char head[256];
	int fd;

	(void)snprintf(head, sizeof(head), "%s.head", name);
	fd = openat(dir, head, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A writer holds the lock for some microseconds; one that was stopped is not waited for. */
	for (int i = 0; i < 2000 && flock(fd, LOCK_SH | LOCK_NB) < 0; i++)
		(void)nanosleep(&nap, NULL);
	return fd;
}

/* None, or one that its first writer made and did not live to fill: who wants to hide that the log
 * is shorter now could as well have removed it, and both are told. */
static int read_point(int head, struct chain_point *ret)
{
	char text[CHAIN_HEAD_TEXT + 1];
	ssize_t n = head < 0 ? 0 : fd_read_at(head, text, sizeof(text), 0);

	if (n < 0)
		return (int)n;
	if (n == 0)
		return 0;
	return chain_parse_head(text, (size_t)n, ret) < 0 ? -EINVAL : 1;
}

static void read_state(struct log_set *set, int dir, const char *name)
{
	_cleanup_close_ int fd = -1;
	char state[256];

	(void)snprintf(state, sizeof(state), "%s.seal", name);
	fd = openat(dir, state, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		set->seal = seal_read(fd, &set->state) > 0 ? 1 : -EINVAL;
	else
		set->seal = errno == ENOENT ? 0 : -EINVAL;
}

static int add(struct log_set *set, int dir, const char *name, const char *path, uint64_t number,
	       struct err *err)
{
	struct log_file *file = &set->file[set->n];
	char rotated[LIMIT_PATH + PLACE_SUFFIX];
	struct stat st;

	rotate_name(name, number, rotated, sizeof(rotated));
	*file = (struct log_file){ .number = number };
	/* The file NAME may be a link to where the log is; nothing was ever rotated to one. */
	file->fd = openat(dir, rotated,
			  O_RDONLY | (number ? O_NOFOLLOW : 0) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file->fd < 0 && errno == ENOENT && number == 0 && (set->n > 0 || set->head != 0)) {
		set->n++;
		return 0;
	}
	if (file->fd < 0 || fstat(file->fd, &st) < 0) {
		int r = -errno;

		fd_closep(&file->fd);
		rotate_name(path, number, rotated, sizeof(rotated));
		return err_set(err, r, "open the audit log '%s'", rotated);
	}
	set->n++;
	if (!S_ISREG(st.st_mode)) {
		rotate_name(path, number, rotated, sizeof(rotated));
		return err_set(err, -EINVAL, "read '%s' as an audit log: it is no regular file",
			       rotated);
	}
	file->size = (uint64_t)st.st_size;
	return 0;
}

static int fill(struct log_set *set, int dir, const char *name, const char *path, struct err *err)
{
	struct rotate_list list;
	int r = rotate_list(dir, name, &list);

	/* A folder that may be entered and not listed shows the file NAME only. */
	if (r == -EACCES)
		r = 0;
	if (r < 0)
		return err_set(err, r, "list the rotated files of the audit log '%s'", path);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = add(set, dir, name, path, list.number[i], err);
	return r < 0 ? r : add(set, dir, name, path, 0, err);
}

int log_set_open(const char *path, struct log_set **ret, struct err *err)
{
	__attribute__((cleanup(log_set_closep))) struct log_set *set = calloc(1, sizeof(*set));
	_cleanup_close_ int dir = -1, head = -1;
	const char *name;
	int r;

	if (!set)
		return err_set(err, -ENOMEM, "read the audit log");
	r = place_open_dir(path, &dir, &name, err);
	if (r < 0)
		return r;
	head = open_head(dir, name);
	if (head < 0 && head != -ENOENT)
		return err_set(err, head, "open the head '%s.head' of the audit log", path);
	set->head = read_point(head, &set->point);
	if (set->head < 0 && set->head != -EINVAL)
		return err_set(err, set->head, "read the head '%s.head' of the audit log", path);
	read_state(set, dir, name);
	r = fill(set, dir, name, path, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(set);
	return 0;
}
