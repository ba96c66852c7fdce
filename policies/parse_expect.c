// SPDX-License-Identifier: Apache-2.0
/* expect ACTION CALL..., CALL(args), VERB PATH, connect|bind PROTOCOL PORT, or a setting: a test,
 * as written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "policies/groups.h"
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

_Static_assert((int)SCALAR_LIMIT == (int)_POLICY_SETTING_MAX &&
		       (int)SCALAR_NET == (int)POLICY_SETTING_NET,
	       "a setting's number is its scalar's");

static int unknown_call(struct parser *p, size_t i, const char *name)
{
	struct suggestion s = suggest_begin(name);
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	if (name[0] == '@') {
		diag_error(p->d, word_at(p, i), "there is no group '%s'", quote(name).text);
		for (size_t g = 0; groups_name(g); g++)
			suggest_offer(&s, groups_name(g));
	} else {
		diag_error(p->d, word_at(p, i), "there is no system call '%s'", quote(name).text);
		for (size_t c = 0; c < n; c++)
			suggest_offer(&s, table[c].name);
	}
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int no_more(struct parser *p, size_t i)
{
	if (i >= p->line->n)
		return 0;
	diag_error(p->d, word_at(p, i), "'%s' is not expected here",
		   quote(p->line->words[i].text).text);
	return -EINVAL;
}

static int add_expect(struct parser *p, const struct policy_expect *e)
{
	int r = list_grow(&p->part->expects, p->part->n_expects, sizeof(*p->part->expects));

	if (r == 0)
		p->part->expects[p->part->n_expects++] = *e;
	return r;
}

/* `errno NAME` behind a call that is denied. */
static int read_errno(struct parser *p, struct policy_expect *e, size_t *i)
{
	int r;

	if (!is_sign(p, *i, "errno"))
		return 0;
	if (e->action != POLICY_DENY) {
		diag_error(p->d, word_at(p, *i), "only deny answers with an error");
		return -EINVAL;
	}
	r = parse_errno(p, *i + 1, &e->errno_value);
	*i += 2;
	return r;
}

static int expect_one(struct parser *p, struct policy_expect *e, size_t i)
{
	int r = 0;

	if (is_sign(p, i, "("))
		r = read_args(p, e, &i);
	r = r ? r : read_errno(p, e, &i);
	r = r ? r : no_more(p, i);
	r = r ? r : add_expect(p, e);
	for (unsigned k = 0; r < 0 && k < 6; k++)
		free(e->text[k]);
	return r;
}

/* A test for each call of a group that a 64-bit ABI has. */
static int expect_group(struct parser *p, struct policy_expect *e, size_t i, const char *name)
{
	_cleanup_free_ bool *set = NULL;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	int r = 0;

	set = calloc(n, sizeof(*set));
	if (!set)
		return -ENOMEM;
	if (groups_expand(name, set) < 0)
		return unknown_call(p, i, name);
	for (size_t c = 0; c < n && r == 0; c++) {
		if (!set[c] || (table[c].nr[ABI_X86_64] < 0 && table[c].nr[ABI_AARCH64] < 0))
			continue;
		e->call = &table[c];
		r = add_expect(p, e);
	}
	return r;
}

/* One call with its arguments, or several names without. */
static int expect_calls(struct parser *p, struct policy_expect *e)
{
	size_t n = p->line->n, i = 2;
	int r = 0;

	for (size_t k = 3; k < p->line->n; k++) {
		if (is_sign(p, k, "(") || is_sign(p, k, "errno"))
			n = k < n ? k : n;
	}
	if (n < p->line->n && is_sign(p, n, "errno")) {
		size_t behind = n;

		r = read_errno(p, e, &behind);
		r = r ? r : no_more(p, behind);
	}
	while (i < n && r == 0) {
		size_t first = i++;
		const char *name = p->line->words[first].text;

		e->where.column = word_at(p, first).column;
		if (name[0] == '@') {
			r = expect_group(p, e, first, name);
			continue;
		}
		e->call = syscall_by_name(name);
		if (!e->call)
			r = unknown_call(p, first, name);
		else if (is_sign(p, i, "("))
			return first == 2 ? expect_one(p, e, i) : no_more(p, i);
		else
			r = add_expect(p, e);
	}
	return r ? r : n < p->line->n && is_sign(p, n, "(") ? no_more(p, n) : 0;
}

