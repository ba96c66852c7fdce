// SPDX-License-Identifier: Apache-2.0
/* cordon policy show --bpf: the filter as text. Not for machines; `policy build` writes those. */
#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/policy.h"
#include "profiles/bundle.h"
#include "profiles/seccomp.h"

static void put_ret(uint32_t k)
{
	switch (k & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		(void)fputs("ret allow", stdout);
		break;
	case SECCOMP_RET_USER_NOTIF:
		(void)fputs("ret notify", stdout);
		break;
	case SECCOMP_RET_KILL_PROCESS:
		(void)fputs("ret kill", stdout);
		break;
	default:
		if ((k & SECCOMP_RET_DATA) == BUNDLE_PROBE_ERRNO)
			(void)printf("ret errno %u  # the probe", k & SECCOMP_RET_DATA);
		else
			(void)printf("ret errno %u", k & SECCOMP_RET_DATA);
		break;
	}
}

static void put_load(uint32_t k)
{
	if (k == offsetof(struct seccomp_data, nr))
		(void)fputs("ld nr", stdout);
	else if (k == offsetof(struct seccomp_data, arch))
		(void)fputs("ld arch", stdout);
	else
		(void)printf("ld args[%zu].%s", (k - offsetof(struct seccomp_data, args)) / 8,
			     k % 8 ? "high" : "low");
}

static void put_insn(const struct sock_filter *in, size_t at)
{
	static const char *const jumps[] = { "ja", "jeq", "jgt", "jge", "jset" };

	(void)printf("%5zu  ", at);
	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		put_load(in->k);
		break;
	case BPF_ALU:
		(void)printf("%s %#x", BPF_OP(in->code) == BPF_AND ? "and" : "xor", in->k);
		break;
	case BPF_RET:
		put_ret(in->k);
		break;
	default:
		if (BPF_OP(in->code) == BPF_JA)
			(void)printf("ja %zu", at + 1 + in->k);
		else
			(void)printf("%s %#x, %zu, %zu", jumps[BPF_OP(in->code) >> 4], in->k,
				     at + 1 + in->jt, at + 1 + in->jf);
		break;
	}
}

/* The number that a comparison in the tree is about, as the ABI's name for it. */
static void put_call_name(const struct sock_filter *in, enum abi abi)
{
	const struct syscall_desc *call;
	uint32_t nr = in->k;

	if (BPF_CLASS(in->code) != BPF_JMP || BPF_OP(in->code) == BPF_JA)
		return;
	if (abi == ABI_X86_64 && nr & X32_SYSCALL_BIT) {
		abi = ABI_X32;
		nr &= ~X32_SYSCALL_BIT;
	}
	call = syscall_by_nr(abi, (int32_t)nr);
	if (call)
		(void)printf("  # %s", call->name);
}

int policy_cli_bpf(const struct policy *policy, struct err *err)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program p = { .n = 0 };
	enum abi abi = ABI_NATIVE;
	bool numbers = false; /* the accumulator holds the call's number */
	int r = seccomp_generate(policy, &p, err);

	r = r ? r : seccomp_check(policy, &p, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p.n; i++) {
		const struct sock_filter *in = &p.insns[i];
		uint32_t rule = p.rule_of[i];

		put_insn(in, i);
		if (BPF_CLASS(in->code) == BPF_LD)
			numbers = in->k == offsetof(struct seccomp_data, nr);
		for (unsigned a = 0; !numbers && a < _ABI_MAX; a++) {
			if (BPF_CLASS(in->code) == BPF_JMP &&
			    in->k == abi_audit_arch((enum abi)a) && a != ABI_X32) {
				abi = (enum abi)a;
				(void)printf("  # %s", abi_name(abi));
			}
		}
		if (rule < policy->n_rules) {
			(void)printf("  # %s, ", policy->rules[rule].call->name);
			policy_cli_print_where(policy, &policy->rules[rule].where);
		} else if (numbers) {
			put_call_name(in, abi);
		}
		(void)putchar('\n');
	}
	(void)printf("# %zu instructions of at most %d\n", p.n, LIMIT_BPF_INSNS);
	return 0;
}
