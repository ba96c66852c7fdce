// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <string.h>

#include "base/text.h"

void json_init(struct json *j, char *buf, size_t cap)
{
	*j = (struct json){ .buf = buf, .cap = cap };
	if (cap == 0)
		j->overflow = true;
}

static void put(struct json *j, const char *s, size_t n)
{
	if (j->overflow || n >= j->cap - j->len) {
		j->overflow = true;
		return;
	}
	memcpy(j->buf + j->len, s, n);
	j->len += n;
	j->buf[j->len] = '\0';
}

static void put_key(struct json *j, const char *key)
{
	if (j->started & (1U << j->depth))
		put(j, ",", 1);
	j->started |= 1U << j->depth;
	if (key) {
		put(j, "\"", 1);
		put(j, key, strlen(key));
		put(j, "\":", 2);
	}
}

static void nest(struct json *j, const char *key, char open)
{
	put_key(j, key);
	put(j, &open, 1);
	if (j->depth >= 16) {
		j->overflow = true;
		return;
	}
	j->depth++;
	j->started &= ~(1U << j->depth);
}

static void unnest(struct json *j, char close)
{
	if (j->depth == 0) {
		j->overflow = true;
		return;
	}
	j->depth--;
	put(j, &close, 1);
}

void json_object(struct json *j, const char *key)
{
	nest(j, key, '{');
}

void json_object_end(struct json *j)
{
	unnest(j, '}');
}

void json_array(struct json *j, const char *key)
{
	nest(j, key, '[');
}

void json_array_end(struct json *j)
{
	unnest(j, ']');
}

static void put_escaped_byte(struct json *j, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	char s[5] = { '\\', '\\', 'x', digits[c >> 4], digits[c & 15] };

	put(j, s, sizeof(s));
}

void json_bytes(struct json *j, const char *key, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	size_t i = 0;

	put_key(j, key);
	put(j, "\"", 1);
	while (i < len && !j->overflow) {
		size_t n = text_utf8_len(p + i, len - i);

		if (n == 1 && text_is_shown(p + i, n)) {
			if (p[i] == '"')
				put(j, "\\\"", 2);
			else if (p[i] == '\\')
				put(j, "\\\\\\\\", 4);
			else
				put(j, (const char *)p + i, 1);
			i += 1;
		} else if (n > 1 && text_is_shown(p + i, n)) {
			put(j, (const char *)p + i, n);
			i += n;
		} else {
			size_t bad = n > 1 ? n : 1;

			for (size_t k = 0; k < bad; k++)
				put_escaped_byte(j, p[i + k]);
			i += bad;
		}
	}
	put(j, "\"", 1);
}

void json_string(struct json *j, const char *key, const char *text)
{
	if (!text) {
		put_key(j, key);
		put(j, "null", 4);
		return;
	}
	json_bytes(j, key, text, strlen(text));
}

static void put_u64(struct json *j, uint64_t value)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	put(j, digits + n, sizeof(digits) - n);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	put_u64(j, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	put_key(j, key);
	if (value < 0)
		put(j, "-", 1);
	put_u64(j, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_hex(struct json *j, const char *key, uint64_t value)
{
	char s[16];
	size_t n = sizeof(s);

	put_key(j, key);
	do {
		s[--n] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value > 0);
	put(j, "\"0x", 3);
	put(j, s + n, sizeof(s) - n);
	put(j, "\"", 1);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	if (value)
		put(j, "true", 4);
	else
		put(j, "false", 5);
}

size_t json_finish(struct json *j)
{
	if (j->overflow || j->depth != 0)
		return 0;
	return j->len;
}
