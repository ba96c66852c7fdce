// SPDX-License-Identifier: Apache-2.0
#include "policies/import_dnf.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"

uint64_t dnf_key_max(const struct syscall_desc *call, unsigned arg)
{
	unsigned width = call->args[arg].width;

	return width == WIDTH_S32 || width == WIDTH_U32 ? UINT32_MAX : UINT64_MAX;
}

uint64_t dnf_key_turn(const struct syscall_desc *call, unsigned arg)
{
	switch ((enum syscall_width)call->args[arg].width) {
	case WIDTH_S32:
		return UINT64_C(1) << 31;
	case WIDTH_S64:
		return UINT64_C(1) << 63;
	case WIDTH_U32:
	case WIDTH_U64:
	case WIDTH_PTR:
	case WIDTH_NONE:
		break;
	}
	return 0;
}

/* --- ranges --- */

static int ranges_add(struct import_ranges *r, struct import_range range)
{
	struct import_range *list;

	if (r->n == LIMIT_IMPORT_RANGES)
		return -E2BIG;
	list = reallocarray(r->list, r->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	r->list = list;
	r->list[r->n++] = range;
	return 0;
}

static int ranges_and(const struct import_ranges *a, const struct import_ranges *b,
		      struct import_ranges *ret)
{
	size_t i = 0, j = 0;
	int r = 0;

	while (r == 0 && i < a->n && j < b->n) {
		struct import_range x = a->list[i], y = b->list[j], both = x;

		if (y.low > both.low)
			both.low = y.low;
		if (y.high < both.high)
			both.high = y.high;
		if (both.low <= both.high)
			r = ranges_add(ret, both);
		if (x.high < y.high)
			i++;
		else
			j++;
	}
	return r;
}

static int ranges_not(const struct import_ranges *a, uint64_t max, struct import_ranges *ret)
{
	uint64_t next = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (a->list[i].low > next) {
			int r = ranges_add(ret, (struct import_range){ next, a->list[i].low - 1 });

			if (r < 0)
				return r;
		}
		if (a->list[i].high >= max)
			return 0;
		next = a->list[i].high + 1;
	}
	return ranges_add(ret, (struct import_range){ next, max });
}

/* not(not a and not b) */
static int ranges_or(const struct import_ranges *a, const struct import_ranges *b, uint64_t max,
		     struct import_ranges *ret)
{
	struct import_ranges na = { .n = 0 }, nb = { .n = 0 }, both = { .n = 0 };
	int r = ranges_not(a, max, &na);

	r = r ? r : ranges_not(b, max, &nb);
	r = r ? r : ranges_and(&na, &nb, &both);
	r = r ? r : ranges_not(&both, max, ret);
	free(na.list);
	free(nb.list);
	free(both.list);
	return r;
}

/* --- terms --- */

static void term_done(struct import_term *t)
{
	for (unsigned i = 0; i < 6; i++)
		free(t->ranges[i].list);
	free(t->masks);
	*t = (struct import_term){ .ranged = 0 };
}

static int term_add_mask(struct import_term *t, struct import_mask m)
{
	struct import_mask *list;

	for (size_t i = 0; i < t->n_masks; i++) {
		if (t->masks[i].arg == m.arg && t->masks[i].negate == m.negate &&
		    t->masks[i].mask == m.mask && t->masks[i].value == m.value)
			return 0;
	}
	if (t->n_masks == LIMIT_IMPORT_RANGES)
		return -E2BIG;
	list = reallocarray(t->masks, t->n_masks + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	t->masks = list;
	t->masks[t->n_masks++] = m;
	return 0;
}

static int ranges_copy(const struct import_ranges *from, struct import_ranges *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n; i++)
		r = ranges_add(ret, from->list[i]);
	return r;
}

static int term_and(const struct import_term *a, const struct import_term *b,
		    struct import_term *ret)
{
	int r = 0;

