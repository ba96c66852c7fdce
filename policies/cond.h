// SPDX-License-Identifier: Apache-2.0
/* One comparison of a rule: whether it holds, how it is spelled, how rules rank by theirs. */
#pragma once

#include "policies/model.h"

/* Room for one comparison's text, NUL included. */
enum { COND_TEXT = 128 };

/* Whether the comparison holds for the register's value, read as the kernel will read it. */
bool cond_holds(const struct policy_cond *cond, uint64_t reg);

/* The canonical spelling: "flags & 0x7e020000 == 0x0", "domain == 0x1". */
void cond_text(const struct syscall_desc *call, const struct policy_cond *cond,
	       char ret[COND_TEXT]);

/* Orders comparisons of one call by their canonical text. */
int cond_compare(const struct syscall_desc *call, const struct policy_cond *a,
		 const struct policy_cond *b);

/*
 * Which of two rules for one call and one action answers when both hold: < 0 for a, > 0 for b,
 * 0 when their comparisons are the same (then check has seen to it that the answers are too).
 */
int cond_rank(const struct policy_rule *a, const struct policy_rule *b);
