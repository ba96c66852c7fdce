// SPDX-License-Identifier: Apache-2.0
/* What the kernel says of processes, as the collector reads it: /proc and the process connector. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include "collect/forks.h"
#include "collect/process.h"

static void test_process(void **state)
{
	struct process p = PROCESS_INIT;
	uint64_t ms;

	(void)state;
	assert_int_equal(process_parse_status("Name:\tx\\nTgid:\t1\nUmask:\t0022\nTgid:\t40\n"
					      "Pid:\t41\nPPid:\t7\nUid:\t1\t2\t3\t4294967295\n"
					      "Groups:\t\nNSpid:\t40\t5\t1\n",
					      &p),
			 0);
	assert_int_equal(p.pid, 40);
	assert_int_equal(p.parent, 7);
	assert_int_equal(p.uid[3], 4294967295U);
	assert_int_equal(p.depth, 3);
	assert_int_equal(p.number[2], 1);
	assert_int_equal(process_parse_status("", &p), -EINVAL);
	assert_int_equal(process_parse_status("\nTgid:\t1\nPPid:\t1\nUid:\t1 2 3\nNSpid:\t1\n", &p),
			 -EINVAL);
	assert_int_equal(process_parse_status("\nTgid:\t1\nPPid:\t1\nUid:\t1 2 3 4\n", &p),
			 -EINVAL);
	assert_int_equal(process_parse_status("\nTgid:\t99999999999\nPPid:\t1\nUid:\t1 2 3 4\n"
					      "NSpid:\t1\n",
					      &p),
			 -EINVAL);
	assert_int_equal(process_parse_started("1 (a) b) S 1 1 1 0 -1 1 1 1 1 1 1 1 1 1 20 0 1 0 "
					       "250 1",
					       100, &ms),
			 0);
	assert_int_equal(ms, 2500);
	assert_int_equal(process_parse_started("1 (a", 100, &ms), -EINVAL);
	assert_int_equal(process_parse_started("1 (a) S 1", 100, &ms), -EINVAL);
	assert_int_equal(process_parse_map("         0       1001          1\n", 1001), 1);
	assert_int_equal(process_parse_map("         0       1001          1\n", 1002), 0);
	assert_int_equal(process_parse_map("         0       1001          2\n", 1001), 0);
	assert_int_equal(process_parse_map(" 0 1001 1\n 1 100000 65536\n", 1001), 0);
	assert_int_equal(process_parse_map("", 1001), -EAGAIN);
	assert_int_equal(process_parse_map("x", 1001), -EINVAL);
	assert_int_equal(process_parse_fdinfo("pos:\t0\nflags:\t02\nPid:\t7\nNSpid:\t7\n"), 7);
	assert_int_equal(process_parse_fdinfo("pos:\t0\nPid:\t-1\nNSpid:\t-1\n"), -ESRCH);
	assert_int_equal(process_parse_fdinfo("pos:\t0\nPid:\t0\nNSpid:\t0\n"), -ESRCH);
	assert_int_equal(process_parse_fdinfo("pos:\t0\nflags:\t02\n"), -EBADF);
}

static void test_forks(void **state)
{
	struct {
		struct nlmsghdr head;
		uint32_t idx, val, seq, ack; /* struct cn_msg, whose end has no length */
		uint16_t length, flags;
		uint32_t what, cpu;
		uint64_t ns;
		int32_t data[4];
	} __attribute__((packed)) packet = {
		.head = { .nlmsg_len = sizeof(packet), .nlmsg_type = NLMSG_DONE },
		.idx = CN_IDX_PROC, .val = CN_VAL_PROC, .length = 32,
		.what = 1,
		.ns = 5000000,
		.data = { 10, 11, 12, 12 },
	}, other;
	struct fork_event e;

	(void)state;
	assert_true(forks_parse(&packet, sizeof(packet), &e));
	assert_true(!e.exit && e.parent == 11 && e.child == 12 && e.mono_ms == 5);
	for (size_t len = 0; len < sizeof(packet); len++)
		assert_false(forks_parse(&packet, len, &e));
	other = packet;
	other.data[2] = 13; /* a thread */
	assert_false(forks_parse(&other, sizeof(other), &e));
	other = packet;
	other.what = 0x80000000U;
	assert_true(forks_parse(&other, sizeof(other), &e));
	assert_true(e.exit && e.child == 11);
	other = packet;
	other.what = 2;
	assert_false(forks_parse(&other, sizeof(other), &e));
	other = packet;
	other.head.nlmsg_len++;
	assert_false(forks_parse(&other, sizeof(other), &e));
	other = packet;
	other.idx++;
	assert_false(forks_parse(&other, sizeof(other), &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_forks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
