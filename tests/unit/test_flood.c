// SPDX-License-Identifier: Apache-2.0
/* What is counted is counted once, and the most frequent kinds are known at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "audit/flood.h"

static struct flood *new_flood(void)
{
	struct flood *flood = calloc(1, sizeof(*flood));

	assert_non_null(flood);
	flood_init(flood, 0);
	return flood;
}

static void take(struct flood *flood, int32_t nr, unsigned times)
{
	const struct flood_key key = { .rule = UINT32_MAX, .nr = nr, .errno_value = 1 };

	for (unsigned i = 0; i < times; i++)
		(void)flood_take(flood, &key, "f", 7, 0);
}

static void test_nothing(void **state)
{
	const struct flood_slot *top[3];
	struct flood *flood = new_flood();

	(void)state;
	assert_int_equal(flood_top(flood, top, 3), 0);
	free(flood);
}

static void test_order(void **state)
{
	const struct flood_slot *top[3];
	struct flood *flood = new_flood();

	(void)state;
	take(flood, 5, 30);
	take(flood, 6, 1000);
	take(flood, 7, 1);
	assert_int_equal(flood_top(flood, top, 2), 2);
	assert_int_equal(top[0]->key.nr, 6);
	assert_int_equal(top[1]->key.nr, 5);
	take(flood, 8, 500);
	take(flood, 7, 2000);
	assert_int_equal(flood_top(flood, top, 3), 3);
	assert_int_equal(top[0]->key.nr, 7);
	assert_int_equal(top[0]->total, 2001);
	assert_int_equal(top[1]->key.nr, 6);
	assert_int_equal(top[2]->key.nr, 8);
	free(flood);
}

/* Told summaries take nothing away, and a key that found no slot is in no other's total. */
static void test_totals_stay(void **state)
{
	const struct flood_slot *top[FLOOD_SLOTS];
	struct flood *flood = new_flood();
	uint64_t total = 0;
	size_t n;

	(void)state;
	for (int32_t nr = 0; nr < FLOOD_KEYS + 100; nr++)
		take(flood, nr, FLOOD_BURST + 5);
	while (flood_pending(flood))
		flood_told(flood);
	n = flood_top(flood, top, FLOOD_SLOTS);
	assert_int_equal(n, FLOOD_KEYS);
	for (size_t i = 0; i < n; i++)
		total += top[i]->total;
	assert_int_equal(total, (uint64_t)FLOOD_KEYS * (FLOOD_BURST + 5));
	assert_int_equal(flood->other.total, 100 * (FLOOD_BURST + 5));
	free(flood);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_totals_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
