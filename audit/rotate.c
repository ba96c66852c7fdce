// SPDX-License-Identifier: Apache-2.0
#include "audit/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit/format.h"
#include "audit/place.h"
#include "audit/stamp.h"
#include "base/fd.h"

enum { NUMBER_DIGITS = 20, NAME_MAX_SIZE = 256, FIRST_BYTES = 512 };

/* --- names --------------------------------------------------------------------------------- */

void rotate_name(const char *name, uint64_t number, char *buf, size_t size)
{
	if (number == 0)
		(void)snprintf(buf, size, "%s", name);
	else
		(void)snprintf(buf, size, "%s.%020llu", name, (unsigned long long)number);
}

/* The number in "NAME.00000000000000000042", or 0. */
static uint64_t number_of(const char *entry, const char *name)
{
	size_t len = strlen(name);
	uint64_t value = 0;

	if (strncmp(entry, name, len) != 0 || entry[len] != '.' ||
	    strlen(entry + len + 1) != NUMBER_DIGITS)
		return 0;
	for (const char *p = entry + len + 1; *p; p++) {
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (unsigned)(*p - '0'), &value))
			return 0;
	}
	return value;
}

static int insert(struct rotate_list *list, uint64_t number)
{
	size_t i = list->n;

	if (list->n == sizeof(list->number) / sizeof(list->number[0]))
		return -E2BIG;
	for (; i > 0 && list->number[i - 1] > number; i--)
		list->number[i] = list->number[i - 1];
	list->number[i] = number;
	list->n++;
	return 0;
}

/* What getdents64(2) fills; opendir(3) would allocate. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

int rotate_list(int dir, const char *name, struct rotate_list *ret)
{
	_cleanup_close_ int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union {
		char bytes[8192];
		struct entry first;
	} buf;
	long n;

	ret->n = 0;
	if (fd < 0)
		return -errno;
	while ((n = syscall(SYS_getdents64, fd, buf.bytes, sizeof(buf.bytes))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buf.bytes + at);
			uint64_t number = number_of(e->name, name);
			int r = number > 0 ? insert(ret, number) : 0;

			if (r < 0)
				return r;
			at += e->reclen;
		}
	}
	return n < 0 ? -errno : 0;
}

/* --- what a file begins and ends with ------------------------------------------------------ */

