// SPDX-License-Identifier: Apache-2.0
#include "policies/import_cond.h"

#include <errno.h>

/* Whether bits are what a register holds of a 32-bit number below zero. */
static bool is_sign_extended(uint64_t bits)
{
	return bits >= UINT64_C(0xffffffff80000000);
}

static const char *refuse(const struct syscall_desc *call, const struct import_compare *c)
{
	const struct syscall_arg *arg = &call->args[c->arg];

	if (c->arg >= call->n_args)
		return "is no argument of the call: what the register holds has no meaning";
	if (arg->width == WIDTH_PTR)
		return "is an address: a filter does not see what is there";
	if (arg->kind == KIND_MODE && c->op != IMPORT_EQ && c->op != IMPORT_NE &&
	    c->op != IMPORT_MASKED_EQ && c->op != IMPORT_MASKED_NE)
		return "is a file mode, of which the kernel reads 16 bits: they cannot be ordered";
	return NULL;
}

static int constant(const struct syscall_desc *call, bool holds, struct import_dnf *ret)
{
	if (holds)
		return dnf_always(call, ret);
	*ret = (struct import_dnf){ .call = call };
	return 0;
}

/* What lies between two values without a sign, as ranges of keys: two where the sign turns. */
static int between(const struct syscall_desc *call, unsigned arg, uint64_t low, uint64_t high,
		   struct import_dnf *ret)
{
	uint64_t turn = dnf_key_turn(call, arg);
	_cleanup_dnf_ struct import_dnf a = { .call = NULL }, b = { .call = NULL };
	int r;

	if (turn == 0 || high < turn || low >= turn)
		return dnf_from_range(call, arg, (struct import_range){ low ^ turn, high ^ turn },
				      ret);
	r = dnf_from_range(call, arg, (struct import_range){ low ^ turn, turn - 1 + turn }, &a);
	r = r ? r : dnf_from_range(call, arg, (struct import_range){ 0, high ^ turn }, &b);
	return r ? r : dnf_or(&a, &b, ret);
}

static int equal(const struct syscall_desc *call, const struct import_compare *c, bool negate,
		 struct import_dnf *ret, const char **ret_note)
{
	uint64_t max = dnf_key_max(call, c->arg), value = c->value;
	_cleanup_dnf_ struct import_dnf is = { .call = NULL };
	int r;

	if (call->args[c->arg].kind == KIND_MODE) {
		if (value <= 0xffff)
			return dnf_from_mask(
				call,
				(struct import_mask){ (uint8_t)c->arg, negate, 0xffff, value },
				ret);
		*ret_note = "no file mode has such a value";
		return constant(call, negate, ret);
	}
	if (value > max && !is_sign_extended(value)) {
		*ret_note = "the argument has 32 bits and never such a value";
		return constant(call, negate, ret);
	}
	r = between(call, c->arg, value & max, value & max, negate ? &is : ret);
	return r || !negate ? r : dnf_not(&is, ret);
}

static int masked(const struct syscall_desc *call, const struct import_compare *c, bool negate,
		  struct import_dnf *ret, const char **ret_note)
{
	bool mode = call->args[c->arg].kind == KIND_MODE;
	uint64_t max = mode ? 0xffff : dnf_key_max(call, c->arg);
	uint64_t mask = c->mask, value = c->value;

	if (value & ~mask) {
		*ret_note = "the value has bits that the mask takes away: they are not compared";
		value &= mask;
	}
	if (value & ~max &&
	    (mode || (mask | max) != UINT64_MAX || !is_sign_extended(value | INT32_MAX))) {
		*ret_note = "the argument has fewer bits than are compared: never equal";
		return constant(call, negate, ret);
	}
	mask &= max;
	value &= max;
	if (mask == 0) {
		*ret_note = "the mask leaves nothing to compare: always equal";
		return constant(call, !negate, ret);
	}
	if (mask == max && !mode)
		return equal(call, &(struct import_compare){ c->arg, IMPORT_EQ, 0, value }, negate,
			     ret, ret_note);
	return dnf_from_mask(call, (struct import_mask){ (uint8_t)c->arg, negate, mask, value },
			     ret);
}

static int ordered(const struct syscall_desc *call, const struct import_compare *c,
		   struct import_dnf *ret, const char **ret_why)
{
	uint64_t max = dnf_key_max(call, c->arg), value = c->value;

	if (value > max && !is_sign_extended(value)) {
		*ret_why = "has 32 bits: which of its values are beyond such a number depends on "
			   "how the caller extended them";
		return -EOPNOTSUPP;
	}
	value &= max;
	switch (c->op) {
	case IMPORT_LT:
		return value == 0 ? constant(call, false, ret)
				  : between(call, c->arg, 0, value - 1, ret);
	case IMPORT_LE:
		return between(call, c->arg, 0, value, ret);
	case IMPORT_GT:
		return value == max ? constant(call, false, ret)
				    : between(call, c->arg, value + 1, max, ret);
	case IMPORT_GE:
		return between(call, c->arg, value, max, ret);
	case IMPORT_EQ:
	case IMPORT_NE:
	case IMPORT_MASKED_EQ:
	case IMPORT_MASKED_NE:
		break;
	}
	return -EINVAL;
}

int import_compare(const struct syscall_desc *call, const struct import_compare *c,
		   struct import_dnf *ret, const char **ret_why, const char **ret_note)
{
	*ret_note = NULL;
	*ret_why = refuse(call, c);
	if (*ret_why)
		return -EOPNOTSUPP;
	switch (c->op) {
	case IMPORT_EQ:
	case IMPORT_NE:
		return equal(call, c, c->op == IMPORT_NE, ret, ret_note);
	case IMPORT_MASKED_EQ:
	case IMPORT_MASKED_NE:
		return masked(call, c, c->op == IMPORT_MASKED_NE, ret, ret_note);
	case IMPORT_LT:
	case IMPORT_LE:
	case IMPORT_GT:
	case IMPORT_GE:
		break;
	}
	return ordered(call, c, ret, ret_why);
}
