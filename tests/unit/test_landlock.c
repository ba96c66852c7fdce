// SPDX-License-Identifier: Apache-2.0
/* The facts about Landlock: each ABI's rights, and that the running kernel takes them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/sys.h"
#include "profiles/landlock.h"

static const int first = -1, last = LANDLOCK_NEWEST_ABI + 3;

static void test_rights_only_grow(void **state)
{
	(void)state;
	assert_int_equal(landlock_handled_fs(-1), 0);
	assert_int_equal(landlock_handled_fs(0), 0);
	assert_int_equal(landlock_handled_fs(1), 0x1fff);
	assert_int_equal(landlock_handled_fs(2), 0x3fff);
	assert_int_equal(landlock_handled_fs(4), 0x7fff);
	assert_int_equal(landlock_handled_fs(7), 0xffff);
	assert_int_equal(landlock_handled_fs(9), 0x1ffff);
	assert_int_equal(landlock_scoped(5), 0);
	assert_int_equal(landlock_scoped(6), 3);
	for (int abi = first; abi < last; abi++) {
		assert_int_equal(landlock_handled_fs(abi) & ~landlock_handled_fs(abi + 1), 0);
		assert_int_equal(landlock_scoped(abi) & ~landlock_scoped(abi + 1), 0);
	}
	assert_int_equal(landlock_handled_fs(99), landlock_handled_fs(LANDLOCK_NEWEST_ABI));
}

static void test_net_rights(void **state)
{
	static const int tcp = 4, udp = 10;

	(void)state;
	for (int abi = first; abi <= last; abi++) {
		for (int d = 0; d < 2; d++) {
			const enum policy_port_direction direction = (enum policy_port_direction)d;
			const uint64_t t = landlock_net_right(abi, direction, POLICY_PORT_TCP);
			const uint64_t u = landlock_net_right(abi, direction, POLICY_PORT_UDP);

			assert_int_equal(t != 0, abi >= tcp);
			assert_int_equal(u != 0, abi >= udp);
			assert_true(t == 0 || t == (d == POLICY_PORT_BIND ? 1U : 2U));
			assert_true(u == 0 || u == (d == POLICY_PORT_BIND ? 4U : 8U));
		}
	}
}

static void test_verbs(void **state)
{
	(void)state;
	for (int abi = first; abi <= last; abi++) {
		const uint64_t all = landlock_handled_fs(abi);
		uint64_t read = landlock_verb_rights(POLICY_PATH_READ, abi);
		uint64_t exec = landlock_verb_rights(POLICY_PATH_EXEC, abi);
		uint64_t write = landlock_verb_rights(POLICY_PATH_WRITE, abi);
		uint64_t tmpfs = landlock_verb_rights(POLICY_PATH_TMPFS, abi);

		assert_int_equal(landlock_verb_rights(POLICY_PATH_HIDE, abi), 0);
		assert_int_equal((read | exec | write | tmpfs) & ~all, 0);
		assert_int_equal(read & ~exec, 0);
		assert_int_equal(read & ~write, 0);
		assert_int_equal(exec ^ read, abi >= 1 ? SYS_LANDLOCK_FS_EXECUTE : 0);
		assert_int_equal(write & SYS_LANDLOCK_FS_EXECUTE, 0);
		assert_int_equal(tmpfs, write | exec);
		/* no verb makes devices, and only /dev has ioctl on one */
		assert_int_equal(tmpfs & (SYS_LANDLOCK_FS_MAKE_CHAR | SYS_LANDLOCK_FS_MAKE_BLOCK |
					  SYS_LANDLOCK_FS_IOCTL_DEV),
				 0);
		assert_int_equal((landlock_dev_rights(abi) & SYS_LANDLOCK_FS_IOCTL_DEV) != 0,
				 abi >= 5);
		assert_int_equal(landlock_dev_rights(abi) & ~all, 0);
		assert_int_equal(landlock_proc_rights(abi) & ~landlock_dev_rights(abi), 0);
		assert_int_equal((write & SYS_LANDLOCK_FS_RESOLVE_UNIX) != 0, abi >= 9);
		assert_int_equal((read | exec) & SYS_LANDLOCK_FS_RESOLVE_UNIX, 0);
	}
	assert_int_equal(landlock_file_rights(UINT64_MAX), 0x1c007);
}

static void test_table(void **state)
{
	size_t n;
	const struct landlock_abi *abis = landlock_abis(&n);

	(void)state;
	assert_int_equal(n, LANDLOCK_NEWEST_ABI);
	for (size_t i = 0; i < n; i++) {
		const int abi = (int)i + 1;
		bool more =
			landlock_handled_fs(abi) != landlock_handled_fs(abi - 1) ||
			landlock_scoped(abi) != landlock_scoped(abi - 1) ||
			landlock_net_right(abi, POLICY_PORT_BIND, POLICY_PORT_TCP) !=
				landlock_net_right(abi - 1, POLICY_PORT_BIND, POLICY_PORT_TCP) ||
			landlock_net_right(abi, POLICY_PORT_BIND, POLICY_PORT_UDP) !=
				landlock_net_right(abi - 1, POLICY_PORT_BIND, POLICY_PORT_UDP);

		assert_int_equal(abis[i].abi, abi);
		assert_non_null(abis[i].adds);
		/* what brings a right is missed without it; ABI 1 is Landlock itself */
		assert_int_equal(abis[i].without != NULL, more && abi > 1);
	}
}

