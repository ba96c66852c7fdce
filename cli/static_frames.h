// SPDX-License-Identifier: Apache-2.0
/* Where functions begin, from the records that unwinding needs (.eh_frame). */
#pragma once

#include "cli/static_elf.h"

/* Calls found for each record of [start, start + size); stops at the first that is not 0 and
 * returns it. What is damaged, or of a kind that no compiler writes, is passed over. */
int frames_read(const struct elf_file *f, uint64_t start, uint64_t size,
		int (*found)(void *ctx, uint64_t start), void *ctx);
