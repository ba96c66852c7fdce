// SPDX-License-Identifier: Apache-2.0
#include "policies/reach.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "policies/cond.h"

/* Values v with lo <= v <= hi and v & mask == value, as unsigned numbers of the argument's width.
 */
struct set {
	uint64_t lo, hi, mask, value;
};

struct search {
	const struct reach_query *query;
	unsigned steps;
	unsigned depth; /* each step down settles one comparison or rule for good */
};

enum { MAX_DEPTH = 2048 };

static bool is_narrow(const struct policy_cond *c)
{
	return c->width == WIDTH_S32 || c->width == WIDTH_U32;
}

static uint64_t highest(const struct policy_cond *c)
{
	return is_narrow(c) ? UINT32_MAX : UINT64_MAX;
}

/* The smallest member that is >= lo. */
static bool set_first(const struct set *s, uint64_t *ret)
{
	uint64_t v = s->lo, wrong = (v ^ s->value) & s->mask, low;
	unsigned bit;

	if (wrong) {
		bit = 63U - (unsigned)__builtin_clzll(wrong);
		if (v >> bit & 1) {
			/* This bit must go: a higher free one must come. */
			uint64_t above = bit == 63 ? 0 : ~s->mask & ~v & ~((2ULL << bit) - 1);

			if (!above)
				return false;
			bit = (unsigned)__builtin_ctzll(above);
			v |= 1ULL << bit;
		}
		low = bit == 63 ? UINT64_MAX : (2ULL << bit) - 1;
		if (!(s->mask >> bit & 1))
			low >>= 1;
		v = (v & ~low) | (s->value & low);
	}
	if (v > s->hi)
		return false;
	*ret = v;
	return true;
}

static bool set_meet(const struct set *a, const struct set *b, struct set *ret)
{
	uint64_t v;

	if ((a->value ^ b->value) & a->mask & b->mask)
		return false;
	*ret = (struct set){
		.lo = a->lo > b->lo ? a->lo : b->lo,
		.hi = a->hi < b->hi ? a->hi : b->hi,
		.mask = a->mask | b->mask,
		.value = a->value | b->value,
	};
	return ret->lo <= ret->hi && set_first(ret, &v);
}

/* --- a comparison as a union of sets --- */

/* The k-th of the unsigned intervals that are [lo, hi] in the argument's own order. */
static bool part_of_range(const struct policy_cond *c, uint64_t lo, uint64_t hi, unsigned k,
			  struct set *ret)
{
	bool is_signed = c->width == WIDTH_S32 || c->width == WIDTH_S64;
	uint64_t top = highest(c), sign = top / 2 + 1;

	if (!is_signed || (lo & sign) == (hi & sign)) {
		*ret = (struct set){ .lo = lo, .hi = hi };
		return k == 0;
	}
	/* from a negative number up to one that is not */
	*ret = k == 0 ? (struct set){ .lo = 0, .hi = hi } : (struct set){ .lo = lo, .hi = top };
	return k < 2;
}

static bool part_of_order(const struct policy_cond *c, bool holds, unsigned k, struct set *ret)
{
	bool is_signed = c->width == WIDTH_S32 || c->width == WIDTH_S64;
	uint64_t top = highest(c), value = c->value & top;
	uint64_t first = is_signed ? top / 2 + 1 : 0, last = is_signed ? top / 2 : top;
	bool below = (c->op == POLICY_LT || c->op == POLICY_LE) == holds;
	bool with = (c->op == POLICY_LE || c->op == POLICY_GE) == holds;

	if (below)
		return (with || value != first) &&
		       part_of_range(c, first, with ? value : (value - 1) & top, k, ret);
	return (with || value != last) &&
	       part_of_range(c, with ? value : (value + 1) & top, last, k, ret);
}

static bool part_of_unequal(uint64_t value, uint64_t top, unsigned k, struct set *ret)
{
	if (value == 0)
		k++;
	*ret = k == 0 ? (struct set){ .lo = 0, .hi = value - 1 }
		      : (struct set){ .lo = value + 1, .hi = top };
	return k == 0 || (k == 1 && value != top);
}

