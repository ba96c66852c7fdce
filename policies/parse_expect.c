// SPDX-License-Identifier: Apache-2.0
/* expect ACTION CALL or CALL(args): a test, kept as written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "policies/value.h"

static bool is_sign(const struct parser *p, size_t i, const char *sign)
{
	return i < p->line->n && !p->line->words[i].quoted &&
	       strcmp(p->line->words[i].text, sign) == 0;
}

static int read_arg(struct parser *p, struct policy_expect *e, size_t *i)
{
	const struct syscall_arg *arg;
	struct value value;
	size_t first = *i;
	int r;

	if (e->n_args == e->call->n_args) {
		diag_error(p->d, word_at(p, first), "%s has %u arguments", e->call->name,
			   e->call->n_args);
		return -EINVAL;
	}
	arg = &e->call->args[e->n_args];
	/* openat("/x") is what everybody means by openat(AT_FDCWD, "/x") */
	if (arg->kind == KIND_DIRFD && first < p->line->n && p->line->words[first].quoted) {
		e->args[e->n_args++] = (uint32_t)AT_FDCWD;
		arg = &e->call->args[e->n_args];
	}
	if (first < p->line->n && p->line->words[first].quoted) {
		if (arg->width != WIDTH_PTR) {
			diag_error(p->d, word_at(p, first), "argument '%s' of %s is %s, no text",
				   arg->name, e->call->name,
				   value_width_name((enum syscall_width)arg->width));
			return -EINVAL;
		}
		e->text[e->n_args] = strdup(p->line->words[first].text);
		if (!e->text[e->n_args])
			return -ENOMEM;
		e->has_text[e->n_args++] = true;
		(*i)++;
		return 0;
	}
	r = value_read(p, i, &value);
	if (r < 0)
		return r;
	if (value_fit(value, (enum syscall_width)arg->width, true, &e->args[e->n_args]) < 0) {
		diag_error(p->d, word_at(p, first), "the value does not fit: '%s' of %s is %s",
			   arg->name, e->call->name,
			   value_width_name((enum syscall_width)arg->width));
		return -EINVAL;
	}
	e->n_args++;
	return 0;
}

static int read_args(struct parser *p, struct policy_expect *e, size_t *i)
{
	int r;

	(*i)++;
	if (is_sign(p, *i, ")")) {
		(*i)++;
		return 0;
	}
	for (;;) {
		r = read_arg(p, e, i);
		if (r < 0)
			return r;
		if (is_sign(p, *i, ")")) {
			(*i)++;
			return 0;
		}
		if (!is_sign(p, *i, ",")) {
			diag_error(p->d, word_at(p, *i), "a ',' or a ')' is missing");
			return -EINVAL;
		}
		(*i)++;
	}
}

static int read_call(struct parser *p, struct policy_expect *e)
{
	struct suggestion s;
	const struct syscall_desc *table;
	enum policy_action action = POLICY_ALLOW;
	size_t n;

	if (p->line->n < 3) {
		diag_error(p->d, word_at(p, p->line->n), "an answer and a call are missing");
		diag_hint(p->d, "as in: expect deny mount");
		return -EINVAL;
	}
	if (parse_action(p->line->words[1].text, &action) < 0) {
		diag_error(p->d, word_at(p, 1), "'%s' is no answer: allow, deny or kill",
			   quote(p->line->words[1].text).text);
		return -EINVAL;
	}
	e->action = (uint8_t)action;
	e->call = syscall_by_name(p->line->words[2].text);
	if (!e->call) {
		s = suggest_begin(p->line->words[2].text);
		table = syscall_table(&n);
		diag_error(p->d, word_at(p, 2), "there is no system call '%s'",
			   quote(p->line->words[2].text).text);
		for (size_t c = 0; c < n; c++)
			suggest_offer(&s, table[c].name);
		suggest_end(p->d, &s);
		return -EINVAL;
	}
	return 0;
}

int parse_expect(struct parser *p)
{
	struct policy_expect e = { .where = p->where };
	size_t i = 3;
	int r = read_call(p, &e);

	if (r == 0 && is_sign(p, i, "("))
		r = read_args(p, &e, &i);
	if (r == 0 && i < p->line->n) {
		diag_error(p->d, word_at(p, i), "'%s' is not expected here",
			   quote(p->line->words[i].text).text);
		r = -EINVAL;
	}
	if (r == 0)
		r = list_grow(&p->part->expects, p->part->n_expects, sizeof(*p->part->expects));
	if (r == 0) {
		p->part->expects[p->part->n_expects++] = e;
		return 0;
	}
	for (unsigned k = 0; k < 6; k++)
		free(e.text[k]);
	return r;
}
