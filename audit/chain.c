// SPDX-License-Identifier: Apache-2.0
#include "audit/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/format.h"
#include "audit/place.h"
#include "audit/rotate.h"
#include "base/clock.h"
#include "base/fd.h"

enum { LOCK_NAP_NS = 100000, LOCK_NAP_MOST_NS = 3000000 };

/* --- the head ------------------------------------------------------------------------------ */

/* 0, -ENOENT when it is empty, -EINVAL when it is damaged, or another -errno. */
static int read_head(int fd, struct chain_point *ret)
{
	char text[CHAIN_HEAD_TEXT + 1];
	ssize_t n = fd_read_at(fd, text, sizeof(text), 0);

	if (n < 0)
		return (int)n;
	return n == 0 ? -ENOENT : chain_parse_head(text, (size_t)n, ret);
}

static int write_head(int fd, const struct chain_point *at)
{
	char text[CHAIN_HEAD_TEXT];

	/* A part of it over the one before would be the head of no log. */
	return fd_write_at(fd, text, chain_spell_head(at, text), 0);
}

/* flock(2) has no time limit and an alarm is the caller's: short sleeps. On a busy machine they are
 * not that short, so that the clock says when it is over. Each is longer than the one before: who
 * slept little preempts who runs, and twenty that look all the time keep the lock's owner from the
 * processor. */
int chain_lock(int fd, unsigned wait_ms)
{
	struct timespec nap = { .tv_nsec = LOCK_NAP_NS };
	uint64_t end = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (end == 0)
			end = clock_ms() + wait_ms;
		if (clock_ms() >= end)
			return -ETIMEDOUT;
		(void)nanosleep(&nap, NULL);
		if (nap.tv_nsec < LOCK_NAP_MOST_NS)
			nap.tv_nsec *= 2;
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
		r = chain_lock(chain->head, wait_ms);
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
	char head_path[LIMIT_PATH + PLACE_SUFFIX];
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
	chain->seal.fd = -1;
	r = seal_open(chain, err);
	if (r < 0)
		chain_close(chain);
	return r;
}

void chain_close(struct chain *chain)
{
	fd_closep(&chain->dir);
	fd_closep(&chain->log);
	fd_closep(&chain->head);
	fd_closep(&chain->seal.fd);
}

/* --- writing ------------------------------------------------------------------------------- */

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

/* A file system that takes a part of the block (it is full, or a limit is reached) is left with
 * the whole lines that it took; why is said when it is asked for the rest. */
int turn_flush(struct turn *turn)
{
	size_t done = 0;
	int r = 0;

	while (done < turn->len && r == 0) {
		ssize_t n = write(turn->chain->log, turn->chain->block + done, turn->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r = n == 0 ? -EIO : -errno;
	}
	if (r == 0) {
		turn->lines += turn->at.seq - turn->done.seq;
		turn->done = turn->at;
		turn->len = 0;
		return 0;
	}
	if (done > 0) {
		settle(turn, done);
		/* When this fails a torn line stays, and the next writer repairs it. */
		(void)!ftruncate(turn->chain->log, (off_t)turn->done.offset);
	}
	return r;
}

int turn_put(struct turn *turn, const char *body, size_t len)
{
	char *block = turn->chain->block;
	size_t n = chain_line(&turn->at, body, len, block + turn->len, CHAIN_BLOCK - turn->len);
	int r;

	if (n == 0) {
		r = turn_flush(turn);
		if (r < 0)
			return r;
		n = chain_line(&turn->at, body, len, block, CHAIN_BLOCK);
		if (n == 0)
			return -EMSGSIZE;
	}
	turn->len += n;
	return 0;
}

int turn_head(struct turn *turn)
{
	return write_head(turn->chain->head, &turn->done);
}

/* The head knows records that are not here: the log is shorter, or a power failure undid the rename
 * of a rotation that the head knows, and NAME is still the file that had been closed. */
static bool is_cut(const struct turn *turn, const struct chain_point *base, uint64_t size)
{
	if (turn->done.offset > size ||
	    !chain_has(turn->chain->log, turn->chain->block, &turn->done))
		return true;
	return turn->done.offset == 0 && turn->done.seq > base->seq &&
	       rotate_first(turn->chain->log) != turn->done.seq + 1;
}

/*
 * The head is not where the log ends. What the log has beyond the head is adopted, a rotation that
 * a dead writer began is brought to its end, and what the log lacks is said.
 */
static int repair(struct turn *turn, uint64_t size, const char *head, bool known)
{
	struct chain_repair repair = { .head = head };
	struct chain *chain = turn->chain;
	struct chain_point base;
	char body[1024];
	size_t n;
	int r;

	rotate_base(chain, &base);
	if (!known)
		turn->done = base;
	if (known && size == 0 && base.seq > turn->done.seq) {
		/* A writer died between the rename and the head: that is about the file before. */
		repair.adopted = base.seq - turn->done.seq;
		turn->done = base;
		r = turn_head(turn);
	} else {
		bool cut = known && is_cut(turn, &base, size);

		if (cut)
			repair.head = "ahead";
		r = chain_recover(chain->log, size, chain->block, &base, cut, &turn->done, &repair);
	}
	turn->at = turn->done;
	if (r == 0 && repair.rotated)
		r = rotate_finish(turn);
	if (r < 0)
		return r;
	n = format_repair(body, sizeof(body), turn->sandbox, &repair);
	return turn_put(turn, body, n);
}

/* Find out where the log ends; a repair record becomes the block's first line if one is due. */
static int begin(struct turn *turn)
{
	struct chain *chain = turn->chain;
	struct chain_point base;
	struct stat st;
	uint64_t size;
	int r;

	if (fstat(chain->log, &st) < 0)
		return -errno;
	size = (uint64_t)st.st_size;
	r = read_head(chain->head, &turn->done);
	if (r < 0 && r != -ENOENT && r != -EINVAL)
		return r;
	if (r == 0 && turn->done.offset == size) {
		turn->at = turn->done;
		return 0;
	}
	if (r == -ENOENT && size == 0) {
		rotate_base(chain, &base);
		if (base.seq == 0)
			return 0; /* a log that begins */
	}
	return repair(turn, size, r == 0 ? "behind" : r == -ENOENT ? "missing" : "damaged", r == 0);
}

/*
 * Whether so many bytes more will be taken: for who would rather write nothing than a part. A full
 * disk has room in the last block of a file, and a limit some bytes below it. fallocate(2) looks at
 * quotas, too, and what it sets aside is used by what comes; it does not look at the limit.
 */
static int have_room(struct turn *turn)
{
	const uint64_t bytes = turn->chain->room, end = turn->at.offset;
	struct rlimit limit;

	if (bytes == 0)
		return 0;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    (end > limit.rlim_cur || bytes > limit.rlim_cur - end))
		return -EFBIG;
	if (fallocate(turn->chain->log, FALLOC_FL_KEEP_SIZE, (off_t)end, (off_t)bytes) == 0 ||
	    errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR)
		return 0;
	return -errno;
}

