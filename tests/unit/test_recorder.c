// SPDX-License-Identifier: Apache-2.0
/* The thread that answers while a launch learns: all of it, until nobody is left or it is stopped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "sandbox/recorder.h"
#include "tests/unit/notify_case.h"

enum { MANY = 2000, SOON_MS = 10000 };

struct stage {
	struct scene *s;
	struct notify n;
	struct recorder r;
	pid_t pid;
	int wire;
};

static struct stage *begin(const char *lines, actor play)
{
	struct stage *g = calloc(1, sizeof(*g));
	struct err err = ERR_INIT;
	int wire[2], fd = -1;

	assert_non_null(g);
	g->s = scene_new(lines);
	g->n = NOTIFY_INIT;
	g->r = RECORDER_INIT;
	assert_int_equal(wire_pair(wire), 0);
	g->pid = fork();
	assert_true(g->pid >= 0);
	if (g->pid == 0)
		act(g->s, wire[1], play);
	fd_closep(&wire[1]);
	g->wire = wire[0];
	assert_int_equal(wire_receive(g->wire, &fd), WIRE_RUNNING);
	g->n.bundle = g->s->bundle;
	g->n.audit = g->s->audit;
	assert_int_equal(notify_begin(&g->n, fd, &err), 0);
	assert_int_equal(recorder_start(&g->r, &g->n, &err), 0);
	assert_true(g->r.running);
	return g;
}

static struct audit_totals end(struct stage *g, int *ret_status)
{
	struct audit_end at_end = { .started = true };
	struct audit_totals totals = { 0 };

	recorder_stop(&g->r);
	assert_false(g->r.running);
	assert_int_equal(g->r.event, -1);
	assert_null(g->n.audit_lock);
	recorder_stop(&g->r); /* twice is fine */
	notify_end(&g->n);
	assert_int_equal(waitpid(g->pid, ret_status, 0), g->pid);
	fd_closep(&g->wire);
	audit_end(g->s->audit, &at_end, &totals);
	scene_free(g->s);
	free(g);
	return totals;
}

/* Readable within some time, which a loaded machine needs. */
static bool is_told(const struct stage *g)
{
	struct pollfd p = { .fd = g->r.event, .events = POLLIN };

	return poll(&p, 1, SOON_MS) == 1;
}

static int go[2]; /* a pipe that holds the child back */

static int play_many(void)
{
	char c;

	if (raw(SYS_personality, 0, 0) != -EXDEV || syscall(SYS_read, go[0], &c, 1) != 1)
		return 1;
	for (int i = 1; i < MANY; i++) {
		if (raw(SYS_personality, i, 0) != -EXDEV)
			return 1;
	}
	return 0;
}

static void test_all(void **state)
{
	struct audit_totals totals;
	struct stage *g;
	siginfo_t info;
	int status;

	(void)state;
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	g = begin("deny personality errno EXDEV\n", play_many);
	/* the log began to wait, which its writer is told of, though nothing has ended */
	assert_true(is_told(g));
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_true(recorder_result(&g->r) >= 0);
	recorder_lock(&g->r);
	audit_tick(g->s->audit);
	recorder_unlock(&g->r);
	assert_int_equal(waitid(P_PID, (id_t)g->pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_status, 0);
	totals = end(g, &status);
	assert_int_equal(totals.denials, MANY);
	assert_int_equal(totals.lost, 0);
	fd_closep(&go[0]);
	fd_closep(&go[1]);
}

/* From Linux 6.11 on the kernel ends the wait when nobody is left; before, only stopping does. */
static int play_nothing(void)
{
	return 0;
}

static void test_nobody_left(void **state)
{
	struct stage *g = begin("deny personality\n", play_nothing);
	siginfo_t info;
	int status;

	(void)state;
	assert_int_equal(waitid(P_PID, (id_t)g->pid, &info, WEXITED | WNOWAIT), 0);
	(void)end(g, &status);
	assert_int_equal(status, 0);
}

/* Allowed calls only: the thread waits, and nothing comes. */
static int play_idle(void)
{
	while (raw(SYS_getpid, 0, 0) > 0)
		;
	return 0;
}

static void test_stop(void **state)
{
	struct stage *g = begin("deny personality\n", play_idle);
	struct timespec from, to;
	int status;

	(void)state;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	recorder_stop(&g->r);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < SOON_MS / 1000);
	assert_int_equal(kill(g->pid, SIGKILL), 0);
	(void)end(g, &status);
	assert_true(WIFSIGNALED(status));
}

/* Descriptors that are none: an error that the loop hears of. */
static void test_broken(void **state)
{
	struct notify n = NOTIFY_INIT;
	struct recorder r = RECORDER_INIT;
	struct err err = ERR_INIT;
	struct pollfd p;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(notify_begin(&n, pipe_fds[0], &err), 0);
	assert_int_equal(recorder_start(&r, &n, &err), 0);
	p = (struct pollfd){ .fd = r.event, .events = POLLIN };
	assert_int_equal(poll(&p, 1, SOON_MS), 1);
	assert_int_equal(recorder_result(&r), -ENOTTY);
	recorder_stop(&r);
	notify_end(&n);
	fd_closep(&pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_nobody_left),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_broken),
	};
	sigset_t all;

	/* as a supervisor has them */
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGABRT);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
