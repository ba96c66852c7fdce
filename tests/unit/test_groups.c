// SPDX-License-Identifier: Apache-2.0
/* @groups, constants, and the policies that are shipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "policies/consts.h"
#include "policies/groups.h"
#include "policies/load.h"

static const char *const library_dirs[] = { "policies/library" };
static const struct policy_search library = { .dirs = library_dirs,
					      .n_dirs = 1,
					      .native = ABI_NATIVE };
static const char *const shipped[] = { "base-libc", "process", "default",
				       "build",	    "session", "strict" };

static size_t expand(const char *name, bool *set)
{
	size_t n, members = 0;

	(void)syscall_table(&n);
	memset(set, 0, n * sizeof(*set));
	assert_int_equal(groups_expand(name, set), 0);
	for (size_t i = 0; i < n; i++)
		members += set[i];
	return members;
}

static bool has(const bool *set, const char *call)
{
	size_t n;

	return set[syscall_by_name(call) - syscall_table(&n)];
}

static void test_groups_are_whole(void **state)
{
	static const char *const names[] = {
		"@aio",	     "@basic-io",  "@chown",	      "@clock",	   "@cpu-emulation",
		"@debug",    "@default",   "@file-system",    "@io-event", "@ipc",
		"@keyring",  "@memlock",   "@module",	      "@mount",	   "@network-io",
		"@obsolete", "@pkey",	   "@privileged",     "@process",  "@raw-io",
		"@reboot",   "@resources", "@sandbox",	      "@setuid",   "@signal",
		"@swap",     "@sync",	   "@system-service", "@timer",	   "@known",
	};
	bool set[1024];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_true(expand(names[i], set) > 0);
	for (i = 0; groups_name(i); i++)
		assert_true(expand(groups_name(i), set) > 0);
	assert_int_equal(i, ARRAY_SIZE(names));
	assert_int_equal(groups_expand("@unheard-of", set), -ENOENT);
	assert_int_equal(groups_expand("default", set), -ENOENT);
}

static void test_members(void **state)
{
	bool set[1024];
	size_t n;

	(void)state;
	(void)syscall_table(&n);
	assert_int_equal(expand("@keyring", set), 3);
	assert_true(has(set, "keyctl") && has(set, "add_key") && has(set, "request_key"));
	assert_int_equal(expand("@swap", set), 2);
	/* groups within groups */
	(void)expand("@system-service", set);
	assert_true(has(set, "read") && has(set, "openat") && has(set, "ioctl"));
	assert_false(has(set, "mount") || has(set, "ptrace") || has(set, "reboot"));
	(void)expand("@privileged", set);
	assert_true(has(set, "reboot") && has(set, "chown") && has(set, "init_module"));
	assert_int_equal(expand("@known", set), n);
}

/* Each call stands in some group besides @known, so that a policy of groups can judge it. */
static void test_each_call_has_a_group(void **state)
{
	size_t n;
	const struct syscall_desc *t = syscall_table(&n);
	bool set[1024] = { false };

	(void)state;
	for (size_t i = 0; groups_name(i); i++) {
		if (strcmp(groups_name(i), "@known") != 0)
			assert_int_equal(groups_expand(groups_name(i), set), 0);
	}
	for (size_t i = 0; i < n; i++) {
		if (!set[i] && t[i].since > KERNEL(5, 0))
			fail_msg("no group of policies/groups.c holds %s", t[i].name);
	}
}

static void check_constant(const char *name, uint64_t want, bool want_negative)
{
	uint64_t value = 0;
	bool negative = false;

	assert_int_equal(consts_find(name, &value, &negative), 0);
	assert_true(value == want && negative == want_negative);
}

