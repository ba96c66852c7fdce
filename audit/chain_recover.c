// SPDX-License-Identifier: Apache-2.0
/* What a writer does that finds a log which its head does not describe. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/lines.h"
#include "audit/scan.h"
#include "base/fd.h"

static_assert((int)LINES_BUFFER <= (int)CHAIN_BLOCK, "the block serves as the reader's buffer");

/* Lines behind the last good one that are none: torn if nothing follows them, else foreign. A
 * writer can die while it repairs what another one left, so there can be several. */
struct doubt {
	uint64_t lines, bytes;
};

static bool is_record(const struct line *line, uint64_t *ret_seq, struct hash *ret_prev,
		      struct scan *ret)
{
	return !line->overlong && chain_parse_prefix(line->p, line->len, ret_seq, ret_prev) == 0 &&
	       scan_text(line->p, line->len, ret) == 0;
}

static void pass(const struct line *line, struct chain_point *at, struct doubt *doubt,
		 struct chain_repair *repair)
{
	struct scan root, type;
	struct hash prev;
	uint64_t seq;

	repair->rotated = false;
	if (is_record(line, &seq, &prev, &root)) {
		if (seq == at->seq + 1 && memcmp(&prev, &at->hash, sizeof(prev)) == 0) {
			repair->adopted++;
			repair->rotated =
				scan_get(&root, "type", &type) && scan_is(&type, "rotate");
		} else {
			repair->foreign++;
		}
		repair->foreign += doubt->lines;
		*doubt = (struct doubt){ 0 };
		at->seq = seq;
	} else {
		doubt->lines++;
		doubt->bytes += line->len;
	}
	if (line->overlong)
		memset(&at->hash, 0, sizeof(at->hash)); /* as verify.c has it */
	else
		hash_bytes(line->p, line->len, &at->hash);
	at->offset = line->offset + line->len + 1;
}

/* *ret_met: the record of known was among them. */
static int follow(int log, uint64_t size, char *block, const struct chain_point *known,
		  struct chain_point *at, struct chain_repair *repair, bool *ret_met)
{
	struct doubt doubt = { 0 };
	struct lines lines;
	struct line line;
	int r;

	lines_begin(&lines, log, at->offset, size, block);
	while ((r = lines_next(&lines, &line)) > 0) {
		pass(&line, at, &doubt, repair);
		*ret_met |=
			at->seq == known->seq && memcmp(&at->hash, &known->hash, HASH_BYTES) == 0;
		if (line.torn) {
			ssize_t n = write(log, "\n", 1);

			if (n != 1)
				return n < 0 ? -errno : -EIO;
		}
	}
	repair->torn = doubt.bytes;
	return r;
}

bool chain_has(int log, char *block, const struct chain_point *at)
{
	/* the longest line, and the end of the one before */
	const uint64_t most = at->offset <= LIMIT_LOG_LINE ? at->offset : LIMIT_LOG_LINE + 1;
	struct hash hash = { .byte = { 0 } }; /* of an overlong line, as in pass() */
	const char *line;
	ssize_t n;

	if (most == 0)
		return true;
	n = fd_read_at(log, block, (size_t)most, (off_t)(at->offset - most));
	if (n != (ssize_t)most || block[n - 1] != '\n')
		return false;
	n--;
	line = memrchr(block, '\n', (size_t)n);
	line = line ? line + 1 : block;
	if (line > block || most == at->offset)
		hash_bytes(line, (size_t)(block + n - line), &hash);
	return memcmp(&hash, &at->hash, sizeof(hash)) == 0;
}

int chain_recover(int log, uint64_t size, char *block, const struct chain_point *base, bool cut,
		  struct chain_point *at, struct chain_repair *repair)
{
	const struct chain_point known = *at;
	bool met = false;
	int r;

	/* A log that lost its end is walked from its beginning: the gap must show in the sequence
	 * numbers and be said, and a torn line must be closed. */
	if (cut)
		*at = *base;
	r = follow(log, size, block, &known, at, repair, &met);
	if (r < 0)
		return r;
	if (cut) {
		repair->cut = known.seq > at->seq ? known.seq - at->seq : !met;
		repair->adopted = 0; /* they were known */
		if (known.seq > at->seq)
			at->seq = known.seq;
	}
	return 0;
}
