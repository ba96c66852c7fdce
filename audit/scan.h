// SPDX-License-Identifier: Apache-2.0
/*
 * Reading of one JSON text without allocating: values are slices of it. Strict where RFC 8259
 * leaves room, because only our own writer's lines are of interest: no blanks between tokens,
 * valid UTF-8, at most SCAN_DEPTH levels.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCAN_DEPTH = 16 };

enum scan_kind {
	SCAN_OBJECT,
	SCAN_ARRAY,
	SCAN_STRING,
	SCAN_NUMBER,
	SCAN_TRUE,
	SCAN_FALSE,
	SCAN_NULL,
};

struct scan {
	enum scan_kind kind;
	const char *p; /* the value's text, quotes or brackets included */
	size_t len;
};

/* The whole text must be one value. 0 or -EINVAL. */
int scan_text(const char *text, size_t len, struct scan *ret);

/* Walk an object's members or an array's values. key may be NULL. */
struct scan_iter {
	const char *p, *end;
};
void scan_begin(const struct scan *container, struct scan_iter *ret);
bool scan_next(struct scan_iter *iter, struct scan *key, struct scan *value);

/* The first member of that name; false when there is none or object is no object. */
bool scan_get(const struct scan *object, const char *key, struct scan *ret);

/* A string with its escapes undone, cut to cap - 1 bytes and NUL-terminated. Its length; 0 and ""
 * when value is no string. */
size_t scan_string(const struct scan *value, char *buf, size_t cap);

/* Whether value is a string that is spelt as text. */
bool scan_is(const struct scan *value, const char *text);

/* A number without sign, fraction and exponent that fits. 0 or -EINVAL. */
int scan_u64(const struct scan *value, uint64_t *ret);
int scan_get_u64(const struct scan *object, const char *key, uint64_t *ret);

/* scan_get and scan_string; false (and "") when there is no such string. */
bool scan_get_string(const struct scan *object, const char *key, char *buf, size_t cap);
