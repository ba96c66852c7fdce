// SPDX-License-Identifier: Apache-2.0
#include "policies/value.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "policies/consts.h"

static void suggest_constant(struct parser *p, const char *word)
{
	struct suggestion s = suggest_begin(word);

	for (size_t i = 0; consts_name(i); i++)
		suggest_offer(&s, consts_name(i));
	suggest_end(p->d, &s);
}

static int read_term(struct parser *p, size_t *i, struct value *ret)
{
	struct line *line = p->line;
	size_t first = *i;
	bool minus = first < line->n && strcmp(line->words[first].text, "-") == 0 &&
		     !line->words[first].quoted;
	const struct word *w;
	uint64_t bits;
	bool negative;
	int r;

	*i += minus;
	if (*i >= line->n || line->words[*i].quoted) {
		diag_error(p->d, word_at(p, *i), "a number or the name of a constant is missing");
		return -EINVAL;
	}
	w = &line->words[*i];
	if (w->text[0] >= '0' && w->text[0] <= '9') {
		r = text_parse_u64(w->text, &ret->magnitude);
		if (r == -ERANGE)
			diag_error(p->d, word_at(p, *i), "'%s' is more than 64 bits",
				   quote(w->text).text);
		else if (r < 0)
			diag_error(p->d, word_at(p, *i), "'%s' is no number", quote(w->text).text);
		ret->negative = minus && ret->magnitude != 0;
		(*i)++;
		return r < 0 ? -EINVAL : 0;
	}
	if (minus || consts_find_for(p->native, w->text, &bits, &negative) < 0) {
		diag_error(p->d, word_at(p, *i), "'%s' is no constant that is known here",
			   quote(w->text).text);
		suggest_constant(p, w->text);
		return -EINVAL;
	}
	*ret = (struct value){ .negative = negative, .magnitude = negative ? -bits : bits };
	(*i)++;
	return 0;
}

int value_read(struct parser *p, size_t *i, struct value *ret)
{
	struct value sum, term;
	size_t first = *i;
	int r = read_term(p, i, &sum);

	if (r < 0)
		return r;
	while (*i < p->line->n && strcmp(p->line->words[*i].text, "|") == 0 &&
	       !p->line->words[*i].quoted) {
		(*i)++;
		r = read_term(p, i, &term);
		if (r < 0)
			return r;
		if (sum.negative || term.negative) {
			diag_error(p->d, word_at(p, first),
				   "a number below zero has no flags to join");
			return -EINVAL;
		}
		sum.magnitude |= term.magnitude;
	}
	*ret = sum;
	return 0;
}

int value_fit(struct value v, enum syscall_width width, bool bits, uint64_t *ret)
{
	uint64_t low = 0, high = UINT64_MAX; /* magnitudes: lowest below zero, highest above */

	switch (width) {
	case WIDTH_S32:
		low = UINT64_C(1) << 31;
		high = bits ? UINT32_MAX : INT32_MAX;
		break;
	case WIDTH_U32:
		high = UINT32_MAX;
		break;
	case WIDTH_S64:
		low = UINT64_C(1) << 63;
		high = bits ? UINT64_MAX : INT64_MAX;
		break;
	case WIDTH_U64:
	case WIDTH_PTR:
		break;
	case WIDTH_NONE:
		return -ERANGE;
	}
	if (v.magnitude > (v.negative ? low : high))
		return -ERANGE;
	*ret = v.negative ? -v.magnitude : v.magnitude;
	if (width == WIDTH_S32 || width == WIDTH_U32)
		*ret = (uint32_t)*ret;
	return 0;
}

const char *value_width_name(enum syscall_width width)
{
	switch (width) {
	case WIDTH_S32:
		return "a signed 32-bit number";
	case WIDTH_U32:
		return "an unsigned 32-bit number";
	case WIDTH_S64:
		return "a signed 64-bit number";
	case WIDTH_U64:
		return "an unsigned 64-bit number";
	case WIDTH_PTR:
		return "an address";
	case WIDTH_NONE:
		break;
	}
	return "nothing";
}
