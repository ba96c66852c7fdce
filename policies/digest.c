// SPDX-License-Identifier: Apache-2.0
#include "policies/digest.h"

#include <string.h>

#include "policies/syscall_table.h"

/* Raise it when the same text comes to mean something else. */
static const char compiler_version[] = "cordon policy compiler 2";

/* Length first, so that no two sequences of strings look alike. */
static void add(struct hash_state *st, const void *data, size_t len)
{
	uint8_t size[8];

	for (unsigned i = 0; i < sizeof(size); i++)
		size[i] = (uint8_t)((uint64_t)len >> 8 * i);
	hash_add(st, size, sizeof(size));
	hash_add(st, data, len);
}

static void add_text(struct hash_state *st, const char *text)
{
	add(st, text, strlen(text));
}

void digest_policy(const struct unit *units, size_t n_units, enum abi native, struct hash *ret)
{
	struct hash_state st;

	hash_begin(&st);
	add_text(&st, compiler_version);
	add_text(&st, abi_name(native));
	add_text(&st, syscall_gen_digest);
	for (size_t i = 0; i < n_units; i++) {
		add_text(&st, units[i].source.path);
		add(&st, units[i].text, units[i].len);
	}
	hash_end(&st, ret);
}
