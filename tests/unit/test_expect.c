// SPDX-License-Identifier: Apache-2.0
/* Tests in a policy: lists and groups of calls, answers by errno, settings; and who decides them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policies/load.h"
#include "policies/spell.h"

static struct policy *load_in(const char *dir, const char *text)
{
	const char *const dirs[] = { dir };
	const struct policy_search search = { .dirs = dirs,
					      .n_dirs = dir ? 1 : 0,
					      .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("t", text, strlen(text), &search, &policy, &diags, &err) < 0)
		policy = NULL;
	policy_diags_done(&diags);
	return policy;
}

/* How many of the policy's tests of settings do not hold. */
static int count_wrong(const char *dir, const char *text)
{
	struct policy *p = load_in(dir, text);
	int n = 0;

	assert_non_null(p);
	for (size_t i = 0; i < p->n_expects; i++) {
		if (p->expects[i].kind == POLICY_EXPECT_SETTING ||
		    p->expects[i].kind == POLICY_EXPECT_ENV)
			n += !policy_setting_is(p, &p->expects[i]);
	}
	policy_free(p);
	return n;
}

static size_t count_calls(const char *dir, const char *text)
{
	struct policy *p = load_in(dir, text);
	size_t n = 0;

	assert_non_null(p);
	for (size_t i = 0; i < p->n_expects; i++)
		n += p->expects[i].kind == POLICY_EXPECT_CALL;
	policy_free(p);
	return n;
}

