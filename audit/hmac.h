// SPDX-License-Identifier: Apache-2.0
/* HMAC-SHA-256 (RFC 2104, FIPS 198-1). */
#pragma once

#include <stddef.h>

#include "base/hash.h"

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, struct hash *ret);
