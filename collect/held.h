// SPDX-License-Identifier: Apache-2.0
/* Records that wait a moment for the one that says whose they are: a Landlock denial for its
 * domain's, a denial of a process that is gone for its event's SYSCALL record. A fixed number. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/kernel_record.h"

enum { HELD_MAX = 64, HELD_MS = 100 };

enum held_why { HELD_NOT, HELD_FOR_DOMAIN, HELD_FOR_PARENT };

struct held {
	struct held_record {
		enum held_why why;
		uint64_t key; /* the domain's id, or the event's serial */
		uint64_t since_ms, order;
		unsigned type;
		size_t len;
		char text[KERNEL_RECORD_MAX];
	} record[HELD_MAX];
	size_t n;
	uint64_t orders;
};

/* Hold a record. When there is no room the oldest one is given back first: it is in its place still
 * when this returns it, and the caller deals with it and calls held_drop() before anything else;
 * then it calls again. NULL: it is held. */
struct held_record *held_put(struct held *h, enum held_why why, uint64_t key, unsigned type,
			     const char *text, size_t len, uint64_t now_ms);

/* The oldest that waits for that, or NULL. */
struct held_record *held_find(struct held *h, enum held_why why, uint64_t key);

/* The oldest one that has waited for HELD_MS, or NULL. */
struct held_record *held_expired(struct held *h, uint64_t now_ms);

void held_drop(struct held *h, struct held_record *record);
