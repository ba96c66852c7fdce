// SPDX-License-Identifier: Apache-2.0
/* Conditions: what they compare, and what becomes of them on each ABI. */
#include "policies/parse_cond.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/abi_args.h"
#include "policies/cond.h"

void tests_done(struct tests *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->list[i].spans);
}

bool parse_is_word(const struct parser *p, size_t i, const char *text)
{
	return i < p->line->n && !p->line->words[i].quoted &&
	       strcmp(p->line->words[i].text, text) == 0;
}

bool parse_is_suffix(const struct parser *p, size_t i)
{
	static const char *const words[] = { "if", "and", "on", "errno", "quiet" };

	for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
		/* what a variable holds is no word of the language */
		if (parse_is_word(p, i, words[k]) && !p->line->words[i].variable)
			return true;
	}
	return false;
}

/* --- as written --- */

static bool value_less(struct value a, struct value b)
{
	if (a.negative != b.negative)
		return a.negative;
	return a.negative ? a.magnitude > b.magnitude : a.magnitude < b.magnitude;
}

static int add_span(struct parser *p, struct test *t, size_t *i, bool may_range)
{
	struct span span = { .word = *i };
	int r = value_read(p, i, &span.low);

	if (r == 0 && may_range && parse_is_word(p, *i, "..")) {
		(*i)++;
		span.range = true;
		r = value_read(p, i, &span.high);
	}
	if (r < 0)
		return r;
	if (span.range && value_less(span.high, span.low)) {
		diag_error(p->d, word_at(p, span.word), "the range is empty");
		return -EINVAL;
	}
	r = list_grow(&t->spans, t->n_spans, sizeof(*t->spans));
	if (r == 0)
		t->spans[t->n_spans++] = span;
	return r;
}

static int read_in(struct parser *p, struct test *t, size_t *i)
{
	int r;

	t->op = POLICY_EQ;
	(*i)++;
	r = add_span(p, t, i, true);
	while (r == 0 && *i < p->line->n && !parse_is_suffix(p, *i))
		r = add_span(p, t, i, true);
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

	while (o < ARRAY_SIZE(operators) && !parse_is_word(p, *i, operators[o].text))
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
	return add_span(p, t, i, false);
}

static int read_test(struct parser *p, struct test *t, size_t *i)
{
	int r;

	if (*i >= p->line->n) {
		diag_error(p->d, word_at(p, *i), "a condition is missing");
		return -EINVAL;
	}
	t->arg_word = (*i)++;
	if (parse_is_word(p, *i, "in"))
		return read_in(p, t, i);
	if (parse_is_word(p, *i, "&")) {
		(*i)++;
		t->has_mask = true;
		r = value_read(p, i, &t->mask);
		if (r < 0)
			return r;
	}
	return read_operator(p, t, i);
}

int parse_tests(struct parser *p, size_t *i, struct tests *ret)
{
	int r;

	do {
		if (ret->n == LIMIT_RULE_CONDS) {
			diag_error(p->d, word_at(p, *i), "more than %d conditions in one rule",
				   LIMIT_RULE_CONDS);
			return -EINVAL;
		}
		(*i)++; /* `if` or `and` */
		r = read_test(p, &ret->list[ret->n++], i);
		if (r < 0)
			return r;
	} while (parse_is_word(p, *i, "and"));
	if (parse_is_word(p, *i, "or")) {
		diag_error(p->d, word_at(p, *i), "there is no 'or' in a rule");
		diag_hint(p->d, "write a second line: a call may pass by any of several rules");
		return -EINVAL;
	}
	return 0;
}

/* --- for one call --- */

/* The tests as they are for one call and, in widths, for one of its ABIs. */
struct judged {
	struct parser *p;
	const struct tests *tests;
	const struct syscall_desc *call;
	unsigned arg[LIMIT_RULE_CONDS];
	enum syscall_width width[LIMIT_RULE_CONDS];
};

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

