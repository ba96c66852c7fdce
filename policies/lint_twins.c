// SPDX-License-Identifier: Apache-2.0
/* Denials that another call undoes. */
#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "policies/lint_find.h"
#include "policies/twins.h"

/* What a policy does about one call on one ABI. */
enum stance {
	STANCE_SHUT, /* nothing of it is let through */
	STANCE_PART, /* some values */
	STANCE_OPEN, /* every value */
};

static enum stance stance_of(const struct policy *policy, enum abi abi,
			     const struct syscall_desc *call)
{
	if (reach_allowed(policy, abi, call, NULL, 0, NULL) == REACH_NO)
		return STANCE_SHUT;
	return reach_all_allowed(policy, abi, call) ? STANCE_OPEN : STANCE_PART;
}

/*
 * The line by which the author refuses the call or part of it; NULL: it is only not allowed. ENOSYS
 * is no refusal: it sends the program to the twin that can be judged.
 */
static const struct policy_rule *refusal_of(const struct policy *policy, enum abi abi,
					    const struct syscall_desc *call, bool whole)
{
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n), *allow = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!(rules[i].abi_mask & 1U << abi))
			continue;
		if (rules[i].action == POLICY_ALLOW) {
			if (rules[i].n_conds)
				allow = &rules[i];
			continue;
		}
		if (rules[i].errno_value != ENOSYS && (!whole || rules[i].n_conds == 0))
			return &rules[i];
	}
	return whole ? NULL : allow;
}

static const struct syscall_desc *next_member(const char **list, char name[LIMIT_NAME])
{
	size_t n = strcspn(*list, " ");

	if (n == 0 || n >= LIMIT_NAME)
		return NULL;
	memcpy(name, *list, n);
	name[n] = '\0';
	*list += n + ((*list)[n] == ' ');
	return syscall_by_name(name);
}

static const char *abi_suffix(const struct policy *policy, enum abi abi)
{
	static const char *const texts[_ABI_MAX] = {
		[ABI_X86_64] = " on x86_64",
		[ABI_AARCH64] = " on aarch64",
		[ABI_I386] = " on i386",
		[ABI_X32] = " on x32",
	};

	return abi == policy->native ? "" : texts[abi];
}

/* Where the author can do something: at the refusal, or, when that is a used policy's, at the line
 * of the root that lets the twin through. */
static struct policy_where place_of_pair(const struct policy *policy, enum abi abi,
					 const struct policy_rule *refusal,
					 const struct syscall_desc *open)
{
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, open, &n);

	for (size_t i = 0; i < n && refusal->where.source != 0; i++) {
		if (rules[i].action == POLICY_ALLOW && rules[i].abi_mask & 1U << abi &&
		    rules[i].where.source == 0)
			return rules[i].where;
	}
	return refusal->where;
}

/* How a family's refused member stands to one that is open. */
static void look_at_pair(struct linter *l, const struct twins *t, enum abi abi,
			 const struct syscall_desc *shut, const struct syscall_desc *open)
{
	bool whole = stance_of(l->policy, abi, shut) == STANCE_SHUT;
	const struct policy_rule *rule;
	struct policy_where place;
	bool here;

	if ((t->whole && !whole) || stance_of(l->policy, abi, open) != STANCE_OPEN)
		return;
	rule = refusal_of(l->policy, abi, shut, whole);
	if (!rule || lint_is_group(l->policy, rule->where, NULL))
		return;
	place = place_of_pair(l->policy, abi, rule, open);
	here = place.source == rule->where.source && place.line == rule->where.line;
	lint_add(l, t->id, LINT_WARNING, place,
		 whole ? "deny the whole family, or none of it"
		       : "put the same condition on it, or deny it with errno ENOSYS",
		 "%s is %s %s%s, and %s%s does the same without a condition: it %s", shut->name,
		 whole ? "refused" : "restricted", here ? "here" : "in ",
		 here ? "" : lint_place(l->policy, rule->where).text, open->name,
		 abi_suffix(l->policy, abi), t->effect);
}

static void look_at_family(struct linter *l, const struct twins *t, enum abi abi)
{
	const char *a = t->members, *b;
	char name[LIMIT_NAME];
	const struct syscall_desc *shut, *open;

	while ((shut = next_member(&a, name)) != NULL) {
		if (shut->nr[abi] < 0 || stance_of(l->policy, abi, shut) == STANCE_OPEN)
			continue;
		for (b = t->members; (open = next_member(&b, name)) != NULL;) {
			if (open != shut && open->nr[abi] >= 0)
				look_at_pair(l, t, abi, shut, open);
		}
	}
}

/* A call that can stand for others: what the policy says of these does not reach it. */
static void look_at_multiplexer(struct linter *l, const struct multiplexer *m, const char *id,
				enum abi abi)
{
	const struct syscall_desc *mux = syscall_by_name(m->call), *covered;
	const struct policy_rule *rule = NULL;
	const char *p = m->covers;
	char name[LIMIT_NAME];
	uint64_t args[6];
	struct policy_verdict v;
	unsigned n = 0;

	if (!mux || mux->nr[abi] < 0 ||
	    reach_allowed(l->policy, abi, mux, NULL, 0, args) != REACH_YES)
		return;
	while ((covered = next_member(&p, name)) != NULL) {
		const struct policy_rule *r;

		if (covered->nr[abi] >= 0 && stance_of(l->policy, abi, covered) == STANCE_OPEN)
			continue;
		n++;
		r = refusal_of(l->policy, abi, covered, false);
		if (r && (!rule || strcmp(covered->name, "socket") == 0))
			rule = r;
	}
	policy_eval(l->policy, abi, mux->nr[abi], args, &v);
	if (n == 0 || !v.rule)
		return;
	lint_add(l, id, LINT_WARNING, v.rule->where, "take it out",
		 "%s%s stands for %u calls that are not allowed as such, and its arguments lie in "
		 "memory where no filter reads them%s%s",
		 m->call, abi_suffix(l->policy, abi), n, rule ? ": it goes past " : "",
		 rule ? lint_place(l->policy, rule->where).text : "");
}

void lint_twins(struct linter *l)
{
	static const char *const mux_ids[] = { "CP205", "CP206", "CP208" };
	size_t n_twins, n_mux;
	const struct twins *twins = twins_table(&n_twins);
	const struct multiplexer *mux = multiplexer_table(&n_mux);

	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		if (!(l->policy->abi_mask & 1U << abi))
			continue;
		for (size_t i = 0; i < n_twins; i++)
			look_at_family(l, &twins[i], (enum abi)abi);
		for (size_t i = 0; i < n_mux; i++)
			look_at_multiplexer(l, &mux[i], mux_ids[i], (enum abi)abi);
	}
}
