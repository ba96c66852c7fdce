// SPDX-License-Identifier: Apache-2.0
/*
 * The search against the oracle: a witness it names must be one, and where it proves that there is
 * none, no value that the rules could tell apart may be one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/load.h"
#include "policies/reach.h"
#include "tests/unit/random_policy.h"

enum { ROUNDS = 3000, TRIES = 60 };

static struct policy *load(const char *text)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("t", text, strlen(text), NULL, &policy, &diags, &err) < 0)
		fail_msg("%s\n%s", text, diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

/* The widths that the table gives: a policy's text has no others. */
static void settle_widths(struct random_policy *r)
{
	for (size_t i = 0; i < r->policy.n_rules; i++) {
		struct policy_rule *rule = &r->rules[i];

		for (unsigned c = 0; c < rule->n_conds; c++) {
			struct policy_cond *cond = &rule->conds[c];

			cond->width = rule->call->args[cond->arg].width;
			if (cond->width == WIDTH_S32 || cond->width == WIDTH_U32) {
				cond->value &= UINT32_MAX;
				cond->mask &= UINT32_MAX;
			}
		}
	}
	random_settle_ties(r->rules, r->policy.n_rules);
}

/* A value near one that some rule compares with. */
static uint64_t telling_value(uint64_t *state, const struct policy *p,
			      const struct syscall_desc *call, unsigned arg)
{
	const struct policy_cond *c;
	size_t n;
	const struct policy_rule *rules = policy_rules_of(p, call, &n);
	const struct policy_rule *rule = n ? &rules[random_below(state, n)] : NULL;

	if (!rule || rule->n_conds == 0)
		return random_value(state);
	c = &rule->conds[random_below(state, rule->n_conds)];
	if (c->arg != arg)
		return random_value(state);
	switch (random_below(state, 4)) {
	case 0:
		return c->value + random_below(state, 3) - 1;
	case 1:
		return c->value ^ (c->mask & (1ULL << random_below(state, 64)));
	case 2:
		return c->value | (random_next(state) & ~c->mask);
	default:
		return random_value(state);
	}
}

static bool is_allowed(const struct policy *p, enum abi abi, const struct syscall_desc *call,
		       const uint64_t args[6])
{
	struct policy_verdict v;

	policy_eval(p, abi, call->nr[abi], args, &v);
	return v.action == POLICY_ALLOW;
}

struct counts {
	unsigned yes, no, hard, all;
};

static void compare_call(uint64_t *state, const struct policy *p, enum abi abi,
			 const struct syscall_desc *call, struct counts *counts)
{
	uint64_t args[6];
	enum reach r = reach_allowed(p, abi, call, NULL, 0, args);
	bool all = reach_all_allowed(p, abi, call);

	if (r == REACH_YES && !is_allowed(p, abi, call, args))
		fail_msg("%s: the witness is refused", call->name);
	counts->yes += r == REACH_YES;
	counts->no += r == REACH_NO;
	counts->hard += r == REACH_HARD;
	counts->all += all;
	for (unsigned t = 0; t < TRIES; t++) {
		bool allowed;

		for (unsigned i = 0; i < 6; i++) {
			args[i] = telling_value(state, p, call, i);
			if (abi == ABI_I386)
				args[i] &= UINT32_MAX;
		}
		allowed = is_allowed(p, abi, call, args);
		if (allowed && r == REACH_NO)
			fail_msg("%s: proved shut, and is open", call->name);
		if (!allowed && all)
			fail_msg("%s: proved open, and is refused", call->name);
	}
}

static void test_search_agrees_with_the_oracle(void **context)
{
	struct random_policy *r = malloc(sizeof(*r));
	struct counts counts = { .yes = 0 };
	uint64_t state = 7;

	(void)context;
	assert_non_null(r);
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		random_policy_make(seed, r);
		settle_widths(r);
		for (size_t i = 0; i < r->policy.n_rules; i++) {
			const struct syscall_desc *call = r->policy.rules[i].call;
			enum abi abi = (enum abi)random_below(&state, _ABI_MAX);

			if (r->policy.rules[i].n_conds == 0 || call->nr[abi] < 0)
				continue;
			compare_call(&state, &r->policy, abi, call, &counts);
		}
	}
	print_message("# open %u, shut %u, wholly open %u, too hard %u\n", counts.yes, counts.no,
		      counts.all, counts.hard);
	assert_true(counts.yes > 500 && counts.no > 500 && counts.all > 20);
	assert_int_equal(counts.hard, 0);
	free(r);
}

