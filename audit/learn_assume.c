// SPDX-License-Identifier: Apache-2.0
/* Calls that learning may leave to the kernel, when it is asked to be quick. */
#include "audit/learn.h"
#include "base/fd.h"

/*
 * Each acts on nothing but the caller's own memory, signals, threads and clock, and on descriptors
 * that are open already: what opened those is recorded. No argument of theirs is in any learned
 * rule, and there is hardly a program that makes none of them.
 */
static const struct learn_assumable list[] = {
	{ "brk", false },
	{ "clock_getres", false },
	{ "clock_gettime", false },
	{ "clock_nanosleep", false },
	{ "close", false },
	{ "dup", false },
	{ "dup2", false },
	{ "dup3", false },
	{ "epoll_ctl", false },
	{ "epoll_pwait", false },
	{ "epoll_wait", false },
	{ "exit", false },
	{ "exit_group", false },
	{ "fadvise64", false },
	{ "fcntl", false },
	{ "fstat", false },
	{ "futex", false },
	{ "getcpu", false },
	{ "getdents64", false },
	{ "getegid", false },
	{ "geteuid", false },
	{ "getgid", false },
	{ "getpid", false },
	{ "getppid", false },
	{ "gettid", false },
	{ "gettimeofday", false },
	{ "getuid", false },
	{ "lseek", false },
	{ "madvise", false },
	{ "mmap", true },
	{ "mprotect", true },
	{ "mremap", false },
	{ "munmap", false },
	{ "nanosleep", false },
	{ "poll", false },
	{ "ppoll", false },
	{ "pread64", false },
	{ "pselect6", false },
	{ "pwrite64", false },
	{ "read", false },
	{ "readv", false },
	{ "restart_syscall", false },
	{ "rseq", false },
	{ "rt_sigaction", false },
	{ "rt_sigprocmask", false },
	{ "rt_sigreturn", false },
	{ "rt_sigsuspend", false },
	{ "sched_yield", false },
	{ "select", false },
	{ "set_robust_list", false },
	{ "set_tid_address", false },
	{ "sigaltstack", false },
	{ "time", false },
	{ "write", false },
	{ "writev", false },
};

const struct learn_assumable *learn_assumables(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(list);
	return list;
}
