// SPDX-License-Identifier: Apache-2.0
/*
 * kafel's expressions. A parenthesis may hold a truth or a number, so one reader makes both and
 * each operator asks for what it needs. Numbers are without sign; of an argument no more is known
 * than its register, masked and joined with constants.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policies/kafel.h"

/* (argument & mask) | bits, or bits alone; or a truth. */
struct node {
	bool truth;
	struct import_dnf when;
	bool has_arg;
	unsigned arg;
	uint64_t mask, bits;
	char where[IMPORT_WHERE];
};

struct reader {
	const struct kafel *k;
	struct import_scan *s;
	const struct kafel_scope *scope;
	bool negated; /* within an odd number of `!` */
	unsigned depth;
};

static int read_comma(struct reader *r, struct node *ret);

static int fail(struct reader *r, const char *what)
{
	import_scan_error(r->s, "%s", what);
	return -EINVAL;
}

/* What stands where no call of ours is meant: any call will do. */
static const struct syscall_desc *call_of(const struct reader *r)
{
	size_t n;

	return r->scope->call ? r->scope->call : syscall_table(&n);
}

static int want_truth(struct reader *r, const struct node *n)
{
	return n->truth ? 0 : fail(r, "a comparison is missing");
}

static int want_number(struct reader *r, const struct node *n)
{
	return n->truth ? fail(r, "a number or an argument is wanted on both sides") : 0;
}

/* --- what is at the bottom --- */

