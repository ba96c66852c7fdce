// SPDX-License-Identifier: Apache-2.0
/*
 * One error: a negative errno, a sentence about what was being done to which object,
 * and a hint about what to do. Caller-owned, fixed size, no heap: usable after clone
 * and out of memory, and small enough to cross the wire as it is.
 *
 * Library code sets an error and returns its code; only cli/ prints it, and only
 * cli/ exits. Code convention of the whole tree:
 *   0 or more   success
 *   < 0         -errno, fatal, forwarded unchanged with the struct err filled once
 */
#pragma once

#include <stdbool.h>

#include "base/limits.h"

struct err {
	bool ours; /* a refusal of our own: the sentence says why, and no errno text follows it */
	int code;  /* negative errno, 0 while nothing failed */
	char msg[LIMIT_ERR_TEXT];  /* "mount a tmpfs on '/tmp'": no errno text, no full stop */
	char hint[LIMIT_ERR_HINT]; /* what a person can do, or "" */
};

#define ERR_INIT ((struct err){ .code = 0 })

/* Fill err (which may be NULL) and return code. The sentence reads after "cannot". */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A refusal that is ours, not the kernel's: -EINVAL, and the sentence itself says why. */
int err_refuse(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put context before the sentence: "CONTEXT: SENTENCE". Returns err->code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Set or replace the hint. Returns err->code. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The C library's untranslated text for an errno of either sign, which stands behind a sentence's
 * colon: "No such file or directory". Static; never NULL. */
const char *err_text(int code);
