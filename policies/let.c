// SPDX-License-Identifier: Apache-2.0
#include "policies/let.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/note.h"
#include "policies/spell.h"

static bool is_first(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_inner(char c)
{
	return is_first(c) || (c >= '0' && c <= '9') || c == '_';
}

size_t let_name_len(const char *word)
{
	size_t n = 1;

	if (word[0] != '$' || !is_first(word[1]))
		return 0;
	while (is_inner(word[n]))
		n++;
	return word[n] == '\0' || word[n] == '/' ? n - 1 : 0;
}

/* --- let NAME WORD... --- */

static bool is_let_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 1; i < len; i++) {
		if (!is_inner(name[i]))
			return false;
	}
	return is_first(name[0]) && len < LIMIT_NAME;
}

static int add_words(struct parser *p, struct part_let *let)
{
	for (size_t i = 2; i < p->line->n; i++) {
		const struct word *w = &p->line->words[i];
		int r = list_grow(&let->words, let->n_words, sizeof(*let->words));

		if (r < 0)
			return r;
		let->words[let->n_words] = (struct let_word){ .text = strdup(w->text),
							      .quoted = w->quoted,
							      .where = word_at(p, i) };
		if (!let->words[let->n_words].text)
			return -ENOMEM;
		let->n_words++;
	}
	return 0;
}

static int check_let(struct parser *p)
{
	const char *name;

	if (p->line->n < 2) {
		diag_error(p->d, word_at(p, 1), "the name of a variable is missing");
		diag_hint(p->d, "as in: let ports 80 443");
		return -EINVAL;
	}
	name = p->line->words[1].text;
	if (!is_let_name(name)) {
		diag_error(p->d, word_at(p, 1), "'%s' is no name of a variable", quote(name).text);
		diag_hint(p->d, "a small letter, then small letters, digits and '_', at most %d%s",
			  LIMIT_NAME - 1, name[0] == '$' ? "; the '$' is for its use" : "");
		return -EINVAL;
	}
	if (p->line->n < 3) {
		diag_error(p->d, word_at(p, 2), "a variable holds one word or more");
		return -EINVAL;
	}
	return 0;
}

int let_parse(struct parser *p)
{
	struct part *part = p->part;
	struct policy_where where;
	struct part_let *let;
	int r = check_let(p);

	if (r < 0)
		return r;
	where = word_at(p, 1);
	for (size_t i = 0; i < part->n_lets; i++) {
		if (strcmp(part->lets[i].name, p->line->words[1].text) != 0)
			continue;
		if (part->lets[i].where.line == where.line)
			return 0; /* read before, for the others' sake */
		diag_error(p->d, where, "'%s' was set on line %u already", part->lets[i].name,
			   part->lets[i].where.line);
		return -EINVAL;
	}
	if (part->n_lets == LET_MAX) {
		diag_error(p->d, where, "more than %d variables", LET_MAX);
		return -EINVAL;
	}
	r = list_grow(&part->lets, part->n_lets, sizeof(*part->lets));
	if (r < 0)
		return r;
	let = &part->lets[part->n_lets];
	*let = (struct part_let){ .name = strdup(p->line->words[1].text), .where = where };
	part->n_lets++;
	return let->name ? add_words(p, let) : -ENOMEM;
}

/* --- composition --- */

void let_scopes_done(struct let_scope *scopes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(scopes[i].list);
}

const struct part_let *let_find(const struct let_scope *scope, const char *name, size_t len)
{
	for (size_t i = 0; i < scope->n; i++) {
		if (strncmp(scope->list[i]->name, name, len) == 0 &&
		    scope->list[i]->name[len] == '\0')
			return scope->list[i];
	}
	return NULL;
}

static bool same_words(const struct part_let *a, const struct part_let *b)
{
	if (a->n_words != b->n_words)
		return false;
	for (size_t i = 0; i < a->n_words; i++) {
		if (strcmp(a->words[i].text, b->words[i].text) != 0 ||
		    a->words[i].quoted != b->words[i].quoted)
			return false;
	}
	return true;
}

static int add_to_scope(struct let_scope *scope, const struct part_let *let)
{
	int r = list_grow(&scope->list, scope->n, sizeof(*scope->list));

	if (r == 0)
		scope->list[scope->n++] = let;
	return r;
}

static int note_let(struct policy *policy, const struct part_let *old, const struct part_let *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (same_words(old, by))
		return 0;
	if (spell_let(&text, old) < 0)
		return -ENOMEM;
	return note_add(policy, POLICY_NOTE_OVERRIDDEN, &text, by->where, old->where);
}

