// SPDX-License-Identifier: Apache-2.0
/* What is written to the kernel for a label, and what its answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "sandbox/lsm_text.h"

static void test_modes(void **state)
{
	static const struct {
		const char *label, *stripped;
		enum lsm_mode mode;
	} cases[] = {
		{ "unconfined", "unconfined", LSM_UNCONFINED },
		{ ":ns://unconfined", ":ns://unconfined", LSM_UNCONFINED },
		{ "p (enforce)", "p", LSM_ENFORCE },
		{ "p (kill)", "p", LSM_ENFORCE },
		{ "p (complain)", "p", LSM_COMPLAIN },
		{ "p (unconfined)", "p", LSM_UNCONFINED },
		{ "p//&q (mixed)", "p//&q", LSM_MIXED },
		{ "p (something new)", "p", LSM_MIXED },
		/* a bracket without its blank is part of a name */
		{ "p(enforce)", "p(enforce)", LSM_UNCONFINED },
		{ "(enforce)", "(enforce)", LSM_UNCONFINED },
		{ "", "", LSM_UNCONFINED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];

		assert_int_equal(lsm_aa_mode(cases[i].label), cases[i].mode);
		(void)snprintf(text, sizeof(text), "%s", cases[i].label);
		lsm_aa_strip(text);
		assert_string_equal(text, cases[i].stripped);
	}
}

static void test_profiles(void **state)
{
	(void)state;
	assert_true(lsm_aa_has("a//&b//&c (enforce)", "a"));
	assert_true(lsm_aa_has("a//&b//&c (enforce)", "b"));
	assert_true(lsm_aa_has("a//&b//&c (enforce)", "c"));
	assert_true(lsm_aa_has("a", "a"));
	assert_true(lsm_aa_has("a//b//&c", "a//b"));
	assert_false(lsm_aa_has("a//b//&c", "a"));
	assert_false(lsm_aa_has("ab (enforce)", "a"));
	assert_false(lsm_aa_has("a (enforce)", "ab"));
	assert_false(lsm_aa_has("a (enforce)", ""));
	assert_false(lsm_aa_has("", "a"));
	assert_true(lsm_aa_has(":n://p//&q (mixed)", ":n:p"));
	assert_false(lsm_aa_has(":n://p (enforce)", "p"));
	assert_false(lsm_aa_has(":n://p (enforce)", ":m:p"));

	assert_true(lsm_aa_same("a//&b", "b//&a (enforce)"));
	assert_true(lsm_aa_same("a", "a (complain)"));
	assert_true(lsm_aa_same(":n:p", ":n://p (enforce)"));
	assert_false(lsm_aa_same("a", "a//&b (enforce)"));
	assert_false(lsm_aa_same("a//&b", "a (enforce)"));
	/* what complain mode makes up for a profile that is not loaded */
	assert_false(lsm_aa_same("p", "q//null-p (complain)"));
	assert_false(lsm_aa_same("p", ""));
}

static void words(const char *current, const char *profile, const char *want)
{
	char text[LSM_TEXT];

	lsm_aa_exec_text(current, profile, text);
	assert_string_equal(text, want);
}

static void test_words(void **state)
{
	(void)state;
	words("unconfined", "p", "exec p");
	words("snap (unconfined)", "p", "exec p");
	words("q (enforce)", "p", "stack p");
	words("q (complain)", "p", "stack p");
	words("q//&r (mixed)", ":n:p", "stack :n:p");
	words("unconfined//&q (mixed)", "p", "stack p");
	/* the launcher's own: what it would have put on its payload goes with it */
	words("cordon (enforce)", "p", "stack cordon_payload//&p");
	words("cordon//&q (enforce)", "p", "stack cordon_payload//&p");
	words("cordon (complain)", "p", "stack cordon_payload//&p");
	words("cordon (unconfined)", "p", "exec p");
	words("cordon2 (enforce)", "p", "stack p");
}

static void test_keep(void **state)
{
	static const char *const others[] = {
		"unconfined",
		"cordon (unconfined)",
		"cordon2 (enforce)",
		"cor (enforce)",
		"cordon//&q (enforce)",
		"q//&cordon (enforce)",
		"unconfined//&cordon (mixed)",
		"cordon//&cordon_payload (enforce)",
		"cordon_payload (enforce)",
		":n://cordon (enforce)",
		"cordon//null-x (complain)",
		"",
	};

	(void)state;
	assert_string_equal(lsm_aa_keep_text("cordon (enforce)"), "exec cordon");
	assert_string_equal(lsm_aa_keep_text("cordon (complain)"), "exec cordon");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (lsm_aa_keep_text(others[i]))
			fail_msg("'%s' is taken for the launcher's own", others[i]);
	}
}

static void context(const char *current, const char *asked, uint64_t random, const char *want)
{
	char text[LSM_TEXT];
	struct label label;
	const char *why = NULL;
	int r;

	assert_int_equal(label_parse(POLICY_LSM_SELINUX, asked, &label, &why), 0);
	r = lsm_se_context(current, &label, random, text, &why);
	if (!want) {
		assert_int_equal(r, -EINVAL);
		assert_non_null(why);
		return;
	}
	if (r < 0)
		fail_msg("%s for %s: %s", asked, current, why);
	assert_string_equal(text, want);
}

