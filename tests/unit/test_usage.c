// SPDX-License-Identifier: Apache-2.0
/* Usage files: what they say, and each mistake with its line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "profiles/usage.h"

static int parse(const char *text, struct usage *ret, struct err *err)
{
	return usage_parse("t.usage", text, strlen(text), ret, err);
}

static uint64_t count_of(const struct usage *usage, const char *name)
{
	const struct syscall_desc *call = syscall_by_name(name);

	assert_non_null(call);
	return usage_count(usage, call);
}

static void test_good(void **state)
{
	static const char text[] = "# a build\n"
				   "openat 1200\n"
				   "\n"
				   "  read\t50   # the usual\r\n"
				   "read 7\n"
				   "waitpid 3\n"
				   "ioctl 0\n"
				   "close 281474976709395"; /* no newline; exactly the bound */
	struct usage usage = { .total = 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(text, &usage, &err), 0);
	assert_int_equal(count_of(&usage, "openat"), 1200);
	assert_int_equal(count_of(&usage, "read"), 57);
	assert_int_equal(count_of(&usage, "ioctl"), 0);
	assert_int_equal(count_of(&usage, "write"), 0);
	assert_int_equal(count_of(&usage, "waitpid"), 3); /* i386 only: known, and no mistake */
	assert_int_equal(usage.total, 1200 + 57 + 3 + 281474976709395);
	usage_done(&usage);
	assert_int_equal(parse("", &usage, &err), 0);
	assert_int_equal(usage.total, 0);
	usage_done(&usage);
	assert_int_equal(count_of(NULL, "read"), 0);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "openat", "line 1 has no count" },
		{ "read 1\nopenat\n", "line 2 has no count" },
		{ "read 1\n# x\n\nopen_at 5", "line 4 names no call" },
		{ "READ 5", "line 1 names no call" },
		{ "read -5", "line 1 has no count" },
		{ "read 5.5", "line 1 has no count" },
		{ "read 010", "line 1 has no count" },
		{ "read 0x", "line 1 has no count" },
		{ "read 5 5", "line 1 has more than" },
		{ "read 5 \x01", "line 1 has more than" },
		{ "read 99999999999999999999", "line 1 has no count" },
		{ "read 123456789012345678901234567890", "line 1 has no count" },
		{ "read 281474976710657", "line 1 brings the sum" },
		{ "read 281474976710656\nwrite 1", "line 2 brings the sum" },
		{ "\xff\xfe 5", "line 1 names no call" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usage usage = { .total = 0 };
		struct err err = ERR_INIT;

		assert_int_equal(parse(cases[i].text, &usage, &err), -EBADMSG);
		if (!strstr(err.msg, cases[i].says))
			fail_msg("'%s': %s", cases[i].text, err.msg);
		assert_string_not_equal(err.hint, "");
		assert_null(usage.count);
	}
}

/* A NUL is no end of the text. */
static void test_nul(void **state)
{
	struct usage usage = { .total = 0 };

	(void)state;
	assert_int_equal(usage_parse("t", "read 5\0write 6", 14, &usage, NULL), -EBADMSG);
	assert_int_equal(usage_parse("t", "read 5\nwrite 6", 14, &usage, NULL), 0);
	assert_int_equal(usage.total, 11);
	usage_done(&usage);
}

static void test_file(void **state)
{
	char path[] = "/tmp/cordon-usage.XXXXXX";
	int fd = mkstemp(path);
	struct usage usage = { .total = 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "read 5\n", 7), 7);
	close(fd);
	assert_int_equal(usage_read(path, &usage, &err), 0);
	assert_int_equal(usage.total, 5);
	usage_done(&usage);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(usage_read(path, &usage, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
