// SPDX-License-Identifier: Apache-2.0
/* Policy to classic BPF for seccomp(2): ours, a tree over numbers. */
#pragma once

#include <linux/filter.h>

#include "base/err.h"
#include "policies/model.h"
#include "profiles/usage.h"

struct seccomp_program {
	struct sock_filter *insns; /* heap, owned; seccomp_program_done() */
	uint32_t
		*rule_of; /* of each instruction: index of the policy's rule it belongs to,
			   * UINT32_MAX	 for the tree over numbers and the returns; heap, owned */
	size_t n;
	unsigned depth; /* comparisons of the number on the longest way through the native tree */
};
void seccomp_program_done(struct seccomp_program *p);

/* 0, -E2BIG over LIMIT_BPF_INSNS, -ENOMEM. */
int seccomp_generate(const struct policy *policy, struct seccomp_program *ret, struct err *err);

/*
 * The same with the native ABI's hot calls reached first. What counts are the calls that run the
 * filter at all: an allow without conditions is on the kernel's bitmap (seccomp_hot.c). Over the
 * counts of usage the program never takes more instructions than seccomp_generate()'s, neither
 * with the bitmap nor without. usage NULL: the balanced tree.
 */
int seccomp_generate_for(const struct policy *policy, const struct usage *usage,
			 struct seccomp_program *ret, struct err *err);

/*
 * Check every instruction reachable and every verdict right: all numbers from -1 to the
 * table's end and some beyond, each ABI (opened or not), each at the boundary values of every
 * condition, through bpf_run(). Shares no code with the generator.
 * 0, or -ENOTRECOVERABLE naming the first difference.
 */
int seccomp_check(const struct policy *policy, const struct seccomp_program *p, struct err *err);
