// SPDX-License-Identifier: Apache-2.0
/*
 * Forward-secure seals. A key per epoch, K(0) random and K(i+1) = HMAC(K(i), "cordon-seal evolve
 * 1"): who has one can make the later ones and none of the earlier. Beside the log lies NAME.seal,
 * the key of the epoch that runs. A seal record ends an epoch by an HMAC over its own line up to
 * ',"mac":"', which holds the hash of all that is before it; then the key in the file is
 * overwritten by the next one. K(0) is printed once, for who verifies. What that proves:
 * doc/audit.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/batch.h"
#include "base/err.h"
#include "base/hash.h"

struct chain;
struct turn;

enum {
	SEAL_ID = 16,	       /* digits */
	SEAL_STATE_TEXT = 224, /* the state file's length, its newline included */
	SEAL_KEY_TEXT = 14 + SEAL_ID + 1 + HASH_HEX, /* "cordon-seal-1:ID:KEY" */
	SEAL_MAC_TAIL = 8 + HASH_HEX + 2,	     /* the end of a seal's line: ,"mac":"..."} */
	SEAL_RECORDS = 1000,			     /* an epoch is not longer, */
	SEAL_SECONDS = 60,     /* and does not go on with a record that comes later than that */
	SEAL_EPOCHS = 1 << 26, /* a verifier goes no further: half a minute */
	SEAL_LOCK_MS = 5000,   /* who has sealed waits so long for the log, to change the key */
};

struct seal_key {
	char id[SEAL_ID + 1];
	struct hash key; /* K(0) */
};

struct seal_state {
	char id[SEAL_ID + 1];
	uint64_t epoch;	 /* that runs */
	uint64_t first;	 /* its first record: the seal before, or 1 */
	uint64_t when_s; /* its begin, wall clock */
	struct hash key; /* of the epoch */
};

/* Texts. Back: 0 or -EINVAL. ret is SEAL_STATE_TEXT bytes, and SEAL_KEY_TEXT and a NUL. */
void seal_spell_state(const struct seal_state *state, char *ret);
int seal_parse_state(const char *text, size_t len, struct seal_state *ret);
void seal_spell_key(const struct seal_key *key, char *ret);
int seal_parse_key(const char *text, struct seal_key *ret);

void seal_evolve(struct hash *key);

/* Whether a seal's line has the MAC of that key. */
bool seal_check(const struct hash *key, const char *line, size_t len);

/* The state in an open file: 1, -EINVAL when it is damaged, or -errno. */
int seal_read(int fd, struct seal_state *ret);

/*
 * Begin to seal the log at path: make the state, and the first seal of what there is. *ret_key is
 * for the verifier and is nowhere else. -EEXIST when the log is sealed already.
 */
int seal_setup(const char *path, struct seal_key *ret_key, struct err *err);

/* --- writers, in a locked turn ------------------------------------------------------------- */

/* What a chain knows of its seal. */
struct seal {
	int fd;		      /* of the state, -1: none */
	char id[SEAL_ID + 1]; /* "": the log is not sealed */
	int why;	      /* why sealing failed, 0: it did not */
	bool told;	      /* a record says so */
	uint64_t want;	      /* a record that is to be sealed, whatever is due; 0: none */
	bool held;	      /* this process is the one that seals: the state file's flock(2) */
};

/* At opening: a state that is there and cannot be used is an error. */
int seal_open(struct chain *chain, struct err *err);

/*
 * Behind the batch's lines: a seal if one is due (1, *ret is the epoch that it ends, and the
 * state's lock is held), none (0), or none because somebody else is sealing (-EBUSY). That sealing
 * is not possible becomes a record, once.
 */
int seal_put(struct turn *turn, const struct batch *batch, struct seal_state *ret);

/* Whether a sandbox ends in the batch: its closing record is to be sealed. */
bool seal_closes(const struct batch *batch);

/* --- the one who seals, when others may write again ---------------------------------------- */

/*
 * Only one process at a time is between a seal and the next key: it holds flock(2) on the state.
 * What takes long, the disk, is waited for under this lock alone. In this order: */

/* The seal, and all that it covers, is on the disk. 0 or -errno. */
int seal_sync(struct chain *chain, const struct seal_state *state);

/* With the log locked: the next key takes the place of this one; seq is the seal's. 0, or -errno,
 * and the epoch will be sealed once more. */
int seal_advance(struct chain *chain, struct seal_state *state, uint64_t seq);

/* The key is on the disk (or r says why it is not in the file): the next one may seal. */
void seal_finish(struct chain *chain, int r);

/* Wait until no other seals, then be the one. 0, -ETIMEDOUT or -errno. */
int seal_wait(struct chain *chain, unsigned wait_ms);
