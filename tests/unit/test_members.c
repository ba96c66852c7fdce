// SPDX-License-Identifier: Apache-2.0
/* The collector's tables: whose a number was at a time, whose a domain is, what waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "collect/domains.h"
#include "collect/held.h"
#include "collect/members.h"

static void test_members(void **state)
{
	struct members m = { .table = NULL };

	(void)state;
	assert_int_equal(members_init(&m), 0);
	members_begin(&m, 1000, false);
	assert_int_equal(members_get(&m, 5, 2000), 0);
	assert_int_equal(members_get(&m, -1, 2000), 0);
	assert_int_equal(members_get(&m, 0, 2000), 0);
	assert_int_equal(members_get(&m, MEMBERS_MAX, 2000), 0);
	members_put(&m, MEMBERS_MAX, 7, 2000);
	members_put(&m, -1, 7, 2000);
	members_ended(&m, -1, 2000);
	members_put(&m, MEMBERS_MAX - 1, 7, 2000);
	assert_int_equal(members_get(&m, MEMBERS_MAX - 1, 2100), 7);
	/* a first owner whose fork is younger than the record */
	members_put(&m, 5, 7, 2000);
	assert_int_equal(members_get(&m, 5, 1900), 7);
	/* who had the number before the table began may have made it */
	assert_int_equal(members_get(&m, 5, 900), MEMBERS_UNSURE);
	members_ended(&m, 5, 3000);
	members_put(&m, 5, 8, 4000);
	assert_int_equal(members_get(&m, 5, 2500), MEMBERS_UNSURE);
	assert_int_equal(members_get(&m, 5, 3000), MEMBERS_UNSURE);
	assert_int_equal(members_get(&m, 5, 3500), 8);
	assert_int_equal(members_get(&m, 5, 5000), 8);
	/* nobody's in between, with an end of its own */
	members_ended(&m, 5, 5000);
	members_put(&m, 5, 0, 5100);
	assert_int_equal(members_get(&m, 5, 6000), 0);
	members_ended(&m, 5, 7000);
	members_put(&m, 5, 0, 7100);
	members_ended(&m, 5, 8000);
	members_put(&m, 5, 9, 8100);
	assert_int_equal(members_get(&m, 5, 7500), MEMBERS_UNSURE);
	assert_int_equal(members_get(&m, 5, 8050), 9);
	assert_int_equal(members_owner(&m, 5), 9);
	members_put_first(&m, 6, 10);
	assert_int_equal(members_get(&m, 6, 1), 10);
	/* all that came before had been read */
	members_begin(&m, 9000, true);
	members_put(&m, 11, 12, 9100);
	assert_int_equal(members_get(&m, 11, 8000), 12);
	members_done(&m);
}

static bool lives_odd(void *ctx, uint32_t serial)
{
	(void)ctx;
	return serial % 2 == 1;
}

static void test_domains(void **state)
{
	struct domains *d = calloc(1, sizeof(*d));
	uint32_t serial = 0;
	unsigned refused = 0;

	(void)state;
	assert_non_null(d);
	assert_int_equal(domains_get(d, 1, &serial), DOMAINS_UNKNOWN);
	assert_true(domains_put(d, 1, 5, lives_odd, NULL));
	assert_int_equal(domains_get(d, 1, &serial), 1);
	assert_int_equal(serial, 5);
	assert_true(domains_put(d, 2, 0, lives_odd, NULL));
	assert_int_equal(domains_get(d, 2, &serial), DOMAINS_NOBODY);
	domains_drop(d, 1);
	domains_drop(d, 77);
	assert_int_equal(domains_get(d, 1, &serial), DOMAINS_UNKNOWN);
	/* full of those that live: refused, and none of them goes */
	for (uint64_t id = 100; id < 100 + 2 * DOMAINS_SETS * DOMAINS_WAYS; id++)
		refused += !domains_put(d, id, 7, lives_odd, NULL);
	assert_true(refused >= DOMAINS_SETS * DOMAINS_WAYS);
	assert_int_equal(domains_get(d, 100, &serial), 1);
	/* full of those that have gone: each has room */
	memset(d, 0, sizeof(*d));
	for (uint64_t id = 100; id < 100 + 2 * DOMAINS_SETS * DOMAINS_WAYS; id++)
		assert_true(domains_put(d, id, 8, lives_odd, NULL));
	/* nobodies go for somebody */
	memset(d, 0, sizeof(*d));
	for (uint64_t id = 100; id < 100 + 2 * DOMAINS_SETS * DOMAINS_WAYS; id++)
		assert_true(domains_put(d, id, 0, lives_odd, NULL));
	assert_true(domains_put(d, 1, 9, lives_odd, NULL));
	assert_int_equal(domains_get(d, 1, &serial), 1);
	free(d);
}

static void test_held(void **state)
{
	struct held *h = calloc(1, sizeof(*h));
	struct held_record *r;

	(void)state;
	assert_non_null(h);
	for (unsigned i = 0; i < HELD_MAX; i++)
		assert_null(held_put(h, HELD_FOR_DOMAIN, i % 8, 1, "x", 1, 1000 + i));
	r = held_put(h, HELD_FOR_PARENT, 1, 1, "y", 1, 1100);
	assert_non_null(r);
	assert_int_equal(r->since_ms, 1000);
	held_drop(h, r);
	assert_null(held_put(h, HELD_FOR_PARENT, 1, 1, "y", 1, 1100));
	r = held_find(h, HELD_FOR_DOMAIN, 0);
	assert_int_equal(r->since_ms, 1008);
	r = held_find(h, HELD_FOR_PARENT, 1);
	assert_int_equal(r->text[0], 'y');
	assert_null(held_find(h, HELD_FOR_PARENT, 2));
	assert_null(held_expired(h, 1000 + HELD_MS));
	assert_int_equal(held_expired(h, 1001 + HELD_MS)->since_ms, 1001);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
