// SPDX-License-Identifier: Apache-2.0
#include "sandbox/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "sandbox/footprint.h"
#include "sandbox/wire.h"

/* Of the kernel's own denials so many a round: each is a few microseconds of work, and
 * notifications wait meanwhile. */
enum { NOTIFY_BATCH = 256, KERNEL_BATCH = 32, DRAIN_MS = 2000, CONSENT_MS = 1000, DYING_MS = 2000 };
/* A payload that says nothing for so long is no short job, which would pay for faults at its end.
 */
enum { SETTLED_MS = 100 };
enum { FIXED_POLLFDS = 5 };

/* Nanoseconds of a century fit into 64 bits; of much more they do not. */
#define MAX_WALL_MS (UINT64_C(100) * 366 * 86400 * 1000)

static void kill_all(struct supervisor *s)
{
	/* pid 1 dies, and the kernel kills the rest of its namespace. */
	(void)sys_pidfd_send_signal(s->pidfd, SIGKILL);
}

/* Whoever reads the payload's output must see its end when the payload closes it, not when we go.
 */
static void let_go_of_stdio(struct supervisor *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = 0; fd < 2; fd++) {
		if (!s->plan->pty_for[fd])
			(void)dup2(null, fd);
	}
	(void)close(null);
}

static void tell_started(struct supervisor *s)
{
	uint64_t took[_STAGE_MAX + 1];
	const char *names[_STAGE_MAX + 1] = { NULL };
	struct launch_progress p = {
		.stage = names,
		.stage_ns = took,
		.landlock_rules = s->shared->landlock_rules,
		.in_force = s->in_force,
		.given_up = s->given_up,
	};
	uint64_t now = clock_ns();

	if (!s->options->started)
		return;
	for (int i = 0; i < _STAGE_MAX; i++) {
		uint64_t end = i + 1 < _STAGE_MAX ? s->shared->stage_ns[i + 1] : now;

		names[i] = stage_names[i];
		took[i] = end - s->shared->stage_ns[i];
	}
	took[_STAGE_MAX] = now - s->clone_ns;
	s->options->started(s->options->ctx, &p);
}

int supervise_consent(struct supervisor *s, struct err *err)
{
	/* Before the payload can say anything; while pid 1 still mounts, so that nothing waits. */
	int r = s->options->confine && !s->consented ? confine_supervisor(s->options->confine, err)
						     : 0;

	if (r < 0)
		return r;
	r = wire_consent(s->wire);
	/* A child that died meanwhile is told by its pidfd; a full wire holds enough of them. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET && r != -EAGAIN)
		return err_set(err, r, "tell pid 1 of the sandbox to go on");
	s->consented = true;
	return 0;
}

/* pid 1 lets go of the wire when the payload runs, which it says before, or by dying. */
static int on_wire_end(struct supervisor *s, struct err *err)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	bool ended;

	fd_closep(&s->wire);
	if (s->running)
		return 0;
	ended = s->gone || poll(&p, 1, DYING_MS) != 0;
	/* Ended with a status of the payload's: it ran, without us to answer its notifications. */
	if (ended && (!atomic_load(&s->shared->has_status) ||
		      atomic_load(&s->shared->exec_result) == EXEC_FAILED))
		return 0;
	return err_set(err, -EPROTO, "hear from pid 1 that the payload runs");
}