	ret->ranged = a->ranged | b->ranged;
	for (unsigned i = 0; r == 0 && i < 6; i++) {
		bool in_a = a->ranged >> i & 1, in_b = b->ranged >> i & 1;

		if (in_a && in_b)
			r = ranges_and(&a->ranges[i], &b->ranges[i], &ret->ranges[i]);
		else if (in_a || in_b)
			r = ranges_copy(in_a ? &a->ranges[i] : &b->ranges[i], &ret->ranges[i]);
	}
	for (size_t i = 0; r == 0 && i < a->n_masks; i++)
		r = term_add_mask(ret, a->masks[i]);
	for (size_t i = 0; r == 0 && i < b->n_masks; i++)
		r = term_add_mask(ret, b->masks[i]);
	return r;
}

static bool mask_holds(const struct import_mask *m, uint64_t bits)
{
	return ((bits & m->mask) == m->value) != m->negate;
}

static void drop_mask(struct import_term *t, size_t i)
{
	t->masks[i] = t->masks[--t->n_masks];
}

/* What one mask says of another on the same argument. True: the term can never hold. */
static bool fold_pair(struct import_term *t, size_t i, size_t j, bool *again)
{
	struct import_mask *a = &t->masks[i], *b = &t->masks[j];
	uint64_t common = a->mask & b->mask;

	if (a->arg != b->arg || a->negate)
		return false;
	if (!b->negate) {
		if ((a->value & common) != (b->value & common))
			return true;
		a->mask |= b->mask;
		a->value |= b->value;
		drop_mask(t, j);
		*again = true;
	} else if ((a->value & common) != (b->value & common)) {
		drop_mask(t, j); /* it holds anyway */
		*again = true;
	} else if (common == b->mask) {
		return true;
	}
	return false;
}

static bool fold_masks(struct import_term *t)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; !again && i < t->n_masks; i++) {
			for (size_t j = 0; !again && j < t->n_masks; j++) {
				if (i != j && fold_pair(t, i, j, &again))
					return true;
			}
		}
	}
	return false;
}

/* Ranges that are single values are judged by the masks here and now. */
static void fold_points(const struct syscall_desc *call, struct import_term *t, unsigned arg)
{
	struct import_ranges *ranges = &t->ranges[arg];
	uint64_t turn = dnf_key_turn(call, arg);
	bool only_points = true;
	size_t out = 0;

	for (size_t i = 0; i < ranges->n; i++) {
		bool holds = true;

		if (ranges->list[i].low != ranges->list[i].high) {
			only_points = false;
		} else {
			for (size_t m = 0; m < t->n_masks; m++)
				holds = holds &&
					(t->masks[m].arg != arg ||
					 mask_holds(&t->masks[m], ranges->list[i].low ^ turn));
		}
		if (holds)
			ranges->list[out++] = ranges->list[i];
	}
	ranges->n = out;
	for (size_t m = t->n_masks; only_points && m > 0; m--) {
		if (t->masks[m - 1].arg == arg)
			drop_mask(t, m - 1);
	}
}

/* Bring a term into its simplest form; true when it can never hold. */
static bool term_fold(const struct syscall_desc *call, struct import_term *t)
{
	if (fold_masks(t))
		return true;
	for (unsigned i = 0; i < 6; i++) {
		struct import_ranges *ranges = &t->ranges[i];

		if (!(t->ranged >> i & 1))
			continue;
		fold_points(call, t, i);
		if (ranges->n == 0)
			return true;
		if (ranges->list[0].low == 0 && ranges->list[0].high == dnf_key_max(call, i)) {
			t->ranged &= (uint8_t) ~(1U << i);
			ranges->n = 0;
		}
	}
	return false;
}

static bool term_is_always(const struct import_term *t)
{
	return t->ranged == 0 && t->n_masks == 0;
}

/* --- alternatives --- */

void dnf_done(struct import_dnf *dnf)
{
	for (size_t i = 0; i < dnf->n; i++)
		term_done(&dnf->terms[i]);
	free(dnf->terms);
	*dnf = (struct import_dnf){ .call = NULL };
}

bool dnf_is_always(const struct import_dnf *dnf)
{
	return dnf->n == 1 && term_is_always(&dnf->terms[0]);
}

