// SPDX-License-Identifier: Apache-2.0
/* Named values of the kernel's interface that a policy may use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/syscall.h"

/* 0 or -ENOENT. A value below zero (AT_FDCWD) comes as its two's complement, *ret_negative set. */
int consts_find(const char *name, uint64_t *ret, bool *ret_negative);
/* The same for the architecture that a policy is read for: some flags of open(2) differ. */
int consts_find_for(enum abi native, const char *name, uint64_t *ret, bool *ret_negative);
int consts_find_errno(const char *name, uint16_t *ret);

/* The i-th name, NULL past the last: for suggestions. */
const char *consts_name(size_t i);
const char *consts_errno_name(size_t i);
