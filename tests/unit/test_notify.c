// SPDX-License-Identifier: Apache-2.0
/* The supervisor's answers, given to a real child under the program of a real bundle. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/notify_case.h"

struct result {
	int status;
	uint64_t answered;
	struct audit_totals totals;
};

static struct result run(struct scene *s, actor play, bool first_exec)
{
	struct notify n = NOTIFY_INIT;
	struct audit_end end = { .started = true };
	struct result result = { 0 };
	struct err err = ERR_INIT;
	int wire[2], fd = -1, r = 0;
	pid_t pid;

	assert_int_equal(wire_pair(wire), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		act(s, wire[1], play);
	fd_closep(&wire[1]);
	if (wire_receive(wire[0], &fd) != WIRE_RUNNING || fd < 0)
		fail_msg("no listener came");
	n.bundle = s->bundle;
	n.audit = s->audit;
	n.let_first_exec_pass = first_exec;
	assert_int_equal(notify_begin(&n, fd, &err), 0);
	/* until the last process is gone, thirty seconds at most: a round may bring one call or
	 * four */
	for (time_t end_at = time(NULL) + 30; r == 0 && time(NULL) < end_at;) {
		struct pollfd p = { .fd = n.fd, .events = POLLIN };

		if (poll(&p, 1, 10) > 0)
			r = notify_ready(&n, p.revents, 4);
	}
	assert_int_equal(r, 1);
	notify_end(&n);
	assert_int_equal(n.fd, -1);
	assert_int_equal(waitpid(pid, &result.status, 0), pid);
	fd_closep(&wire[0]);
	end.wait_status = result.status;
	audit_end(s->audit, &end, &result.totals);
	result.answered = n.answered;
	return result;
}

/* --- the errno of the policy, the default's, and what is allowed --- */

static int play_errnos(void)
{
	if (raw(SYS_personality, 0, 0) != -EXDEV)
		return 1;
	if (raw(SYS_sync, 0, 0) != -EPERM) /* by default */
		return 2;
	if (raw(SYS_getpid, 0, 0) <= 0) /* the allowed twin, never seen by the supervisor */
		return 3;
	if (raw(100000, 0, 0) != -ENOSYS) /* no such call */
		return 4;
	if (raw(SYS_getuid, 0, 0) != -EACCES) /* quiet */
		return 5;
	return 0;
}

static void test_errnos(void **state)
{
	struct scene *s = scene_new("deny personality errno EXDEV\n"
				    "deny getuid errno EACCES quiet\n");
	struct result r = run(s, play_errnos, false);

	(void)state;
	assert_true(WIFEXITED(r.status));
	assert_int_equal(WEXITSTATUS(r.status), 0);
	assert_int_equal(r.answered, 3);
	assert_int_equal(r.totals.denials, 3);
	assert_int_equal(r.totals.lost, 0);
	scene_free(s);
}

/* --- the registers as the kernel reads them --- */

static int play_condition(void)
{
	if (raw(SYS_lseek, 4009, 0) != -EXDEV || raw(SYS_lseek, (long)0x700000fa9L, 0) != -EXDEV)
		return 1;
	if (raw(SYS_lseek, 4008, 0) != -EBADF) /* not open, allowed, so the kernel's own answer */
		return 2;
	return 0;
}

static void test_condition(void **state)
{
	struct scene *s = scene_new("allow lseek\ndeny lseek if fd == 4009 errno EXDEV\n");
	struct result r = run(s, play_condition, false);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_int_equal(r.answered, 2);
	scene_free(s);
}

/* --- kill --- */

static int play_kill(void)
{
	(void)raw(SYS_personality, 0, 0);
	return 7; /* reached only by what is still alive */
}

static void test_kill(void **state)
{
	struct scene *s = scene_new("kill personality\n");
	struct result r = run(s, play_kill, false);

	(void)state;
	assert_true(WIFSIGNALED(r.status));
	assert_int_equal(WTERMSIG(r.status), SIGKILL);
	assert_int_equal(r.totals.denials, 1);
	scene_free(s);
	/* the twin: denied, it lives */
	s = scene_new("deny personality\n");
	r = run(s, play_kill, false);
	assert_true(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 7);
	scene_free(s);
}

/* --- the first execve --- */

static int play_exec_twice(void)
{
	/* Nothing is executed: the first reaches the kernel, which finds no file; the second does
	 * not reach it. */
	if (raw(SYS_execve, (long)(uintptr_t) "/no such", 0) != -ENOENT)
		return 1;
	if (raw(SYS_execve, (long)(uintptr_t) "/no such", 0) != -EPERM)
		return 2;
	return 0;
}

static int play_exec_once(void)
{
	return raw(SYS_execve, (long)(uintptr_t) "/no such", 0) == -EPERM ? 0 : 1;
}

