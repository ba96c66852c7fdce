// SPDX-License-Identifier: Apache-2.0
/*
 * The program that has the kernel tell of denials without a listener: behind the policy's own it
 * changes no answer, and it spares what nobody is to hear of. Judged by the independent evaluator.
 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "audit/record.h"
#include "profiles/bpf_eval.h"
#include "tests/unit/plan_case.h"

#define QUIET "notify off\nallow seccomp\ndeny clone3 errno ENOSYS quiet\n"

static struct plan_case *new_plan(const char *lines)
{
	struct plan_case *c = case_new(lines, NULL);

	case_make_good(c);
	return c;
}

static uint32_t ask(const struct sock_filter *f, unsigned n, enum abi abi, int32_t nr, uint64_t arg)
{
	struct seccomp_data d = { .arch = abi_audit_arch(abi),
				  .nr = nr,
				  .args = { arg, arg, arg, arg, arg, arg } };
	struct bpf_result r;

	if (abi == ABI_X32)
		d.nr |= (int)X32_SYSCALL_BIT;
	bpf_run(f, n, &d, NULL, &r);
	return r.ret;
}

/* One call, by both programs. The errno that the bundle says is that of each
 * refusal. */
static void check_call(const struct plan_case *c, enum abi abi, int32_t nr, uint64_t arg)
{
	const uint64_t args[6] = { arg, arg, arg, arg, arg, arg };
	const bool probe = abi == ABI_NATIVE && nr == BUNDLE_PROBE_NR;
	const uint16_t known = bundle_errno(c->bundle, abi, nr);
	struct bundle_verdict v;
	unsigned short len;
	const struct sock_filter *own = bundle_seccomp(c->bundle, &len);
	const uint32_t answer = ask(own, len, abi, nr, arg);
	const uint32_t told = ask(c->plan->told, c->plan->n_told, abi, nr, arg);

	bundle_verdict(c->bundle, abi, nr, args, &v);
	if (probe || (v.quiet && v.action == POLICY_DENY)) {
		assert_int_equal(told, SECCOMP_RET_ALLOW);
		assert_int_equal(answer & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
		return;
	}
	assert_int_equal(told, answer);
	if (v.action == POLICY_DENY && known)
		assert_int_equal(answer, SECCOMP_RET_ERRNO | known);
}

static void check(const struct plan_case *c)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 10, UINT64_MAX };
	struct err err = ERR_INIT;

	assert_true(c->plan->n_told > 0);
	assert_int_equal(bpf_check(c->plan->told, c->plan->n_told, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (int abi = 0; abi < _ABI_MAX; abi++) {
			for (int32_t nr = -1; nr < 1200; nr++)
				check_call(c, (enum abi)abi, nr, values[i]);
			check_call(c, (enum abi)abi, BUNDLE_PROBE_NR, values[i]);
		}
	}
}

static void test_answers(void **state)
{
	static const char *const lines[] = {
		"notify off\nallow seccomp\n",
		QUIET,
		QUIET "deny acct errno EACCES\nkill reboot\ndeny bpf quiet\ndeny mount quiet\n",
		QUIET "allow socket if domain == 1\ndeny socket if domain == 2 errno ENOENT\n",
		"abi native i386\nnotify off\nallow seccomp\ndeny personality errno ENOSYS\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct plan_case *c = new_plan(lines[i]);

		check(c);
		case_free(c);
	}
}

/* Where what is quiet cannot be spared, or a listener hears, nothing is told to the kernel's log.
 */
static void test_none(void **state)
{
	static const char *const lines[] = {
		"allow seccomp\n",
		"notify off\n",
		"notify off\nallow seccomp if op == 1\n",
		"notify off\nallow seccomp\ndeny seccomp quiet\n",
		"abi native i386\n" QUIET,
		QUIET "deny bpf if cmd == 1 quiet\n",
		QUIET "deny bpf if cmd == 1\ndeny bpf quiet\n",
		QUIET "deny @mount @module @clock @reboot @swap @raw-io @obsolete @keyring quiet\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct plan_case *c = new_plan(lines[i]);

		assert_int_equal(c->plan->n_told, 0);
		case_free(c);
	}
}

static uint16_t errno_of(const char *lines, const char *name)
{
	struct plan_case *c = new_plan(lines);
	const struct syscall_desc *desc = syscall_by_name(name);
	uint16_t got = bundle_errno(c->bundle, ABI_NATIVE, desc->nr[ABI_NATIVE]);

	case_free(c);
	return got;
}

static void test_errno(void **state)
{
	(void)state;
	assert_int_equal(errno_of("", "acct"), EPERM);
	assert_int_equal(errno_of("deny acct errno EACCES\n", "acct"), EACCES);
	assert_int_equal(errno_of("allow acct\n", "acct"), 0);
	assert_int_equal(errno_of("kill acct\n", "acct"), 0);
	assert_int_equal(errno_of("deny acct errno ENOSYS quiet\n", "acct"), 0);
	assert_int_equal(errno_of("allow socket if domain == 1\n", "socket"), EPERM);
	assert_int_equal(
		errno_of("allow socket\ndeny socket if domain == 2 errno ENOENT\n", "socket"),
		ENOENT);
	/* its arguments decide */
	assert_int_equal(errno_of("deny socket if domain == 2 errno ENOENT\n", "socket"), 0);
}

enum {
	LANDLOCK = 1 << AUDIT_LANDLOCK,
	KILL = 1 << AUDIT_SECCOMP_KILL,
	ERRNO = 1 << AUDIT_SECCOMP_ERRNO,
};

static void refuse(const char *lines, int abi, unsigned refusers, unsigned unseen)
{
	struct plan_case *c = case_new(lines, NULL);
	unsigned untold = 0;

	c->host.landlock_abi = abi;
	case_make_good(c);
	assert_int_equal(plan_refusers(c->plan, &untold), refusers);
	assert_int_equal(refusers & untold, unseen);
	case_free(c);
}

/* Who refuses without a notification, and of whom nobody hears even where the kernel's audit is
 * heard. */
static void test_refusers(void **state)
{
	(void)state;
	refuse("", 0, 0, 0);
	refuse("", 6, LANDLOCK, LANDLOCK);
	refuse("", 7, LANDLOCK, 0);
	refuse("", 11, LANDLOCK, 0);
	refuse("kill acct\n", 0, 0, 0);
	refuse("kill acct quiet\n", 0, KILL, 0);
	refuse("deny acct quiet\n", 0, 0, 0);
	refuse("notify off\n", 7, LANDLOCK | ERRNO, ERRNO);
	refuse("kill acct\n" QUIET, 7, LANDLOCK | KILL | ERRNO, 0);
	refuse(QUIET, 6, LANDLOCK | ERRNO, LANDLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_refusers),
	};

	return cmocka_run_group_tests(tests, arena_make, arena_remove);
}
