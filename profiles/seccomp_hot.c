// SPDX-License-Identifier: Apache-2.0
/*
 * Which weights and which first questions make the best program for a usage file: a few are tried
 * and measured on the finished programs. A call that the kernel's bitmap serves runs no filter, so
 * weight on it is wasted where there is a bitmap (all kernels that cordon runs on); where there is
 * none the program must still not be worse than the balanced one.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "profiles/bpf_eval.h"
#include "profiles/seccomp_gen.h"

/* A served call's weight and another one's. */
static const struct mix {
	uint64_t served, run;
} mixes[] = { { 0, 1 }, { 1, 16 }, { 1, 1 } };

struct calls {
	uint64_t *count; /* by number */
	bool *served;
	uint64_t *weight;
	int32_t max;
	enum abi abi;
};

static void calls_done(struct calls *c)
{
	free(c->count);
	free(c->served);
	free(c->weight);
}

/* Instructions over all counts: of the calls that run the filter, and of all calls. 128 bits: the
 * sum of the counts has 48, a program 12. */
struct price {
	unsigned __int128 run, all;
};

static struct price price_of(const struct calls *c, const struct seccomp_program *p)
{
	struct price price = { .run = 0 };

	for (int32_t nr = 0; nr <= c->max; nr++) {
		struct seccomp_data d = { .nr = nr, .arch = abi_audit_arch(c->abi) };
		struct bpf_result r;

		if (c->count[nr] == 0)
			continue;
		bpf_run(p->insns, p->n, &d, NULL, &r);
		price.all += (unsigned __int128)c->count[nr] * r.steps;
		if (!c->served[nr])
			price.run += (unsigned __int128)c->count[nr] * r.steps;
	}
	return price;
}

static int calls_new(const struct policy *policy, const struct usage *usage,
		     const struct seccomp_program *p, struct calls *c)
{
	c->abi = (enum abi)policy->native;
	c->max = syscall_max_nr(c->abi);
	c->count = calloc((size_t)c->max + 2, sizeof(*c->count));
	c->served = calloc((size_t)c->max + 2, sizeof(*c->served));
	c->weight = calloc((size_t)c->max + 2, sizeof(*c->weight));
	if (!c->count || !c->served || !c->weight)
		return -ENOMEM;
	for (int32_t nr = 0; nr <= c->max; nr++) {
		struct seccomp_data d = { .nr = nr, .arch = abi_audit_arch(c->abi) };
		const struct syscall_desc *call = syscall_by_nr(c->abi, nr);
		struct bpf_result r;

		if (!call)
			continue;
		bpf_run(p->insns, p->n, &d, NULL, &r);
		c->count[nr] = usage_count(usage, call);
		c->served[nr] = r.ret == SECCOMP_RET_ALLOW && !r.read_args;
	}
	return 0;
}

static void weigh(struct calls *c, const struct mix *mix)
{
	for (int32_t nr = 0; nr <= c->max; nr++)
		c->weight[nr] = c->count[nr] * (c->served[nr] ? mix->served : mix->run);
}

/* The heaviest numbers, heaviest first. */
static void choose_first(const struct calls *c, struct seccomp_hot *hot, size_t n)
{
	hot->n_first = 0;
	while (hot->n_first < n) {
		int32_t best = -1;

		for (int32_t nr = 0; nr <= c->max; nr++) {
			bool chosen = false;

			for (size_t i = 0; i < hot->n_first; i++)
				chosen |= hot->first[i] == nr;
			if (!chosen && c->weight[nr] > (best < 0 ? 0 : c->weight[best]))
				best = nr;
		}
		if (best < 0)
			return;
		hot->first[hot->n_first++] = best;
	}
}

/* Keep the better one of the two in *best; the other one is freed. */
static void keep_better(struct seccomp_program *best, struct price *best_price,
			struct seccomp_program *p, struct price price, struct price bound)
{
	bool better = price.run < best_price->run ||
		      (price.run == best_price->run && price.all < best_price->all);

	if (better && price.run <= bound.run && price.all <= bound.all) {
		struct seccomp_program old = *best;

		*best = *p;
		*best_price = price;
		*p = old;
	}
	seccomp_program_done(p);
}

int seccomp_generate_for(const struct policy *policy, const struct usage *usage,
			 struct seccomp_program *ret, struct err *err)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program best = { .n = 0 };
	__attribute__((cleanup(calls_done))) struct calls c = { .max = -1 };
	struct price price, bound;
	struct seccomp_hot hot;
	int r = seccomp_generate(policy, &best, err);

	if (r < 0)
		return r;
	if (usage && usage->total > 0) {
		r = calls_new(policy, usage, &best, &c);
		if (r < 0)
			return err_set(err, r, "make a filter of policy '%s'", policy->name);
		price = bound = price_of(&c, &best);
		hot.weight = c.weight;
		for (size_t m = 0; m < ARRAY_SIZE(mixes); m++) {
			weigh(&c, &mixes[m]);
			for (size_t n = 0; n <= ARRAY_SIZE(hot.first); n++) {
				struct seccomp_program p = { .n = 0 };

				choose_first(&c, &hot, n);
				if (hot.n_first < n)
					break;
				r = seccomp_generate_hot(policy, &hot, &p, err);
				/* A few more instructions than the balanced one has may be too
				 * many. */
				if (r == -E2BIG)
					continue;
				if (r < 0)
					return r;
				keep_better(&best, &price, &p, price_of(&c, &p), bound);
			}
		}
	}
	*ret = best;
	best = (struct seccomp_program){ .n = 0 };
	return 0;
}
