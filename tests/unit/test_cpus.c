// SPDX-License-Identifier: Apache-2.0
/* Lists of processors: what is one, what is none, and that a set survives its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cpus.h"
#include "base/fd.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text, *canonical;
		unsigned count;
	} good[] = {
		{ "0", "0", 1 },       { "0-1,3", "0-1,3", 3 },	     { "3,1,0", "0-1,3", 3 },
		{ "7-7", "7", 1 },     { "0-3,2-5,4", "0-5", 6 },    { "63-64", "63-64", 2 },
		{ "1023", "1023", 1 }, { "0-1023", "0-1023", 1024 }, { "007", "7", 1 },
	};
	static const char *const bad[] = { "",	      ",",     "1,",  ",1",  "-1",   "1-",    "3-1",
					   "1--2",    "1-2-3", "0x1", "1 2", " 1",   "1 ",    "a",
					   "0-3:1/2", "all",   "+1",  "1.5", "1,,2", "5000-1" };
	static const char *const large[] = { "1024",	   "0-1024",
					     "4294967296", "99999999999999999999999",
					     "1024-1024",  "3,1024" };
	char text[CPUS_TEXT];
	struct cpus cpus;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(cpus_parse(good[i].text, &cpus), 0);
		assert_string_equal(cpus_format(&cpus, text), good[i].canonical);
		assert_int_equal(cpus_count(&cpus), good[i].count);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (cpus_parse(bad[i], &cpus) != -EINVAL)
			fail_msg("'%s' is taken for a list", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		assert_int_equal(cpus_parse(large[i], &cpus), -ERANGE);
	/* untouched by all of those */
	assert_string_equal(cpus_format(&cpus, text), "7");
	assert_int_equal(cpus_parse_known("0,1020-2000,4096", &cpus), 0);
	assert_string_equal(cpus_format(&cpus, text), "0,1020-1023");
	assert_int_equal(cpus_parse_known("", &cpus), 0);
	assert_int_equal(cpus_count(&cpus), 0);
	assert_int_equal(cpus_parse_known("x", &cpus), -EINVAL);
}

static void test_sets(void **state)
{
	struct cpus a, b, none = { { 0 } };
	char text[CPUS_TEXT];

	(void)state;
	assert_int_equal(cpus_parse("0-3,100", &a), 0);
	assert_int_equal(cpus_parse("2-3", &b), 0);
	assert_true(cpus_within(&b, &a));
	assert_false(cpus_within(&a, &b));
	assert_true(cpus_within(&none, &b));
	assert_false(cpus_equal(&a, &b));
	a = cpus_both(&a, &b);
	assert_true(cpus_equal(&a, &b));
	assert_string_equal(cpus_format(&none, text), "");
	assert_int_equal(cpus_count(&none), 0);
}

/* The longest texts, and sets by chance: written and read again they are the same. */
static void test_round_trip(void **state)
{
	uint64_t random = 0x9e3779b97f4a7c15U;
	char text[CPUS_TEXT];
	struct cpus pairs = { { 0 } }, again;

	(void)state;
	for (unsigned i = 0; i < LIMIT_CPUS; i++) {
		if (i % 3 != 0)
			pairs.bits[i / 64] |= UINT64_C(1) << i % 64;
	}
	assert_int_equal(strlen(cpus_format(&pairs, text)), 2671);
	assert_int_equal(cpus_parse(text, &again), 0);
	assert_true(cpus_equal(&pairs, &again));
	for (unsigned round = 0; round < 2000; round++) {
		struct cpus cpus;

		for (size_t i = 0; i < ARRAY_SIZE(cpus.bits); i++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			cpus.bits[i] = random;
		}
		cpus.bits[0] |= 1;
		assert_int_equal(cpus_parse(cpus_format(&cpus, text), &again), 0);
		assert_true(cpus_equal(&cpus, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("cpus", tests, NULL, NULL);
}
