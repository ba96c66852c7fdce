// SPDX-License-Identifier: Apache-2.0
/*
 * socketcall(2) and ipc(2) of i386: one number for many calls, chosen by the first argument, with
 * the others' arguments in memory, where no filter sees them. What a policy says of socket() or
 * shmget() would not hold for who takes that way.
 */
#pragma once

#include "policies/compose.h"

/* The call that a multiplexer makes for a number, or NULL. For ipc the kernel reads the lower 16
 * bits alone. */
const struct syscall_desc *multiplex_call(const struct syscall_desc *multiplexer, uint32_t number);

/*
 * Refuse a policy that opens i386, restricts a call there (denies it, kills for it, or allows it
 * under conditions) and allows a multiplexer to make it. A call that the policy does not name is
 * lint's business. rules are sorted. 0 or -EBADMSG with mistakes in d.
 */
int check_multiplexers(const struct policy *policy, struct diag *d);
