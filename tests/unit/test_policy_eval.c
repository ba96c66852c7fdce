// SPDX-License-Identifier: Apache-2.0
/* The oracle against policies/model.h, on rules made by hand: no parser takes part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/cond.h"
#include "policies/model.h"

enum { MAX_RULES = 8 };

static struct policy_rule rules[MAX_RULES];
static struct policy policy;

static int compare_rules(const void *a, const void *b)
{
	const struct policy_rule *ra = a, *rb = b;

	return strcmp(ra->call->name, rb->call->name);
}

static struct policy_rule *add(enum policy_action action, const char *call, int errno_value)
{
	struct policy_rule *r = &rules[policy.n_rules++];

	*r = (struct policy_rule){ .call = syscall_by_name(call),
				   .action = (uint8_t)action,
				   .errno_value = (uint16_t)errno_value };
	assert_non_null(r->call);
	for (int a = 0; a < _ABI_MAX; a++) {
		if (r->call->nr[a] >= 0)
			r->abi_mask |= (uint8_t)(1U << a);
	}
	return r;
}

static void when(struct policy_rule *r, unsigned arg, enum policy_op op, uint64_t mask,
		 uint64_t value, bool negate)
{
	r->conds[r->n_conds++] = (struct policy_cond){ .arg = (uint8_t)arg,
						       .op = (uint8_t)op,
						       .negate = negate,
						       .width = r->call->args[arg].width,
						       .mask = mask,
						       .value = value };
}

static int setup(void **state)
{
	(void)state;
	memset(rules, 0, sizeof(rules));
	policy = (struct policy){ .rules = rules,
				  .kernel = KERNEL(6, 1),
				  .default_errno = EPERM,
				  .abi_mask = 1U << ABI_X86_64 };
	return 0;
}

static struct policy_verdict eval6(enum abi abi, int32_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const uint64_t args[6] = { a0, a1, a2, 0, 0, 0 };
	struct policy_verdict v;

	qsort(rules, policy.n_rules, sizeof(rules[0]), compare_rules);
	memset(&v, 0xee, sizeof(v));
	policy_eval(&policy, abi, nr, args, &v);
	return v;
}

static struct policy_verdict eval(const char *call, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return eval6(ABI_X86_64, syscall_by_name(call)->nr[ABI_X86_64], a0, a1, a2);
}

static void is(struct policy_verdict v, enum policy_action action, enum policy_reason reason,
	       int errno_value)
{
	assert_int_equal(v.action, action);
	assert_int_equal(v.reason, reason);
	assert_int_equal(v.errno_value, errno_value);
	assert_true((v.rule != NULL) == (reason == POLICY_BY_RULE));
}

static void test_default(void **state)
{
	(void)state;
	add(POLICY_ALLOW, "read", 0);
	is(eval("read", 0, 0, 0), POLICY_ALLOW, POLICY_BY_RULE, 0);
	is(eval("write", 0, 0, 0), POLICY_DENY, POLICY_BY_DEFAULT, EPERM);
}

static void test_precedence(void **state)
{
	(void)state;
	add(POLICY_ALLOW, "ptrace", 0);
	is(eval("ptrace", 0, 0, 0), POLICY_ALLOW, POLICY_BY_RULE, 0);
	add(POLICY_DENY, "ptrace", EACCES);
	is(eval("ptrace", 0, 0, 0), POLICY_DENY, POLICY_BY_RULE, EACCES);
	add(POLICY_KILL, "ptrace", 0);
	is(eval("ptrace", 0, 0, 0), POLICY_KILL, POLICY_BY_RULE, 0);
}

static void test_kernel_and_abi(void **state)
{
	(void)state;
	add(POLICY_ALLOW, "read", 0);
	is(eval6(ABI_I386, 3, 0, 0, 0), POLICY_DENY, POLICY_BY_ABI, ENOSYS);
	is(eval6(ABI_X32, 0, 0, 0, 0), POLICY_DENY, POLICY_BY_ABI, ENOSYS);
	is(eval6(ABI_X86_64, -1, 0, 0, 0), POLICY_DENY, POLICY_BY_KERNEL, ENOSYS);
	is(eval6(ABI_X86_64, 4096, 0, 0, 0), POLICY_DENY, POLICY_BY_KERNEL, ENOSYS);
	/* mseal came with 6.10: newer than the policy, named by no rule */
	is(eval("mseal", 0, 0, 0), POLICY_DENY, POLICY_BY_KERNEL, ENOSYS);
	/* of 5.14, judged and not named */
	is(eval("memfd_secret", 0, 0, 0), POLICY_DENY, POLICY_BY_DEFAULT, EPERM);
	add(POLICY_DENY, "mseal", EPERM);
	is(eval("mseal", 0, 0, 0), POLICY_DENY, POLICY_BY_RULE, EPERM);
	policy.abi_mask |= 1U << ABI_I386;
	is(eval6(ABI_I386, 3, 0, 0, 0), POLICY_ALLOW, POLICY_BY_RULE, 0);
}

