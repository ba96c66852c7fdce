// SPDX-License-Identifier: Apache-2.0
/*
 * A judge that is not ours: libseccomp's programs for the same rules, as far as it can say them.
 * CORDON_RANDOM_POLICIES=N tries more. The kernel is the other judge: test_seccomp_live.c.
 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/fd.h"
#include "base/sys.h"
#include "profiles/bpf_eval.h"
#include "profiles/bundle.h"
#include "profiles/seccomp.h"
#include "tests/unit/random_policy.h"

static struct policy make_policy(struct policy_rule *rules, size_t n)
{
	static char name[] = "judged";

	return (struct policy){ .name = name,
				.kernel = KERNEL(6, 18),
				.native = ABI_NATIVE,
				.default_errno = EPERM,
				.abi_mask = 1U << ABI_NATIVE,
				.rules = rules,
				.n_rules = n };
}

static struct seccomp_program generate(const struct policy *policy)
{
	struct seccomp_program p = { .n = 0 };
	struct err err = ERR_INIT;

	if (seccomp_generate(policy, &p, &err) < 0 || seccomp_check(policy, &p, &err) < 0)
		fail_msg("cannot %s", err.msg);
	return p;
}

/* Version 2.5.4 itself loses two blocks in the rules of this test; ours are still told. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp.so\n";
}

/* Its comparisons are unsigned and 64 bits wide. */
static enum scmp_compare peer_op(const struct policy_cond *c)
{
	static const uint8_t ops[] = {
		[POLICY_EQ] = SCMP_CMP_EQ,
		[POLICY_NE] = SCMP_CMP_NE,
		[POLICY_LT] = SCMP_CMP_LT,
		[POLICY_LE] = SCMP_CMP_LE,
		[POLICY_GT] = SCMP_CMP_GT,
		[POLICY_GE] = SCMP_CMP_GE,
		[POLICY_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};

	return (enum scmp_compare)ops[c->op];
}

static int peer_add(scmp_filter_ctx ctx, const struct policy_rule *rule)
{
	struct scmp_arg_cmp args[6];

	for (uint8_t i = 0; i < rule->n_conds; i++) {
		const struct policy_cond *c = &rule->conds[i];
		bool masked = c->op == POLICY_MASKED_EQ;

		args[i] = (struct scmp_arg_cmp){ .arg = c->arg,
						 .op = peer_op(c),
						 .datum_a = masked ? c->mask : c->value,
						 .datum_b = masked ? c->value : 0 };
	}
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rule->call->nr[ABI_NATIVE],
				      rule->n_conds, args);
}

/* Rules that both can say: allows, of either several rules with EQ and MASKED_EQ on different
 * arguments, or one rule of one comparison. Returns how many there are. */
static size_t common_rules(uint64_t *seed, scmp_filter_ctx ctx, struct policy_rule *rules)
{
	size_t n_table, n = 0;
	const struct syscall_desc *table = syscall_table(&n_table);

	for (size_t calls = 1 + random_below(seed, 10); calls > 0; calls--) {
		const struct syscall_desc *call = &table[random_below(seed, n_table)];
		bool simple = random_below(seed, 2);
		size_t n_rules = simple ? 1 : 1 + random_below(seed, 4);
		bool again = false;
		char *known;

		for (size_t i = 0; i < n; i++)
			again |= rules[i].call == call;
		/* Newer than the library: it takes the number for one of its own pseudo calls or
		 * none. */
		known = call->nr[ABI_NATIVE] < 0 ? NULL
						 : seccomp_syscall_resolve_num_arch(
							   SCMP_ARCH_NATIVE, call->nr[ABI_NATIVE]);
		free(known);
		if (again || !known || call->n_args == 0)
			continue;
		while (n_rules-- > 0) {
			struct policy_rule *rule = &rules[n];
			unsigned used = 0;

			*rule = (struct policy_rule){ .call = call,
						      .abi_mask = 0xff,
						      .action = POLICY_ALLOW,
						      .where = { .line = 1, .column = 1 } };
			for (uint64_t k = simple ? 1 : random_below(seed, 4); k > 0; k--) {
				struct policy_cond *c = &rule->conds[rule->n_conds];

				random_cond(seed, call, c);
				if (used & 1U << c->arg)
					continue;
				used |= 1U << c->arg;
				c->width = WIDTH_U64;
				c->negate = false;
				if (!simple && c->op != POLICY_MASKED_EQ)
					c->op = POLICY_EQ;
				if (c->op == POLICY_MASKED_EQ)
					c->value &= c->mask;
				rule->n_conds++;
			}
			if (peer_add(ctx, rule) == 0)
				n++;
		}
	}
	return n;
}

static size_t export_peer(scmp_filter_ctx ctx, struct sock_filter *ret, size_t max)
{
	_cleanup_close_ int fd = memfd_create("peer", MFD_CLOEXEC);
	ssize_t len;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	len = pread(fd, ret, max * sizeof(*ret), 0);
	assert_true(len > 0 && (size_t)len < max * sizeof(*ret));
	return (size_t)len / sizeof(*ret);
}

static void test_libseccomp_agrees(void **state)
{
	static struct sock_filter peer[LIMIT_BPF_INSNS + 1];
	static struct policy_rule rules[64];
	const char *more = getenv("CORDON_RANDOM_POLICIES");
	uint64_t seed = 21, inputs = 0, allowed = 0, rounds = more ? strtoull(more, NULL, 0) : 400;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
		struct seccomp_program ours;
		struct policy policy;
		size_t n_peer, n;

		assert_non_null(ctx);
		n = common_rules(&seed, ctx, rules);
		qsort(rules, n, sizeof(*rules), random_compare_rule);
		policy = make_policy(rules, n);
		ours = generate(&policy);
		n_peer = export_peer(ctx, peer, LIMIT_BPF_INSNS + 1);
		assert_int_equal(bpf_check(peer, n_peer, NULL), 0);
		for (unsigned i = 0; n > 0 && i < 2000; i++) {
			const struct policy_rule *rule = &rules[random_below(&seed, n)];
			struct seccomp_data d = { .nr = rule->call->nr[ABI_NATIVE],
						  .arch = abi_audit_arch(ABI_NATIVE) };
			struct bpf_result a, b;

			for (unsigned k = 0; k < 6; k++)
				d.args[k] = random_value(&seed);
			for (uint8_t k = 0; k < rule->n_conds; k++) {
				const struct policy_cond *c = &rule->conds[k];

				if (random_below(&seed, 6))
					d.args[c->arg] = c->value + (random_below(&seed, 4) == 0) -
							 (random_below(&seed, 4) == 0);
			}
			bpf_run(ours.insns, ours.n, &d, NULL, &a);
			bpf_run(peer, n_peer, &d, NULL, &b);
			if (a.ret != b.ret)
				fail_msg("round %u: %s(%#llx, %#llx, %#llx): %#x, libseccomp %#x",
					 round, rule->call->name, d.args[0], d.args[1], d.args[2],
					 a.ret, b.ret);
			inputs++;
			allowed += a.ret == SECCOMP_RET_ALLOW;
		}
		seccomp_program_done(&ours);
		seccomp_release(ctx);
	}
	print_message("libseccomp agrees on %llu inputs, %llu of them allowed\n",
		      (unsigned long long)inputs, (unsigned long long)allowed);
	assert_true(allowed > inputs / 20 && allowed < inputs - inputs / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libseccomp_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