/* Terms that speak of one argument's ranges only are joined: `in A B C`. */
static int join(struct import_dnf *dnf, struct import_term *term, bool *joined)
{
	unsigned arg = 0;

	*joined = false;
	if (term->n_masks || term->ranged == 0 || (term->ranged & (term->ranged - 1)))
		return 0;
	while (!(term->ranged >> arg & 1))
		arg++;
	for (size_t i = 0; i < dnf->n; i++) {
		struct import_term *t = &dnf->terms[i];
		struct import_ranges both = { .n = 0 };
		int r;

		if (t->ranged != term->ranged || t->n_masks)
			continue;
		r = ranges_or(&t->ranges[arg], &term->ranges[arg], dnf_key_max(dnf->call, arg),
			      &both);
		if (r < 0) {
			free(both.list);
			return r;
		}
		free(t->ranges[arg].list);
		t->ranges[arg] = both;
		term_done(term);
		*joined = true;
		return 0;
	}
	return 0;
}

/* A union of ranges may have grown to everything. */
static void become_always(struct import_dnf *dnf)
{
	for (size_t i = 0; i < dnf->n; i++) {
		(void)term_fold(dnf->call, &dnf->terms[i]);
		if (!term_is_always(&dnf->terms[i]))
			continue;
		for (size_t k = 0; k < dnf->n; k++)
			term_done(&dnf->terms[k]);
		dnf->n = 1;
		return;
	}
}

/* Takes the term over, whatever comes of it. */
static int add_term(struct import_dnf *dnf, struct import_term *term)
{
	struct import_term *terms;
	bool joined;
	int r;

	if (dnf_is_always(dnf) || term_fold(dnf->call, term)) {
		term_done(term);
		return 0;
	}
	if (term_is_always(term)) {
		const struct syscall_desc *call = dnf->call;

		dnf_done(dnf);
		dnf->call = call;
	}
	r = join(dnf, term, &joined);
	if (r == 0 && joined) {
		become_always(dnf);
		return 0;
	}
	if (r == 0 && dnf->n == LIMIT_IMPORT_TERMS)
		r = -E2BIG;
	terms = r < 0 ? NULL : reallocarray(dnf->terms, dnf->n + 1, sizeof(*terms));
	if (!terms) {
		term_done(term);
		return r < 0 ? r : -ENOMEM;
	}
	dnf->terms = terms;
	dnf->terms[dnf->n++] = *term;
	*term = (struct import_term){ .ranged = 0 };
	return 0;
}

int dnf_always(const struct syscall_desc *call, struct import_dnf *ret)
{
	struct import_term term = { .ranged = 0 };

	*ret = (struct import_dnf){ .call = call };
	return add_term(ret, &term);
}

int dnf_from_range(const struct syscall_desc *call, unsigned arg, struct import_range range,
		   struct import_dnf *ret)
{
	struct import_term term = { .ranged = (uint8_t)(1U << arg) };
	int r = ranges_add(&term.ranges[arg], range);

	*ret = (struct import_dnf){ .call = call };
	if (r < 0) {
		term_done(&term);
		return r;
	}
	return add_term(ret, &term);
}

int dnf_from_mask(const struct syscall_desc *call, struct import_mask mask, struct import_dnf *ret)
{
	struct import_term term = { .ranged = 0 };
	int r = term_add_mask(&term, mask);

	*ret = (struct import_dnf){ .call = call };
	if (r < 0) {
		term_done(&term);
		return r;
	}
	return add_term(ret, &term);
}

int dnf_and(const struct import_dnf *a, const struct import_dnf *b, struct import_dnf *ret)
{
	int r = 0;

	*ret = (struct import_dnf){ .call = a->call };
	for (size_t i = 0; r == 0 && i < a->n; i++) {
		for (size_t j = 0; r == 0 && j < b->n; j++) {
			struct import_term term = { .ranged = 0 };

			r = term_and(&a->terms[i], &b->terms[j], &term);
			if (r == 0)
				r = add_term(ret, &term);
			else
				term_done(&term);
		}
	}
	if (r < 0)
		dnf_done(ret);
	return r;
}

int dnf_copy(const struct import_dnf *a, struct import_dnf *ret)
{
	_cleanup_dnf_ struct import_dnf all = { .call = NULL };
	int r = dnf_always(a->call, &all);

	return r ? r : dnf_and(a, &all, ret);
}

