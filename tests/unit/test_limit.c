// SPDX-License-Identifier: Apache-2.0
/* The limits' values as text: bounds of each kind, and that what is written is read the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "policies/limit.h"

static void test_values(void **state)
{
	static const struct {
		enum policy_limit which;
		const char *text;
		uint64_t value;	     /* UINT64_MAX: it is refused */
		const char *written; /* NULL: as read */
	} cases[] = {
		{ POLICY_LIMIT_PIDS, "1", 1, NULL },
		{ POLICY_LIMIT_PIDS, "4194304", 1 << 22, NULL },
		{ POLICY_LIMIT_PIDS, "4194305", UINT64_MAX, NULL },
		{ POLICY_LIMIT_PIDS, "0", UINT64_MAX, NULL },
		{ POLICY_LIMIT_PIDS, "4K", UINT64_MAX, NULL },
		{ POLICY_LIMIT_MEMORY, "32M", 32 << 20, NULL },
		{ POLICY_LIMIT_MEMORY, "2048", 2048, "2K" },
		{ POLICY_LIMIT_MEMORY, "1025", 1025, NULL },
		{ POLICY_LIMIT_MEMORY, "1024G", 1ULL << 40, "1T" },
		{ POLICY_LIMIT_MEMORY, "0", UINT64_MAX, NULL },
		{ POLICY_LIMIT_MEMORY_HIGH, "24M", 24 << 20, NULL },
		{ POLICY_LIMIT_MEMORY_HIGH, "0", UINT64_MAX, NULL },
		{ POLICY_LIMIT_SWAP, "0", 0, NULL },
		{ POLICY_LIMIT_SWAP, "1G", 1 << 30, NULL },
		{ POLICY_LIMIT_SWAP, "9223372036854775808", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPU, "1.5", 1500, NULL },
		{ POLICY_LIMIT_CPU, "2", 2000, NULL },
		{ POLICY_LIMIT_CPU, "2.000", 2000, "2" },
		{ POLICY_LIMIT_CPU, "0.001", 1, NULL },
		{ POLICY_LIMIT_CPU, "0.000", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPU, "2.", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPU, ".5", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPU, "1.2345", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPU, "-1", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPU, "18446744073709551615", UINT64_MAX, NULL },
		{ POLICY_LIMIT_WALL, "90s", 90000, NULL },
		{ POLICY_LIMIT_WALL, "120s", 120000, "2m" },
		{ POLICY_LIMIT_WALL, "48h", 172800000, "2d" },
		{ POLICY_LIMIT_WALL, "1001ms", 1001, NULL },
		{ POLICY_LIMIT_CPU_WEIGHT, "1", 1, NULL },
		{ POLICY_LIMIT_CPU_WEIGHT, "10000", 10000, NULL },
		{ POLICY_LIMIT_CPU_WEIGHT, "10001", UINT64_MAX, NULL },
		{ POLICY_LIMIT_IO_WEIGHT, "0", UINT64_MAX, NULL },
		{ POLICY_LIMIT_IO_WEIGHT, "500", 500, NULL },
		{ POLICY_LIMIT_CPUSET, "3,0-1", 3, "0-1,3" },
		{ POLICY_LIMIT_CPUSET, "1023", 1, NULL },
		{ POLICY_LIMIT_CPUSET, "1024", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPUSET, "", UINT64_MAX, NULL },
		{ POLICY_LIMIT_CPUSET, "none", UINT64_MAX, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *want = cases[i].written ? cases[i].written : cases[i].text;
		char text[CPUS_TEXT];
		struct cpus cpus = { { 0 } };
		uint64_t value = 12345;
		int r = limit_parse(cases[i].which, cases[i].text, &value, &cpus);

		if (cases[i].value == UINT64_MAX) {
			if (r >= 0 || value != 12345 || cpus_count(&cpus) != 0)
				fail_msg("%s=%s is taken", limit_name(cases[i].which),
					 cases[i].text);
			continue;
		}
		if (r < 0 || value != cases[i].value)
			fail_msg("%s=%s is read as %llu", limit_name(cases[i].which), cases[i].text,
				 (unsigned long long)value);
		assert_string_equal(limit_text(cases[i].which, value, &cpus, text), want);
		assert_int_equal(limit_parse(cases[i].which, text, &value, &cpus), 0);
		assert_true(value == cases[i].value);
	}
}

/* Of any number the text is read as that number again. */
static void test_round_trip(void **state)
{
	uint64_t random = 0x2545f4914f6cdd1dU;
	char text[CPUS_TEXT];

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
			/* the top byte says how many bits, so that small numbers are met, too */
			uint64_t value = random >> 1 >> random % 63, again = 0;
			const char *written;

			if (i == POLICY_LIMIT_CPUSET)
				continue;
			written = limit_text((enum policy_limit)i, value, NULL, text);
			if (limit_parse((enum policy_limit)i, written, &again, NULL) == 0 &&
			    again != value)
				fail_msg("%llu is written as %s", (unsigned long long)value,
					 written);
			if ((i == POLICY_LIMIT_MEMORY || i == POLICY_LIMIT_WALL) && value != 0)
				assert_true(again == value);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(limit_name(POLICY_LIMIT_PIDS), "pids");
	assert_string_equal(limit_name(POLICY_LIMIT_CPUSET), "cpuset");
	assert_string_equal(limit_name(_POLICY_LIMIT_MAX), "?");
	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(limit_name((enum policy_limit)i),
						limit_name((enum policy_limit)k));
		assert_non_null(limit_kind((enum policy_limit)i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
