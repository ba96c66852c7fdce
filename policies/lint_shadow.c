// SPDX-License-Identifier: Apache-2.0
/* Rules that other rules leave nothing to say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/cond.h"
#include "policies/lint_find.h"

/* Which other rules of the call count against one. */
typedef bool shadows_fn(const struct policy_rule *rule, const struct policy_rule *other);

static bool is_refusal(const struct policy_rule *rule, const struct policy_rule *other)
{
	(void)rule;
	return other->action != POLICY_ALLOW;
}

static bool is_allow(const struct policy_rule *rule, const struct policy_rule *other)
{
	return other != rule && other->action == POLICY_ALLOW;
}

/* Without the rule these would give its answer, or give another one before it. */
static bool is_same_refusal(const struct policy_rule *rule, const struct policy_rule *other)
{
	if (other == rule || other->action < rule->action)
		return false;
	return other->action > rule->action ||
	       (other->errno_value == rule->errno_value && other->quiet == rule->quiet);
}

/* Whether on each open ABI that the rule speaks of the others hold wherever it holds. *ret_one:
 * one of them, to name. */
static bool is_covered(struct linter *l, const struct policy_rule *rule, shadows_fn *counts,
		       const struct policy_rule **list, const struct policy_rule **ret_one)
{
	size_t n;
	const struct policy_rule *rules = policy_rules_of(l->policy, rule->call, &n);
	bool any = false;

	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		struct reach_query q = { .abi = (enum abi)abi, .none = list, .budget = &l->budget };
		uint64_t args[6];

		if (!(rule->abi_mask & l->policy->abi_mask & 1U << abi))
			continue;
		q.all[0] = rule->conds;
		q.n_all[0] = rule->n_conds;
		for (size_t i = 0; i < n; i++) {
			if (rules[i].abi_mask & 1U << abi && counts(rule, &rules[i]))
				list[q.n_none++] = &rules[i];
		}
		if (q.n_none == 0 || reach_find(&q, args) != REACH_NO)
			return false;
		any = true;
		*ret_one = list[0];
		/* the one that does it alone, where there is one */
		for (size_t i = 0; i < q.n_none; i++) {
			struct reach_query alone = q;

			alone.none = &list[i];
			alone.n_none = 1;
			if (reach_find(&alone, args) == REACH_NO)
				*ret_one = list[i];
		}
	}
	return any;
}

/* Within one file it is a slip; a file that tightens what it uses means it. What an @group brings
 * along is never a slip. */
static enum lint_level level_of(const struct policy_rule *rule, const struct policy_rule *by)
{
	return rule->where.source == by->where.source ? LINT_WARNING : LINT_NOTE;
}

static void look_at_allow(struct linter *l, const struct policy_rule *rule,
			  const struct policy_rule **list)
{
	const struct policy_rule *by;

	if (is_covered(l, rule, is_refusal, list, &by)) {
		if (!lint_is_group(l->policy, rule->where, NULL))
			lint_add(l, "CP501", level_of(rule, by), rule->where,
				 "take one of the two out; `remove allow` for a used policy's",
				 "%s: never allowed by this line, %s refuses all of it",
				 rule->call->name, lint_place(l->policy, by->where).text);
	} else if (is_covered(l, rule, is_allow, list, &by)) {
		if (!lint_is_group(l->policy, rule->where, NULL) &&
		    !lint_is_group(l->policy, by->where, NULL))
			lint_add(l, "CP504", level_of(rule, by), rule->where,
				 "take the narrower line out, or the wider one if it was not meant",
				 "%s: %s allows all of this already, and more", rule->call->name,
				 lint_place(l->policy, by->where).text);
	}
}

static void look_at_refusal(struct linter *l, const struct policy_rule *rule,
			    const struct policy_rule **list)
{
	const struct policy_rule *by;

	if (is_covered(l, rule, is_same_refusal, list, &by) &&
	    !lint_is_group(l->policy, rule->where, NULL) &&
	    !lint_is_group(l->policy, by->where, NULL))
		lint_add(l, "CP502", level_of(rule, by), rule->where, "take the narrower line out",
			 "%s: %s refuses all of this already", rule->call->name,
			 lint_place(l->policy, by->where).text);
}

/* A direction is closed by the lines that open its ports: without the last one all are open. */
static void look_at_removed_port(struct linter *l, const struct policy_note *note)
{
	static const char *const directions[] = { "connect", "bind" };

	for (unsigned d = POLICY_PORT_CONNECT; d <= POLICY_PORT_BIND; d++) {
		bool closed = l->policy->net == POLICY_NET_NONE;
		char begin[24];

		(void)snprintf(begin, sizeof(begin), "net %s ", directions[d]);
		if (strncmp(note->text, begin, strlen(begin)) != 0)
			continue;
		for (size_t i = 0; i < l->policy->n_ports; i++)
			closed = closed || l->policy->ports[i].direction == d;
		if (!closed)
			lint_add(l, "CP604", LINT_WARNING, note->where,
				 "name a port that may stay, or net none",
				 "no `net %s` line is left, so every port is open to it",
				 directions[d]);
	}
}

static void look_at_notes(struct linter *l)
{
	for (size_t i = 0; i < l->policy->n_notes; i++) {
		const struct policy_note *note = &l->policy->notes[i];
		bool same_file = note->where.source == note->other.source;
		struct lint_place other = lint_place(l->policy, note->other);

		switch ((enum policy_note_kind)note->kind) {
		case POLICY_NOTE_REMOVED:
			lint_add(l, "CP601", LINT_NOTE, note->where, NULL,
				 "taken back out of %s: %s", other.text, note->text);
			look_at_removed_port(l, note);
			break;
		case POLICY_NOTE_REPEATED:
			lint_add(l, "CP503", same_file ? LINT_WARNING : LINT_NOTE, note->where,
				 "take one of the two out", "%s says the same: %s", other.text,
				 note->text);
			break;
		case POLICY_NOTE_OVERRIDDEN:
			lint_add(l, "CP602", LINT_NOTE, note->where, NULL,
				 "decides instead of %s: %s", other.text, note->text);
			break;
		}
	}
}

void lint_shadows(struct linter *l)
{
	_cleanup_free_ const struct policy_rule **list = NULL;

	list = calloc(l->policy->n_rules + 1, sizeof(*list));
	if (!list) {
		l->no_memory = true;
		return;
	}
	l->budget = REACH_BUDGET;
	for (size_t i = 0; i < l->policy->n_rules && l->budget > 0; i++) {
		const struct policy_rule *rule = &l->policy->rules[i];

		if (rule->action == POLICY_ALLOW)
			look_at_allow(l, rule, list);
		else
			look_at_refusal(l, rule, list);
	}
	if (l->budget == 0)
		lint_add(l, "CP507", LINT_WARNING, lint_head(l->policy),
			 "write fewer lines for a call",
			 "too many lines to compare each with the others: some that others cover "
			 "are not found");
	look_at_notes(l);
}
