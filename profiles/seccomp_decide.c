// SPDX-License-Identifier: Apache-2.0
/*
 * What a call comes to: the rules that speak of it in the order of their meaning (kill, deny,
 * allow, default), each with the filter's answer, and without those that can make no difference.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "policies/cond.h"
#include "profiles/seccomp_gen.h"

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static bool same_cond(const struct policy_cond *a, const struct policy_cond *b)
{
	return a->arg == b->arg && a->op == b->op && a->negate == b->negate &&
	       a->width == b->width && a->mask == b->mask && a->value == b->value;
}

/* Kill before deny before allow; within one, as model.h says. */
static int compare_rule(const void *pa, const void *pb)
{
	static const uint8_t rank[] = { [POLICY_KILL] = 0, [POLICY_DENY] = 1, [POLICY_ALLOW] = 2 };
	const struct policy_rule *a = *(const struct policy_rule *const *)pa;
	const struct policy_rule *b = *(const struct policy_rule *const *)pb;
	int r = compare_u64((uintptr_t)a->call, (uintptr_t)b->call);

	r = r ? r : compare_u64(rank[a->action], rank[b->action]);
	r = r ? r : cond_rank(a, b);
	/* Rules of one policy are in one array: its order settles what is left. */
	return r ? r : compare_u64((uintptr_t)a, (uintptr_t)b);
}

int seccomp_index_new(const struct policy *policy, struct seccomp_index *ret)
{
	const struct policy_rule **rules =
		calloc(policy->n_rules + 1, sizeof(const struct policy_rule *));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++)
		rules[i] = &policy->rules[i];
	qsort(rules, policy->n_rules, sizeof(const struct policy_rule *), compare_rule);
	*ret = (struct seccomp_index){ .rules = rules, .n = policy->n_rules };
	return 0;
}

void seccomp_index_done(struct seccomp_index *index)
{
	free(index->rules);
	*index = (struct seccomp_index){ .n = 0 };
}

/* The first rule of the call within the index, or n. */
static size_t find_call(const struct seccomp_index *index, const struct syscall_desc *call)
{
	size_t lo = 0, hi = index->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((uintptr_t)index->rules[mid]->call < (uintptr_t)call)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A denial that is told to the supervisor, who answers it, unless nobody is to be told. */
static uint32_t ret_told(const struct policy *policy, bool quiet, uint32_t otherwise)
{
	return policy->notify && !quiet ? SECCOMP_RET_USER_NOTIF : otherwise;
}

uint32_t seccomp_ret_unknown(const struct policy *policy)
{
	return ret_told(policy, false, SECCOMP_RET_ERRNO | ENOSYS);
}

static uint32_t ret_of_rule(const struct policy *policy, const struct policy_rule *rule)
{
	switch ((enum policy_action)rule->action) {
	case POLICY_ALLOW:
		return SECCOMP_RET_ALLOW;
	case POLICY_DENY:
		return ret_told(policy, rule->quiet,
				SECCOMP_RET_ERRNO | (rule->errno_value & SECCOMP_RET_DATA));
	case POLICY_KILL:
		break;
	}
	return ret_told(policy, rule->quiet, SECCOMP_RET_KILL_PROCESS);
}

/* Whether a condition of rule can never hold; *ret_always: all of them always do. */
static bool never_holds(const struct policy_rule *rule, bool *ret_always)
{
	*ret_always = true;
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		int fixed = seccomp_cond_fixed(&rule->conds[i]);

		if (fixed == 0)
			return true;
		if (fixed < 0)
			*ret_always = false;
	}
	return false;
}

static bool has_cond(const struct policy_rule *rule, const struct policy_cond *cond)
{
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		if (same_cond(&rule->conds[i], cond))
			return true;
	}
	return false;
}

/* Whether later can be reached only where earlier holds: all of earlier's conditions are later's.
 */
static bool is_shadowed(const struct policy_rule *earlier, const struct policy_rule *later)
{
	for (uint8_t i = 0; i < earlier->n_conds; i++) {
		if (seccomp_cond_fixed(&earlier->conds[i]) < 0 &&
		    !has_cond(later, &earlier->conds[i]))
			return false;
	}
	return true;
}

/* Put rule behind the branches, unless it can make no difference. True: nothing can follow it. */
static bool add_branch(const struct policy *policy, struct seccomp_decision *d,
		       const struct policy_rule *rule)
{
	bool always;

	if (never_holds(rule, &always))
		return false;
	if (always) {
		d->last = ret_of_rule(policy, rule);
		return true;
	}
	for (size_t i = 0; i < d->n_branches; i++) {
		if (is_shadowed(d->branches[i].rule, rule))
			return false;
	}
	d->branches[d->n_branches++] =
		(struct seccomp_branch){ .rule = rule, .ret = ret_of_rule(policy, rule) };
	return false;
}

int seccomp_decide(const struct policy *policy, const struct seccomp_index *index, enum abi abi,
		   int32_t nr, struct seccomp_decision *ret)
{
	const struct syscall_desc *call = syscall_by_nr(abi, nr);
	struct seccomp_decision d = { .last = ret_told(policy, false,
						       SECCOMP_RET_ERRNO | policy->default_errno) };
	size_t first = call ? find_call(index, call) : 0, end = first, n = 0;

	while (call && end < index->n && index->rules[end]->call == call)
		n += index->rules[end++]->abi_mask >> abi & 1;
	if (n == 0) {
		if (!call || call->since > policy->kernel)
			d.last = seccomp_ret_unknown(policy);
		*ret = d;
		return 0;
	}
	d.branches = calloc(n, sizeof(*d.branches));
	if (!d.branches)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		if (index->rules[i]->abi_mask >> abi & 1 && add_branch(policy, &d, index->rules[i]))
			break;
	}
	while (d.n_branches > 0 && d.branches[d.n_branches - 1].ret == d.last)
		d.n_branches--;
	*ret = d;
	return 0;
}

bool seccomp_decision_equal(const struct seccomp_decision *a, const struct seccomp_decision *b)
{
	if (a->n_branches != b->n_branches || a->last != b->last)
		return false;
	for (size_t i = 0; i < a->n_branches; i++) {
		const struct policy_rule *ra = a->branches[i].rule, *rb = b->branches[i].rule;

		if (a->branches[i].ret != b->branches[i].ret || ra->n_conds != rb->n_conds)
			return false;
		for (uint8_t k = 0; k < ra->n_conds; k++) {
			if (!same_cond(&ra->conds[k], &rb->conds[k]))
				return false;
		}
	}
	return true;
}
