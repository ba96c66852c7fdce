// SPDX-License-Identifier: Apache-2.0
/*
 * How often a program makes which call: what the filter's tree is weighted by and what an average
 * cost is taken over. Text, one call a line, '#' begins a comment:
 *
 *	NAME COUNT
 *
 * A call that stands in several lines has the sum of them, so that files can be put together with
 * cat. Counts are of the architecture that a policy is compiled for; a call that it lacks is known
 * and changes nothing.
 */
#pragma once

#include "base/err.h"
#include "policies/syscall.h"

struct usage {
	uint64_t *count; /* by position in syscall_table(); heap, owned */
	uint64_t total;
};
void usage_done(struct usage *usage);
#define _cleanup_usage_ __attribute__((cleanup(usage_done)))

/* name is shown in messages. 0, -EBADMSG naming the line, or -ENOMEM. */
int usage_parse(const char *name, const char *text, size_t len, struct usage *ret, struct err *err);

/* The same of a file. */
int usage_read(const char *path, struct usage *ret, struct err *err);

/* 0 for a call that no line names, and for every call of a NULL usage. */
uint64_t usage_count(const struct usage *usage, const struct syscall_desc *call);
