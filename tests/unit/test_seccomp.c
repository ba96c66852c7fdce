// SPDX-License-Identifier: Apache-2.0
/* The generator: answers, widths, ABIs, and shapes that must hold. */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "profiles/bpf_eval.h"
#include "profiles/bundle.h"
#include "profiles/compile.h"
#include "profiles/seccomp.h"
#include "tests/unit/random_policy.h"

static struct random_policy random_one;

static double ms_since(const struct timespec *from)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - from->tv_nsec) / 1e6;
}

/* What seccomp_is_const_allow() of kernel/seccomp.c can follow with number and architecture alone.
 */
static bool kernel_sees_allow(const struct sock_filter *f, size_t n, uint32_t arch, uint32_t nr)
{
	uint32_t a = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t k = f[i].k;
		bool yes = false;

		switch (f[i].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (k == offsetof(struct seccomp_data, nr))
				a = nr;
			else if (k == offsetof(struct seccomp_data, arch))
				a = arch;
			else
				return false;
			continue;
		case BPF_RET | BPF_K:
			return k == SECCOMP_RET_ALLOW;
		case BPF_JMP | BPF_JA:
			i += k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = (a & k) != 0;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= k;
			continue;
		default:
			return false;
		}
		i += yes ? f[i].jt : f[i].jf;
	}
	return false;
}

/* An allow without conditions is on the kernel's bitmap; one with conditions cannot be. */
static void test_plain_allows_are_on_the_bitmap(void **state)
{
	size_t n_table, plain = 0, asked = 0;
	const struct syscall_desc *table = syscall_table(&n_table);

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct seccomp_program p = { .n = 0 };
		enum abi native;

		random_policy_make(seed, &random_one);
		native = (enum abi)random_one.policy.native;
		assert_int_equal(seccomp_generate(&random_one.policy, &p, NULL), 0);
		for (size_t i = 0; i < n_table; i++) {
			bool allow = false, other = false; /* other: not as simple as that */

			if (table[i].nr[native] < 0)
				continue;
			for (size_t k = 0; k < random_one.policy.n_rules; k++) {
				const struct policy_rule *rule = &random_one.rules[k];

				if (rule->call != &table[i] || !(rule->abi_mask >> native & 1))
					continue;
				if (rule->action == POLICY_ALLOW && rule->n_conds == 0)
					allow = true;
				else if (rule->action != POLICY_ALLOW ||
					 rule->conds[0].op != POLICY_EQ)
					other = true;
			}
			if (other)
				continue;
			plain += allow;
			asked += !allow;
			assert_int_equal(allow,
					 kernel_sees_allow(p.insns, p.n, abi_audit_arch(native),
							   (uint32_t)table[i].nr[native]));
		}
		seccomp_program_done(&p);
	}
	assert_true(plain > 1000 && asked > 1000);
}

static struct policy_rule make_rule(const char *name, enum policy_action action, int errno_value)
{
	struct policy_rule r = { .call = syscall_by_name(name),
				 .abi_mask = 0xff,
				 .action = (uint8_t)action,
				 .errno_value = (uint16_t)errno_value,
				 .where = { .line = 1, .column = 1 } };

	assert_non_null(r.call);
	return r;
}

static struct policy make_policy(struct policy_rule *rules, size_t n)
{
	static char name[] = "test", path[] = "/test.policy";
	static struct policy_source source = { .path = path };

	/* As a policy has them (model.h). */
	qsort(rules, n, sizeof(*rules), random_compare_rule);
	return (struct policy){ .name = name,
				.sources = &source,
				.n_sources = 1,
				.kernel = KERNEL(6, 18),
				.native = ABI_NATIVE,
				.default_errno = EPERM,
				.abi_mask = 1U << ABI_NATIVE,
				.notify = true,
				.rules = rules,
				.n_rules = n };
}

static uint32_t answer(const struct policy *policy, uint32_t arch, uint32_t nr, uint64_t arg0)
{
	struct seccomp_program p = { .n = 0 };
	struct seccomp_data d = { .nr = (int)nr, .arch = arch, .args = { arg0 } };
	struct bpf_result r;
	struct err err = ERR_INIT;

	if (seccomp_generate(policy, &p, &err) < 0 || seccomp_check(policy, &p, &err) < 0)
		fail_msg("cannot %s", err.msg);
	bpf_run(p.insns, p.n, &d, NULL, &r);
	seccomp_program_done(&p);
	return r.ret;
}