/* The k-th set where some bit of the mask differs: the bits before it are as they should be. */
static bool part_of_other_bits(uint64_t mask, uint64_t value, uint64_t top, unsigned k,
			       struct set *ret)
{
	uint64_t left = mask, bit;

	for (; left && k; k--)
		left &= left - 1;
	if (!left)
		return false;
	bit = left & (0 - left);
	*ret = (struct set){ .lo = 0, .hi = top, .mask = mask & (bit | (bit - 1)) };
	ret->value = (value ^ bit) & ret->mask;
	return true;
}

/* The k-th of the disjoint sets whose union is where the comparison holds, or does not. */
static bool part_of(const struct policy_cond *c, bool holds, unsigned k, struct set *ret)
{
	uint64_t top = highest(c), value = c->value & top, mask = c->mask & top;

	switch ((enum policy_op)c->op) {
	case POLICY_EQ:
	case POLICY_NE:
		if ((c->op == POLICY_EQ) != holds)
			return part_of_unequal(value, top, k, ret);
		*ret = (struct set){ .lo = value, .hi = value };
		return k == 0;
	case POLICY_LT:
	case POLICY_LE:
	case POLICY_GT:
	case POLICY_GE:
		return part_of_order(c, holds, k, ret);
	case POLICY_MASKED_EQ:
		break;
	}
	/* equality with bits that the mask takes away never holds */
	if (value & ~mask) {
		*ret = (struct set){ .lo = 0, .hi = top };
		return k == 0 && c->negate == holds;
	}
	if (holds == c->negate)
		return part_of_other_bits(mask, value, top, k, ret);
	*ret = (struct set){ .lo = 0, .hi = top, .mask = mask, .value = value };
	return k == 0;
}

/* --- the search --- */

static bool rule_holds(const struct policy_rule *rule, const uint64_t args[6])
{
	for (unsigned i = 0; i < rule->n_conds; i++) {
		if (!cond_holds(&rule->conds[i], args[rule->conds[i].arg]))
			return false;
	}
	return true;
}

static enum reach search(struct search *s, const struct set sets[6], uint64_t args[6]);

/* Go on with one argument's set cut down to where the comparison holds (or does not), one part
 * after the other. */
static enum reach branch(struct search *s, const struct set sets[6], const struct policy_cond *c,
			 bool holds, uint64_t args[6])
{
	enum reach found = REACH_NO;
	struct set part, next[6];

	for (unsigned k = 0; part_of(c, holds, k, &part); k++) {
		enum reach r;

		memcpy(next, sets, sizeof(next));
		if (!set_meet(&sets[c->arg], &part, &next[c->arg]))
			continue;
		s->depth++;
		r = search(s, next, args);
		s->depth--;
		if (r == REACH_YES)
			return r;
		if (r == REACH_HARD)
			found = r;
	}
	return found;
}

/* One of the rule's comparisons must not hold. */
static enum reach branch_none(struct search *s, const struct set sets[6],
			      const struct policy_rule *rule, uint64_t args[6])
{
	enum reach found = REACH_NO;

	for (unsigned i = 0; i < rule->n_conds && found != REACH_YES; i++) {
		enum reach r = branch(s, sets, &rule->conds[i], false, args);

		if (r != REACH_NO)
			found = r;
	}
	return found;
}

/* Cutting the sets takes about as long as looking at so many rules. */
enum { STEP_COST = 16 };

/* What a search may still look at, less this; false: too much. */
static bool spend(uint64_t *budget, uint64_t n)
{
	if (!budget)
		return true;
	*budget = *budget > n ? *budget - n : 0;
	return *budget > 0;
}

/* Try the smallest values; what they break tells where to cut. */
static enum reach search(struct search *s, const struct set sets[6], uint64_t args[6])
{
	const struct reach_query *q = s->query;

