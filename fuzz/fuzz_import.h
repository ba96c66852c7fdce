// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as another program's policy: an answer, never a crash, and a text that is one of ours.
 * The first byte chooses the options. Behind a byte 0xff, which no text has, follows what can be
 * included; the last byte of an include's name chooses which, so that they can include themselves.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_included {
	const char *text[8];
	size_t len[8], n;
};

static inline int fuzz_read_included(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	const struct fuzz_included *all = ctx;
	size_t i;

	if (all->n == 0)
		return -ENOENT;
	i = (unsigned char)path[strlen(path) - 1] % all->n;
	/* A block of its own and no longer: a byte too far is seen. */
	*ret = malloc(all->len[i] ? all->len[i] : 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, all->text[i], all->len[i]);
	*ret_len = all->len[i];
	return 0;
}

/* What of the text is the source itself. */
static inline size_t fuzz_split(const char *text, size_t len, struct fuzz_included *ret)
{
	const char *end = text + len, *at = memchr(text, 0xff, len), *source_end = at ? at : end;

	while (at && ret->n < sizeof(ret->text) / sizeof(ret->text[0])) {
		const char *from = at + 1;

		at = memchr(from, 0xff, (size_t)(end - from));
		ret->text[ret->n] = from;
		ret->len[ret->n++] = (size_t)((at ? at : end) - from);
	}
	return (size_t)(source_end - text);
}

static inline int fuzz_import(enum import_format format, const uint8_t *data, size_t size)
{
	struct fuzz_included included = { .n = 0 };
	struct import_options options = { .name = "fuzz",
					  .path = "fuzz",
					  .includes = true,
					  .read_included = fuzz_read_included,
					  .ctx = &included };
	struct import_result result = { .text = BUF_INIT, .notes = BUF_INIT };
	struct err err = ERR_INIT;
	size_t len;

	if (size == 0)
		return 0;
	options.arch = data[0] & 1 ? ABI_AARCH64 : ABI_X86_64;
	options.kernel = data[0] & 2 ? KERNEL(4, 4) : SYSCALL_NEWEST;
	options.caps = data[0] & 4 ? UINT64_MAX : 0;
	options.unknown_denied = data[0] & 8;
	options.narrow = data[0] & 16;
	len = fuzz_split((const char *)data + 1, size - 1, &included);
	/* the import reads its own text back: -ENOTRECOVERABLE is a defect */
	if (import_policy(format, (const char *)data + 1, len, &options, &result, &err) ==
	    -ENOTRECOVERABLE)
		abort();
	import_result_done(&result);
	return 0;
}
