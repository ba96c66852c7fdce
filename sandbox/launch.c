// SPDX-License-Identifier: Apache-2.0
#include "sandbox/launch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/sys.h"
#include "policies/limit.h"
#include "sandbox/host_proc.h"
#include "sandbox/limits.h"
#include "sandbox/probe.h"
#include "sandbox/supervise.h"
#include "sandbox/wire.h"

struct launch {
	const struct plan *plan;
	struct supervisor s;
	struct child child;
	struct limits limits;
	int wire[2];
	pid_t pid;
};

/* --- clone --- */

static int block_signals(struct supervisor *s, struct err *err)
{
	sigset_t all;

	(void)sigfillset(&all);
	/* Faults of our own must stay fatal. */
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGBUS);
	(void)sigdelset(&all, SIGFPE);
	(void)sigdelset(&all, SIGILL);
	(void)sigdelset(&all, SIGABRT);
	if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return err_set(err, -errno, "block signals");
	s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? err_set(err, -errno, "make a signalfd") : 0;
}

static int prepare(struct launch *l, struct err *err)
{
	int r = block_signals(&l->s, err);

	if (r < 0)
		return r;
	l->s.shared = mmap(NULL, sizeof(*l->s.shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->s.shared == MAP_FAILED) {
		l->s.shared = NULL;
		return err_set(err, -errno, "map a page shared with the sandbox");
	}
	l->s.shared->listener = -1;
	l->child.host_proc = host_proc_open(err);
	if (l->child.host_proc < 0)
		return l->child.host_proc;
	r = wire_pair(l->wire);
	if (r < 0)
		return err_set(err, r, "make the wire to the sandbox");
	return limits_start(&l->limits, l->plan, l->s.options, err);
}

static int start_child(struct launch *l, struct err *err)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = l->plan->clone_flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};

	if (l->limits.cgroup.fd >= 0) {
		/* The new cgroup namespace's root would be our own node and not the leaf: the child
		 * makes it when it is there. */
		args.flags = (args.flags & ~(uint64_t)CLONE_NEWCGROUP) | CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)(unsigned)l->limits.cgroup.fd;
	}
	l->child.limits_by_cgroup = limits_by_cgroup(&l->limits);
	l->child.in_cgroup = l->limits.cgroup.fd >= 0;
	l->child.plan = l->plan;
	l->child.title = l->s.options->title;
	l->child.title_size = l->s.options->title_size;
	l->child.shared = l->s.shared;
	l->child.wire = l->wire[1];
	l->child.wire_outer = l->wire[0];
	l->child.store = l->child.root = l->child.proc = l->child.status = -1;
	l->child.devpts = l->child.pty_slave = -1;
	l->s.clone_ns = clock_ns();
	l->pid = sys_clone3(&args);
	if (l->pid == 0)
		child_main(&l->child);
	if (l->pid < 0) {
		const char *hint = probe_userns_hint(-l->pid);

		(void)err_set(err, l->pid, "make the namespaces of the sandbox%s",
			      l->child.in_cgroup ? " in its cgroup" : "");
		return hint ? err_hint(err, "%s", hint) : (int)l->pid;
	}
	l->s.pidfd = pidfd;
	l->s.wire = TAKE_FD(l->wire[0]);
	fd_closep(&l->wire[1]);
	fd_closep(&l->child.host_proc);
	return 0;
}

/* --- audit --- */

static uint16_t errno_of(const void *bundle, enum abi abi, int32_t nr)
{
	return bundle_errno(bundle, abi, nr);
}

