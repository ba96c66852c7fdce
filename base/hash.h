// SPDX-License-Identifier: Apache-2.0
/* SHA-256 through libmd, and its spelling; XXH3 through libxxhash. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { HASH_BYTES = 32, HASH_HEX = 64 };

struct hash {
	uint8_t byte[HASH_BYTES];
};

/* One block. */
void hash_bytes(const void *data, size_t len, struct hash *ret);

/* Several blocks: begin, add ..., end. The state is opaque and lives in the caller. */
struct hash_state {
	uint64_t opaque[32];
};
void hash_begin(struct hash_state *st);
void hash_add(struct hash_state *st, const void *data, size_t len);
void hash_end(struct hash_state *st, struct hash *ret);

/* 64 lower-case digits and a NUL. */
void hash_hex(const struct hash *h, char ret[HASH_HEX + 1]);

/*
 * XXH3-64 of two blocks in a row, either may be empty: finds damage of our own files some fifty
 * times as fast as SHA-256. Says nothing against somebody who may choose the bytes.
 */
uint64_t hash_checksum(const void *first, size_t n_first, const void *second, size_t n_second);

/* Exactly 64 lower-case hexadecimal digits; 0 or -EINVAL. */
int hash_from_hex(const char *hex, struct hash *ret);
