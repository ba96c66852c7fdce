// SPDX-License-Identifier: Apache-2.0
#include "cli/static_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cli/static_code.h"

enum { CHUNK = 256 * 1024 };

struct sweep {
	struct elf_file *f;
	struct code code;
	uint64_t *starts;
	size_t n, max;
	uint8_t *behind; /* a bit a byte of the segment: code ends before it */
};

static int put(struct sweep *s, uint64_t address)
{
	uint64_t *grown;

	if (!elf_is_code(s->f, address) || s->n >= ELF_MAX_FUNCTIONS)
		return 0;
	if (s->n == s->max) {
		grown = reallocarray(s->starts, s->max ? s->max * 2 : 1024, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->starts = grown;
		s->max = s->max ? s->max * 2 : 1024;
	}
	s->starts[s->n++] = address;
	return 0;
}

static int look_at_insns(struct sweep *s, const struct elf_segment *segment)
{
	int r = 0;

	for (size_t i = 0; i < s->code.n && r == 0; i++) {
		const struct code_insn *in = &s->code.insns[i];
		const uint64_t next = in->address + in->size - segment->start;

		if ((in->kind == CODE_CALL || in->names) && !in->through && in->target)
			r = put(s, in->target);
		if ((in->kind == CODE_END || in->kind == CODE_JUMP || in->kind == CODE_NOTHING) &&
		    next < segment->size)
			s->behind[next / 8] |= (uint8_t)(1U << next % 8);
	}
	return r;
}

/* Words of data that name what other code ends before. */
static int look_at_data(struct sweep *s, const struct elf_segment *code)
{
	const struct elf_file *f = s->f;
	int r = 0;

	for (size_t i = 0; i < f->n_segments && r == 0; i++) {
		const struct elf_segment *data = &f->segments[i];

		for (uint64_t at = 0; !data->executable && at + 8 <= data->size && r == 0;
		     at += 8) {
			uint64_t value;

			memcpy(&value, f->bytes + data->offset + at, sizeof(value));
			value -= code->start;
			if (value < code->size && (s->behind[value / 8] >> value % 8 & 1))
				r = put(s, value + code->start);
		}
	}
	return r;
}

static int look_at_segment(struct sweep *s, const struct elf_segment *segment)
{
	const uint64_t end = segment->start + segment->size;
	int r = 0;

	s->behind = calloc(segment->size / 8 + 1, 1);
	if (!s->behind)
		return -ENOMEM;
	for (uint64_t at = segment->start; at < end && r == 0;) {
		const uint64_t to = end - at > CHUNK ? at + CHUNK : end;
		const struct code_insn *last;

		r = code_decode(&s->code, s->f, at, to);
		if (r == 0)
			r = look_at_insns(s, segment);
		/* one that the chunk cuts is the next one's */
		last = s->code.n > 0 ? &s->code.insns[s->code.n - 1] : NULL;
		at = to < end && last && last->address + last->size > at
			     ? last->address + last->size
			     : to;
	}
	if (r == 0)
		r = look_at_data(s, segment);
	free(s->behind);
	s->behind = NULL;
	return r;
}

int sweep(struct elf_file *f, struct err *err)
{
	struct sweep s = { .f = f };
	int r = code_begin(&s.code, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->n_segments && r == 0; i++) {
		if (f->segments[i].executable)
			r = look_at_segment(&s, &f->segments[i]);
	}
	if (r == 0)
		r = elf_discover(f, s.starts, s.n);
	code_done(&s.code);
	free(s.starts);
	return r < 0 ? err_set(err, r, "find the functions of '%s'", f->path) : 0;
}
