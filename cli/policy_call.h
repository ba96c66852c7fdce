// SPDX-License-Identifier: Apache-2.0
/* Calls, answers and places as a person writes them. */
#pragma once

#include "base/fd.h"
#include "policies/attempt.h"

/*
 * NAME(ARG, ...) with constants by name, as attempt_parse() reads it back. Where text[i] is not
 * NULL it stands for the argument. At most n_args arguments. 0 or -ENOMEM.
 */
int call_text(struct buf *out, const struct syscall_desc *call, const uint64_t args[6],
	      unsigned n_args, char *const text[6]);

/* One argument's value. */
int call_value(struct buf *out, const struct syscall_desc *call, unsigned arg, uint64_t value);

/* The line of a policy's text that where names, without blanks around it; *ret_len 0: none. */
const char *call_line(const struct policy *policy, struct policy_where where, size_t *ret_len);