static int on_wire(struct supervisor *s, struct err *err)
{
	int fd = -1, r = wire_receive(s->wire, &fd);

	if (r == 0)
		return on_wire_end(s, err);
	if (r < 0)
		return err_set(err, r, "hear from pid 1 of the sandbox");
	if (r == WIRE_PTY) {
		int in = s->plan->pty_for[0] ? 0 : -1;
		int out = s->plan->pty_for[1] ? 1 : s->plan->pty_for[2] ? 2 : in;

		if (fd < 0)
			return err_set(err, -EPROTO, "receive the sandbox's terminal");
		r = terminal_begin(&s->terminal, fd, in, out, err);
		if (r < 0)
			(void)close(fd);
		return r < 0 ? r : supervise_consent(s, err);
	}
	if (s->plan->notify && fd < 0)
		return err_set(err, -EPROTO, "receive the listener of the seccomp program");
	if (fd >= 0) {
		r = notify_begin(&s->notify, fd, err);
		if (r == 0 && s->notify.learn)
			r = recorder_start(&s->recorder, &s->notify, err);
		if (r < 0)
			return r;
	}
	s->running = true;
	let_go_of_stdio(s);
	tell_started(s);
	return 0;
}

static void on_signals(struct supervisor *s)
{
	struct signalfd_siginfo info[8];
	ssize_t n = read(s->signals, info, sizeof(info));

	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++) {
		const int sig = (int)info[i].ssi_signo;

		switch (sig) {
		case SIGWINCH:
			terminal_resize(&s->terminal);
			break;
		case SIGTSTP:
			terminal_suspend(&s->terminal);
			(void)raise(SIGSTOP);
			terminal_resume(&s->terminal);
			break;
		case SIGCONT:
			terminal_resume(&s->terminal);
			break;
		case SIGHUP:
		case SIGINT:
		case SIGQUIT:
		case SIGTERM:
		case SIGUSR1:
		case SIGUSR2:
			if (sig == SIGUSR1 && s->running && s->options->learn &&
			    s->options->learn_phases) {
				learn_next_phase(s->options->learn);
				break;
			}
			/* Before the payload runs there is nobody to tell: end. */
			if (!s->running)
				s->ended_by = sig;
			if (!s->running || sys_pidfd_send_signal(s->pidfd, sig) < 0)
				kill_all(s);
			break;
		default:
			break;
		}
	}
}

