// SPDX-License-Identifier: Apache-2.0
/* Numbers that parse in full or fail, and bytes made safe to show. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fd.h"

/* Decimal, or 0x hexadecimal, or 0 octal; no sign, no space, nothing left over.
 * 0, -EINVAL (no number) or -ERANGE. *ret is untouched on failure. */
int text_parse_u64(const char *text, uint64_t *ret);

/* Bytes with an optional K, M, G or T (powers of 1024): "512M". Same errors. */
int text_parse_size(const char *text, uint64_t *ret);

/* Seconds with an optional ms, s, m, h or d: "90", "1h", "250ms". *ret in milliseconds. */
int text_parse_duration_ms(const char *text, uint64_t *ret);

bool text_starts_with(const char *text, const char *prefix);

/* Whether a policy can name this variable: letters, digits and "_", no digit first, less than
 * LIMIT_NAME of them; with star, perhaps a "*" behind them, for all that begin so. */
bool text_is_variable(const char *name, bool star);

/*
 * Append bytes to buf so that no terminal can be driven by them: printable ASCII and valid
 * UTF-8 without control characters pass, everything else becomes \xHH, a backslash \\.
 * 0 or -ENOMEM.
 */
int text_escape(struct buf *buf, const void *bytes, size_t len);

/* The length of the valid UTF-8 sequence at p (1 to 4), or 0: overlong forms, surrogates,
 * values above U+10FFFF and truncated ones are not valid (RFC 3629). */
size_t text_utf8_len(const unsigned char *p, size_t left);

/* Whether the valid sequence of n bytes at p may be shown as it is: not a control character
 * (C0, DEL, C1), not a zero-width or bidirectional control (U+061C, U+200B..U+200F,
 * U+2028..U+202E, U+2060..U+206F, U+FEFF). False for n == 0. */
bool text_is_shown(const unsigned char *p, size_t n);

/* Distance for "did you mean": number of single edits, capped at cap. */
unsigned text_distance(const char *a, const char *b, unsigned cap);
