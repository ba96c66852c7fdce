// SPDX-License-Identifier: Apache-2.0
/* Entries of the kernel beside the native one, and calls that are not there. */
#include <string.h>

#include "base/fd.h"
#include "policies/lint_find.h"

/* Calls whose i386 form takes one pointer to its arguments: a comparison reads the address. */
static const char *const in_memory_on_i386[] = { "mmap", "select" };

static void look_at_open_abis(struct linter *l)
{
	const struct policy *p = l->policy;
	struct policy_where where = p->setting_where[POLICY_SETTING_ABI];

	if (p->abi_mask & 1U << ABI_X32 && p->native != ABI_X32)
		lint_add(l, "CP302", LINT_WARNING, where, "abi native",
			 "x32 is opened: a second numbering that hardly any program uses, and that "
			 "filters written for x86_64 forget");
	if (p->abi_mask & 1U << ABI_I386 && p->native != ABI_I386)
		lint_add(l, "CP303", LINT_WARNING, where, "abi native",
			 "i386 is opened: its own entry into the kernel, with calls of its own "
			 "(socketcall, ipc, chown32) and 32-bit arguments, of which each rule must "
			 "be right too");
}

static bool exists_natively(const struct syscall_desc *call)
{
	return call->nr[ABI_X86_64] >= 0 || call->nr[ABI_AARCH64] >= 0;
}

/* A rule for calls that no open ABI has says nothing; one that another architecture has is there
 * for that one. */
static void look_at_absent(struct linter *l, const struct policy_rule *rule)
{
	if (lint_is_group(l->policy, rule->where, NULL))
		return;
	if (exists_natively(rule->call) && !(rule->abi_mask & l->policy->abi_mask))
		lint_add(l, "CP306", LINT_NOTE, rule->where, NULL,
			 "%s is not there on %s: the line speaks of other architectures",
			 rule->call->name, abi_name((enum abi)l->policy->native));
	else
		lint_add(
			l, "CP301", rule->action == POLICY_ALLOW ? LINT_WARNING : LINT_NOTE,
			rule->where, "take it out, or open the ABI: abi native i386",
			"%s is not there on any ABI that this policy opens: the line has no effect",
			rule->call->name);
}

/* A refusal that holds on one ABI while another lets the same through. */
static void look_at_partial(struct linter *l, const struct policy_rule *rule)
{
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		if (!(l->policy->abi_mask & 1U << abi) || rule->abi_mask & 1U << abi ||
		    rule->call->nr[abi] < 0)
			continue;
		if (reach_allowed(l->policy, (enum abi)abi, rule->call, rule->conds, rule->n_conds,
				  NULL) != REACH_NO)
			lint_add(l, "CP304", LINT_WARNING, rule->where,
				 "leave the `on` out: a rule holds on every open ABI",
				 "%s is refused here for some ABIs, and %s lets the same through",
				 rule->call->name, abi_name((enum abi)abi));
	}
}

static void look_at_i386_arguments(struct linter *l, const struct policy_rule *rule)
{
	if (rule->n_conds == 0 || !(rule->abi_mask & l->policy->abi_mask & 1U << ABI_I386))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(in_memory_on_i386); i++) {
		if (strcmp(rule->call->name, in_memory_on_i386[i]) == 0)
			lint_add(l, "CP307", LINT_WARNING, rule->where,
				 "deny the call on i386, whose libc uses another one",
				 "%s on i386 takes its arguments from memory: what is compared "
				 "there is an address",
				 rule->call->name);
	}
}

/* A used policy judged its calls up to its own `kernel`: what it allows was meant. */
static void look_at_age(struct linter *l, const struct policy_rule *rule)
{
	if (rule->where.source != 0)
		return;
	if (rule->call->since <= l->policy->kernel || lint_is_group(l->policy, rule->where, NULL))
		return;
	if (rule->action == POLICY_ALLOW)
		lint_add(l, "CP305", LINT_WARNING, rule->where,
			 "raise `kernel` and judge what came with it, or take the line out",
			 "%s came with Linux %u.%u, and only calls up to %u.%u were judged",
			 rule->call->name, rule->call->since >> 8, rule->call->since & 0xffU,
			 l->policy->kernel >> 8, l->policy->kernel & 0xffU);
}

void lint_abis(struct linter *l)
{
	look_at_open_abis(l);
	for (size_t i = 0; i < l->policy->n_rules; i++) {
		const struct policy_rule *rule = &l->policy->rules[i];

		if (!(rule->abi_mask & l->policy->abi_mask)) {
			look_at_absent(l, rule);
			continue;
		}
		look_at_age(l, rule);
		look_at_i386_arguments(l, rule);
		if (rule->action != POLICY_ALLOW)
			look_at_partial(l, rule);
	}
}
