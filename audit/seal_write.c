// SPDX-License-Identifier: Apache-2.0
/* What a writer does about seals while it holds the log's lock, and what the one who seals does
 * without it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/format.h"
#include "audit/hmac.h"
#include "audit/rotate.h"
#include "audit/seal.h"
#include "base/fd.h"

/* The state file that stands beside the log now: 1, 0 when there is none, or -errno. */
static int find(struct chain *chain)
{
	struct stat have, there;
	char name[256];
	int fd;

	(void)snprintf(name, sizeof(name), "%s.seal", chain->name);
	if (fstatat(chain->dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0) {
		fd_closep(&chain->seal.fd);
		return errno == ENOENT ? 0 : -errno;
	}
	if (!S_ISREG(there.st_mode) || there.st_uid != geteuid() || (there.st_mode & 077))
		return -EPERM;
	if (chain->seal.fd >= 0 && fstat(chain->seal.fd, &have) == 0 &&
	    have.st_dev == there.st_dev && have.st_ino == there.st_ino)
		return 1;
	fd = openat(chain->dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd_closep(&chain->seal.fd); /* and with it the lock on a file that is no state any more */
	chain->seal.held = false;
	chain->seal.fd = fd;
	return 1;
}

static int load(struct chain *chain, struct seal_state *ret)
{
	int r = find(chain);

	return r > 0 ? seal_read(chain->seal.fd, ret) : r;
}

int seal_open(struct chain *chain, struct err *err)
{
	struct seal_state state;
	int r = load(chain, &state);

	if (r > 0)
		memcpy(chain->seal.id, state.id, sizeof(chain->seal.id));
	explicit_bzero(&state, sizeof(state));
	if (r >= 0)
		return 0;
	err_set(err, r, "use the sealing state '%s.seal'", chain->path);
	return err_hint(err, r == -EPERM
				     ? "it must be a regular file of yours with mode 0600"
				     : "move it away and begin anew: cordon audit seal-setup; what "
				       "was sealed stays provable"),
	       r;
}

bool seal_closes(const struct batch *batch)
{
	static const char begin[] = "{\"type\":\"close\"";
	struct batch_entry entry;
	size_t pos = 0;

	while (batch_next(batch, &pos, &entry)) {
		if (entry.len >= sizeof(begin) && memcmp(entry.body, begin, sizeof(begin) - 1) == 0)
			return true;
	}
	return false;
}

static uint64_t now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

static bool is_due(const struct turn *turn, const struct batch *batch,
		   const struct seal_state *state)
{
	uint64_t now = now_s();

	if (turn->chain->seal.want > 0)
		return state->first <= turn->chain->seal.want;
	if (batch->n == 0)
		return false;
	return seal_closes(batch) || turn->at.seq - state->first >= SEAL_RECORDS ||
	       now < state->when_s || now - state->when_s >= SEAL_SECONDS;
}

/* The line, with a MAC over all of it that is before the MAC. */
static int put_seal(struct turn *turn, const struct seal_state *state)
{
	char body[1024], line[1024 + CHAIN_PREFIX_MAX], hex[HASH_HEX + 1];
	struct chain_point probe = turn->at;
	struct hash mac;
	size_t n, len;

	n = format_seal(body, sizeof(body), turn->sandbox, state, turn->at.seq);
	len = chain_line(&probe, body, n, line, sizeof(line));
	if (n == 0 || len == 0 || n + SEAL_MAC_TAIL > sizeof(body))
		return -EMSGSIZE;
	hmac_sha256(&state->key, sizeof(state->key), line, len - 2, &mac); /* without "}\n" */
	hash_hex(&mac, hex);
	len = (size_t)snprintf(body + n - 1, sizeof(body) - n + 1, ",\"mac\":\"%s\"}", hex);
	return turn_put(turn, body, n - 1 + len);
}

static int tell(struct turn *turn)
{
	struct seal *seal = &turn->chain->seal;
	char body[512];
	int r;

	if (seal->told)
		return 0;
	r = turn_put(turn, body,
		     format_unsealed(body, sizeof(body), turn->sandbox, seal->id, seal->why));
	seal->told = r == 0;
	return r;
}

int seal_put(struct turn *turn, const struct batch *batch, struct seal_state *ret)
{
	struct seal *seal = &turn->chain->seal;
	int r = load(turn->chain, ret);

	if (r == 0 && seal->id[0] == '\0')
		return 0;
	if (r <= 0) {
		seal->why = r < 0 ? r : -ENOENT;
		return tell(turn);
	}
	memcpy(seal->id, ret->id, sizeof(seal->id));
	/* A key that could not be replaced is told of too, but it still seals. */
	if (seal->why != 0) {
		r = tell(turn);
		if (r < 0)
			return r;
	}
	if (!is_due(turn, batch, ret))
		return 0;
	if (!seal->held && flock(seal->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EBUSY : -errno;
	seal->held = true;
	r = put_seal(turn, ret);
	return r < 0 ? r : 1;
}

/* --- without the log's lock ---------------------------------------------------------------- */

static int sync_file(struct chain *chain, const char *name, int flags)
{
	_cleanup_close_ int fd =
		openat(chain->dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return (flags & O_DIRECTORY ? fsync(fd) : fdatasync(fd)) < 0 ? -errno : 0;
}

/* An epoch may have begun in files that were rotated meanwhile: theirs and the directory's contents
 * come before the log's, whose seal speaks of them. */
int seal_sync(struct chain *chain, const struct seal_state *state)
{
	struct rotate_list list;
	bool rotated = false;
	char name[256];
	int r;

	r = rotate_list(chain->dir, chain->name, &list);
	r = r == -E2BIG ? 0 : r; /* more than are ever kept */
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (list.number[i] < state->first)
			continue;
		rotated = true;
		rotate_name(chain->name, list.number[i], name, sizeof(name));
		r = sync_file(chain, name, O_RDONLY);
		r = r == -ENOENT ? 0 : r; /* removed, as a record tells */
	}
	if (r == 0 && (rotated || state->first <= 1))
		r = sync_file(chain, ".", O_RDONLY | O_DIRECTORY);
	if (r == 0 && fdatasync(chain->log) < 0)
		r = -errno;
	return r;
}

int seal_advance(struct chain *chain, struct seal_state *state, uint64_t seq)
{
	char text[SEAL_STATE_TEXT];
	struct seal_state now;
	int r = load(chain, &now);

	/* Another file, or another key in it: the owner began anew while we waited. */
	if (r > 0 && (now.epoch != state->epoch || memcmp(now.id, state->id, sizeof(now.id)) != 0))
		r = 0;
	explicit_bzero(&now, sizeof(now));
	if (r <= 0)
		return r < 0 ? r : -ESTALE;
	state->epoch++;
	state->first = seq;
	state->when_s = now_s();
	seal_evolve(&state->key);
	seal_spell_state(state, text);
	/* In place, so that no block of the old key stays where the file system writes in place. */
	r = fd_write_at(chain->seal.fd, text, sizeof(text), 0);
	explicit_bzero(text, sizeof(text));
	return r;
}

void seal_finish(struct chain *chain, int r)
{
	struct seal *seal = &chain->seal;

	if (r == 0 && fsync(seal->fd) < 0)
		r = -errno;
	/* A log that could not be locked again is as one whose sealer died. */
	if (r != -ETIMEDOUT && r != -ESTALE) {
		seal->why = r;
		seal->told = seal->told && r != 0;
	}
	seal->want = 0;
	if (seal->held && seal->fd >= 0)
		(void)flock(seal->fd, LOCK_UN);
	seal->held = false;
}

int seal_wait(struct chain *chain, unsigned wait_ms)
{
	int r;

	if (chain->seal.fd < 0)
		return -ENOENT;
	r = chain_lock(chain->seal.fd, wait_ms);
	chain->seal.held = r == 0;
	return r;
}
