// SPDX-License-Identifier: Apache-2.0
#include "policies/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policies/part.h"

void policy_diags_done(struct policy_diags *diags)
{
	for (size_t i = 0; i < diags->n_mistakes; i++) {
		free(diags->mistakes[i].file);
		free(diags->mistakes[i].message);
		free(diags->mistakes[i].hint);
	}
	free(diags->mistakes);
	diags->mistakes = NULL;
	diags->n_mistakes = 0;
	buf_done(&diags->text);
	diags->n_errors = 0;
	diags->n_warnings = 0;
}

static void note(struct diag *d, int result)
{
	if (result < 0)
		d->no_memory = true;
}

bool diag_full(const struct diag *d)
{
	return d->out->n_errors + d->out->n_warnings >= DIAG_MAX || d->no_memory;
}

/* The text of a line without its newline. */
static const char *find_line(const struct diag_source *s, uint32_t number, size_t *ret_len)
{
	const char *p = s->text, *end = s->text + s->len;

	for (uint32_t n = 1; p < end; n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		if (n == number) {
			*ret_len = (size_t)(stop - p);
			return p;
		}
		p = stop + 1;
	}
	return NULL;
}

/* Escaped, a tab as one blank. */
static int put_shown(struct buf *buf, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *tab = memchr(bytes, '\t', len);
		size_t n = tab ? (size_t)(tab - bytes) : len;
		int r = text_escape(buf, bytes, n);

		if (r == 0 && tab)
			r = buf_puts(buf, " ");
		if (r < 0)
			return r;
		bytes += n + (tab != NULL);
		len -= n + (tab != NULL);
	}
	return 0;
}

/* Characters, not bytes: what stands above the caret. */
static size_t width(const struct buf *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < buf->len; i++)
		n += ((unsigned char)buf->data[i] & 0xc0) != 0x80;
	return n;
}

/* Shown from near the mistake when the line is long. */
static void put_line(struct diag *d, const struct diag_source *s, struct policy_where where)
{
	enum { BEFORE = 60, SHOWN = 100 };
	_cleanup_buf_ struct buf left = BUF_INIT;
	_cleanup_buf_ struct buf right = BUF_INIT;
	struct policy_diags *out = d->out;
	size_t len = 0, column = where.column ? where.column - 1U : 0, from = 0, to;
	const char *line = find_line(s, where.line, &len);

	if (!line)
		return;
	if (column > len)
		column = len;
	if (column > BEFORE)
		from = column - BEFORE;
	to = len - from > SHOWN ? from + SHOWN : len;
	if (to < column)
		to = column;
	note(d, put_shown(&left, line + from, column - from));
	note(d, put_shown(&right, line + column, to - column));
	note(d,
	     buf_printf(&out->text, "    %s%s%s%s\n", from ? "..." : "", left.data ? left.data : "",
			right.data ? right.data : "", to < len ? "..." : ""));
	note(d, buf_printf(&out->text, "    %*s^\n", (int)(width(&left) + (from ? 3 : 0)), ""));
}

static void put_expansions(struct diag *d, struct policy_where where)
{
	for (size_t i = 0; i < d->n_expansions; i++) {
		const struct diag_expansion *e = &d->expansions[i];

		if (e->at.source == where.source && e->at.line == where.line &&
		    e->at.column == where.column)
			note(d, buf_printf(&d->out->text, "    hint: '$%s' is set in %s\n", e->name,
					   diag_place(d, e->let).text));
	}
}

static void keep(struct diag *d, struct policy_where where, bool warning, const char *message)
{
	const struct diag_source *s =
		where.source < d->n_sources ? &d->sources[where.source] : NULL;
	struct policy_diags *out = d->out;
	struct policy_mistake *m;

	if (list_grow(&out->mistakes, out->n_mistakes, sizeof(*out->mistakes)) < 0) {
		d->no_memory = true;
		return;
	}
	m = &out->mistakes[out->n_mistakes++];
	*m = (struct policy_mistake){ .warning = warning,
				      .line = where.line,
				      .column = where.column,
				      .file = strdup(s ? s->path : ""),
				      .message = strdup(message) };
	d->no_memory = d->no_memory || !m->file || !m->message;
}

