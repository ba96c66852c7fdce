// SPDX-License-Identifier: Apache-2.0
/*
 * Lines that name their predecessor. Each line of a log is
 *
 *   {"v":1,"seq":N,"prev":"HEX", ...}
 *
 * where N counts from 1 and HEX is the SHA-256 of the line before without its newline (64 zeros
 * for the first). Sandboxes share one log: beside it stands its head, a file that holds the last
 * sequence number, the log's length and the last line's hash, and whose flock(2) orders writers.
 * A writer that died between the log and the head leaves whole lines, which the next one adopts,
 * or a torn line, which the next one ends with a newline; both are said by a "repair" record.
 *
 * A log that is long or old enough is rotated: its file ends with a "rotate" record and is renamed
 * to NAME.SEQ, SEQ being that record's in 20 digits; the chain goes on in a new file. What the head
 * says is about the file NAME: an offset of 0 behind a sequence number above 0 is the moment in
 * which that file is empty or not there yet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit/batch.h"
#include "audit/record.h"
#include "audit/seal.h"
#include "base/err.h"
#include "base/hash.h"

enum {
	CHAIN_PREFIX_MAX = 128,	 /* bytes that chain_line puts before a body */
	CHAIN_BLOCK = 96 * 1024, /* lines of one write(2) */
	CHAIN_HEAD_TEXT = 121,	 /* the head file's length, its newline included */
};

struct chain_point {
	uint64_t seq;	 /* of the last line; 0: none yet */
	uint64_t offset; /* behind the last line, in its file */
	struct hash hash;
};

struct chain {
	int dir;
	int log;
	int head;
	const char *name;
	char path[LIMIT_PATH];
	char head_name[256];
	char *block;			/* CHAIN_BLOCK bytes of the owner's */
	struct audit_rotation rotation; /* all zeros: never */
	struct seal seal;
	uint64_t room; /* bytes that must be free for a write to begin; 0: as many as there are */
	struct {       /* when the first record of a log was written */
		dev_t dev;
		ino_t ino;
		int64_t wall_ns;
	} first;
};

/*
 * Append the line for a body (one JSON object) to out and move the point. Returns the line's
 * length, or 0 when cap is too small, and nothing has changed then.
 */
size_t chain_line(struct chain_point *at, const char *body, size_t len, char *out, size_t cap);

/* The fixed beginning of a line. 0 or -EINVAL. */
int chain_parse_prefix(const char *line, size_t len, uint64_t *ret_seq, struct hash *ret_prev);

/* The head's text: CHAIN_HEAD_TEXT bytes, no NUL. Back: 0 or -EINVAL. */
size_t chain_spell_head(const struct chain_point *at, char ret[CHAIN_HEAD_TEXT]);
int chain_parse_head(const char *text, size_t len, struct chain_point *ret);

/* Open a log and its head. block is CHAIN_BLOCK bytes that the chain uses until it is closed. */
int chain_open(struct chain *chain, const char *path, char *block, struct err *err);
void chain_close(struct chain *chain);

/*
 * Write the batch behind what the log holds. Waits for other writers at most wait_ms. *ret_taken
 * is the number of entries that are in the log, whatever is returned: 0, or -errno when it is
 * fewer than all. sandbox is named in a repair record.
 */
int chain_write(struct chain *chain, const struct batch *batch, const char *sandbox,
		unsigned wait_ms, size_t *ret_taken);

/* flock(2) with a limit of time: 0, -ETIMEDOUT or -errno. */
int chain_lock(int fd, unsigned wait_ms);

/* What a writer found that the head did not know. */
struct chain_repair {
	uint64_t adopted; /* whole lines that continue the chain */
	uint64_t foreign; /* lines that do not */
	uint64_t torn;	  /* bytes of a last line without its newline */
	uint64_t cut;	  /* records that the head knew and the log lacks */
	const char *head; /* "behind", "missing", "damaged" or "ahead" */
	bool rotated;	  /* the last line is a rotate record of the chain */
};

/* Whether the log has the point's line where it says. An offset of 0 is always there. */
bool chain_has(int log, char *block, const struct chain_point *at);

/* Bring *at from where the head was to the log's end, and close a torn line. A log that is not the
 * one that the head speaks of (cut) is walked from base, the point before its first line; that the
 * head's record is not in it is a cut, too. The log must be locked. 0 or -errno. */
int chain_recover(int log, uint64_t size, char *block, const struct chain_point *base, bool cut,
		  struct chain_point *at, struct chain_repair *repair);
