// SPDX-License-Identifier: Apache-2.0
/* Differences in calls: pieces of the arguments' values, one a deciding rule. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errno_name.h"
#include "base/fd.h"
#include "policies/cond.h"
#include "policies/diff_entry.h"
#include "policies/reach.h"

/* A policy's rules for one call on one ABI, the one that decides first. */
struct pieces {
	const struct policy *policy;
	const struct policy_rule **rules;
	size_t n; /* the piece behind the last is the default's */
	struct policy_verdict otherwise;
};

static unsigned action_rank(const struct policy_rule *rule)
{
	return rule->action == POLICY_KILL ? 0 : rule->action == POLICY_DENY ? 1 : 2;
}

static int compare_rule(const void *pa, const void *pb)
{
	const struct policy_rule *a = *(const struct policy_rule *const *)pa;
	const struct policy_rule *b = *(const struct policy_rule *const *)pb;
	int r = (int)action_rank(a) - (int)action_rank(b);

	r = r ? r : cond_rank(a, b);
	return r ? r : (a > b) - (a < b);
}

static int pieces_make(const struct policy *policy, const struct syscall_desc *call, enum abi abi,
		       struct pieces *ret)
{
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n);

	*ret = (struct pieces){ .policy = policy };
	ret->rules = calloc(n + 1, sizeof(const struct policy_rule *));
	if (!ret->rules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (rules[i].abi_mask >> abi & 1)
			ret->rules[ret->n++] = &rules[i];
	}
	ret->otherwise = (struct policy_verdict){ .action = POLICY_DENY,
						  .reason = POLICY_BY_DEFAULT,
						  .errno_value = policy->default_errno };
	if (call->since > policy->kernel && ret->n == 0) {
		ret->otherwise.reason = POLICY_BY_KERNEL;
		ret->otherwise.errno_value = ENOSYS;
	}
	qsort(ret->rules, ret->n, sizeof(const struct policy_rule *), compare_rule);
	return 0;
}

static struct policy_verdict verdict_of(const struct pieces *p, size_t i)
{
	if (i == p->n)
		return p->otherwise;
	return (struct policy_verdict){ .action = p->rules[i]->action,
					.reason = POLICY_BY_RULE,
					.quiet = p->rules[i]->quiet,
					.errno_value = p->rules[i]->action == POLICY_DENY
							       ? p->rules[i]->errno_value
							       : (uint16_t)0,
					.rule = p->rules[i] };
}

static bool same_answer(const struct policy_verdict *a, const struct policy_verdict *b)
{
	return a->action == b->action && a->errno_value == b->errno_value && a->quiet == b->quiet;
}

/* Where both answer by their defaults, the difference is the `kernel` or `default errno` line's. */
static bool is_settings(const struct pieces *a, const struct pieces *b, size_t i, size_t k)
{
	if (i != a->n || k != b->n)
		return false;
	return a->otherwise.reason == b->otherwise.reason || (a->n == 0 && b->n == 0);
}

static bool same_pieces(const struct pieces *a, const struct pieces *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		struct policy_verdict va = verdict_of(a, i), vb = verdict_of(b, i);

		if (!same_answer(&va, &vb) || cond_rank(a->rules[i], b->rules[i]) != 0)
			return false;
	}
	return same_answer(&a->otherwise, &b->otherwise) || is_settings(a, b, a->n, b->n);
}

static void text_verdict(const struct policy_verdict *v, char *ret, size_t size)
{
	static const char *const actions[] = { "allow", "deny", "kill" };
	const char *name = v->errno_value ? errno_name(v->errno_value) : NULL;

	if (v->action != POLICY_DENY)
		(void)snprintf(ret, size, "%s%s", actions[v->action], v->quiet ? " quiet" : "");
	else if (name)
		(void)snprintf(ret, size, "deny %s%s", name, v->quiet ? " quiet" : "");
	else
		(void)snprintf(ret, size, "deny %u%s", v->errno_value, v->quiet ? " quiet" : "");
}

static int put_conds(struct buf *out, const struct policy_rule *rule,
		     const struct policy_rule *also)
{
	int r = 0;

	for (uint8_t i = 0; i < rule->n_conds && r == 0; i++) {
		char text[COND_TEXT];
		bool there = false;

		for (uint8_t k = 0; also && k < also->n_conds; k++)
			there = there ||
				cond_compare(rule->call, &rule->conds[i], &also->conds[k]) == 0;
		if (there)
			continue;
		cond_text(rule->call, &rule->conds[i], text);
		r = buf_printf(out, "%s%s", out->len ? " and " : "", text);
	}
	return r;
}

static struct policy_where where_of(const struct policy *policy, const struct policy_verdict *v)
{
	if (v->rule)
		return v->rule->where;
	return policy->setting_where[v->reason == POLICY_BY_KERNEL ? POLICY_SETTING_KERNEL
								   : POLICY_SETTING_DEFAULT];
}