int dnf_or(const struct import_dnf *a, const struct import_dnf *b, struct import_dnf *ret)
{
	const struct import_dnf *both[] = { a, b };
	const struct import_term none = { .ranged = 0 };
	int r = 0;

	*ret = (struct import_dnf){ .call = a->call };
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; r == 0 && i < both[k]->n; i++) {
			struct import_term term = { .ranged = 0 };

			r = term_and(&both[k]->terms[i], &none, &term);
			if (r == 0)
				r = add_term(ret, &term);
			else
				term_done(&term);
		}
	}
	if (r < 0)
		dnf_done(ret);
	return r;
}

/* --- not --- */

/* Put `so_far and not constraint` into ret. */
static int add_opposite(struct import_dnf *ret, const struct import_term *so_far,
			const struct import_term *opposite)
{
	struct import_term term = { .ranged = 0 };
	int r = term_and(so_far, opposite, &term);

	if (r == 0)
		return add_term(ret, &term);
	term_done(&term);
	return r;
}

static int add_to(struct import_term *so_far, const struct import_term *constraint)
{
	struct import_term sum = { .ranged = 0 };
	int r = term_and(so_far, constraint, &sum);

	term_done(so_far);
	*so_far = sum;
	return r;
}

/*
 * not (A and B) as `not A`, `A and not B`: alternatives that exclude each other keep the product
 * of many small. alone: nothing will be multiplied, so the plain `not A`, `not B` is shorter.
 */
static int term_not(const struct syscall_desc *call, const struct import_term *t, bool alone,
		    struct import_dnf *ret)
{
	struct import_term so_far = { .ranged = 0 };
	int r = 0;

	*ret = (struct import_dnf){ .call = call };
	for (size_t i = 0; r == 0 && i < 6 + t->n_masks; i++) {
		struct import_term yes = { .ranged = 0 }, no = { .ranged = 0 };

		if (i < 6 && !(t->ranged >> i & 1))
			continue;
		if (i < 6) {
			yes.ranged = no.ranged = (uint8_t)(1U << i);
			r = ranges_copy(&t->ranges[i], &yes.ranges[i]);
			r = r ? r
			      : ranges_not(&t->ranges[i], dnf_key_max(call, (unsigned)i),
					   &no.ranges[i]);
		} else {
			struct import_mask m = t->masks[i - 6];

			r = term_add_mask(&yes, m);
			m.negate = !m.negate;
			r = r ? r : term_add_mask(&no, m);
		}
		r = r ? r : add_opposite(ret, &so_far, &no);
		if (r == 0 && !alone)
			r = add_to(&so_far, &yes);
		term_done(&yes);
		term_done(&no);
	}
	term_done(&so_far);
	return r;
}

int dnf_not(const struct import_dnf *a, struct import_dnf *ret)
{
	struct import_dnf sum;
	int r = dnf_always(a->call, &sum);

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		_cleanup_dnf_ struct import_dnf no = { .call = NULL };
		struct import_dnf product = { .call = a->call };

		r = term_not(a->call, &a->terms[i], a->n == 1, &no);
		r = r ? r : dnf_and(&sum, &no, &product);
		dnf_done(&sum);
		sum = product;
	}
	if (r < 0) {
		dnf_done(&sum);
		return r;
	}
	*ret = sum;
	return 0;
}

/* --- meaning --- */

static bool term_holds(const struct syscall_desc *call, const struct import_term *t,
		       const uint64_t args[6])
{
	for (unsigned i = 0; i < 6; i++) {
		uint64_t key = (args[i] & dnf_key_max(call, i)) ^ dnf_key_turn(call, i);
		bool inside = false;

		if (!(t->ranged >> i & 1))
			continue;
		for (size_t k = 0; k < t->ranges[i].n; k++)
			inside = inside || (key >= t->ranges[i].list[k].low &&
					    key <= t->ranges[i].list[k].high);
		if (!inside)
			return false;
	}
	for (size_t m = 0; m < t->n_masks; m++) {
		if (!mask_holds(&t->masks[m],
				args[t->masks[m].arg] & dnf_key_max(call, t->masks[m].arg)))
			return false;
	}
	return true;
}

bool dnf_holds(const struct import_dnf *dnf, const uint64_t args[6])
{
	for (size_t i = 0; i < dnf->n; i++) {
		if (term_holds(dnf->call, &dnf->terms[i], args))
			return true;
	}
	return false;
}