static void expect_reach(const char *text, const char *name, enum reach want, bool want_all)
{
	struct policy *p = load(text);
	const struct syscall_desc *call = syscall_by_name(name);

	if (reach_allowed(p, ABI_NATIVE, call, NULL, 0, NULL) != want ||
	    reach_all_allowed(p, ABI_NATIVE, call) != want_all)
		fail_msg("%s: not %d, %d", text, (int)want, want_all);
	policy_free(p);
}

static void test_cases(void **context)
{
	(void)context;
	expect_reach("allow read\n", "read", REACH_YES, true);
	expect_reach("allow read\n", "write", REACH_NO, false);
	expect_reach("allow read\nkernel 5.0\nallow openat2\n", "openat2", REACH_YES, true);
	expect_reach("allow socket if domain == 1\ndeny socket if domain < 5\n", "socket", REACH_NO,
		     false);
	expect_reach("allow socket if domain in 1..9\ndeny socket if domain < 9\n", "socket",
		     REACH_YES, false);
	/* signed: below zero is below five too */
	expect_reach("allow socket if domain >= 0\nallow socket if domain < 0\n", "socket",
		     REACH_YES, true);
	expect_reach("allow socket if domain < 0\ndeny socket if domain < 5\n", "socket", REACH_NO,
		     false);
	/* unsigned: nothing is below zero */
	expect_reach("allow ioctl if cmd < 0x80000000\nallow ioctl if cmd >= 0x80000000\n", "ioctl",
		     REACH_YES, true);
	expect_reach("allow clone if flags & 0xff == 0x11\ndeny clone if flags & 0x10 == 0x10\n",
		     "clone", REACH_NO, false);
	expect_reach("allow clone if flags & 0xff == 0x11\ndeny clone if flags & 0x30 == 0x30\n",
		     "clone", REACH_YES, false);
	expect_reach("allow clone if flags & 3 == 0\nallow clone if flags & 3 != 0\n", "clone",
		     REACH_YES, true);
	expect_reach("allow ioctl\ndeny ioctl if fd < 3 and fd > 7\n", "ioctl", REACH_YES, true);
}

static enum reach differ(const char *a, const char *b, struct reach_difference *d)
{
	struct policy *pa = load(a), *pb = load(b);
	enum reach r = reach_differ(pa, pb, d);

	policy_free(pa);
	policy_free(pb);
	return r;
}

static void test_differ(void **context)
{
	struct reach_difference d;

	(void)context;
	assert_int_equal(differ("allow read write\n", "allow write\nallow read\n", &d), REACH_NO);
	assert_int_equal(differ("allow read\n", "allow read write\n", &d), REACH_YES);
	assert_string_equal(d.call->name, "write");
	assert_int_equal(
		differ("allow socket if domain in 1..3\n", "allow socket if domain in 1 2 3\n", &d),
		REACH_NO);
	assert_int_equal(
		differ("allow socket if domain in 1..3\n", "allow socket if domain in 1 2 4\n", &d),
		REACH_YES);
	assert_true((uint32_t)d.args[0] == 3 || (uint32_t)d.args[0] == 4);
	/* a deny that nothing would have allowed, with the default's answer */
	assert_int_equal(differ("allow read\n", "allow read\ndeny write\n", &d), REACH_NO);
	assert_int_equal(differ("allow read\n", "allow read\ndeny write errno ENOSYS\n", &d),
			 REACH_YES);
	assert_int_equal(differ("allow read\ndeny write\n", "allow read\ndeny write quiet\n", &d),
			 REACH_YES);
	assert_int_equal(differ("kernel 5.1\nallow read\n", "kernel 6.18\nallow read\n", &d),
			 REACH_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_differ),
		cmocka_unit_test(test_search_agrees_with_the_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
