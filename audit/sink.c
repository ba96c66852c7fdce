// SPDX-License-Identifier: Apache-2.0
#include "audit/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/place.h"
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

static void lose(struct sink *sink, const struct batch_entry *entry, int why)
{
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
	if (sink->kind == &sink_file)
		return write_chain(sink, batch, id, wait_ms);
	return write_entries(sink, batch, wait_ms);
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