static int expect_scalar(struct parser *p, unsigned kind, const struct scalar *s)
{
	struct policy_expect e = { .kind = POLICY_EXPECT_SETTING,
				   .setting = (uint8_t)kind,
				   .value = s->value,
				   .where = s->where };
	char set[CPUS_TEXT];
	int r;

	if (kind == SCALAR_LIMIT + POLICY_LIMIT_CPUSET && s->value != SCALAR_NONE) {
		e.text[0] = strdup(cpus_format(&s->cpus, set));
		if (!e.text[0])
			return -ENOMEM;
	}
	r = add_expect(p, &e);
	if (r < 0)
		free(e.text[0]);
	return r;
}

/* The same words as the line that says it: read as one, into a part of its own. */
static int expect_settings(struct parser *p)
{
	struct part scratch = { .name = NULL };
	struct parser sub = *p;
	struct line *line = p->line;
	int r;

	sub.part = &scratch;
	line->n--;
	memmove(&line->words[0], &line->words[1], line->n * sizeof(line->words[0]));
	r = parse_settings(&sub);
	if (r == 0 && scratch.n_ports) {
		diag_error(p->d, word_at(p, 1), "a port is asked about by allow or deny");
		diag_hint(p->d, "as in: expect allow connect tcp 443");
		r = -EINVAL;
	}
	for (unsigned k = 0; k < _SCALAR_MAX && r == 0; k++) {
		if (scratch.scalars[k].set)
			r = expect_scalar(p, k, &scratch.scalars[k]);
	}
	for (size_t i = 0; i < scratch.n_env && r == 0; i++) {
		struct policy_env *env = &scratch.env[i];

		r = add_expect(p, &(struct policy_expect){ .kind = POLICY_EXPECT_ENV,
							   .path = env->name,
							   .text = { env->value },
							   .where = env->where });
		if (r == 0)
			*env = (struct policy_env){ .name = NULL }; /* handed over */
	}
	for (unsigned i = 0; i < _POLICY_LSM_MAX && r == 0; i++) {
		struct policy_label *label = &scratch.labels[i];

		if (!label->text)
			continue;
		r = add_expect(p, &(struct policy_expect){ .kind = POLICY_EXPECT_LABEL,
							   .setting = (uint8_t)i,
							   .text = { label->text },
							   .where = label->where });
		if (r == 0)
			label->text = NULL; /* handed over */
	}
	part_done(&scratch);
	return r;
}

/* One test a path. */
static int expect_paths(struct parser *p, struct policy_expect *e, enum policy_path_verb verb)
{
	int r = 0;

	e->kind = POLICY_EXPECT_PATH;
	e->verb = (uint8_t)verb;
	for (size_t i = 3; i < p->line->n && r == 0; i++) {
		e->where.column = word_at(p, i).column;
		r = parse_path_text(p, i, &e->path);
		if (r < 0)
			break;
		r = add_expect(p, e);
		if (r < 0)
			free(e->path);
	}
	return r;
}

static int expect_ports(struct parser *p, struct policy_expect *e,
			enum policy_port_direction direction)
{
	_cleanup_free_ struct policy_port *list = NULL;
	size_t n = 0;
	int r = parse_ports(p, 3, direction, &list, &n);

	e->kind = POLICY_EXPECT_PORT;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (list[i].first != list[i].last) {
			diag_error(p->d, list[i].where, "a test asks about one port");
			return -EINVAL;
		}
		e->port = list[i];
		e->where.column = list[i].where.column;
		r = add_expect(p, e);
	}
	return r;
}

