// SPDX-License-Identifier: Apache-2.0
/*
 * The generator and its check on random policies: every verdict the plain meaning's, and faults,
 * planted in programs and in what the generator decides, found. CORDON_RANDOM_POLICIES=N tries
 * more, CORDON_RANDOM_SEED=N begins elsewhere; a failure names its seed.
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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "profiles/bpf_eval.h"
#include "profiles/seccomp.h"
#include "tests/unit/random_policy.h"

static struct random_policy random_one;

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* A policy that takes longer than this is a hang: the test ends and names it. */
enum { HANG_SECONDS = 1 };

static uint64_t seed_in_work;

/* Only calls that a signal handler may make. */
static void hang(int signo)
{
	static const char text[] = "a policy takes more than a second of processor time: seed ";
	char digits[24];
	size_t at = sizeof(digits);

	(void)signo;
	digits[--at] = '\n';
	for (uint64_t left = seed_in_work; at > 0 && (left > 0 || at == sizeof(digits) - 1);
	     left /= 10)
		digits[--at] = (char)('0' + left % 10);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDERR_FILENO, digits + at, sizeof(digits) - at) < 0)
		_exit(4);
	_exit(3);
}

static void watch(bool on)
{
	const struct itimerval timer = { .it_value = { .tv_sec = on ? HANG_SECONDS : 0 } };

	assert_true(signal(SIGVTALRM, hang) != SIG_ERR);
	assert_int_equal(setitimer(ITIMER_VIRTUAL, &timer, NULL), 0);
}

static double cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void test_random_policies(void **state)
{
	uint64_t n = number_from_env("CORDON_RANDOM_POLICIES", 1500);
	uint64_t seed = number_from_env("CORDON_RANDOM_SEED", 1);
	size_t insns = 0, longest = 0, rules = 0, conds = 0, native[_ABI_MAX] = { 0 };
	double slowest = 0, from = cpu_ms();

	(void)state;
	for (uint64_t i = 0; i < n; i++, seed++) {
		struct seccomp_program p = { .n = 0 };
		struct err err = ERR_INIT;
		double begin = cpu_ms(), took;
		int r;

		seed_in_work = seed;
		watch(true);
		random_policy_make(seed, &random_one);
		r = seccomp_generate(&random_one.policy, &p, &err);
		r = r ? r : seccomp_check(&random_one.policy, &p, &err);
		watch(false);
		if (r < 0)
			fail_msg("seed %llu: cannot %s", (unsigned long long)seed, err.msg);
		took = cpu_ms() - begin;
		slowest = took > slowest ? took : slowest;
		insns += p.n;
		longest = p.n > longest ? p.n : longest;
		rules += random_one.policy.n_rules;
		for (size_t k = 0; k < random_one.policy.n_rules; k++)
			conds += random_one.rules[k].n_conds;
		native[random_one.policy.native]++;
		seccomp_program_done(&p);
	}
	print_message("%llu random policies agree (%zu for x86_64, %zu for aarch64; %zu rules, "
		      "%zu comparisons), in %.1f s, the slowest in %.1f ms; programs: %zu "
		      "instructions on average, %zu at most\n",
		      (unsigned long long)n, native[ABI_X86_64], native[ABI_AARCH64], rules, conds,
		      (cpu_ms() - from) / 1e3, slowest, insns / (size_t)n, longest);
}

/* One small fault. False: the instruction has nothing of the kind chosen. */
static bool plant(uint64_t *seed, struct sock_filter *in)
{
	static const uint16_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	uint8_t swap;

	switch (random_below(seed, 5)) {
	case 0: /* a constant */
		if (BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) == BPF_JA)
			return false;
		in->k ^= 1U << random_below(seed, 32);
		return true;
	case 1: /* by one */
		in->k += random_below(seed, 2) ? 1 : UINT32_MAX;
		return true;
	case 2: /* where to */
		if (BPF_CLASS(in->code) != BPF_JMP || BPF_OP(in->code) == BPF_JA)
			return false;
		if (random_below(seed, 2))
			in->jt = (uint8_t)(in->jt + (random_below(seed, 2) ? 1 : 255));
		else
			in->jf = (uint8_t)(in->jf + (random_below(seed, 2) ? 1 : 255));
		return true;
	case 3: /* which comparison */
		if (BPF_CLASS(in->code) != BPF_JMP || BPF_OP(in->code) == BPF_JA)
			return false;
		in->code = (uint16_t)(BPF_JMP | BPF_K | jumps[random_below(seed, 4)]);
		return true;
	default: /* the other way round */
		if (BPF_CLASS(in->code) != BPF_JMP || in->jt == in->jf)
			return false;
		swap = in->jt;
		in->jt = in->jf;
		in->jf = swap;
		return true;
	}
}

