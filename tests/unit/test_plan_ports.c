// SPDX-License-Identifier: Apache-2.0
/* Ports of a policy in a plan: rules by ABI, and refused where the ABI has no right for them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sys.h"
#include "profiles/landlock.h"
#include "tests/unit/plan_case.h"

static struct plan_case *new (const char *lines, int abi)
{
	struct plan_case *c = case_new(lines, NULL);

	c->host.landlock_abi = abi;
	return c;
}

/* 0: any ABI does. */
static void test_first_abi(void **state)
{
	static const struct {
		const char *lines;
		int abi;
		uint64_t handled;
		size_t n;
	} cases[] = {
		{ "net loopback\n", 0, 0, 0 },
		{ "net loopback\nnet connect tcp any\n", 0, 0, 0 },
		{ "net loopback\nnet connect tcp 443\n", 4, SYS_LANDLOCK_NET_CONNECT_TCP, 1 },
		{ "net host\nnet bind tcp 80 8000-8010\n", 4, SYS_LANDLOCK_NET_BIND_TCP, 2 },
		{ "net host\nnet connect udp 53\n", 10, SYS_LANDLOCK_NET_CONNECT_SEND_UDP, 1 },
		{ "net host\nnet bind udp 53\n", 10, SYS_LANDLOCK_NET_BIND_UDP, 1 },
		/* sockets of both are there, and each direction is closed to what it does not name
		 */
		{ "net host\nnet connect tcp 443\nnet bind udp any\n", 10,
		  SYS_LANDLOCK_NET_CONNECT_TCP | SYS_LANDLOCK_NET_CONNECT_SEND_UDP |
			  SYS_LANDLOCK_NET_BIND_TCP,
		  1 },
		{ "net host\nnet connect tcp 443\nnet connect udp any\n", 4,
		  SYS_LANDLOCK_NET_CONNECT_TCP, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int abi = 0; abi <= LANDLOCK_NEWEST_ABI + 1; abi++) {
			struct plan_case *c = new (cases[i].lines, abi);

			if (abi < cases[i].abi) {
				case_make_refused(c, -EINVAL, "test.policy:6: this kernel cannot");
				assert_non_null(strstr(c->err.hint, "any"));
			} else {
				case_make_good(c);
				assert_int_equal(c->plan->landlock_net, cases[i].handled);
				assert_int_equal(c->plan->n_ports, cases[i].n);
			}
			case_free(c);
		}
	}
}

static void test_rules(void **state)
{
	struct plan_case *c =
		new ("net loopback\nnet bind tcp 8000-8010\nnet connect tcp 443\n", 7);

	(void)state;
	case_make_good(c);
	assert_int_equal(c->plan->n_ports, 2);
	assert_int_equal(c->plan->ports[0].right, SYS_LANDLOCK_NET_CONNECT_TCP);
	assert_int_equal(c->plan->ports[0].first, 443);
	assert_int_equal(c->plan->ports[0].last, 443);
	assert_string_equal(c->plan->ports[0].why, "test.policy:7");
	assert_int_equal(c->plan->ports[1].right, SYS_LANDLOCK_NET_BIND_TCP);
	assert_int_equal(c->plan->ports[1].last, 8010);
	assert_string_equal(c->plan->ports[1].why, "test.policy:6");
	case_free(c);
}

/* A namespace without an interface has no ports, whatever the policy says of them. */
static void test_net_none(void **state)
{
	struct plan_case *c = new ("net loopback\nnet connect tcp 443\n", 7);

	(void)state;
	c->req.net = POLICY_NET_NONE;
	case_make_good(c);
	assert_int_equal(c->plan->landlock_net,
			 SYS_LANDLOCK_NET_CONNECT_TCP | SYS_LANDLOCK_NET_BIND_TCP);
	assert_int_equal(c->plan->n_ports, 0);
	case_free(c);
}

static void test_bound(void **state)
{
	struct plan_case *c = new ("net host\nnet bind tcp 1000-5095\n", 7);

	(void)state;
	case_make_good(c); /* exactly as many as may be */
	case_free(c);
	c = new ("net host\nnet bind tcp 1000-5096\n", 7);
	case_make_refused(c, -EINVAL, "more than 4096 ports");
	case_free(c);
	c = new ("net host\nnet bind tcp 1000-5095\nnet connect tcp 1\n", 7);
	case_make_refused(c, -EINVAL, "more than 4096 ports");
	case_free(c);
}

static void test_families(void **state)
{
	struct plan_case *c = new ("net host\nnet connect tcp4 443\nnet connect tcp6 80\n", 7);

	(void)state;
	case_make_refused(c, -EINVAL, "different ports for IPv4 and IPv6");
	case_free(c);
	c = new ("net host\nnet connect tcp4 443\nnet connect tcp6 443\n", 7);
	case_make_good(c);
	case_free(c);
	c = new ("net host\nnet connect tcp4 443\n", 7);
	case_make_good(c);
	case_free(c);
}

static void test_digest(void **state)
{
	static const char *const lines[] = {
		"net host\nnet bind tcp 80\n",
		"net host\nnet bind tcp 81\n",
		"net host\nnet bind tcp 80-81\n",
		"net host\nnet connect tcp 80\n",
	};
	struct hash digests[ARRAY_SIZE(lines)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct plan_case *c = new (lines[i], 7);

		case_make_good(c);
		plan_digest(c->plan, &digests[i]);
		case_free(c);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&digests[i], &digests[j], sizeof(digests[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_abi), cmocka_unit_test(test_rules),
		cmocka_unit_test(test_net_none),  cmocka_unit_test(test_bound),
		cmocka_unit_test(test_families),  cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, arena_make, arena_remove);
}
