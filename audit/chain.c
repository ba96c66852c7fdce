// SPDX-License-Identifier: Apache-2.0
#include "audit/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/format.h"
#include "audit/place.h"
#include "base/fd.h"

static const char head_magic[] = "cordon-head 1 ";

/* --- text of a point ----------------------------------------------------------------------- */

static size_t put_text(char *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out, text, n);
	return n;
}

static size_t put_number(char *out, uint64_t value, unsigned width)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (sizeof(digits) - n < width)
		digits[--n] = '0';
	memcpy(out, digits + n, sizeof(digits) - n);
	return sizeof(digits) - n;
}

static size_t put_hash(char *out, const struct hash *hash)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	memcpy(out, hex, HASH_HEX);
	return HASH_HEX;
}

size_t chain_line(struct chain_point *at, const char *body, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	if (len < 2 || body[0] != '{' || cap < CHAIN_PREFIX_MAX || len > cap - CHAIN_PREFIX_MAX)
		return 0;
	n += put_text(out + n, "{\"v\":1,\"seq\":");
	n += put_number(out + n, at->seq + 1, 1);
	n += put_text(out + n, ",\"prev\":\"");
	n += put_hash(out + n, &at->hash);
	n += put_text(out + n, body[1] == '}' ? "\"" : "\",");
	memcpy(out + n, body + 1, len - 1);
	n += len - 1;
	hash_bytes(out, n, &at->hash);
	out[n++] = '\n';
	at->seq++;
	at->offset += n;
	return n;
}

static bool take_text(const char **p, const char *end, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool take_number(const char **p, const char *end, uint64_t *ret)
{
	const char *first = *p;
	uint64_t value = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (unsigned)(**p - '0'), &value))
			return false;
	}
	*ret = value;
	return *p > first;
}

static bool take_hash(const char **p, const char *end, struct hash *ret)
{
	char hex[HASH_HEX + 1];

	if (end - *p < HASH_HEX)
		return false;
	memcpy(hex, *p, HASH_HEX);
	hex[HASH_HEX] = '\0';
	*p += HASH_HEX;
	return hash_from_hex(hex, ret) == 0;
}

int chain_parse_prefix(const char *line, size_t len, uint64_t *ret_seq, struct hash *ret_prev)
{
	const char *p = line, *end = line + len;
	uint64_t seq;
	struct hash prev;

	if (!take_text(&p, end, "{\"v\":1,\"seq\":") || !take_number(&p, end, &seq) ||
	    !take_text(&p, end, ",\"prev\":\"") || !take_hash(&p, end, &prev) ||
	    !take_text(&p, end, "\""))
		return -EINVAL;
	*ret_seq = seq;
	*ret_prev = prev;
	return 0;
}

int chain_parse_head(const char *text, size_t len, struct chain_point *ret)
{
	const char *p = text, *end = text + len;
	struct chain_point at;

	if (len != CHAIN_HEAD_TEXT || !take_text(&p, end, head_magic) ||
	    !take_number(&p, end, &at.seq) || !take_text(&p, end, " ") ||
	    !take_number(&p, end, &at.offset) || !take_text(&p, end, " ") ||
	    !take_hash(&p, end, &at.hash) || !take_text(&p, end, "\n") || p != end)
		return -EINVAL;
	*ret = at;
	return 0;
}

/* --- the head ------------------------------------------------------------------------------ */

/* 0, -ENOENT when it is empty, -EINVAL when it is damaged, or another -errno. */
static int read_head(int fd, struct chain_point *ret)
{
	char text[CHAIN_HEAD_TEXT + 1];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n < 0)
		return -errno;
	return n == 0 ? -ENOENT : chain_parse_head(text, (size_t)n, ret);
}

