// SPDX-License-Identifier: Apache-2.0
/* What is let through that costs, and how much of the table is. */
#include <errno.h>
#include <string.h>

#include "policies/danger.h"
#include "policies/lint_find.h"
#include "policies/twins.h"

/* From this share of the native calls on, a policy allows by default, whatever it calls it. */
enum { DEFAULT_ALLOW_PERCENT = 85 };

/* The rule that lets values through, for its place. */
static struct policy_where place_of(const struct policy *policy, enum abi abi,
				    const struct syscall_desc *call, const uint64_t args[6])
{
	struct policy_verdict v;

	policy_eval(policy, abi, call->nr[abi], args, &v);
	return v.rule ? v.rule->where : (struct policy_where){ .line = 0 };
}

static void look_at_danger(struct linter *l, const struct danger *danger, enum abi abi)
{
	const struct syscall_desc *call = syscall_by_name(danger->call);
	struct policy_cond pattern[DANGER_TESTS];
	uint64_t args[6];
	size_t n;

	if (!call || call->nr[abi] < 0)
		return;
	/* lint_twins says what the multiplexers go past */
	if (strncmp(danger->call, "io_uring", 8) == 0 || strcmp(danger->call, "socketcall") == 0 ||
	    strcmp(danger->call, "ipc") == 0)
		return;
	n = danger_pattern(danger, call, pattern);
	if (reach_allowed(l->policy, abi, call, pattern, n, args) != REACH_YES)
		return;
	lint_add(l, danger->weight >= DANGER_WARN ? "CP402" : "CP403",
		 danger->weight >= DANGER_WARN ? LINT_WARNING : LINT_NOTE,
		 place_of(l->policy, abi, call, args),
		 danger->weight < DANGER_WARN ? NULL
		 : danger->n_tests	      ? "allow the values that are needed, by `if`"
					      : "take it out",
		 "%s is let through: %s (%s)", danger_name(danger), danger->why, danger->source);
}

/* The ring itself, in a policy that restricts nothing that a ring could do. */
static void look_at_io_uring(struct linter *l)
{
	const struct syscall_desc *call = syscall_by_name("io_uring_setup");
	enum abi abi = (enum abi)l->policy->native;
	uint64_t args[6];

	if (!call || reach_allowed(l->policy, abi, call, NULL, 0, args) != REACH_YES)
		return;
	lint_add(l, "CP208", LINT_WARNING, place_of(l->policy, abi, call, args), "take it out",
		 "io_uring_setup is let through: operations of a ring are no system calls, so no "
		 "rule sees them, and no denial of them is recorded");
}

static void look_at_default(struct linter *l)
{
	size_t n, all = 0, open = 0;
	const struct syscall_desc *table = syscall_table(&n);
	struct policy_where where = { .line = 0 };
	enum abi abi = (enum abi)l->policy->native;

	for (size_t i = 0; i < n; i++) {
		if (table[i].nr[abi] < 0)
			continue;
		all++;
		open += reach_allowed(l->policy, abi, &table[i], NULL, 0, NULL) != REACH_NO;
	}
	for (size_t i = 0; i < l->policy->n_rules; i++) {
		const struct policy_rule *rule = &l->policy->rules[i];

		if (rule->action == POLICY_ALLOW && lint_is_group(l->policy, rule->where, "@known"))
			where = rule->where;
	}
	if (where.line)
		lint_add(l, "CP401", LINT_ERROR, where, "allow the groups that are needed",
			 "@known is the whole table: this allows by default, and each new kernel's "
			 "calls with it");
	else if (all && open * 100 >= all * DEFAULT_ALLOW_PERCENT)
		lint_add(l, "CP401", LINT_ERROR, where, "allow what is needed",
			 "%zu of the %zu calls are let through: a list of refusals, which the next "
			 "call that is found dangerous passes",
			 open, all);
}

/* What would have told of an attack is not recorded. */
static void look_at_quiet(struct linter *l, const struct policy_rule *rule)
{
	size_t n;
	const struct danger *table = danger_table(&n);

	if (!rule->quiet || rule->action == POLICY_ALLOW || rule->errno_value == ENOSYS)
		return;
	for (size_t i = 0; i < n; i++) {
		struct policy_cond pattern[DANGER_TESTS];
		struct reach_query q = { .abi = (enum abi)l->policy->native };
		uint64_t args[6];

		if (strcmp(table[i].call, rule->call->name) != 0 || table[i].weight < DANGER_WARN)
			continue;
		q.all[0] = rule->conds;
		q.n_all[0] = rule->n_conds;
		q.all[1] = pattern;
		q.n_all[1] = danger_pattern(&table[i], rule->call, pattern);
		if (reach_find(&q, args) != REACH_YES)
			continue;
		lint_add(l, "CP505", LINT_WARNING, rule->where, "leave `quiet` out",
			 "%s is refused without a record, and an attempt is what one wants to know "
			 "of: it %s",
			 danger_name(&table[i]), table[i].why);
	}
}

void lint_dangers(struct linter *l)
{
	size_t n;
	const struct danger *table = danger_table(&n);

	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		for (size_t i = 0; i < n && l->policy->abi_mask & 1U << abi; i++)
			look_at_danger(l, &table[i], (enum abi)abi);
	}
	look_at_io_uring(l);
	look_at_default(l);
	for (size_t i = 0; i < l->policy->n_rules; i++)
		look_at_quiet(l, &l->policy->rules[i]);
}
