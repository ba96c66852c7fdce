// SPDX-License-Identifier: Apache-2.0
#include "audit/scan.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four digits, or -1. */
static int32_t hex4(const char *p, const char *end)
{
	int32_t value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		if (hex_value(p[i]) < 0)
			return -1;
		value = value << 4 | hex_value(p[i]);
	}
	return value;
}

/* Behind the escape that begins with the backslash at p; NULL when it is none. *ret_code is the
 * character. A surrogate needs its pair. */
static const char *escape(const char *p, const char *end, uint32_t *ret_code)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;
	int32_t high, low;

	if (end - p < 2)
		return NULL;
	if (p[1] != 'u') {
		known = p[1] ? strchr(from, p[1]) : NULL;
		if (!known)
			return NULL;
		*ret_code = (unsigned char)to[known - from];
		return p + 2;
	}
	high = hex4(p + 2, end);
	if (high < 0 || (high & 0xfc00) == 0xdc00)
		return NULL;
	p += 6;
	if ((high & 0xfc00) != 0xd800) {
		*ret_code = (uint32_t)high;
		return p;
	}
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return NULL;
	low = hex4(p + 2, end);
	if (low < 0 || (low & 0xfc00) != 0xdc00)
		return NULL;
	*ret_code = 0x10000U + (((uint32_t)high & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
	return p + 6;
}

/* Whether eight bytes are shown ASCII but neither quote nor backslash: a reader of a million
 * records spends its time here. The tests on bytes at once are exact as a yes or no. */
static bool are_plain(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t v, quote, slash, del;

	memcpy(&v, p, sizeof(v));
	quote = v ^ ones * '"';
	slash = v ^ ones * '\\';
	del = v ^ ones * 0x7f;
	return ((v | ((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) |
		 ((slash - ones) & ~slash) | ((del - ones) & ~del)) &
		high) == 0;
}

static const char *skip_string(const char *p, const char *end)
{
	uint32_t code;

	if (p == end || *p != '"')
		return NULL;
	for (p++; p && p < end;) {
		/* nearly all of it */
		while (end - p >= 8 && are_plain(p))
			p += 8;
		while (p < end && (unsigned char)*p - 0x20U < 0x5f && *p != '"' && *p != '\\')
			p++;
		if (p == end)
			return NULL;
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			p = escape(p, end, &code);
		} else if ((unsigned char)*p < 0x20) {
			return NULL;
		} else {
			size_t n = text_utf8_len((const unsigned char *)p, (size_t)(end - p));

			if (n == 0)
				return NULL;
			p += n;
		}
	}
	return NULL;
}

static const char *skip_digits(const char *p, const char *end)
{
	const char *first = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > first ? p : NULL;
}

static const char *skip_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if (!(p = skip_digits(p, end)))
		return NULL;
	if (p < end && *p == '.' && !(p = skip_digits(p + 1, end)))
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

static const char *skip_word(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n : NULL;
}

static const char *skip_value(const char *p, const char *end, unsigned depth, enum scan_kind *kind);

static const char *skip_nested(const char *p, const char *end, unsigned depth, char close)
{
	enum scan_kind kind;

	if (depth >= SCAN_DEPTH)
		return NULL;
	p++;
	if (p < end && *p == close)
		return p + 1;
	while (p < end) {
		if (close == '}') {
			p = skip_string(p, end);
			if (!p || p == end || *p != ':')
				return NULL;
			p++;
		}
		p = skip_value(p, end, depth + 1, &kind);
		if (!p || p == end)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return NULL;
		p++;
	}
	return NULL;
}

static const char *skip_value(const char *p, const char *end, unsigned depth, enum scan_kind *kind)
{
	if (p >= end)
		return NULL;
	switch (*p) {
	case '{':
		*kind = SCAN_OBJECT;
		return skip_nested(p, end, depth, '}');
	case '[':
		*kind = SCAN_ARRAY;
		return skip_nested(p, end, depth, ']');
	case '"':
		*kind = SCAN_STRING;
		return skip_string(p, end);
	case 't':
		*kind = SCAN_TRUE;
		return skip_word(p, end, "true");
	case 'f':
		*kind = SCAN_FALSE;
		return skip_word(p, end, "false");
	case 'n':
		*kind = SCAN_NULL;
		return skip_word(p, end, "null");
	default:
		*kind = SCAN_NUMBER;
		return skip_number(p, end);
	}
}

int scan_text(const char *text, size_t len, struct scan *ret)
{
	enum scan_kind kind;
	const char *end = skip_value(text, text + len, 0, &kind);

	if (!end || end != text + len)
		return -EINVAL;
	*ret = (struct scan){ .kind = kind, .p = text, .len = len };
	return 0;
}

void scan_begin(const struct scan *container, struct scan_iter *ret)
{
	bool nested = container->kind == SCAN_OBJECT || container->kind == SCAN_ARRAY;

	ret->p = container->p + 1;
	ret->end = nested ? container->p + container->len - 1 : ret->p;
}

bool scan_next(struct scan_iter *iter, struct scan *key, struct scan *value)
{
	const char *p = iter->p, *end = iter->end;

	if (p >= end)
		return false;
	/* The container was valid as a whole, so a string before a colon is a key. */
	if (*p == '"') {
		const char *q = skip_string(p, end);

		if (!q)
			return false;
		if (q < end && *q == ':') {
			if (key)
				*key = (struct scan){ SCAN_STRING, p, (size_t)(q - p) };
			p = q + 1;
		}
	}
	iter->p = skip_value(p, end, 0, &value->kind);
	if (!iter->p) {
		iter->p = end;
		return false;
	}
	value->p = p;
	value->len = (size_t)(iter->p - p);
	if (iter->p < end)
		iter->p++; /* the comma */
	return true;
}

bool scan_is(const struct scan *value, const char *text)
{
	size_t n = strlen(text);

	return value->kind == SCAN_STRING && value->len == n + 2 &&
	       memcmp(value->p + 1, text, n) == 0;
}

bool scan_get(const struct scan *object, const char *key, struct scan *ret)
{
	struct scan_iter iter;
	struct scan k, v;

	if (object->kind != SCAN_OBJECT)
		return false;
	for (scan_begin(object, &iter); scan_next(&iter, &k, &v);) {
		if (scan_is(&k, key)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static size_t put_utf8(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

size_t scan_string(const struct scan *value, char *buf, size_t cap)
{
	const char *p, *end;
	size_t len = 0;

	if (cap == 0)
		return 0;
	buf[0] = '\0';
	if (value->kind != SCAN_STRING)
		return 0;
	end = value->p + value->len - 1;
	for (p = value->p + 1; p < end;) {
		char out[4] = { *p };
		size_t n = 1;
		uint32_t code;

		if (*p == '\\') {
			p = escape(p, end, &code);
			if (!p)
				break;
			n = put_utf8(code, out);
		} else {
			p++;
		}
		if (n >= cap - len)
			break;
		memcpy(buf + len, out, n);
		len += n;
	}
	buf[len] = '\0';
	return len;
}

int scan_u64(const struct scan *value, uint64_t *ret)
{
	uint64_t v = 0;

	if (value->kind != SCAN_NUMBER)
		return -EINVAL;
	for (size_t i = 0; i < value->len; i++) {
		char c = value->p[i];

		if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (unsigned)(c - '0'), &v))
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

int scan_get_u64(const struct scan *object, const char *key, uint64_t *ret)
{
	struct scan value;

	return scan_get(object, key, &value) ? scan_u64(&value, ret) : -EINVAL;
}

bool scan_get_string(const struct scan *object, const char *key, char *buf, size_t cap)
{
	struct scan value;

	if (cap > 0)
		buf[0] = '\0';
	if (!scan_get(object, key, &value) || value.kind != SCAN_STRING)
		return false;
	(void)scan_string(&value, buf, cap);
	return true;
}
