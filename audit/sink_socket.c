// SPDX-License-Identifier: Apache-2.0
/*
 * Sinks that are a datagram socket of the machine's: journald's native protocol, so that
 * `journalctl CORDON_SANDBOX=...` finds a sandbox, and syslog as RFC 5424 has it. Each record is
 * one datagram, with a chain of the sink's own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "audit/render.h"
#include "audit/scan.h"
#include "audit/sink.h"
#include "base/fd.h"

/* Severities of syslog(3). */
enum { NOTICE_WARNING = 4, NOTICE_INFO = 6 };
enum { FACILITY_USER = 1 };

/* A record's line, the fields beside it, and the frames of the protocol. */
enum { DATAGRAM_MAX = LIMIT_LOG_LINE + 8192 };

struct datagram {
	char bytes[DATAGRAM_MAX];
	size_t len;
	bool full;
};

static void add(struct datagram *d, const void *bytes, size_t len)
{
	if (d->full || sizeof(d->bytes) - d->len < len) {
		d->full = true;
		return;
	}
	memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
}

static void add_text(struct datagram *d, const char *text)
{
	add(d, text, strlen(text));
}

/* --- the socket ---------------------------------------------------------------------------- */

/* Where the sink's name has the path: behind the colon. */
static const char *socket_path(const struct sink *sink)
{
	return strchr(sink->name, ':') + 1;
}

/* A receiver that is started anew has a new socket at the old place: so connect(2) is done again
 * when one is gone. */
