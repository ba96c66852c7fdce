// SPDX-License-Identifier: Apache-2.0
#include "base/cpus.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(LIMIT_CPUS % 64 == 0, "words hold whole sets");

/* Digits only. Returns their end, NULL without any; *ret is LIMIT_CPUS for whatever is more. */
static const char *read_number(const char *p, unsigned *ret)
{
	unsigned value = 0;

	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value > LIMIT_CPUS)
			value = LIMIT_CPUS;
	}
	*ret = value;
	return p;
}

static bool has(const struct cpus *cpus, unsigned i)
{
	return i < LIMIT_CPUS && (cpus->bits[i / 64] >> i % 64 & 1);
}

static int parse(const char *text, struct cpus *ret, bool *ret_too_large)
{
	struct cpus cpus = { { 0 } };
	bool too_large = false;

	for (const char *p = text;;) {
		unsigned first = 0, last;

		p = read_number(p, &first);
		last = first;
		if (p && *p == '-')
			p = read_number(p + 1, &last);
		if (!p || last < first || (*p != ',' && *p != '\0'))
			return -EINVAL;
		too_large = too_large || last >= LIMIT_CPUS;
		for (unsigned i = first; i <= last && i < LIMIT_CPUS; i++)
			cpus.bits[i / 64] |= UINT64_C(1) << i % 64;
		if (*p++ == '\0')
			break;
	}
	*ret_too_large = too_large;
	*ret = cpus;
	return 0;
}

int cpus_parse(const char *text, struct cpus *ret)
{
	struct cpus cpus;
	bool too_large;
	int r = parse(text, &cpus, &too_large);

	if (r < 0)
		return r;
	if (too_large)
		return -ERANGE;
	*ret = cpus;
	return 0;
}

int cpus_parse_known(const char *text, struct cpus *ret)
{
	bool too_large;

	if (*text)
		return parse(text, ret, &too_large);
	*ret = (struct cpus){ { 0 } };
	return 0;
}

const char *cpus_format(const struct cpus *cpus, char ret[CPUS_TEXT])
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < LIMIT_CPUS; i++) {
		unsigned first = i;

		if (!has(cpus, i))
			continue;
		while (has(cpus, i + 1))
			i++;
		n += (size_t)snprintf(ret + n, CPUS_TEXT - n, first == i ? "%s%u" : "%s%u-%u",
				      n ? "," : "", first, i);
	}
	return ret;
}

unsigned cpus_count(const struct cpus *cpus)
{
	unsigned n = 0;

	for (size_t i = 0; i < LIMIT_CPUS / 64; i++)
		n += (unsigned)__builtin_popcountll(cpus->bits[i]);
	return n;
}

bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
	return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

bool cpus_within(const struct cpus *inner, const struct cpus *outer)
{
	const struct cpus both = cpus_both(inner, outer);

	return cpus_equal(&both, inner);
}

struct cpus cpus_both(const struct cpus *a, const struct cpus *b)
{
	struct cpus both;

	for (size_t i = 0; i < LIMIT_CPUS / 64; i++)
		both.bits[i] = a->bits[i] & b->bits[i];
	return both;
}