static void test_constants(void **state)
{
	uint64_t value = 7;
	uint16_t number = 7;
	bool negative;

	(void)state;
	check_constant("AF_UNIX", 1, false);
	check_constant("TIOCSTI", 0x5412, false);
	check_constant("AT_FDCWD", (uint64_t)-100, true);
	check_constant("CLONE_NEWUSER", 0x10000000, false);
	check_constant("CLONE_NEW_NAMESPACES", 0x7e020080, false);
	check_constant("S_IFMT", 0170000, false);
	check_constant("ARCH_SET_FS", 0x1002, false);
	check_constant("PER_LINUX32", 8, false);
	check_constant("NETLINK_ROUTE", 0, false);
	check_constant("CAP_SYS_ADMIN", 21, false);
	assert_int_equal(consts_find("AF_NOWHERE", &value, &negative), -ENOENT);
	assert_int_equal(consts_find_errno("ENOSYS", &number), 0);
	assert_int_equal(number, ENOSYS);
	assert_int_equal(consts_find_errno("EPERN", &number), -ENOENT);
	assert_int_equal(number, ENOSYS);
	/* as the other architecture has them, which policies can be read for */
	assert_int_equal(consts_find_for(ABI_X86_64, "O_NOFOLLOW", &value, &negative), 0);
	assert_int_equal(value, 0400000);
	assert_int_equal(consts_find_for(ABI_AARCH64, "O_NOFOLLOW", &value, &negative), 0);
	assert_int_equal(value, 0100000);
	assert_int_equal(consts_find_for(ABI_AARCH64, "AF_UNIX", &value, &negative), 0);
	assert_int_equal(value, 1);
	for (size_t i = 0; consts_name(i); i++) {
		uint64_t here = 0;

		/* the table of differences against this machine's own headers */
		assert_int_equal(consts_find(consts_name(i), &here, &negative), 0);
		assert_int_equal(consts_find_for(ABI_NATIVE, consts_name(i), &value, &negative), 0);
		assert_int_equal(value, here);
	}
	/* a name twice would make the second unreachable */
	for (size_t i = 0; consts_name(i); i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(consts_name(i), consts_name(j));
	}
}

/* --- what is shipped --- */

static struct policy *load(const char *name)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load(name, &library, &policy, &diags, &err) < 0)
		fail_msg("%s: %s\n%s", name, err.msg, diags.text.data ? diags.text.data : "");
	assert_int_equal(diags.n_warnings, 0);
	assert_string_equal(policy->name, name);
	assert_int_equal(policy->kernel, SYSCALL_NEWEST);
	assert_int_equal(policy->abi_mask, 1U << ABI_NATIVE);
	assert_true(policy->caps == 0 && policy->notify);
	policy_diags_done(&diags);
	return policy;
}

static void test_expectations_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		struct policy *p = load(shipped[i]);

		assert_true(p->n_expects > 5);
		for (size_t k = 0; k < p->n_expects; k++) {
			const struct policy_expect *e = &p->expects[k];
			struct policy_verdict v;

			if (e->kind != POLICY_EXPECT_CALL || e->call->nr[ABI_NATIVE] < 0)
				continue; /* mknod, on aarch64 */
			policy_eval(p, ABI_NATIVE, e->call->nr[ABI_NATIVE], e->args, &v);
			if (v.action != e->action)
				fail_msg("%s: the expectation at %s:%u (%s) does not hold",
					 shipped[i], p->sources[e->where.source].path,
					 e->where.line, e->call->name);
		}
		policy_free(p);
	}
}

static bool judges(const struct policy *p, const struct syscall_desc *call)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		if (p->rules[i].call == call)
			return true;
	}
	return false;
}

/* A call that is new in the table must be thought about before it ships. */
static void test_each_call_is_judged_by_name(void **state)
{
	size_t n;
	const struct syscall_desc *t = syscall_table(&n);
	struct policy *p = load("default");

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (t[i].nr[ABI_X86_64] < 0 && t[i].nr[ABI_AARCH64] < 0)
			continue;
		if (!judges(p, &t[i]))
			fail_msg("policies/library/default.policy says nothing of %s", t[i].name);
	}
	policy_free(p);
}

static struct policy_verdict ask(const struct policy *p, const char *call, uint64_t a0, uint64_t a1)
{
	const uint64_t args[6] = { a0, a1, 0, 0, 0, 0 };
	struct policy_verdict v;

	policy_eval(p, ABI_NATIVE, syscall_by_name(call)->nr[ABI_NATIVE], args, &v);
	return v;
}

