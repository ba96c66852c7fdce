// SPDX-License-Identifier: Apache-2.0
/*
 * The running kernel as a judge: programs of random policies are loaded in children, which then
 * make calls with the values that the policy speaks of, as x86_64, x32 and i386 (int 0x80).
 * CORDON_LIVE_POLICIES=N tries more, CORDON_LIVE_SEED=N begins elsewhere.
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

#include "base/fd.h"
#include "base/sys.h"
#include "profiles/bpf_eval.h"
#include "profiles/bundle.h"
#include "profiles/seccomp.h"
#include "tests/unit/random_policy.h"

/* Calls that have no arguments and do nothing: allowed or not, they can be made with any registers.
 * All of them return at once and never fail. */
static const char *const harmless[] = { "getpid", "getppid", "getuid", "geteuid",
					"getgid", "getegid", "gettid", "sched_yield" };

/* No errno of Linux: whatever answers with one of these is the filter. */
enum { OUR_DEFAULT = 4001, OUR_FIRST = 500, OUR_RANGE = 3000 };

enum { LIVE_VECTORS = 48 };

struct live {
	struct vector {
		uint8_t abi;
		int32_t nr;
		uint64_t args[6];
	} vector[LIVE_VECTORS];
	long result[LIVE_VECTORS];
	unsigned done; /* vectors that returned */
	bool loaded, probed;
};

/* What the kernel can be asked as. */
static bool has_i386, has_x32;

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

#if defined(__x86_64__)
/* The 32-bit entry: the kernel reads the lower halves of the registers. */
static long call_i386(int32_t nr, volatile const uint64_t args[6])
{
	register uint64_t sixth __asm__("r12") = args[5];
	long ret;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t" /* below is the compiler's, to be kept */
			 "push %%rbp\n\t"
			 "mov %[sixth], %%rbp\n\t"
			 "int $0x80\n\t"
			 "pop %%rbp\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=a"(ret)
			 : "a"((long)nr), "b"(args[0]), "c"(args[1]), "d"(args[2]), "S"(args[3]),
			   "D"(args[4]), [sixth] "r"(sixth)
			 : "memory", "r8", "r9", "r10", "r11", "cc");
	return (int32_t)ret;
}
#else
static long call_i386(int32_t nr, volatile const uint64_t args[6])
{
	(void)nr, (void)args;
	return -ENOSYS;
}
#endif

static long call_as(enum abi abi, int32_t nr, volatile const uint64_t args[6])
{
	long r;

	if (abi == ABI_I386)
		return call_i386(nr, args);
	if (abi == ABI_X32)
		nr |= (int32_t)X32_SYSCALL_BIT;
	r = syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	return r < 0 ? -errno : r;
}

