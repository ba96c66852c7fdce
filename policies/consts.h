// SPDX-License-Identifier: Apache-2.0
/* Named values of the kernel's interface: what a policy may compare with, and in sets, what the
 * audit log spells arguments with. Data comes from policies/consts.tbl. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <consts_sets.h>

#include "policies/syscall.h"

/* 0 or -ENOENT. A value below zero (AT_FDCWD) comes as its two's complement, *ret_negative set. */
int consts_find(const char *name, uint64_t *ret, bool *ret_negative);
/* The same for the architecture that a policy is read for: some flags of open(2) differ. */
int consts_find_for(enum abi native, const char *name, uint64_t *ret, bool *ret_negative);
int consts_find_errno(const char *name, uint16_t *ret);

/* The i-th name, NULL past the last: for suggestions. */
const char *consts_name(size_t i);
const char *consts_errno_name(size_t i);

/*
 * "O_WRONLY|O_CREAT|0x40000000": the value by the names of a set, those of the architecture. What
 * has no name is a number behind them; "0" stands for nothing at all. A signed value comes extended
 * to 64 bits. What does not fit into cap bytes is cut and ends with "...". buf is returned.
 */
const char *consts_spell(enum consts_set set, enum abi abi, uint64_t value, char *buf, size_t cap);

/* The member of the set that has this value alone, or NULL. */
const char *consts_name_of(enum consts_set set, enum abi abi, uint64_t value);
