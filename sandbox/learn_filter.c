// SPDX-License-Identifier: Apache-2.0
#include "sandbox/learn_filter.h"

#include <assert.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>

#include "audit/learn.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half of an argument comes first");

/* mmap and mprotect have what may be done with the memory as their third argument. */
enum { PROT_ARG = offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t) };

/*
 *	another architecture -> notify
 *	the self-test call   -> its errno
 *	an assumed call      -> allow; or look at its argument
 *	                        notify
 *	look: executable     -> notify, else allow
 *
 * The supervisor hears of every call but those and decides it by the bundle, as the policy's own
 * program would; those it would always allow (plan.c), so that this can open nothing. x32
 * has a bit in its numbers, which no number here has. A number alone is looked at for all but two,
 * so that the kernel's bitmap takes them (Linux 5.11).
 */
unsigned short learn_filter(const struct plan *plan, struct sock_filter ret[LEARN_FILTER_INSNS])
{
	const unsigned n = (unsigned)plan->n_assumed;
	const unsigned first = 5, notify = first + n, look = notify + 1, allow = look + 2;

	ret[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, arch));
	ret[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi_audit_arch(ABI_NATIVE),
					      0, (uint8_t)(notify - 2));
	ret[2] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	ret[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BUNDLE_PROBE_NR, 0, 1);
	ret[4] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					      SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO);
	for (unsigned i = 0; i < n; i++) {
		const unsigned at = first + i;
		const unsigned to = plan->assumed[i].unless_exec ? look : allow;

		ret[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						       (uint32_t)plan->assumed[i].nr,
						       (uint8_t)(to - at - 1), 0);
	}
	ret[notify] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	ret[look] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PROT_ARG);
	ret[look + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	ret[allow] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	ret[allow + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	return (unsigned short)(allow + 2);
}
