// SPDX-License-Identifier: Apache-2.0
/* The seals of a log against the key that was printed when sealing began. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "audit/lines.h"
#include "audit/rotate.h"
#include "audit/scan.h"
#include "audit/seal.h"

struct verify_seal {
	const struct seal_key *key;
	bool any;
	uint64_t epoch, seq; /* of the last seal */
	uint64_t first;	     /* that it names */
	struct hash at;	     /* the key of that epoch */
};

/* A seal record of that key, linked into the chain. partial: the log's beginning is not there. NULL
 * or what is wrong with it. */
const char *verify_seal_record(struct verify_seal *seal, const struct line *line,
			       const struct scan *root, uint64_t seq, bool partial);

/* The sealing state behind the last seal. NULL or what is wrong. */
const char *verify_seal_state(const struct verify_seal *seal, const struct log_set *set);
