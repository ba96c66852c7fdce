// SPDX-License-Identifier: Apache-2.0
#include "profiles/check_values.h"

#include <errno.h>
#include <stdlib.h>

#include "policies/cond.h"

/* At most so many values come of one condition; put() is given no more. */
enum { VALUES_A_COND = 64 * 2 + 40 };

struct values {
	uint64_t *value;
	size_t n;
};

static void put(struct values *v, uint64_t value)
{
	v->value[v->n++] = value;
}

/* Around value, and the same with other halves: an answer must depend on both where it should. */
static void put_around(struct values *v, const struct policy_cond *c, uint64_t value)
{
	if (c->width == WIDTH_S32 || c->width == WIDTH_U32) {
		uint32_t low = (uint32_t)value;

		put(v, low);
		put(v, low - 1);
		put(v, low + 1);
		put(v, low ^ 0x80000000U);
		/* As a register can hold it: the kernel ignores the upper half. */
		put(v, low | 0xffffffff00000000ULL);
		put(v, low | 0x100000000ULL);
		return;
	}
	put(v, value);
	put(v, value - 1);
	put(v, value + 1);
	put(v, value + 0x100000000ULL);
	put(v, value - 0x100000000ULL);
	put(v, value ^ 0x8000000000000000ULL);
	put(v, value ^ 0x80000000ULL);
	put(v, value & 0xffffffffULL);
	put(v, value << 32 | value >> 32);
	put(v, value | 0xffffffffULL);
	put(v, value & ~0xffffffffULL);
}

static void put_edges(struct values *v)
{
	static const uint64_t edges[] = { 0,
					  1,
					  0x7fffffffULL,
					  0x80000000ULL,
					  0xffffffffULL,
					  0x100000000ULL,
					  0x7fffffffffffffffULL,
					  0x8000000000000000ULL,
					  0xffffffff00000000ULL,
					  0xfffffffffffffffeULL,
					  UINT64_MAX };

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		put(v, edges[i]);
}

static void put_cond(struct values *v, const struct policy_cond *c)
{
	bool narrow = c->width == WIDTH_S32 || c->width == WIDTH_U32;
	uint64_t mask = c->mask;

	put_around(v, c, c->value);
	if (c->op != POLICY_MASKED_EQ)
		return;
	if (narrow)
		mask &= UINT32_MAX;
	put(v, c->value | ~mask);
	put(v, ~c->value);
	put(v, mask);
	put(v, ~mask);
	put(v, c->value ^ mask);
	/* Each bit of the mask alone must matter. */
	for (unsigned bit = 0; bit < 64; bit++) {
		if (mask >> bit & 1) {
			put(v, c->value ^ 1ULL << bit);
			put(v, (c->value ^ 1ULL << bit) | ~mask);
		}
	}
}

static int compare_value(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

static void sort_unique(struct values *v, bool narrow)
{
	size_t n = 0;

	for (size_t i = 0; narrow && i < v->n; i++)
		v->value[i] &= UINT32_MAX;
	qsort(v->value, v->n, sizeof(*v->value), compare_value);
	for (size_t i = 0; i < v->n; i++) {
		if (i == 0 || v->value[i] != v->value[i - 1])
			v->value[n++] = v->value[i];
	}
	v->n = n;
}

void check_values_done(struct check_values *v)
{
	for (unsigned i = 0; i < 6; i++)
		free(v->value[i]);
	*v = (struct check_values){ .n = { 0 } };
}

int check_values_new(const struct policy_rule *rules, size_t n_rules, uint8_t abi_mask,
		     struct check_values *ret)
{
	struct check_values out = { .n = { 0 } };

	for (uint8_t arg = 0; arg < 6; arg++) {
		struct values v = { .n = 0 };
		size_t n_conds = 0;
		bool narrow = true;

		for (size_t i = 0; i < n_rules; i++) {
			for (uint8_t k = 0; k < rules[i].n_conds; k++) {
				const struct policy_cond *c = &rules[i].conds[k];

				if (!(rules[i].abi_mask & abi_mask) || c->arg != arg)
					continue;
				n_conds++;
				narrow &= c->width == WIDTH_S32 || c->width == WIDTH_U32;
			}
		}
		if (n_conds == 0)
			continue;
		v.value = calloc(n_conds + 1, VALUES_A_COND * sizeof(*v.value));
		if (!v.value) {
			check_values_done(&out);
			return -ENOMEM;
		}
		put_edges(&v);
		for (size_t i = 0; i < n_rules; i++) {
			for (uint8_t k = 0; k < rules[i].n_conds; k++) {
				if (rules[i].abi_mask & abi_mask && rules[i].conds[k].arg == arg)
					put_cond(&v, &rules[i].conds[k]);
			}
		}
		sort_unique(&v, narrow);
		out.narrow[arg] = narrow;
		out.value[arg] = v.value;
		out.n[arg] = v.n;
	}
	*ret = out;
	return 0;
}

size_t check_values_product(const struct check_values *v, size_t cap)
{
	size_t product = 1;

	for (unsigned i = 0; i < 6; i++) {
		if (v->n[i] > 0 &&
		    (__builtin_mul_overflow(product, v->n[i], &product) || product > cap))
			return cap;
	}
	return product;
}

/* How many of the rule's conditions on arg hold for value. */
static size_t count_holding(const struct policy_rule *rule, unsigned arg, uint64_t value,
			    size_t *ret_all)
{
	size_t n = 0;

	for (uint8_t k = 0; k < rule->n_conds; k++) {
		if (rule->conds[k].arg != arg)
			continue;
		++*ret_all;
		n += cond_holds(&rule->conds[k], value);
	}
	return n;
}

void check_values_satisfy(const struct check_values *v, const struct policy_rule *rule,
			  uint64_t args[6])
{
	for (unsigned arg = 0; arg < 6; arg++) {
		size_t best = 0;

		for (size_t i = 0; i < v->n[arg]; i++) {
			size_t all = 0, n = count_holding(rule, arg, v->value[arg][i], &all);

			if (n > best) {
				best = n;
				args[arg] = v->value[arg][i];
			}
			if (n == all)
				break;
		}
	}
}

void check_values_fill(const struct check_values *v, const struct policy_rule *rules,
		       size_t n_rules, uint64_t args[6])
{
	for (unsigned arg = 0; arg < 6; arg++) {
		size_t best = SIZE_MAX;

		args[arg] = 0;
		for (size_t i = 0; i < v->n[arg] && best > 0; i++) {
			size_t all = 0, n = 0;

			for (size_t k = 0; k < n_rules && n < best; k++)
				n += count_holding(&rules[k], arg, v->value[arg][i], &all);
			if (n < best) {
				best = n;
				args[arg] = v->value[arg][i];
			}
		}
	}
}

bool check_values_same_cond(const struct policy_cond *a, const struct policy_cond *b)
{
	return a->arg == b->arg && a->op == b->op && a->negate == b->negate &&
	       a->width == b->width && a->mask == b->mask && a->value == b->value;
}
