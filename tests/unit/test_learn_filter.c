// SPDX-License-Identifier: Apache-2.0
/*
 * The program of a launch that learns: what it lets pass unseen the policy allows whatever the
 * arguments are, and everything else is notified. Judged by the independent evaluator.
 */
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "audit/learn.h"
#include "profiles/bpf_eval.h"
#include "sandbox/learn_filter.h"
#include "tests/unit/plan_case.h"

static struct plan_case *new_plan(const char *lines, bool quick)
{
	struct plan_case *c = case_new(lines, NULL);

	c->req.learn = true;
	c->req.learn_quick = quick;
	case_make_good(c);
	return c;
}

static const struct learn_assumable *find(const struct syscall_desc *desc)
{
	size_t n;
	const struct learn_assumable *list = learn_assumables(&n);

	for (size_t i = 0; desc && i < n; i++) {
		if (strcmp(list[i].name, desc->name) == 0)
			return &list[i];
	}
	return NULL;
}

static struct bpf_result ask(const struct sock_filter *f, unsigned n, enum abi abi, int32_t nr,
			     const uint64_t args[6])
{
	struct seccomp_data d = { .arch = abi_audit_arch(abi), .nr = nr };
	struct bpf_result r;

	if (abi == ABI_X32)
		d.nr |= (int)X32_SYSCALL_BIT;
	memcpy(d.args, args, sizeof(d.args));
	bpf_run(f, n, &d, NULL, &r);
	return r;
}

/* How many answers were to let a call pass. */
static unsigned check(const struct plan_case *c)
{
	static const uint64_t prots[] = { 0, 1, 3, 4, 5, 7, UINT64_MAX, UINT64_C(4) << 32 };
	struct sock_filter f[LEARN_FILTER_INSNS];
	const unsigned short n = learn_filter(c->plan, f);
	struct err err = ERR_INIT;
	unsigned passed = 0;

	assert_int_equal(bpf_check(f, n, &err), 0);
	for (int abi = 0; abi < _ABI_MAX; abi++) {
		for (int32_t nr = -1; nr < 1200; nr++) {
			for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
				const uint64_t args[6] = { prots[i], prots[i], prots[i],
							   prots[i], prots[i], prots[i] };
				struct bpf_result r = ask(f, n, (enum abi)abi, nr, args);
				const struct learn_assumable *a;
				struct bundle_verdict v;

				if (r.ret == SECCOMP_RET_USER_NOTIF)
					continue;
				assert_int_equal(r.ret, SECCOMP_RET_ALLOW);
				passed++;
				assert_int_equal(abi, ABI_NATIVE);
				bundle_verdict(c->bundle, (enum abi)abi, nr, args, &v);
				assert_int_equal(v.action, POLICY_ALLOW);
				a = find(syscall_by_nr((enum abi)abi, nr));
				assert_non_null(a);
				assert_false(a->unless_exec && (prots[i] & 4));
				assert_true(a->unless_exec || !r.read_args);
			}
		}
	}
	return passed;
}

static void test_exact(void **state)
{
	struct plan_case *c = new_plan("allow brk close mmap\n", false);

	(void)state;
	assert_int_equal(c->plan->n_assumed, 0);
	assert_int_equal(check(c), 0);
	case_free(c);
}

/* All that there is: nothing of the table is left out by mistake, and it fits. */
static void test_quick(void **state)
{
	struct plan_case *c = new_plan("allow @system-service\n", true);
	size_t n;

	(void)state;
	(void)learn_assumables(&n);
	assert_true(n <= PLAN_ASSUMED);
	assert_true(c->plan->n_assumed > 40);
	assert_true(check(c) > 40 * 8);
	case_free(c);
}

static bool assumes(const char *lines, const char *name)
{
	struct plan_case *c = new_plan(lines, true);
	bool found = false;

	for (size_t i = 0; i < c->plan->n_assumed; i++)
		found = found || strcmp(c->plan->assumed[i].name, name) == 0;
	(void)check(c);
	case_free(c);
	return found;
}

/* A policy that asks for an argument, or refuses, is obeyed by the supervisor alone. */
static void test_conditions(void **state)
{
	(void)state;
	assert_true(assumes("allow lseek\n", "lseek"));
	assert_false(assumes("", "lseek"));
	assert_false(assumes("deny lseek\n", "lseek"));
	assert_false(assumes("kill lseek\n", "lseek"));
	assert_false(assumes("allow lseek if fd == 3\n", "lseek"));
	assert_false(assumes("allow lseek\ndeny lseek if fd == 3\n", "lseek"));
	assert_true(assumes("allow lseek\nallow lseek if fd == 3\n", "lseek"));
	assert_true(assumes("allow mprotect\n", "mprotect"));
	assert_false(assumes("allow mprotect if prot & 4 == 0\n", "mprotect"));
	/* one that no list has */
	assert_false(assumes("allow socket\n", "socket"));
}

/* The self-test's call has its own answer, so that a launch knows the program to be in force. */
static void test_probe(void **state)
{
	struct plan_case *c = new_plan("allow lseek\n", true);
	struct sock_filter f[LEARN_FILTER_INSNS];
	const unsigned short n = learn_filter(c->plan, f);
	const uint64_t args[6] = { 0 };

	(void)state;
	assert_int_equal(ask(f, n, ABI_NATIVE, BUNDLE_PROBE_NR, args).ret,
			 SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO);
	case_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_quick),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, arena_make, arena_remove);
}
