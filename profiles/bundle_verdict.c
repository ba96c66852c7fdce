// SPDX-License-Identifier: Apache-2.0
/*
 * What a bundle says of one call: the supervisor's answer to a notification. Runs for each denial,
 * on numbers and arguments that the payload chose.
 */
#include <errno.h>

#include "profiles/bundle_format.h"

/* The record whose range holds the number, or NULL. */
static const struct bundle_rec_call *find_call(const struct bundle *b, enum abi abi, int32_t nr)
{
	size_t lo = 0, hi = b->header->section[BUNDLE_CALLS].count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct bundle_rec_call *c = &b->calls[mid];

		if (c->abi < abi || (c->abi == abi && c->last < (uint32_t)nr))
			lo = mid + 1;
		else if (c->abi > abi || c->first > (uint32_t)nr)
			hi = mid;
		else
			return c;
	}
	return NULL;
}

/* The value as the kernel reads the register; signed ones with their sign. */
static int64_t read_signed(uint8_t width, uint64_t value)
{
	return width == WIDTH_S32 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static uint64_t read_unsigned(uint8_t width, uint64_t value)
{
	return width == WIDTH_S32 || width == WIDTH_U32 ? (uint32_t)value : value;
}

/* -1, 0 or 1. */
static int order(uint8_t width, uint64_t a, uint64_t b)
{
	if (width == WIDTH_S32 || width == WIDTH_S64) {
		int64_t x = read_signed(width, a), y = read_signed(width, b);

		return (x > y) - (x < y);
	}
	a = read_unsigned(width, a);
	b = read_unsigned(width, b);
	return (a > b) - (a < b);
}

static bool holds(const struct bundle_rec_cond *c, uint64_t arg)
{
	switch ((enum policy_op)c->op) {
	case POLICY_EQ:
		return order(c->width, arg, c->value) == 0;
	case POLICY_NE:
		return order(c->width, arg, c->value) != 0;
	case POLICY_LT:
		return order(c->width, arg, c->value) < 0;
	case POLICY_LE:
		return order(c->width, arg, c->value) <= 0;
	case POLICY_GT:
		return order(c->width, arg, c->value) > 0;
	case POLICY_GE:
		return order(c->width, arg, c->value) >= 0;
	case POLICY_MASKED_EQ:
		break;
	}
	return (read_unsigned(c->width, arg & c->mask) == read_unsigned(c->width, c->value)) !=
	       c->negate;
}

static bool rule_holds(const struct bundle *b, const struct bundle_rec_rule *rule,
		       const uint64_t args[6])
{
	for (uint32_t i = 0; i < rule->n_conds; i++) {
		const struct bundle_rec_cond *c = &b->conds[rule->conds + i];

		if (!holds(c, args[c->arg]))
			return false;
	}
	return true;
}

void bundle_verdict(const struct bundle *b, enum abi abi, int32_t nr, const uint64_t args[6],
		    struct bundle_verdict *ret)
{
	const struct bundle_rec_call *call;

	*ret = (struct bundle_verdict){ .action = POLICY_DENY, .rule = UINT32_MAX };
	if ((unsigned)abi >= _ABI_MAX || !(b->header->abi_mask >> abi & 1)) {
		ret->reason = POLICY_BY_ABI;
		ret->errno_value = ENOSYS;
		return;
	}
	call = find_call(b, abi, nr);
	if (!call) {
		ret->reason = POLICY_BY_KERNEL;
		ret->errno_value = ENOSYS;
		return;
	}
	for (uint16_t i = 0; i < call->n_refs; i++) {
		uint16_t index = b->refs[call->refs + i];
		const struct bundle_rec_rule *rule = &b->rules[index];

		if (!rule_holds(b, rule, args))
			continue;
		*ret = (struct bundle_verdict){ .action = rule->action,
						.reason = POLICY_BY_RULE,
						.quiet = rule->quiet,
						.errno_value = rule->errno_value,
						.rule = index,
						.file = b->strings + rule->file,
						.line = rule->line };
		return;
	}
	ret->reason = POLICY_BY_DEFAULT;
	ret->errno_value = b->header->default_errno;
}

bool bundle_always_allows(const struct bundle *b, enum abi abi, int32_t nr)
{
	const struct bundle_rec_call *call;

	if ((unsigned)abi >= _ABI_MAX || !(b->header->abi_mask >> abi & 1))
		return false;
	call = find_call(b, abi, nr);
	/* The first that holds decides: allows only, up to one that always holds. */
	for (uint16_t i = 0; call && i < call->n_refs; i++) {
		const struct bundle_rec_rule *rule = &b->rules[b->refs[call->refs + i]];

		if (rule->action != POLICY_ALLOW)
			return false;
		if (rule->n_conds == 0)
			return true;
	}
	return false;
}

static bool has_quiet(const struct bundle *b, const struct bundle_rec_call *call)
{
	for (uint16_t i = 0; i < call->n_refs; i++) {
		const struct bundle_rec_rule *rule = &b->rules[b->refs[call->refs + i]];

		if (rule->quiet && rule->action == POLICY_DENY)
			return true;
	}
	return false;
}

int bundle_quiet(const struct bundle *b, int32_t *ret, size_t max, size_t *ret_n)
{
	size_t n = 0;

	for (uint32_t i = 0; i < b->header->section[BUNDLE_CALLS].count; i++) {
		const struct bundle_rec_call *call = &b->calls[i];
		const struct bundle_rec_rule *first;

		if (!has_quiet(b, call))
			continue;
		first = &b->rules[b->refs[call->refs]];
		if (call->abi != bundle_native(b) || !first->quiet ||
		    first->action != POLICY_DENY || first->n_conds > 0 ||
		    call->last - call->first >= max - n)
			return -E2BIG;
		for (uint32_t k = 0; k <= call->last - call->first; k++)
			ret[n++] = (int32_t)(call->first + k);
	}
	*ret_n = n;
	return 0;
}

bool bundle_kills(const struct bundle *b)
{
	for (uint32_t i = 0; i < b->header->section[BUNDLE_RULES].count; i++) {
		if (b->rules[i].action == POLICY_KILL && (b->rules[i].quiet || !b->header->notify))
			return true;
	}
	return false;
}

uint16_t bundle_errno(const struct bundle *b, enum abi abi, int32_t nr)
{
	const struct bundle_rec_call *call;
	uint16_t one = 0;

	if ((unsigned)abi >= _ABI_MAX || !(b->header->abi_mask >> abi & 1))
		return ENOSYS;
	call = find_call(b, abi, nr);
	if (!call)
		return ENOSYS;
	for (uint16_t i = 0; i < call->n_refs; i++) {
		const struct bundle_rec_rule *rule = &b->rules[b->refs[call->refs + i]];

		if (rule->action == POLICY_DENY && !rule->quiet) {
			if (one && one != rule->errno_value)
				return 0;
			one = rule->errno_value;
		}
		if (rule->n_conds == 0) /* what follows is not asked */
			return one;
	}
	return one && one != b->header->default_errno ? 0 : b->header->default_errno;
}

void bundle_source(const struct bundle *b, size_t i, struct policy_source *ret)
{
	const struct bundle_rec_source *s = &b->sources[i];
	union {
		const char *in;
		char *out;
	} path = { .in = b->strings + s->path };

	/* struct policy_source owns its path elsewhere; here it is borrowed, and not to be written.
	 */
	*ret = (struct policy_source){ .path = path.out,
				       .digest = s->digest,
				       .dev = s->dev,
				       .ino = s->ino,
				       .size = s->size,
				       .mtime_ns = s->mtime_ns,
				       .ctime_ns = s->ctime_ns };
}