static int until_deadline(const struct supervisor *s)
{
	uint64_t now, left;

	if (s->deadline_ns == 0)
		return -1;
	now = clock_ns();
	if (now >= s->deadline_ns)
		return 0;
	left = (s->deadline_ns - now) / 1000000U + 1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static int sooner(int a, int b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static void check_wall(struct supervisor *s)
{
	if (s->deadline_ns == 0 || clock_ns() < s->deadline_ns)
		return;
	s->deadline_ns = 0;
	s->wall_passed = true;
	recorder_lock(&s->recorder);
	audit_limit(s->audit, "wall", "the wall-clock limit has passed; the sandbox is killed", 1);
	recorder_unlock(&s->recorder);
	kill_all(s);
}

static int audit_wait_ms(struct supervisor *s)
{
	int wait;

	recorder_lock(&s->recorder);
	wait = audit_timeout_ms(s->audit);
	recorder_unlock(&s->recorder);
	return wait;
}

static void audit_write_out(struct supervisor *s)
{
	recorder_lock(&s->recorder);
	audit_tick(s->audit);
	recorder_unlock(&s->recorder);
}

static void take_kernel_denials(struct supervisor *s)
{
	recorder_lock(&s->recorder);
	audit_kernel_take(s->audit, KERNEL_BATCH);
	recorder_unlock(&s->recorder);
}

static int on_notifications(struct supervisor *s, short revents, struct err *err)
{
	int r = s->recorder.running ? recorder_result(&s->recorder)
				    : notify_ready(&s->notify, revents, NOTIFY_BATCH);

	if (r < 0)
		return err_set(err, r, "answer the denials of the sandbox");
	if (r > 0) {
		recorder_stop(&s->recorder);
		notify_end(&s->notify);
	}
	return 0;
}

static int one_round(struct supervisor *s, struct err *err)
{
	struct pollfd p[FIXED_POLLFDS + TERMINAL_POLLFDS] = {
		{ .fd = s->recorder.running ? s->recorder.event : s->notify.fd, .events = POLLIN },
		{ .fd = s->pidfd, .events = POLLIN },
		{ .fd = s->wire, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = audit_kernel_fd(s->audit), .events = POLLIN },
	};
	size_t n =
		FIXED_POLLFDS + terminal_pollfds(&s->terminal, p + FIXED_POLLFDS, TERMINAL_POLLFDS);
	int wait =
		sooner(sooner(audit_wait_ms(s), terminal_timeout(&s->terminal)), until_deadline(s));
	const bool unheard = s->consented && !s->running && s->wire >= 0;
	const bool settling = s->running && !s->settled;
	int r = poll(p, (nfds_t)n,
		     unheard	? sooner(wait, CONSENT_MS)
		     : settling ? sooner(wait, SETTLED_MS)
				: wait);

	if (r < 0)
		return errno == EINTR ? 0 : err_set(err, -errno, "wait for the sandbox");
	if (r == 0 && settling) {
		s->settled = true;
		footprint_shrink();
	}
	/* It takes one word and leaves the rest: to say it again costs nothing, and to wait for an
	 * answer to a word that got lost would never end. */
	r = r == 0 && unheard ? supervise_consent(s, err) : 0;
	if (r == 0 && p[2].revents)
		r = on_wire(s, err);
	if (r == 0 && p[0].revents)
		r = on_notifications(s, p[0].revents, err);
	if (p[3].revents)
		on_signals(s);
	if (r == 0) {
		r = terminal_handle(&s->terminal, p + FIXED_POLLFDS, n - FIXED_POLLFDS);
		if (r < 0)
			(void)err_set(err, r, "show what the payload writes to its terminal");
	}
	if (p[4].revents)
		take_kernel_denials(s);
	audit_write_out(s);
	check_wall(s);
	s->gone = p[1].revents != 0;
	return r;
}

/* What the payload had written to its terminal before it ended is still shown, however slowly the
 * caller's takes it; one that takes nothing for so long is not waited for. */
static int drain_terminal(struct supervisor *s, struct err *err)
{
	uint64_t since = clock_ms(), shown = s->terminal.shown;
	int r = 0, end;

	terminal_payload_ended(&s->terminal);
	while (!terminal_is_idle(&s->terminal) && clock_ms() - since < DRAIN_MS) {
		struct pollfd p[TERMINAL_POLLFDS];
		size_t n = terminal_pollfds(&s->terminal, p, TERMINAL_POLLFDS);

		r = poll(p, (nfds_t)n, sooner(50, terminal_timeout(&s->terminal)));
		if (r < 0 && errno == EINTR)
			continue;
		r = r < 0 ? -errno : terminal_handle(&s->terminal, p, n);
		if (r < 0)
			break;
		if (s->terminal.shown != shown) {
			shown = s->terminal.shown;
			since = clock_ms();
		}
	}
	end = terminal_end(&s->terminal);
	if (r < 0)
		return err_set(err, r, "show the last of what the payload wrote to its terminal");
	if (end < 0) {
		(void)err_set(err, end, "give your terminal the modes back that it had");
		return err_hint(err, "`stty sane` gives it usable ones");
	}
	return 0;
}

int supervise(struct supervisor *s, struct err *err)
{
	int r = 0, drained;

	if (s->plan->wall_ms > 0)
		s->deadline_ns = s->clone_ns +
				 (s->plan->wall_ms < MAX_WALL_MS ? s->plan->wall_ms : MAX_WALL_MS) *
					 1000000U;
	while (!s->gone && r == 0)
		r = one_round(s, err);
	if (!s->gone)
		kill_all(s);
	/* A payload that ends before the listener was taken leaves it in the wire. */
	if (r == 0 && s->wire >= 0 && !s->running)
		r = on_wire(s, err);
	recorder_stop(&s->recorder);
	notify_end(&s->notify);
	drained = drain_terminal(s, r < 0 ? NULL : err);
	return r < 0 ? r : drained;
}
