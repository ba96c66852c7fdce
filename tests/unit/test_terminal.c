// SPDX-License-Identifier: Apache-2.0
/* The relay between two real terminals: "outer" is the person's, "inner" the payload's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "sandbox/terminal.h"

struct pair {
	int master, slave;
};

static struct pair open_pair(void)
{
	struct pair p;

	p.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p.master >= 0);
	assert_int_equal(unlockpt(p.master), 0);
	p.slave = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p.slave >= 0);
	return p;
}

static void close_fd(int *fd)
{
	fd_closep(fd);
}

static bool same_modes(int fd, const struct termios *want)
{
	struct termios now;

	assert_int_equal(tcgetattr(fd, &now), 0);
	return now.c_iflag == want->c_iflag && now.c_oflag == want->c_oflag &&
	       now.c_lflag == want->c_lflag && now.c_cflag == want->c_cflag &&
	       memcmp(now.c_cc, want->c_cc, sizeof(now.c_cc)) == 0;
}

static bool is_raw(int fd)
{
	struct termios now;

	assert_int_equal(tcgetattr(fd, &now), 0);
	return !(now.c_lflag & (ICANON | ECHO | ISIG)) && !(now.c_oflag & OPOST);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One turn of a supervisor's loop. */
static void turn(struct terminal *t, int wait_ms)
{
	struct pollfd fds[TERMINAL_POLLFDS];
	size_t n = terminal_pollfds(t, fds, TERMINAL_POLLFDS);
	int timeout = terminal_timeout(t);

	if (timeout < 0 || timeout > wait_ms)
		timeout = wait_ms;
	(void)poll(fds, n, timeout);
	assert_int_equal(terminal_handle(t, fds, n), 0);
}

/* Turn until fd has len bytes for us, or two seconds are over; returns how many were read. */
static size_t relay_until(struct terminal *t, int fd, char *ret, size_t len)
{
	int64_t end = now_ms() + 2000;
	size_t got = 0;

	while (got < len && now_ms() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		turn(t, 10);
		if (poll(&p, 1, 0) == 1 && (p.revents & POLLIN)) {
			ssize_t n = read(fd, ret + got, len - got);

			if (n <= 0)
				break;
			got += (size_t)n;
		}
	}
	return got;
}

