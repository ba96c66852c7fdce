// SPDX-License-Identifier: Apache-2.0
/* What tools/gen-syscalls makes of policies/syscalls.tbl; read through policies/syscall.h. */
#pragma once

#include "policies/syscall.h"

extern const size_t syscall_gen_count;
extern const struct syscall_desc syscall_gen_table[]; /* sorted by name */

/* For each ABI: number -> position in the table plus one, 0 where there is no call. */
struct syscall_gen_index {
	const uint16_t *by_nr;
	int32_t max_nr; /* the last index */
};
extern const struct syscall_gen_index syscall_gen_index[_ABI_MAX];
