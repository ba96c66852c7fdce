// SPDX-License-Identifier: Apache-2.0
#include "policies/fmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/lex.h"

struct formatter {
	const char *text; /* of the line */
	size_t len;
	struct line *line;
	struct buf *out;
	struct diag diag;
	bool blank; /* an empty line is due before the next one that is not */
};

static bool is(const struct line *line, size_t i, const char *sign)
{
	return !line->words[i].quoted && strcmp(line->words[i].text, sign) == 0;
}

/* Whether words i - 1 and i, both of an expression, stand together. */
static bool is_tight(const struct line *line, size_t i)
{
	return is(line, i - 1, "|") || is(line, i, "|") || is(line, i - 1, "..") ||
	       is(line, i, "..") || is(line, i - 1, "(") || is(line, i, "(") || is(line, i, ")") ||
	       is(line, i, ",") || is(line, i - 1, "-");
}

static int put_words(struct formatter *f)
{
	const struct line *line = f->line;
	int r = 0;

	for (size_t i = 0; i < line->n && r == 0; i++) {
		const struct word *w = &line->words[i];
		/* the call's name comes before what is an expression for certain */
		bool joined =
			i && w->expression && line->words[i - 1].expression && is_tight(line, i);

		if (i && !joined)
			r = buf_puts(f->out, " ");
		if (r == 0)
			r = buf_put(f->out, f->text + w->column - 1, w->length);
	}
	return r;
}

/* The line that was put must be read as the one it came from. */
static bool same_words(const struct line *a, const struct line *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->words[i].text, b->words[i].text) != 0 ||
		    a->words[i].quoted != b->words[i].quoted ||
		    a->words[i].expression != b->words[i].expression)
			return false;
	}
	return true;
}

static int check_line(struct formatter *f, size_t from, struct policy_where where)
{
	_cleanup_free_ struct line *again = malloc(sizeof(*again));
	struct policy_diags unheard = { .text = BUF_INIT };
	struct diag d = { .out = &unheard };
	size_t len = f->out->len - from;
	bool same;

	if (!again)
		return -ENOMEM;
	same = len <= LIMIT_POLICY_LINE &&
	       lex_line(f->out->data + from, len, where, again, &d) == 0 &&
	       same_words(f->line, again);
	policy_diags_done(&unheard);
	if (same)
		return 0;
	diag_error(&f->diag, where, "the line cannot be formatted without changing it");
	return -EINVAL;
}

static int format_line(struct formatter *f, struct policy_where where)
{
	size_t from, end = f->len;
	int r = 0;

	if (f->len > LIMIT_POLICY_LINE) {
		diag_error(&f->diag, where, "the line is longer than %d bytes", LIMIT_POLICY_LINE);
		return -EINVAL;
	}
	if (lex_line(f->text, f->len, where, f->line, &f->diag) < 0)
		return -EINVAL;
	while (end && (f->text[end - 1] == ' ' || f->text[end - 1] == '\t'))
		end--;
	if (end == 0) {
		f->blank = f->out->len > 0;
		return 0;
	}
	if (f->blank)
		r = buf_puts(f->out, "\n");
	f->blank = false;
	from = f->out->len;
	if (r == 0)
		r = put_words(f);
	if (r == 0 && f->line->comment && f->line->n)
		r = buf_puts(f->out, "  ");
	if (r == 0 && f->line->comment)
		r = buf_put(f->out, f->text + f->line->comment - 1, end - f->line->comment + 1);
	if (r == 0)
		r = check_line(f, from, where);
	return r ? r : buf_puts(f->out, "\n");
}

int fmt_text(const char *name, const char *text, size_t len, struct buf *ret,
	     struct policy_diags *diags)
{
	const struct diag_source source = { .path = name, .text = text, .len = len };
	const struct buf none = BUF_INIT;
	_cleanup_free_ struct line *line = malloc(sizeof(*line));
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct formatter f = { .line = line,
			       .out = &out,
			       .diag = { .out = diags, .sources = &source, .n_sources = 1 } };
	const char *at = text, *end = text + len;
	int r = 0;

	if (len > LIMIT_POLICY_BYTES)
		return -EFBIG;
	if (!line || buf_puts(&out, "") < 0)
		return -ENOMEM;
	for (uint32_t n = 1; at < end && !diag_full(&f.diag); n++) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl ? nl : end;
		struct policy_where where = { .line = n, .column = 1 };

		f.text = at;
		f.len = (size_t)(stop - at);
		r = format_line(&f, where);
		if (r == -ENOMEM)
			return r;
		at = stop + (nl != NULL);
	}
	if (f.diag.no_memory)
		return -ENOMEM;
	if (diags->n_errors)
		return -EBADMSG;
	*ret = out;
	out = none;
	return 0;
}
