// SPDX-License-Identifier: Apache-2.0
/*
 * cordon policy test: the expect lines of a policy, judged by its meaning and by its filter. A line
 * whose arguments are texts needs a running sandbox, as only the kernel reads memory: it is skipped
 * here, and said so.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "profiles/bpf_eval.h"
#include "profiles/seccomp.h"

static const char *const actions[] = { "allow", "deny", "kill" };

/* What a filter's answer does to the caller. A notification is answered by the supervisor with
 * the policy's verdict, which is neither an allow nor left out. */
static const char *action_of_ret(uint32_t ret, const struct policy_verdict *v)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return "allow";
	case SECCOMP_RET_USER_NOTIF:
		return v->action == POLICY_KILL ? "kill" : "deny";
	case SECCOMP_RET_ERRNO:
		return "deny";
	case SECCOMP_RET_KILL_PROCESS:
		return "kill";
	default:
		return "nothing known";
	}
}

static bool has_text(const struct policy_expect *e)
{
	for (unsigned i = 0; i < 6; i++) {
		if (e->has_text[i])
			return true;
	}
	return false;
}

/* The first open ABI that has the call: the native one, when it can be. */
static bool find_abi(const struct policy *policy, const struct syscall_desc *call, enum abi *ret)
{
	static const uint8_t order[] = { ABI_NATIVE, ABI_X86_64, ABI_AARCH64, ABI_I386, ABI_X32 };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (policy->abi_mask >> order[i] & 1 && call->nr[order[i]] >= 0) {
			*ret = (enum abi)order[i];
			return true;
		}
	}
	return false;
}

static void put_title(const struct policy *policy, const struct policy_expect *e)
{
	(void)printf("%s %s at ", actions[e->action], e->call->name);
	policy_cli_print_where(policy, &e->where);
}

struct tally {
	unsigned n, failed, skipped;
};

static void test_one(const struct policy *policy, const struct seccomp_program *p,
		     const struct policy_expect *e, struct tally *t)
{
	struct seccomp_data d = { .nr = 0 };
	struct policy_verdict v;
	struct bpf_result r;
	const char *filter;
	enum abi abi;
	bool ok;

	t->n++;
	if (has_text(e) || !find_abi(policy, e->call, &abi)) {
		(void)printf("ok %u - ", t->n);
		put_title(policy, e);
		(void)puts(has_text(e) ? " # SKIP needs --live: an argument is text"
				       : " # SKIP no open ABI has the call");
		t->skipped++;
		return;
	}
	policy_eval(policy, abi, e->call->nr[abi], e->args, &v);
	d.arch = abi_audit_arch(abi);
	d.nr = e->call->nr[abi];
	if (abi == ABI_X32)
		d.nr |= (int)X32_SYSCALL_BIT;
	memcpy(d.args, e->args, sizeof(d.args));
	bpf_run(p->insns, p->n, &d, NULL, &r);
	filter = action_of_ret(r.ret, &v);
	ok = v.action == e->action && strcmp(filter, actions[e->action]) == 0;
	(void)printf("%s %u - ", ok ? "ok" : "not ok", t->n);
	put_title(policy, e);
	(void)putchar('\n');
	if (ok)
		return;
	t->failed++;
	(void)printf("# the policy says %s, by ", actions[v.action]);
	if (v.rule)
		policy_cli_print_where(policy, &v.rule->where);
	else
		(void)fputs(v.reason == POLICY_BY_KERNEL ? "its kernel line" : "default", stdout);
	(void)printf("; its filter says %s (%#x)\n", filter, r.ret);
}

static int test(const struct policy_args *args)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program p = { .n = 0 };
	_cleanup_policy_ struct policy *policy = NULL;
	struct tally t = { .n = 0 };
	struct err err = ERR_INIT;
	int r;

	if (policy_cli_load(args, args->what[0], &policy) < 0)
		return POLICY_EXIT_FAILED;
	r = seccomp_generate(policy, &p, &err);
	r = r ? r : seccomp_check(policy, &p, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	(void)printf("TAP version 13\n1..%zu\n", policy->n_expects);
	for (size_t i = 0; i < policy->n_expects; i++)
		test_one(policy, &p, &policy->expects[i], &t);
	(void)printf("# %u expectations, %u failed, %u need --live or another ABI\n", t.n, t.failed,
		     t.skipped);
	return t.failed ? 1 : 0;
}

const struct policy_verb policy_verb_test = {
	.name = "test",
	.run = test,
	.min_what = 1,
	.max_what = 1,
	.options = " ",
	.usage = "  test WHAT                  its expect lines, without a kernel (TAP)\n",
};