static int open_rotated(const struct chain *chain, uint64_t number)
{
	char name[NAME_MAX_SIZE];
	int fd;

	rotate_name(chain->name, number, name, sizeof(name));
	fd = openat(chain->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The sequence number and the time of a file's first record; 0 for what is not known. */
static void first_record(int fd, uint64_t *ret_seq, int64_t *ret_wall_ns)
{
	static const char key[] = "\",\"time\":\""; /* behind "type", as format.c has it */
	char buf[FIRST_BYTES + 1], time[STAMP_TEXT] = "";
	ssize_t n = fd_read_at(fd, buf, FIRST_BYTES, 0);
	struct hash prev;
	const char *p;

	*ret_seq = 0;
	*ret_wall_ns = 0;
	if (n <= 0 || chain_parse_prefix(buf, (size_t)n, ret_seq, &prev) < 0)
		return;
	buf[n] = '\0';
	p = strstr(buf, key);
	if (!p || strlen(p) < sizeof(key) + STAMP_TEXT)
		return;
	memcpy(time, p + sizeof(key) - 1, STAMP_TEXT - 1);
	if (stamp_parse(time, ret_wall_ns) < 0)
		*ret_wall_ns = 0;
}

uint64_t rotate_first(int fd)
{
	uint64_t seq;
	int64_t when;

	first_record(fd, &seq, &when);
	return seq;
}

/* The point behind the last line of a rotated file, in a log that goes on in another. */
static int last_record(int fd, char *buf, struct chain_point *ret)
{
	struct hash prev;
	struct stat st;
	const char *line;
	ssize_t n;
	off_t from;

	if (fstat(fd, &st) < 0)
		return -errno;
	from = st.st_size > LIMIT_LOG_LINE ? st.st_size - LIMIT_LOG_LINE : 0;
	n = fd_read_at(fd, buf, LIMIT_LOG_LINE, from);
	if (n < 2 || buf[n - 1] != '\n')
		return -EINVAL;
	n--;
	line = memrchr(buf, '\n', (size_t)n);
	line = line ? line + 1 : buf;
	ret->offset = 0;
	hash_bytes(line, (size_t)(buf + n - line), &ret->hash);
	return chain_parse_prefix(line, (size_t)(buf + n - line), &ret->seq, &prev);
}

void rotate_base(struct chain *chain, struct chain_point *ret)
{
	_cleanup_close_ int fd = -1;
	struct rotate_list list;
	struct chain_point at;

	*ret = (struct chain_point){ .seq = 0 };
	if (rotate_list(chain->dir, chain->name, &list) < 0 || list.n == 0)
		return;
	fd = open_rotated(chain, list.number[list.n - 1]);
	if (fd >= 0 && last_record(fd, chain->block, &at) == 0 && at.seq == list.number[list.n - 1])
		*ret = at;
}

/* --- a rotation ---------------------------------------------------------------------------- */

/* Not every file system knows the flag. */
int rotate_rename(int dir, const char *from, const char *to)
{
	struct stat st;

	if (syscall(SYS_renameat2, dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (fstatat(dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}

int rotate_finish(struct turn *turn)
{
	struct chain *chain = turn->chain;
	char name[NAME_MAX_SIZE];
	int r, fd;

	rotate_name(chain->name, turn->done.seq, name, sizeof(name));
	if (rotate_rename(chain->dir, chain->name, name) < 0)
		return 0;
	turn->done.offset = 0;
	turn->at = turn->done;
	/* Before anything is in the new file: a head that is about another file is understood only
	 * while this one is empty. */
	r = turn_head(turn);
	if (r < 0)
		return r;
	fd = place_open_file(chain->dir, chain->name, chain->path, true, NULL, NULL);
	if (fd < 0)
		return fd;
	fd_closep(&chain->log);
	chain->log = fd;
	return 0;
}

static bool too_old(struct chain *chain)
{
	struct stamp now;
	struct stat st;
	uint64_t seq;

	if (chain->rotation.age_ms == 0 || fstat(chain->log, &st) < 0)
		return false;
	if (chain->first.ino != st.st_ino || chain->first.dev != st.st_dev) {
		first_record(chain->log, &seq, &chain->first.wall_ns);
		chain->first.dev = st.st_dev;
		chain->first.ino = st.st_ino;
	}
	stamp_now(&now);
	return chain->first.wall_ns > 0 && now.wall_ns > chain->first.wall_ns &&
	       (uint64_t)(now.wall_ns - chain->first.wall_ns) / 1000000 > chain->rotation.age_ms;
}

bool rotate_due(struct turn *turn, const struct batch *batch)
{
	const struct audit_rotation *rotation = &turn->chain->rotation;
	uint64_t more = batch->len + batch->n * CHAIN_PREFIX_MAX;
	char name[NAME_MAX_SIZE];
	struct stat st;

	if (turn->done.offset == 0)
		return false;
	if (!(rotation->size > 0 && turn->at.offset + more > rotation->size) &&
	    !too_old(turn->chain))
		return false;
	/* Where nothing can be renamed the log grows on. */
	rotate_name(turn->chain->name, turn->at.seq + 1, name, sizeof(name));
	return faccessat(turn->chain->dir, ".", W_OK | X_OK, 0) == 0 &&
	       fstatat(turn->chain->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* The record that tells of files which go, in the file that follows them. */
static int tell_removal(struct turn *turn)
{
	struct chain *chain = turn->chain;
	_cleanup_close_ int fd = -1;
	struct rotate_list list;
	char body[512];
	uint64_t from = 0;
	int64_t when;
	size_t gone;
	int r;

	if (chain->rotation.keep == 0 || rotate_list(chain->dir, chain->name, &list) < 0 ||
	    list.n <= chain->rotation.keep)
		return 0;
	gone = list.n - chain->rotation.keep;
	fd = open_rotated(chain, list.number[0]);
	if (fd >= 0)
		first_record(fd, &from, &when);
	r = turn_put(turn, body,
		     format_retain(body, sizeof(body), turn->sandbox, gone, from,
				   list.number[gone - 1]));
	if (r == 0)
		turn->gone = list.number[gone - 1];
	return r;
}

int rotate_log(struct turn *turn)
{
	char body[512];
	size_t n = format_rotate(body, sizeof(body), turn->sandbox, turn->at.offset);
	int r = turn_put(turn, body, n);

	if (r == 0)
		r = turn_flush(turn);
	if (r == 0)
		r = rotate_finish(turn);
	if (r == 0 && turn->done.offset == 0)
		r = tell_removal(turn);
	return r;
}

void rotate_remove(struct turn *turn)
{
	struct chain *chain = turn->chain;
	char name[NAME_MAX_SIZE];
	struct rotate_list list;

	if (turn->gone == 0 || rotate_list(chain->dir, chain->name, &list) < 0)
		return;
	/* Of a sealed log nothing goes before the record that tells of it is on the disk. */
	if (chain->seal.id[0] != '\0' && fdatasync(chain->log) < 0)
		return;
	for (size_t i = 0; i < list.n && list.number[i] <= turn->gone; i++) {
		rotate_name(chain->name, list.number[i], name, sizeof(name));
		if (unlinkat(chain->dir, name, 0) < 0)
			return; /* oldest first, or not at all; the next rotation tries again */
	}
}
