// SPDX-License-Identifier: Apache-2.0
/* What a writer does that finds a log which its head does not describe. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/lines.h"
#include "audit/scan.h"

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

static int follow(int log, uint64_t size, char *block, struct chain_point *at,
		  struct chain_repair *repair)
{
	struct doubt doubt = { 0 };
	struct lines lines;
	struct line line;
	int r;

	lines_begin(&lines, log, at->offset, size, block);
	while ((r = lines_next(&lines, &line)) > 0) {
		pass(&line, at, &doubt, repair);
		if (line.torn) {
			ssize_t n = write(log, "\n", 1);

			if (n != 1)
				return n < 0 ? -errno : -EIO;
		}
	}
	repair->torn = doubt.bytes;
	return r;
}

int chain_recover(int log, uint64_t size, char *block, const struct chain_point *base,
		  struct chain_point *at, struct chain_repair *repair)
{
	uint64_t known = at->seq;
	bool cut = at->offset > size;
	int r;

	/* A log that lost its end is walked from its beginning: the gap must show in the sequence
	 * numbers and be said, and a torn line must be closed. */
	if (cut)
		*at = *base;
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