static bool is_expect_verb(const char *word, enum policy_path_verb *ret)
{
	bool optional = false;

	return parse_path_verb(word, ret, &optional) == 0 && !optional &&
	       (*ret == POLICY_PATH_READ || *ret == POLICY_PATH_WRITE || *ret == POLICY_PATH_EXEC);
}

int parse_expect(struct parser *p)
{
	struct policy_expect e = { .where = p->where };
	enum policy_action action = POLICY_ALLOW;
	enum policy_path_verb verb = POLICY_PATH_READ;
	enum policy_port_direction direction = POLICY_PORT_CONNECT;
	const struct word *third;

	if (p->line->n < 3) {
		diag_error(p->d, word_at(p, p->line->n), "an answer and a call are missing");
		diag_hint(p->d, "as in: expect deny mount");
		return -EINVAL;
	}
	if (parse_is_setting(p->line->words[1].text))
		return expect_settings(p);
	if (parse_action(p->line->words[1].text, &action) < 0) {
		diag_error(p->d, word_at(p, 1), "'%s' is no answer: allow, deny or kill",
			   quote(p->line->words[1].text).text);
		return -EINVAL;
	}
	e.action = (uint8_t)action;
	/* the lexer has seen by what follows whether it is a call */
	third = &p->line->words[2];
	if (third->expression || (!is_expect_verb(third->text, &verb) &&
				  parse_port_direction(third->text, &direction) < 0))
		return expect_calls(p, &e);
	if (action == POLICY_KILL) {
		diag_error(p->d, word_at(p, 1),
			   "of paths and ports nothing is killed: allow or deny");
		return -EINVAL;
	}
	if (is_expect_verb(third->text, &verb))
		return expect_paths(p, &e, verb);
	return expect_ports(p, &e, direction);
}

/* --- remove expect --- */

static int add_removal(struct parser *p, const struct part_remove *removal)
{
	int r = list_grow(&p->part->removes, p->part->n_removes, sizeof(*p->part->removes));

	if (r == 0)
		p->part->removes[p->part->n_removes++] = *removal;
	return r;
}

static bool is_path_word(const struct parser *p, size_t i)
{
	return i < p->line->n &&
	       (p->line->words[i].quoted || strchr("/~$", p->line->words[i].text[0]));
}

int parse_remove_expect(struct parser *p, enum policy_action action)
{
	struct part_remove removal = { .what = REMOVE_EXPECT, .verb = (uint8_t)action };
	enum policy_path_verb verb = POLICY_PATH_READ;
	enum policy_port_direction direction = POLICY_PORT_CONNECT;
	const char *third = p->line->n > 3 ? p->line->words[3].text : "";
	_cleanup_free_ struct policy_port *list = NULL;
	struct policy_port port;
	size_t n = 0;
	int r = 0;

	if (is_expect_verb(third, &verb) && is_path_word(p, 4)) {
		removal.kind = POLICY_EXPECT_PATH;
		removal.path_verb = (uint8_t)verb;
		for (size_t i = 4; i < p->line->n && r == 0; i++) {
			removal.where = word_at(p, i);
			r = parse_path_text(p, i, &removal.text);
			if (r == 0 && add_removal(p, &removal) < 0) {
				free(removal.text);
				r = -ENOMEM;
			}
		}
		return r;
	}
	if (parse_port_direction(third, &direction) < 0 || p->line->n < 5 ||
	    parse_port_protocol(p->line->words[4].text, &port) < 0)
		return parse_remove_call(p, action, true, 3);
	removal.kind = POLICY_EXPECT_PORT;
	r = parse_ports(p, 4, direction, &list, &n);
	for (size_t i = 0; i < n && r == 0; i++) {
		removal.port = list[i];
		removal.where = list[i].where;
		r = add_removal(p, &removal);
	}
	return r;
}
