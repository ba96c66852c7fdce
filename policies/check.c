// SPDX-License-Identifier: Apache-2.0
/* The last look at composed rules: order, repetitions, contradictions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/compose.h"
#include "policies/cond.h"
#include "policies/multiplex.h"
#include "policies/note.h"
#include "policies/spell.h"

/* The order that policies/model.h promises; conditions last, for one line with several. */
static int compare_rules(const void *a, const void *b)
{
	const struct policy_rule *ra = a, *rb = b;
	int order;

	if (ra->call != rb->call)
		return ra->call < rb->call ? -1 : 1;
	if (ra->action != rb->action)
		return ra->action < rb->action ? -1 : 1;
	order = where_compare(ra->where, rb->where);
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
	return order ? order : where_compare(ra->where, rb->where);
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

static int note_repetition(struct policy *policy, const struct policy_rule *rule,
			   const struct policy_rule *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (spell_rule(&text, rule) < 0)
		return -ENOMEM;
	return note_add(policy, POLICY_NOTE_REPEATED, &text, rule->where, by->where);
}

/* What the rules before it, from head on, say already of the same case is taken from its ABIs;
 * call == NULL when nothing is left. */
static int compare_with(struct policy *policy, struct policy_rule **head, size_t n,
			struct policy_rule *rule, struct diag *d)
{
	const struct policy_rule whole = *rule;

	for (size_t i = 0; i < n; i++) {
		const struct policy_rule *before = head[i];

		if (!before->call || !(before->abi_mask & rule->abi_mask))
			continue;
		if (before->errno_value != rule->errno_value || before->quiet != rule->quiet) {
			contradiction(d, before, rule);
			return -EBADMSG;
		}
		rule->abi_mask &= (uint8_t)~before->abi_mask;
		if (rule->abi_mask)
			continue;
		rule->call = NULL;
		return note_repetition(policy, &whole, before);
	}
	return 0;
}

static int find_repetitions(struct policy *policy, struct diag *d)
{
	_cleanup_free_ struct policy_rule **by_meaning = NULL;
	size_t head = 0;
	int r = 0;

	by_meaning = calloc(policy->n_rules, sizeof(struct policy_rule *));
	if (!by_meaning)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++)
		by_meaning[i] = &policy->rules[i];
	qsort(by_meaning, policy->n_rules, sizeof(struct policy_rule *), compare_meaning);
	for (size_t i = 1; i < policy->n_rules && r != -ENOMEM; i++) {
		int one;

		/* the head of a case is never dropped, so that it can be compared with */
		if (!same_case(by_meaning[head], by_meaning[i])) {
			head = i;
			continue;
		}
		one = compare_with(policy, &by_meaning[head], i - head, by_meaning[i], d);
		r = one ? one : r;
	}
	return r;
}

int check_rules(struct policy *policy, struct diag *d)
{
	size_t out = 0;
	int r;

	note_sort(policy);
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
	note_sort(policy);
	qsort(policy->rules, out, sizeof(*policy->rules), compare_rules);
	return check_multiplexers(policy, d);
}