static bool wants_bits(uint8_t op)
{
	return op == POLICY_EQ || op == POLICY_NE || op == POLICY_MASKED_EQ;
}

/* Whether all values of a test fit the width; *ret_word is that of the one that does not. */
static bool fits(const struct test *t, enum syscall_width width, size_t *ret_word)
{
	uint64_t value;

	for (size_t s = 0; s < t->n_spans; s++) {
		const struct span *span = &t->spans[s];

		*ret_word = span->word;
		if (value_fit(span->low, width, !span->range && wants_bits(t->op), &value) < 0 ||
		    (span->range && value_fit(span->high, width, false, &value) < 0))
			return false;
	}
	*ret_word = t->arg_word + 2;
	return !t->has_mask || value_fit(t->mask, width, true, &value) == 0;
}

static int check_mask(struct judged *j, const struct test *t, enum syscall_width width)
{
	uint64_t mask = 0, value = 0;

	if (!t->has_mask || value_fit(t->mask, width, true, &mask) < 0 ||
	    value_fit(t->spans[0].low, width, true, &value) < 0)
		return 0;
	if (value & ~mask) {
		diag_error(j->p->d, word_at(j->p, t->spans[0].word),
			   "the value has bits that the mask takes away: never equal");
		return -EINVAL;
	}
	if (mask == 0) {
		diag_error(j->p->d, word_at(j->p, t->arg_word + 2),
			   "a mask of 0 leaves nothing to compare");
		return -EINVAL;
	}
	return 0;
}

/* Against the table's own prototype; mistakes that no ABI can help. */
static int resolve(struct judged *j)
{
	for (size_t i = 0; i < j->tests->n; i++) {
		const struct test *t = &j->tests->list[i];
		const struct syscall_arg *arg;
		enum syscall_width width;
		size_t word = 0;

		if (find_arg(j->p, t, j->call, &j->arg[i]) < 0)
			return -EINVAL;
		arg = &j->call->args[j->arg[i]];
		if (check_arg(j->p, t, j->call, arg) < 0)
			return -EINVAL;
		width = (enum syscall_width)arg->width;
		if (!fits(t, width, &word)) {
			diag_error(j->p->d, word_at(j->p, word),
				   "the value does not fit: '%s' of %s is %s", arg->name,
				   j->call->name, value_width_name(width));
			return -EINVAL;
		}
		if (check_mask(j, t, width) < 0)
			return -EINVAL;
	}
	return 0;
}

