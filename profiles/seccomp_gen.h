// SPDX-License-Identifier: Apache-2.0
/*
 * The generator's inside. Three steps: a decision (what one call on one ABI comes to, as an ordered
 * list of conditions with answers), the tree that leads to it, and the code. Only seccomp*.c but
 * seccomp_check.c include this.
 */
#pragma once

#include "policies/model.h"
#include "profiles/bpf_asm.h"
#include "profiles/seccomp.h"

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

/* 0 or -ENOMEM. */
int seccomp_decide(const struct policy *policy, const struct seccomp_index *index, enum abi abi,
		   int32_t nr, struct seccomp_decision *ret);
bool seccomp_decision_equal(const struct seccomp_decision *a, const struct seccomp_decision *b);

/* Whether the condition is the same for every value: 1 it always holds, 0 never, -1 it depends. */
int seccomp_cond_fixed(const struct policy_cond *cond);

/* Numbers from lo up to the next range's lo. */
struct seccomp_range {
	uint32_t lo;
	uint32_t label;
};
bool seccomp_ranges_are_hole(const struct seccomp_range *r); /* of three */

/* Where a search over ranges divides them; seccomp_tree.c. */
struct seccomp_tree {
	uint16_t *split; /* heap, owned; NULL: in the middle */
	size_t n;
	unsigned depth;
};
int seccomp_tree_new(const struct seccomp_range *ranges, const uint64_t *weight, size_t n,
		     struct seccomp_tree *ret);
void seccomp_tree_done(struct seccomp_tree *t);
/* Where [from, to) is divided: the first range of its right part. t may be NULL. */
size_t seccomp_tree_split(const struct seccomp_tree *t, size_t from, size_t to);
/* Comparisons down the even tree over n ranges. */
unsigned seccomp_even_depth(size_t n);

/* What a program is made for beside the policy: the native ABI's calls that are made most. */
struct seccomp_hot {
	const uint64_t *weight; /* by number, up to syscall_max_nr() + 1 */
	int32_t first[4];	/* numbers that are asked for before the tree */
	size_t n_first;
};
int seccomp_generate_hot(const struct policy *policy, const struct seccomp_hot *hot,
			 struct seccomp_program *ret, struct err *err);

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
