// SPDX-License-Identifier: Apache-2.0
/*
 * A set of processors, and its list form as the kernel's files and taskset(1) write it: "0-1,3".
 * A value: it is copied and compared, and nobody owns it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct cpus {
	uint64_t bits[LIMIT_CPUS / 64];
};

/* What the longest list takes with its NUL: three numbers of two, "1-2,4-5,...", are the worst
 * case, 2,671 bytes. */
enum { CPUS_TEXT = 4096 };

/* Numbers and ranges with commas between, in any order, said twice or not. 0, -EINVAL (no such
 * list, an empty one, a range that goes down) or -ERANGE (a number of LIMIT_CPUS or more). *ret is
 * untouched on failure. */
int cpus_parse(const char *text, struct cpus *ret);

/* A list of the kernel's: what is LIMIT_CPUS or more is left out, and "" is the empty set. */
int cpus_parse_known(const char *text, struct cpus *ret);

/* The shortest list, sorted: two sets are equal when their texts are. "" is the empty set. Returns
 * ret. */
const char *cpus_format(const struct cpus *cpus, char ret[CPUS_TEXT]);

unsigned cpus_count(const struct cpus *cpus);
bool cpus_equal(const struct cpus *a, const struct cpus *b);

/* Whether each of inner is in outer. */
bool cpus_within(const struct cpus *inner, const struct cpus *outer);

/* Those that are in both. */
struct cpus cpus_both(const struct cpus *a, const struct cpus *b);