static int write_head(int fd, const struct chain_point *at)
{
	char text[CHAIN_HEAD_TEXT + 1];
	size_t n = 0;
	ssize_t w;

	n += put_text(text + n, head_magic);
	n += put_number(text + n, at->seq, 20);
	text[n++] = ' ';
	n += put_number(text + n, at->offset, 20);
	text[n++] = ' ';
	n += put_hash(text + n, &at->hash);
	text[n++] = '\n';
	w = pwrite(fd, text, n, 0);
	if (w < 0)
		return -errno;
	return (size_t)w == n ? 0 : -EIO;
}

/* flock(2) has no time limit and an alarm is the caller's: short sleeps. */
static int lock(int fd, unsigned wait_ms)
{
	struct timespec nap = { .tv_nsec = 100000 };
	unsigned naps = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (naps++ / 10 >= wait_ms)
			return -ETIMEDOUT;
		(void)nanosleep(&nap, NULL);
	}
	return 0;
}

static bool is_at(int fd, int dir, const char *name)
{
	struct stat have, there;

	return fstat(fd, &have) == 0 && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       have.st_dev == there.st_dev && have.st_ino == there.st_ino;
}

static int reopen(struct chain *chain, int *fd, const char *name, bool append)
{
	int r = place_open_file(chain->dir, name, chain->path, append, NULL, NULL);

	if (r < 0)
		return r;
	fd_closep(fd);
	*fd = r;
	return 0;
}

/* Lock the head that stands beside the log now, and have the log that stands there now: both may
 * have been moved away by their owner since we opened them. */
static int enter(struct chain *chain, unsigned wait_ms)
{
	int r;

	for (int attempt = 0; attempt < 8; attempt++) {
		r = lock(chain->head, wait_ms);
		if (r < 0)
			return r;
		if (is_at(chain->head, chain->dir, chain->head_name)) {
			if (!is_at(chain->log, chain->dir, chain->name))
				r = reopen(chain, &chain->log, chain->name, true);
			if (r < 0)
				(void)flock(chain->head, LOCK_UN);
			return r;
		}
		(void)flock(chain->head, LOCK_UN);
		r = reopen(chain, &chain->head, chain->head_name, false);
		if (r < 0)
			return r;
	}
	return -EBUSY;
}

int chain_open(struct chain *chain, const char *path, char *block, struct err *err)
{
	_cleanup_close_ int dir = -1, log = -1, head = -1;
	char head_path[LIMIT_PATH + PLACE_HEAD_SUFFIX];
	const char *name;
	int r;

	r = place_open_dir(path, &dir, &name, err);
	if (r < 0)
		return r;
	*chain = (struct chain){ .dir = -1, .log = -1, .head = -1, .block = block };
	memcpy(chain->path, path, strlen(path) + 1);
	chain->name = chain->path + (name - path);
	(void)snprintf(chain->head_name, sizeof(chain->head_name), "%s.head", name);
	(void)snprintf(head_path, sizeof(head_path), "%s.head", path);
	log = place_open_file(dir, chain->name, path, true, NULL, err);
	if (log < 0)
		return log;
	head = place_open_file(dir, chain->head_name, head_path, false, NULL, err);
	if (head < 0)
		return head;
	chain->dir = TAKE_FD(dir);
	chain->log = TAKE_FD(log);
	chain->head = TAKE_FD(head);
	return 0;
}

void chain_close(struct chain *chain)
{
	fd_closep(&chain->dir);
	fd_closep(&chain->log);
	fd_closep(&chain->head);
}

/* --- writing ------------------------------------------------------------------------------- */

/* One locked write: lines gathered in the block, and the point before its first line. */
struct turn {
	struct chain *chain;
	struct chain_point done; /* what the log holds */
	struct chain_point at;	 /* with the block's lines */
	size_t len;		 /* of the block */
	uint64_t lines;		 /* written in this turn */
};

