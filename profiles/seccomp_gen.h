// SPDX-License-Identifier: Apache-2.0
/*
 * The generator's inside. Two steps: a decision (what one call on one ABI comes to, as an ordered
 * list of conditions with answers), and its code. Only seccomp*.c but seccomp_check.c include this.
 */
#pragma once

#include "policies/model.h"
#include "profiles/bpf_asm.h"

/* If all conditions of the rule hold, this is the filter's answer. */
struct seccomp_branch {
	const struct policy_rule *rule;
	uint32_t ret;
};

/* The first branch that holds answers, else last. Heap, owned; n_branches 0: the answer depends on
 * the number alone, and the code for it loads no argument. */
struct seccomp_decision {
	struct seccomp_branch *branches;
	size_t n_branches;
	uint32_t last;
};

/* The rules of one call, in the order in which a policy means them. */
struct seccomp_index {
	const struct policy_rule **rules; /* heap, owned */
	size_t n;
};
int seccomp_index_new(const struct policy *policy, struct seccomp_index *ret);
void seccomp_index_done(struct seccomp_index *index);

/* Answers that no rule gives. */
uint32_t seccomp_ret_unknown(const struct policy *policy); /* ENOSYS: number or ABI not known */

/* 0, -ENOMEM, -E2BIG (more rules for the call than instructions in a program). */
int seccomp_decide(const struct policy *policy, const struct seccomp_index *index, enum abi abi,
		   int32_t nr, struct seccomp_decision *ret);
bool seccomp_decision_equal(const struct seccomp_decision *a, const struct seccomp_decision *b);

/* Whether the condition is the same for every value: 1 it always holds, 0 never, -1 it depends. */
int seccomp_cond_fixed(const struct policy_cond *cond);

/* Code that compares. The accumulator's content is followed, so that a word is loaded once. */
struct seccomp_emit {
	struct bpf_asm *a;
	int word;      /* byte offset of what the accumulator holds, or -1 */
	int fail_word; /* the same at the failure label; -1 when jumps to it differ */
	bool failed;   /* a jump to the failure label was made */
};

/* Jump to yes or no; one of the two may be BPF_ASM_NEXT. */
void seccomp_emit_cond(struct seccomp_emit *e, const struct policy_cond *cond, uint32_t yes,
		       uint32_t no);