/* What a turn left to be done when the log is not locked any more. */
struct rest {
	struct seal_state state; /* the epoch whose seal was written */
	uint64_t seal;		 /* its record, 0: none */
	uint64_t closing;	 /* a record that should have been sealed while another sealed */
};

static int seal_lines(struct turn *turn, const struct batch *batch, struct rest *rest)
{
	uint64_t last = turn->at.seq;
	int r = seal_put(turn, batch, &rest->state);

	if (r > 0)
		rest->seal = turn->at.seq;
	else if (r == -EBUSY && seal_closes(batch))
		rest->closing = last;
	return r == -EBUSY || r > 0 ? 0 : r;
}

static int write_turn(struct chain *chain, const struct batch *batch, const char *sandbox,
		      unsigned wait_ms, size_t *ret_taken, struct rest *rest)
{
	struct turn turn = { .chain = chain, .sandbox = sandbox };
	struct batch_entry entry;
	uint64_t own = 0; /* lines before the batch's */
	size_t pos = 0;
	int r, h;

	*ret_taken = 0;
	*rest = (struct rest){ .seal = 0 };
	r = enter(chain, wait_ms);
	if (r < 0)
		return r;
	r = begin(&turn);
	if (r == 0 && rotate_due(&turn, batch))
		r = rotate_log(&turn);
	if (r == 0)
		r = have_room(&turn);
	own = turn.lines + (turn.at.seq - turn.done.seq);
	while (r == 0 && batch_next(batch, &pos, &entry))
		r = turn_put(&turn, entry.body, entry.len);
	if (r == 0)
		r = seal_lines(&turn, batch, rest);
	/* After a failed line the block still holds whole lines that are ready. */
	if (r == 0 || r == -EMSGSIZE) {
		int b = turn_flush(&turn);

		r = b < 0 ? b : r;
	}
	if (turn.lines > 0) {
		h = turn_head(&turn);
		(void)h; /* a head that is behind is adopted by the next writer */
	}
	if (r == 0)
		rotate_remove(&turn);
	(void)flock(chain->head, LOCK_UN);
	*ret_taken = turn.lines > own ? (size_t)(turn.lines - own) : 0;
	if (*ret_taken > batch->n) /* the seal is not of the batch either */
		*ret_taken = batch->n;
	if (r < 0)
		rest->seal = rest->closing = 0;
	return r;
}

/* The disk is waited for while others write; only the key changes under the log's lock. */
static void end_epoch(struct chain *chain, struct rest *rest)
{
	int r = seal_sync(chain, &rest->state);

	if (r == 0)
		r = enter(chain, SEAL_LOCK_MS);
	if (r == 0) {
		r = seal_advance(chain, &rest->state, rest->seal);
		(void)flock(chain->head, LOCK_UN);
	}
	seal_finish(chain, r);
}

/* A closing record that came while another process sealed: its seal is waited for, and if it does
 * not cover the record there is one more. What is not had in time the next seal covers. */
static void seal_behind(struct chain *chain, const char *sandbox, unsigned wait_ms,
			struct rest *rest)
{
	const struct batch none = { .n = 0 };
	uint64_t closing = rest->closing;
	size_t taken;

	if (seal_wait(chain, wait_ms) < 0)
		return;
	chain->seal.want = closing;
	if (write_turn(chain, &none, sandbox, wait_ms, &taken, rest) == 0 && rest->seal > 0)
		end_epoch(chain, rest);
	else
		seal_finish(chain, -ETIMEDOUT);
}

int chain_write(struct chain *chain, const struct batch *batch, const char *sandbox,
		unsigned wait_ms, size_t *ret_taken)
{
	struct rest rest;
	int r = write_turn(chain, batch, sandbox, wait_ms, ret_taken, &rest);

	if (rest.seal > 0)
		end_epoch(chain, &rest);
	else if (chain->seal.held) /* a seal that was not written */
		seal_finish(chain, -ETIMEDOUT);
	else if (rest.closing > 0)
		seal_behind(chain, sandbox, wait_ms, &rest);
	explicit_bzero(&rest.state, sizeof(rest.state));
	return r;
}
