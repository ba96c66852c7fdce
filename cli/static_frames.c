// SPDX-License-Identifier: Apache-2.0
#include "cli/static_frames.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

/* Encodings of pointers (LSB, Core, 10.5): the only ones that linkers write here. */
enum {
	VERSION = 1,
	PCREL_S4 = 0x1b,
	UDATA4 = 0x03,
	DATAREL_S4 = 0x3b,
	HEAD = 12,
	ROW = 8,
	FDE_HEAD = 8,
	CIE_HEAD = 9
};

static uint64_t table_address(void *elf)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n) < 0)
		return 0;
	for (size_t i = 0; i < n && i < 65536; i++) {
		GElf_Phdr p;

		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_GNU_EH_FRAME)
			return p.p_vaddr;
	}
	return 0;
}

/* The frame of a signal handler's return begins a byte before its code, for unwinders that look up
 * the instruction before an address: its CIE's augmentation has an S. */
static bool is_signal_frame(const struct elf_file *f, uint64_t fde)
{
	uint32_t length, back;
	size_t len = 0;
	const uint8_t *p = elf_at(f, fde, &len);

	if (!p || len < FDE_HEAD)
		return false;
	memcpy(&length, p, sizeof(length));
	memcpy(&back, p + 4, sizeof(back));
	if (length == 0 || length == UINT32_MAX || back == 0)
		return false;
	/* length, id, version; then the augmentation, a text */
	p = elf_at(f, fde + 4 - back, &len);
	return p && len > CIE_HEAD &&
	       memchr(p + CIE_HEAD, 0, len - CIE_HEAD < 16 ? len - CIE_HEAD : 16) &&
	       strchr((const char *)p + CIE_HEAD, 'S');
}

int frames_read(const struct elf_file *f, void *elf, int (*found)(void *ctx, uint64_t start),
		void *ctx)
{
	const uint64_t at = table_address(elf);
	size_t len = 0;
	const uint8_t *p = at ? elf_at(f, at, &len) : NULL;
	uint32_t n;

	/* version, three encodings, the address of .eh_frame, how many rows */
	if (!p || len < HEAD || p[0] != VERSION || p[1] != PCREL_S4 || p[2] != UDATA4 ||
	    p[3] != DATAREL_S4)
		return 0;
	memcpy(&n, p + 8, sizeof(n));
	if (n > (len - HEAD) / ROW)
		n = (uint32_t)((len - HEAD) / ROW);
	for (uint32_t i = 0; i < n; i++) {
		int32_t row[2];
		uint64_t start;
		int r;

		memcpy(row, p + HEAD + (size_t)i * ROW, sizeof(row));
		start = at + (uint64_t)(int64_t)row[0];
		r = found(ctx, start + is_signal_frame(f, at + (uint64_t)(int64_t)row[1]));
		if (r != 0)
			return r;
	}
	return 0;
}