/* An input for which the two answer differently, or none found in many tries. */
static bool find_difference(uint64_t *seed, const struct policy *policy,
			    const struct seccomp_program *a, const struct seccomp_program *b,
			    struct seccomp_data *ret)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct bpf_result ra, rb;

		random_input(seed, policy, ret);
		bpf_run(a->insns, a->n, ret, NULL, &ra);
		bpf_run(b->insns, b->n, ret, NULL, &rb);
		if (ra.ret != rb.ret)
			return true;
	}
	return false;
}

/* No more than one in a hundred; of the fifty that an emulator has time for, two are chance. */
static void assert_few(unsigned missed, unsigned of)
{
	assert_true(missed <= 2 || missed * 100 <= of);
}

static void test_planted_faults_are_found(void **state)
{
	uint64_t seed = number_from_env("CORDON_RANDOM_SEED", 1), r = seed;
	uint64_t n = number_from_env("CORDON_RANDOM_POLICIES", 1500) / 25;
	unsigned illegal = 0, found = 0, missed = 0, same = 0;

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		struct seccomp_program p = { .n = 0 }, bad = { .n = 0 };
		struct seccomp_data d = { .nr = 0 };

		random_policy_make(seed + i, &random_one);
		assert_int_equal(seccomp_generate(&random_one.policy, &p, NULL), 0);
		bad = p;
		bad.insns = calloc(p.n, sizeof(*p.insns));
		assert_non_null(bad.insns);
		for (unsigned k = 0; k < 25; k++) {
			memcpy(bad.insns, p.insns, p.n * sizeof(*p.insns));
			if (!plant(&r, &bad.insns[random_below(&r, p.n)]) ||
			    memcmp(bad.insns, p.insns, p.n * sizeof(*p.insns)) == 0)
				continue;
			if (bpf_check(bad.insns, bad.n, NULL) < 0)
				illegal++;
			else if (seccomp_check(&random_one.policy, &bad, NULL) == -ENOTRECOVERABLE)
				found++;
			else if (!find_difference(&r, &random_one.policy, &p, &bad, &d))
				same++;
			else {
				missed++;
				if (missed <= 10)
					print_message(
						"missed: seed %llu, arch %#x nr %#x(%#llx, %#llx, "
						"%#llx, %#llx, %#llx, %#llx)\n",
						(unsigned long long)(seed + i), d.arch, d.nr,
						d.args[0], d.args[1], d.args[2], d.args[3],
						d.args[4], d.args[5]);
			}
		}
		free(bad.insns);
		seccomp_program_done(&p);
	}
	print_message(
		"planted faults: %u found, %u missed, %u change nothing that 20,000 inputs show, "
		"%u no legal program: %.2f %% of those that change something are found\n",
		found, missed, same, illegal, 100.0 * found / (found + missed));
	assert_true(found > n * 5);
	assert_few(missed, found + missed);
	/* Were they many, the check would be blind to something that the search is blind to as
	 * well. One in twenty is what there is; ten are left to chance, which eighty faults, as
	 * many as an emulator has time for, need. */
	assert_true(same <= 10 || (same - 10) * 10 <= found + missed + same);
}

