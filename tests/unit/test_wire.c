// SPDX-License-Identifier: Apache-2.0
/* The wire: what arrives is what was sent, and no descriptor stays behind whatever arrives. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/wire.h"

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

/* Any bytes with any number of descriptors, as no honest sender would. */
static void send_raw(int wire, const void *bytes, size_t len, int fd, size_t n_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(16 * sizeof(int))];
	} control = { .space = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	assert_true(n_fds <= 16);
	if (n_fds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (size_t i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(wire, &msg, MSG_NOSIGNAL), (ssize_t)len);
}

static void test_pair(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(wire_pair(pair), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(pair[i], F_GETFD), FD_CLOEXEC);
		fd_closep(&pair[i]);
	}
}

static void test_kinds(void **state)
{
	static const enum wire_kind kinds[] = { WIRE_PTY, WIRE_RUNNING };
	int pair[2], got;

	(void)state;
	assert_int_equal(wire_pair(pair), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		got = -1;
		assert_int_equal(wire_send(pair[1], kinds[i], -1), 0);
		assert_int_equal(wire_receive(pair[0], &got), (int)kinds[i]);
		assert_int_equal(got, -1);
	}
	/* Packets keep their bounds and their order. */
	assert_int_equal(wire_send(pair[1], WIRE_PTY, -1), 0);
	assert_int_equal(wire_send(pair[1], WIRE_RUNNING, -1), 0);
	assert_int_equal(wire_receive(pair[0], &got), WIRE_PTY);
	assert_int_equal(wire_receive(pair[0], &got), WIRE_RUNNING);
	fd_closep(&pair[0]);
	fd_closep(&pair[1]);
}

static void test_descriptor(void **state)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stat a, b;
	int pair[2], got = -1, before;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(wire_pair(pair), 0);
	before = count_fds();
	assert_int_equal(wire_send(pair[1], WIRE_RUNNING, fd), 0);
	assert_int_equal(wire_receive(pair[0], &got), WIRE_RUNNING);
	assert_true(got >= 0);
	assert_int_equal(count_fds(), before + 1);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(got, &b), 0);
	assert_int_equal(a.st_rdev, b.st_rdev);
	fd_closep(&got);
	fd_closep(&pair[0]);
	fd_closep(&pair[1]);
}

static void test_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, n_fds;
	} bad[] = {
		{ "P", 1, 2 },	{ "P", 1, 3 },	{ "R", 1, 2 },	{ "R", 1, 16 }, { "X", 1, 0 },
		{ "X", 1, 1 },	{ "\0", 1, 0 }, { "\0", 1, 1 }, { "r", 1, 1 },	{ "\xff", 1, 1 },
		{ "PP", 2, 0 }, { "PP", 2, 1 }, { "RR", 2, 2 },
	};
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int pair[2], before;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(wire_pair(pair), 0);
	before = count_fds();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int got = -7;

		send_raw(pair[1], bad[i].bytes, bad[i].len, fd, bad[i].n_fds);
		if (wire_receive(pair[0], &got) != -EPROTO)
			fail_msg("packet %zu was taken", i);
		assert_int_equal(got, -7);
		if (count_fds() != before)
			fail_msg("packet %zu left %d descriptors behind", i, count_fds() - before);
	}
	/* The wire is still good. */
	assert_int_equal(wire_send(pair[1], WIRE_PTY, fd), 0);
	assert_int_equal(wire_receive(pair[0], &before), WIRE_PTY);
	fd_closep(&before);
	fd_closep(&pair[0]);
	fd_closep(&pair[1]);
}

static void test_end(void **state)
{
	int pair[2], got = -7;

	(void)state;
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(wire_send(pair[1], WIRE_PTY, -1), 0);
	fd_closep(&pair[1]);
	assert_int_equal(wire_receive(pair[0], &got), WIRE_PTY); /* what was sent still comes */
	got = -7;
	assert_int_equal(wire_receive(pair[0], &got), 0);
	assert_int_equal(got, -7);
	/* No SIGPIPE: the test would end here. */
	assert_int_equal(wire_send(pair[0], WIRE_PTY, -1), -EPIPE);
	assert_int_equal(wire_consent(pair[0]), -EPIPE);
	fd_closep(&pair[0]);
	assert_int_equal(wire_receive(-1, &got), -EBADF);
	assert_int_equal(wire_send(-1, WIRE_PTY, -1), -EBADF);
}

/* A consent that was said twice is left over when pid 1 lets go of the wire. */
static void test_end_with_a_word_unread(void **state)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int pair[2], got = -7;

	(void)state;
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(wire_consent(pair[0]), 0);
	assert_int_equal(wire_consent(pair[0]), 0);
	assert_int_equal(wire_wait_consent(pair[1]), 0);
	assert_int_equal(wire_send(pair[1], WIRE_RUNNING, fd), 0);
	fd_closep(&pair[1]);
	assert_int_equal(wire_receive(pair[0], &got), WIRE_RUNNING);
	assert_true(got >= 0);
	fd_closep(&got);
	assert_int_equal(wire_receive(pair[0], &got), 0);
	fd_closep(&pair[0]);
}

static void test_bad_descriptor_is_not_sent(void **state)
{
	int pair[2], got = -7;

	(void)state;
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(wire_send(pair[1], WIRE_PTY, 1 << 20), -EBADF);
	fd_closep(&pair[1]);
	assert_int_equal(wire_receive(pair[0], &got), 0);
	fd_closep(&pair[0]);
}

static void test_consent(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(wire_pair(pair), 0);
	assert_int_equal(wire_consent(pair[0]), 0);
	assert_int_equal(wire_wait_consent(pair[1]), 0);
	send_raw(pair[0], "n", 1, -1, 0);
	assert_int_equal(wire_wait_consent(pair[1]), -ECANCELED);
	fd_closep(&pair[0]);
	assert_int_equal(wire_wait_consent(pair[1]), -ECANCELED);
	fd_closep(&pair[1]);
	assert_int_equal(wire_wait_consent(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_with_a_word_unread),
		cmocka_unit_test(test_bad_descriptor_is_not_sent),
		cmocka_unit_test(test_consent),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
