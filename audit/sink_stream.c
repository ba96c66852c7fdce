// SPDX-License-Identifier: Apache-2.0
/* Sinks on a descriptor that somebody else opened: fd:N for programs, stderr for people. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/render.h"
#include "audit/sink.h"
#include "base/fd.h"
#include "base/text.h"

/*
 * A descriptor of our own that does not block. O_NONBLOCK belongs to the open file, which the
 * caller shares: pipes and terminals are opened anew, sockets take a flag with each call, and
 * what allows neither is asked by poll(2) before each write.
 */
static int own_fd(struct sink *sink, int fd, struct err *err)
{
	char path[32];
	struct stat st;
	int type;
	socklen_t len = sizeof(type);

	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "use descriptor %d as an audit sink", fd);
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) {
		err_set(err, -EBADF, "use descriptor %d as an audit sink: it is open for reading",
			fd);
		return -EBADF;
	}
	sink->socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
	if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		sink->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		sink->own_description = sink->fd >= 0;
	}
	if (sink->fd < 0)
		sink->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (sink->fd < 0)
		return err_set(err, -errno, "duplicate descriptor %d for an audit sink", fd);
	return 0;
}

static int open_fd(struct sink *sink, const char *number, char *block, struct err *err)
{
	uint64_t fd;

	(void)block;
	number = number ? number : "";
	(void)snprintf(sink->name, sizeof(sink->name), "fd:%.32s", number);
	if (text_parse_u64(number, &fd) < 0 || fd > INT_MAX)
		return err_set(err, -EINVAL, "use 'fd:%.32s' as an audit sink: no number", number);
	sink->rest = malloc(LIMIT_LOG_LINE);
	if (!sink->rest)
		return err_set(err, -ENOMEM, "make an audit sink");
	return own_fd(sink, (int)fd, err);
}

static int open_stderr(struct sink *sink, const char *argument, char *block, struct err *err)
{
	const char *no_colour = getenv("NO_COLOR");

	(void)block;
	if (argument)
		return err_set(err, -EINVAL,
			       "use 'stderr:%.32s' as an audit sink: stderr takes nothing",
			       argument);
	(void)snprintf(sink->name, sizeof(sink->name), "stderr");
	sink->terminal = isatty(STDERR_FILENO);
	/* https://no-color.org: present and not empty */
	sink->colour = sink->terminal && !(no_colour && no_colour[0]);
	return own_fd(sink, STDERR_FILENO, err);
}

static void close_stream(struct sink *sink)
{
	fd_closep(&sink->fd);
	free(sink->rest);
	sink->rest = NULL;
}

/* Bytes taken, or -errno; never waits. SIGPIPE: sockets are told not to send it, for the rest
 * the process ignores it. */
static ssize_t put_some(struct sink *sink, const char *p, size_t len)
{
	ssize_t n;

	if (sink->socket) {
		n = send(sink->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	if (!sink->own_description) {
		struct pollfd ready = { .fd = sink->fd, .events = POLLOUT };

		if (poll(&ready, 1, 0) <= 0 || !(ready.revents & (POLLOUT | POLLERR)))
			return -EAGAIN;
		/* A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)). */
		if (len > PIPE_BUF)
			len = PIPE_BUF;
	}
	n = write(sink->fd, p, len);
	return n < 0 ? -errno : n;
}

static int put_rest(struct sink *sink, unsigned *wait_ms)
{
	while (sink->rest_len > 0) {
		ssize_t n = put_some(sink, sink->rest, sink->rest_len);

		if (n == -EINTR || (n == -EAGAIN && sink_wait(sink->fd, wait_ms)))
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		sink->rest_len -= (size_t)n;
		memmove(sink->rest, sink->rest + n, sink->rest_len);
	}
	return 0;
}

/* One line: either all of it is on its way, or nothing. */
static int put_line(struct sink *sink, const char *line, size_t len, unsigned *wait_ms)
{
	ssize_t n;
	int r = put_rest(sink, wait_ms);

	if (r < 0)
		return r;
	do
		n = put_some(sink, line, len);
	while (n == -EINTR || (n == -EAGAIN && sink_wait(sink->fd, wait_ms)));
	if (n <= 0)
		return n < 0 ? (int)n : -EIO;
	memcpy(sink->rest, line + n, len - (size_t)n);
	sink->rest_len = len - (size_t)n;
	r = put_rest(sink, wait_ms);
	return r == -EAGAIN ? 0 : r;
}

static int put_record(struct sink *sink, const struct batch_entry *entry, unsigned *wait_ms)
{
	struct chain_point at = sink->at;
	char line[LIMIT_LOG_LINE];
	size_t len = chain_line(&at, entry->body, entry->len, line, sizeof(line));
	int r;

	if (len == 0)
		return -EMSGSIZE;
	r = put_line(sink, line, len, wait_ms);
	if (r == 0)
		sink->at = at;
	return r;
}

static int put_person(struct sink *sink, const struct batch_entry *entry, unsigned *wait_ms)
{
	char line[2048];
	size_t len;

	(void)wait_ms;
	/* Room for the end that a terminal in raw mode needs (cordon shell). */
	len = render_line(entry->body, entry->len, sink->colour, line, sizeof(line) - 2);
	if (len == 0)
		return 0; /* nothing that a person watching wants to be told */
	if (sink->terminal)
		line[len++] = '\r';
	line[len++] = '\n';
	for (size_t done = 0; done < len;) {
		ssize_t n = put_some(sink, line + done, len - done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		done += (size_t)n;
	}
	return 0;
}

const struct sink_kind sink_fd = {
	.name = "fd", .open = open_fd, .put = put_record, .close = close_stream
};
const struct sink_kind sink_stderr = {
	.name = "stderr", .open = open_stderr, .put = put_person, .close = close_stream
};
