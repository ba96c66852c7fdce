// SPDX-License-Identifier: Apache-2.0
#include "policies/cond.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_signed(const struct policy_cond *cond)
{
	return cond->width == WIDTH_S32 || cond->width == WIDTH_S64;
}

/* The bits of the register that the kernel looks at. A 32-bit argument's high half is whatever
 * the caller left there: SYSCALL_DEFINE casts to the parameter's type. */
static uint64_t as_read(const struct policy_cond *cond, uint64_t value)
{
	switch ((enum syscall_width)cond->width) {
	case WIDTH_S32:
		return (uint64_t)(int64_t)(int32_t)(uint32_t)value;
	case WIDTH_U32:
		return (uint32_t)value;
	case WIDTH_NONE:
	case WIDTH_S64:
	case WIDTH_U64:
	case WIDTH_PTR:
		break;
	}
	return value;
}

static bool is_less(const struct policy_cond *cond, uint64_t a, uint64_t b)
{
	return is_signed(cond) ? (int64_t)a < (int64_t)b : a < b;
}

bool cond_holds(const struct policy_cond *cond, uint64_t reg)
{
	uint64_t arg = as_read(cond, reg);
	uint64_t value = as_read(cond, cond->value);
	bool equal;

	switch ((enum policy_op)cond->op) {
	case POLICY_EQ:
		return arg == value;
	case POLICY_NE:
		return arg != value;
	case POLICY_LT:
		return is_less(cond, arg, value);
	case POLICY_LE:
		return !is_less(cond, value, arg);
	case POLICY_GT:
		return is_less(cond, value, arg);
	case POLICY_GE:
		return !is_less(cond, arg, value);
	case POLICY_MASKED_EQ:
		equal = (arg & as_read(cond, cond->mask)) == value;
		return equal != cond->negate;
	}
	return false;
}

static uint64_t shown(const struct policy_cond *cond, uint64_t value)
{
	return cond->width == WIDTH_S32 || cond->width == WIDTH_U32 ? (uint32_t)value : value;
}

void cond_text(const struct syscall_desc *call, const struct policy_cond *cond, char ret[COND_TEXT])
{
	static const char *const spelling[] = {
		[POLICY_EQ] = "==",	   [POLICY_NE] = "!=", [POLICY_LT] = "<",
		[POLICY_LE] = "<=",	   [POLICY_GT] = ">",  [POLICY_GE] = ">=",
		[POLICY_MASKED_EQ] = "==",
	};
	const char *name = call->args[cond->arg].name;

	if (cond->op == POLICY_MASKED_EQ)
		(void)snprintf(ret, COND_TEXT, "%s & 0x%" PRIx64 " %s 0x%" PRIx64, name,
			       shown(cond, cond->mask),
			       cond->negate ? "!=" : "==", shown(cond, cond->value));
	else
		(void)snprintf(ret, COND_TEXT, "%s %s 0x%" PRIx64, name, spelling[cond->op],
			       shown(cond, cond->value));
}

int cond_compare(const struct syscall_desc *call, const struct policy_cond *a,
		 const struct policy_cond *b)
{
	char ta[COND_TEXT], tb[COND_TEXT];

	cond_text(call, a, ta);
	cond_text(call, b, tb);
	return strcmp(ta, tb);
}

int cond_rank(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->n_conds != b->n_conds)
		return a->n_conds > b->n_conds ? -1 : 1;
	for (unsigned i = 0; i < a->n_conds; i++) {
		int order = cond_compare(a->call, &a->conds[i], &b->conds[i]);

		if (order)
			return order;
	}
	return 0;
}
