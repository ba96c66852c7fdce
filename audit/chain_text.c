// SPDX-License-Identifier: Apache-2.0
/* The two texts of a chain: a line, and the head. No stdio: a writer makes some 100,000 a second.
 */
#include <errno.h>
#include <string.h>

#include "audit/chain.h"

static const char head_magic[] = "cordon-head 1 ";

static size_t put_text(char *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out, text, n);
	return n;
}

static size_t put_number(char *out, uint64_t value, unsigned width)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (sizeof(digits) - n < width)
		digits[--n] = '0';
	memcpy(out, digits + n, sizeof(digits) - n);
	return sizeof(digits) - n;
}

static size_t put_hash(char *out, const struct hash *hash)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	memcpy(out, hex, HASH_HEX);
	return HASH_HEX;
}

size_t chain_line(struct chain_point *at, const char *body, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	if (len < 2 || body[0] != '{' || cap < CHAIN_PREFIX_MAX || len > cap - CHAIN_PREFIX_MAX)
		return 0;
	n += put_text(out + n, "{\"v\":1,\"seq\":");
	n += put_number(out + n, at->seq + 1, 1);
	n += put_text(out + n, ",\"prev\":\"");
	n += put_hash(out + n, &at->hash);
	n += put_text(out + n, body[1] == '}' ? "\"" : "\",");
	memcpy(out + n, body + 1, len - 1);
	n += len - 1;
	hash_bytes(out, n, &at->hash);
	out[n++] = '\n';
	at->seq++;
	at->offset += n;
	return n;
}

static bool take_text(const char **p, const char *end, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool take_number(const char **p, const char *end, uint64_t *ret)
{
	const char *first = *p;
	uint64_t value = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (unsigned)(**p - '0'), &value))
			return false;
	}
	*ret = value;
	return *p > first;
}

static bool take_hash(const char **p, const char *end, struct hash *ret)
{
	char hex[HASH_HEX + 1];

	if (end - *p < HASH_HEX)
		return false;
	memcpy(hex, *p, HASH_HEX);
	hex[HASH_HEX] = '\0';
	*p += HASH_HEX;
	return hash_from_hex(hex, ret) == 0;
}

int chain_parse_prefix(const char *line, size_t len, uint64_t *ret_seq, struct hash *ret_prev)
{
	const char *p = line, *end = line + len;
	uint64_t seq;
	struct hash prev;

	if (!take_text(&p, end, "{\"v\":1,\"seq\":") || !take_number(&p, end, &seq) ||
	    !take_text(&p, end, ",\"prev\":\"") || !take_hash(&p, end, &prev) ||
	    !take_text(&p, end, "\""))
		return -EINVAL;
	*ret_seq = seq;
	*ret_prev = prev;
	return 0;
}

int chain_parse_head(const char *text, size_t len, struct chain_point *ret)
{
	const char *p = text, *end = text + len;
	struct chain_point at;

	if (len != CHAIN_HEAD_TEXT || !take_text(&p, end, head_magic) ||
	    !take_number(&p, end, &at.seq) || !take_text(&p, end, " ") ||
	    !take_number(&p, end, &at.offset) || !take_text(&p, end, " ") ||
	    !take_hash(&p, end, &at.hash) || !take_text(&p, end, "\n") || p != end)
		return -EINVAL;
	*ret = at;
	return 0;
}

size_t chain_spell_head(const struct chain_point *at, char ret[CHAIN_HEAD_TEXT])
{
	size_t n = 0;

	n += put_text(ret + n, head_magic);
	n += put_number(ret + n, at->seq, 20);
	ret[n++] = ' ';
	n += put_number(ret + n, at->offset, 20);
	ret[n++] = ' ';
	n += put_hash(ret + n, &at->hash);
	ret[n++] = '\n';
	return n;
}
