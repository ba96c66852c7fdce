// SPDX-License-Identifier: Apache-2.0
/* How an ABI's own form of a call passes an argument, where it is not as the table says. */
#pragma once

#include "policies/syscall.h"

/*
 * The width in which the kernel reads argument arg of call on that ABI. 0; or -EINVAL and why a
 * filter cannot compare it there: words that read after "because".
 */
int abi_arg_width(const struct syscall_desc *call, enum abi abi, unsigned arg,
		  enum syscall_width *ret, const char **ret_why);
