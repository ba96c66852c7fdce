// SPDX-License-Identifier: Apache-2.0
/*
 * Who refuses without a notification, and who tells of it.
 *
 * Denials without a listener (`notify off`), which the kernel alone can tell of: it tells its audit
 * of what a program refuses that was loaded with SECCOMP_FILTER_FLAG_LOG, of each of its refusals.
 *
 * So there are two. The policy's own is loaded without the flag, and refuses all that is refused.
 * Behind it comes the same with the flag, which lets pass what nobody is to hear of: calls that
 * are refused quietly, and the self-test. Of programs that agree the last one's flag counts, of
 * others that of the one whose answer is taken (kernel/seccomp.c, seccomp_run_filters()).
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "audit/record.h"
#include "base/limits.h"
#include "sandbox/plan.h"

/*
 *	another architecture -> the policy's
 *	a spared number      -> allow
 *	                        the policy's
 */
static unsigned spare(const int32_t *nr, unsigned n, struct sock_filter *ret)
{
	const unsigned allow = n + 4, policy = n + 5;

	ret[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, arch));
	ret[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi_audit_arch(ABI_NATIVE),
					      0, (uint8_t)(policy - 2));
	ret[2] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < n; i++)
		ret[3 + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr[i], (uint8_t)(allow - 4 - i), 0);
	ret[n + 3] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
	ret[allow] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return policy;
}

int plan_told(struct plan *plan, struct err *err)
{
	struct sock_filter before[PLAN_QUIET + 6];
	int32_t spared[PLAN_QUIET + 1];
	const struct sock_filter *policy;
	unsigned short n_policy;
	size_t n_quiet;
	unsigned n;

	if (plan->notify || !bundle_always_allows(plan->bundle, ABI_NATIVE, SYS_seccomp) ||
	    bundle_quiet(plan->bundle, spared, PLAN_QUIET, &n_quiet) < 0)
		return 0;
	spared[n_quiet++] = BUNDLE_PROBE_NR;
	n = spare(spared, (unsigned)n_quiet, before);
	policy = bundle_seccomp(plan->bundle, &n_policy);
	if (n + n_policy > LIMIT_BPF_INSNS)
		return 0;
	plan->told = plan_reserve(plan, (n + n_policy) * sizeof(*policy));
	if (!plan->told)
		return err_set(err, -ENOMEM, "plan the launch");
	memcpy(plan->told, before, n * sizeof(*policy));
	memcpy(plan->told + n, policy, n_policy * sizeof(*policy));
	plan->n_told = (unsigned short)(n + n_policy);
	return 0;
}

enum { TOLD_BY_LANDLOCK = 7 }; /* ABI, Linux 6.15 */

unsigned plan_refusers(const struct plan *plan, unsigned *ret_untold)
{
	unsigned refusers = 0, untold = 0;

	for (size_t i = 0; i < plan->n_labels; i++) {
		if (plan->labels[i].refuses)
			refusers |= 1U
				    << (plan->labels[i].lsm == POLICY_LSM_APPARMOR ? AUDIT_APPARMOR
										   : AUDIT_SELINUX);
	}
	if (plan->landlock_abi > 0)
		refusers |= 1U << AUDIT_LANDLOCK;
	if (plan->landlock_abi < TOLD_BY_LANDLOCK)
		untold |= 1U << AUDIT_LANDLOCK;
	if (!plan->learn && bundle_kills(plan->bundle))
		refusers |= 1U << AUDIT_SECCOMP_KILL;
	if (!plan->notify)
		refusers |= 1U << AUDIT_SECCOMP_ERRNO;
	if (plan->n_told == 0)
		untold |= 1U << AUDIT_SECCOMP_ERRNO;
	*ret_untold = untold;
	return refusers;
}
