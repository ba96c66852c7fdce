// SPDX-License-Identifier: Apache-2.0
/* Comparisons that say something else than they seem to. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policies/cond.h"
#include "policies/lint_find.h"

static bool is_narrow(const struct policy_cond *c)
{
	return c->width == WIDTH_S32 || c->width == WIDTH_U32;
}

/*
 * Ours compare an int's 32 bits. An OCI runtime compares the register's 64, and the caller chooses
 * the upper ones: an allow by != or > is then open, a deny by < never holds.
 */
static bool is_trap_elsewhere(const struct policy_rule *rule, const struct policy_cond *c)
{
	bool allow = rule->action == POLICY_ALLOW;

	if (!is_narrow(c))
		return false;
	switch ((enum policy_op)c->op) {
	case POLICY_NE:
	case POLICY_GT:
	case POLICY_GE:
		return allow;
	case POLICY_LT:
	case POLICY_LE:
		return !allow;
	case POLICY_EQ:
	case POLICY_MASKED_EQ:
		break;
	}
	return false;
}

/* No value breaks it. */
static bool is_always_true(const struct policy_rule *rule, const struct policy_cond *c)
{
	const struct policy_rule one = { .call = rule->call, .n_conds = 1, .conds = { *c } };
	const struct policy_rule *list[] = { &one };
	struct reach_query q = { .abi = ABI_X86_64, .none = list, .n_none = 1 };
	uint64_t args[6];

	return reach_find(&q, args) == REACH_NO;
}

static bool never_holds(const struct policy_rule *rule)
{
	struct reach_query q = { .abi = ABI_X86_64,
				 .all[0] = rule->conds,
				 .n_all[0] = rule->n_conds };
	uint64_t args[6];

	return reach_find(&q, args) == REACH_NO;
}

static bool is_socket_type(const struct policy_rule *rule, const struct policy_cond *c)
{
	return strncmp(rule->call->name, "socket", 6) == 0 &&
	       strcmp(rule->call->args[c->arg].name, "type") == 0;
}

/* A refusal by == of a word of bits: any other bit beside it, and the refusal is passed. */
static void look_at_flags(struct linter *l, const struct policy_rule *rule,
			  const struct policy_cond *c)
{
	const struct syscall_arg *arg = &rule->call->args[c->arg];
	char instead[160];

	if (c->op != POLICY_EQ || arg->kind != KIND_FLAGS || c->value == 0 ||
	    (uint32_t)c->value == UINT32_MAX)
		return;
	if (is_socket_type(rule, c)) {
		(void)snprintf(instead, sizeof(instead), "%s & 0xf == 0x%" PRIx64, arg->name,
			       c->value & 0xf);
		if (rule->action == POLICY_ALLOW)
			lint_add(l, "CP105", LINT_NOTE, rule->where, instead,
				 "%s: '%s' carries SOCK_CLOEXEC and SOCK_NONBLOCK too, which libc "
				 "sets: == refuses them",
				 rule->call->name, arg->name);
	} else {
		(void)snprintf(instead, sizeof(instead), "%s & 0x%" PRIx64 " == 0x%" PRIx64,
			       arg->name, c->value, c->value);
	}
	if (rule->action != POLICY_ALLOW)
		lint_add(l, "CP104", LINT_WARNING, rule->where, instead,
			 "%s: '%s' is a word of flags: one more flag beside 0x%" PRIx64
			 " and this refusal is passed",
			 rule->call->name, arg->name, c->value);
}

static void look_at(struct linter *l, const struct policy_rule *rule)
{
	char text[COND_TEXT];

	if (rule->n_conds && never_holds(rule)) {
		lint_add(l, "CP103", LINT_WARNING, rule->where,
			 "take the line out, or say `or` by two lines",
			 "%s: no value meets all comparisons of this line, so it has no effect",
			 rule->call->name);
		return;
	}
	for (unsigned i = 0; i < rule->n_conds; i++) {
		const struct policy_cond *c = &rule->conds[i];

		cond_text(rule->call, c, text);
		if (is_always_true(rule, c))
			lint_add(l, "CP102", LINT_WARNING, rule->where, "leave the comparison out",
				 "%s: '%s' holds for every value that the kernel can read",
				 rule->call->name, text);
		else if (is_trap_elsewhere(rule, c))
			lint_add(
				l, "CP101", LINT_NOTE, rule->where,
				"list the values with `in`, or compare through a mask",
				"%s: '%s' compares the 32 bits that the kernel reads; exported to "
				"an "
				"OCI runtime it compares 64, and the caller sets the upper half to "
				"pass it",
				rule->call->name, text);
		look_at_flags(l, rule, c);
	}
}

void lint_comparisons(struct linter *l)
{
	for (size_t i = 0; i < l->policy->n_rules; i++)
		look_at(l, &l->policy->rules[i]);
}
