// SPDX-License-Identifier: Apache-2.0
/*
 * One-token mutants of a policy's text: a line or a word taken out, an action, a verb, an operator,
 * a constant, an errno, a limit or a mode changed for another one. Tests (expect lines) and
 * comments stay as they are.
 */
#pragma once

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/consts.h"
#include "policies/syscall.h"

/* text[at, at + len) becomes with. */
struct mutant {
	size_t at, len;
	unsigned line;
	char with[80];
	const char *kind;
};

struct mutants {
	struct mutant *list;
	size_t n, room;
};

enum { MUTANT_WORDS = 128 };

struct mutant_line {
	const char *text; /* the whole file */
	size_t begin[MUTANT_WORDS], end[MUTANT_WORDS];
	size_t n, first, last; /* of the line, with its newline */
	unsigned number;
	struct mutants *out;
};

static inline void mutant_add(struct mutant_line *l, const char *kind, size_t at, size_t len,
			      const char *with)
{
	struct mutants *m = l->out;

	if (m->n == m->room) {
		m->room = m->room ? 2 * m->room : 1024;
		m->list = realloc(m->list, m->room * sizeof(*m->list));
		if (!m->list)
			abort();
	}
	m->list[m->n] = (struct mutant){ .at = at, .len = len, .line = l->number, .kind = kind };
	snprintf(m->list[m->n].with, sizeof(m->list[m->n].with), "%s", with);
	m->n++;
}

static inline bool mutant_is(const struct mutant_line *l, size_t i, const char *word)
{
	return i < l->n && l->end[i] - l->begin[i] == strlen(word) &&
	       memcmp(l->text + l->begin[i], word, strlen(word)) == 0;
}

static inline void mutant_word(const struct mutant_line *l, size_t i, char ret[64])
{
	snprintf(ret, 64, "%.*s", (int)(l->end[i] - l->begin[i]), l->text + l->begin[i]);
}

static inline void mutant_replace(struct mutant_line *l, const char *kind, size_t i,
				  const char *with)
{
	mutant_add(l, kind, l->begin[i], l->end[i] - l->begin[i], with);
}

/* Words [i, i + n) and the blank before them. */
static inline void mutant_drop(struct mutant_line *l, const char *kind, size_t i, size_t n)
{
	mutant_add(l, kind, l->end[i - 1], l->end[i + n - 1] - l->end[i - 1], "");
}

static inline void mutant_drop_each(struct mutant_line *l, const char *kind, size_t from, size_t to)
{
	for (size_t i = from; i < to && to - from > 1; i++)
		mutant_drop(l, kind, i, 1);
}

/* --- what lines are made of --- */

static inline void mutant_other_call(struct mutant_line *l, size_t i)
{
	char word[64];
	size_t n;
	const struct syscall_desc *table = syscall_table(&n), *call;

	mutant_word(l, i, word);
	call = syscall_by_name(word);
	if (call)
		mutant_replace(l, "other call", i,
			       call + 1 < table + n ? call[1].name : table[0].name);
}

/* Another constant with the same beginning, or a number beside it. */
static inline void mutant_other_value(struct mutant_line *l, size_t at, size_t len)
{
	char word[64], with[64];
	const char *underline, *name;

	snprintf(word, sizeof(word), "%.*s", (int)len, l->text + at);
	if (isdigit((unsigned char)word[0])) {
		snprintf(with, sizeof(with), "%llu", strtoull(word, NULL, 0) + 1);
		mutant_add(l, "constant", at, len, with);
		return;
	}
	underline = strchr(word, '_');
	for (size_t k = 0; underline && (name = consts_name(k)) != NULL; k++) {
		uint64_t a, b;
		bool negative;

		if (strncmp(name, word, (size_t)(underline - word) + 1) != 0 ||
		    consts_find(word, &a, &negative) < 0 || consts_find(name, &b, &negative) < 0 ||
		    a == b)
			continue;
		mutant_add(l, "constant", at, len, name);
		return;
	}
}