static void test_newer_call_with_a_condition(void **state)
{
	struct policy_rule *r = add(POLICY_ALLOW, "mseal", 0);

	(void)state;
	when(r, 2, POLICY_EQ, 0, 0, false);
	is(eval("mseal", 0, 0, 0), POLICY_ALLOW, POLICY_BY_RULE, 0);
	/* a rule names it, so it is a known call that nobody allowed */
	is(eval("mseal", 0, 0, 1), POLICY_DENY, POLICY_BY_DEFAULT, EPERM);
}

static void test_rule_of_another_abi(void **state)
{
	(void)state;
	policy.abi_mask |= 1U << ABI_I386;
	add(POLICY_ALLOW, "mseal", 0)->abi_mask = 1U << ABI_I386;
	is(eval6(ABI_I386, 462, 0, 0, 0), POLICY_ALLOW, POLICY_BY_RULE, 0);
	is(eval6(ABI_X86_64, 462, 0, 0, 0), POLICY_DENY, POLICY_BY_KERNEL, ENOSYS);
}

static void test_the_nearer_deny_answers(void **state)
{
	struct policy_rule *r;

	(void)state;
	add(POLICY_DENY, "socket", EPERM)->quiet = true;
	r = add(POLICY_DENY, "socket", EAFNOSUPPORT);
	when(r, 0, POLICY_EQ, 0, 16, false);
	is(eval("socket", 16, 0, 0), POLICY_DENY, POLICY_BY_RULE, EAFNOSUPPORT);
	assert_false(eval("socket", 16, 0, 0).quiet);
	is(eval("socket", 1, 0, 0), POLICY_DENY, POLICY_BY_RULE, EPERM);
	assert_true(eval("socket", 1, 0, 0).quiet);
}

static void test_a_tie_goes_by_text(void **state)
{
	struct policy_rule *r;

	(void)state;
	r = add(POLICY_DENY, "socket", EACCES);
	when(r, 1, POLICY_EQ, 0, 3, false); /* "type == 0x3" */
	r = add(POLICY_DENY, "socket", EAFNOSUPPORT);
	when(r, 0, POLICY_EQ, 0, 16, false); /* "domain == 0x10" sorts first */
	is(eval("socket", 16, 3, 0), POLICY_DENY, POLICY_BY_RULE, EAFNOSUPPORT);
	is(eval("socket", 1, 3, 0), POLICY_DENY, POLICY_BY_RULE, EACCES);
}

static bool holds(const char *call, unsigned arg, enum policy_op op, uint64_t mask, uint64_t value,
		  bool negate, uint64_t reg)
{
	struct policy_rule r = { .call = syscall_by_name(call) };

	when(&r, arg, op, mask, value, negate);
	return cond_holds(&r.conds[0], reg);
}

static void test_int_is_read_as_32_bits_signed(void **state)
{
	const uint64_t high = 0xdeadbeef00000000U;

	(void)state;
	assert_true(holds("socket", 0, POLICY_EQ, 0, 1, false, high | 1));
	assert_false(holds("socket", 0, POLICY_NE, 0, 1, false, high | 1));
	assert_false(holds("socket", 0, POLICY_EQ, 0, 1, false, 2));
	/* AT_FDCWD as the compiler passes it and as a careless one does */
	assert_true(holds("openat", 0, POLICY_EQ, 0, (uint32_t)-100, false, 0xffffffffffffff9cU));
	assert_true(holds("openat", 0, POLICY_EQ, 0, (uint32_t)-100, false, 0xffffff9cU));
	assert_true(holds("openat", 0, POLICY_LT, 0, 0, false, 0xffffff9cU));
	assert_false(holds("openat", 0, POLICY_GE, 0, 0, false, 0xffffff9cU));
	assert_true(holds("openat", 0, POLICY_GE, 0, 0, false, 0));
	assert_true(holds("openat", 0, POLICY_LE, 0, 0x7fffffff, false, high | 0x80000000U));
	assert_true(holds("openat", 0, POLICY_GT, 0, 0xffffffffU, false, 0));
}