static int begin_audit(struct launch *l, struct err *err)
{
	const struct plan *plan = l->plan;
	struct audit_start start = {
		.sandbox = plan->id,
		.policy = bundle_policy_name(plan->bundle),
		.policy_digest = *bundle_policy_digest(plan->bundle),
		.argv = plan->argv,
		.uid = plan->uid,
		.uid_inside = plan->uid_inside,
		.in_force = l->limits.in_force,
		.given_up = l->limits.given_up,
		.blind = !plan->notify,
	};
	int r;

	start.refusers = plan_refusers(plan, &start.untold);
	plan_digest(plan, &start.plan_digest);
	r = audit_new(l->s.options->sinks, l->s.options->n_sinks, &l->s.audit, err);
	if (r == 0) {
		audit_rotate(l->s.audit, &l->s.options->rotation);
		if (l->s.options->flood > 0)
			audit_flood(l->s.audit, l->s.options->flood);
		audit_kernel_open(l->s.audit, l->s.options->collector, l->s.pidfd);
		/* Else an errno is that of a program of the payload's, which came first. */
		if (plan->n_told > 0)
			audit_kernel_errno(l->s.audit, errno_of, plan->bundle);
		atomic_store(&l->s.shared->collected, audit_kernel_fd(l->s.audit) >= 0);
		r = audit_begin(l->s.audit, &start, err);
	}
	l->s.notify.audit = l->s.audit;
	return r;
}

/* --- the end --- */

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000U + (uint64_t)t->tv_usec;
}

static int status_of(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	return 128 + (WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0);
}

/* Copied once out of the page that pid 1 can write, and made a string again. */
static int take_error(const struct launch_shared *shared, struct launch_result *ret,
		      struct err *err)
{
	int code = shared->exit_code;

	memcpy(err, &shared->err, sizeof(*err));
	err->msg[sizeof(err->msg) - 1] = '\0';
	err->hint[sizeof(err->hint) - 1] = '\0';
	if (err->code >= 0)
		err->code = -EPROTO;
	err->ours = false;
	ret->exit_status = code == 126 || code == 127 ? code : 125;
	return err->code;
}

static void say_wall(const struct launch *l, struct launch_result *ret)
{
	char value[CPUS_TEXT];

	ret->limit_hit = "wall";
	(void)snprintf(ret->stopped_by, sizeof(ret->stopped_by), "the wall limit %.40s",
		       limit_text(POLICY_LIMIT_WALL, l->plan->wall_ms, NULL, value));
}

static int conclude(struct launch *l, int r, struct launch_result *ret, struct err *err)
{
	const struct launch_shared *shared = l->s.shared;

	ret->exit_status = 125;
	if (r < 0)
		return r;
	if (l->s.wall_passed)
		say_wall(l, ret);
	limits_hit(&l->limits, l->s.audit, ret);
	if (atomic_load(&shared->exec_result) == EXEC_FAILED)
		return take_error(shared, ret, err);
	if (atomic_load(&shared->has_status)) {
		ret->exit_status = status_of(shared->wait_status);
		ret->signal = WIFSIGNALED(shared->wait_status) ? WTERMSIG(shared->wait_status) : 0;
		return 0;
	}
	if (l->s.ended_by) {
		ret->exit_status = 128 + l->s.ended_by;
		ret->signal = l->s.ended_by;
		return 0;
	}
	if (l->s.running || ret->limit_hit) {
		ret->signal = SIGKILL;
		ret->exit_status = 128 + SIGKILL; /* pid 1 was killed from outside: so was all */
		return 0;
	}
	return err_set(err, -ECHILD, "set the sandbox up: pid 1 was killed in stage '%s'",
		       atomic_load(&shared->stage) < _STAGE_MAX ? stage_names[shared->stage] : "?");
}

static void finish_audit(struct launch *l, int r, struct launch_result *ret, const struct err *err)
{
	const struct launch_shared *shared = l->s.shared;
	const bool has_status = shared && atomic_load(&shared->has_status);
	const bool has_child = l->s.pidfd >= 0;
	struct audit_end end = {
		.usage = has_child ? &ret->usage : NULL,
		.started = r == 0 && (has_status || !l->s.ended_by),
		.wait_status = has_status ? shared->wait_status : SIGKILL,
		.error = r < 0		 ? err->msg
			 : l->s.ended_by ? "ended by a signal"
					 : NULL,
	};

	if (l->s.audit)
		audit_end(l->s.audit, &end, &ret->totals);
	audit_free(l->s.audit);
}

