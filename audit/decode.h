// SPDX-License-Identifier: Apache-2.0
/*
 * Arguments of a refused call in words. What lies in the payload's memory is hostile: it is read
 * through one function with lengths of ours, a length of the payload's is at most a lower bound,
 * and text is labelled as what was read at the check, not as what the kernel saw.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"
#include "policies/syscall.h"

/* Up to len bytes at addr: their number (short at the end of what is mapped), or -errno. */
struct decode_memory {
	ssize_t (*read)(void *ctx, uint64_t addr, void *buf, size_t len);
	void *ctx;
};

struct decode_call {
	const struct syscall_desc *desc;
	enum abi abi;
	const uint64_t *args; /* six */
};

enum {
	DECODE_TEXT_MAX = 4096,
	DECODE_TEXT_MIN = 128, /* below it one element of an array is shown */
};

/*
 * Write "decoded":{NAME: VALUE, ...}, in the order of the arguments. memory may be NULL: registers
 * only. At most text_max bytes of each text are shown; "length" then tells how many there were.
 */
void decode_args(struct json *j, const struct decode_call *call, const struct decode_memory *memory,
		 size_t text_max);