	if (s->steps == 0 || s->depth == MAX_DEPTH)
		return REACH_HARD;
	s->steps--;
	for (unsigned i = 0; i < 6; i++) {
		if (!set_first(&sets[i], &args[i]))
			return REACH_NO;
	}
	for (unsigned l = 0; l < REACH_LISTS; l++) {
		for (size_t i = 0; i < q->n_all[l]; i++) {
			const struct policy_cond *c = &q->all[l][i];

			if (!cond_holds(c, args[c->arg]))
				return branch(s, sets, c, true, args);
		}
	}
	for (size_t i = 0; i < q->n_none; i++) {
		if (!rule_holds(q->none[i], args))
			continue;
		return spend(q->budget, i + STEP_COST) ? branch_none(s, sets, q->none[i], args)
						       : REACH_HARD;
	}
	return spend(q->budget, q->n_none + STEP_COST) ? REACH_YES : REACH_HARD;
}

enum reach reach_find(const struct reach_query *query, uint64_t ret_args[6])
{
	struct search s = { .query = query, .steps = REACH_STEPS };
	struct set sets[6];

	/* Registers of a 32-bit caller have 32 bits. */
	for (unsigned i = 0; i < 6; i++)
		sets[i] = (struct set){ .hi = query->abi == ABI_I386 ? UINT32_MAX : UINT64_MAX };
	return search(&s, sets, ret_args);
}

/* --- policies --- */

/* More rules for one call than this are too hard to search. */
enum { MAX_RULES = 512 };

/* Whether the call gets as far as the rules: else it is ENOSYS whatever they say. */
static bool is_judged(const struct policy *policy, enum abi abi, const struct syscall_desc *call,
		      const struct policy_rule *rules, size_t n)
{
	if (!(policy->abi_mask & 1U << abi) || call->nr[abi] < 0)
		return false;
	if (call->since <= policy->kernel)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (rules[i].abi_mask & 1U << abi)
			return true;
	}
	return false;
}

/* The rules of one kind for an ABI; how many, or SIZE_MAX when they are too many. */
static size_t pick(const struct policy_rule *rules, size_t n, enum abi abi, bool allow,
		   const struct policy_rule *ret[MAX_RULES])
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(rules[i].abi_mask & 1U << abi) || (rules[i].action == POLICY_ALLOW) != allow)
			continue;
		if (out == MAX_RULES)
			return SIZE_MAX;
		ret[out++] = &rules[i];
	}
	return out;
}

enum reach reach_allowed(const struct policy *policy, enum abi abi, const struct syscall_desc *call,
			 const struct policy_cond *pattern, size_t n, uint64_t ret_args[6])
{
	const struct policy_rule *refused[MAX_RULES];
	size_t n_rules;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n_rules);
	struct reach_query q = { .abi = abi, .all[0] = pattern, .n_all[0] = n, .none = refused };
	enum reach found = REACH_NO;
	uint64_t args[6];

	if (!is_judged(policy, abi, call, rules, n_rules))
		return REACH_NO;
	q.n_none = pick(rules, n_rules, abi, false, refused);
	for (size_t i = 0; i < n_rules; i++) {
		enum reach r;

		if (rules[i].action != POLICY_ALLOW || !(rules[i].abi_mask & 1U << abi))
			continue;
		q.all[1] = rules[i].conds;
		q.n_all[1] = rules[i].n_conds;
		r = q.n_none == SIZE_MAX ? REACH_HARD : reach_find(&q, ret_args ? ret_args : args);
		if (r == REACH_YES)
			return r;
		if (r == REACH_HARD)
			found = r;
	}
	return found;
}

bool reach_all_allowed(const struct policy *policy, enum abi abi, const struct syscall_desc *call)
{
	const struct policy_rule *allowed[MAX_RULES];
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n);
	struct reach_query q = { .abi = abi, .none = allowed };
	uint64_t args[6];

	if (!is_judged(policy, abi, call, rules, n))
		return false;
	q.n_none = pick(rules, n, abi, true, allowed);
	if (q.n_none == SIZE_MAX || reach_find(&q, args) != REACH_NO)
		return false;
	/* Everything is allowed by some rule; no other may take any of it back. */
	q.n_none = 0;
	for (size_t i = 0; i < n; i++) {
		if (rules[i].action == POLICY_ALLOW || !(rules[i].abi_mask & 1U << abi))
			continue;
		q.all[0] = rules[i].conds;
		q.n_all[0] = rules[i].n_conds;
		if (reach_find(&q, args) != REACH_NO)
			return false;
	}
	return true;
}

