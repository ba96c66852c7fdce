// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/let.h"

struct policy_where word_at(const struct parser *p, size_t i)
{
	struct policy_where w = p->line->end;

	if (i < p->line->n)
		w.column = p->line->words[i].column;
	return w;
}

static bool is_policy_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= LIMIT_NAME)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_'))
			return false;
	}
	return true;
}

static int bad_name(struct parser *p, size_t i)
{
	if (i >= p->line->n) {
		diag_error(p->d, word_at(p, i), "the name of a policy is missing");
	} else {
		diag_error(p->d, word_at(p, i), "'%s' is no name of a policy",
			   quote(p->line->words[i].text).text);
		diag_hint(p->d, "letters, digits, '-' and '_', at most %d", LIMIT_NAME - 1);
	}
	return -EINVAL;
}

static int parse_name(struct parser *p)
{
	struct part *part = p->part;

	if (p->line->n < 2 || !is_policy_name(p->line->words[1].text))
		return bad_name(p, 1);
	if (p->line->n > 2) {
		diag_error(p->d, word_at(p, 2), "a policy has one name");
		return -EINVAL;
	}
	if (part->name) {
		diag_error(p->d, word_at(p, 0), "a file holds one policy; line %u began it",
			   part->name_where.line);
		return -EINVAL;
	}
	part->name = strdup(p->line->words[1].text);
	part->name_where = word_at(p, 1);
	return part->name ? 0 : -ENOMEM;
}

static int parse_use(struct parser *p)
{
	struct part *part = p->part;

	if (p->line->n < 2)
		return bad_name(p, 1);
	for (size_t i = 1; i < p->line->n; i++) {
		const char *name = p->line->words[i].text;
		bool twice = false;

		if (!is_policy_name(name))
			return bad_name(p, i);
		for (size_t k = 0; k < part->n_uses; k++)
			twice = twice || strcmp(part->uses[k].name, name) == 0;
		if (twice)
			continue;
		if (part->n_uses == LIMIT_POLICY_FILES) {
			diag_error(p->d, word_at(p, i), "more than %d policies used",
				   LIMIT_POLICY_FILES);
			return -EINVAL;
		}
		if (list_grow(&part->uses, part->n_uses, sizeof(*part->uses)) < 0)
			return -ENOMEM;
		part->uses[part->n_uses] =
			(struct part_use){ .name = strdup(name), .where = word_at(p, i) };
		if (!part->uses[part->n_uses].name)
			return -ENOMEM;
		part->n_uses++;
	}
	return 0;
}

static int add_removal(struct parser *p, struct part_remove removal)
{
	struct part *part = p->part;

	if (list_grow(&part->removes, part->n_removes, sizeof(*part->removes)) < 0) {
		free(removal.text);
		return -ENOMEM;
	}
	part->removes[part->n_removes++] = removal;
	return 0;
}

