// SPDX-License-Identifier: Apache-2.0
#include "cli/static_frames.h"

#include <stdio.h>
#include <string.h>

/* Encodings of pointers (LSB, Core, 10.5) that compilers write for where code begins. */
enum { ABSOLUTE_8 = 0x00, ABSOLUTE_4 = 0x03, RELATIVE_4 = 0x1b, RELATIVE_8 = 0x1c };
enum { CIE_HEAD = 9, RECORD_HEAD = 8, AUGMENTATION = 8 };

struct cie {
	uint64_t address; /* that it was read of, 0: none yet */
	uint8_t encoding;
	bool signal; /* the frame of a signal handler's return begins a byte before its code */
	bool known;
};

/* A number of seven bits a byte; false when it does not end. */
static bool skip_number(const uint8_t **p, size_t *len)
{
	for (unsigned n = 0; n < 10 && *len > 0; n++) {
		const uint8_t byte = **p;

		(*p)++, (*len)--;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Length, id, version; the augmentation, a text; two alignments, a register, then what the text
 * says: z, a length, and behind it a member for each letter. */
static void read_cie(const struct elf_file *f, uint64_t address, struct cie *ret)
{
	size_t len = 0;
	const uint8_t *p = elf_at(f, address, &len);
	const char *text;
	size_t n;

	*ret = (struct cie){ .address = address, .encoding = ABSOLUTE_8 };
	if (!p || len <= CIE_HEAD)
		return;
	text = (const char *)p + CIE_HEAD;
	n = strnlen(text, len - CIE_HEAD < AUGMENTATION ? len - CIE_HEAD : AUGMENTATION);
	if (n == AUGMENTATION || n == len - CIE_HEAD)
		return;
	p += CIE_HEAD + n + 1;
	len -= CIE_HEAD + n + 1;
	ret->signal = strchr(text, 'S') != NULL;
	ret->known = true;
	if (text[0] != 'z')
		return;
	for (unsigned i = 0; i < 4; i++)
		ret->known = ret->known && skip_number(&p, &len);
	for (const char *c = text + 1; *c && ret->known; c++) {
		if (*c == 'R') {
			ret->known = len > 0;
			ret->encoding = len > 0 ? *p : 0;
			return;
		}
		if (*c == 'L') {
			ret->known = len > 0;
			p++, len--;
		} else if (*c == 'P') {
			/* of a personality: its encoding, then as many bytes as that says */
			const size_t size = len == 0	       ? 0
					    : (*p & 0x0f) == 0 ? 8
					    : (*p & 0x07) == 4 ? 8
							       : 4;

			ret->known = size > 0 && len > size;
			p += ret->known ? 1 + size : 0;
			len -= ret->known ? 1 + size : 0;
		} else if (*c != 'S' && *c != 'B') {
			ret->known = false;
		}
	}
}

static bool read_start(const struct elf_file *f, uint64_t at, uint8_t encoding, uint64_t *ret)
{
	size_t len = 0;
	const uint8_t *p = elf_at(f, at, &len);
	int32_t narrow;
	uint64_t wide;

	if (!p || len < sizeof(narrow))
		return false;
	memcpy(&narrow, p, sizeof(narrow));
	if (encoding == RELATIVE_4 || encoding == ABSOLUTE_4) {
		*ret = encoding == RELATIVE_4 ? at + (uint64_t)(int64_t)narrow : (uint32_t)narrow;
		return true;
	}
	if (len < sizeof(wide) || (encoding != RELATIVE_8 && encoding != ABSOLUTE_8))
		return false;
	memcpy(&wide, p, sizeof(wide));
	*ret = encoding == RELATIVE_8 ? at + wide : wide;
	return true;
}

int frames_read(const struct elf_file *f, uint64_t start, uint64_t size,
		int (*found)(void *ctx, uint64_t start), void *ctx)
{
	struct cie cie = { .address = 0 };
	uint64_t at = start;
	int r = 0;

	while (r == 0 && at - start < size) {
		size_t len = 0;
		const uint8_t *p = elf_at(f, at, &len);
		uint32_t record, back;
		uint64_t function;

		if (!p || len < RECORD_HEAD)
			break;
		memcpy(&record, p, sizeof(record));
		memcpy(&back, p + 4, sizeof(back));
		/* the end; or a record of over four gigabytes, which nobody writes */
		if (record == 0 || record == UINT32_MAX)
			break;
		if (back != 0) {
			if (cie.address != at + 4 - back || !cie.address)
				read_cie(f, at + 4 - back, &cie);
			if (cie.known && read_start(f, at + RECORD_HEAD, cie.encoding, &function))
				r = found(ctx, function + cie.signal);
		}
		at += 4 + (uint64_t)record;
	}
	return r;
}
