// SPDX-License-Identifier: Apache-2.0
#include "sandbox/child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/sys.h"
#include "sandbox/terminal.h"
#include "sandbox/wire.h"

const char *const stage_names[_STAGE_MAX] = { "ids", "mounts", "root", "limits", "lock", "exec" };

/* The payload borrows pid 1's memory until execve (CLONE_VM | CLONE_VFORK): nothing is copied,
 * and pid 1 sees what came of it. */
static _Alignas(16) char payload_stack[64 * 1024];

static void enter(struct child *c, enum stage stage)
{
	c->shared->stage_ns[stage] = clock_ns();
	atomic_store(&c->shared->stage, stage);
}

static noreturn void fail(struct child *c, int exit_code)
{
	c->shared->exit_code = exit_code;
	atomic_store(&c->shared->exec_result, EXEC_FAILED);
	_exit(exit_code);
}

static bool is_runnable(const char *path, int *code)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			*code = -errno;
		return false;
	}
	if (!S_ISREG(st.st_mode))
		*code = S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		*code = -errno;
	else
		return true;
	return false;
}

/* As execvp(3) searches, but once, inside, and before the lock. */
static int find_exec(struct child *c, struct err *err)
{
	const char *name = c->plan->exec, *p = c->plan->path_env;
	int code = -ENOENT;
	char *path;

	if (strchr(name, '/')) {
		if (strlen(name) >= LIMIT_PATH)
			return err_set(err, -ENAMETOOLONG, "run '%.64s...'", name);
		c->exec_path = name;
		return is_runnable(name, &code) ? 0 : err_set(err, code, "run '%s'", name);
	}
	path = malloc(LIMIT_PATH); /* goes with the process */
	if (!path)
		return err_set(err, -ENOMEM, "look for '%s' in PATH", name);
	c->exec_path = path;
	while (p) {
		size_t n = strcspn(p, ":");
		int len = snprintf(path, LIMIT_PATH, "%.*s/%s", n ? (int)n : 1, n ? p : ".", name);

		if (len > 0 && len < LIMIT_PATH && is_runnable(path, &code))
			return 0;
		p = p[n] ? p + n + 1 : NULL;
	}
	(void)err_set(err, code, "run '%s'", name);
	if (code == -ENOENT)
		return err_hint(err, "it is in none of the directories of PATH inside: %s",
				c->plan->path_env ? c->plan->path_env : "(none)");
	return code;
}

static int exit_code_of(int code)
{
	return code == -ENOENT || code == -ENOTDIR ? 127 : 126;
}

/* Read back: what is there else is the caller's own terminal. */
static int put_terminal(int slave, int fd, struct err *err)
{
	struct stat want, got;

	if (dup2(slave, fd) < 0)
		return err_set(err, -errno, "put the terminal on descriptor %d", fd);
	if (fstat(slave, &want) < 0 || fstat(fd, &got) < 0)
		return err_set(err, -errno, "look at the terminal on descriptor %d", fd);
	if (want.st_dev != got.st_dev || want.st_ino != got.st_ino)
		return err_set(err, -EPROTO, "find the terminal on descriptor %d, as it was put",
			       fd);
	return 0;
}

static int open_pty(struct child *c, struct err *err)
{
	_cleanup_close_ int master = -1;
	int r;

	if (!c->plan->pty)
		return 0;
	r = terminal_open_pair(c->devpts, &master, &c->pty_slave, err);
	if (r < 0)
		return r;
	r = wire_send(c->wire, WIRE_PTY, master);
	if (r < 0)
		return err_set(err, r, "hand the terminal to the supervisor");
	for (int i = 0; i < 3 && r == 0; i++) {
		if (c->plan->pty_for[i])
			r = put_terminal(c->pty_slave, i, err);
	}
	return r;
}

static int open_passed(struct child *c, struct err *err)
{
	for (size_t i = 0; i < c->plan->n_pass_fds; i++) {
		if (fcntl(c->plan->pass_fds[i], F_SETFD, 0) < 0)
			return err_set(err, -errno, "pass descriptor %d on", c->plan->pass_fds[i]);
	}
	return 0;
}

static int begin_session(struct err *err)
{
	if (setsid() < 0)
		return err_set(err, -errno, "start a session for the payload");
	if (getsid(0) != getpid())
		return err_set(err, -EPROTO, "find the payload in a session of its own");
	return 0;
}

/* pid 1 runs with all of them blocked, and the payload begins with none. */
static int unblock_signals(struct err *err)
{
	sigset_t none, now;

	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || sigprocmask(SIG_SETMASK, NULL, &now) < 0)
		return err_set(err, -errno, "unblock the signals of the payload");
	for (int sig = 1; sig < _NSIG; sig++) {
		if (sigismember(&now, sig) == 1)
			return err_set(err, -EPROTO, "find signal %d unblocked for the payload",
				       sig);
	}
	return 0;
}

