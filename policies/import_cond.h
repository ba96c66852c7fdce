// SPDX-License-Identifier: Apache-2.0
/*
 * One comparison of another program's policy, as conditions of ours. They compare the register
 * without sign, all 64 bits of it; the kernel reads what the argument's type says. The two agree
 * on registers that hold a value of the type, in the form that C callers leave there:
 * zero-extended, or sign-extended for a value below zero.
 */
#pragma once

#include "policies/import_dnf.h"

enum import_op {
	IMPORT_EQ,
	IMPORT_NE,
	IMPORT_LT,
	IMPORT_LE,
	IMPORT_GT,
	IMPORT_GE,
	IMPORT_MASKED_EQ,
	IMPORT_MASKED_NE,
};

struct import_compare {
	unsigned arg;
	enum import_op op;
	uint64_t mask; /* IMPORT_MASKED_* */
	uint64_t value;
};

/*
 * 0 and *ret; -EOPNOTSUPP and *ret_why, a sentence's end ("is an address ..."); -ENOMEM.
 * *ret_note, else NULL: the comparison is decided by the argument's type alone.
 */
int import_compare(const struct syscall_desc *call, const struct import_compare *c,
		   struct import_dnf *ret, const char **ret_why, const char **ret_note);
