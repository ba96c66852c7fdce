// SPDX-License-Identifier: Apache-2.0
/* What tools/gen-tables makes of policies/syscalls.tbl; read through policies/syscall.h. */
#pragma once

#include "policies/syscall.h"

extern const size_t syscall_gen_count;
extern const struct syscall_desc syscall_gen_table[]; /* sorted by name */

/* SHA-256 of consts.tbl, layouts.tbl and syscalls.tbl, one behind the other: with another number
 * for a name, a policy means something else. */
extern const char syscall_gen_digest[65];

/* For each ABI: number -> position in the table plus one, 0 where there is no call. */
struct syscall_gen_index {
	const uint16_t *by_nr;
	int32_t max_nr; /* the last index */
};
extern const struct syscall_gen_index syscall_gen_index[_ABI_MAX];

/* A line "if" of a call, once for each value: the first that holds is meant. */
struct syscall_gen_when {
	uint32_t mask, value; /* of one argument */
	uint32_t second;      /* value of another one */
	uint8_t arg;
	uint8_t second_arg; /* from 1; 0: there is no other */
	uint16_t first;	    /* of syscall_gen_slots */
	uint8_t n;
};
extern const struct syscall_gen_when syscall_gen_whens[];

/* What an argument is then. */
struct syscall_gen_slot {
	uint8_t arg, width, kind, length;
	uint16_t of;
};
extern const struct syscall_gen_slot syscall_gen_slots[];

/* A line "on" of a call: the arguments that callers of that ABI pass. */
struct syscall_gen_form {
	uint16_t call; /* position in the table */
	uint8_t abi, n;
	struct syscall_arg args[6];
};
extern const struct syscall_gen_form syscall_gen_forms[];
extern const size_t syscall_gen_n_forms;