/* --- two policies --- */

/* One policy's rules for one call, the one that outranks the others first, the default last. */
struct ranking {
	const struct policy_rule *rules[MAX_RULES + 1];
	size_t n;
	struct policy_rule otherwise;
};

static int rank(const struct policy_rule *a, const struct policy_rule *b)
{
	/* POLICY_KILL > POLICY_DENY > POLICY_ALLOW */
	if (a->action != b->action)
		return a->action > b->action ? -1 : 1;
	return cond_rank(a, b);
}

static bool make_ranking(const struct policy *policy, enum abi abi, const struct syscall_desc *call,
			 struct ranking *ret)
{
	size_t n, at;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n);
	bool judged = is_judged(policy, abi, call, rules, n);

	ret->n = 0;
	for (size_t i = 0; judged && i < n; i++) {
		if (!(rules[i].abi_mask & 1U << abi))
			continue;
		if (ret->n == MAX_RULES)
			return false;
		for (at = ret->n++; at > 0 && rank(&rules[i], ret->rules[at - 1]) < 0; at--)
			ret->rules[at] = ret->rules[at - 1];
		ret->rules[at] = &rules[i];
	}
	ret->otherwise = (struct policy_rule){
		.call = call,
		.action = POLICY_DENY,
		.errno_value = judged ? policy->default_errno : ENOSYS,
	};
	ret->rules[ret->n++] = &ret->otherwise;
	return true;
}

static bool same_answer(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->action == b->action && a->errno_value == b->errno_value && a->quiet == b->quiet;
}

static bool same_rules(const struct ranking *a, const struct ranking *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!same_answer(a->rules[i], b->rules[i]) ||
		    cond_rank(a->rules[i], b->rules[i]) != 0)
			return false;
	}
	return true;
}

/* Values for which rule i answers in a and rule k in b. */
static enum reach meet(const struct ranking *a, size_t i, const struct ranking *b, size_t k,
		       enum abi abi, uint64_t args[6])
{
	const struct policy_rule *none[2 * MAX_RULES];
	struct reach_query q = {
		.abi = abi,
		.all = { a->rules[i]->conds, b->rules[k]->conds },
		.n_all = { a->rules[i]->n_conds, b->rules[k]->n_conds },
		.none = none,
		.n_none = i + k,
	};

	for (size_t n = 0; n < i; n++)
		none[n] = a->rules[n];
	for (size_t n = 0; n < k; n++)
		none[i + n] = b->rules[n];
	return reach_find(&q, args);
}

static enum reach differ_call(const struct policy *pa, const struct policy *pb, enum abi abi,
			      const struct syscall_desc *call, uint64_t args[6])
{
	_cleanup_free_ struct ranking *lists = calloc(2, sizeof(*lists));
	enum reach found = REACH_NO;
	struct ranking *a, *b;

	if (!lists || !make_ranking(pa, abi, call, &lists[0]) ||
	    !make_ranking(pb, abi, call, &lists[1]))
		return REACH_HARD;
	a = &lists[0];
	b = &lists[1];
	if (same_rules(a, b))
		return REACH_NO;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			enum reach r;

			if (same_answer(a->rules[i], b->rules[k]))
				continue;
			r = meet(a, i, b, k, abi, args);
			if (r == REACH_YES)
				return r;
			if (r == REACH_HARD)
				found = r;
		}
	}
	return found;
}

enum reach reach_differ(const struct policy *a, const struct policy *b,
			struct reach_difference *ret)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	enum reach found = REACH_NO;

	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		for (size_t i = 0; i < n; i++) {
			enum reach r;

			if (table[i].nr[abi] < 0 || !((a->abi_mask | b->abi_mask) & 1U << abi))
				continue;
			r = differ_call(a, b, (enum abi)abi, &table[i], ret->args);
			if (r == REACH_NO)
				continue;
			ret->abi = (enum abi)abi;
			ret->call = &table[i];
			if (r == REACH_YES)
				return r;
			found = r;
		}
	}
	return found;
}
