// SPDX-License-Identifier: Apache-2.0
#include "audit/sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "audit/place.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"

/* --- the log file -------------------------------------------------------------------------- */

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

static void close_file(struct sink *sink)
{
	chain_close(&sink->chain);
}

/* A file takes whole batches: write_chain(). */
const struct sink_kind sink_file = { .name = "file", .open = open_file, .close = close_file };

/* --- any sink ------------------------------------------------------------------------------ */

static const struct sink_kind *const kinds[] = {
	&sink_file, &sink_stderr, &sink_fd, &sink_journal, &sink_syslog,
};

int sink_open(struct sink *sink, const char *spec, char *block, struct err *err)
{
	*sink = (struct sink){
		.kind = &sink_file,
		.fd = -1,
		.chain = { .dir = -1, .log = -1, .head = -1, .block = block, .seal = { .fd = -1 } },
	};
	if (!spec)
		return open_file(sink, NULL, block, err);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i]->name);

		if (strncmp(spec, kinds[i]->name, len) != 0 ||
		    (spec[len] != '\0' && spec[len] != ':'))
			continue;
		if (kinds[i] == &sink_file && spec[len] == '\0')
			break;
		sink->kind = kinds[i];
		return sink->kind->open(sink, spec[len] == ':' ? spec + len + 1 : NULL, block, err);
	}
	err_set(err, -EINVAL, "use '%.64s' as an audit sink: no such kind", spec);
	return err_hint(err, "file:PATH, stderr, fd:N, journal or syslog"), -EINVAL;
}

void sink_close(struct sink *sink)
{
	if (sink->kind)
		sink->kind->close(sink);
}

bool sink_wait(int fd, unsigned *wait_ms)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	uint64_t from, taken;
	int n;

	if (*wait_ms == 0)
		return false;
	from = clock_ns();
	n = poll(&room, 1, (int)*wait_ms);
	taken = (clock_ns() - from) / 1000000;
	*wait_ms -= taken < *wait_ms ? (unsigned)taken : *wait_ms;
	return n > 0;
}

static void lose(struct sink *sink, const struct batch_entry *entry, int why)
{
	if (sink->lost_records == 0)
		sink->why = why;
	sink->lost_records++;
	sink->all_lost_records++;
	sink->lost_denials += entry->denials;
	sink->all_lost_denials += entry->denials;
}

static int write_entries(struct sink *sink, const struct batch *batch, unsigned wait_ms)
{
	unsigned left = sink->contended ? 0 : wait_ms;
	struct batch_entry entry;
	size_t pos = 0;
	int ret = 0;

	while (batch_next(batch, &pos, &entry)) {
		int r = sink->kind->put(sink, &entry, &left);

		if (r < 0) {
			lose(sink, &entry, r);
			ret = r;
		}
	}
	/* Who kept us waiting in vain is not waited for until it takes something again. */
	sink->contended = ret == -EAGAIN;
	return ret;
}

static int write_chain(struct sink *sink, const struct batch *batch, const struct format_id *id,
		       unsigned wait_ms, bool may_keep)
{
	struct batch_entry entry;
	size_t taken, pos = 0;
	int r;

	r = chain_write(&sink->chain, batch, id->sandbox, sink->contended ? 0 : wait_ms, &taken);
	sink->contended = r == -ETIMEDOUT;
	if (sink->contended && taken == 0 && may_keep)
		return 1;
	for (size_t i = 0; batch_next(batch, &pos, &entry); i++) {
		if (i >= taken)
			lose(sink, &entry, r);
	}
	return r;
}

static int write_batch(struct sink *sink, const struct batch *batch, const struct format_id *id,
		       unsigned wait_ms, bool may_keep)
{
	if (sink->kind == &sink_file)
		return write_chain(sink, batch, id, wait_ms, may_keep);
	return write_entries(sink, batch, wait_ms);
}

/*
 * Tell of earlier losses, in one record with their number, when the sink takes records again. To be
 * so one record a file must have room for what comes behind it too, or the next loss would begin
 * at once; and a pipe must have been read from, as its last page may take a short line when it is
 * full. At the end what fits is better than nothing.
 */
static int tell(struct sink *sink, const struct batch *batch, const struct format_id *id,
		unsigned wait_ms)
{
	const bool at_end = wait_ms >= SINK_WAIT_END_MS;
	struct pollfd p = { .fd = sink->fd, .events = POLLOUT };
	uint64_t records = sink->lost_records, denials = sink->lost_denials;
	char body[2048], data[2048 + 64];
	struct batch one = { .data = data, .cap = sizeof(data) };
	size_t n;
	int r;

	if (!at_end && sink->fd >= 0 && poll(&p, 1, 0) == 0)
		return -EAGAIN;
	n = format_lost(body, sizeof(body), id, sink->name, records, denials, sink->why);
	if (n == 0 || !batch_add(&one, body, n, 0))
		return 0;
	sink->lost_records = sink->lost_denials = 0;
	if (!at_end)
		sink->chain.room = n + batch->len + (batch->n + 1) * CHAIN_PREFIX_MAX + SINK_ROOM;
	r = write_batch(sink, &one, id, wait_ms, false);
	sink->chain.room = 0;
	if (r < 0) {
		/* The telling is no loss of its own. */
		sink->lost_records = records;
		sink->lost_denials = denials;
		sink->all_lost_records--;
	}
	return r;
}

static void lose_all(struct sink *sink, const struct batch *batch, int why)
{
	struct batch_entry entry;
	size_t pos = 0;

	while (batch_next(batch, &pos, &entry))
		lose(sink, &entry, why);
}

int sink_write(struct sink *sink, const struct batch *batch, const struct format_id *id,
	       unsigned wait_ms, bool may_keep)
{
	int r = 0;

	if (wait_ms >= SINK_WAIT_END_MS)
		sink->contended = false;
	if (sink->lost_records > 0)
		r = tell(sink, batch, id, wait_ms);
	if (r == -ETIMEDOUT && sink->kind == &sink_file && may_keep)
		return 1;
	/* While the loss cannot be told it goes on. */
	if (r < 0 && wait_ms < SINK_WAIT_END_MS) {
		lose_all(sink, batch, r);
		return r;
	}
	return write_batch(sink, batch, id, wait_ms, may_keep);
}
