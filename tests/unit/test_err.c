// SPDX-License-Identifier: Apache-2.0
/* One error: what is set, wrapped and hinted, and that nothing is written past its ends. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_set(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err.code, 0);
	assert_int_equal(err_set(&err, -ENOENT, "open '%s'", "/x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.msg, "open '/x'");
	assert_string_equal(err.hint, "");
}

static void test_a_new_error_drops_the_old_hint(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	(void)err_set(&err, -EPERM, "a");
	assert_int_equal(err_hint(&err, "do %d", 7), -EPERM);
	assert_string_equal(err.hint, "do 7");
	(void)err_set(&err, -EIO, "b");
	assert_string_equal(err.hint, "");
}

static void test_wrap(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	(void)err_set(&err, -EIO, "read '%s'", "x");
	(void)err_hint(&err, "h");
	assert_int_equal(err_wrap(&err, "load policy '%s'", "p"), -EIO);
	assert_string_equal(err.msg, "load policy 'p': read 'x'");
	assert_string_equal(err.hint, "h");
}

static void test_null(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	assert_true(err_wrap(NULL, "x") < 0);
	assert_true(err_hint(NULL, "x") < 0);
}

/* Texts of every length around the bound: cut, ended, and the neighbours untouched. */
static void test_bounds(void **state)
{
	char text[2 * LIMIT_ERR_TEXT];
	struct {
		char before[8];
		struct err err;
		char after[8];
	} box;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		memset(&box, 0x5a, sizeof(box));
		memset(text, 'a', sizeof(text));
		text[n] = '\0';
		(void)err_set(&box.err, -EIO, "%s", text);
		assert_int_equal(strlen(box.err.msg), n < LIMIT_ERR_TEXT ? n : LIMIT_ERR_TEXT - 1);
		(void)err_wrap(&box.err, "%s", text);
		assert_true(strlen(box.err.msg) < LIMIT_ERR_TEXT);
		(void)err_hint(&box.err, "%s", text);
		assert_int_equal(strlen(box.err.hint), n < LIMIT_ERR_HINT ? n : LIMIT_ERR_HINT - 1);
		assert_int_equal(box.err.code, -EIO);
		assert_memory_equal(box.before, "ZZZZZZZZ", 8);
		assert_memory_equal(box.after, "ZZZZZZZZ", 8);
	}
}

static void test_text(void **state)
{
	static const int odd[] = { 0, 1000000, -1000000, INT_MAX, INT_MIN, -INT_MAX };

	(void)state;
	assert_string_equal(err_text(-ENOENT), "No such file or directory");
	assert_string_equal(err_text(ENOENT), "No such file or directory");
	assert_string_equal(err_text(-EPERM), "Operation not permitted");
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_non_null(err_text(odd[i]));
		assert_true(strlen(err_text(odd[i])) > 0);
	}
	assert_string_equal(err_text(-1000000), "Unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_a_new_error_drops_the_old_hint),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
