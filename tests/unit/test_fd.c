// SPDX-License-Identifier: Apache-2.0
/* Whole reads and writes, whatever the descriptor is; blocks that grow. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

/* Under AddressSanitizer too, malloc of what cannot be had shall fail and not end the test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static char dir[64];
static int dir_fd = -1;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.32s/test_fd.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "file", "fifo", "link", "socket", "empty" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(dir_fd, names[i], 0);
	fd_closep(&dir_fd);
	return rmdir(dir);
}

static void make_file(const char *name, const void *bytes, size_t len)
{
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
}

static void expect_refused(const char *path, size_t max, int code)
{
	char *buf = (char *)1;
	size_t len = 77;
	int r = fd_read_file_at(dir_fd, path, max, &buf, &len);

	if (r != code)
		fail_msg("'%s' (%zu): %d, not %d", path, max, r, code);
	assert_ptr_equal(buf, (char *)1);
	assert_int_equal(len, 77);
}

static void expect_read(const char *path, size_t max, const void *bytes, size_t n)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 77;

	assert_int_equal(fd_read_file_at(dir_fd, path, max, &buf, &len), 0);
	assert_int_equal(len, n);
	assert_memory_equal(buf, bytes, n);
	assert_int_equal(buf[n], '\0');
}

static void test_read_bounds(void **state)
{
	(void)state;
	make_file("file", "a\0bcd", 5);
	make_file("empty", "", 0);
	expect_read("file", 6, "a\0bcd", 5);
	expect_read("file", 5, "a\0bcd", 5);
	expect_refused("file", 4, -EFBIG);
	expect_refused("file", 0, -EFBIG);
	expect_read("file", SIZE_MAX, "a\0bcd", 5);
	expect_read("empty", 0, "", 0);
	expect_read("empty", 9, "", 0);
}

/* Nothing here may block or be taken for a file. */
static void test_read_what_is_no_file(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int path_only = -1;
	int pipe_fds[2];
	char *buf = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("file", dir_fd, "link"), 0);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", dir);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);

	expect_refused("fifo", 100, -EINVAL);
	expect_refused(".", 100, -EINVAL);
	expect_refused("/dev/zero", 100, -EINVAL);
	expect_refused("/dev/null", 100, -EINVAL);
	expect_refused("socket", 100, -ENXIO);
	expect_refused("link", 100, -ELOOP);
	expect_refused("no such", 100, -ENOENT);
	expect_refused("file/x", 100, -ENOTDIR);
	/* procfs says 0 bytes and gives more: a growing file. */
	expect_refused("/proc/self/status", 1 << 20, -EFBIG);
	expect_read("file", 100, "a\0bcd", 5);

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(fd_read_all(pipe_fds[0], 100, &buf, &len), -EINVAL);
	fd_closep(&pipe_fds[0]);
	fd_closep(&pipe_fds[1]);
	assert_int_equal(fd_read_all(-1, 100, &buf, &len), -EBADF);
	path_only = openat(dir_fd, "file", O_PATH | O_CLOEXEC);
	assert_int_equal(fd_read_all(path_only, 100, &buf, &len), -EBADF);
	assert_null(buf);
}

struct grower {
	int fd;
	atomic_bool stop;
};

/* Append and cut back, as fast as can be. */
static void *grow(void *arg)
{
	struct grower *g = arg;

	for (unsigned i = 0; !g->stop; i++) {
		if (write(g->fd, "0123456789abcdef", 16) != 16 || i % 64 == 63) {
			if (ftruncate(g->fd, 0) < 0 || lseek(g->fd, 0, SEEK_SET) < 0)
				return g;
		}
	}
	return NULL;
}

/* A file that changes while it is read gives at most the bound, or an error, and never more. */
static void test_growing(void **state)
{
	struct grower g = { .fd = openat(dir_fd, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
					 0600) };
	unsigned whole = 0, refused = 0;
	void *failed = NULL;
	pthread_t thread;

	(void)state;
	assert_true(g.fd >= 0);
	assert_int_equal(pthread_create(&thread, NULL, grow, &g), 0);
	for (int i = 0; i < 20000; i++) {
		_cleanup_free_ char *buf = NULL;
		size_t len = 0;
		int r = fd_read_file_at(dir_fd, "file", 512, &buf, &len);

		if (r == 0) {
			whole++;
			assert_true(len <= 512);
			assert_int_equal(buf[len], '\0');
		} else {
			refused++;
			assert_int_equal(r, -EFBIG);
			assert_null(buf);
		}
	}
	g.stop = true;
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	fd_closep(&g.fd);
	assert_true(whole > 0);
	assert_true(refused > 0);
}