static int remove_texts(struct parser *p, enum remove_what what, enum policy_path_verb verb)
{
	if (p->line->n < 3) {
		diag_error(p->d, word_at(p, 2), "what to remove is missing");
		return -EINVAL;
	}
	for (size_t i = 2; i < p->line->n; i++) {
		char *text = NULL;
		int r = 0;

		if (what == REMOVE_PATH)
			r = parse_path_text(p, i, &text);
		else
			text = strdup(p->line->words[i].text);
		if (r < 0)
			return r;
		if (!text)
			return -ENOMEM;
		r = add_removal(p, (struct part_remove){ .what = (uint8_t)what,
							 .verb = (uint8_t)verb,
							 .text = text,
							 .where = word_at(p, i) });
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_remove(struct parser *p)
{
	const char *verb = p->line->n > 1 ? p->line->words[1].text : "";
	enum policy_action action = POLICY_ALLOW;
	enum policy_path_verb path_verb = POLICY_PATH_READ;
	bool optional;

	if (parse_action(verb, &action) == 0)
		return parse_remove_call(p, action, false, 2);
	if (strcmp(verb, "expect") == 0 && p->line->n > 2 &&
	    parse_action(p->line->words[2].text, &action) == 0)
		return parse_remove_expect(p, action);
	if (strcmp(verb, "net") == 0)
		return parse_remove_port(p);
	if (parse_path_verb(verb, &path_verb, &optional) == 0)
		return remove_texts(p, REMOVE_PATH, path_verb);
	if (strcmp(verb, "env") == 0)
		return remove_texts(p, REMOVE_ENV, POLICY_PATH_READ);
	diag_error(p->d, word_at(p, 1), "what to remove is missing");
	diag_hint(
		p->d,
		"allow, deny, kill, expect, a path's verb, net or env, as in: remove allow ptrace");
	return -EINVAL;
}

static int unknown_verb(struct parser *p)
{
	static const char *const verbs[] = { "policy",	"use",	  "let",    "allow",  "deny",
					     "kill",	"expect", "remove", "read",   "exec",
					     "write",	"hide",	  "tmpfs",  "kernel", "abi",
					     "net",	"cap",	  "limit",  "env",    "notify",
					     "default", "label" };
	const char *word = p->line->words[0].text;
	struct suggestion s = suggest_begin(word);

	diag_error(p->d, word_at(p, 0), "'%s' begins no line of a policy", quote(word).text);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		suggest_offer(&s, verbs[i]);
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int parse_statement(struct parser *p)
{
	const char *verb = p->line->words[0].text;
	enum policy_action action = POLICY_ALLOW;
	enum policy_path_verb path_verb = POLICY_PATH_READ;
	bool optional = false;

	if (p->line->words[0].quoted)
		return unknown_verb(p);
	if (strcmp(verb, "policy") == 0)
		return parse_name(p);
	if (strcmp(verb, "use") == 0)
		return parse_use(p);
	if (strcmp(verb, "let") == 0)
		return let_parse(p);
	if (strcmp(verb, "remove") == 0)
		return parse_remove(p);
	if (strcmp(verb, "expect") == 0)
		return parse_expect(p);
	if (parse_action(verb, &action) == 0)
		return parse_call_rule(p, action);
	if (parse_path_verb(verb, &path_verb, &optional) == 0)
		return parse_path(p, path_verb, optional);
	if (parse_is_setting(verb))
		return parse_settings(p);
	return unknown_verb(p);
}

/* The names of these lines are for every reader of the file the same. */
static bool stands_as_written(const struct line *line)
{
	const char *verb = line->words[0].text;

	return strcmp(verb, "policy") == 0 || strcmp(verb, "use") == 0 || strcmp(verb, "let") == 0;
}

static int parse_line(struct parser *p, const char *text, size_t len, struct line lines[2])
{
	int r;

	if (len > LIMIT_POLICY_LINE) {
		p->where.column = LIMIT_POLICY_LINE + 1;
		diag_error(p->d, p->where, "the line is longer than %d bytes", LIMIT_POLICY_LINE);
		return -EINVAL;
	}
	p->line = &lines[0];
	p->d->n_expansions = 0;
	if (lex_line(text, len, p->where, p->line, p->d) < 0)
		return -EINVAL;
	if (p->line->n == 0)
		return 0;
	if (!stands_as_written(p->line)) {
		r = let_expand(p, &lines[0], &lines[1], &p->line);
		if (r < 0)
			return r;
	}
	r = parse_statement(p);
	p->d->n_expansions = 0;
	return r;
}

/* Each line of a text in turn, until its reader says -ENOMEM. */
static int each_line(struct parser *p, const char *text, size_t len, uint16_t source,
		     int (*read)(struct parser *p, const char *text, size_t len,
				 struct line lines[2]))
{
	_cleanup_free_ struct line *lines = calloc(2, sizeof(*lines));
	const char *at = text, *end = text + len;

	if (!lines)
		return -ENOMEM;
	for (uint32_t n = 1; at < end && !diag_full(p->d); n++) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl ? nl : end;

		p->where = (struct policy_where){ .source = source, .line = n, .column = 1 };
		if (read(p, at, (size_t)(stop - at), lines) == -ENOMEM)
			return -ENOMEM;
		at = stop + (nl != NULL);
	}
	return p->d->no_memory ? -ENOMEM : 0;
}

static bool begins_with(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word), i = 0;

	while (i < len && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return len - i > n && memcmp(text + i, word, n) == 0 &&
	       (text[i + n] == ' ' || text[i + n] == '\t');
}

static int parse_use_line(struct parser *p, const char *text, size_t len, struct line lines[2])
{
	bool use = begins_with(text, len, "use");
	int r = 0;

	if ((use || begins_with(text, len, "let")) && len <= LIMIT_POLICY_LINE &&
	    lex_line(text, len, p->where, &lines[0], p->d) == 0) {
		p->line = &lines[0];
		r = use ? parse_use(p) : let_parse(p);
	}
	policy_diags_done(p->d->out); /* parse_text says them again, each in its place */
	return r;
}

int parse_uses(const char *text, size_t len, uint16_t source, struct part *part)
{
	struct policy_diags unheard = { .text = BUF_INIT };
	struct diag d = { .out = &unheard };
	struct parser p = { .part = part, .d = &d };

	return each_line(&p, text, len, source, parse_use_line);
}

int parse_text(const char *text, size_t len, uint16_t source, const struct parser *settings)
{
	struct parser p = *settings;

	return each_line(&p, text, len, source, parse_line);
}
