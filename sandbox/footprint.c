// SPDX-License-Identifier: Apache-2.0
#include "sandbox/footprint.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the program alone: the first object. Segments that are never written, not the relocated
 * constants: those live in the writable segment. */
static int shrink(struct dl_phdr_info *info, size_t size, void *ctx)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size, (void)ctx;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t from = ((uintptr_t)info->dlpi_addr + p->p_vaddr) & ~(page - 1);
		uintptr_t to =
			((uintptr_t)info->dlpi_addr + p->p_vaddr + p->p_filesz) & ~(page - 1);

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && to > from)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 1;
}

void footprint_shrink(void)
{
	(void)dl_iterate_phdr(shrink, NULL);
}