static void test_modes_and_size(void **state)
{
	struct pair outer = open_pair(), inner = open_pair();
	struct winsize size = { .ws_row = 33, .ws_col = 101 }, got;
	struct terminal t = TERMINAL_INIT;
	struct termios before, slave;
	struct err err = ERR_INIT;
	int flags;

	(void)state;
	assert_int_equal(ioctl(outer.master, TIOCSWINSZ, &size), 0);
	assert_int_equal(tcgetattr(outer.slave, &before), 0);
	before.c_cc[VERASE] = 8;
	before.c_iflag |= IUTF8;
	assert_int_equal(tcsetattr(outer.slave, TCSANOW, &before), 0);
	flags = fcntl(outer.slave, F_GETFL);

	assert_int_equal(terminal_begin(&t, inner.master, outer.slave, outer.slave, &err), 0);
	assert_true(is_raw(outer.slave));
	/* the payload sees what the person's terminal was before */
	assert_int_equal(tcgetattr(inner.slave, &slave), 0);
	assert_true(same_modes(inner.slave, &before));
	assert_int_equal(slave.c_cc[VERASE], 8);
	assert_int_equal(ioctl(inner.slave, TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 33);
	assert_int_equal(got.ws_col, 101);
	/* the caller's description is untouched */
	assert_int_equal(fcntl(outer.slave, F_GETFL), flags);
	assert_int_equal(flags & O_NONBLOCK, 0);

	size.ws_row = 7;
	assert_int_equal(ioctl(outer.master, TIOCSWINSZ, &size), 0);
	terminal_resize(&t);
	assert_int_equal(ioctl(inner.slave, TIOCGWINSZ, &got), 0);
	assert_int_equal(got.ws_row, 7);

	/* a second one in this process is refused; after the end it is not */
	{
		struct terminal second = TERMINAL_INIT;
		struct pair other = open_pair();

		assert_int_equal(terminal_begin(&second, other.master, -1, -1, &err), -EBUSY);
		terminal_end(&t);
		assert_int_equal(terminal_begin(&second, other.master, -1, -1, &err), 0);
		terminal_end(&second);
		close_fd(&other.slave);
	}
	assert_true(same_modes(outer.slave, &before));
	terminal_end(&t);
	assert_true(same_modes(outer.slave, &before));
	assert_true(terminal_is_idle(&t));
	close_fd(&inner.slave);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

static void test_suspend_and_restore(void **state)
{
	struct pair outer = open_pair(), inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	struct termios before;

	(void)state;
	assert_int_equal(tcgetattr(outer.slave, &before), 0);
	terminal_restore(); /* nothing begun: nothing done */
	assert_int_equal(terminal_begin(&t, inner.master, outer.slave, outer.slave, NULL), 0);
	assert_true(is_raw(outer.slave));
	terminal_suspend(&t);
	assert_true(same_modes(outer.slave, &before));
	terminal_resume(&t);
	assert_true(is_raw(outer.slave));
	terminal_restore();
	assert_true(same_modes(outer.slave, &before));
	terminal_resume(&t);
	assert_true(is_raw(outer.slave));
	terminal_end(&t);
	assert_true(same_modes(outer.slave, &before));
	close_fd(&inner.slave);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

static void test_bytes_both_ways(void **state)
{
	struct pair outer = open_pair(), inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	char got[64] = "";

	(void)state;
	assert_int_equal(terminal_begin(&t, inner.master, outer.slave, outer.slave, NULL), 0);
	/* echo comes from the inner terminal, once: "hi" CR LF */
	assert_int_equal(write(outer.master, "hi\r", 3), 3);
	assert_int_equal(relay_until(&t, outer.master, got, 4), 4);
	assert_memory_equal(got, "hi\r\n", 4);
	assert_int_equal(relay_until(&t, inner.slave, got, 3), 3);
	assert_memory_equal(got, "hi\n", 3);
	assert_int_equal(write(inner.slave, "out\n", 4), 4);
	assert_int_equal(relay_until(&t, outer.master, got, 5), 5);
	assert_memory_equal(got, "out\r\n", 5);
	terminal_end(&t);
	close_fd(&inner.slave);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

/* ^C is the payload's: a signal to the inner foreground group, never to ours. */
static void test_interrupt_key_reaches_payload(void **state)
{
	struct pair outer = open_pair(), inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	int ready[2], status = 0;
	int64_t end;
	char byte;
	pid_t pid, got = 0;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setsid() < 0 || terminal_make_controlling(inner.slave, NULL) < 0)
			_exit(99);
		(void)!write(ready[1], "r", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close_fd(&inner.slave);
	assert_int_equal(terminal_begin(&t, inner.master, outer.slave, outer.slave, NULL), 0);
	assert_int_equal(write(outer.master, "\003", 1), 1);
	for (end = now_ms() + 2000; got == 0 && now_ms() < end;) {
		turn(&t, 10);
		got = waitpid(pid, &status, WNOHANG);
	}
	if (got == 0)
		(void)kill(pid, SIGKILL);
	assert_int_equal(got, pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	terminal_payload_ended(&t);
	for (end = now_ms() + 2000; !terminal_is_idle(&t) && now_ms() < end;)
		turn(&t, 10);
	assert_true(terminal_is_idle(&t));
	assert_true(is_raw(outer.slave));
	terminal_end(&t);
	assert_false(is_raw(outer.slave));
	close_fd(&ready[0]);
	close_fd(&ready[1]);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

enum { LARGE = 1 << 20 };

/* A child that writes LARGE bytes to the inner slave and dies. */
static pid_t spawn_writer(struct pair *inner, const struct pair *outer)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		char block[4096];
		size_t i;

		(void)close(outer->master);
		(void)close(outer->slave);
		memset(block, 'x', sizeof(block));
		for (i = 0; i < LARGE / sizeof(block); i++) {
			if (fd_write_all(inner->slave, block, sizeof(block)) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close_fd(&inner->slave);
	return pid;
}

static void check_large_output(int in_fd, int out_fd, struct pair *outer)
{
	struct pair inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	int64_t end = now_ms() + 20000, slowest = 0;
	size_t total = 0;
	int status = -1;
	char block[1500];
	bool reaped = false;
	pid_t pid;

	assert_int_equal(terminal_begin(&t, inner.master, in_fd, out_fd, NULL), 0);
	pid = spawn_writer(&inner, outer);
	/* not read at all for a while: the relay must fill up and come back each time */
	for (int i = 0; i < 50; i++) {
		int64_t start = now_ms(), took;

		turn(&t, 1);
		took = now_ms() - start;
		if (took > slowest)
			slowest = took;
	}
	assert_true(slowest < 500);
	while (now_ms() < end && !(reaped && terminal_is_idle(&t))) {
		struct pollfd p = { .fd = outer->master, .events = POLLIN };

		turn(&t, 1);
		if (poll(&p, 1, 0) == 1 && (p.revents & POLLIN)) {
			ssize_t n = read(outer->master, block, sizeof(block));

			assert_true(n > 0);
			total += (size_t)n;
		}
		if (!reaped && waitpid(pid, &status, WNOHANG) == pid) {
			reaped = true;
			terminal_payload_ended(&t);
		}
	}
	assert_true(reaped && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(terminal_is_idle(&t));
	terminal_end(&t);
	while (total < LARGE) {
		struct pollfd p = { .fd = outer->master, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, 1000) != 1)
			break;
		n = read(outer->master, block, sizeof(block));
		if (n <= 0)
			break;
		total += (size_t)n;
	}
	assert_int_equal(total, LARGE);
}

static void test_large_output_slow_reader(void **state)
{
	struct pair outer = open_pair();

	(void)state;
	check_large_output(outer.slave, outer.slave, &outer);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

/* An outer terminal that cannot be opened anew: its blocking description must not block us. */
static void test_large_output_blocking_description(void **state)
{
	struct pair outer;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	outer.master = sv[0];
	outer.slave = sv[1];
	check_large_output(-1, outer.slave, &outer);
	assert_int_equal(fcntl(outer.slave, F_GETFL) & O_NONBLOCK, 0);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

/* Piped input: what was sent arrives, then one end of file, also after an unfinished line. */
static void check_eof(const char *text)
{
	struct pair inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	size_t len = strlen(text), got;
	struct pollfd p = { .fd = inner.slave, .events = POLLIN };
	int64_t end = now_ms() + 2000;
	char buf[64];
	int in[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(terminal_begin(&t, inner.master, in[0], -1, NULL), 0);
	assert_int_equal(write(in[1], text, len), (ssize_t)len);
	close_fd(&in[1]);
	got = len ? relay_until(&t, inner.slave, buf, len) : 0;
	assert_int_equal(got, len);
	assert_memory_equal(buf, text, len);
	while (poll(&p, 1, 0) == 0 && now_ms() < end)
		turn(&t, 10);
	assert_int_equal(read(inner.slave, buf, sizeof(buf)), 0);
	/* once: nothing more comes */
	for (int i = 0; i < 5; i++)
		turn(&t, 2);
	assert_int_equal(poll(&p, 1, 0), 0);
	terminal_end(&t);
	close_fd(&inner.slave);
	close_fd(&in[0]);
}

static void test_eof(void **state)
{
	(void)state;
	check_eof("");
	check_eof("line\n");
	check_eof("no new line");
}

/* The payload closes its terminal and works on: no hang-up, and it may open it again. */
static void test_slave_closed_and_opened_again(void **state)
{
	struct pair outer = open_pair(), inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	char got[8];
	int again, turns;

	(void)state;
	assert_int_equal(terminal_begin(&t, inner.master, outer.slave, outer.slave, NULL), 0);
	close_fd(&inner.slave);
	for (turns = 0; turns < 5; turns++)
		turn(&t, 1);
	assert_false(terminal_is_idle(&t));
	assert_true(terminal_timeout(&t) > 0);
	again = ioctl(inner.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(again >= 0);
	assert_int_equal(write(again, "again", 5), 5);
	assert_int_equal(relay_until(&t, outer.master, got, 5), 5);
	close_fd(&again);
	terminal_payload_ended(&t);
	turn(&t, 10);
	assert_true(terminal_is_idle(&t));
	terminal_end(&t);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

static void test_outer_hang_up(void **state)
{
	struct pair outer = open_pair(), inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	char byte;

	(void)state;
	assert_int_equal(terminal_begin(&t, inner.master, outer.slave, outer.slave, NULL), 0);
	turn(&t, 1);
	assert_false(terminal_hung_up(&t));
	close_fd(&outer.master);
	turn(&t, 100);
	assert_true(terminal_hung_up(&t));
	assert_true(terminal_is_idle(&t));
	/* the payload's terminal is hung up too */
	assert_int_equal(read(inner.slave, &byte, 1), 0);
	terminal_end(&t);
	close_fd(&inner.slave);
	close_fd(&outer.slave);
}

/* Run in a session whose controlling terminal is the outer one. 0 when all held, else a line. */
static int background_session(struct pair *outer)
{
	struct pair inner = open_pair();
	struct terminal t = TERMINAL_INIT;
	struct pollfd fds[TERMINAL_POLLFDS];
	struct termios before;
	size_t i, n;
	pid_t pid;
	int status;

	if (setsid() < 0 || ioctl(outer->slave, TIOCSCTTY, 0) < 0)
		return __LINE__;
	if (tcgetattr(outer->slave, &before) < 0)
		return __LINE__;
	pid = fork();
	if (pid == 0) {
		/* a job in the background: cooked, no key taken, never stopped */
		if (setpgid(0, 0) < 0)
			_exit(1);
		if (terminal_begin(&t, inner.master, outer->slave, outer->slave, NULL) < 0)
			_exit(2);
		if (!same_modes(outer->slave, &before))
			_exit(3);
		n = terminal_pollfds(&t, fds, TERMINAL_POLLFDS);
		for (i = 0; i < n; i++) {
			if (fds[i].fd == t.in.fd)
				_exit(4);
		}
		if (terminal_timeout(&t) <= 0)
			_exit(5);
		/* brought to the foreground, without a word */
		(void)signal(SIGTTOU, SIG_IGN);
		if (tcsetpgrp(outer->slave, getpgrp()) < 0)
			_exit(6);
		(void)signal(SIGTTOU, SIG_DFL);
		if (terminal_handle(&t, NULL, 0) < 0 || !is_raw(outer->slave))
			_exit(7);
		/* and back: another has the terminal, its modes are left alone */
		(void)signal(SIGTTOU, SIG_IGN);
		if (tcsetpgrp(outer->slave, getppid()) < 0)
			_exit(8);
		(void)signal(SIGTTOU, SIG_DFL);
		terminal_end(&t);
		_exit(is_raw(outer->slave) ? 0 : 9);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid)
		return __LINE__;
	if (WIFSTOPPED(status)) {
		(void)kill(pid, SIGKILL);
		return __LINE__;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : __LINE__;
}

static void test_background_job(void **state)
{
	struct pair outer = open_pair();
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(background_session(&outer) & 0xff);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close_fd(&outer.slave);
	close_fd(&outer.master);
}

/* In a user namespace, on a devpts instance that is mounted nowhere. */
static int own_devpts(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };
	int status, fs, mnt, master, slave;
	char map[32];
	uid_t uid = geteuid();
	pid_t pid = sys_clone3(&args);

	if (pid < 0)
		return -1;
	if (pid == 0) {
		int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
		int n = snprintf(map, sizeof(map), "0 %u 1", uid);

		if (fd < 0 || write(fd, map, (size_t)n) != n)
			_exit(1);
		fs = sys_fsopen("devpts", FSOPEN_CLOEXEC);
		if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) < 0 ||
		    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
			_exit(2);
		mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
		if (mnt < 0)
			_exit(3);
		if (terminal_open_pair(mnt, &master, &slave, NULL) < 0)
			_exit(4);
		if (!(fcntl(master, F_GETFD) & fcntl(slave, F_GETFD) & FD_CLOEXEC))
			_exit(5);
		if (setsid() < 0 || terminal_make_controlling(slave, NULL) < 0)
			_exit(6);
		if (tcgetpgrp(slave) != getpid() || isatty(slave) != 1)
			_exit(7);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_pair_in_own_devpts(void **state)
{
	_cleanup_close_ int tmp = -1;
	struct err err = ERR_INIT;
	int master = -1, slave = -1;

	(void)state;
	assert_int_equal(own_devpts(), 0);
	/* a directory that is no devpts */
	tmp = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(terminal_open_pair(tmp, &master, &slave, &err), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_int_equal(master, -1);
	{
		struct terminal t = TERMINAL_INIT;

		assert_int_equal(terminal_begin(&t, tmp, -1, -1, &err), -ENOTTY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes_and_size),
		cmocka_unit_test(test_suspend_and_restore),
		cmocka_unit_test(test_bytes_both_ways),
		cmocka_unit_test(test_interrupt_key_reaches_payload),
		cmocka_unit_test(test_large_output_slow_reader),
		cmocka_unit_test(test_large_output_blocking_description),
		cmocka_unit_test(test_eof),
		cmocka_unit_test(test_slave_closed_and_opened_again),
		cmocka_unit_test(test_outer_hang_up),
		cmocka_unit_test(test_background_job),
		cmocka_unit_test(test_pair_in_own_devpts),
	};

	return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