/* A kernel refuses a ruleset with a right that it does not know: no ABI up to its own may ask. */
static void test_the_kernel_takes_them(void **state)
{
	const int here = sys_landlock_abi();

	(void)state;
	if (here < 1)
		skip();
	for (int abi = 1; abi <= here; abi++) {
		const struct sys_landlock_ruleset attr = {
			.handled_fs = landlock_handled_fs(abi),
			.handled_net =
				landlock_net_right(abi, POLICY_PORT_BIND, POLICY_PORT_TCP) |
				landlock_net_right(abi, POLICY_PORT_CONNECT, POLICY_PORT_UDP),
			.scoped = landlock_scoped(abi),
		};
		_cleanup_close_ int fd = sys_landlock_create_ruleset(&attr);

		assert_true(fd >= 0);
	}
	if (here < LANDLOCK_NEWEST_ABI &&
	    landlock_handled_fs(here) != landlock_handled_fs(LANDLOCK_NEWEST_ABI)) {
		const struct sys_landlock_ruleset attr = {
			.handled_fs = landlock_handled_fs(LANDLOCK_NEWEST_ABI),
		};

		assert_int_equal(sys_landlock_create_ruleset(&attr), -EINVAL);
	}
}

#define TCP   POLICY_PORT_TCP
#define UDP   POLICY_PORT_UDP
#define CONN  POLICY_PORT_CONNECT
#define BIND  POLICY_PORT_BIND
#define BOTH  (POLICY_FAMILY_INET | POLICY_FAMILY_INET6)
#define OPEN  LANDLOCK_PORTS_OPEN
#define RULES LANDLOCK_PORTS_RULES
#define MIXED LANDLOCK_PORTS_MIXED

static void test_ports(void **state)
{
	static const struct {
		struct policy_port ports[3];
		size_t n;
		enum landlock_ports connect_tcp, connect_udp, bind_tcp, bind_udp;
	} cases[] = {
		{ { { 0 } }, 0, OPEN, OPEN, OPEN, OPEN },
		/* one line closes its direction; without udp in any line there is no udp socket */
		{ { { CONN, TCP, BOTH, 443, 443, { 0 } } }, 1, RULES, OPEN, OPEN, OPEN },
		{ { { BIND, TCP, BOTH, 8000, 8010, { 0 } } }, 1, OPEN, OPEN, RULES, OPEN },
		{ { { CONN, TCP, BOTH, 0, 65535, { 0 } } }, 1, OPEN, OPEN, OPEN, OPEN },
		/* sockets of udp are there for the sake of bind: connect is closed to them */
		{ { { CONN, TCP, BOTH, 443, 443, { 0 } }, { BIND, UDP, BOTH, 53, 53, { 0 } } },
		  2,
		  RULES,
		  RULES,
		  RULES,
		  RULES },
		{ { { CONN, TCP, BOTH, 443, 443, { 0 } }, { CONN, UDP, BOTH, 0, 65535, { 0 } } },
		  2,
		  RULES,
		  OPEN,
		  OPEN,
		  OPEN },
		/* one family alone is no mixture: the other has no sockets */
		{ { { CONN, TCP, POLICY_FAMILY_INET, 443, 443, { 0 } } },
		  1,
		  RULES,
		  OPEN,
		  OPEN,
		  OPEN },
		{ { { CONN, TCP, POLICY_FAMILY_INET, 443, 443, { 0 } },
		    { CONN, TCP, POLICY_FAMILY_INET6, 443, 443, { 0 } } },
		  2,
		  RULES,
		  OPEN,
		  OPEN,
		  OPEN },
		{ { { CONN, TCP, POLICY_FAMILY_INET, 443, 443, { 0 } },
		    { CONN, TCP, POLICY_FAMILY_INET6, 443, 444, { 0 } } },
		  2,
		  MIXED,
		  OPEN,
		  OPEN,
		  OPEN },
		{ { { CONN, TCP, POLICY_FAMILY_INET, 0, 65535, { 0 } },
		    { CONN, TCP, POLICY_FAMILY_INET6, 443, 443, { 0 } } },
		  2,
		  MIXED,
		  OPEN,
		  OPEN,
		  OPEN },
		/* the same ports in other words */
		{ { { BIND, TCP, POLICY_FAMILY_INET, 1, 9, { 0 } },
		    { BIND, TCP, POLICY_FAMILY_INET6, 1, 4, { 0 } },
		    { BIND, TCP, POLICY_FAMILY_INET6, 5, 9, { 0 } } },
		  3,
		  OPEN,
		  OPEN,
		  RULES,
		  OPEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_port *p = cases[i].ports;

		assert_int_equal(landlock_ports(p, cases[i].n, CONN, TCP), cases[i].connect_tcp);
		assert_int_equal(landlock_ports(p, cases[i].n, CONN, UDP), cases[i].connect_udp);
		assert_int_equal(landlock_ports(p, cases[i].n, BIND, TCP), cases[i].bind_tcp);
		assert_int_equal(landlock_ports(p, cases[i].n, BIND, UDP), cases[i].bind_udp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights_only_grow),
		cmocka_unit_test(test_net_rights),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_the_kernel_takes_them),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
