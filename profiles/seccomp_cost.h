// SPDX-License-Identifier: Apache-2.0
/*
 * What a program costs, call by call, in instructions, as bpf_run() counts them. (A JIT makes about
 * one machine instruction of each.) An allowed call that is decided by its number alone is on the
 * kernel's bitmap (Linux 5.11, kernel/seccomp.c, seccomp_cache_check_allow()) and runs nothing.
 */
#pragma once

#include "profiles/seccomp.h"

enum seccomp_answer { SECCOMP_ALLOWS, SECCOMP_REFUSES, SECCOMP_ASKS /* by the arguments */ };

struct seccomp_cost {
	const struct syscall_desc *call;
	uint8_t abi;	/* enum abi */
	uint8_t answer; /* enum seccomp_answer */
	bool bitmap;
	bool ruled;	   /* a rule of the policy speaks of it there */
	unsigned min, max; /* over the boundary values of its conditions */
	uint64_t count;	   /* in the usage file; 0 on other ABIs than the native one */
};

/* One for each call of each open ABI, by ABI and number. Heap, owned. 0 or -ENOMEM. */
int seccomp_cost_new(const struct policy *policy, const struct seccomp_program *p,
		     const struct usage *usage, struct seccomp_cost **ret, size_t *ret_n,
		     struct err *err);

/* Averages over the counts, of the cheapest and of the dearest arguments; with the bitmap (what it
 * serves is 0) and without. All 0 when nothing is counted. */
struct seccomp_average {
	double min, max;
	double bare_min, bare_max;
};
void seccomp_cost_average(const struct seccomp_cost *costs, size_t n, struct seccomp_average *ret);
