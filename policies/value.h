// SPDX-License-Identifier: Apache-2.0
/* Values and comparisons as written: numbers, constants, A|B, and what fits an argument. */
#pragma once

#include "policies/part.h"

/* A number with its sign: -100 is { true, 100 }. */
struct value {
	bool negative;
	uint64_t magnitude;
};

/* TERM ('|' TERM)* from word *i on, which moves behind it. 0 or -EINVAL with a mistake. */
int value_read(struct parser *p, size_t *i, struct value *ret);

/*
 * The bits of a value as an argument of that width holds them. bits: hexadecimal patterns up
 * to the full width are wanted (masks, equality), so 0xffffffff fits an int; otherwise the
 * value must lie in the type's range. 0 or -ERANGE.
 */
int value_fit(struct value value, enum syscall_width width, bool bits, uint64_t *ret);

const char *value_width_name(enum syscall_width width);