__attribute__((format(printf, 4, 0))) static void add(struct diag *d, struct policy_where where,
						      const char *kind, const char *fmt, va_list ap)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const struct diag_source *s =
		where.source < d->n_sources ? &d->sources[where.source] : NULL;
	char message[512];

	(void)vsnprintf(message, sizeof(message), fmt, ap);
	keep(d, where, kind[0] != '\0', message);
	if (s)
		note(d, text_escape(&path, s->path, strlen(s->path)));
	note(d, buf_printf(&d->out->text, "%s:%u:%u: %s%s\n", path.data ? path.data : "?",
			   where.line, where.column, kind, message));
	if (s)
		put_line(d, s, where);
	put_expansions(d, where);
}

static void close_list(struct diag *d)
{
	if (d->out->n_errors + d->out->n_warnings == DIAG_MAX)
		note(d, buf_puts(&d->out->text, "further mistakes are not shown\n"));
}

void diag_error(struct diag *d, struct policy_where where, const char *fmt, ...)
{
	va_list ap;

	if (!diag_full(d)) {
		va_start(ap, fmt);
		add(d, where, "", fmt, ap);
		va_end(ap);
	}
	d->out->n_errors++;
	close_list(d);
}

void diag_warn(struct diag *d, struct policy_where where, const char *fmt, ...)
{
	va_list ap;

	if (!diag_full(d)) {
		va_start(ap, fmt);
		add(d, where, "warning: ", fmt, ap);
		va_end(ap);
	}
	d->out->n_warnings++;
	close_list(d);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	if (diag_full(d))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	note(d, buf_printf(&d->out->text, "    hint: %s\n", message));
	if (d->out->n_mistakes > 0) {
		struct policy_mistake *m = &d->out->mistakes[d->out->n_mistakes - 1];

		free(m->hint);
		m->hint = strdup(message);
		d->no_memory = d->no_memory || !m->hint;
	}
}

struct quoted quote(const char *word)
{
	struct quoted q = { .text = "" };
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t len = strlen(word), cut = len;

	/* an escape is at most four bytes long for one */
	if (cut > sizeof(q.text) / 4 && text_escape(&b, word, len) == 0 &&
	    b.len >= sizeof(q.text)) {
		cut = sizeof(q.text) / 4 - 1;
		while (cut && ((unsigned char)word[cut] & 0xc0) == 0x80)
			cut--;
	}
	buf_done(&b);
	if (text_escape(&b, word, cut) == 0)
		(void)snprintf(q.text, sizeof(q.text), "%s%s", b.data ? b.data : "",
			       cut < len ? "..." : "");
	return q;
}

struct quoted diag_place(const struct diag *d, struct policy_where where)
{
	struct quoted path = { .text = "?" }, q;

	if (where.source < d->n_sources)
		path = quote(d->sources[where.source].path);
	(void)snprintf(q.text, sizeof(q.text), "%.80s:%u", path.text, where.line);
	return q;
}

struct suggestion suggest_begin(const char *word)
{
	/* two swapped letters are two edits; long words allow a third of their letters */
	size_t len = strlen(word);
	size_t reach = len < 4 ? 1 : len < 9 ? 2 : len / 3;

	return (struct suggestion){ .word = word, .distance = (unsigned)reach + 1 };
}

void suggest_offer(struct suggestion *s, const char *candidate)
{
	size_t a = strlen(s->word), b = strlen(candidate);
	unsigned distance;

	/* longer words are no slips of a finger; letters too many or too few are edits */
	if (a >= sizeof(s->best) || b >= sizeof(s->best) || (a > b ? a - b : b - a) >= s->distance)
		return;
	distance = text_distance(s->word, candidate, s->distance);
	if (distance >= s->distance)
		return;
	s->distance = distance;
	(void)snprintf(s->best, sizeof(s->best), "%s", candidate);
}

void suggest_end(struct diag *d, const struct suggestion *s)
{
	if (s->best[0])
		diag_hint(d, "did you mean '%s'?", quote(s->best).text);
}
