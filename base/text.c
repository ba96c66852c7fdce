// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Parse leading digits; *end is set behind the last one. */
static int parse_leading(const char *text, uint64_t *ret, const char **end)
{
	const char *p = text;
	unsigned base = 10;
	uint64_t value = 0;
	const char *first;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	} else if (p[0] == '0' && p[1] >= '0' && p[1] <= '9') {
		base = 8;
		p += 1;
	}
	for (first = p; digit_value(*p) >= 0 && (unsigned)digit_value(*p) < base; p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (unsigned)digit_value(*p), &value))
			return -ERANGE;
	}
	if (p == first)
		return -EINVAL;
	*ret = value;
	*end = p;
	return 0;
}

int text_parse_u64(const char *text, uint64_t *ret)
{
	uint64_t value;
	const char *end;
	int r = parse_leading(text, &value, &end);

	if (r < 0)
		return r;
	if (*end != '\0')
		return -EINVAL;
	*ret = value;
	return 0;
}

int text_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	uint64_t value;
	const char *end, *unit;
	int r = parse_leading(text, &value, &end);

	if (r < 0)
		return r;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (!unit || end[1] != '\0')
			return -EINVAL;
		for (const char *u = units; u <= unit; u++) {
			if (__builtin_mul_overflow(value, UINT64_C(1024), &value))
				return -ERANGE;
		}
	}
	*ret = value;
	return 0;
}

int text_parse_duration_ms(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "", 1000 },   { "ms", 1 },	{ "s", 1000 },
		      { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	uint64_t value;
	const char *end;
	int r = parse_leading(text, &value, &end);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].ms, &value))
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_is_variable(const char *name, bool star)
{
	size_t len = strlen(name);

	if (star && len > 0 && name[len - 1] == '*')
		len--;
	return len > 0 && len < LIMIT_NAME && !(name[0] >= '0' && name[0] <= '9') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") >=
		       len;
}

size_t text_utf8_len(const unsigned char *p, size_t left)
{
	size_t n;
	uint32_t v, min;

	if (left == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if ((p[0] & 0xe0) == 0xc0) {
		n = 2;
		v = p[0] & 0x1fU;
		min = 0x80;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3;
		v = p[0] & 0x0fU;
		min = 0x800;
	} else if ((p[0] & 0xf8) == 0xf0) {
		n = 4;
		v = p[0] & 0x07U;
		min = 0x10000;
	} else {
		return 0;
	}
	if (left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fU);
	}
	if (v < min || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	return n;
}

bool text_is_shown(const unsigned char *p, size_t n)
{
	if (n == 1)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (n == 2) /* C1 drives terminals too; U+061C is the bidirectional control of two bytes */
		return !(p[0] == 0xc2 && p[1] < 0xa0) && !(p[0] == 0xd8 && p[1] == 0x9c);
	if (n != 3)
		return n == 4;
	if (p[0] == 0xe2 && p[1] == 0x80)
		return !((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae));
	if (p[0] == 0xe2 && p[1] == 0x81)
		return !(p[2] >= 0xa0 && p[2] <= 0xaf);
	return !(p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf);
}

int text_escape(struct buf *buf, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	size_t i = 0;
	int r = 0;

	while (i < len && r == 0) {
		size_t n = text_utf8_len(p + i, len - i);

		if (n == 1 && p[i] == '\\') {
			r = buf_put(buf, "\\\\", 2);
			i += 1;
		} else if (!text_is_shown(p + i, n)) {
			size_t bad = n > 1 ? n : 1;

			for (size_t k = 0; k < bad && r == 0; k++)
				r = buf_printf(buf, "\\x%02x", p[i + k]);
			i += bad;
		} else {
			r = buf_put(buf, p + i, n);
			i += n;
		}
	}
	return r;
}

unsigned text_distance(const char *a, const char *b, unsigned cap)
{
	unsigned row[LIMIT_NAME + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (nb > LIMIT_NAME || na > LIMIT_NAME)
		return cap;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb] < cap ? row[nb] : cap;
}
