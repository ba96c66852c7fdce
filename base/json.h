// SPDX-License-Identifier: Apache-2.0
/*
 * A JSON writer that never allocates: it fills a block of the caller's and remembers
 * whether everything fitted. Commas are put by the writer; nesting is at most 16.
 *
 * Bytes that are not valid UTF-8 become U+FFFD-free escapes: each such byte is written as
 * the JSON text "\\xHH" (a backslash, x, two digits), and a backslash in the input as "\\\\",
 * so that the mapping is exact and can be undone. Control characters, DEL, C1 and
 * bidirectional controls take the same form: neither JSON nor a terminal can be forged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *buf;
	size_t cap;
	size_t len;
	bool overflow; /* something did not fit: the text must not be used */
	uint8_t depth;
	uint32_t started; /* bit per depth: a value was written, a comma is due */
};

void json_init(struct json *j, char *buf, size_t cap);

/* key is NULL inside an array or at the top. Keys are ours and written as they are. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *key, const char *text); /* text may be NULL: null */
void json_bytes(struct json *j, const char *key, const void *bytes, size_t len);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_hex(struct json *j, const char *key, uint64_t value); /* "0x..." as a string */
void json_bool(struct json *j, const char *key, bool value);

/* The text's length, or 0 when it did not fit or nesting is open. A NUL follows it. */
size_t json_finish(struct json *j);