static void test_default_in_detail(void **state)
{
	struct policy *p = load("default");
	struct policy_verdict v = ask(p, "clone3", 0, 0);
	const uint64_t none[6] = { 0 };

	(void)state;
	assert_int_equal(v.action, POLICY_DENY);
	assert_int_equal(v.errno_value, ENOSYS);
	assert_true(v.quiet);
	/* what is dangerous is recorded */
	for (size_t i = 0; i < p->n_rules; i++) {
		if (p->rules[i].quiet)
			assert_string_equal(p->rules[i].call->name, "clone3");
	}
	/* garbage above an int changes nothing */
	assert_int_equal(ask(p, "ioctl", 0, 0xabcd000000005412U).action, POLICY_DENY);
	assert_int_equal(ask(p, "ioctl", 0, 0xabcd000000005401U).action, POLICY_ALLOW);
	assert_int_equal(ask(p, "socket", 0xffffffff00000001U, 1).action, POLICY_ALLOW);
	assert_int_equal(ask(p, "socket", (uint32_t)-1, 1).action, POLICY_DENY);
	for (uint64_t domain = 0; domain < 64; domain++) {
		/* AF_NETLINK with protocol 0, which is NETLINK_ROUTE */
		bool allowed = domain == 1 || domain == 2 || domain == 10 || domain == 16;

		assert_int_equal(ask(p, "socket", domain, 1).action == POLICY_ALLOW, allowed);
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		uint64_t flag = UINT64_C(1) << bit;
		bool space = flag & 0x7e020080;

		assert_int_equal(ask(p, "unshare", flag, 0).action == POLICY_DENY, space);
		assert_int_equal(ask(p, "clone", flag, 0).action == POLICY_DENY, space);
	}
	/* foreign ABIs and the future */
	policy_eval(p, ABI_I386, 1, none, &v);
	assert_int_equal(v.reason, POLICY_BY_ABI);
	policy_eval(p, ABI_NATIVE, syscall_max_nr(ABI_NATIVE) + 1, none, &v);
	assert_int_equal(v.reason, POLICY_BY_KERNEL);
	assert_int_equal(v.errno_value, ENOSYS);
	policy_free(p);
}

/* build and session open nothing that default shuts, but for what they name. */
static void test_relatives_of_default(void **state)
{
	struct policy *d = load("default"), *b = load("build"), *s = load("session");
	size_t n;
	const struct syscall_desc *t = syscall_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct policy_verdict vd, vb, vs;
		const uint64_t args[6] = { 0 };

		if (t[i].nr[ABI_NATIVE] < 0)
			continue;
		policy_eval(d, ABI_NATIVE, t[i].nr[ABI_NATIVE], args, &vd);
		policy_eval(b, ABI_NATIVE, t[i].nr[ABI_NATIVE], args, &vb);
		policy_eval(s, ABI_NATIVE, t[i].nr[ABI_NATIVE], args, &vs);
		assert_int_equal(vd.action, vb.action);
		assert_int_equal(vd.action, vs.action);
	}
	assert_int_equal(ask(d, "personality", 0x0040000, 0).action, POLICY_DENY);
	assert_int_equal(ask(b, "personality", 0x0040000, 0).action, POLICY_ALLOW);
	assert_int_equal(ask(s, "personality", 0x0040000, 0).action, POLICY_DENY);
	policy_free(d);
	policy_free(b);
	policy_free(s);
}

/* strict allows nothing that default refuses. */
static void test_strict_is_narrower(void **state)
{
	struct policy *d = load("default"), *s = load("strict");

	(void)state;
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct policy_rule *r = &s->rules[i];
		struct policy_verdict v;
		uint64_t args[6] = { 0 };

		if (r->action != POLICY_ALLOW || r->call->nr[ABI_NATIVE] < 0)
			continue;
		for (unsigned k = 0; k < r->n_conds; k++)
			args[r->conds[k].arg] |= r->conds[k].value;
		policy_eval(d, ABI_NATIVE, r->call->nr[ABI_NATIVE], args, &v);
		if (v.action != POLICY_ALLOW)
			fail_msg("strict allows %s, default does not", r->call->name);
	}
	assert_int_equal(s->net, POLICY_NET_NONE);
	for (size_t i = 0; i < s->n_paths; i++)
		assert_true(s->paths[i].verb == POLICY_PATH_READ ||
			    s->paths[i].verb == POLICY_PATH_EXEC);
	policy_free(d);
	policy_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_are_whole),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_each_call_has_a_group),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_expectations_hold),
		cmocka_unit_test(test_each_call_is_judged_by_name),
		cmocka_unit_test(test_default_in_detail),
		cmocka_unit_test(test_relatives_of_default),
		cmocka_unit_test(test_strict_is_narrower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
