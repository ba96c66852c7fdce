// SPDX-License-Identifier: Apache-2.0
/* The only way to a payload's memory: lengths are ours, and their number is limited. */
#include <errno.h>
#include <string.h>

#include "audit/decoding.h"

int decode_read(struct decoding *d, uint64_t addr, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		if (d->reads == 0)
			return -E2BIG;
		d->reads--;
		n = d->memory->read(d->memory->ctx, addr + done, (char *)buf + done, len - done);
		if (n <= 0)
			return n < 0 ? (int)n : -EFAULT;
		if ((size_t)n > len - done)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Each read ends where a page of 4096 bytes ends, so that a text just before unmapped memory is
 * read whole. */
ssize_t decode_read_text(struct decoding *d, uint64_t addr, char *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		size_t want = 4096 - (size_t)((addr + len) & 4095);
		const char *nul;
		ssize_t n;

		if (want > cap - len)
			want = cap - len;
		if (d->reads == 0)
			return -E2BIG;
		d->reads--;
		n = d->memory->read(d->memory->ctx, addr + len, buf + len, want);
		if (n <= 0 || (size_t)n > want)
			return n < 0 ? n : -EFAULT;
		nul = memchr(buf + len, '\0', (size_t)n);
		if (nul)
			return nul - buf;
		len += (size_t)n;
	}
	return (ssize_t)cap;
}

size_t decode_pointer_size(const struct decoding *d)
{
	return d->column == LAYOUT_64 ? 8 : 4;
}

int decode_read_pointer(struct decoding *d, uint64_t addr, uint64_t *ret)
{
	uint64_t value = 0;
	int r = decode_read(d, addr, &value, decode_pointer_size(d));

	if (r == 0)
		*ret = value; /* both architectures put the low bytes first */
	return r;
}

void decode_unreadable(struct decoding *d, const char *key, int r)
{
	json_object(d->j, key);
	json_string(d->j, "note",
		    r == -E2BIG	     ? "not read: too much in one call"
		    : r == -EMSGSIZE ? "shorter than the kernel takes"
				     : "unreadable");
	json_object_end(d->j);
}