/* One wrong decision of a generator. False: the rule has nothing of the kind. */
static bool misdecide(uint64_t *seed, const struct policy *policy, struct policy_rule *rule)
{
	struct policy_cond *c =
		rule->n_conds ? &rule->conds[random_below(seed, rule->n_conds)] : NULL;

	switch (random_below(seed, c ? 11 : 4)) {
	case 0: /* an ABI too many or too few */
		rule->abi_mask ^= (uint8_t)(1U << random_below(seed, _ABI_MAX));
		return true;
	case 1: /* another answer */
		rule->action = (uint8_t)((rule->action + 1 + random_below(seed, 2)) % 3);
		rule->errno_value = rule->action == POLICY_DENY ? 77 : 0;
		return true;
	case 2:
		rule->quiet ^= rule->action != POLICY_ALLOW;
		return rule->action != POLICY_ALLOW && policy->notify;
	case 3:
		rule->errno_value ^= 1;
		return rule->action == POLICY_DENY && (!policy->notify || rule->quiet);
	case 4: /* one comparison forgotten */
		*c = rule->conds[--rule->n_conds];
		return true;
	case 5: /* > for >= and the like */
		if (c->op == POLICY_MASKED_EQ)
			c->negate = !c->negate;
		else
			c->op = (uint8_t)((c->op + 1 + random_below(seed, 5)) % POLICY_MASKED_EQ);
		return true;
	case 6: /* the upper half of a register left out, or looked at */
		c->width = c->width == WIDTH_S32   ? WIDTH_S64
			   : c->width == WIDTH_U32 ? WIDTH_U64
			   : c->width == WIDTH_S64 ? WIDTH_S32
						   : WIDTH_U32;
		return true;
	case 7: /* a sign */
		c->width = c->width == WIDTH_S32   ? WIDTH_U32
			   : c->width == WIDTH_U32 ? WIDTH_S32
			   : c->width == WIDTH_S64 ? WIDTH_U64
						   : WIDTH_S64;
		return true;
	case 8:
		c->arg = (uint8_t)((c->arg + 1) % rule->call->n_args);
		return true;
	case 9:
		c->mask ^= 1ULL << random_below(seed, c->width >= WIDTH_S64 ? 64 : 32);
		return c->op == POLICY_MASKED_EQ;
	default:
		c->value ^= 1ULL << random_below(seed, c->width >= WIDTH_S64 ? 64 : 32);
		return true;
	}
}

/* A generator that gets one thing wrong: it is given another policy than its check. */
static void test_wrong_decisions_are_found(void **state)
{
	uint64_t seed = number_from_env("CORDON_RANDOM_SEED", 1), r = seed;
	/* So many that from any seed one in a hundred is more than chance. */
	uint64_t n = number_from_env("CORDON_RANDOM_POLICIES", 1500) / 10;
	unsigned found = 0, missed = 0, same = 0;

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		_cleanup_free_ struct policy_rule *rules = NULL;
		struct seccomp_program p = { .n = 0 };
		struct policy wrong;

		random_policy_make(seed + i, &random_one);
		assert_int_equal(seccomp_generate(&random_one.policy, &p, NULL), 0);
		rules = calloc(random_one.policy.n_rules, sizeof(*rules));
		assert_non_null(rules);
		wrong = random_one.policy;
		wrong.rules = rules;
		for (unsigned k = 0; k < 15; k++) {
			struct seccomp_program bad = { .n = 0 };
			struct seccomp_data d;

			memcpy(rules, random_one.rules, wrong.n_rules * sizeof(*rules));
			if (!misdecide(&r, &wrong, &rules[random_below(&r, wrong.n_rules)]) ||
			    seccomp_generate(&wrong, &bad, NULL) < 0)
				continue;
			if (seccomp_check(&random_one.policy, &bad, NULL) == -ENOTRECOVERABLE)
				found++;
			else if (!find_difference(&r, &random_one.policy, &p, &bad, &d))
				same++;
			else if (++missed <= 10)
				print_message("missed: seed %llu\n",
					      (unsigned long long)(seed + i));
			seccomp_program_done(&bad);
		}
		seccomp_program_done(&p);
	}
	print_message("wrong decisions: %u found, %u missed, %u change nothing that 20,000 inputs "
		      "show: %.2f %% of those that change something are found\n",
		      found, missed, same, 100.0 * found / (found + missed));
	assert_true(found > n * 3);
	assert_few(missed, found + missed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_policies),
		cmocka_unit_test(test_planted_faults_are_found),
		cmocka_unit_test(test_wrong_decisions_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
