// SPDX-License-Identifier: Apache-2.0
/*
 * Records that wait for the sinks: bodies in one fixed block, in order. A body is one JSON
 * object without the fields that only the moment of writing knows ("v", "seq", "prev").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch {
	char *data;
	size_t cap, len;
	size_t n; /* entries */
};

struct batch_entry {
	const char *body;
	size_t len;
	uint64_t denials; /* how many denials this record accounts for */
};

/* Append; false when there is no room, and nothing has changed then. */
bool batch_add(struct batch *batch, const char *body, size_t len, uint64_t denials);

/* Walk: *pos begins as 0; false behind the last entry. */
bool batch_next(const struct batch *batch, size_t *pos, struct batch_entry *ret);

void batch_clear(struct batch *batch);

/* How far somebody has come in it; all zeros: not begun. */
struct batch_point {
	size_t len, n;
};
struct batch_point batch_end(const struct batch *batch);
/* What is behind the point, in the batch's own bytes: for reading, until the batch is cleared. */
struct batch batch_behind(const struct batch *batch, struct batch_point point);
