// SPDX-License-Identifier: Apache-2.0
/*
 * One launch under ptrace(2). The supervisor and pid 1 are followed to their ends, the payload up
 * to its execve; nothing of the payload's own is touched, so that its notifier works as ever.
 *
 * A call is not made by exchanging it, at its entry, for one that does nothing and that every
 * filter in use allows, wait4(2) with options it refuses; at its exit the registers are put back
 * and the answer is ours.
 */
#include "tests/faults/faults.h"
#include "tests/faults/transfer.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/traced.h"

#ifndef __x86_64__
#error "the registers of x86_64 are written to"
#endif

const char *const role_names[_ROLE_MAX] = { "supervisor", "pid1", "payload" };

enum { MAX_TASKS = 16 };

struct task {
	pid_t pid;
	enum role role;
	bool faked;	/* between entry and exit of the call that was exchanged */
	bool shortened; /* the same for one that is to move less */
	struct user_regs_struct regs;
	long answer;
	struct transfer_undo undo;
	struct call *call; /* whose length is still to be known */
};

struct trace {
	struct run *run;
	pid_t launcher;
	bool ended;  /* the launcher */
	bool inside; /* somebody is */
	struct task tasks[MAX_TASKS];
	size_t n_tasks;
	unsigned count[_ROLE_MAX][MAX_NR];
};

static volatile sig_atomic_t timed_out;

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
}

static void set_timer(int ms)
{
	const struct itimerval t = { .it_value = { .tv_sec = ms / 1000,
						   .tv_usec = ms % 1000 * 1000 },
				     /* again: it may fire just before a wait begins */
				     .it_interval = { .tv_usec = ms ? 20000 : 0 } };

	timed_out = 0;
	setitimer(ITIMER_REAL, &t, NULL);
}

bool trace_can_lie(enum role role, int nr)
{
	static const int setters[] = {
		SYS_mount_setattr,  SYS_move_mount,   SYS_prctl,       SYS_capset,
		SYS_setsid,	    SYS_prlimit64,    SYS_umount2,     SYS_pivot_root,
		SYS_seccomp,	    SYS_keyctl,	      SYS_sethostname, SYS_landlock_restrict_self,
		SYS_close_range,    SYS_fchdir,	      SYS_chdir,       SYS_landlock_add_rule,
		SYS_fsconfig,	    SYS_write,	      SYS_mkdirat,     SYS_fchmodat,
		SYS_symlinkat,	    SYS_umask,	      SYS_personality, SYS_dup2,
		SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_close,       SYS_fcntl,
		SYS_ioctl,	    SYS_poll,	      SYS_sendmsg,     SYS_unshare,
		SYS_execve,	    SYS_faccessat2,   SYS_sendto,
	};

	/* Who is lied to is who sets the confinement up. To the supervisor the kernel's word on
	 * what it has read, written and sent is all there is. */
	if (role == ROLE_SUPERVISOR && nr != SYS_prctl && nr != SYS_close_range &&
	    nr != SYS_rt_sigprocmask && nr != SYS_close && nr != SYS_sendto)
		return false;
	for (size_t i = 0; i < sizeof(setters) / sizeof(*setters); i++)
		if (setters[i] == nr)
			return true;
	return false;
}

/* What the call would have answered, had it been made. */
static long lie_of(const struct task *t)
{
	switch (t->regs.orig_rax) {
	case SYS_write:
	case SYS_sendto:
		return (long)t->regs.rdx;
	case SYS_sendmsg:
		return 1;
	case SYS_dup2:
		return (long)t->regs.rsi;
	case SYS_setsid:
		return 2;
	case SYS_umask:
		return 0022;
	case SYS_keyctl:
		return 0x2a2a2a;
	default:
		return 0;
	}
}

static struct task *find(struct trace *t, pid_t pid)
{
	for (size_t i = 0; i < t->n_tasks; i++)
		if (t->tasks[i].pid == pid)
			return &t->tasks[i];
	return NULL;
}

static void forget(struct trace *t, pid_t pid)
{
	struct task *task = find(t, pid);

	if (task)
		*task = t->tasks[--t->n_tasks];
}

/* A new task at its first stop. What stays outside, the policy compiler, is let go. */
static void adopt(struct trace *t, pid_t pid)
{
	int last = 0;

	if (!traced_is_inside(pid, &last) || t->n_tasks == MAX_TASKS) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	t->inside = true;
	t->tasks[t->n_tasks++] =
		(struct task){ .pid = pid, .role = last == 1 ? ROLE_PID1 : ROLE_PAYLOAD };
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
}

/* A call that asks and sets nothing: its lie would be about the answer's memory. */
static bool is_question(const struct user_regs_struct *r)
{
	switch (r->orig_rax) {
	case SYS_prlimit64:
		return r->rdx == 0;
	case SYS_rt_sigaction:
	case SYS_rt_sigprocmask:
		return r->rsi == 0;
	case SYS_ioctl: /* answers with a descriptor, as an open does: no 0 is its success */
		return r->rsi == TIOCGPTPEER;
	case SYS_personality:
		return (unsigned)r->rdi == 0xffffffffU;
	default:
		return false;
	}
}

static void fake(struct task *task, const struct fault *f)
{
	struct user_regs_struct other;

	ptrace(PTRACE_GETREGS, task->pid, 0, &task->regs);
	if (f->kind == KIND_LIE && is_question(&task->regs))
		return;
	task->answer = f->kind == KIND_FAIL ? -(long)f->error : lie_of(task);
	task->faked = true;
	other = task->regs;
	other.orig_rax = SYS_wait4;
	other.rdi = (unsigned long)-1L;
	other.rsi = 0;
	other.rdx = INT_MAX; /* EINVAL */
	other.r10 = 0;
	ptrace(PTRACE_SETREGS, task->pid, 0, &other);
}