static void test_actions(void **state)
{
	uint32_t arch = abi_audit_arch(ABI_NATIVE);
	struct policy_rule rules[] = {
		make_rule("getpid", POLICY_ALLOW, 0),
		make_rule("mount", POLICY_DENY, EACCES),
		make_rule("personality", POLICY_DENY, ENOSYS),
		make_rule("reboot", POLICY_KILL, 0),
		make_rule("vhangup", POLICY_KILL, 0),
	};
	struct policy p = make_policy(rules, 5);

#define NR(name) ((uint32_t)syscall_by_name(name)->nr[ABI_NATIVE])
	(void)state;
	rules[2].quiet = true;
	rules[4].quiet = true;
	assert_int_equal(answer(&p, arch, NR("getpid"), 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&p, arch, NR("mount"), 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, arch, NR("personality"), 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(&p, arch, NR("reboot"), 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, arch, NR("vhangup"), 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(answer(&p, arch, NR("read"), 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, arch, 9999, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, arch, UINT32_MAX, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, AUDIT_ARCH_ARM, NR("getpid"), 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, arch, BUNDLE_PROBE_NR, 0),
			 SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO);
	p.notify = false;
	assert_int_equal(answer(&p, arch, NR("mount"), 0), SECCOMP_RET_ERRNO | EACCES);
	assert_int_equal(answer(&p, arch, NR("reboot"), 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(answer(&p, arch, NR("read"), 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(&p, arch, 9999, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(&p, AUDIT_ARCH_ARM, 1, 0), SECCOMP_RET_ERRNO | ENOSYS);
	p.default_errno = ENOSYS;
	assert_int_equal(answer(&p, arch, NR("read"), 0), SECCOMP_RET_ERRNO | ENOSYS);
	p.default_errno = 4095;
	assert_int_equal(answer(&p, arch, NR("read"), 0), SECCOMP_RET_ERRNO | 4095);
	assert_int_equal(answer(&p, arch, NR("mount"), 0), SECCOMP_RET_ERRNO | EACCES);
	assert_int_equal(answer(&p, arch, BUNDLE_PROBE_NR, 0),
			 SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO);
}

/* Calls newer than the policy's kernel are not there, unless a rule names them. */
static void test_newer_calls(void **state)
{
	uint32_t arch = abi_audit_arch(ABI_NATIVE);
	struct policy_rule rules[] = { make_rule("cachestat", POLICY_ALLOW, 0),
				       make_rule("getpid", POLICY_ALLOW, 0) };
	struct policy p = make_policy(&rules[1], 1);

	(void)state;
	p.notify = false;
	p.kernel = KERNEL(6, 1);
	assert_int_equal(answer(&p, arch, NR("cachestat"), 0), SECCOMP_RET_ERRNO | ENOSYS);
	p.kernel = KERNEL(6, 5);
	assert_int_equal(answer(&p, arch, NR("cachestat"), 0), SECCOMP_RET_ERRNO | EPERM);
	p.kernel = KERNEL(6, 1);
	p.rules = rules;
	p.n_rules = 2;
	assert_int_equal(answer(&p, arch, NR("cachestat"), 0), SECCOMP_RET_ALLOW);
}

#if defined(__x86_64__)
static void test_other_abis(void **state)
{
	struct policy_rule rules[] = { make_rule("getpid", POLICY_ALLOW, 0) };
	struct policy p = make_policy(rules, 1);
	uint32_t i386 = (uint32_t)rules[0].call->nr[ABI_I386];
	uint32_t x32 = (uint32_t)rules[0].call->nr[ABI_X32] | X32_SYSCALL_BIT;

	(void)state;
	assert_int_equal(answer(&p, AUDIT_ARCH_I386, i386, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(&p, AUDIT_ARCH_X86_64, x32, 0), SECCOMP_RET_USER_NOTIF);
	p.abi_mask |= 1U << ABI_I386;
	assert_int_equal(answer(&p, AUDIT_ARCH_I386, i386, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&p, AUDIT_ARCH_X86_64, x32, 0), SECCOMP_RET_USER_NOTIF);
	p.abi_mask |= 1U << ABI_X32;
	assert_int_equal(answer(&p, AUDIT_ARCH_X86_64, x32, 0), SECCOMP_RET_ALLOW);
	/* The x32 bit with the sign bit is no x32 call. */
	assert_int_equal(answer(&p, AUDIT_ARCH_X86_64, x32 | 0x80000000U, 0),
			 SECCOMP_RET_USER_NOTIF);
}
#endif

/* Up to an old kernel no number of the table is unknown: nothing jumps to the answer for those. */
static void test_old_kernels(void **state)
{
	uint32_t arch = abi_audit_arch(ABI_NATIVE);

	(void)state;
	for (unsigned minor = 4; minor < 20; minor++) {
		struct policy_rule rules[] = { make_rule("getpid", POLICY_ALLOW, 0),
					       make_rule("chdir", POLICY_ALLOW, 0) };
		struct policy p = make_policy(rules, 2);

		p.kernel = (uint16_t)KERNEL(4, minor);
		for (unsigned i = 0; i < 4; i++) {
			unsigned conds = i & 1;

			for (size_t k = 0; k < 2; k++) {
				rules[k].n_conds = (uint8_t)conds;
				rules[k].conds[0] = (struct policy_cond){ .op = POLICY_NE,
									  .width = WIDTH_U64,
									  .value = 7 };
			}
			p.notify = i & 2;
			assert_int_equal(answer(&p, arch, NR("getpid"), 8), SECCOMP_RET_ALLOW);
			assert_int_equal(answer(&p, arch, NR("openat2"), 8),
					 p.notify ? SECCOMP_RET_USER_NOTIF
						  : SECCOMP_RET_ERRNO | ENOSYS);
		}
	}
}

/* An int is 32 bits wide whatever stands above; a long is 64; signs are signs. */
static void test_widths_and_signs(void **state)
{
	static const struct {
		uint8_t width, op;
		uint64_t value, arg;
		bool allow;
	} cases[] = {
		{ WIDTH_S32, POLICY_EQ, 1, 0xdeadbeef00000001, true },
		{ WIDTH_U64, POLICY_EQ, 1, 0xdeadbeef00000001, false },
		{ WIDTH_S32, POLICY_LT, 0, 0xffffffff, true },
		{ WIDTH_U32, POLICY_LT, 1, 0xffffffff, false },
		{ WIDTH_S32, POLICY_GE, 0xfffffffe, 0xffffffff, true },
		{ WIDTH_S32, POLICY_GE, 0xffffffff, 0xfffffffe, false },
		{ WIDTH_S64, POLICY_LT, 0, 0xffffffff, false },
		{ WIDTH_S64, POLICY_LT, 0, UINT64_MAX, true },
		{ WIDTH_S64, POLICY_GT, 0x8000000000000000, 0x8000000000000000, false },
		{ WIDTH_S64, POLICY_GT, 0x8000000000000000, 0x8000000000000001, true },
		{ WIDTH_U64, POLICY_LE, 0x1ffffffff, 0x1ffffffff, true },
		{ WIDTH_U64, POLICY_LE, 0x1ffffffff, 0x200000000, false },
		{ WIDTH_U64, POLICY_GT, 0xffffffff, 0x100000000, true },
		{ WIDTH_U64, POLICY_GT, 0xffffffff, 0xffffffff, false },
		{ WIDTH_U64, POLICY_NE, 0x500000005, 0x500000005, false },
		{ WIDTH_U64, POLICY_NE, 0x500000005, 0x500000004, true },
		{ WIDTH_U64, POLICY_NE, 0x500000005, 0x400000005, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_rule rule = make_rule("prctl", POLICY_ALLOW, 0);
		struct policy p = make_policy(&rule, 1);

		rule.n_conds = 1;
		rule.conds[0] = (struct policy_cond){ .op = cases[i].op,
						      .width = cases[i].width,
						      .value = cases[i].value };
		assert_int_equal(answer(&p, abi_audit_arch(ABI_NATIVE), NR("prctl"), cases[i].arg),
				 cases[i].allow ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF);
	}
}

/* A list of n values for one call; the values are spread so that no two are neighbours. */
static int compile_list(size_t n, struct err *err)
{
	struct policy_rule *rules = calloc(n, sizeof(*rules));
	struct policy p;
	struct seccomp_program out = { .n = 0 };
	int r;

	assert_non_null(rules);
	for (size_t i = 0; i < n; i++) {
		rules[i] = make_rule("ioctl", POLICY_ALLOW, 0);
		rules[i].n_conds = 1;
		rules[i].conds[0] = (struct policy_cond){
			.arg = 1, .op = POLICY_EQ, .width = WIDTH_U32, .value = 3 * i
		};
	}
	p = make_policy(rules, n);
	r = seccomp_generate(&p, &out, err);
	r = r ? r : seccomp_check(&p, &out, err);
	seccomp_program_done(&out);
	free(rules);
	return r;
}

static void test_too_long(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(compile_list(3000, &err), 0);
	assert_int_equal(compile_list(4096, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "instructions, and the kernel takes 4096"));
	assert_non_null(strstr(err.hint, "as a range"));
	assert_null(strstr(err.hint, "each ABI"));
	assert_int_equal(compile_list(5000, &err), -E2BIG);
	/* As many rules as a policy can have for one call. */
	assert_int_equal(compile_list(LIMIT_POLICY_RULES, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "/test.policy:1"));
}

/* The lines that take most are named, most first, and no others. */
static void test_too_long_names_lines(void **state)
{
	static struct policy_rule rules[6000];
	struct seccomp_program out = { .n = 0 };
	struct err err = ERR_INIT;
	struct policy p;
	const char *first, *second, *third;

	(void)state;
	for (size_t i = 0; i < 6000; i++) {
		rules[i] = make_rule("ioctl", POLICY_ALLOW, 0);
		rules[i].where.line = i < 4000 ? 70 : i < 5500 ? 12 : i < 5990 ? 31 : 99;
		rules[i].n_conds = 1;
		rules[i].conds[0] = (struct policy_cond){
			.arg = 1, .op = POLICY_EQ, .width = WIDTH_U32, .value = 3 * i
		};
	}
	p = make_policy(rules, 6000);
	p.abi_mask = 1U << ABI_X86_64 | 1U << ABI_I386;
	assert_int_equal(seccomp_generate(&p, &out, &err), -E2BIG);
	first = strstr(err.msg, "/test.policy:70");
	second = strstr(err.msg, "/test.policy:12");
	third = strstr(err.msg, "/test.policy:31");
	assert_true(first && second && third && first < second && second < third);
	assert_null(strstr(err.msg, "/test.policy:99"));
	assert_non_null(strstr(err.hint, "each ABI"));
	assert_null(out.insns);
}

/* The goal is 20 ms for 400 calls; here the time is only shown, as other work may run beside. */
static void test_time_of_400_calls(void **state)
{
	static struct policy_rule rules[512];
	size_t n_table, n = 0;
	const struct syscall_desc *table = syscall_table(&n_table);
	struct policy p;
	struct buf out = BUF_INIT;
	struct timespec from;
	struct err err = ERR_INIT;
	uint64_t seed = 3;
	struct bundle *b;
	uint16_t insns;

	(void)state;
	for (size_t i = 0; i < n_table && n < 400; i++) {
		if (table[i].nr[ABI_NATIVE] < 0)
			continue;
		rules[n] = make_rule(table[i].name, POLICY_ALLOW, 0);
		/* Every tenth call asks for its arguments. */
		if (n % 10 == 0 && table[i].n_args > 0) {
			rules[n].n_conds = 1;
			random_cond(&seed, &table[i], &rules[n].conds[0]);
		}
		n++;
	}
	p = make_policy(rules, n);
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	if (compile_bundle(&p, &out, &err) < 0)
		fail_msg("cannot %s", err.msg);
	print_message("%zu rules: generated, checked and written in %.1f ms; ", n, ms_since(&from));
	assert_int_equal(bundle_open(out.data, out.len, &b, &err), 0);
	(void)bundle_seccomp(b, &insns);
	print_message("%u instructions, a bundle of %zu bytes\n", insns, out.len);
	bundle_close(b);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_newer_calls),
		cmocka_unit_test(test_old_kernels),
#if defined(__x86_64__)
		cmocka_unit_test(test_other_abis),
#endif
		cmocka_unit_test(test_widths_and_signs),
		cmocka_unit_test(test_plain_allows_are_on_the_bitmap),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_too_long_names_lines),
		cmocka_unit_test(test_time_of_400_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