static void test_unsigned_and_64_bits(void **state)
{
	(void)state;
	assert_true(holds("ioctl", 1, POLICY_EQ, 0, 0x5412, false, 0x100005412U));
	assert_true(holds("ioctl", 1, POLICY_GT, 0, 0x7fffffff, false, 0x80000000U));
	assert_false(holds("unshare", 0, POLICY_EQ, 0, 0, false, 0x100000000U));
	assert_true(holds("unshare", 0, POLICY_EQ, 0, 0, false, 0));
	assert_true(holds("lseek", 1, POLICY_LT, 0, 0, false, UINT64_MAX));
	assert_true(holds("lseek", 1, POLICY_GE, 0, (uint64_t)-5, false, (uint64_t)-5));
	assert_true(holds("getxattr", 3, POLICY_GT, 0, 5, false, UINT64_MAX));
}

static void test_masks(void **state)
{
	(void)state;
	assert_true(holds("mknod", 1, POLICY_MASKED_EQ, 0170000, 0020000, false, 0020644));
	assert_false(holds("mknod", 1, POLICY_MASKED_EQ, 0170000, 0020000, false, 0010644));
	assert_true(
		holds("mknod", 1, POLICY_MASKED_EQ, 0170000, 0020000, false, 0x10000 | 0020644));
	assert_true(holds("clone", 0, POLICY_MASKED_EQ, 0x10000000, 0, true, 0x10000011));
	assert_false(holds("clone", 0, POLICY_MASKED_EQ, 0x10000000, 0, true, 0x11));
	/* the sign bit of an int within a mask */
	assert_true(
		holds("socket", 1, POLICY_MASKED_EQ, 0x80000000U, 0x80000000U, false, 0x80000001U));
	assert_false(holds("socket", 1, POLICY_MASKED_EQ, 0x80000000U, 0x80000000U, false, 1));
}

static void test_all_conditions_must_hold(void **state)
{
	struct policy_rule *r = add(POLICY_ALLOW, "socket", 0);

	(void)state;
	when(r, 0, POLICY_EQ, 0, 16, false);
	when(r, 2, POLICY_EQ, 0, 0, false);
	is(eval("socket", 16, 3, 0), POLICY_ALLOW, POLICY_BY_RULE, 0);
	is(eval("socket", 16, 3, 9), POLICY_DENY, POLICY_BY_DEFAULT, EPERM);
	is(eval("socket", 1, 3, 0), POLICY_DENY, POLICY_BY_DEFAULT, EPERM);
}

static void test_text(void **state)
{
	struct policy_rule r = { .call = syscall_by_name("socket") };
	char text[COND_TEXT];

	(void)state;
	when(&r, 0, POLICY_EQ, 0, 1, false);
	cond_text(r.call, &r.conds[0], text);
	assert_string_equal(text, "domain == 0x1");
	when(&r, 1, POLICY_MASKED_EQ, 0xf, 0, true);
	cond_text(r.call, &r.conds[1], text);
	assert_string_equal(text, "type & 0xf != 0x0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_default, setup),
		cmocka_unit_test_setup(test_precedence, setup),
		cmocka_unit_test_setup(test_kernel_and_abi, setup),
		cmocka_unit_test_setup(test_newer_call_with_a_condition, setup),
		cmocka_unit_test_setup(test_rule_of_another_abi, setup),
		cmocka_unit_test_setup(test_the_nearer_deny_answers, setup),
		cmocka_unit_test_setup(test_a_tie_goes_by_text, setup),
		cmocka_unit_test_setup(test_int_is_read_as_32_bits_signed, setup),
		cmocka_unit_test_setup(test_unsigned_and_64_bits, setup),
		cmocka_unit_test_setup(test_masks, setup),
		cmocka_unit_test_setup(test_all_conditions_must_hold, setup),
		cmocka_unit_test_setup(test_text, setup),
	};

	policy_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