static int connect_again(struct sink *sink)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = socket_path(sink);

	memcpy(to.sun_path, path, strlen(path) + 1);
	return connect(sink->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static int open_socket(struct sink *sink, const char *path, struct err *err)
{
	int r;

	if (path[0] != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(err, -EINVAL, "use '%s' as an audit sink: a socket's absolute path",
			       sink->name);
	sink->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink->fd < 0)
		return err_set(err, -errno, "make a socket for the audit sink '%s'", sink->name);
	r = connect_again(sink);
	if (r < 0) {
		err_set(err, r, "reach the audit sink '%s'", sink->name);
		return err_hint(err, "nobody listens there; give another log: --audit file:PATH"),
		       r;
	}
	return 0;
}

static void close_socket(struct sink *sink)
{
	fd_closep(&sink->fd);
}

static int send_datagram(struct sink *sink, const struct datagram *d, unsigned *wait_ms)
{
	bool connected_anew = false;

	if (d->full)
		return -EMSGSIZE;
	for (;;) {
		int r = send(sink->fd, d->bytes, d->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno
											  : 0;

		/* A full queue (net.unix.max_dgram_qlen) empties while its reader lives. */
		if (r == -EINTR || (r == -EAGAIN && sink_wait(sink->fd, wait_ms)))
			continue;
		if ((r != -ECONNREFUSED && r != -ENOTCONN && r != -ECONNRESET) || connected_anew)
			return r;
		connected_anew = true;
		r = connect_again(sink);
		if (r < 0)
			return r;
	}
}

/* --- what a record says -------------------------------------------------------------------- */

static unsigned severity(const struct scan *type)
{
	return scan_is(type, "open") || scan_is(type, "close") ? NOTICE_INFO : NOTICE_WARNING;
}

/* --- journald ------------------------------------------------------------------------------ */

static int open_journal(struct sink *sink, const char *path, char *block, struct err *err)
{
	(void)block;
	(void)snprintf(sink->name, sizeof(sink->name), "journal:%s",
		       path ? path : "/run/systemd/journal/socket");
	return open_socket(sink, socket_path(sink), err);
}

/* NAME, newline, length in 64 bits little-endian, bytes, newline: holds any byte
 * (systemd's "Native Journal Protocol"). */
static void add_field(struct datagram *d, const char *name, const char *value, size_t len)
{
	uint8_t size[8];

	for (unsigned i = 0; i < sizeof(size); i++)
		size[i] = (uint8_t)((uint64_t)len >> 8 * i);
	add_text(d, name);
	add_text(d, "\n");
	add(d, size, sizeof(size));
	add(d, value, len);
	add_text(d, "\n");
}

/* Members of a record that are fields to search by. */
static const struct {
	const char *member, *field;
} fields[] = {
	{ "type", "CORDON_TYPE" }, { "sandbox", "CORDON_SANDBOX" }, { "policy", "CORDON_POLICY" },
	{ "rule", "CORDON_RULE" }, { "comm", "CORDON_COMM" },	    { "exe", "CORDON_EXE" },
};

static int put_journal(struct sink *sink, const struct batch_entry *entry, unsigned *wait_ms)
{
	struct chain_point at = sink->at;
	char line[LIMIT_LOG_LINE], text[2048];
	struct datagram d = { .len = 0 };
	struct scan record, type, call;
	struct render message;
	size_t len = chain_line(&at, entry->body, entry->len, line, sizeof(line));
	int r;

	if (len == 0 || scan_text(entry->body, entry->len, &record) < 0 ||
	    !scan_get(&record, "type", &type))
		return -EMSGSIZE;
	render_init(&message, text, sizeof(text));
	render_record(&message, &record, false);
	add_field(&d, "MESSAGE", text, message.len);
	add_text(&d, severity(&type) == NOTICE_INFO ? "PRIORITY=6\n" : "PRIORITY=4\n");
	add_text(&d, "SYSLOG_IDENTIFIER=cordon\n");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (scan_get_string(&record, fields[i].member, text, sizeof(text)))
			add_field(&d, fields[i].field, text, strlen(text));
	}
	if (scan_get(&record, "syscall", &call) &&
	    scan_get_string(&call, "name", text, sizeof(text)))
		add_field(&d, "CORDON_SYSCALL", text, strlen(text));
	add_field(&d, "CORDON_RECORD", line, len - 1);
	r = send_datagram(sink, &d, wait_ms);
	if (r == 0)
		sink->at = at;
	return r;
}

const struct sink_kind sink_journal = {
	.name = "journal", .open = open_journal, .put = put_journal, .close = close_socket
};

/* --- syslog -------------------------------------------------------------------------------- */

static int open_syslog(struct sink *sink, const char *path, char *block, struct err *err)
{
	(void)block;
	(void)snprintf(sink->name, sizeof(sink->name), "syslog:%s", path ? path : "/dev/log");
	return open_socket(sink, socket_path(sink), err);
}

/* A header's field is printable ASCII without blanks (RFC 5424, section 6). */
static void add_header_word(struct datagram *d, const char *word)
{
	size_t begin = d->len;

	for (; *word; word++) {
		if (*word > ' ' && *word < 0x7f)
			add(d, word, 1);
	}
	if (d->len == begin)
		add_text(d, "-");
}

/* At most six digits behind the second (RFC 5424, section 6.2.3); records have nine. */
static void add_time(struct datagram *d, const struct scan *record)
{
	char time[64];
	char *dot;

	if (!scan_get_string(record, "time", time, sizeof(time))) {
		add_text(d, "-");
		return;
	}
	dot = strchr(time, '.');
	if (dot && strlen(dot) > 7)
		memmove(dot + 7, "Z", 2);
	add_header_word(d, time);
}

/* "<PRI>1 TIME HOST cordon PID TYPE - RECORD": the message is the record itself. */
static int put_syslog(struct sink *sink, const struct batch_entry *entry, unsigned *wait_ms)
{
	struct chain_point at = sink->at;
	char line[LIMIT_LOG_LINE], word[64];
	struct datagram d = { .len = 0 };
	struct scan record, type;
	struct utsname host;
	size_t len = chain_line(&at, entry->body, entry->len, line, sizeof(line));
	int r;

	if (len == 0 || scan_text(entry->body, entry->len, &record) < 0 ||
	    !scan_get(&record, "type", &type))
		return -EMSGSIZE;
	(void)snprintf(word, sizeof(word), "<%u>1 ", FACILITY_USER * 8 + severity(&type));
	add_text(&d, word);
	add_time(&d, &record);
	add_text(&d, " ");
	add_header_word(&d, uname(&host) == 0 ? host.nodename : "");
	(void)snprintf(word, sizeof(word), " cordon %d ", getpid());
	add_text(&d, word);
	(void)scan_string(&type, word, sizeof(word));
	add_header_word(&d, word);
	add_text(&d, " - ");
	add(&d, line, len - 1);
	r = send_datagram(sink, &d, wait_ms);
	if (r == 0)
		sink->at = at;
	return r;
}

const struct sink_kind sink_syslog = {
	.name = "syslog", .open = open_syslog, .put = put_syslog, .close = close_socket
};
