// SPDX-License-Identifier: Apache-2.0
/*
 * Random policies for differential tests: a few calls with 1 to 4 rules of 0 to 3 conditions each,
 * all operators, widths and actions, on all ABIs. The same seed gives the same policy on every
 * machine. Or a fuzzer's bytes draw one, and what is near to what it speaks of.
 */
#pragma once

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/cond.h"
#include "policies/model.h"

enum { RANDOM_CALLS = 12, RANDOM_RULES = RANDOM_CALLS * 4 + 160 };

struct random_policy {
	struct policy policy;
	struct policy_rule rules[RANDOM_RULES];
	struct policy_source source;
	char name[16], path[40];
};

/* Not NULL: what is drawn are these bytes, then zeros, whatever the state. */
struct random_bytes {
	const uint8_t *p;
	size_t left;
};
static struct random_bytes *random_bytes;

static inline uint64_t random_take(size_t n)
{
	uint64_t value = 0;

	n = n < random_bytes->left ? n : random_bytes->left;
	memcpy(&value, random_bytes->p, n);
	random_bytes->p += n;
	random_bytes->left -= n;
	return value;
}

/* splitmix64: small, and good enough to choose test cases. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z;

	if (random_bytes)
		return random_take(sizeof(z));
	z = *state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	if (random_bytes)
		return random_take(n <= 1 << 8 ? 1 : n <= 1 << 16 ? 2 : 8) % n;
	return random_next(state) % n;
}

/* Small ones, edges of signs and words, bits, and anything. */
static inline uint64_t random_value(uint64_t *state)
{
	static const uint64_t edges[] = {
		0,	     0x7fffffff,	 0x80000000,	     0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000, UINT64_MAX
	};

	switch (random_below(state, 5)) {
	case 0:
		return random_below(state, 8);
	case 1:
		return edges[random_below(state, sizeof(edges) / sizeof(edges[0]))] +
		       random_below(state, 3) - 1;
	case 2:
		return 1ULL << random_below(state, 64);
	case 3:
		return 0 - random_below(state, 8);
	default:
		return random_next(state) >> random_below(state, 64);
	}
}

static inline void random_cond(uint64_t *state, const struct syscall_desc *call,
			       struct policy_cond *c)
{
	c->arg = (uint8_t)random_below(state, call->n_args);
	c->op = (uint8_t)random_below(state, POLICY_MASKED_EQ + 1);
	/* Mostly the table's own width; sometimes another one: the generator must not care. */
	c->width = random_below(state, 4) ? call->args[c->arg].width
					  : (uint8_t)(WIDTH_S32 + random_below(state, 5));
	c->value = random_value(state);
	c->mask = 0;
	c->negate = false;
	if (c->op == POLICY_MASKED_EQ) {
		c->mask = random_below(state, 3) ? random_value(state) : random_next(state);
		if (random_below(state, 8))
			c->value &= c->mask;
		if (random_below(state, 3) == 0)
			c->value = 0;
		c->negate = random_below(state, 2);
	}
	if (c->width == WIDTH_S32 || c->width == WIDTH_U32) {
		c->value &= UINT32_MAX;
		c->mask &= UINT32_MAX;
	}
}

static inline void random_rule(uint64_t *state, const struct syscall_desc *call,
			       struct policy_rule *rule)
{
	*rule = (struct policy_rule){ .call = call };
	/* Half of them `on` some ABIs: the same call then means different things on each. */
	rule->abi_mask = random_below(state, 2) ? 0xff : (uint8_t)random_below(state, 16);
	rule->action = (uint8_t)random_below(state, 3);
	rule->quiet = rule->action != POLICY_ALLOW && random_below(state, 3) == 0;
	rule->errno_value =
		rule->action == POLICY_DENY ? (uint16_t)(1 + random_below(state, 133)) : 0;
	rule->where = (struct policy_where){ .column = 1,
					     .line = (uint32_t)random_below(state, 999) + 1 };
	if (call->n_args == 0)
		return;
	rule->n_conds = (uint8_t)random_below(state, 4);
	for (uint8_t i = 0; i < rule->n_conds; i++)
		random_cond(state, call, &rule->conds[i]);
}

/* The checks of a policy refuse two rules that tie with different answers (model.h): so none here.
 */
