// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes draw a policy, as the random tests do, and then calls near to what it speaks of. The
 * program that is generated is legal, and answers each as the policy's plain meaning has it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "profiles/bpf_eval.h"
#include "profiles/bundle.h"
#include "profiles/seccomp.h"
#include "tests/unit/random_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_CALLS = 256 };

static uint32_t meaning(const struct policy *policy, const struct seccomp_data *d)
{
	struct policy_verdict v = { .action = POLICY_DENY, .errno_value = ENOSYS };
	uint64_t args[6];
	enum abi abi;
	int32_t nr;

	memcpy(args, d->args, sizeof(args));
	if (d->arch == abi_audit_arch((enum abi)policy->native) && d->nr == BUNDLE_PROBE_NR)
		return SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO;
	if (abi_from_audit_arch(d->arch, (uint32_t)d->nr, &abi, &nr) == 0)
		policy_eval(policy, abi, nr, args, &v);
	if (v.action == POLICY_ALLOW)
		return SECCOMP_RET_ALLOW;
	if (policy->notify && !v.quiet)
		return SECCOMP_RET_USER_NOTIF;
	return v.action == POLICY_KILL ? SECCOMP_RET_KILL_PROCESS
				       : SECCOMP_RET_ERRNO | v.errno_value;
}

static void compare(const struct policy *policy, const struct seccomp_program *p)
{
	uint64_t none = 0;

	for (unsigned i = 0; i < MAX_CALLS && random_bytes->left > 0; i++) {
		struct seccomp_data d;
		struct bpf_result got;

		random_input(&none, policy, &d);
		bpf_run(p->insns, p->n, &d, NULL, &got);
		if (got.ret == meaning(policy, &d))
			continue;
		(void)fprintf(stderr, "call %#x of %#x should give %#x and gives %#x\n",
			      (unsigned)d.nr, d.arch, meaning(policy, &d), got.ret);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct random_policy drawn;
	struct random_bytes bytes = { data, size };
	struct seccomp_program p = { .n = 0 };

	random_bytes = &bytes;
	random_policy_make(0, &drawn);
	if (seccomp_generate(&drawn.policy, &p, NULL) == 0) {
		if (bpf_check(p.insns, p.n, NULL) < 0)
			abort();
		compare(&drawn.policy, &p);
	}
	seccomp_program_done(&p);
	random_bytes = NULL;
	return 0;
}
