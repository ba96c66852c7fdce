// SPDX-License-Identifier: Apache-2.0
/*
 * Two judges that are not ours: libseccomp's programs for the same rules, as far as it can say
 * them, and the running kernel with our programs loaded.
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

static struct random_policy random_one;

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

/* --- libseccomp --- */

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
	uint64_t seed = 21, inputs = 0, allowed = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
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

/* --- the kernel --- */

/* Calls that have no arguments and do nothing: allowed or not, they can be made with any registers.
 */
static const char *const harmless[] = { "getpid", "getppid", "getuid", "geteuid",
					"getgid", "getegid", "gettid", "sched_yield" };

enum { LIVE_VECTORS = 48, LIVE_PROGRAMS = 150 };

struct live {
	struct vector {
		int32_t nr;
		uint64_t args[6];
	} vector[LIVE_VECTORS];
	long result[LIVE_VECTORS];
	unsigned done; /* vectors that returned */
	bool loaded, probed;
};

static void live_rules(uint64_t *seed, struct policy_rule *rules, size_t *n)
{
	*n = 0;
	/* The child must be able to end. */
	rules[(*n)++] = (struct policy_rule){ .call = syscall_by_name("exit_group"),
					      .abi_mask = 0xff,
					      .action = POLICY_ALLOW };
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		for (uint64_t k = 1 + random_below(seed, 3); k > 0; k--) {
			/* One that takes six arguments lends its types. */
			const struct syscall_desc *lender = syscall_by_name("mmap");
			struct policy_rule *rule = &rules[(*n)++];

			random_rule(seed, lender, rule);
			rule->call = syscall_by_name(harmless[i]);
			if (rule->action == POLICY_DENY)
				rule->errno_value = (uint16_t)(500 + random_below(seed, 3000));
			else if (random_below(seed, 3)) /* kills take long */
				rule->action = POLICY_ALLOW;
		}
	}
	qsort(rules, *n, sizeof(*rules), random_compare_rule);
	random_settle_ties(rules, *n);
}

static void live_vectors(uint64_t *seed, const struct policy_rule *rules, size_t n,
			 struct live *live)
{
	for (unsigned i = 0; i < LIVE_VECTORS; i++) {
		const struct policy_rule *rule = &rules[random_below(seed, n)];
		struct vector *v = &live->vector[i];

		if (rule->call == syscall_by_name("exit_group"))
			rule = &rules[n - 1]; /* any other */
		v->nr = rule->call->nr[ABI_NATIVE];
		for (unsigned k = 0; k < 6; k++)
			v->args[k] = random_value(seed);
		for (uint8_t k = 0; k < rule->n_conds; k++) {
			if (random_below(seed, 5))
				v->args[rule->conds[k].arg] = rule->conds[k].value;
		}
	}
}

/* In the child, from where the one before it was killed. */
static void live_child(const struct seccomp_program *p, volatile struct live *live)
{
	struct sock_fprog prog = { .len = (unsigned short)p->n, .filter = p->insns };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		_exit(9);
	live->loaded = true;
	live->probed = syscall(BUNDLE_PROBE_NR) == -1 && errno == BUNDLE_PROBE_ERRNO;
	while (live->done < LIVE_VECTORS) {
		volatile const struct vector *v = &live->vector[live->done];
		long r = syscall(v->nr, v->args[0], v->args[1], v->args[2], v->args[3], v->args[4],
				 v->args[5]);

		live->result[live->done] = r < 0 ? -errno : 0;
		live->done = live->done + 1;
	}
	/* Under AddressSanitizer _exit() makes calls of its own, which the filter refuses. */
	for (;;)
		(void)syscall(SYS_exit_group, 0);
}

/* The verdict that the policy means against what happened. */
static void judge(const struct policy *policy, const struct live *live, unsigned i, bool killed)
{
	struct policy_verdict v;

	policy_eval(policy, ABI_NATIVE, live->vector[i].nr, live->vector[i].args, &v);
	assert_int_equal(killed, v.action == POLICY_KILL);
	if (!killed)
		assert_int_equal(live->result[i],
				 v.action == POLICY_ALLOW ? 0 : -(long)v.errno_value);
}

static void test_the_kernel_agrees(void **state)
{
	struct live *live = mmap(NULL, sizeof(*live), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct policy_rule rules[64];
	uint64_t seed = 31;
	unsigned kills = 0, denials = 0;

	(void)state;
	assert_true(live != MAP_FAILED);
	for (unsigned round = 0; round < LIVE_PROGRAMS; round++) {
		struct seccomp_program p;
		struct policy policy;
		size_t n;

		live_rules(&seed, rules, &n);
		*live = (struct live){ .done = 0 };
		live_vectors(&seed, rules, n, live);
		policy = make_policy(rules, n);
		p = generate(&policy);
		while (live->done < LIVE_VECTORS) {
			unsigned from = live->done;
			int status;
			pid_t pid = fork();

			assert_true(pid >= 0);
			if (pid == 0)
				live_child(&p, live);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(live->loaded && live->probed);
			for (unsigned i = from; i < live->done; i++) {
				judge(&policy, live, i, false);
				denials += live->result[i] < 0;
			}
			if (WIFEXITED(status)) {
				assert_int_equal(WEXITSTATUS(status), 0);
				assert_int_equal(live->done, LIVE_VECTORS);
				break;
			}
			assert_int_equal(WTERMSIG(status), SIGSYS);
			judge(&policy, live, live->done++, true);
			kills++;
		}
		seccomp_program_done(&p);
	}
	print_message("the kernel agrees on %u programs and %u calls, %u denied, %u killed\n",
		      LIVE_PROGRAMS, LIVE_PROGRAMS * LIVE_VECTORS, denials, kills);
	assert_true(kills > 20 && denials > 500);
	assert_int_equal(munmap(live, sizeof(*live)), 0);
}

/* Random policies of the other tests, whatever they say: the kernel takes every program. */
static void test_the_kernel_takes_all(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct seccomp_program p = { .n = 0 };
		int status;
		pid_t pid;

		random_policy_make(seed, &random_one);
		assert_int_equal(seccomp_generate(&random_one.policy, &p, NULL), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct sock_fprog prog = { .len = (unsigned short)p.n, .filter = p.insns };

			/* The test's library catches faults, and would go on in the child. */
			(void)signal(SIGILL, SIG_DFL);
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
				_exit(8);
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
				_exit(9);
			/* Loaded. The policy may refuse exit_group: then the fault ends it. */
			__builtin_trap();
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		seccomp_program_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libseccomp_agrees),
		cmocka_unit_test(test_the_kernel_agrees),
		cmocka_unit_test(test_the_kernel_takes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
