// SPDX-License-Identifier: Apache-2.0
/* What a writer does that finds a log which its head does not describe. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/scan.h"

/* A line on its way through: of any length, in constant memory. */
struct passing {
	struct hash_state hash;
	char prefix[CHAIN_PREFIX_MAX];
	size_t len;
};

static void pass_begin(struct passing *line)
{
	hash_begin(&line->hash);
	line->len = 0;
}

static void pass_add(struct passing *line, const char *p, size_t n)
{
	if (line->len < sizeof(line->prefix)) {
		size_t room = sizeof(line->prefix) - line->len;

		memcpy(line->prefix + line->len, p, n < room ? n : room);
	}
	hash_add(&line->hash, p, n);
	line->len += n;
}

static void pass_end(struct passing *line, struct chain_point *at, struct chain_repair *repair)
{
	size_t have = line->len < sizeof(line->prefix) ? line->len : sizeof(line->prefix);
	struct hash prev;
	uint64_t seq;

	if (chain_parse_prefix(line->prefix, have, &seq, &prev) < 0) {
		repair->foreign++;
	} else {
		if (seq == at->seq + 1 && memcmp(&prev, &at->hash, sizeof(prev)) == 0)
			repair->adopted++;
		else
			repair->foreign++;
		at->seq = seq;
	}
	hash_end(&line->hash, &at->hash);
	at->offset += line->len + 1;
}

/* Whether the last line lacks its newline only. */
static bool is_record(int log, char *block, const struct passing *line, uint64_t offset)
{
	struct scan root;

	return line->len < LIMIT_LOG_LINE &&
	       pread(log, block, line->len, (off_t)offset) == (ssize_t)line->len &&
	       scan_text(block, line->len, &root) == 0 && root.kind == SCAN_OBJECT;
}

static int end_torn(int log, char *block, struct passing *line, struct chain_point *at,
		    struct chain_repair *repair)
{
	bool whole = is_record(log, block, line, at->offset);
	ssize_t n = write(log, "\n", 1);

	if (n != 1)
		return n < 0 ? -errno : -EIO;
	if (whole) {
		pass_end(line, at, repair);
		return 0;
	}
	repair->torn = line->len;
	hash_end(&line->hash, &at->hash);
	at->offset += line->len + 1;
	return 0;
}

static int follow(int log, uint64_t size, char *block, struct chain_point *at,
		  struct chain_repair *repair)
{
	uint64_t pos = at->offset;
	struct passing line;

	pass_begin(&line);
	while (pos < size) {
		size_t want = size - pos < CHAIN_BLOCK ? (size_t)(size - pos) : CHAIN_BLOCK;
		ssize_t n = pread(log, block, want, (off_t)pos);
		const char *p = block, *end, *nl;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		end = block + n;
		while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
			pass_add(&line, p, (size_t)(nl - p));
			pass_end(&line, at, repair);
			pass_begin(&line);
			p = nl + 1;
		}
		pass_add(&line, p, (size_t)(end - p));
		pos += (uint64_t)n;
	}
	return line.len > 0 ? end_torn(log, block, &line, at, repair) : 0;
}

int chain_recover(int log, uint64_t size, char *block, struct chain_point *at,
		  struct chain_repair *repair)
{
	uint64_t known = at->seq;
	bool cut = at->offset > size;
	int r;

	/* A log that lost its end is walked from its beginning: the gap must show in the sequence
	 * numbers and be said, and a torn line must be closed. */
	if (cut)
		*at = (struct chain_point){ .seq = 0 };
	r = follow(log, size, block, at, repair);
	if (r < 0)
		return r;
	if (cut) {
		repair->cut = known > at->seq ? known - at->seq : 0;
		repair->adopted = 0; /* they were known */
		if (known > at->seq)
			at->seq = known;
	}
	return 0;
}