static void release(struct launch *l)
{
	notify_end(&l->s.notify);
	fd_closep(&l->s.pidfd);
	fd_closep(&l->s.wire);
	fd_closep(&l->s.signals);
	fd_closep(&l->wire[0]);
	fd_closep(&l->wire[1]);
	fd_closep(&l->child.host_proc);
	if (l->s.shared)
		(void)munmap(l->s.shared, sizeof(*l->s.shared));
}

/* Waits until pid 1 is gone, and with it all of its pid namespace; then everything is counted. What
 * the kernel counts for a cgroup outranks what it counts for processes, of which only those that
 * somebody waited for are in pid 1's account. */
static void reap(struct launch *l, struct launch_result *ret)
{
	struct rusage used = { 0 };
	siginfo_t info;
	int r;

	if (l->s.pidfd < 0)
		return;
	do
		r = sys_waitid_pidfd(l->s.pidfd, &info, WEXITED, &used);
	while (r == -EINTR);
	if (r == 0) {
		ret->usage.user_usec = microseconds(&used.ru_utime);
		ret->usage.system_usec = microseconds(&used.ru_stime);
		ret->usage.cpu_usec = ret->usage.user_usec + ret->usage.system_usec;
		ret->usage.max_rss = (uint64_t)used.ru_maxrss * 1024;
		ret->usage.read_bytes = (uint64_t)used.ru_inblock * 512;
		ret->usage.write_bytes = (uint64_t)used.ru_oublock * 512;
	}
	if (l->limits.cgroup.fd >= 0) {
		ret->usage.by_cgroup = true;
		ret->usage.read_bytes = ret->usage.write_bytes = AUDIT_UNKNOWN;
		cgroup_usage(&l->limits.cgroup, &ret->usage);
	}
}

static int run(struct launch *l, struct err *err)
{
	int r = prepare(l, err);

	if (r == 0)
		r = start_child(l, err);
	if (r < 0)
		return r;
	/* The log is opened while the child mounts; without a log, and so without this consent,
	 * nothing is executed. */
	r = begin_audit(l, err);
	/* With a terminal the consent waits until its modes and size are set, so that the payload
	 * never sees them change. */
	if (r == 0 && !l->plan->pty)
		r = supervise_consent(&l->s, err);
	if (r < 0) {
		(void)sys_pidfd_send_signal(l->s.pidfd, SIGKILL);
		return r;
	}
	return supervise(&l->s, err);
}

int launch_run(const struct plan *plan, const struct launch_options *options,
	       struct launch_result *ret, struct err *err)
{
	struct launch l = {
		.plan = plan,
		.s = { .plan = plan, .options = options, .pidfd = -1, .wire = -1, .signals = -1 },
		.limits = { .cgroup = CGROUP_INIT },
		.wire = { -1, -1 },
	};
	int r;

	l.child.host_proc = -1;
	l.s.notify = NOTIFY_INIT;
	l.s.recorder = RECORDER_INIT;
	l.s.notify.bundle = plan->bundle;
	l.s.notify.learn = options->learn;
	l.s.notify.let_first_exec_pass = plan->exec_gated;
	l.s.terminal = TERMINAL_INIT;
	l.s.in_force = l.limits.in_force;
	l.s.given_up = l.limits.given_up;
	*ret = (struct launch_result){ .exit_status = 125, .usage = AUDIT_USAGE_INIT };
	r = run(&l, err);
	if (l.s.shared)
		r = conclude(&l, r, ret, err);
	reap(&l, ret);
	finish_audit(&l, r, ret, err);
	limits_end(&l.limits);
	release(&l);
	return r;
}
