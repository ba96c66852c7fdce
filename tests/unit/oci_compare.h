// SPDX-License-Identifier: Apache-2.0
/* Our verdicts beside those of libseccomp's program. Include behind import_case.h. */
#pragma once

#include "profiles/bpf_eval.h"
#include "tests/unit/oci_reference.h"

enum { VALUES = 160 };

/* A verdict of libseccomp's in the words of ours. */
static inline const char *reference_text(uint32_t ret)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return "allow";
	case SECCOMP_RET_ERRNO:
		return strerrorname_np((int)(ret & SECCOMP_RET_DATA));
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
		return "kill";
	default:
		return "?";
	}
}

struct comparison {
	const struct policy *policy;
	const struct reference *ref;
	unsigned long asked, newer, detours, differences;
};

/* Calls that libseccomp has no number for, or none on x32: it answers with the default. */
static inline bool is_newer(const struct syscall_desc *call, enum abi abi)
{
	return seccomp_syscall_resolve_name(call->name) == __NR_SCMP_ERROR ||
	       (abi == ABI_X32 && seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, call->name) < 0);
}

static inline void ask(struct comparison *c, const struct syscall_desc *call, enum abi abi,
		       const uint64_t args[6])
{
	struct seccomp_data data = { .arch = abi_audit_arch(abi), .nr = call->nr[abi] };
	struct policy_verdict ours;
	struct bpf_result theirs;

	if (abi == ABI_X32)
		data.nr |= (int)X32_SYSCALL_BIT;
	for (unsigned i = 0; i < 6; i++)
		data.args[i] = abi == ABI_I386 ? (uint32_t)args[i] : args[i];
	policy_eval(c->policy, abi, call->nr[abi], args, &ours);
	bpf_run(c->ref->insns, c->ref->n, &data, NULL, &theirs);
	c->asked++;
	if (strcmp(verdict_text(&ours), reference_text(theirs.ret)) == 0)
		return;
	if (is_newer(call, abi)) {
		c->newer++;
		return;
	}
	/* listed: what would walk past a condition is denied */
	if (abi == ABI_I386 && ours.action != POLICY_ALLOW &&
	    (strcmp(call->name, "socketcall") == 0 || strcmp(call->name, "ipc") == 0)) {
		c->detours++;
		return;
	}
	if (c->differences++ < 10)
		print_message("%s on %s (%#llx, %#llx, %#llx): %s, libseccomp %s\n", call->name,
			      abi_name(abi), (unsigned long long)args[0],
			      (unsigned long long)args[1], (unsigned long long)args[2],
			      verdict_text(&ours), reference_text(theirs.ret));
}

/* Each value of each argument beside two fillings of the others, and all pairs of the first three.
 */
static inline void ask_all(struct comparison *c, json_object *profile,
			   const struct syscall_desc *call, enum abi abi)
{
	static uint64_t values[6][VALUES];
	size_t n[6];
	uint64_t args[6] = { 0 };

	for (unsigned i = 0; i < 6; i++)
		n[i] = reference_values(profile, call->name, i, values[i], VALUES);
	for (size_t i = 0; i < n[0]; i++) {
		for (size_t k = 0; k < n[1]; k++) {
			for (size_t m = 0; m < n[2]; m++) {
				args[0] = values[0][i];
				args[1] = values[1][k];
				args[2] = values[2][m];
				ask(c, call, abi, args);
			}
		}
	}
	for (unsigned a = 3; a < 6; a++) {
		for (size_t i = 0; i < n[a]; i++) {
			args[a] = values[a][i];
			ask(c, call, abi, args);
		}
	}
	for (uint64_t operation = 0; call->nr[ABI_I386] >= 0 && operation < 32; operation++) {
		uint64_t one[6] = { operation };

		ask(c, call, abi, one);
	}
}

static inline void compare_all(struct comparison *c, json_object *profile, bool all_abis)
{
	static const enum abi abis[] = { ABI_X86_64, ABI_I386, ABI_X32 };
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (unsigned a = 0; a < (all_abis ? 3 : 1); a++) {
			if (table[i].nr[abis[a]] >= 0)
				ask_all(c, profile, &table[i], abis[a]);
		}
	}
}