static void test_contexts(void **state)
{
	const char *me = "u:r:t:s0-s0:c0.c1023";

	(void)state;
	context(me, "x_t:c5,c2", 0, "u:r:x_t:s0:c2,c5");
	context(me, "x_t:s0", 0, "u:r:x_t:s0");
	context(me, "x_t:c7.c8", 0, "u:r:x_t:s0:c7,c8");
	context(me, "x_t:c7.c8", UINT64_MAX, "u:r:x_t:s0:c7,c8");
	context(me, "x_t", 0, "u:r:x_t:s0:c0,c1");
	context(me, "x_t", UINT64_MAX, "u:r:x_t:s0:c1022,c1023");
	/* of what he has himself */
	context("u:r:t:s0:c3,c9", "x_t", 0, "u:r:x_t:s0:c3,c9");
	context("u:r:t:s0-s0:c3,c9.c11", "x_t:c10.c99", 0, "u:r:x_t:s0:c10,c11");
	context("u:r:t:s0-s0:c3", "x_t", 0, NULL);
	context("u:r:t:s0-s0:c3,c9", "x_t:c9.c99", 0, NULL);
	/* he has none: what the policy makes of that is its business */
	context("u:r:t:s0", "x_t", 0, "u:r:x_t:s0:c0,c1");
	context("u:r:t:s0", "x_t:c8.c9", 0, "u:r:x_t:s0:c8,c9");
	/* another sensitivity stays */
	context("u:r:t:s2-s15:c0.c3", "x_t:c0,c1", 0, "u:r:x_t:s2:c0,c1");
	context("u:r:t:s2:c1-s15:c0.c3", "x_t:s0", 0, "u:r:x_t:s2");
	/* no levels at all */
	context("u:r:t", "x_t", 0, "u:r:x_t");
	context("u:r:t", "x_t:c1,c2", 0, NULL);
	context("u:r:t", "x_t:s0", 0, NULL);
	/* no context, or one that cannot be */
	context("kernel", "x_t", 0, NULL);
	context("", "x_t", 0, NULL);
	context("u:r:t:s0-s0:c0.c1024", "x_t", 0, NULL);
	context("u:r:t:s0-s0:c0.c3;", "x_t", 0, NULL);
	context("u:r:t:s0-s0:c", "x_t", 0, NULL);
	context("u:r:t:s0-s0:x", "x_t", 0, NULL);
}

static void test_long_context(void **state)
{
	char current[LSM_TEXT + 32], text[LSM_TEXT];
	struct label label;
	const char *why;

	(void)state;
	assert_int_equal(label_parse(POLICY_LSM_SELINUX, "x_t:c1,c2", &label, &why), 0);
	for (size_t n = LSM_TEXT - 40; n < LSM_TEXT + 8; n++) {
		int r;

		memset(current, 'u', n);
		(void)snprintf(current + n, sizeof(current) - n, ":r:t:s0");
		r = lsm_se_context(current, &label, 0, text, &why);
		assert_int_equal(r, n + strlen(":r:x_t:s0:c1,c2") < LSM_TEXT ? 0 : -EINVAL);
		if (r == 0)
			assert_int_equal(strlen(text), n + strlen(":r:x_t:s0:c1,c2"));
	}
}

/* All pairs come, each as often as any other. */
static void test_pairs_are_even(void **state)
{
	enum { N = 6, PAIRS = N * (N - 1) / 2, DRAWS = 30000 };
	unsigned count[N][N] = { { 0 } };
	uint64_t x = 88172645463325252ULL;

	(void)state;
	for (unsigned i = 0; i < DRAWS; i++) {
		char text[LSM_TEXT];
		struct label label;
		const char *why;
		unsigned a, b;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		assert_int_equal(label_parse(POLICY_LSM_SELINUX, "x_t", &label, &why), 0);
		assert_int_equal(lsm_se_context("u:r:t:s0-s0:c0.c5", &label, x, text, &why), 0);
		assert_int_equal(sscanf(text, "u:r:x_t:s0:c%u,c%u", &a, &b), 2);
		assert_true(a < b && b < N);
		count[a][b]++;
	}
	for (unsigned a = 0; a < N; a++) {
		for (unsigned b = a + 1; b < N; b++)
			assert_in_range(count[a][b], DRAWS / PAIRS * 9 / 10,
					DRAWS / PAIRS * 11 / 10);
	}
}

static void test_types(void **state)
{
	const char *type = NULL;

	(void)state;
	assert_int_equal(lsm_se_type("u:r:some_t:s0", &type), 6);
	assert_memory_equal(type, "some_t", 6);
	assert_int_equal(lsm_se_type("u:r:some_t", &type), 6);
	assert_int_equal(lsm_se_type("u:r", &type), 0);
	assert_true(lsm_se_has_levels("u:r:t:s0"));
	assert_false(lsm_se_has_levels("u:r:t"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),	       cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_words),	       cmocka_unit_test(test_keep),
		cmocka_unit_test(test_contexts),       cmocka_unit_test(test_long_context),
		cmocka_unit_test(test_pairs_are_even), cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