/* The point behind the whole lines among the first len bytes of the block. */
static void settle(struct turn *turn, size_t len)
{
	const char *p = turn->chain->block, *end = p + len, *nl;

	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
		hash_bytes(p, (size_t)(nl - p), &turn->done.hash);
		turn->done.seq++;
		turn->done.offset += (uint64_t)(nl - p) + 1;
		turn->lines++;
		p = nl + 1;
	}
}

/* Put the block into the log, whole lines only. A file system that takes a part of it (it is
 * full, or a limit is reached) is left with the lines that it took. */
static int put_block(struct turn *turn)
{
	ssize_t n;

	if (turn->len == 0)
		return 0;
	do
		n = write(turn->chain->log, turn->chain->block, turn->len);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n == turn->len) {
		turn->lines += turn->at.seq - turn->done.seq;
		turn->done = turn->at;
		turn->len = 0;
		return 0;
	}
	if (n < 0)
		return -errno;
	settle(turn, (size_t)n);
	/* When this fails a torn line stays, and the next writer repairs it. */
	(void)!ftruncate(turn->chain->log, (off_t)turn->done.offset);
	return -ENOSPC;
}

static int put_body(struct turn *turn, const char *body, size_t len)
{
	char *block = turn->chain->block;
	size_t n = chain_line(&turn->at, body, len, block + turn->len, CHAIN_BLOCK - turn->len);
	int r;

	if (n == 0) {
		r = put_block(turn);
		if (r < 0)
			return r;
		n = chain_line(&turn->at, body, len, block, CHAIN_BLOCK);
		if (n == 0)
			return -EMSGSIZE;
	}
	turn->len += n;
	return 0;
}

/* Find out where the log ends; a repair record becomes the block's first line if one is due. */
static int begin(struct turn *turn, const char *sandbox)
{
	struct chain_repair repair = { .head = "behind" };
	struct chain *chain = turn->chain;
	char body[1024];
	struct stat st;
	size_t n;
	int r;

	if (fstat(chain->log, &st) < 0)
		return -errno;
	r = read_head(chain->head, &turn->done);
	if (r == -ENOENT || r == -EINVAL) {
		turn->done = (struct chain_point){ .seq = 0 };
		repair.head = r == -ENOENT ? "missing" : "damaged";
		if (r == -ENOENT && st.st_size == 0)
			r = 0;
	} else if (r < 0)
		return r;
	if (r == 0 && turn->done.offset == (uint64_t)st.st_size) {
		turn->at = turn->done;
		return 0;
	}
	if (turn->done.offset > (uint64_t)st.st_size)
		repair.head = "ahead";
	r = chain_recover(chain->log, (uint64_t)st.st_size, chain->block, &turn->done, &repair);
	if (r < 0)
		return r;
	turn->at = turn->done;
	n = format_repair(body, sizeof(body), sandbox, &repair);
	return put_body(turn, body, n);
}

int chain_write(struct chain *chain, const struct batch *batch, const char *sandbox,
		unsigned wait_ms, size_t *ret_taken)
{
	struct turn turn = { .chain = chain };
	struct batch_entry entry;
	uint64_t own = 0; /* lines that are not of the batch */
	size_t pos = 0;
	int r, h;

	*ret_taken = 0;
	r = enter(chain, wait_ms);
	if (r < 0)
		return r;
	r = begin(&turn, sandbox);
	own = turn.at.seq - turn.done.seq;
	while (r == 0 && batch_next(batch, &pos, &entry))
		r = put_body(&turn, entry.body, entry.len);
	/* After a failed line the block still holds whole lines that are ready. */
	if (r == 0 || r == -EMSGSIZE) {
		int b = put_block(&turn);

		r = b < 0 ? b : r;
	}
	if (turn.lines > 0) {
		h = write_head(chain->head, &turn.done);
		(void)h; /* a head that is behind is adopted by the next writer */
	}
	(void)flock(chain->head, LOCK_UN);
	*ret_taken = turn.lines > own ? (size_t)(turn.lines - own) : 0;
	return r;
}
