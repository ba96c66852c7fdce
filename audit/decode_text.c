// SPDX-License-Identifier: Apache-2.0
/* Texts: paths, names, argument vectors. */
#include <errno.h>
#include <string.h>

#include "audit/decoding.h"

void decode_text(struct decoding *d, const struct decode_value *v, const char *label)
{
	char text[DECODE_TEXT_MAX];
	size_t cap = sizeof(text);
	uint64_t length = 0;
	ssize_t n;

	/* A length is of bytes that need no NUL behind them (sethostname(2)). */
	if (v->arg->length) {
		length = v->length;
		cap = length < cap ? (size_t)length : cap;
	}
	n = decode_read_text(d, v->value, text, cap);
	if (n < 0) {
		decode_unreadable(d, v->key, (int)n);
		return;
	}
	if ((size_t)n < cap || length < (uint64_t)n)
		length = (uint64_t)n;
	json_object(d->j, v->key);
	json_bytes(d->j, label, text, (size_t)n < d->text_max ? (size_t)n : d->text_max);
	if ((size_t)n > d->text_max || (size_t)n == sizeof(text))
		json_u64(d->j, "length", length); /* 4096 without a given length: or more */
	json_object_end(d->j);
}

/* One argument of a vector, of which left bytes may be shown. The number that there were, or
 * -errno. */
static ssize_t put_argument(struct decoding *d, uint64_t addr, size_t left)
{
	char text[DECODE_TEXT_MAX];
	ssize_t n = decode_read_text(d, addr, text, sizeof(text));

	if (n >= 0)
		json_bytes(d->j, NULL, text, (size_t)n < left ? (size_t)n : left);
	return n;
}

/* As much of an argument vector as one text may have bytes. */
void decode_argv(struct decoding *d, const struct decode_value *v)
{
	size_t left = d->text_max;
	uint64_t addr = v->value, argument = 0;
	bool more = false;
	int r = decode_read_pointer(d, addr, &argument);

	if (r < 0) {
		decode_unreadable(d, v->key, r);
		return;
	}
	json_object(d->j, v->key);
	json_array(d->j, "argv_as_read");
	for (unsigned i = 0; r == 0 && argument != 0 && !more; i++) {
		ssize_t n;

		if (i == DECODE_ARGUMENTS || left == 0) {
			more = true;
			break;
		}
		n = put_argument(d, argument, left);
		more = n < 0 || (size_t)n > left;
		left -= more ? 0 : (size_t)n;
		addr += decode_pointer_size(d);
		if (!more)
			r = decode_read_pointer(d, addr, &argument);
	}
	json_array_end(d->j);
	if (more || r < 0)
		json_bool(d->j, "more", true);
	json_object_end(d->j);
}