static inline void random_settle_ties(struct policy_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (rules[i].call == rules[k].call && rules[i].action == rules[k].action &&
			    cond_rank(&rules[i], &rules[k]) == 0) {
				rules[k].errno_value = rules[i].errno_value;
				rules[k].quiet = rules[i].quiet;
			}
		}
	}
}

static inline int random_compare_rule(const void *pa, const void *pb)
{
	const struct policy_rule *a = pa, *b = pb;
	int r = strcmp(a->call->name, b->call->name);

	return r ? r : (int)a->action - (int)b->action;
}

static inline void random_policy_make(uint64_t seed, struct random_policy *r)
{
	uint64_t state = seed * 0x2545f4914f6cdd1dULL + 1;
	size_t n_table, n_calls = 1 + random_below(&state, RANDOM_CALLS);
	const struct syscall_desc *table = syscall_table(&n_table);
	static const uint16_t kernels[] = { KERNEL(4, 4), KERNEL(5, 15), KERNEL(6, 1),
					    KERNEL(6, 18) };

	*r = (struct random_policy){ .policy = { .notify = random_below(&state, 2) } };
	r->policy.native = random_below(&state, 4) ? ABI_X86_64 : ABI_AARCH64;
	r->policy.default_errno =
		(uint16_t)(random_below(&state, 2) ? EPERM : 1 + random_below(&state, 4095));
	r->policy.kernel = kernels[random_below(&state, 4)];
	r->policy.abi_mask = (uint8_t)(1U << r->policy.native | random_below(&state, 16));
	for (size_t i = 0; i < n_calls; i++) {
		const struct syscall_desc *call = &table[random_below(&state, n_table)];
		size_t n_rules = 1 + random_below(&state, 4);

		for (size_t k = 0; k < n_rules; k++)
			random_rule(&state, call, &r->rules[r->policy.n_rules++]);
	}
	/* By-number allows around them, so that the tree has something to search. */
	for (size_t i = random_below(&state, 160); i > 0; i--) {
		struct policy_rule *rule = &r->rules[r->policy.n_rules++];

		*rule = (struct policy_rule){ .call = &table[random_below(&state, n_table)],
					      .abi_mask = 0xff,
					      .action = POLICY_ALLOW,
					      .where = { .line = 1, .column = 1 } };
	}
	qsort(r->rules, r->policy.n_rules, sizeof(r->rules[0]), random_compare_rule);
	random_settle_ties(r->rules, r->policy.n_rules);
	memcpy(r->name, "random", sizeof("random"));
	memcpy(r->path, "/etc/cordon/policies/random.policy",
	       sizeof("/etc/cordon/policies/random.policy"));
	r->source.path = r->path;
	r->policy.name = r->name;
	r->policy.digest.byte[0] = (uint8_t)seed;
	r->policy.sources = &r->source;
	r->policy.n_sources = 1;
	r->policy.rules = r->rules;
}

/* An input near to what the policy speaks of. */
static inline void random_input(uint64_t *seed, const struct policy *policy, struct seccomp_data *d)
{
	const struct policy_rule *rule = &policy->rules[random_below(seed, policy->n_rules)];
	enum abi abi = (enum abi)random_below(seed, _ABI_MAX);

	*d = (struct seccomp_data){ .arch = abi_audit_arch(abi) };
	d->nr = rule->call->nr[abi];
	if (random_below(seed, 4) == 0)
		d->nr = (int)random_below(seed, 1024);
	if (random_below(seed, 16) == 0)
		d->nr = (int)random_value(seed);
	if (abi == ABI_X32)
		d->nr |= (int)X32_SYSCALL_BIT;
	for (unsigned i = 0; i < 6; i++) {
		const struct policy_cond *c = &rule->conds[random_below(seed, 6)];

		d->args[i] = random_value(seed);
		if (random_below(seed, 3))
			continue;
		d->args[i] = c->value + random_below(seed, 3) - 1;
		if (random_below(seed, 3) == 0)
			d->args[i] ^= 1ULL << random_below(seed, 64);
	}
	for (uint8_t i = 0; i < rule->n_conds; i++) {
		const struct policy_cond *c = &rule->conds[i];

		if (random_below(seed, 3))
			d->args[c->arg] = c->value + random_below(seed, 3) - 1;
		if (random_below(seed, 4) == 0)
			d->args[c->arg] = c->value | (random_next(seed) & ~c->mask);
	}
}
