// SPDX-License-Identifier: Apache-2.0
/* allow, deny, kill: which calls, under which conditions, with which answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/cond.h"
#include "policies/consts.h"
#include "policies/groups.h"
#include "policies/value.h"

int parse_action(const char *word, enum policy_action *ret)
{
	static const char *const names[] = { "allow", "deny", "kill" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(word, names[i]) == 0) {
			*ret = (enum policy_action)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The calls of one line, each with the word that named it first. */
struct calls {
	bool *set;     /* by place in the table */
	size_t *named; /* the word that named it; only where set */
	bool *group;   /* that word was a group */
	size_t n_table;
};

static void calls_done(struct calls *c)
{
	free(c->set);
	free(c->named);
	free(c->group);
}

static int unknown_call(struct parser *p, size_t i)
{
	const char *word = p->line->words[i].text;
	struct suggestion s = suggest_begin(word);
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	if (word[0] == '@') {
		diag_error(p->d, word_at(p, i), "there is no group '%s'", quote(word).text);
		for (size_t g = 0; groups_name(g); g++)
			suggest_offer(&s, groups_name(g));
	} else {
		diag_error(p->d, word_at(p, i), "there is no system call '%s'", quote(word).text);
		for (size_t c = 0; c < n; c++)
			suggest_offer(&s, table[c].name);
	}
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int take_word(struct parser *p, size_t i, struct calls *calls, bool *fresh)
{
	const char *word = p->line->words[i].text;
	const struct syscall_desc *call;

	memset(fresh, 0, calls->n_table * sizeof(*fresh));
	if (word[0] == '@') {
		if (groups_expand(word, fresh) < 0)
			return unknown_call(p, i);
	} else {
		size_t n;

		call = syscall_by_name(word);
		if (!call)
			return unknown_call(p, i);
		fresh[call - syscall_table(&n)] = true;
	}
	for (size_t c = 0; c < calls->n_table; c++) {
		if (!fresh[c] || calls->set[c])
			continue;
		calls->set[c] = true;
		calls->named[c] = i;
		calls->group[c] = word[0] == '@';
	}
	return 0;
}

/* Words from first up to one of the options, or the end. */
static int read_calls(struct parser *p, size_t first, struct calls *calls, size_t *ret_next)
{
	_cleanup_free_ bool *fresh = NULL;
	const struct line *line = p->line;
	size_t i = first;
	int r = 0;

	(void)syscall_table(&calls->n_table);
	calls->set = calloc(calls->n_table, sizeof(*calls->set));
	calls->named = calloc(calls->n_table, sizeof(*calls->named));
	calls->group = calloc(calls->n_table, sizeof(*calls->group));
	fresh = calloc(calls->n_table, sizeof(*fresh));
	if (!calls->set || !calls->named || !calls->group || !fresh)
		return -ENOMEM;
	for (; i < line->n; i++) {
		const char *word = line->words[i].text;

		if (strcmp(word, "if") == 0 || strcmp(word, "errno") == 0 ||
		    strcmp(word, "quiet") == 0)
			break;
		if (take_word(p, i, calls, fresh) < 0)
			r = -EINVAL;
	}
	if (r == 0 && i == first) {
		diag_error(p->d, word_at(p, i), "a system call or an @group is missing");
		r = -EINVAL;
	}
	*ret_next = i;
	return r;
}

/* --- conditions --- */

/* One condition as written: it may stand for several, and for any call that has the argument. */
struct test {
	size_t arg_word;
	size_t value_word;
	uint8_t op;
	bool negate;
	bool has_mask;
	bool range; /* values[0] to values[1] */
	struct value mask;
	struct value *values; /* any of them */
	size_t n_values;
};

struct tests {
	struct test list[LIMIT_RULE_CONDS];
	size_t n;
};

static void tests_done(struct tests *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->list[i].values);
}

static bool is_word(const struct parser *p, size_t i, const char *text)
{
	return i < p->line->n && !p->line->words[i].quoted &&
	       strcmp(p->line->words[i].text, text) == 0;
}

static int add_value(struct parser *p, struct test *t, size_t *i)
{
	int r = list_grow(&t->values, t->n_values, sizeof(*t->values));

	if (r < 0)
		return r;
	r = value_read(p, i, &t->values[t->n_values]);
	if (r == 0)
		t->n_values++;
	return r;
}

static bool value_less(struct value a, struct value b)
{
	if (a.negative != b.negative)
		return a.negative;
	return a.negative ? a.magnitude > b.magnitude : a.magnitude < b.magnitude;
}