/* A fault that cannot be had here is not reached. */
static bool shorten(struct task *task, const struct fault *f)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, task->pid, 0, &task->regs);
	regs = task->regs;
	if (!transfer_can_be_short(task->pid, &regs) ||
	    transfer_shorten(task->pid, &regs, f->most, &task->undo) < 0)
		return false;
	task->shortened = true;
	ptrace(PTRACE_SETREGS, task->pid, 0, &regs);
	return true;
}

static void record(struct trace *t, struct task *task, int nr, unsigned nth)
{
	struct call *call = &t->run->calls[t->run->n_calls];
	struct user_regs_struct regs;

	/* From there on a cold launch is the plain one. */
	if (t->run->n_calls == MAX_CALLS || (t->inside && !strcmp(t->run->place->scenario, "cold")))
		return;
	*call = (struct call){ .role = task->role, .nr = nr, .nth = nth };
	t->run->n_calls++;
	ptrace(PTRACE_GETREGS, task->pid, 0, &regs);
	task->call = transfer_can_be_short(task->pid, &regs) ? call : NULL;
}

static void on_entry(struct trace *t, struct task *task, unsigned long nr)
{
	const struct fault *f = &t->run->fault;
	unsigned nth;

	if (nr >= MAX_NR)
		return;
	nth = ++t->count[task->role][nr];
	if (t->run->calls)
		record(t, task, (int)nr, nth);
	if (f->kind == KIND_NONE || f->role != task->role || f->nr != (int)nr || f->nth != nth)
		return;
	t->run->reached = f->kind != KIND_SHORT || shorten(task, f);
	if (f->kind == KIND_KILL)
		kill(task->pid, SIGKILL);
	else if (f->kind != KIND_SHORT)
		fake(task, f);
}

/* The answer is the kernel's, the length the caller's own again: it counts on the register. */
static void on_exit_of(struct task *task, long answer)
{
	if (task->call && answer > 0)
		task->call->whole = (unsigned)answer;
	task->call = NULL;
	if (!task->faked && !task->shortened)
		return;
	if (task->shortened) {
		transfer_restore(task->pid, &task->undo);
		task->answer = answer;
	}
	task->faked = task->shortened = false;
	task->regs.rax = (unsigned long)task->answer;
	ptrace(PTRACE_SETREGS, task->pid, 0, &task->regs);
}

static void on_syscall(struct trace *t, struct task *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		on_entry(t, task, info.entry.nr);
	else
		on_exit_of(task, (long)info.exit.rval);
}

static void on_stop(struct trace *t, pid_t pid, int status)
{
	struct task *task = find(t, pid);
	const int event = status >> 16, sig = WSTOPSIG(status);
	long pass = 0;

	if (!task) {
		adopt(t, pid);
		return;
	}
	if (event == PTRACE_EVENT_EXEC && task->role == ROLE_PAYLOAD) {
		forget(t, pid);
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return;
	}
	if (sig == (SIGTRAP | 0x80))
		on_syscall(t, task);
	else if (event == 0)
		pass = sig;
	ptrace(PTRACE_SYSCALL, pid, 0, pass);
}

static void kill_tasks(struct trace *t)
{
	for (size_t i = 0; i < t->n_tasks; i++)
		kill(t->tasks[i].pid, SIGKILL);
	kill(t->launcher, SIGKILL);
}

/* As the subreaper of all, with ECHILD there is nobody left. Otherwise the time ran out. */
static bool follow(struct trace *t)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid < 0 && timed_out)
			return false;
		if (pid > 0 && WIFSTOPPED(status)) {
			on_stop(t, pid, status);
		} else if (pid > 0) {
			forget(t, pid);
			if (pid == t->launcher) {
				t->run->status = status;
				t->ended = true;
				set_timer(LEFT_MS);
			}
		}
	}
}

static int start(struct trace *t, struct screen *screen)
{
	int go[2];
	char byte;

	if (place_terminal(t->run->place, screen) < 0 || pipe(go) < 0)
		return -1;
	t->launcher = fork();
	if (t->launcher == 0) {
		close(go[1]);
		while (read(go[0], &byte, 1) < 0 && errno == EINTR)
			;
		close(go[0]);
		place_exec(t->run->place, screen->slave);
	}
	if (screen->slave >= 0)
		close(screen->slave);
	close(go[0]);
	t->tasks[t->n_tasks++] = (struct task){ .pid = t->launcher, .role = ROLE_SUPERVISOR };
	if (t->launcher < 0 || ptrace(PTRACE_SEIZE, t->launcher, 0, TRACED_OPTIONS) < 0) {
		close(go[1]);
		return -1;
	}
	close(go[1]);
	return 0;
}

int trace_run(struct run *r)
{
	const struct sigaction alarmed = { .sa_handler = on_alarm };
	struct trace t = { .run = r };
	struct screen screen;

	sigaction(SIGALRM, &alarmed, NULL);
	r->reached = r->hung = r->modes = false;
	r->left = 0;
	r->status = -1;
	if (start(&t, &screen) < 0)
		return -1;
	set_timer(RUN_MS);
	while (!follow(&t)) {
		if (!t.ended)
			r->hung = true;
		else
			r->left = 1;
		kill_tasks(&t);
		set_timer(LEFT_MS);
	}
	set_timer(0);
	r->modes = !place_terminal_is_as_before(&screen);
	if (screen.master >= 0)
		close(screen.master);
	return 0;
}