static int find_arg(struct reader *r, unsigned *ret)
{
	/* kafel names some arguments as the kernel's source does, where manuals have another */
	static const struct {
		const char *call, *theirs, *ours;
	} other[] = {
		{ "clone", "clone_flags", "flags" }, { "unshare", "unshare_flags", "flags" },
		{ "socket", "family", "domain" },    { "socketpair", "family", "domain" },
		{ "setns", "nstype", "flags" },	     { "arch_prctl", "code", "option" },
		{ "getrandom", "count", "len" },
	};
	const struct syscall_desc *call = call_of(r);
	const char *name = r->s->token.text;

	if (r->scope->declares) {
		for (unsigned i = 0; i < r->scope->n_declared; i++) {
			if (strcmp(r->scope->declared[i], name) == 0) {
				*ret = i;
				return 0;
			}
		}
		return -ENOENT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		if (strcmp(call->name, other[i].call) == 0 && strcmp(name, other[i].theirs) == 0)
			name = other[i].ours;
	}
	for (unsigned i = 0; i < call->n_args; i++) {
		if (strcmp(call->args[i].name, name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int read_operand(struct reader *r, struct node *ret)
{
	struct import_scan *s = r->s;

	(void)import_scan_where(s, ret->where);
	if (import_scan_accept(s, "(")) {
		int error;

		if (r->depth++ == LIMIT_IMPORT_DEPTH)
			return fail(r, "too many parentheses in each other");
		error = read_comma(r, ret);
		r->depth--;
		if (error == 0 && !import_scan_expect(s, ")"))
			error = -EINVAL;
		return error;
	}
	if (s->token.kind == SCAN_NUMBER) {
		ret->bits = s->token.number;
	} else if (s->token.kind != SCAN_NAME) {
		return fail(r, "a number, a constant or an argument is missing");
	} else if (!kafel_constant(r->k, s->token.text, &ret->bits)) {
		/* of a call that is not ours nothing is known */
		if (r->scope->call && find_arg(r, &ret->arg) < 0) {
			import_scan_error(s,
					  "%s has no argument '%s', and no constant is called so",
					  r->scope->call->name, s->token.text);
			return -EINVAL;
		}
		ret->has_arg = true;
		ret->mask = UINT64_MAX;
	}
	import_scan_next(s);
	return s->failed ? -EINVAL : 0;
}

/* --- & and | --- */

static int join_bits(struct reader *r, struct node *a, const struct node *b, bool is_and)
{
	const struct node *constant = b;
	struct node other = *a;

	if (want_number(r, a) < 0 || want_number(r, b) < 0)
		return -EINVAL;
	if (a->has_arg && b->has_arg)
		return fail(r, "two arguments in one comparison: there is nothing like it here");
	if (b->has_arg) {
		*a = *b;
		constant = &other;
	}
	if (is_and) {
		a->mask &= constant->bits;
		a->bits &= constant->bits;
	} else {
		a->bits |= constant->bits;
	}
	return 0;
}

static int read_bits(struct reader *r, struct node *ret, bool is_and)
{
	const char *sign = is_and ? "&" : "|";
	int error = is_and ? read_operand(r, ret) : read_bits(r, ret, true);

	while (error == 0 && import_scan_accept(r->s, sign)) {
		struct node next = { .truth = false };

		error = is_and ? read_operand(r, &next) : read_bits(r, &next, true);
		error = error ? error : join_bits(r, ret, &next, is_and);
		dnf_done(&next.when);
	}
	return error;
}

/* --- comparisons --- */

static bool constant_holds(uint64_t a, enum import_op op, uint64_t b)
{
	switch (op) {
	case IMPORT_EQ:
		return a == b;
	case IMPORT_NE:
		return a != b;
	case IMPORT_LT:
		return a < b;
	case IMPORT_LE:
		return a <= b;
	case IMPORT_GT:
		return a > b;
	case IMPORT_GE:
		return a >= b;
	case IMPORT_MASKED_EQ:
	case IMPORT_MASKED_NE:
		break;
	}
	return false;
}

static enum import_op turned_round(enum import_op op)
{
	static const enum import_op turned[] = {
		[IMPORT_EQ] = IMPORT_EQ, [IMPORT_NE] = IMPORT_NE, [IMPORT_LT] = IMPORT_GT,
		[IMPORT_LE] = IMPORT_GE, [IMPORT_GT] = IMPORT_LT, [IMPORT_GE] = IMPORT_LE,
	};

	return turned[op];
}

static int constant(struct reader *r, bool holds, struct import_dnf *ret)
{
	if (holds)
		return dnf_always(call_of(r), ret);
	*ret = (struct import_dnf){ .call = call_of(r) };
	return 0;
}

/* What cannot be said is given up on the strict side, where the options ask for it. */
static int unsayable(struct reader *r, const struct node *n, const char *why,
		     struct import_dnf *ret)
{
	bool allows = r->scope->action == POLICY_ALLOW;

	if (!r->scope->call)
		return constant(r, false, ret);
	if (!r->k->im->options->narrow) {
		import_error(r->k->im, n->where, "%s: %s", r->scope->call->name, why);
		return constant(r, false, ret);
	}
	import_warn(r->k->im, n->where, "%s: %s: %s",
		    allows ? "left out, so not allowed" : "denied whatever it is",
		    r->scope->call->name, why);
	return constant(r, allows == r->negated, ret);
}

/* Simplify to what import_compare() can be asked. False: it is constant, in *ret_holds. */
static bool to_compare(const struct node *n, enum import_op op, uint64_t value,
		       struct import_compare *ret, bool *ret_holds)
{
	uint64_t seen = n->mask & ~n->bits;

	if ((op == IMPORT_GT && value == 0) || (op == IMPORT_GE && value == 1)) {
		op = IMPORT_NE;
		value = 0;
	} else if ((op == IMPORT_LE && value == 0) || (op == IMPORT_LT && value == 1)) {
		op = IMPORT_EQ;
		value = 0;
	}
	*ret = (struct import_compare){ n->arg, op, seen, value };
	if (op != IMPORT_EQ && op != IMPORT_NE)
		return true;
	*ret_holds = op == IMPORT_NE;
	if ((value & n->bits) != n->bits || value & ~(n->mask | n->bits))
		return false;
	if (seen == 0) {
		*ret_holds = op == IMPORT_EQ;
		return false;
	}
	ret->value = value & ~n->bits;
	if (seen != UINT64_MAX)
		ret->op = op == IMPORT_EQ ? IMPORT_MASKED_EQ : IMPORT_MASKED_NE;
	return true;
}

static int make_compare(struct reader *r, const struct node *n, enum import_op op, uint64_t value,
			struct import_dnf *ret)
{
	const char *why, *note;
	struct import_compare c;
	bool holds;
	int error;

	if (!r->scope->call || !to_compare(n, op, value, &c, &holds))
		return constant(r, r->scope->call && holds, ret);
	if (c.arg < r->scope->call->n_args && c.op >= IMPORT_LT && c.op <= IMPORT_GE) {
		uint64_t max = dnf_key_max(r->scope->call, c.arg);

		if (n->bits != 0 || (n->mask & max) != max)
			return unsayable(r, n, "only == and != of masked bits can be said", ret);
	}
	error = import_compare(r->scope->call, &c, ret, &why, &note);
	if (error == 0 && note)
		import_warn(r->k->im, n->where, "%s: %s", r->scope->call->name, note);
	if (error == -EOPNOTSUPP) {
		char text[160];

		(void)snprintf(text, sizeof(text), "argument %u %s", c.arg, why);
		return unsayable(r, n, text, ret);
	}
	if (error < 0)
		import_failed(r->k->im, n->where, error);
	return error;
}

static int read_compare(struct reader *r, struct node *ret)
{
	static const struct {
		const char *sign;
		enum import_op op;
	} operators[] = { { "==", IMPORT_EQ }, { "!=", IMPORT_NE }, { "<", IMPORT_LT },
			  { "<=", IMPORT_LE }, { ">", IMPORT_GT },  { ">=", IMPORT_GE } };
	struct node right = { .truth = false };
	struct import_dnf when = { .call = NULL };
	size_t i = 0;
	int error = read_bits(r, ret, false);

	if (error < 0)
		return error;
	while (i < ARRAY_SIZE(operators) && !import_scan_is(r->s, operators[i].sign))
		i++;
	if (i == ARRAY_SIZE(operators))
		return 0;
	import_scan_next(r->s);
	error = want_number(r, ret);
	error = error ? error : read_bits(r, &right, false);
	error = error ? error : want_number(r, &right);
	if (error == 0 && ret->has_arg && right.has_arg)
		error = fail(r, "two arguments in one comparison: there is nothing like it here");
	if (error == 0 && !ret->has_arg && !right.has_arg)
		error = constant(r, constant_holds(ret->bits, operators[i].op, right.bits), &when);
	else if (error == 0 && ret->has_arg)
		error = make_compare(r, ret, operators[i].op, right.bits, &when);
	else if (error == 0)
		error = make_compare(r, &right, turned_round(operators[i].op), ret->bits, &when);
	dnf_done(&right.when);
	if (error < 0) {
		dnf_done(&when);
		return error;
	}
	ret->truth = true;
	ret->when = when;
	return 0;
}

/* --- !, &&, ||, and the comma, which is the weakest || --- */

static int read_not(struct reader *r, struct node *ret)
{
	struct import_dnf no = { .call = NULL };
	int error;

	if (!import_scan_accept(r->s, "!"))
		return read_compare(r, ret);
	if (r->depth++ == LIMIT_IMPORT_DEPTH)
		return fail(r, "too many '!' in each other");
	r->negated = !r->negated;
	error = read_not(r, ret);
	r->negated = !r->negated;
	r->depth--;
	error = error ? error : want_truth(r, ret);
	if (error < 0)
		return error;
	error = dnf_not(&ret->when, &no);
	import_failed(r->k->im, ret->where, error);
	dnf_done(&ret->when);
	ret->when = no;
	return error;
}

static int join_truths(struct reader *r, struct node *a, const struct node *b, bool is_and)
{
	struct import_dnf both = { .call = NULL };
	int error;

	if (want_truth(r, a) < 0 || want_truth(r, b) < 0)
		return -EINVAL;
	error = is_and ? dnf_and(&a->when, &b->when, &both) : dnf_or(&a->when, &b->when, &both);
	import_failed(r->k->im, b->where, error);
	dnf_done(&a->when);
	a->when = both;
	return error;
}

static int read_and(struct reader *r, struct node *ret)
{
	int error = read_not(r, ret);

	while (error == 0 && import_scan_accept(r->s, "&&")) {
		struct node next = { .truth = false };

		error = read_not(r, &next);
		error = error ? error : join_truths(r, ret, &next, true);
		dnf_done(&next.when);
	}
	return error;
}

static int read_or(struct reader *r, struct node *ret)
{
	int error = read_and(r, ret);

	while (error == 0 && import_scan_accept(r->s, "||")) {
		struct node next = { .truth = false };

		error = read_and(r, &next);
		error = error ? error : join_truths(r, ret, &next, false);
		dnf_done(&next.when);
	}
	return error;
}

static int read_comma(struct reader *r, struct node *ret)
{
	int error = read_or(r, ret);

	while (error == 0 && import_scan_accept(r->s, ",")) {
		struct node next = { .truth = false };

		error = read_or(r, &next);
		error = error ? error : join_truths(r, ret, &next, false);
		dnf_done(&next.when);
	}
	return error;
}

int kafel_expression(const struct kafel *k, struct import_scan *s, const struct kafel_scope *scope,
		     struct import_dnf *ret)
{
	struct reader r = { .k = k, .s = s, .scope = scope };
	struct node node = { .truth = false };
	int error = read_comma(&r, &node);

	error = error ? error : want_truth(&r, &node);
	if (error == 0)
		*ret = node.when;
	else
		dnf_done(&node.when);
	return error;
}