static int play_exec_after_others(void)
{
	/* Another call does not use the permission up, nor is it let pass. */
	if (raw(SYS_sync, 0, 0) != -EPERM)
		return 1;
#ifdef SYS_execveat
	if (syscall(SYS_execveat, AT_FDCWD, "/no such", NULL, NULL, 0) != -1 || errno != EPERM)
		return 2;
#endif
	return play_exec_twice() ? 3 : 0;
}

static void test_first_exec(void **state)
{
	struct scene *s = scene_new("deny execve\n");
	struct result r = run(s, play_exec_twice, true);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_int_equal(r.answered, 1); /* the one let pass is no denial */
	assert_int_equal(r.totals.denials, 1);
	scene_free(s);
	s = scene_new("deny execve\n");
	r = run(s, play_exec_once, false);
	assert_int_equal(r.status, 0);
	scene_free(s);
	s = scene_new("deny execve\n");
	r = run(s, play_exec_after_others, true);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.totals.denials, 3);
	scene_free(s);
}

/* --- many --- */

enum { MANY = 3000 };

static int play_many(void)
{
	for (int i = 0; i < MANY; i++)
		if (raw(SYS_personality, i, 0) != -EXDEV)
			return 1;
	return 0;
}

static void test_many(void **state)
{
	struct scene *s = scene_new("deny personality errno EXDEV\n");
	struct result r = run(s, play_many, false);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_int_equal(r.answered, MANY);
	assert_int_equal(r.totals.denials, MANY);
	scene_free(s);
}

/* --- a caller that dies while it waits --- */

static void test_dead_caller(void **state)
{
	struct scene *s = scene_new("deny personality errno EXDEV\n");
	struct notify n = NOTIFY_INIT;
	struct err err = ERR_INIT;
	int wire[2], fd = -1, status;
	struct pollfd p;
	pid_t pid;

	(void)state;
	assert_int_equal(wire_pair(wire), 0);
	pid = fork();
	if (pid == 0)
		act(s, wire[1], play_many);
	fd_closep(&wire[1]);
	assert_int_equal(wire_receive(wire[0], &fd), WIRE_RUNNING);
	n.bundle = s->bundle;
	n.audit = s->audit;
	assert_int_equal(notify_begin(&n, fd, &err), 0);
	p = (struct pollfd){ .fd = n.fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* gone between the look and the take: neither waited for nor answered */
	assert_int_equal(notify_ready(&n, p.revents, 10), 0);
	assert_int_equal(n.answered, 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(notify_ready(&n, p.revents, 10), 1);
	notify_end(&n);
	notify_end(&n); /* twice is fine */
	fd_closep(&wire[0]);
	scene_free(s);
}

static void test_no_listener(void **state)
{
	struct notify n = NOTIFY_INIT;
	struct err err = ERR_INIT;
	int p[2];

	(void)state;
	/* a descriptor that is none: an error at the first thing to take, no endless loop */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(notify_begin(&n, p[0], &err), 0);
	assert_int_equal(notify_ready(&n, POLLIN, 3), -ENOTTY);
	notify_end(&n);
	fd_closep(&p[1]);
}

/* --- a policy whose name takes as much of a record as a name can, and paths of every length --- */

enum { LONG_CALLS = 20 }; /* of one kind, as many as have a record each */

static int play_long_paths(void)
{
	static char path[LIMIT_PATH];

	memset(path, '\x01', sizeof(path));
	for (size_t i = 0; i < LONG_CALLS; i++) {
		char *end = path + 100 + 200 * i; /* five bytes in the log each */
		long r;

		*end = '\0';
		r = raw(SYS_openat, AT_FDCWD, (long)(uintptr_t)path);
		*end = '\x01';
		if (r != -EXDEV)
			return 1;
	}
	return 0;
}

static void test_long_records(void **state)
{
	char file[600];
	struct scene *s;
	struct result r;

	(void)state;
	memset(file, '\x02', sizeof(file) - 1);
	file[sizeof(file) - 1] = '\0';
	s = scene_of(file, "deny openat errno EXDEV\n");
	r = run(s, play_long_paths, false);
	assert_true(WIFEXITED(r.status));
	assert_int_equal(WEXITSTATUS(r.status), 0);
	assert_int_equal(r.totals.denials, LONG_CALLS);
	assert_int_equal(r.totals.records, LONG_CALLS);
	assert_int_equal(r.totals.lost, 0); /* a record that does not fit would be */
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errnos),	    cmocka_unit_test(test_condition),
		cmocka_unit_test(test_kill),	    cmocka_unit_test(test_first_exec),
		cmocka_unit_test(test_many),	    cmocka_unit_test(test_dead_caller),
		cmocka_unit_test(test_no_listener), cmocka_unit_test(test_long_records),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
