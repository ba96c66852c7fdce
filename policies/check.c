// SPDX-License-Identifier: Apache-2.0
/* The last look at composed rules: order, repetitions, contradictions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/compose.h"
#include "policies/cond.h"
#include "policies/multiplex.h"

static int compare_where(const struct policy_where *a, const struct policy_where *b)
{
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

/* The order that policies/model.h promises; conditions last, for one line with several. */
static int compare_rules(const void *a, const void *b)
{
	const struct policy_rule *ra = a, *rb = b;
	int order;

	if (ra->call != rb->call)
		return ra->call < rb->call ? -1 : 1;
	if (ra->action != rb->action)
		return ra->action < rb->action ? -1 : 1;
	order = compare_where(&ra->where, &rb->where);
	return order ? order : cond_rank(ra, rb);
}

/* Rules that say the same of the same calls lie together, the one written first at their head. */
static int compare_meaning(const void *a, const void *b)
{
	const struct policy_rule *ra = *(const struct policy_rule *const *)a;
	const struct policy_rule *rb = *(const struct policy_rule *const *)b;
	int order;

	if (ra->call != rb->call)
		return ra->call < rb->call ? -1 : 1;
	if (ra->action != rb->action)
		return ra->action < rb->action ? -1 : 1;
	order = cond_rank(ra, rb);
	return order ? order : compare_where(&ra->where, &rb->where);
}

static bool same_case(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->call == b->call && a->action == b->action && cond_rank(a, b) == 0;
}

static void contradiction(struct diag *d, const struct policy_rule *first,
			  const struct policy_rule *second)
{
	diag_error(d, second->where, "%s: another answer for the same case than in %s",
		   second->call->name, diag_place(d, first->where).text);
	diag_hint(d, "keep one of the two, or take the used policy's back: remove %s %s",
		  second->action == POLICY_KILL ? "kill" : "deny", second->call->name);
}

/* Mark repetitions by call == NULL. */
static int find_repetitions(struct policy *policy, struct diag *d)
{
	_cleanup_free_ struct policy_rule **by_meaning = NULL;
	struct policy_rule *head;
	int r = 0;

	by_meaning = calloc(policy->n_rules, sizeof(struct policy_rule *));
	if (!by_meaning)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++)
		by_meaning[i] = &policy->rules[i];
	qsort(by_meaning, policy->n_rules, sizeof(struct policy_rule *), compare_meaning);
	head = by_meaning[0];
	for (size_t i = 1; i < policy->n_rules; i++) {
		struct policy_rule *rule = by_meaning[i];

		if (!same_case(head, rule)) {
			head = rule;
			continue;
		}
		if (head->errno_value != rule->errno_value || head->quiet != rule->quiet) {
			contradiction(d, head, rule);
			r = -EBADMSG;
		}
		rule->call = NULL;
	}
	return r;
}

int check_rules(struct policy *policy, struct diag *d)
{
	size_t out = 0;
	int r;

	if (policy->n_rules == 0)
		return 0;
	r = find_repetitions(policy, d);
	if (r < 0)
		return r;
	for (size_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].call)
			policy->rules[out++] = policy->rules[i];
	}
	policy->n_rules = out;
	qsort(policy->rules, out, sizeof(*policy->rules), compare_rules);
	return check_multiplexers(policy, d);
}