static int take_used(const struct part_use *use, const struct let_scope *from,
		     struct let_scope *into, size_t n_own, struct policy *policy, struct diag *d)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct part_let *let = from->list[i];
		const struct part_let *old = let_find(into, let->name, strlen(let->name));
		size_t at = 0;

		if (!old) {
			if (add_to_scope(into, let) < 0)
				return -ENOMEM;
			continue;
		}
		while (into->list[at] != old)
			at++;
		if (at < n_own && note_let(policy, let, old) < 0)
			return -ENOMEM;
		if (at < n_own || same_words(old, let))
			continue;
		diag_error(d, use->where, "'$%s' is one thing in %s and another in %s", let->name,
			   diag_place(d, old->where).text, diag_place(d, let->where).text);
		diag_hint(d, "say it in this file, then this file decides");
	}
	return 0;
}

static void unknown(struct diag *d, const struct let_scope *scope, const char *word, size_t len,
		    struct policy_where where)
{
	char name[LIMIT_POLICY_LINE + 1];
	struct suggestion s;

	memcpy(name, word, len);
	name[len] = '\0';
	s = suggest_begin(name);
	diag_error(d, where, "there is no variable '$%s'", quote(name).text);
	for (size_t i = 0; i < scope->n; i++)
		suggest_offer(&s, scope->list[i]->name);
	if (s.best[0])
		diag_hint(d, "did you mean '$%s'?", s.best);
	else
		diag_hint(d, "set it in this file or in one that it uses: let %s WORD...",
			  quote(name).text);
}

static void check_known(const struct unit *unit, const struct let_scope *scope, struct diag *d)
{
	for (size_t i = 0; i < unit->part.n_lets; i++) {
		const struct part_let *let = &unit->part.lets[i];

		for (size_t w = 0; w < let->n_words; w++) {
			size_t len = let->words[w].quoted ? 0 : let_name_len(let->words[w].text);

			if (len && !let_find(scope, let->words[w].text + 1, len))
				unknown(d, scope, let->words[w].text + 1, len, let->words[w].where);
		}
	}
}

/* The longest way down; a cycle is longer than any. Memory keeps it from trying ways again. */
static unsigned depth_of(const struct let_scope *scope, const struct part_let *let, uint8_t *known)
{
	unsigned deepest = 0;
	size_t at = 0;

	while (scope->list[at] != let)
		at++;
	if (known[at])
		return known[at];
	known[at] = LET_DEPTH + 1; /* met again on the way down: a cycle */
	for (size_t w = 0; w < let->n_words && deepest <= LET_DEPTH; w++) {
		size_t len = let->words[w].quoted ? 0 : let_name_len(let->words[w].text);
		const struct part_let *next =
			len ? let_find(scope, let->words[w].text + 1, len) : NULL;
		unsigned d = next ? depth_of(scope, next, known) : 0;

		deepest = d > deepest ? d : deepest;
	}
	known[at] = (uint8_t)(deepest >= LET_DEPTH ? LET_DEPTH + 1 : deepest + 1);
	return known[at];
}

static int check_depths(const struct let_scope *scope, struct diag *d)
{
	_cleanup_free_ uint8_t *known = calloc(scope->n + 1, 1);

	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < scope->n; i++) {
		if (depth_of(scope, scope->list[i], known) <= LET_DEPTH)
			continue;
		diag_error(d, scope->list[i]->where,
			   "'$%s' leads to itself, or through more than %d others",
			   scope->list[i]->name, LET_DEPTH);
	}
	return 0;
}

static int compare_lets(const void *a, const void *b)
{
	return strcmp((*(const struct part_let *const *)a)->name,
		      (*(const struct part_let *const *)b)->name);
}

int let_compose(const struct unit *units, size_t n_units, const uint16_t *order,
		struct let_scope *scopes, struct policy *policy, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < n_units && r == 0; i++) {
		const struct part *part = &units[order[i]].part;
		struct let_scope *scope = &scopes[order[i]];

		for (size_t k = 0; k < part->n_lets && r == 0; k++)
			r = add_to_scope(scope, &part->lets[k]);
		for (size_t k = 0; k < part->n_uses && r == 0; k++)
			r = take_used(&part->uses[k], &scopes[part->uses[k].part], scope,
				      part->n_lets, policy, d);
	}
	for (size_t i = 0; i < n_units && r == 0; i++) {
		if (scopes[i].n)
			qsort(scopes[i].list, scopes[i].n, sizeof(*scopes[i].list), compare_lets);
		check_known(&units[i], &scopes[i], d);
	}
	return r ? r : check_depths(&scopes[0], d);
}

