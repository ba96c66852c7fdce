// SPDX-License-Identifier: Apache-2.0
#include "profiles/program.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <unistd.h>

#include "base/sys.h"
#include "profiles/bundle.h"
#include "profiles/landlock.h"

int program_ruleset(int abi)
{
	const struct sys_landlock_ruleset attr = {
		.handled_fs = landlock_handled_fs(abi),
		.handled_net = landlock_net_right(abi, POLICY_PORT_BIND, POLICY_PORT_TCP) |
			       landlock_net_right(abi, POLICY_PORT_CONNECT, POLICY_PORT_TCP) |
			       landlock_net_right(abi, POLICY_PORT_BIND, POLICY_PORT_UDP) |
			       landlock_net_right(abi, POLICY_PORT_CONNECT, POLICY_PORT_UDP),
		.scoped = landlock_scoped(abi),
	};

	return sys_landlock_create_ruleset(&attr);
}

bool program_in_force(void)
{
	return syscall(BUNDLE_PROBE_NR) == -1 && errno == BUNDLE_PROBE_ERRNO;
}

int program_load(const struct program *program, unsigned flags, const char *whose, struct err *err)
{
	/* The kernel only reads the program; its interface lacks the const. */
	struct sock_fprog prog = { .len = program->n,
				   .filter = (struct sock_filter *)(uintptr_t)program->insns };
	int r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);

	if (r > 0) /* SECCOMP_FILTER_FLAG_TSYNC */
		return err_set(err, -EPROTO, "put the thread %d of %s under its seccomp program", r,
			       whose);
	if (r < 0)
		return err_set(err, r, "load the seccomp program of %s", whose);
	if (!program_in_force())
		return err_set(err, -EPROTO, "find the seccomp program of %s in force", whose);
	return 0;
}