static void test_settings(void **context)
{
	static const char *const right[] = {
		"limit pids 5\nexpect limit pids 5\n",
		"expect limit pids none memory none\n",
		"limit memory 1G\nexpect limit memory 1024M\n",
		"limit cpuset 0-1\nexpect limit cpuset 1,0\n",
		"expect limit cpuset none\n",
		"limit swap 0\nexpect limit swap 0\n",
		"net loopback\nexpect net loopback\n",
		"expect net none\n",
		"expect cap none\n",
		"cap CAP_KILL\nexpect cap CAP_KILL\n",
		"kernel 6.1\nexpect kernel 6.1\n",
		"expect abi native\n",
		"expect notify on\n",
		"expect default errno EPERM\n",
		"env TERM A=b\nexpect env A=b TERM\n",
	};
	static const char *const wrong[] = {
		"limit pids 6\nexpect limit pids 5\n",
		"limit pids 6\nexpect limit pids none\n",
		"limit cpuset 0-1\nexpect limit cpuset 0,2\n",
		"limit cpuset 0-1\nexpect limit cpuset none\n",
		"limit memory 1G\nexpect limit swap 0\n",
		"expect limit pids 5\n",
		"net loopback\nexpect net none\n",
		"cap CAP_KILL\nexpect cap none\n",
		"kernel 6.2\nexpect kernel 6.1\n",
		"notify off\nexpect notify on\n",
		"default errno EACCES\nexpect default errno EPERM\n",
		"env TERM\nexpect env TERM=x\n",
		"env TERM=x\nexpect env TERM\n",
		"env TERM=x\nexpect env TERM=y\n",
		"expect env TERM\n",
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		if (count_wrong(NULL, right[i]) != 0)
			fail_msg("%s", right[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (count_wrong(NULL, wrong[i]) != 1)
			fail_msg("%s", wrong[i]);
	}
}

static void test_calls(void **context)
{
	struct policy *p = load_in(NULL, "expect allow close read write\nexpect deny @clock\n"
					 "expect deny getxattr lgetxattr errno ENODATA\n"
					 "expect deny kill(1, 2) errno EACCES\n");
	size_t groups = 0;

	(void)context;
	assert_non_null(p);
	assert_string_equal(p->expects[0].call->name, "close");
	assert_string_equal(p->expects[2].call->name, "write");
	for (size_t i = 0; i < p->n_expects; i++) {
		const struct policy_expect *e = &p->expects[i];

		if (e->where.line == 2) {
			groups++;
			assert_int_equal(e->action, POLICY_DENY);
			/* not what only 32-bit programs have */
			assert_true(e->call->nr[ABI_X86_64] >= 0 || e->call->nr[ABI_AARCH64] >= 0);
		}
		assert_int_equal(e->errno_value, e->where.line == 3   ? ENODATA
						 : e->where.line == 4 ? EACCES
								      : 0);
	}
	assert_int_equal(groups, 4);
	assert_int_equal(p->n_expects, 3 + 4 + 2 + 1);
	assert_int_equal(p->expects[p->n_expects - 1].n_args, 2);
	policy_free(p);
}

static void test_mistakes(void **context)
{
	static const char *const texts[] = {
		"expect allow close nosuch\n",
		"expect allow @nosuch\n",
		"expect allow close write(3)\n",
		"expect allow write(3) close\n",
		"expect allow close errno EIO\n",
		"expect deny close errno\n",
		"expect deny close errno EIO 3\n",
		"expect net connect tcp 3\n",
		"expect limit pids\n",
		"expect cap CAP_NOTHING\n",
		"expect env\n",
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct policy *p = load_in(NULL, texts[i]);

		if (p)
			fail_msg("%s", texts[i]);
	}
}

/* What a text says, and the text that says it again, are one. */
static void test_spelling(void **context)
{
	static const char *const texts[] = {
		"expect limit pids 5",
		"expect limit memory none",
		"expect limit cpuset 0-1,7",
		"expect limit cpuset none",
		"expect limit cpu 0.5",
		"expect limit wall 90s",
		"expect net loopback",
		"expect env TERM",
		"expect env A=b",
		"expect kernel 6.1",
		"expect deny close errno EIO",
		"expect allow close",
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_buf_ struct buf buf = BUF_INIT;
		char line[80];
		struct policy *p;

		snprintf(line, sizeof(line), "%s\n", texts[i]);
		p = load_in(NULL, line);
		assert_non_null(p);
		assert_int_equal(spell_expect(&buf, &p->expects[0]), 0);
		assert_string_equal(buf.data, texts[i]);
		policy_free(p);
	}
}

/* A test of a setting is its file's: another file that decides the setting answers for it. */
static void test_who_decides(void **context)
{
	char dir[] = "/tmp/cordon-expect.XXXXXX", path[64];
	FILE *f;

	(void)context;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/base.policy", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("limit pids 5 nofile 9\nenv TERM\nexpect limit pids 5 nofile 9\nexpect env TERM\n"
	      "allow close kill\ndeny mount\nexpect allow close kill\n"
	      "expect deny mount\nexpect deny reboot\n",
	      f);
	fclose(f);
	assert_int_equal(count_wrong(dir, "use base\n"), 0);
	assert_int_equal(count_wrong(dir, "use base\nlimit pids 6\n"), 0);
	assert_int_equal(count_wrong(dir, "use base\nlimit pids 6\nexpect limit pids 5\n"), 1);
	assert_int_equal(count_wrong(dir, "use base\nexpect limit nofile 8\n"), 1);
	assert_int_equal(count_wrong(dir, "use base\nenv TERM=x\n"), 0);
	assert_int_equal(count_wrong(dir, "use base\nremove env TERM\n"), 0);
	assert_int_equal(count_wrong(dir, "use base\nenv LANG\nexpect env TERM\n"), 0);
	/* likewise calls: the tests of what is taken back by name go, and no others */
	assert_int_equal(count_calls(dir, "use base\n"), 4);
	assert_int_equal(count_calls(dir, "use base\nremove allow close\n"), 3);
	assert_int_equal(count_calls(dir, "use base\nremove deny mount\nallow mount\n"), 3);
	/* a refusal beside it is another thing: it may be a slip */
	assert_int_equal(count_calls(dir, "use base\ndeny close\n"), 4);
	assert_int_equal(count_calls(dir, "use base\ndeny kill if sig == 9\n"), 4);
	assert_int_equal(count_calls(dir, "use base\nallow mount\n"), 4);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),    cmocka_unit_test(test_calls),
		cmocka_unit_test(test_mistakes),    cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_who_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