/* The same without luck: 3 bytes as stat says, 4 to be read. */
static void test_grown_by_one(void **state)
{
	_cleanup_close_ int fd = -1;
	char *buf = NULL;
	size_t len = 0;

	(void)state;
	/* /proc/self/stat is a regular file of 0 bytes that gives more */
	fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, 1 << 16, &buf, &len), -EFBIG);
	assert_null(buf);
	/* and a file read up to its middle is shorter than stat says, which is no error */
	make_file("file", "abcdef", 6);
	fd_closep(&fd);
	fd = openat(dir_fd, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	assert_int_equal(fd_read_all(fd, 6, &buf, &len), 0);
	assert_int_equal(len, 2);
	assert_string_equal(buf, "ef");
	free(buf);
}

static void test_virtual(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	size_t before;

	(void)state;
	assert_int_equal(buf_puts(&out, "head:"), 0);
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/proc/self/status", 1 << 16, &out), 0);
	assert_memory_equal(out.data, "head:Name:", 10);
	before = out.len;
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/proc/self/status", 10, &out), -EFBIG);
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/dev/zero", 100000, &out), -EFBIG);
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/proc/self/none", 10, &out), -ENOENT);
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/proc", 10, &out), -EISDIR);
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/proc/self/exe", 10, &out), -ELOOP);
	assert_int_equal(out.len, before);
	assert_int_equal(out.data[before], '\0');
	/* the bound itself is allowed, one less is not */
	make_file("file", "12345", 5);
	assert_int_equal(fd_read_virtual_at(dir_fd, "file", 4, &out), -EFBIG);
	assert_int_equal(out.len, before);
	assert_int_equal(fd_read_virtual_at(dir_fd, "file", 5, &out), 0);
	assert_int_equal(out.len, before + 5);
	buf_done(&out);
	assert_int_equal(fd_read_virtual_at(dir_fd, "file", 4, &out), -EFBIG);
	assert_int_equal(out.len, 0);
	/* an empty one leaves a string too */
	assert_int_equal(fd_read_virtual_at(AT_FDCWD, "/dev/null", 4, &out), 0);
	assert_string_equal(out.data, "");
}

static void on_alarm(int sig)
{
	(void)sig;
}

struct reader {
	int fd;
	unsigned long long sum;
	size_t n;
};

static void *drain(void *arg)
{
	struct reader *r = arg;
	unsigned char part[700];

	for (;;) {
		ssize_t n = read(r->fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		for (ssize_t i = 0; i < n; i++)
			r->sum = r->sum * 31 + part[i];
		r->n += (size_t)n;
		(void)poll(NULL, 0, 1);
	}
}

/* A pipe of one page, a slow reader, and a signal every half millisecond: each write is short. */
static void test_write_all(void **state)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction act = { .sa_handler = on_alarm }, old;
	enum { SIZE = 300000 };
	_cleanup_free_ unsigned char *text = malloc(SIZE);
	unsigned long long sum = 0;
	struct reader r = { .fd = -1 };
	pthread_t thread;
	sigset_t set;
	int p[2];

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < SIZE; i++) {
		text[i] = (unsigned char)(i * 13 + i / 251);
		sum = sum * 31 + text[i];
	}
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_true(fcntl(p[1], F_SETPIPE_SZ, 4096) >= 4096);
	r.fd = p[0];
	/* the reader's thread does not take the signal */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(pthread_create(&thread, NULL, drain, &r), 0);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	(void)sigaction(SIGALRM, &act, &old);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(fd_write_all(p[1], text, SIZE), 0);
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigaction(SIGALRM, &old, NULL);
	fd_closep(&p[1]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	fd_closep(&p[0]);
	assert_int_equal(r.n, SIZE);
	assert_true(r.sum == sum);
}

