// SPDX-License-Identifier: Apache-2.0
#include "audit/hmac.h"

#include <string.h>

enum { BLOCK = 64 };

static void pass(const unsigned char key[BLOCK], unsigned char pad, const void *data, size_t len,
		 struct hash *ret)
{
	unsigned char padded[BLOCK];
	struct hash_state st;

	for (size_t i = 0; i < BLOCK; i++)
		padded[i] = key[i] ^ pad;
	hash_begin(&st);
	hash_add(&st, padded, sizeof(padded));
	hash_add(&st, data, len);
	hash_end(&st, ret);
	explicit_bzero(padded, sizeof(padded));
	explicit_bzero(&st, sizeof(st));
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, struct hash *ret)
{
	unsigned char block[BLOCK] = { 0 };
	struct hash inner;

	if (key_len > BLOCK) {
		hash_bytes(key, key_len, &inner);
		memcpy(block, &inner, sizeof(inner));
	} else if (key_len > 0) {
		memcpy(block, key, key_len);
	}
	pass(block, 0x36, data, len, &inner);
	pass(block, 0x5c, &inner, sizeof(inner), ret);
	explicit_bzero(block, sizeof(block));
}
