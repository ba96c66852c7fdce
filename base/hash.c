// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <sha2.h>
#include <string.h>

/* Header only: no library to link. */
#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(sizeof(SHA2_CTX) <= sizeof(struct hash_state), "libmd's context fits ours");
static_assert(SHA256_DIGEST_LENGTH == HASH_BYTES, "SHA-256 has 32 bytes");

void hash_begin(struct hash_state *st)
{
	SHA256Init((SHA2_CTX *)(void *)st);
}

void hash_add(struct hash_state *st, const void *data, size_t len)
{
	SHA256Update((SHA2_CTX *)(void *)st, data, len);
}

void hash_end(struct hash_state *st, struct hash *ret)
{
	SHA256Final(ret->byte, (SHA2_CTX *)(void *)st);
}

void hash_bytes(const void *data, size_t len, struct hash *ret)
{
	struct hash_state st;

	hash_begin(&st);
	hash_add(&st, data, len);
	hash_end(&st, ret);
}

void hash_hex(const struct hash *h, char ret[HASH_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_BYTES; i++) {
		ret[2 * i] = digits[h->byte[i] >> 4];
		ret[2 * i + 1] = digits[h->byte[i] & 15];
	}
	ret[HASH_HEX] = '\0';
}

uint64_t hash_checksum(const void *first, size_t n_first, const void *second, size_t n_second)
{
	/* The second block's sum is seeded by the first one's. */
	return XXH3_64bits_withSeed(second, n_second, XXH3_64bits(first, n_first));
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int hash_from_hex(const char *hex, struct hash *ret)
{
	struct hash h;

	if (strnlen(hex, HASH_HEX + 1) != HASH_HEX)
		return -EINVAL;
	for (size_t i = 0; i < HASH_BYTES; i++) {
		int hi = hex_value(hex[2 * i]), lo = hex_value(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		h.byte[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret = h;
	return 0;
}
