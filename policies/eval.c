// SPDX-License-Identifier: Apache-2.0
/*
 * The oracle: written to be read beside policies/model.h, sentence by sentence. It tries every
 * rule of a call and knows nothing of how generated programs do it.
 */
#include <errno.h>

#include "policies/cond.h"
#include "policies/model.h"

/* They lie together, because rules are sorted by the call's name and the table is too. */
const struct policy_rule *policy_rules_of(const struct policy *policy,
					  const struct syscall_desc *call, size_t *ret_n)
{
	size_t low = 0, high = policy->n_rules, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (policy->rules[middle].call < call)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < policy->n_rules && policy->rules[low + n].call == call)
		n++;
	*ret_n = n;
	return n ? &policy->rules[low] : NULL;
}

static bool rule_holds(const struct policy_rule *rule, const uint64_t args[6])
{
	for (unsigned i = 0; i < rule->n_conds; i++) {
		if (!cond_holds(&rule->conds[i], args[rule->conds[i].arg]))
			return false;
	}
	return true;
}

static const struct policy_rule *find_rule(const struct policy_rule *rules, size_t n, enum abi abi,
					   enum policy_action action, const uint64_t args[6])
{
	const struct policy_rule *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct policy_rule *rule = &rules[i];

		if (rule->action != action || !(rule->abi_mask & 1U << abi) ||
		    !rule_holds(rule, args))
			continue;
		if (!found || cond_rank(rule, found) < 0)
			found = rule;
	}
	return found;
}

static bool any_rule_names(const struct policy_rule *rules, size_t n, enum abi abi)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].abi_mask & 1U << abi)
			return true;
	}
	return false;
}

static void answer(struct policy_verdict *ret, enum policy_action action, enum policy_reason reason,
		   int errno_value)
{
	*ret = (struct policy_verdict){
		.action = (uint8_t)action,
		.reason = (uint8_t)reason,
		.errno_value = (uint16_t)errno_value,
	};
}

void policy_eval(const struct policy *policy, enum abi abi, int32_t nr, const uint64_t args[6],
		 struct policy_verdict *ret)
{
	/* in this order: kill overrides deny, deny overrides allow */
	static const enum policy_action order[] = { POLICY_KILL, POLICY_DENY, POLICY_ALLOW };
	const struct policy_rule *rules;
	const struct syscall_desc *call;
	size_t n = 0;

	if ((unsigned)abi >= _ABI_MAX || !(policy->abi_mask & 1U << abi)) {
		answer(ret, POLICY_DENY, POLICY_BY_ABI, ENOSYS);
		return;
	}
	call = syscall_by_nr(abi, nr);
	rules = call ? policy_rules_of(policy, call, &n) : NULL;
	if (!call || (call->since > policy->kernel && !any_rule_names(rules, n, abi))) {
		answer(ret, POLICY_DENY, POLICY_BY_KERNEL, ENOSYS);
		return;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct policy_rule *rule = find_rule(rules, n, abi, order[i], args);

		if (!rule)
			continue;
		answer(ret, order[i], POLICY_BY_RULE,
		       order[i] == POLICY_DENY ? rule->errno_value : 0);
		ret->quiet = rule->quiet;
		ret->rule = rule;
		return;
	}
	answer(ret, POLICY_DENY, POLICY_BY_DEFAULT, policy->default_errno);
}