/* The same pair on another ABI is the same entry. */
static bool known_on_another(struct differ *d, const struct diff_witness *w)
{
	for (size_t i = d->diff.n; i > 0; i--) {
		struct diff_entry *e = &d->diff.entries[i - 1];

		if (e->kind != DIFF_CALL || e->witness.call != w->call)
			break;
		if (e->witness.old.rule == w->old.rule &&
		    e->witness.new.rule == w->new.rule &&same_answer(&e->witness.old, &w->old) &&
		    same_answer(&e->witness.new, &w->new)) {
			e->abi_mask |= (uint8_t)(1U << w->abi);
			return true;
		}
	}
	return false;
}

static int add_call(struct differ *d, const struct diff_witness *w, bool undecided)
{
	_cleanup_buf_ struct buf when = BUF_INIT;
	char old[48], new[48];
	struct diff_entry *e;
	int r = 0;

	if (known_on_another(d, w))
		return 0;
	e = diff_add(d, DIFF_CALL, w->call->name);
	if (!e)
		return -ENOMEM;
	e->abi_mask = (uint8_t)(1U << w->abi);
	e->undecided = undecided;
	e->witness = *w;
	e->old_where = where_of(d->old, &w->old);
	e->new_where = where_of(d->new, &w->new);
	if (w->old.rule)
		r = put_conds(&when, w->old.rule, NULL);
	if (r == 0 && w->new.rule)
		r = put_conds(&when, w->new.rule, w->old.rule);
	if (r < 0)
		return r;
	e->when = TAKE_PTR(when.data);
	text_verdict(&w->old, old, sizeof(old));
	text_verdict(&w->new, new, sizeof(new));
	return diff_say(e, old, new);
}

/* Whether piece i of a meets piece k of b, and where. */
static enum reach meet(struct differ *d, const struct pieces *a, size_t i, const struct pieces *b,
		       size_t k, enum abi abi, const struct policy_rule **none, uint64_t args[6])
{
	struct reach_query q = { .abi = abi, .none = none, .budget = &d->budget };

	if (i < a->n) {
		q.all[0] = a->rules[i]->conds;
		q.n_all[0] = a->rules[i]->n_conds;
	}
	if (k < b->n) {
		q.all[1] = b->rules[k]->conds;
		q.n_all[1] = b->rules[k]->n_conds;
	}
	for (size_t n = 0; n < i; n++)
		none[q.n_none++] = a->rules[n];
	for (size_t n = 0; n < k; n++)
		none[q.n_none++] = b->rules[n];
	return reach_find(&q, args);
}

/* The search's word is checked: a witness is one by both policies' plain meaning or none at all. */
static bool confirm(const struct differ *d, struct diff_witness *w)
{
	int32_t nr = w->call->nr[w->abi];

	policy_eval(d->old, w->abi, nr, w->args, &w->old);
	policy_eval(d->new, w->abi, nr, w->args, &w->new);
	return !same_answer(&w->old, &w->new);
}

static int compare_pieces(struct differ *d, const struct syscall_desc *call, enum abi abi,
			  const struct pieces *a, const struct pieces *b)
{
	_cleanup_free_ const struct policy_rule **none =
		calloc(a->n + b->n + 1, sizeof(const struct policy_rule *));
	int r = 0;

	if (!none)
		return -ENOMEM;
	for (size_t i = 0; i <= a->n && r == 0; i++) {
		struct policy_verdict va = verdict_of(a, i);

		for (size_t k = 0; k <= b->n && r == 0; k++) {
			struct policy_verdict vb = verdict_of(b, k);
			struct diff_witness w = { .call = call, .abi = abi, .old = va, .new = vb };
			enum reach met;

			if (same_answer(&va, &vb) || is_settings(a, b, i, k))
				continue;
			met = meet(d, a, i, b, k, abi, none, w.args);
			if (met == REACH_NO)
				continue;
			if (met == REACH_HARD)
				memset(w.args, 0, sizeof(w.args));
			else if (!confirm(d, &w))
				return -EFAULT;
			r = add_call(d, &w, met == REACH_HARD);
			/* one entry says that of this call no more is known */
			if (d->budget == 0)
				return r;
		}
	}
	return r;
}

int diff_calls(struct differ *d)
{
	uint8_t both = d->old->abi_mask & d->new->abi_mask;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		for (unsigned abi = 0; abi < _ABI_MAX && r == 0; abi++) {
			struct pieces a = { .n = 0 }, b = { .n = 0 };

			if (!(both >> abi & 1) || table[i].nr[abi] < 0)
				continue;
			r = pieces_make(d->old, &table[i], (enum abi)abi, &a);
			if (r == 0)
				r = pieces_make(d->new, &table[i], (enum abi)abi, &b);
			if (r == 0 && !same_pieces(&a, &b))
				r = compare_pieces(d, &table[i], (enum abi)abi, &a, &b);
			free(a.rules);
			free(b.rules);
		}
	}
	return r;
}