/* Runs in the payload's process, on pid 1's memory unless a time namespace forbids sharing it. */
static int payload_main(void *arg)
{
	struct child *c = arg;
	struct launch_shared *s = c->shared;
	int listener = -1, r;

	if (begin_session(&s->err) < 0)
		fail(c, 125);
	if (c->plan->pty && terminal_make_controlling(c->pty_slave, &s->err) < 0)
		fail(c, 125);
	if (unblock_signals(&s->err) < 0)
		fail(c, 125);
	if (label_read_back(c, &s->err) < 0)
		fail(c, 125);
	r = lock_payload(c, &listener, &s->err);
	if (r < 0)
		fail(c, 125);
	atomic_store(&s->listener, listener);
	(void)execve(c->exec_path, (char *const *)(uintptr_t)c->plan->argv,
		     (char *const *)(uintptr_t)c->plan->env);
	r = -errno;
	(void)err_set(&s->err, r, "run '%s'", c->plan->exec);
	if (r == -ENOENT)
		(void)err_hint(&s->err,
			       "the file is there: its interpreter (its #! line or its dynamic "
			       "loader) is not visible inside");
	if (r == -EACCES)
		(void)err_hint(&s->err,
			       "no rule of the policy lets it be executed from there, or its mode "
			       "does not");
	if (label_explain(c, r, &s->err))
		fail(c, 125);
	fail(c, r == -ENOENT ? 127 : 126);
}

static void nap(void)
{
	const struct timespec t = { .tv_nsec = 20000 };

	(void)nanosleep(&t, NULL);
}

/* Hand the listener over. pid 1 is under no policy and can say so itself; under a policy that
 * denies execve the payload already waits in it, and only the supervisor can let it pass. */
static int hand_over(struct child *c, struct err *err)
{
	struct launch_shared *s = c->shared;
	int r;

	while (c->plan->exec_gated && atomic_load(&s->listener) < 0 &&
	       atomic_load(&s->exec_result) == EXEC_PENDING)
		nap();
	if (atomic_load(&s->exec_result) == EXEC_FAILED)
		return 0;
	r = wire_send(c->wire, WIRE_RUNNING, atomic_load(&s->listener));
	return r < 0 ? err_set(err, r, "hand the listener to the supervisor") : 0;
}

static pid_t start_payload(struct child *c, struct err *err)
{
	int flags = CLONE_FILES | SIGCHLD;
	pid_t pid;

	/* A task of another time namespace may not share memory with this one (kernel/nsproxy.c).
	 */
	if (!c->plan->new_time)
		flags |= CLONE_VM;
	if (!c->plan->exec_gated)
		flags |= CLONE_VFORK;
	/* What pid 1 knows of the caller (environment, plan) is nobody's business inside: it is not
	 * dumpable, so its /proc/1 belongs to nobody there. The payload's own memory is, after
	 * exec. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, -errno, "make pid 1 non-dumpable");
	if (prctl(PR_GET_DUMPABLE) != 0)
		return err_set(err, -EPROTO, "find pid 1 non-dumpable");
	pid = clone(payload_main, payload_stack + sizeof(payload_stack), flags, c);
	return pid < 0 ? err_set(err, -errno, "start the payload's process") : pid;
}

static int stage_exec(struct child *c, pid_t *ret, struct err *err)
{
	struct launch_shared *s = c->shared;
	pid_t payload;
	int r = wire_wait_consent(c->wire);

	if (r < 0)
		return err_set(err, r, "wait for the supervisor's consent");
	payload = start_payload(c, err);
	if (payload < 0)
		return payload;
	s->payload_pid = payload;
	r = hand_over(c, err);
	if (r < 0)
		return r;
	/* Its descriptors are the payload's alone from here on: a pipe that the payload closes is
	 * closed. */
	r = sys_close_range(0, ~0U, CLOSE_RANGE_UNSHARE);
	if (r < 0)
		return err_set(err, r, "close the descriptors of pid 1");
	if (fcntl(c->wire, F_GETFD) >= 0)
		return err_set(err, -EPROTO, "find the descriptors of pid 1 closed");
	*ret = payload;
	return reaper_lock(err);
}

static int prepare(struct child *c, struct err *err)
{
	static int (*const stages[])(struct child *, struct err *) = {
		[STAGE_IDS] = stage_ids,   [STAGE_MOUNTS] = stage_mounts,
		[STAGE_ROOT] = stage_root, [STAGE_LIMITS] = stage_limits,
		[STAGE_LOCK] = stage_lock,
	};
	int r = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(stages) && r == 0; i++) {
		enter(c, (enum stage)i);
		/* The command and the terminal are looked for while devpts is at hand and no rule
		 * is in the way. */
		if (i == STAGE_LOCK) {
			r = find_exec(c, err);
			if (r < 0)
				fail(c, exit_code_of(r));
			r = open_pty(c, err);
			if (r == 0)
				r = open_passed(c, err);
		}
		if (r == 0)
			r = stages[i](c, err);
	}
	return r;
}

noreturn void child_main(struct child *c)
{
	struct launch_shared *s = c->shared;
	pid_t payload = -1;
	int r;

	r = prepare(c, &s->err);
	if (r == 0) {
		enter(c, STAGE_EXEC);
		r = stage_exec(c, &payload, &s->err);
	}
	if (r < 0)
		fail(c, 125);
	r = reaper_run(payload);
	if (atomic_load(&s->exec_result) != EXEC_FAILED) {
		s->wait_status = r;
		atomic_store(&s->has_status, 1U);
	}
	_exit(0);
}
