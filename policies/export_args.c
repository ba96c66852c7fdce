// SPDX-License-Identifier: Apache-2.0
/*
 * A range is cut into blocks whose lower bits are free, as networks are: each is one comparison
 * through a mask. A mask never reaches beyond what the kernel reads of the argument.
 */
#include "policies/export_args.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"

void export_rules_done(struct export_rules *rules)
{
	free(rules->list);
	*rules = (struct export_rules){ .n = 0 };
}

/* Alternatives for one argument. */
struct blocks {
	struct export_arg list[LIMIT_IMPORT_TERMS];
	size_t n;
};

static int add(struct blocks *b, struct export_arg arg)
{
	if (b->n == LIMIT_IMPORT_TERMS)
		return -E2BIG;
	b->list[b->n++] = arg;
	return 0;
}

/* Values low to high, without sign, as the largest blocks that fit. */
static int cut(struct blocks *b, unsigned arg, uint64_t low, uint64_t high, uint64_t max)
{
	for (;;) {
		uint64_t free_bits = 0; /* below the block's fixed bits */
		int r;

		while (free_bits != max) {
			uint64_t wider = free_bits << 1 | 1;

			if (low & wider || wider > high - low)
				break;
			free_bits = wider;
		}
		r = add(b, (struct export_arg){ (uint8_t)arg, max & ~free_bits, low });
		if (r < 0 || high - low == free_bits)
			return r;
		low += free_bits + 1;
	}
}

/* Alternatives of `bits != value` under a mask: the first bit that differs. */
static int differ(struct blocks *b, const struct import_mask *m)
{
	uint64_t seen = 0;
	int r = 0;

	for (unsigned bit = 64; r == 0 && bit-- > 0;) {
		uint64_t one = UINT64_C(1) << bit;

		if (!(m->mask & one))
			continue;
		r = add(b, (struct export_arg){ m->arg, seen | one,
						(m->value & seen) | (~m->value & one) });
		seen |= one;
	}
	return r;
}

/* Both at once, where that is possible: a becomes every pair. */
static int both(struct blocks *a, const struct blocks *b, struct blocks *scratch)
{
	int r = 0;

	scratch->n = 0;
	for (size_t i = 0; r == 0 && i < a->n; i++) {
		for (size_t k = 0; r == 0 && k < b->n; k++) {
			const struct export_arg *x = &a->list[i], *y = &b->list[k];

			if ((x->value ^ y->value) & x->mask & y->mask)
				continue;
			r = add(scratch, (struct export_arg){ x->arg, x->mask | y->mask,
							      x->value | y->value });
		}
	}
	*a = *scratch;
	return r;
}

struct work {
	struct blocks own, next, scratch;
};

/* One range of keys as ranges of values: two where the sign turns. */
static int add_range(struct blocks *b, const struct syscall_desc *call, unsigned arg,
		     struct import_range range)
{
	uint64_t turn = dnf_key_turn(call, arg), max = dnf_key_max(call, arg);
	struct import_range parts[2] = { range };
	size_t n = 1;
	int r = 0;

	if (turn && range.low < turn && range.high >= turn) {
		parts[0].high = turn - 1;
		parts[1] = (struct import_range){ turn, range.high };
		n = 2;
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		uint64_t low = parts[i].low ^ turn, high = parts[i].high ^ turn;

		r = cut(b, arg, low, high, max);
	}
	return r;
}

/* All that a term says of one argument. */
static int one_arg(const struct import_dnf *dnf, const struct import_term *t, unsigned arg,
		   struct work *w)
{
	bool ranged = t->ranged >> arg & 1, any = ranged;
	int r = 0;

	w->own.n = 0;
	for (size_t i = 0; r == 0 && ranged && i < t->ranges[arg].n; i++)
		r = add_range(&w->own, dnf->call, arg, t->ranges[arg].list[i]);
	for (size_t m = 0; r == 0 && m < t->n_masks; m++) {
		const struct import_mask *mask = &t->masks[m];

		if (mask->arg != arg)
			continue;
		w->next.n = 0;
		if (mask->negate)
			r = differ(&w->next, mask);
		else
			r = add(&w->next,
				(struct export_arg){ mask->arg, mask->mask, mask->value });
		if (r == 0 && any)
			r = both(&w->own, &w->next, &w->scratch);
		else
			w->own = w->next;
		any = true;
	}
	return r;
}

static int add_rule(struct export_rules *rules, const struct export_rule *rule)
{
	struct export_rule *list;

	if (rules->n == LIMIT_IMPORT_TERMS)
		return -E2BIG;
	list = reallocarray(rules->list, rules->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	rules->list = list;
	list[rules->n++] = *rule;
	return 0;
}

/* The term's rules: every choice of one alternative an argument. */
static int one_term(const struct import_dnf *dnf, const struct import_term *t, struct work *w,
		    struct export_rules *ret)
{
	struct export_rules so_far = { .n = 0 };
	uint8_t used = t->ranged;
	int r = add_rule(&so_far, &(struct export_rule){ .n = 0 });

	for (size_t m = 0; m < t->n_masks; m++)
		used |= (uint8_t)(1U << t->masks[m].arg);
	for (unsigned arg = 0; r == 0 && arg < 6; arg++) {
		struct export_rules next = { .n = 0 };

		if (!(used >> arg & 1))
			continue;
		r = one_arg(dnf, t, arg, w);
		for (size_t i = 0; r == 0 && i < so_far.n; i++) {
			for (size_t k = 0; r == 0 && k < w->own.n; k++) {
				struct export_rule rule = so_far.list[i];

				rule.args[rule.n++] = w->own.list[k];
				r = add_rule(&next, &rule);
			}
		}
		export_rules_done(&so_far);
		so_far = next;
	}
	for (size_t i = 0; r == 0 && i < so_far.n; i++)
		r = add_rule(ret, &so_far.list[i]);
	export_rules_done(&so_far);
	return r;
}

int export_args(const struct import_dnf *when, struct export_rules *ret)
{
	struct work *w = calloc(1, sizeof(*w));
	int r = w ? 0 : -ENOMEM;

	*ret = (struct export_rules){ .n = 0 };
	for (size_t i = 0; r == 0 && i < when->n; i++)
		r = one_term(when, &when->terms[i], w, ret);
	if (r < 0)
		export_rules_done(ret);
	free(w);
	return r;
}