static int read_in(struct parser *p, struct test *t, size_t *i)
{
	int r;

	t->op = POLICY_EQ;
	(*i)++;
	t->value_word = *i;
	r = add_value(p, t, i);
	if (r < 0)
		return r;
	if (is_word(p, *i, "..")) {
		(*i)++;
		t->range = true;
		r = add_value(p, t, i);
		if (r == 0 && value_less(t->values[1], t->values[0])) {
			diag_error(p->d, word_at(p, t->value_word), "the range is empty");
			return -EINVAL;
		}
		return r;
	}
	while (r == 0 && *i < p->line->n && !is_word(p, *i, "and") && !is_word(p, *i, "errno") &&
	       !is_word(p, *i, "quiet"))
		r = add_value(p, t, i);
	return r;
}

static int read_operator(struct parser *p, struct test *t, size_t *i)
{
	static const struct {
		const char *text;
		uint8_t op;
	} operators[] = { { "==", POLICY_EQ }, { "!=", POLICY_NE }, { "<", POLICY_LT },
			  { "<=", POLICY_LE }, { ">", POLICY_GT },  { ">=", POLICY_GE } };
	size_t o = 0;

	while (o < ARRAY_SIZE(operators) && !is_word(p, *i, operators[o].text))
		o++;
	if (o == ARRAY_SIZE(operators)) {
		diag_error(p->d, word_at(p, *i), "a comparison is missing");
		diag_hint(p->d, "one of == != < <= > >=, or 'in'");
		return -EINVAL;
	}
	t->op = operators[o].op;
	if (t->has_mask) {
		if (t->op != POLICY_EQ && t->op != POLICY_NE) {
			diag_error(p->d, word_at(p, *i),
				   "behind a mask only == and != have a meaning");
			return -EINVAL;
		}
		t->negate = t->op == POLICY_NE;
		t->op = POLICY_MASKED_EQ;
	}
	(*i)++;
	t->value_word = *i;
	return add_value(p, t, i);
}

static int read_test(struct parser *p, struct test *t, size_t *i)
{
	int r;

	if (*i >= p->line->n) {
		diag_error(p->d, word_at(p, *i), "a condition is missing");
		return -EINVAL;
	}
	t->arg_word = (*i)++;
	if (is_word(p, *i, "in"))
		return read_in(p, t, i);
	if (is_word(p, *i, "&")) {
		(*i)++;
		t->has_mask = true;
		r = value_read(p, i, &t->mask);
		if (r < 0)
			return r;
	}
	return read_operator(p, t, i);
}

static int read_tests(struct parser *p, size_t *i, struct tests *tests)
{
	int r;

	do {
		if (tests->n == LIMIT_RULE_CONDS) {
			diag_error(p->d, word_at(p, *i), "more than %d conditions in one rule",
				   LIMIT_RULE_CONDS);
			return -EINVAL;
		}
		(*i)++; /* `if` or `and` */
		r = read_test(p, &tests->list[tests->n++], i);
		if (r < 0)
			return r;
	} while (is_word(p, *i, "and"));
	return 0;
}

static int find_arg(struct parser *p, const struct test *t, const struct syscall_desc *call,
		    unsigned *ret)
{
	const char *name = p->line->words[t->arg_word].text;
	struct suggestion s = suggest_begin(name);
	char list[160] = "";

	for (unsigned i = 0; i < call->n_args; i++) {
		if (strcmp(call->args[i].name, name) == 0) {
			*ret = i;
			return 0;
		}
		suggest_offer(&s, call->args[i].name);
		if (i)
			strncat(list, " ", sizeof(list) - strlen(list) - 1);
		strncat(list, call->args[i].name, sizeof(list) - strlen(list) - 1);
	}
	diag_error(p->d, word_at(p, t->arg_word), "%s has no argument '%s'", call->name,
		   quote(name).text);
	if (s.best[0])
		suggest_end(p->d, &s);
	else if (call->n_args)
		diag_hint(p->d, "its arguments are: %s", list);
	else
		diag_hint(p->d, "it has no arguments");
	return -EINVAL;
}

/* What cannot be compared, and why. */
static int check_arg(struct parser *p, const struct test *t, const struct syscall_desc *call,
		     const struct syscall_arg *arg)
{
	uint64_t mask = 0;

	if (arg->width == WIDTH_PTR) {
		diag_error(p->d, word_at(p, t->arg_word),
			   "argument '%s' of %s is an address: a filter does not see what is "
			   "there, and the program can change it after the check",
			   arg->name, call->name);
		diag_hint(p->d, arg->kind == KIND_PATH
					? "restrict paths with read, exec, write and hide lines"
					: "compare another argument, or judge the call as a whole");
		return -EINVAL;
	}
	/* umode_t is unsigned short: the kernel never sees the bits above */
	if (arg->kind == KIND_MODE &&
	    (!t->has_mask || value_fit(t->mask, WIDTH_U32, true, &mask) < 0 || mask > 0xffff)) {
		diag_error(p->d, word_at(p, t->arg_word),
			   "the kernel reads 16 bits of '%s' only, the others can be anything",
			   arg->name);
		diag_hint(p->d, "compare through a mask: %s & S_IFMT == S_IFREG", arg->name);
		return -EINVAL;
	}
	return 0;
}

