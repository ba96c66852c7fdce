// SPDX-License-Identifier: Apache-2.0
/* What is behind struct audit: for record.c, and for its tests, which turn the flood control's
 * knobs. One block; nothing is allocated after audit_new(). */
#pragma once

#include "audit/batch.h"
#include "audit/flood.h"
#include "audit/format.h"
#include "audit/sink.h"

enum {
	STATE_QUEUE = 64 * 1024,
	STATE_BATCH_MS = 10, /* a record waits for others at most so long */
};

struct audit {
	struct format_id id;
	bool begun;
	uint64_t denials, records, summaries, counted;
	uint64_t queued_ms; /* when the first record of the batch was queued */
	uint64_t summed_ms; /* when summaries were made */
	struct batch batch;
	size_t n_sinks;
	struct sink sink[LIMIT_SINKS];
	struct flood flood;
	char body[FORMAT_BODY];
	char queue[STATE_QUEUE];
	char block[CHAIN_BLOCK];
};
