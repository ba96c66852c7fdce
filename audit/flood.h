// SPDX-License-Identifier: Apache-2.0
/*
 * Flood control that counts and never drops. Denials that look the same (rule, call, ABI,
 * answer) share a bucket: the first ones get a record each, the rest is counted and told by
 * a summary. Fixed size; what does not fit into the table is counted under one key of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FLOOD_SLOTS = 1024,	  /* a power of two */
	FLOOD_KEYS = 768,	  /* slots in use at most, so that probing stays short */
	FLOOD_BURST = 20,	  /* full records of one key */
	FLOOD_REFILL_MS = 1000,	  /* one more after so long */
	FLOOD_ALL_BURST = 4096,	  /* full records of all keys together */
	FLOOD_ALL_REFILL_MS = 10, /* one more after so long */
	FLOOD_SUMMARY_MS = 1000,  /* a key is summed up at most so often */
	FLOOD_NR_UNKNOWN = -1,	  /* numbers that no table line has share a key */
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
	uint16_t pending[FLOOD_SLOTS]; /* slots with a count */
	size_t n_pending;
	uint32_t all_tokens;
	uint64_t all_refilled_ms;
	bool other_pending;
	uint32_t burst, all_burst; /* the constants above; a bench changes them */
};

/* flood is zeroed memory, and pages of it that no key falls into are never touched. */
void flood_init(struct flood *flood, uint64_t now_ms);

/*
 * One denial: true when it is worth a record of its own, false when it was counted. file and
 * line are of the key's rule and are kept.
 */
bool flood_take(struct flood *flood, const struct flood_key *key, const char *file, uint32_t line,
		uint64_t now_ms);

/* The first slot with a count, or NULL. It is &flood->other for the keys beyond the table. */
struct flood_slot *flood_pending(struct flood *flood);

/* The count of flood_pending()'s slot was told. */
void flood_told(struct flood *flood);

/* The keys with the most denials, the most first: at most n. How many. */
size_t flood_top(const struct flood *flood, const struct flood_slot **ret, size_t n);
