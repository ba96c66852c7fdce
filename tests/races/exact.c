// SPDX-License-Identifier: Apache-2.0
/*
 * One exchange at one point of a launch, by ptrace(2): right before the nth call, of the supervisor
 * or of pid 1, that names a path or moves a mount. What the plan has looked at by then must be what
 * the payload gets, or there is no payload.
 */
#include "tests/races/races.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_path_call(uint64_t nr)
{
	static const int calls[] = { SYS_openat2,	SYS_openat,   SYS_open_tree,
				     SYS_move_mount,	SYS_fsconfig, SYS_fsmount,
				     SYS_mount_setattr, SYS_mkdirat,  SYS_symlinkat,
				     SYS_pivot_root,	SYS_readlink, SYS_newfstatat,
				     SYS_statx,		SYS_getcwd,   SYS_clone3,
				     SYS_execve };

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if ((uint64_t)calls[i] == nr)
			return true;
	return false;
}

static bool names(pid_t pid, uint64_t address, const char *path)
{
	char text[TEXT] = "";
	struct iovec here = { text, strlen(path) + 1 }, there = { (void *)address, here.iov_len };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)here.iov_len &&
	       strcmp(text, path) == 0;
}

struct exact {
	const struct arena *a;
	const struct kind *k;
	const char *one, *two;
	pid_t launcher;
	unsigned nth, seen;
	bool done, looked, looking;
};

/* The plan's look at the path itself, or at where it is. */
static bool is_look(const struct exact *x, pid_t pid, const struct __ptrace_syscall_info *info)
{
	if (pid != x->launcher)
		return false;
	if (x->k->from_inside)
		return info->entry.nr == SYS_getcwd;
	return (info->entry.nr == SYS_openat2 || info->entry.nr == SYS_newfstatat) &&
	       names(pid, info->entry.args[1], x->a->path);
}

static void on_call(struct exact *x, pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (x->done || ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && x->looking && pid == x->launcher) {
		x->looking = false;
		x->looked = true;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_path_call(info.entry.nr))
		return;
	if (++x->seen == x->nth) {
		x->done = true;
		if (arena_exchange(x->one, x->two) < 0)
			fail("exchange");
		return;
	}
	if (!x->looked && is_look(x, pid, &info))
		x->looking = true;
}

static volatile sig_atomic_t late;

static void on_alarm(int sig)
{
	(void)sig;
	late = 1;
}

/* All of them to their ends; the launcher's status. */
static void follow(struct exact *x, struct outcome *o)
{
	for (;;) {
		int status, pass = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid < 0 && late) {
			late = 0;
			o->hung = true;
			kill(x->launcher, SIGKILL);
			alarm(2); /* and again */
		}
		if (pid < 0)
			continue;
		if (!WIFSTOPPED(status)) {
			if (pid == x->launcher)
				o->status = status;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			on_call(x, pid);
		else if (status >> 16 == 0)
			pass = WSTOPSIG(status);
		ptrace(x->done ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, pass);
	}
}

static pid_t start(struct exact *x, int out)
{
	const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
				      PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				      PTRACE_O_TRACEEXEC /* the first stop */ | PTRACE_O_EXITKILL;
	int go[2];
	char byte;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		fail("make a pipe");
	pid = fork();
	if (pid < 0)
		fail("make a process");
	if (pid == 0) {
		close(go[1]);
		(void)!read(go[0], &byte, 1); /* until it is traced */
		launch_exec(x->a, x->k, out);
	}
	close(go[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL, options) < 0)
		fail("trace the launcher");
	close(go[1]);
	return pid;
}

unsigned exact_run(const struct arena *a, const struct kind *k, const char *one, const char *two,
		   unsigned nth, bool *ret_after, struct outcome *o)
{
	struct exact x = { .a = a, .k = k, .one = one, .two = two, .nth = nth };
	const struct sigaction alarmed = { .sa_handler = on_alarm };
	int ends[2];
	ssize_t n;

	o->len = 0;
	o->hung = false;
	late = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("make a pipe");
	fflush(stdout);
	sigaction(SIGALRM, &alarmed, NULL);
	x.launcher = start(&x, ends[1]);
	close(ends[1]);
	alarm(LIMIT_MS / 1000);
	follow(&x, o);
	alarm(0);
	while ((n = read(ends[0], o->text + o->len, sizeof(o->text) - 1 - o->len)) > 0)
		o->len += (size_t)n;
	close(ends[0]);
	o->text[o->len] = '\0';
	*ret_after = x.looked;
	if (x.done && arena_exchange(one, two) < 0)
		fail("exchange back");
	return nth == 0 ? x.seen : x.done;
}
