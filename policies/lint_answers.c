// SPDX-License-Identifier: Apache-2.0
/* "# lint: allow ID... because REASON": what a text answers to findings of its own. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policies/lint_find.h"

enum { MAX_IDS = 8 };

/* One lint comment. */
struct answer {
	struct policy_where where; /* of the comment */
	uint32_t line;		   /* that it speaks of; 0: of none */
	char ids[MAX_IDS][8];
	bool used[MAX_IDS];
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where a line's comment begins: at a '#' that begins a word outside quotes. */
static const char *find_comment(const char *line, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '"')
			quoted = !quoted;
		else if (line[i] == '\\' && quoted)
			i++;
		else if (line[i] == '#' && !quoted && (i == 0 || is_blank(line[i - 1])))
			return line + i;
	}
	return NULL;
}

/* The next word of [*p, end); its length, 0 at the end. */
static size_t next_word(const char **p, const char *end)
{
	size_t n = 0;

	while (*p < end && is_blank(**p))
		(*p)++;
	while (*p + n < end && !is_blank((*p)[n]))
		n++;
	return n;
}

static bool is_word(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

static bool is_id(const char *p, size_t n)
{
	if (n != 5 || p[0] != 'C' || p[1] != 'P')
		return false;
	return isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[3]) &&
	       isdigit((unsigned char)p[4]);
}

/* What is wrong with the comment behind "lint:", or NULL. */
static const char *parse_answer(const char *p, const char *end, struct answer *ret)
{
	size_t n = next_word(&p, end);

	if (!is_word(p, n, "allow"))
		return "'allow' is missing";
	for (p += n; (n = next_word(&p, end)) != 0 && !is_word(p, n, "because"); p += n) {
		if (!is_id(p, n))
			return "what it allows is no finding's id";
		if (ret->n == MAX_IDS)
			return "it allows more than eight findings";
		memcpy(ret->ids[ret->n], p, n);
		ret->ids[ret->n++][n] = '\0';
	}
	if (ret->n == 0)
		return "it allows nothing";
	if (n == 0)
		return "the reason is missing";
	p += n;
	return next_word(&p, end) ? NULL : "the reason is missing";
}

static void apply(struct linter *l, struct answer *a)
{
	for (size_t i = 0; i < l->out->n; i++) {
		struct lint_finding *f = &l->out->findings[i];

		if (f->where.source != a->where.source || f->where.line != a->line)
			continue;
		for (size_t k = 0; k < a->n; k++) {
			if (strcmp(a->ids[k], f->id) == 0)
				f->answered = a->used[k] = true;
		}
	}
}

/* The first line from p on that says something, counted from line; 0: a blank line or the end
 * comes first. */
static uint32_t find_statement(const char *p, uint32_t line)
{
	for (; *p; line++) {
		const char *end = strchrnul(p, '\n'), *word = p;

		if (next_word(&word, end) == 0)
			return 0;
		if (*word != '#')
			return line;
		p = *end ? end + 1 : end;
	}
	return 0;
}

static void read_line(struct linter *l, struct policy_where where, const char *line,
		      const char *end)
{
	const char *comment = find_comment(line, (size_t)(end - line)), *p = comment, *wrong;
	struct answer a = { .where = where };
	size_t n;

	if (!comment)
		return;
	p++;
	n = next_word(&p, end);
	if (!is_word(p, n, "lint:"))
		return;
	a.where.column = (uint16_t)(comment - line + 1);
	wrong = parse_answer(p + n, end, &a);
	if (wrong) {
		lint_add(l, "CP901", LINT_WARNING, a.where, "# lint: allow CP402 because REASON",
			 "a lint comment without effect: %s", wrong);
		return;
	}
	a.line = find_statement(line, where.line);
	if (a.line)
		apply(l, &a);
	/* What a used policy answers may not come up in each policy that uses it. */
	for (size_t k = 0; k < a.n && where.source == 0; k++) {
		if (!a.used[k])
			lint_add(l, "CP902", LINT_WARNING, a.where, "remove the comment",
				 "%s is allowed here and does not occur", a.ids[k]);
	}
}

void lint_answers(struct linter *l)
{
	for (size_t s = 0; s < l->policy->n_sources; s++) {
		struct policy_where where = { .source = (uint16_t)s, .line = 1, .column = 1 };
		const char *p = l->policy->sources[s].text;

		for (; p && *p; where.line++) {
			const char *end = strchrnul(p, '\n');

			read_line(l, where, p, end);
			p = *end ? end + 1 : end;
		}
	}
}