static inline void mutant_operator(struct mutant_line *l, size_t i)
{
	static const char *const pairs[][2] = { { "==", "!=" }, { "!=", "==" }, { "<", ">=" },
						{ "<=", "<" },	{ ">", "<=" },	{ ">=", ">" } };

	for (size_t k = 0; k < ARRAY_SIZE(pairs); k++) {
		if (mutant_is(l, i, pairs[k][0]))
			mutant_replace(l, "operator", i, pairs[k][1]);
	}
}

/* The words of a condition from `if` up to end. */
static inline void mutant_condition(struct mutant_line *l, size_t from, size_t end)
{
	bool list = false;

	mutant_drop(l, "drop condition", from, end - from);
	for (size_t i = from; i < end; i++) {
		const char *dots = memmem(l->text + l->begin[i], l->end[i] - l->begin[i], "..", 2);
		size_t next = i + 1;

		if (mutant_is(l, i, "and") || mutant_is(l, i, "if")) {
			list = false;
			while (next < end && !mutant_is(l, next, "and"))
				next++;
			if (mutant_is(l, i, "and"))
				mutant_drop(l, "drop term", i, next - i);
			i++; /* the argument's name */
			continue;
		}
		mutant_operator(l, i);
		if (dots) {
			size_t middle = (size_t)(dots - l->text);

			mutant_other_value(l, l->begin[i], middle - l->begin[i]);
			mutant_other_value(l, middle + 2, l->end[i] - middle - 2);
			continue;
		}
		if (list && end - from > 4)
			mutant_drop(l, "drop value", i, 1);
		if (mutant_is(l, i, "in"))
			list = true;
		else if (isupper((unsigned char)l->text[l->begin[i]]) ||
			 isdigit((unsigned char)l->text[l->begin[i]]))
			mutant_other_value(l, l->begin[i], l->end[i] - l->begin[i]);
	}
}

static inline void mutant_call_rule(struct mutant_line *l)
{
	static const char *const actions[] = { "allow", "deny", "kill" };
	size_t calls = 1, options;

	for (size_t k = 0; k < ARRAY_SIZE(actions); k++) {
		if (!mutant_is(l, 0, actions[k]))
			mutant_replace(l, "action", 0, actions[k]);
	}
	while (calls < l->n && !mutant_is(l, calls, "if") && !mutant_is(l, calls, "errno") &&
	       !mutant_is(l, calls, "quiet"))
		calls++;
	mutant_drop_each(l, "drop call", 1, calls);
	for (size_t i = 1; i < calls; i++)
		mutant_other_call(l, i);
	options = calls;
	while (options < l->n && !mutant_is(l, options, "errno") && !mutant_is(l, options, "quiet"))
		options++;
	if (options > calls)
		mutant_condition(l, calls, options);
	for (size_t i = options; i < l->n; i++) {
		if (mutant_is(l, i, "quiet")) {
			mutant_drop(l, "quiet", i, 1);
		} else if (mutant_is(l, i, "errno") && i + 1 < l->n) {
			mutant_drop(l, "errno", i, 2);
			mutant_replace(l, "errno", i + 1,
				       mutant_is(l, i + 1, "EACCES") ? "EIO" : "EACCES");
			i++;
		}
	}
}

static inline void mutant_path_rule(struct mutant_line *l)
{
	static const char *const verbs[] = { "read", "write", "exec", "hide", "tmpfs" };
	size_t optional = l->text[l->end[0] - 1] == '?';

	for (size_t k = 0; k < ARRAY_SIZE(verbs); k++) {
		size_t len = l->end[0] - l->begin[0] - optional;

		if (len != strlen(verbs[k]) || memcmp(l->text + l->begin[0], verbs[k], len) != 0)
			mutant_add(l, "path verb", l->begin[0], len, verbs[k]);
	}
	mutant_drop_each(l, "drop path", 1, l->n);
	for (size_t i = 1; i < l->n; i++) {
		if (l->end[i] - l->begin[i] > 1)
			mutant_add(l, "path", l->end[i], 0, "x");
	}
}