/* Fill j->width as that ABI has it. 0, or -EINVAL with which test cannot be and why. */
static int judge_abi(struct judged *j, enum abi abi, size_t *ret_test, const char **ret_why)
{
	size_t word;

	for (size_t i = 0; i < j->tests->n; i++) {
		*ret_test = i;
		if (abi_arg_width(j->call, abi, j->arg[i], &j->width[i], ret_why) < 0)
			return -EINVAL;
		if (!fits(&j->tests->list[i], j->width[i], &word)) {
			*ret_why = "it has 32 bits there, and the value more";
			return -EINVAL;
		}
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

static int add_rule(struct parser *p, const struct part_rule *rule)
{
	struct part *part = p->part;
	int r;

	if (part->n_rules == LIMIT_POLICY_RULES) {
		diag_error(p->d, rule->rule.where, "more than %d rules", LIMIT_POLICY_RULES);
		return -EINVAL;
	}
	r = list_grow(&part->rules, part->n_rules, sizeof(*part->rules));
	if (r < 0)
		return r;
	part->rules[part->n_rules++] = *rule;
	return 0;
}

/* One comparison more; everything fits, resolve and judge_abi have seen to it. */
static int add_cond(const struct judged *j, size_t test, uint8_t op, struct value value,
		    struct policy_rule *rule)
{
	const struct test *t = &j->tests->list[test];
	struct policy_cond cond = { .arg = (uint8_t)j->arg[test],
				    .op = op,
				    .negate = t->negate,
				    .width = (uint8_t)j->width[test] };

	if (value_fit(value, j->width[test], wants_bits(op), &cond.value) < 0 ||
	    (t->has_mask && value_fit(t->mask, j->width[test], true, &cond.mask) < 0))
		return -EINVAL;
	return insert_cond(j->p, rule, cond);
}

/* `in A B` is one rule a value: every combination of the tests from number i on. */
static int expand(const struct judged *j, size_t i, const struct policy_rule *so_far, bool implied)
{
	const struct test *t = &j->tests->list[i];
	int r = 0;

	if (i == j->tests->n)
		return add_rule(j->p, &(struct part_rule){ .rule = *so_far, .implied = implied });
	for (size_t s = 0; r == 0 && s < t->n_spans; s++) {
		const struct span *span = &t->spans[s];
		struct policy_rule rule = *so_far;

		r = add_cond(j, i, span->range ? POLICY_GE : t->op, span->low, &rule);
		if (r == 0 && span->range)
			r = add_cond(j, i, POLICY_LE, span->high, &rule);
		if (r == 0)
			r = expand(j, i + 1, &rule, implied);
	}
	return r;
}

void part_refuse(struct diag *d, const struct part_rule *r, enum abi abi)
{
	const struct syscall_desc *call = r->rule.call;

	diag_error(d, r->refused_at, "'%s' of %s cannot be compared on %s: %s",
		   call->args[r->refused_arg].name, call->name, abi_name(abi), r->refused);
	diag_hint(d,
		  "say for which ABI the line is (as in: on native), and judge %s there by its "
		  "number",
		  abi_name(abi));
}

/* The ABIs of a rule on which its tests are the same comparisons, and those on which they are
 * none: these are a mistake where the line names them, and else where a policy opens them. */
int parse_add_rules(struct parser *p, const struct tests *tests, const struct policy_rule *rule,
		    bool named)
{
	struct judged j = { .p = p, .tests = tests, .call = rule->call };
	struct part_rule refused[_ABI_MAX];
	const uint8_t native = (uint8_t)(1U << p->native);
	unsigned left = rule->abi_mask, n_refused = 0, fine = 0;
	int r = resolve(&j);

	for (unsigned a = 0; r == 0 && a < _ABI_MAX; a++) {
		enum syscall_width widths[LIMIT_RULE_CONDS];
		struct policy_rule one = *rule;
		size_t test = 0;
		const char *why = NULL;

		if (!(left & 1U << a))
			continue;
		one.abi_mask = (uint8_t)(1U << a);
		if (judge_abi(&j, (enum abi)a, &test, &why) < 0) {
			refused[n_refused++] = (struct part_rule){
				.rule = one,
				.refused = why,
				.refused_arg = (uint8_t)j.arg[test],
				.refused_at = word_at(p, tests->list[test].arg_word),
			};
			continue;
		}
		memcpy(widths, j.width, sizeof(widths));
		for (unsigned b = a + 1; b < _ABI_MAX; b++) {
			if (left & 1U << b && judge_abi(&j, (enum abi)b, &test, &why) == 0 &&
			    memcmp(widths, j.width, tests->n * sizeof(widths[0])) == 0)
				one.abi_mask |= (uint8_t)(1U << b);
		}
		memcpy(j.width, widths, sizeof(widths));
		left &= ~(unsigned)one.abi_mask;
		fine++;
		r = expand(&j, 0, &one,
			   !named && rule->abi_mask & native && !(one.abi_mask & native));
	}
	for (unsigned i = 0; r == 0 && i < n_refused; i++) {
		if (named || !fine) {
			part_refuse(p->d, &refused[i],
				    (enum abi)__builtin_ctz(refused[i].rule.abi_mask));
			r = -EINVAL;
		} else {
			r = add_rule(p, &refused[i]);
		}
	}
	return r;
}