static void test_write_fails(void **state)
{
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int p[2];

	(void)state;
	assert_int_equal(fd_write_all(full, "x", 1), -ENOSPC);
	assert_int_equal(fd_write_all(full, "x", 0), 0);
	assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(fd_write_all(dir_fd, "x", 1), -EBADF);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	fd_closep(&p[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(fd_write_all(p[1], "x", 1), -EPIPE);
	(void)signal(SIGPIPE, SIG_DFL);
	fd_closep(&p[1]);
}

static void test_owners(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), taken, closed = -1;
	char block[4], *p = block, *q;

	(void)state;
	assert_true(fd >= 0);
	taken = fd;
	{
		_cleanup_close_ int mine = fd;

		assert_int_equal(TAKE_FD(mine), taken);
		assert_int_equal(mine, -1);
	}
	assert_true(fcntl(taken, F_GETFD) >= 0);
	{
		_cleanup_close_ int mine = fd;

		errno = EXDEV;
		(void)mine;
	}
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fcntl(taken, F_GETFD), -1);
	fd_closep(&closed);
	/* closing fails, errno stays what it was for the caller's message */
	errno = EXDEV;
	fd_closep(&taken);
	assert_int_equal(taken, -1);
	assert_int_equal(errno, EXDEV);
	q = TAKE_PTR(p);
	assert_ptr_equal(q, block);
	assert_null(p);
}

static void test_buf(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_INIT, big = BUF_INIT;
	_cleanup_free_ char *want = malloc(100001);

	(void)state;
	assert_non_null(want);
	assert_int_equal(buf_put(&buf, "", 0), 0);
	assert_string_equal(buf.data, "");
	for (size_t i = 0; i < 100000; i++) {
		want[i] = (char)('a' + i % 26);
		assert_int_equal(buf_put(&buf, want + i, 1), 0);
		assert_int_equal(buf.data[buf.len], '\0');
		assert_true(buf.len < buf.cap);
	}
	assert_int_equal(buf.len, 100000);
	assert_memory_equal(buf.data, want, 100000);
	assert_int_equal(buf_put(&big, want, 100000), 0); /* in one */
	assert_memory_equal(big.data, want, 100000);
	buf_done(&big);
	assert_null(big.data);
	assert_int_equal(big.len + big.cap, 0);
	buf_done(&big); /* twice is fine */

	want[300] = '\0';
	for (size_t n = 0; n <= 300; n++) { /* across the first block's end */
		buf_done(&big);
		assert_int_equal(buf_printf(&big, "%d:%.*s|", 7, (int)n, want), 0);
		assert_int_equal(big.len, n + 3);
		assert_memory_equal(big.data + 2, want, n);
		assert_string_equal(big.data + 2 + n, "|");
	}
	assert_int_equal(buf_puts(&big, "x"), 0);
	assert_string_equal(big.data + big.len - 2, "|x");
}

/* Out of memory is an error, and what was there is still there. */
static void test_buf_out_of_memory(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	(void)state;
	assert_int_equal(buf_puts(&buf, "kept"), 0);
	assert_int_equal(buf_put(&buf, "x", SIZE_MAX), -ENOMEM);
	assert_int_equal(buf_put(&buf, "x", SIZE_MAX - 4), -ENOMEM);
	assert_int_equal(buf_put(&buf, "x", SIZE_MAX - 5), -ENOMEM);
	assert_int_equal(buf_put(&buf, "x", SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(buf_put(&buf, "x", SIZE_MAX / 4), -ENOMEM);
	assert_string_equal(buf.data, "kept");
	assert_int_equal(buf.len, 4);
	assert_int_equal(buf_puts(&buf, "!"), 0);
	assert_string_equal(buf.data, "kept!");
}

/* Parts of a whole: tests/unit/test_chain.c, and of a launch: tests/faults. */
static void test_at_an_offset(void **state)
{
	int fd = openat(dir_fd, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	char bytes[16] = "";

	(void)state;
	assert_true(fd >= 0 && full >= 0);
	assert_int_equal(fd_write_at(fd, "0123456789", 10, 0), 0);
	assert_int_equal(fd_write_at(fd, "ab", 2, 3), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(fd_read_at(fd, bytes, 4, 2), 4);
	assert_memory_equal(bytes, "2ab5", 4);
	assert_int_equal(fd_read_at(fd, bytes, sizeof(bytes), 7), 3);
	assert_memory_equal(bytes, "789", 3);
	assert_int_equal(fd_read_at(fd, bytes, sizeof(bytes), 10), 0);
	assert_int_equal(fd_read_at(-1, bytes, sizeof(bytes), 0), -EBADF);
	assert_int_equal(fd_write_at(full, bytes, sizeof(bytes), 0), -ENOSPC);
	fd_closep(&full);
	fd_closep(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_bounds),
		cmocka_unit_test(test_read_what_is_no_file),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_grown_by_one),
		cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_write_all),
		cmocka_unit_test(test_at_an_offset),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_out_of_memory),
	};

	return cmocka_run_group_tests_name("fd", tests, setup, teardown);
}
