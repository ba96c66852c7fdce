// SPDX-License-Identifier: Apache-2.0
/*
 * Flood control that counts and never drops. Denials that look the same (rule, call, ABI,
 * answer) share a bucket: the first ones get a record each, the rest is counted and told by
 * a summary. Fixed size; what does not fit into the table is counted under one key of its own.
 *
 * What a flood may add to a log in a minute is bounded in bytes, whatever the payload does: a
 * purse that refills slowly. Out of its last part only a kind's first record is paid, so that
 * who floods with one kind does not hide the others; summaries wait until there is enough in it.
 * At the end all counts are told at once, and for that some of the minute's bytes are kept back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FLOOD_SLOTS = 1024,	 /* a power of two */
	FLOOD_KEYS = 640,	 /* slots in use at most, so that probing stays short */
	FLOOD_BURST = 20,	 /* full records of one key */
	FLOOD_REFILL_MS = 1000,	 /* one more after so long */
	FLOOD_SUMMARY_MS = 1000, /* a key is summed up at most so often */
	FLOOD_NR_UNKNOWN = -1,	 /* numbers that no table line has share a key */
	/* Bytes of one summary: 500 were seen, and a policy's path is in it. */
	FLOOD_SUMMARY_BYTES = 640,
	FLOOD_KEPT_BACK = (FLOOD_KEYS + 1) * FLOOD_SUMMARY_BYTES,
	FLOOD_MINUTE = 1 << 20,	       /* bytes a minute, unless told otherwise: AUDIT_FLOOD_MIN */
	FLOOD_FIRST_BYTES = 64 * 1024, /* of the purse, for first records alone */
};

struct flood_key {
	uint32_t rule;
	int32_t nr;
	uint16_t errno_value;
	uint8_t abi;
	uint8_t reason;
	bool kill;
};

struct flood_slot {
	struct flood_key key;
	bool used;
	uint32_t tokens;
	uint32_t line;
	const char *file;
	uint64_t refilled_ms;
	uint64_t total; /* all of them */
	uint64_t count; /* not yet told */
	uint64_t first_ms, last_ms;
};

struct flood {
	struct flood_slot slot[FLOOD_SLOTS];
	struct flood_slot other; /* keys beyond the table */
	size_t n_used;
	uint16_t pending[FLOOD_SLOTS]; /* slots with a count, in a ring: each has its turn */
	size_t first_pending, n_pending;
	bool other_pending;
	int64_t purse, purse_max; /* bytes; what was written is known afterwards: it can be in debt
				   */
	uint64_t per_second;
	uint64_t filled_ms;
	uint32_t burst; /* the constant above; a test changes it */
};

/* flood is zeroed memory, and pages of it that no key falls into are never touched. minute is the
 * bytes that a minute may bring, at least FLOOD_MINUTE. */
void flood_init(struct flood *flood, uint64_t minute, uint64_t now_ms);

/*
 * One denial: true when it is worth a record of its own, false when it was counted. file and
 * line are of the key's rule and are kept.
 */
bool flood_take(struct flood *flood, const struct flood_key *key, const char *file, uint32_t line,
		uint64_t now_ms);

/* So many bytes were written about denials. */
void flood_pay(struct flood *flood, size_t bytes);

/* Whether a summary can be afforded now. */
bool flood_affords(struct flood *flood, uint64_t now_ms);

/* The slot whose count has waited longest, or NULL. It is &flood->other for the keys beyond the
 * table. */
struct flood_slot *flood_pending(struct flood *flood);

/* The count of flood_pending()'s slot was told. */
void flood_told(struct flood *flood);

/* The keys with the most denials, the most first: at most n. How many. */
size_t flood_top(const struct flood *flood, const struct flood_slot **ret, size_t n);