static int fit(struct parser *p, size_t word, const struct syscall_desc *call, unsigned arg,
	       struct value value, bool bits, uint64_t *ret)
{
	enum syscall_width width = (enum syscall_width)call->args[arg].width;

	if (value_fit(value, width, bits, ret) == 0)
		return 0;
	diag_error(p->d, word_at(p, word), "the value does not fit: '%s' of %s is %s",
		   call->args[arg].name, call->name, value_width_name(width));
	return -ERANGE;
}

/* One comparison of a test. value is an index, or which end of the range. */
static int make_cond(struct parser *p, const struct test *t, const struct syscall_desc *call,
		     unsigned arg, uint8_t op, size_t value, struct policy_cond *ret)
{
	bool bits = op == POLICY_EQ || op == POLICY_NE || op == POLICY_MASKED_EQ;
	int r;

	*ret = (struct policy_cond){
		.arg = (uint8_t)arg, .op = op, .negate = t->negate, .width = call->args[arg].width
	};
	r = fit(p, t->value_word, call, arg, t->values[value], bits, &ret->value);
	if (r == 0 && t->has_mask)
		r = fit(p, t->arg_word + 2, call, arg, t->mask, true, &ret->mask);
	if (r < 0)
		return -EINVAL;
	if (t->has_mask && (ret->value & ~ret->mask)) {
		diag_error(p->d, word_at(p, t->value_word),
			   "the value has bits that the mask takes away: never equal");
		return -EINVAL;
	}
	if (t->has_mask && ret->mask == 0) {
		diag_error(p->d, word_at(p, t->arg_word + 2),
			   "a mask of 0 leaves nothing to compare");
		return -EINVAL;
	}
	return 0;
}

/* --- rules --- */

static int insert_cond(struct parser *p, struct policy_rule *rule, struct policy_cond cond)
{
	unsigned at = 0;

	while (at < rule->n_conds && cond_compare(rule->call, &rule->conds[at], &cond) < 0)
		at++;
	if (at < rule->n_conds && cond_compare(rule->call, &rule->conds[at], &cond) == 0)
		return 0;
	if (rule->n_conds == LIMIT_RULE_CONDS) {
		diag_error(p->d, rule->where, "more than %d comparisons in one rule",
			   LIMIT_RULE_CONDS);
		return -EINVAL;
	}
	memmove(&rule->conds[at + 1], &rule->conds[at],
		(rule->n_conds - at) * sizeof(rule->conds[0]));
	rule->conds[at] = cond;
	rule->n_conds++;
	return 0;
}

static int add_rule(struct parser *p, const struct policy_rule *rule)
{
	struct part *part = p->part;
	int r;

	if (part->n_rules == LIMIT_POLICY_RULES) {
		diag_error(p->d, rule->where, "more than %d rules", LIMIT_POLICY_RULES);
		return -EINVAL;
	}
	r = list_grow(&part->rules, part->n_rules, sizeof(*part->rules));
	if (r < 0)
		return r;
	part->rules[part->n_rules++] = *rule;
	return 0;
}

/* `in A B` is one rule a value: every combination of the tests from number i on. */
static int expand(struct parser *p, const struct tests *tests, size_t i,
		  const struct policy_rule *so_far)
{
	const struct test *t = &tests->list[i];
	struct policy_rule rule;
	struct policy_cond cond;
	unsigned arg = 0;
	int r;

	if (i == tests->n)
		return add_rule(p, so_far);
	r = find_arg(p, t, so_far->call, &arg);
	if (r == 0)
		r = check_arg(p, t, so_far->call, &so_far->call->args[arg]);
	for (size_t v = 0; r == 0 && v < (t->range ? 1 : t->n_values); v++) {
		rule = *so_far;
		r = make_cond(p, t, rule.call, arg, t->range ? POLICY_GE : t->op, v, &cond);
		if (r == 0)
			r = insert_cond(p, &rule, cond);
		if (r == 0 && t->range)
			r = make_cond(p, t, rule.call, arg, POLICY_LE, 1, &cond);
		if (r == 0 && t->range)
			r = insert_cond(p, &rule, cond);
		if (r == 0)
			r = expand(p, tests, i + 1, &rule);
	}
	return r;
}

