// SPDX-License-Identifier: Apache-2.0
/*
 * Is a log whole? Each line names the hash of the one before, the head beside the log names the
 * last, and each sandbox closes with totals that its records must add up to. What this proves and
 * what it cannot prove is in doc/audit.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/chain.h"
#include "audit/seal.h"
#include "base/err.h"

enum verify_kind {
	VERIFY_WHOLE,
	VERIFY_DAMAGED,	  /* a line is no record: bytes were changed */
	VERIFY_ALTERED,	  /* a record is not the one that its successor, or the head, names */
	VERIFY_DROPPED,	  /* records are missing */
	VERIFY_SWAPPED,	  /* records are out of order, or there twice */
	VERIFY_TRUNCATED, /* the end is missing */
	VERIFY_TORN,   /* the last line has no newline: a writer died, and nobody repaired it yet */
	VERIFY_TOTALS, /* a sandbox counted other than its records add up to */
	VERIFY_HEAD,   /* the head is damaged or belongs to another log */
	VERIFY_SEAL,   /* a seal, or the sealing state, is not what the key makes */
	VERIFY_FILE,   /* a file does not hold what its name says, or one is missing */
};

struct verify_result {
	enum verify_kind kind;
	uint64_t file;		    /* the number in the name of its file; 0: the file NAME */
	uint64_t line, seq, offset; /* of the first break */
	char text[256];		    /* the break in words */

	uint64_t records, denials; /* denials accounted for, counts and told losses included */
	uint64_t lost;		   /* of them: told as lost */
	uint64_t sandboxes, unclosed, unopened;
	uint64_t files, removed;  /* removed: records up to there went, as the log itself tells */
	uint64_t repairs, behind; /* repair records; records that the head does not know yet */
	uint64_t seals;		  /* of any key; with a key: of that key, each of them checked */
	uint64_t other_seals;	  /* of keys before that */
	uint64_t epoch, sealed;	  /* of the last seal, and the last record that it covers */
	uint64_t unsealed;	  /* records that tell that sealing went on no more */
	bool head_missing;
	bool totals_partial; /* more sandboxes were open at once than are kept in memory */
};

/* The break in one or two words: "altered record". */
const char *verify_kind_text(enum verify_kind kind);

/*
 * Check the log in fd up to size bytes, against head unless it is NULL. 0 when it was read to its
 * end or to the first break: ret->kind says which. -errno when it could not be read.
 */
int verify_log(int fd, uint64_t size, const struct chain_point *head, struct verify_result *ret,
	       struct err *err);

/* The same for the log at path, its rotated files and its head, as they were at one moment. */
int verify_path(const char *path, struct verify_result *ret, struct err *err);

/* The same, and each seal and the sealing state against the verification key. */
int verify_sealed(const char *path, const struct seal_key *key, struct verify_result *ret,
		  struct err *err);