static inline void mutant_setting(struct mutant_line *l)
{
	static const char *const nets[] = { "none", "loopback", "host" };

	for (size_t k = 0; mutant_is(l, 0, "net") && k < ARRAY_SIZE(nets); k++) {
		if (!mutant_is(l, 1, nets[k]))
			mutant_replace(l, "net", 1, nets[k]);
	}
	if (mutant_is(l, 0, "cap"))
		mutant_replace(l, "cap", 1, mutant_is(l, 1, "none") ? "CAP_SYS_ADMIN" : "none");
	if (mutant_is(l, 0, "kernel"))
		mutant_replace(l, "kernel", 1, "6.1");
	if (mutant_is(l, 0, "abi"))
		mutant_replace(l, "abi", 1, "native x32");
	for (size_t i = 1; mutant_is(l, 0, "limit") && i + 1 < l->n; i += 2) {
		if (l->n > 3)
			mutant_drop(l, "drop limit", i, 2);
		mutant_add(l, "limit", l->begin[i + 1], 0, "1");
	}
	for (size_t i = 1; mutant_is(l, 0, "env") && i < l->n; i++)
		mutant_add(l, "env", l->begin[i], 0, "X");
	if (mutant_is(l, 0, "env"))
		mutant_drop_each(l, "drop env", 1, l->n);
	if (mutant_is(l, 0, "use"))
		mutant_drop_each(l, "drop use", 1, l->n);
}

static inline void mutant_line_of(struct mutant_line *l)
{
	static const char *const actions[] = { "allow", "deny", "kill" };
	static const char *const verbs[] = { "read",  "read?", "write", "write?", "exec",
					     "exec?", "hide",  "hide?", "tmpfs",  "tmpfs?" };

	if (l->n < 2 || mutant_is(l, 0, "policy") || mutant_is(l, 0, "expect") ||
	    (mutant_is(l, 0, "remove") && mutant_is(l, 1, "expect")))
		return;
	mutant_add(l, "drop line", l->first, l->last - l->first, "");
	for (size_t k = 0; k < ARRAY_SIZE(actions); k++) {
		if (mutant_is(l, 0, actions[k]))
			mutant_call_rule(l);
	}
	for (size_t k = 0; k < ARRAY_SIZE(verbs); k++) {
		if (mutant_is(l, 0, verbs[k]))
			mutant_path_rule(l);
	}
	if (mutant_is(l, 0, "remove"))
		mutant_drop_each(l, "drop removal", 2, l->n);
	mutant_setting(l);
}

/* Every mutant of the text, in the order of their places. */
static inline void mutants_of(const char *text, struct mutants *out)
{
	const char *p = text;

	for (unsigned number = 1; *p; number++) {
		const char *end = strchrnul(p, '\n'), *w = p;
		struct mutant_line l = { .text = text, .number = number, .out = out };

		l.first = (size_t)(p - text);
		l.last = (size_t)(end - text) + (*end != '\0');
		while (w < end && l.n < MUTANT_WORDS) {
			while (w < end && (*w == ' ' || *w == '\t'))
				w++;
			if (w == end || *w == '#')
				break;
			l.begin[l.n] = (size_t)(w - text);
			while (w < end && *w != ' ' && *w != '\t')
				w++;
			l.end[l.n++] = (size_t)(w - text);
		}
		mutant_line_of(&l);
		p = *end ? end + 1 : end;
	}
}

/* The text with the mutant in it; free() it. */
static inline char *mutant_apply(const char *text, const struct mutant *m)
{
	char *out;

	if (asprintf(&out, "%.*s%s%s", (int)m->at, text, m->with, text + m->at + m->len) < 0)
		abort();
	return out;
}
