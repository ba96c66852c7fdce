// SPDX-License-Identifier: Apache-2.0
/*
 * How two policies differ in meaning. The order of lines, their spelling, the file they stand in
 * and lines that change nothing make no difference; each difference has a case that shows it.
 *
 * Calls are compared completely. policy_eval()'s answer is that of the first rule of a list (kill,
 * deny, allow, each in cond_rank's order) that holds, so each policy cuts the values of a call's
 * arguments into pieces, one a rule and one for the default. Two policies differ exactly where a
 * piece of one meets a piece of the other with another answer, and whether they meet is decided
 * by reach_find(), which does not sample. Where it gives up the entry says so.
 */
#pragma once

#include "policies/model.h"

enum diff_kind {
	DIFF_ABI,
	DIFF_KERNEL,
	DIFF_DEFAULT, /* default errno */
	DIFF_NOTIFY,
	DIFF_CALL,
	DIFF_PATH,
	DIFF_NET,
	DIFF_PORT,
	DIFF_CAP,
	DIFF_LIMIT,
	DIFF_ENV,
	DIFF_LABEL,
};
const char *diff_kind_name(enum diff_kind kind); /* "abi", "kernel", ... */

/* A call and values of which the two policies say different things. */
struct diff_witness {
	const struct syscall_desc *call; /* NULL: none was found or is needed */
	enum abi abi;
	uint64_t args[6];
	struct policy_verdict old, new;
};

struct diff_entry {
	uint8_t kind;	  /* enum diff_kind */
	uint8_t abi_mask; /* DIFF_CALL: on which ABIs */
	bool undecided;	  /* the search was given up: a difference cannot be excluded */
	char *subject;	  /* the call, path, port, capability, limit or variable; owned */
	char *when;	  /* DIFF_CALL: the comparisons that hold, DIFF_PATH: what a variable
			   * leads to, or NULL; owned */
	char *old, *new;  /* what each says: "deny EPERM", "read", "512"; owned */
	char *attempt;	  /* what is not seen in registers, as explain reads it; or NULL */
	struct diff_witness witness; /* DIFF_CALL, DIFF_ABI, DIFF_KERNEL, DIFF_DEFAULT */
	struct policy_where old_where, new_where;
};

struct diff {
	struct diff_entry *entries; /* by kind, then subject */
	size_t n;
};
void diff_done(struct diff *diff);

/* 0 (no entries: the same meaning), -ENOMEM, or -EINVAL when they are of two architectures. */
int diff_make(const struct policy *old, const struct policy *new, struct diff *ret,
	      struct err *err);