/* In a child: without the 32-bit entry the instruction is a fault. */
static bool kernel_has(enum abi abi)
{
	const uint64_t args[6] = { 0 };
	int32_t nr = syscall_by_name("getpid")->nr[abi];
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		_exit(call_as(abi, nr, args) == getpid() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int setup(void **state)
{
	(void)state;
	if (ABI_NATIVE == ABI_X86_64) {
		has_i386 = kernel_has(ABI_I386);
		has_x32 = kernel_has(ABI_X32);
	}
	print_message("asked as: %s%s%s\n", abi_name(ABI_NATIVE), has_i386 ? " i386" : "",
		      has_x32 ? " x32" : " (x32: what is allowed is ENOSYS)");
	return 0;
}

/* As composition makes a rule for i386, where registers have 32 bits. */
static void narrow(struct policy_rule *rule)
{
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		struct policy_cond *c = &rule->conds[i];

		if (c->width == WIDTH_S64 || c->width == WIDTH_S32)
			c->width = WIDTH_S32;
		else
			c->width = WIDTH_U32;
		c->value &= UINT32_MAX;
		c->mask &= UINT32_MAX;
	}
}

static void live_rules(uint64_t *seed, struct policy_rule *rules, size_t *n)
{
	/* One that takes six arguments lends its types. */
	const struct syscall_desc *lender = syscall_by_name("mmap");

	*n = 0;
	/* The child must be able to end. */
	rules[(*n)++] = (struct policy_rule){ .call = syscall_by_name("exit_group"),
					      .abi_mask = 0xff,
					      .action = POLICY_ALLOW };
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		for (uint64_t k = 1 + random_below(seed, 4); k > 0; k--) {
			struct policy_rule *rule = &rules[(*n)++];

			random_rule(seed, lender, rule);
			rule->call = syscall_by_name(harmless[i]);
			rule->abi_mask =
				random_below(seed, 3) ? 0xff & ~(1U << ABI_I386) : 1U << ABI_X86_64;
			if (rule->action == POLICY_DENY)
				rule->errno_value =
					(uint16_t)(OUR_FIRST + random_below(seed, OUR_RANGE));
			else if (random_below(seed, 3)) /* kills take long */
				rule->action = POLICY_ALLOW;
			if (random_below(seed, 3) == 0) {
				rule->abi_mask = 1U << ABI_I386;
				narrow(rule);
			}
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
		v->abi = ABI_NATIVE;
		if (ABI_NATIVE == ABI_X86_64 && random_below(seed, 4) == 0)
			v->abi = ABI_X32;
		if (has_i386 && (random_below(seed, 4) == 0 || rule->abi_mask == 1U << ABI_I386))
			v->abi = ABI_I386;
		v->nr = rule->call->nr[v->abi];
		for (unsigned k = 0; k < 6; k++)
			v->args[k] = random_value(seed);
		for (uint8_t k = 0; k < rule->n_conds; k++) {
			const struct policy_cond *c = &rule->conds[k];

			if (random_below(seed, 6) == 0)
				continue;
			v->args[c->arg] = c->value + (random_below(seed, 5) == 0) -
					  (random_below(seed, 5) == 0);
			/* What the kernel does not read of the register. */
			if (random_below(seed, 3) == 0 && c->width <= WIDTH_U32)
				v->args[c->arg] |= random_next(seed) << 32;
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
		long r = call_as((enum abi)v->abi, v->nr, v->args);

		live->result[live->done] = r < 0 ? r : 0;
		live->done = live->done + 1;
	}
	/* Under AddressSanitizer _exit() makes calls of its own, which the filter refuses. */
	for (;;)
		(void)syscall(SYS_exit_group, 0);
}

/* What the policy means against what happened. */
static void judge(uint64_t seed, const struct policy *policy, const struct live *live, unsigned i,
		  bool killed)
{
	const struct vector *v = &live->vector[i];
	struct policy_verdict want;
	long result = 0;

	policy_eval(policy, (enum abi)v->abi, v->nr, v->args, &want);
	if (want.action == POLICY_DENY)
		result = -(long)want.errno_value;
	else if (v->abi == ABI_X32 && !has_x32)
		result = -ENOSYS;
	if (killed == (want.action == POLICY_KILL) && (killed || live->result[i] == result))
		return;
	fail_msg("seed %llu: %s call %d(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx): action %u errno "
		 "%u meant, %s %ld seen",
		 (unsigned long long)seed, abi_name((enum abi)v->abi), v->nr,
		 (unsigned long long)v->args[0], (unsigned long long)v->args[1],
		 (unsigned long long)v->args[2], (unsigned long long)v->args[3],
		 (unsigned long long)v->args[4], (unsigned long long)v->args[5], want.action,
		 want.errno_value, killed ? "killed" : "result", live->result[i]);
}

struct tally {
	unsigned calls[_ABI_MAX], kills, denials;
};

static void one_policy(uint64_t seed, struct live *live, struct tally *tally)
{
	static struct policy_rule rules[64];
	static char name[] = "live";
	uint64_t state = seed;
	struct policy policy = { .name = name,
				 .kernel = KERNEL(6, 18),
				 .native = ABI_NATIVE,
				 .default_errno = OUR_DEFAULT,
				 .rules = rules };
	struct seccomp_program p = { .n = 0 };
	struct err err = ERR_INIT;

	live_rules(&state, rules, &policy.n_rules);
	policy.abi_mask = (uint8_t)(1U << ABI_NATIVE | random_below(&state, 16));
	*live = (struct live){ .done = 0 };
	live_vectors(&state, rules, policy.n_rules, live);
	if (seccomp_generate(&policy, &p, &err) < 0 || seccomp_check(&policy, &p, &err) < 0)
		fail_msg("cannot %s", err.msg);
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
			judge(seed, &policy, live, i, false);
			tally->denials += live->result[i] < 0;
			tally->calls[live->vector[i].abi]++;
		}
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			assert_int_equal(live->done, LIVE_VECTORS);
			break;
		}
		assert_int_equal(WTERMSIG(status), SIGSYS);
		tally->calls[live->vector[live->done].abi]++;
		judge(seed, &policy, live, live->done++, true);
		tally->kills++;
	}
	seccomp_program_done(&p);
}

static void test_the_kernel_agrees(void **state)
{
	struct live *live = mmap(NULL, sizeof(*live), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t n = number_from_env("CORDON_LIVE_POLICIES", 60);
	uint64_t seed = number_from_env("CORDON_LIVE_SEED", 31);
	struct tally tally = { .kills = 0 };

	(void)state;
	assert_true(live != MAP_FAILED);
	for (uint64_t i = 0; i < n; i++)
		one_policy(seed + i, live, &tally);
	print_message(
		"the kernel agrees on %llu programs; calls as x86_64 %u, aarch64 %u, i386 %u, "
		"x32 %u; %u denied, %u killed\n",
		(unsigned long long)n, tally.calls[ABI_X86_64], tally.calls[ABI_AARCH64],
		tally.calls[ABI_I386], tally.calls[ABI_X32], tally.denials, tally.kills);
	assert_true(tally.kills > n / 8 && tally.denials > n * 3);
	assert_int_equal(munmap(live, sizeof(*live)), 0);
}

/* Random policies of the other tests, whatever they say: the kernel takes every program. */
static void test_the_kernel_takes_all(void **state)
{
	static struct random_policy random_one;

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
		cmocka_unit_test(test_the_kernel_agrees),
		cmocka_unit_test(test_the_kernel_takes_all),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
