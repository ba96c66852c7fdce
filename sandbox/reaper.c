// SPDX-License-Identifier: Apache-2.0
/*
 * pid 1 once the payload runs: reap what is orphaned, pass on what the supervisor sends, end
 * with the payload. When it ends, the kernel kills all that is left in the pid namespace
 * (pid_namespaces(7)).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "policies/syscall.h"
#include "profiles/program.h"
#include "sandbox/child.h"

/* All that the loop below and _exit need. Anything else ends pid 1, and with it the sandbox. */
#define ALLOW(nr)                                                                                  \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                           \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int reaper_lock(struct err *err)
{
	const struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi_audit_arch(ABI_NATIVE), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_rt_sigtimedwait),
		ALLOW(SYS_wait4),
		ALLOW(SYS_kill),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_restart_syscall),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BUNDLE_PROBE_NR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | BUNDLE_PROBE_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct program program = { insns, ARRAY_SIZE(insns) };

	return program_load(&program, 0, "pid 1", err);
}

/* Keys that a terminal would send to a whole job go to the payload's process group. */
static bool is_for_group(int sig)
{
	return sig == SIGINT || sig == SIGQUIT || sig == SIGHUP || sig == SIGTSTP || sig == SIGCONT;
}

int reaper_run(pid_t payload)
{
	static const struct timespec soon = { .tv_nsec = 10000000 };
	sigset_t all;

	(void)sigfillset(&all);
	for (;;) {
		siginfo_t info;
		int status, sig;
		pid_t pid;

		while ((pid = wait4(-1, &status, WNOHANG, NULL)) > 0) {
			if (pid == payload)
				return status;
		}
		/* Its status cannot be had any more: at least that is no success. */
		if (pid < 0 && errno == ECHILD)
			return SIGKILL;
		/* The SIGCHLD may be consumed already when it was the wait that failed. */
		sig = sigtimedwait(&all, &info, pid < 0 ? &soon : NULL);
		/* From outside the pid namespace the sender shows as 0: only the supervisor's word
		 * counts, nobody inside steers pid 1. */
		if (sig > 0 && sig != SIGCHLD && info.si_code == SI_USER && info.si_pid == 0)
			(void)kill(is_for_group(sig) ? -payload : payload, sig);
	}
}