struct options {
	uint16_t errno_value;
	bool has_errno;
	bool quiet;
};

int parse_errno(struct parser *p, size_t i, uint16_t *ret)
{
	struct suggestion s;
	const char *name;

	if (i >= p->line->n) {
		diag_error(p->d, word_at(p, i), "the name of an error is missing");
		diag_hint(p->d, "as in: errno ENOSYS");
		return -EINVAL;
	}
	name = p->line->words[i].text;
	if (consts_find_errno(name, ret) < 0) {
		diag_error(p->d, word_at(p, i), "there is no error '%s'", quote(name).text);
		s = suggest_begin(name);
		for (size_t e = 0; consts_errno_name(e); e++)
			suggest_offer(&s, consts_errno_name(e));
		suggest_end(p->d, &s);
		return -EINVAL;
	}
	return 0;
}

static int read_options(struct parser *p, size_t i, enum policy_action action, struct options *o)
{
	while (i < p->line->n) {
		if (is_word(p, i, "errno") && !o->has_errno) {
			if (action != POLICY_DENY) {
				diag_error(p->d, word_at(p, i), "only deny answers with an error");
				return -EINVAL;
			}
			if (parse_errno(p, i + 1, &o->errno_value) < 0)
				return -EINVAL;
			o->has_errno = true;
			i += 2;
		} else if (is_word(p, i, "quiet") && !o->quiet) {
			if (action == POLICY_ALLOW) {
				diag_error(p->d, word_at(p, i),
					   "an allowed call is never recorded");
				return -EINVAL;
			}
			o->quiet = true;
			i++;
		} else {
			diag_error(p->d, word_at(p, i), "'%s' is not expected here",
				   quote(p->line->words[i].text).text);
			return -EINVAL;
		}
	}
	return 0;
}

static uint8_t abis_of(const struct syscall_desc *call)
{
	uint8_t mask = 0;

	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (call->nr[a] >= 0)
			mask |= (uint8_t)(1U << a);
	}
	return mask;
}

static int add_rules(struct parser *p, enum policy_action action, const struct calls *calls,
		     const struct tests *tests, const struct options *o)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t c = 0; c < n; c++) {
		struct policy_rule rule = { .call = &table[c], .action = (uint8_t)action };
		int r;

		if (!calls->set[c])
			continue;
		rule.abi_mask = abis_of(rule.call);
		rule.quiet = o->quiet;
		rule.where = word_at(p, calls->named[c]);
		if (action == POLICY_DENY)
			rule.errno_value = o->has_errno ? o->errno_value : EPERM;
		r = expand(p, tests, 0, &rule);
		if (r < 0)
			return r; /* the other calls would repeat the mistake */
	}
	return 0;
}

int parse_call_rule(struct parser *p, enum policy_action action)
{
	struct calls calls = { .set = NULL };
	struct tests tests = { .n = 0 };
	struct options options = { .quiet = false };
	size_t i = 1;
	int r;

	r = read_calls(p, 1, &calls, &i);
	if (r == 0 && is_word(p, i, "if"))
		r = read_tests(p, &i, &tests);
	if (r == 0)
		r = read_options(p, i, action, &options);
	if (r == 0)
		r = add_rules(p, action, &calls, &tests, &options);
	tests_done(&tests);
	calls_done(&calls);
	return r;
}

int parse_remove_call(struct parser *p, enum policy_action action, bool expect, size_t first)
{
	struct calls calls = { .set = NULL };
	struct part *part = p->part;
	size_t i = first, n;
	const struct syscall_desc *table = syscall_table(&n);
	int r = read_calls(p, first, &calls, &i);

	if (r == 0 && i < p->line->n) {
		diag_error(p->d, word_at(p, i), "a removal has no conditions and no options");
		diag_hint(p->d, "it takes away every '%s' line of the call",
			  p->line->words[first - 1].text);
		r = -EINVAL;
	}
	for (size_t c = 0; r == 0 && c < n; c++) {
		if (!calls.set[c])
			continue;
		if (part->n_removes == LIMIT_POLICY_RULES) {
			diag_error(p->d, word_at(p, first), "more than %d removals",
				   LIMIT_POLICY_RULES);
			r = -EINVAL;
			break;
		}
		r = list_grow(&part->removes, part->n_removes, sizeof(*part->removes));
		if (r < 0)
			break;
		part->removes[part->n_removes++] = (struct part_remove){
			.what = expect ? REMOVE_EXPECT : REMOVE_CALL,
			.verb = (uint8_t)action,
			.group = calls.group[c],
			.call = &table[c],
			.where = word_at(p, calls.named[c]),
		};
	}
	calls_done(&calls);
	return r;
}