int let_model(const struct let_scope *scope, struct policy *policy)
{
	policy->lets = calloc(scope->n + 1, sizeof(*policy->lets));
	if (!policy->lets)
		return -ENOMEM;
	for (size_t i = 0; i < scope->n; i++) {
		const struct part_let *from = scope->list[i];
		struct policy_let *to = &policy->lets[policy->n_lets++];
		_cleanup_buf_ struct buf text = BUF_INIT;

		if (spell_let(&text, from) < 0)
			return -ENOMEM;
		to->where = from->where;
		to->name = strdup(from->name);
		to->text = strdup(text.data + strlen("let ") + strlen(from->name) + 1);
		if (!to->name || !to->text)
			return -ENOMEM;
	}
	return 0;
}

/* --- use --- */

struct expansion {
	struct parser *p;
	struct line *into;
	size_t used; /* of into->store */
	const struct word *at;
};

static int too_long(const struct expansion *x)
{
	struct policy_where where = x->p->where;

	where.column = x->at->column;
	diag_error(x->p->d, where, "the line is longer than %d bytes or words with its variables",
		   LIMIT_POLICY_LINE);
	return -EINVAL;
}

/* One word of a variable, with what stood behind the variable's name. */
static int put_word(struct expansion *x, const struct let_word *word, const char *rest)
{
	size_t len = strlen(word->text), more = strlen(rest);
	struct policy_where where = x->p->where;
	struct line *to = x->into;

	/* of an expression each byte can become a word with its NUL */
	if (to->n + len >= LIMIT_POLICY_LINE || x->used + 2 * len + more + 2 > sizeof(to->store))
		return too_long(x);
	where.column = x->at->column;
	if (x->at->expression && !word->quoted)
		return lex_expression(word->text, where, to, &x->used, x->p->d);
	to->words[to->n++] = (struct word){ .text = to->store + x->used,
					    .column = x->at->column,
					    .quoted = word->quoted,
					    .expression = x->at->expression,
					    .variable = true };
	memcpy(to->store + x->used, word->text, len);
	memcpy(to->store + x->used + len, rest, more + 1);
	x->used += len + more + 1;
	return 0;
}

static int put_let(struct expansion *x, const struct part_let *let, const char *rest,
		   unsigned depth)
{
	int r = 0;

	for (size_t i = 0; i < let->n_words && r == 0; i++) {
		const char *text = let->words[i].text;
		size_t len = let->words[i].quoted ? 0 : let_name_len(text);
		const struct part_let *next = len ? let_find(x->p->values, text + 1, len) : NULL;

		if (!len)
			r = put_word(x, &let->words[i], rest);
		else if (!next || depth == LET_DEPTH)
			r = -EINVAL; /* let_compose has said so */
		else if (text[1 + len] && *rest)
			r = too_long(x);
		else
			r = put_let(x, next, text[1 + len] ? text + 1 + len : rest, depth + 1);
	}
	return r;
}

static int put_variable(struct expansion *x, size_t len)
{
	struct parser *p = x->p;
	const char *name = x->at->text + 1;
	struct policy_where where = p->where;
	const struct part_let *let;
	int r;

	where.column = x->at->column;
	if (!let_find(p->visible, name, len)) {
		unknown(p->d, p->visible, name, len, where);
		return -EINVAL;
	}
	let = let_find(p->values, name, len);
	if (!let)
		return -EINVAL; /* two used policies differ: said */
	r = list_grow(&p->d->expansions, p->d->n_expansions, sizeof(*p->d->expansions));
	if (r < 0)
		return r;
	p->d->expansions[p->d->n_expansions++] =
		(struct diag_expansion){ .at = where, .name = let->name, .let = let->where };
	return put_let(x, let, name + len, 0);
}

int let_expand(struct parser *p, struct line *from, struct line *into, struct line **ret)
{
	struct expansion x = { .p = p, .into = into };
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < from->n; i++)
		any = any || (!from->words[i].quoted && let_name_len(from->words[i].text));
	*ret = from;
	if (!any)
		return 0;
	into->n = 0;
	into->end = from->end;
	for (size_t i = 0; i < from->n && r == 0; i++) {
		size_t len = from->words[i].quoted ? 0 : let_name_len(from->words[i].text);

		x.at = &from->words[i];
		if (len)
			r = put_variable(&x, len);
		else if (into->n >= LIMIT_POLICY_LINE)
			r = too_long(&x);
		else
			into->words[into->n++] = from->words[i];
	}
	*ret = into;
	return r;
}
