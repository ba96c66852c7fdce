// SPDX-License-Identifier: Apache-2.0
/* What is behind struct audit: for record.c, and for its tests, which turn the flood control's
 * knobs. One block; nothing is allocated after audit_new(). */
#pragma once

#include "audit/batch.h"
#include "audit/collected_client.h"
#include "audit/flood.h"
#include "audit/format.h"
#include "audit/sink.h"

enum {
	STATE_QUEUE = 64 * 1024,
	STATE_BATCH_MS = 10,   /* a record waits for others at most so long */
	STATE_OPERATIONS = 64, /* of the kernel's, that are told apart */
};

/* Denials by the kernel itself, as the collector hands them over. What every launch writes comes
 * first, on the page of what stands before it: without a collector none of the rest is touched. */
struct state_kernel {
	struct format_kernel_state state;
	uint64_t minute; /* bytes, for the flood below; 0: none was asked for */
	size_t n_operations;
	uint64_t summed_ms;
	uint64_t odd; /* packets that are no record of the kernel's */
	audit_errno_of *errno_of;
	const void *errno_ctx;
	bool synced;
	bool any;		    /* a denial came, and the flood below counts it */
	struct collected collected; /* its fd first, its text last */
	struct kernel_record record;
	/* What the kernel calls what was attempted; a flood key's rule is an index. */
	char operation[STATE_OPERATIONS][FORMAT_OPERATION];
	struct flood flood; /* its own: the one stream takes nothing from the other's share */
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
	struct state_kernel kernel;
	struct flood flood;
	char body[FORMAT_BODY];
	char queue[STATE_QUEUE];
	char block[CHAIN_BLOCK];
};

/* --- record.c, for the other files that write records --- */

/* Queue the body in audit->body: it accounts for so many denials. */
void state_queue(struct audit *audit, size_t len, uint64_t denials);

/* --- kernel_denial.c --- */

/* Tell what was counted: what was counted for a second, or all. */
void state_kernel_sum_up(struct audit *audit, uint64_t now_ms, bool all);
bool state_kernel_counts_wait(const struct audit *audit);
/* Ask for the rest, take it, sum up, and let the collector go. */
void state_kernel_end(struct audit *audit);
/* The most frequent kinds, for struct audit_totals. */
void state_kernel_top(const struct audit *audit, struct audit_totals *ret);
