// SPDX-License-Identifier: Apache-2.0
/* What is counted is counted once, and the most frequent kinds are known at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "audit/flood.h"

static struct flood *new_flood(void)
{
	struct flood *flood = calloc(1, sizeof(*flood));

	assert_non_null(flood);
	flood_init(flood, FLOOD_MINUTE, 0);
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

/* A payload that goes round n kinds, a thousand denials a second: bytes of full records and
 * summaries in each second, what the end brings in the last. */
enum { SECONDS = 120, RECORD = 900, SUMMARY = 600 };

struct spent {
	uint64_t bytes[SECONDS + 1];
	uint64_t made, told;
};

static void tell(struct flood *flood, struct spent *spent, unsigned second, uint64_t now_ms,
		 bool all)
{
	struct flood_slot *slot;

	while ((slot = flood_pending(flood)) && (all || flood_affords(flood, now_ms))) {
		spent->told += slot->count;
		spent->bytes[second] += SUMMARY;
		flood_pay(flood, SUMMARY);
		flood_told(flood);
	}
}

static void flood_for(struct flood *flood, unsigned seconds, int32_t n_kinds, struct spent *spent)
{
	struct flood_key key = { .rule = 1, .errno_value = 1 };

	for (unsigned s = 0; s < seconds; s++) {
		for (unsigned i = 0; i < 1000; i++) {
			uint64_t now_ms = s * 1000 + i;

			spent->made++;
			if (flood_take(flood, &key, "f", 7, now_ms)) {
				spent->told++;
				spent->bytes[s] += RECORD;
				flood_pay(flood, RECORD);
			}
			key.nr = (key.nr + 1) % n_kinds;
		}
		tell(flood, spent, s, (s + 1) * 1000, false);
	}
}

static uint64_t most_in_a_minute(const struct spent *spent)
{
	uint64_t most = 0;

	for (unsigned from = 0; from + 60 <= SECONDS; from++) {
		uint64_t sum = 0;

		for (unsigned s = from; s < from + 60; s++)
			sum += spent->bytes[s];
		most = sum > most ? sum : most;
	}
	return most;
}

static void test_no_minute_has_more_than_its_bytes(void **state)
{
	static const int32_t kinds[] = { 1, 20, 300, FLOOD_KEYS, FLOOD_KEYS + 700 };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		unsigned seconds = i % 2 ? SECONDS : SECONDS / 2;
		struct flood *flood = new_flood();
		struct spent spent = { .made = 0 };

		flood_for(flood, seconds, kinds[i / 2], &spent);
		tell(flood, &spent, seconds - 1, seconds * 1000, true);
		assert_in_range(most_in_a_minute(&spent), 1, FLOOD_MINUTE);
		assert_int_equal(spent.told, spent.made);
		free(flood);
	}
}

/* The twin: who gives more gets more, or the bound could come from anywhere. */
static void test_a_larger_minute_has_more(void **state)
{
	struct flood *flood = new_flood();
	struct spent spent = { .made = 0 };

	(void)state;
	flood_init(flood, 16 * FLOOD_MINUTE, 0);
	flood_for(flood, SECONDS, FLOOD_KEYS, &spent);
	tell(flood, &spent, SECONDS - 1, SECONDS * 1000, true);
	assert_in_range(most_in_a_minute(&spent), 2 * FLOOD_MINUTE, 16 * FLOOD_MINUTE);
	assert_int_equal(spent.told, spent.made);
	free(flood);
}

/* In the middle of a flood a call of another kind has a record of its own, and each count its
 * turn. */
static void test_a_flood_hides_nothing_new(void **state)
{
	struct flood *flood = new_flood();
	struct spent spent = { .made = 0 };
	unsigned taken = 0;

	(void)state;
	flood_for(flood, SECONDS, FLOOD_KEYS - 50, &spent);
	for (int32_t nr = 1000; nr < 1040; nr++) {
		const struct flood_key key = { .rule = 2, .nr = nr };

		if (flood_take(flood, &key, "f", 8, SECONDS * 1000)) {
			flood_pay(flood, RECORD);
			taken++;
		}
	}
	assert_int_equal(taken, 40);
	/* and each that is counted is told within the time that the drops take */
	for (unsigned s = 0; s < 120; s++) {
		uint64_t before = spent.told;

		tell(flood, &spent, SECONDS - 1, (SECONDS + s) * 1000, false);
		assert_true(s < 10 || spent.told > before || !flood_pending(flood));
	}
	assert_null(flood_pending(flood));
	assert_int_equal(spent.told, spent.made);
	free(flood);
}

static void test_counts_take_turns(void **state)
{
	struct flood *flood = new_flood();

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		for (int32_t nr = 0; nr < 3; nr++)
			take(flood, nr, round == 0 ? FLOOD_BURST + 1 : 1);
		/* told once, and counted again: it goes behind the others */
		for (unsigned i = 0; i < 2; i++) {
			int32_t nr = flood_pending(flood)->key.nr;

			assert_int_equal(nr, (2 * round + i) % 3);
			flood_told(flood);
			take(flood, nr, 1);
		}
	}
	free(flood);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_totals_stay),
		cmocka_unit_test(test_no_minute_has_more_than_its_bytes),
		cmocka_unit_test(test_a_larger_minute_has_more),
		cmocka_unit_test(test_a_flood_hides_nothing_new),
		cmocka_unit_test(test_counts_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
