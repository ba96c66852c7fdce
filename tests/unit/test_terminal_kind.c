// SPDX-License-Identifier: Apache-2.0
/* Which descriptors are terminals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/terminal.h"

static void check_is(int fd, bool want)
{
	struct err err = ERR_INIT;
	bool is = !want;

	assert_int_equal(terminal_is_one(fd, &is, &err), 0);
	assert_int_equal(is, want);
}

static void test_what_is_none(void **state)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	check_is(null, false);
	check_is(ends[0], false);
	check_is(-1, false);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Hung up, its file is a terminal no more, and a launch goes on without it. */
static void test_until_it_hangs_up(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	_cleanup_close_ int slave = -1;

	(void)state;
	assert_int_equal(unlockpt(master), 0);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	check_is(slave, true);
	check_is(master, true);
	(void)close(master);
	check_is(slave, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_until_it_hangs_up),
	};

	return cmocka_run_group_tests_name("terminal_kind", tests, NULL, NULL);
}
