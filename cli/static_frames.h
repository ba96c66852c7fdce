// SPDX-License-Identifier: Apache-2.0
/* Where functions begin, from the table that unwinding is looked up by (.eh_frame_hdr). */
#pragma once

#include "cli/static_elf.h"

/* Calls found for each; stops at the first that is not 0 and returns it. A table that is damaged,
 * absent, or of another kind than linkers make has none: 0. elf is libelf's. */
int frames_read(const struct elf_file *f, void *elf, int (*found)(void *ctx, uint64_t start),
		void *ctx);
