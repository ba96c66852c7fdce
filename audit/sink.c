// SPDX-License-Identifier: Apache-2.0
#include "audit/sink.h"

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

#include "audit/place.h"
#include "audit/render.h"
#include "base/fd.h"
#include "base/text.h"

/* --- opening ------------------------------------------------------------------------------- */

static int open_file(struct sink *sink, const char *path, char *block, struct err *err)
{
	char place[LIMIT_PATH];
	int r;

	if (!path) {
		r = place_default(place, sizeof(place), err);
		if (r == 0)
			r = place_make_parents(place, err);
		if (r < 0)
			return r;
		path = place;
	}
	if (path[0] == '\0')
		return err_set(err, -EINVAL, "use the audit sink 'file:': it names no file");
	(void)snprintf(sink->name, sizeof(sink->name), "file:%s", path);
	return chain_open(&sink->chain, path, block, err);
}

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

static int open_fd(struct sink *sink, const char *number, struct err *err)
{
	uint64_t fd;

	if (text_parse_u64(number, &fd) < 0 || fd > INT_MAX)
		return err_set(err, -EINVAL, "use 'fd:%.32s' as an audit sink: no number", number);
	sink->rest = malloc(LIMIT_LOG_LINE);
	if (!sink->rest)
		return err_set(err, -ENOMEM, "make an audit sink");
	return own_fd(sink, (int)fd, err);
}

int sink_open(struct sink *sink, const char *spec, char *block, struct err *err)
{
	*sink = (struct sink){
		.fd = -1,
		.chain = { .dir = -1, .log = -1, .head = -1, .block = block },
	};
	if (!spec)
		return open_file(sink, NULL, block, err);
	if (text_starts_with(spec, "file:"))
		return open_file(sink, spec + 5, block, err);
	(void)snprintf(sink->name, sizeof(sink->name), "%.64s", spec);
	if (text_starts_with(spec, "fd:")) {
		sink->kind = SINK_FD;
		return open_fd(sink, spec + 3, err);
	}
	if (strcmp(spec, "stderr") == 0) {
		sink->kind = SINK_STDERR;
		sink->terminal = isatty(STDERR_FILENO);
		/* https://no-color.org: present and not empty */
		sink->colour = sink->terminal && !(getenv("NO_COLOR") && getenv("NO_COLOR")[0]);
		return own_fd(sink, STDERR_FILENO, err);
	}
	err_set(err, -EINVAL, "use '%.64s' as an audit sink: no such kind", spec);
	return err_hint(err, "file:PATH, stderr or fd:N"), -EINVAL;
}

void sink_close(struct sink *sink)
{
	if (sink->kind == SINK_FILE)
		chain_close(&sink->chain);
	fd_closep(&sink->fd);
	free(sink->rest);
	sink->rest = NULL;
}

/* --- writing ------------------------------------------------------------------------------- */

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

static int put_rest(struct sink *sink)
{
	while (sink->rest_len > 0) {
		ssize_t n = put_some(sink, sink->rest, sink->rest_len);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		sink->rest_len -= (size_t)n;
		memmove(sink->rest, sink->rest + n, sink->rest_len);
	}
	return 0;
}

/* One line: either all of it is on its way, or nothing. */
static int put_line(struct sink *sink, const char *line, size_t len)
{
	ssize_t n;
	int r = put_rest(sink);

	if (r < 0)
		return r;
	do
		n = put_some(sink, line, len);
	while (n == -EINTR);
	if (n <= 0)
		return n < 0 ? (int)n : -EIO;
	memcpy(sink->rest, line + n, len - (size_t)n);
	sink->rest_len = len - (size_t)n;
	r = put_rest(sink);
	return r == -EAGAIN ? 0 : r;
}

static int put_record(struct sink *sink, const struct batch_entry *entry)
{
	struct chain_point at = sink->at;
	char line[LIMIT_LOG_LINE];
	size_t len = chain_line(&at, entry->body, entry->len, line, sizeof(line));
	int r;

	if (len == 0)
		return -EMSGSIZE;
	r = put_line(sink, line, len);
	if (r == 0)
		sink->at = at;
	return r;
}

static int put_person(struct sink *sink, const struct batch_entry *entry)
{
	char line[2048];
	size_t len;

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

static void lose(struct sink *sink, const struct batch_entry *entry, int why)
{
	sink->why = why;
	sink->lost_records++;
	sink->all_lost_records++;
	sink->lost_denials += entry->denials;
	sink->all_lost_denials += entry->denials;
}

static int write_entries(struct sink *sink, const struct batch *batch)
{
	struct batch_entry entry;
	size_t pos = 0;
	int ret = 0;

	while (batch_next(batch, &pos, &entry)) {
		int r = sink->kind == SINK_FD ? put_record(sink, &entry) : put_person(sink, &entry);

		if (r < 0) {
			lose(sink, &entry, r);
			ret = r;
		}
	}
	return ret;
}

static int write_chain(struct sink *sink, const struct batch *batch, const struct format_id *id,
		       unsigned wait_ms)
{
	struct batch_entry entry;
	size_t taken, pos = 0;
	int r;

	r = chain_write(&sink->chain, batch, id->sandbox, sink->contended ? 0 : wait_ms, &taken);
	sink->contended = r == -ETIMEDOUT;
	for (size_t i = 0; batch_next(batch, &pos, &entry); i++) {
		if (i >= taken)
			lose(sink, &entry, r);
	}
	return r;
}

static int write_batch(struct sink *sink, const struct batch *batch, const struct format_id *id,
		       unsigned wait_ms)
{
	if (sink->kind == SINK_FILE)
		return write_chain(sink, batch, id, wait_ms);
	return write_entries(sink, batch);
}

/* Tell of earlier losses, now that the sink may take records again. */
static void tell(struct sink *sink, const struct format_id *id, unsigned wait_ms)
{
	uint64_t records = sink->lost_records, denials = sink->lost_denials;
	char body[2048], data[2048 + 64];
	struct batch one = { .data = data, .cap = sizeof(data) };
	size_t n;

	n = format_lost(body, sizeof(body), id, sink->name, records, denials, sink->why);
	if (n == 0 || !batch_add(&one, body, n, 0))
		return;
	sink->lost_records = sink->lost_denials = 0;
	if (write_batch(sink, &one, id, wait_ms) < 0) {
		/* The telling is no loss of its own. */
		sink->lost_records = records;
		sink->lost_denials = denials;
		sink->all_lost_records--;
	}
}

int sink_write(struct sink *sink, const struct batch *batch, const struct format_id *id,
	       unsigned wait_ms)
{
	int r;

	if (wait_ms >= SINK_WAIT_END_MS)
		sink->contended = false;
	if (sink->lost_records > 0)
		tell(sink, id, wait_ms);
	r = write_batch(sink, batch, id, wait_ms);
	return r;
}
