// SPDX-License-Identifier: Apache-2.0
/*
 * Where the search over ranges of numbers divides them. Without weights: in the middle. With
 * weights: so that what is asked for most is reached by the fewest comparisons, by dynamic
 * programming over all ways to divide, with Knuth's bound on where the best division can lie
 * (Optimum binary search trees, Acta Informatica 1, 1971). A tree may be at most twice as deep as
 * the even one and two more: where it is not, every range is given a share of weight, the larger
 * the more often, until it is. With shares large enough all ranges weigh the same, and the tree is
 * the even one.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "profiles/seccomp_gen.h"

/* Weights are brought below this, so that no sum over a tree can overflow. */
#define WEIGHT_MAX (1ULL << 32)

/* Whether the three ranges take one comparison: one number inside a range with another answer. */
bool seccomp_ranges_are_hole(const struct seccomp_range *r)
{
	return r[0].label == r[2].label && r[2].lo == r[1].lo + 1;
}

void seccomp_tree_done(struct seccomp_tree *t)
{
	free(t->split);
	*t = (struct seccomp_tree){ .n = 0 };
}

size_t seccomp_tree_split(const struct seccomp_tree *t, size_t from, size_t to)
{
	return t && t->split ? t->split[from * (t->n + 1) + to] : from + (to - from) / 2;
}

unsigned seccomp_even_depth(size_t n)
{
	unsigned depth = 0;

	while ((size_t)1 << depth < n)
		depth++;
	return depth;
}

struct work {
	const struct seccomp_range *ranges;
	uint64_t *sum;	/* of the weights before each range */
	uint64_t *cost; /* of [from, to) at from * (n + 1) + to */
	uint8_t *depth; /* the same; 255 and more are 255 */
	size_t n;
};

static void work_done(struct work *w)
{
	free(w->sum);
	free(w->cost);
	free(w->depth);
}

static void solve_one(struct work *w, struct seccomp_tree *t, size_t from, size_t to)
{
	size_t side = w->n + 1, at = from * side + to, lo = from + 1, hi = to - 1;
	uint64_t best = UINT64_MAX, weight = w->sum[to] - w->sum[from];
	uint8_t left, right;

	if (to - from == 3 && seccomp_ranges_are_hole(&w->ranges[from])) {
		w->cost[at] = weight;
		w->depth[at] = 1;
		t->split[at] = (uint16_t)(from + 1);
		return;
	}
	if (to - from > 2) {
		lo = t->split[from * side + to - 1];
		hi = t->split[(from + 1) * side + to];
	}
	/* Holes bend the rule behind Knuth's bound: no more than the best is lost by it. */
	if (lo > hi)
		lo = from + 1, hi = to - 1;
	for (size_t k = lo; k <= hi; k++) {
		uint64_t cost = w->cost[from * side + k] + w->cost[k * side + to];

		if (cost < best) {
			best = cost;
			t->split[at] = (uint16_t)k;
		}
	}
	w->cost[at] = best + weight;
	left = w->depth[from * side + t->split[at]];
	right = w->depth[t->split[at] * side + to];
	left = left > right ? left : right;
	w->depth[at] = (uint8_t)(left < UINT8_MAX ? left + 1 : UINT8_MAX);
}

/* Each range's own weight, and share of the whole: 0 none. */
static void solve(struct work *w, struct seccomp_tree *t, const uint64_t *weight, uint64_t share)
{
	for (size_t i = 0; i < w->n; i++)
		w->sum[i + 1] = w->sum[i] + weight[i] + share;
	for (size_t len = 2; len <= w->n; len++) {
		for (size_t from = 0; from + len <= w->n; from++)
			solve_one(w, t, from, from + len);
	}
	t->depth = w->n > 1 ? w->depth[w->n] : 0;
}

int seccomp_tree_new(const struct seccomp_range *ranges, const uint64_t *weight, size_t n,
		     struct seccomp_tree *ret)
{
	__attribute__((cleanup(work_done))) struct work w = { .ranges = ranges, .n = n };
	_cleanup_free_ uint64_t *scaled = calloc(n + 1, sizeof(*scaled));
	struct seccomp_tree t = { .n = n };
	uint64_t total = 0, share = 1;
	unsigned shift = 0;
	size_t cells;

	if (n >= UINT16_MAX || __builtin_mul_overflow(n + 1, n + 1, &cells))
		return -E2BIG;
	w.sum = calloc(n + 1, sizeof(*w.sum));
	w.cost = calloc(cells, sizeof(*w.cost));
	w.depth = calloc(cells, sizeof(*w.depth));
	t.split = calloc(cells, sizeof(*t.split));
	if (!scaled || !w.sum || !w.cost || !w.depth || !t.split) {
		seccomp_tree_done(&t);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (__builtin_add_overflow(total, weight[i], &total))
			total = UINT64_MAX;
	}
	while (total >> shift >= WEIGHT_MAX)
		shift++;
	for (size_t i = 0; i < n; i++)
		scaled[i] = (weight[i] >> shift) * n;
	/* A share of 1 beside weights times n: what is never asked for is still divided evenly. */
	for (;; share *= 4) {
		solve(&w, &t, scaled, share);
		if (t.depth <= 2 * seccomp_even_depth(n) + 2 || share > WEIGHT_MAX * n)
			break;
	}
	*ret = t;
	return 0;
}
