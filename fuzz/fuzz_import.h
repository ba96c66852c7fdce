// SPDX-License-Identifier: Apache-2.0
/* Any bytes as another program's policy: an answer, never a crash, and a text that is one of ours.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "policies/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the options. */
static inline int fuzz_import(enum import_format format, const uint8_t *data, size_t size)
{
	struct import_options options = { .name = "fuzz", .path = "fuzz" };
	struct import_result result = { .text = BUF_INIT, .notes = BUF_INIT };
	struct err err = ERR_INIT;

	if (size == 0)
		return 0;
	options.arch = data[0] & 1 ? ABI_AARCH64 : ABI_X86_64;
	options.kernel = data[0] & 2 ? KERNEL(4, 4) : SYSCALL_NEWEST;
	options.caps = data[0] & 4 ? UINT64_MAX : 0;
	options.unknown_denied = data[0] & 8;
	options.narrow = data[0] & 16;
	/* the import reads its own text back: -ENOTRECOVERABLE is a defect */
	if (import_policy(format, (const char *)data + 1, size - 1, &options, &result, &err) ==
	    -ENOTRECOVERABLE)
		abort();
	import_result_done(&result);
	return 0;
}
