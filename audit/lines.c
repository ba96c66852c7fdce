// SPDX-License-Identifier: Apache-2.0
#include "audit/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_begin(struct lines *lines, int fd, uint64_t pos, uint64_t end, char *buf)
{
	*lines = (struct lines){ .fd = fd, .pos = pos, .end = end, .buf = buf };
}

/* More bytes behind those that are left: 1, 0 at the end, or -errno. */
static int fill(struct lines *lines)
{
	size_t want;
	ssize_t n;

	memmove(lines->buf, lines->buf + lines->used, lines->len - lines->used);
	lines->len -= lines->used;
	lines->used = 0;
	want = LINES_BUFFER - lines->len;
	if (lines->pos >= lines->end)
		return 0;
	if (want > lines->end - lines->pos)
		want = (size_t)(lines->end - lines->pos);
	if (want == 0)
		return 0;
	do
		n = pread(lines->fd, lines->buf + lines->len, want, (off_t)lines->pos);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->len += (size_t)n;
	lines->pos += (uint64_t)n;
	return n > 0;
}

static int hand_out(struct lines *lines, size_t len, bool torn, struct line *ret)
{
	bool overlong = lines->skipping || len >= LIMIT_LOG_LINE;

	*ret = (struct line){
		.p = overlong ? NULL : lines->buf + lines->used,
		.len = len + (size_t)lines->skipped,
		.offset = lines->pos - (lines->len - lines->used) - lines->skipped,
		.torn = torn,
		.overlong = overlong,
	};
	lines->used += len + !torn;
	lines->skipping = false;
	lines->skipped = 0;
	return 1;
}

int lines_next(struct lines *lines, struct line *ret)
{
	for (;;) {
		size_t left = lines->len - lines->used;
		const char *nl = memchr(lines->buf + lines->used, '\n', left);
		int r;

		if (nl)
			return hand_out(lines, (size_t)(nl - (lines->buf + lines->used)), false,
					ret);
		if (left >= LIMIT_LOG_LINE) {
			lines->skipping = true;
			lines->skipped += left;
			lines->used = lines->len;
		}
		r = fill(lines);
		if (r < 0)
			return r;
		if (r == 0 && lines->len == 0 && !lines->skipping)
			return 0;
		if (r == 0)
			return hand_out(lines, lines->len, true, ret);
	}
}

void lines_again(struct lines *lines, const struct line *torn)
{
	lines->pos = torn->offset;
	lines->len = lines->used = 0;
}
