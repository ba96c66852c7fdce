// SPDX-License-Identifier: Apache-2.0
#include "profiles/seccomp_cost.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "profiles/bpf_eval.h"
#include "profiles/check_values.h"

/* So many combinations of values are tried whole. */
enum { COST_PRODUCT = 4096 };

struct meter {
	const struct seccomp_program *p;
	struct seccomp_data data;
	struct seccomp_cost *cost;
	bool allows, refuses, reads;
};

static void run(struct meter *m, const uint64_t args[6])
{
	struct bpf_result r;

	for (unsigned i = 0; i < 6; i++)
		m->data.args[i] = args[i];
	bpf_run(m->p->insns, m->p->n, &m->data, NULL, &r);
	m->cost->min = r.steps < m->cost->min ? r.steps : m->cost->min;
	m->cost->max = r.steps > m->cost->max ? r.steps : m->cost->max;
	m->reads |= r.read_args;
	if (r.ret == SECCOMP_RET_ALLOW)
		m->allows = true;
	else
		m->refuses = true;
}

static void run_product(struct meter *m, const struct check_values *v)
{
	size_t at[6] = { 0 };
	uint64_t args[6];
	unsigned i = 0;

	while (i < 6) {
		for (unsigned k = 0; k < 6; k++)
			args[k] = v->n[k] ? v->value[k][at[k]] : 0;
		run(m, args);
		for (i = 0; i < 6 && (v->n[i] == 0 || ++at[i] == v->n[i]); i++)
			at[i] = 0;
	}
}

/* Each rule made to hold, with one argument at a time moved through its values. */
static void run_by_rule(struct meter *m, const struct check_values *v,
			const struct policy_rule *rules, size_t n_rules)
{
	uint64_t filler[6], held[6], args[6];

	check_values_fill(v, rules, n_rules, filler);
	run(m, filler);
	for (size_t i = 0; i < n_rules; i++) {
		memcpy(held, filler, sizeof(held));
		check_values_satisfy(v, &rules[i], held);
		run(m, held);
		for (unsigned k = 0; k < 6 && n_rules <= COST_PRODUCT / 64; k++) {
			memcpy(args, held, sizeof(args));
			for (size_t n = 0; n < v->n[k]; n++) {
				args[k] = v->value[k][n];
				run(m, args);
			}
		}
	}
}

static int measure(const struct seccomp_program *p, const struct policy_rule *rules, size_t n_rules,
		   struct seccomp_cost *cost)
{
	__attribute__((cleanup(check_values_done))) struct check_values v = { .n = { 0 } };
	struct meter m = { .p = p, .cost = cost };
	uint8_t bit = (uint8_t)(1U << cost->abi);
	const uint64_t zeros[6] = { 0 };
	int r = check_values_new(rules, n_rules, bit, &v);

	if (r < 0)
		return r;
	m.data.arch = abi_audit_arch((enum abi)cost->abi);
	m.data.nr = cost->call->nr[cost->abi];
	if (cost->abi == ABI_X32)
		m.data.nr |= (int)X32_SYSCALL_BIT;
	for (size_t i = 0; i < n_rules; i++)
		cost->ruled |= (rules[i].abi_mask & bit) != 0;
	cost->min = UINT32_MAX;
	run(&m, zeros);
	if (check_values_product(&v, COST_PRODUCT + 1) <= COST_PRODUCT)
		run_product(&m, &v);
	else
		run_by_rule(&m, &v, rules, n_rules);
	cost->answer = !m.allows ? SECCOMP_REFUSES : m.refuses ? SECCOMP_ASKS : SECCOMP_ALLOWS;
	cost->bitmap = !m.refuses && !m.reads;
	return 0;
}

int seccomp_cost_new(const struct policy *policy, const struct seccomp_program *p,
		     const struct usage *usage, struct seccomp_cost **ret, size_t *ret_n,
		     struct err *err)
{
	_cleanup_free_ struct seccomp_cost *costs = NULL;
	size_t n_table, n = 0;

	(void)syscall_table(&n_table);
	costs = calloc(n_table * _ABI_MAX, sizeof(*costs));
	if (!costs)
		return err_set(err, -ENOMEM, "measure the filter");
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		for (int32_t nr = 0;
		     policy->abi_mask >> abi & 1 && nr <= syscall_max_nr((enum abi)abi); nr++) {
			const struct syscall_desc *call = syscall_by_nr((enum abi)abi, nr);
			size_t lo = 0, n_rules = 0;
			int r;

			if (!call)
				continue;
			while (lo < policy->n_rules && policy->rules[lo].call != call)
				lo++;
			while (lo + n_rules < policy->n_rules &&
			       policy->rules[lo + n_rules].call == call)
				n_rules++;
			costs[n] = (struct seccomp_cost){ .call = call, .abi = (uint8_t)abi };
			if (abi == policy->native)
				costs[n].count = usage_count(usage, call);
			r = measure(p, policy->rules + lo, n_rules, &costs[n]);
			if (r < 0)
				return err_set(err, r, "measure the filter");
			n++;
		}
	}
	*ret = TAKE_PTR(costs);
	*ret_n = n;
	return 0;
}

void seccomp_cost_average(const struct seccomp_cost *costs, size_t n, struct seccomp_average *ret)
{
	struct seccomp_average sum = { .min = 0 };
	double total = 0;

	for (size_t i = 0; i < n; i++) {
		double count = (double)costs[i].count;

		total += count;
		sum.bare_min += count * costs[i].min;
		sum.bare_max += count * costs[i].max;
		sum.min += costs[i].bitmap ? 0 : count * costs[i].min;
		sum.max += costs[i].bitmap ? 0 : count * costs[i].max;
	}
	*ret = (struct seccomp_average){ .min = 0 };
	if (total > 0)
		*ret = (struct seccomp_average){ sum.min / total, sum.max / total,
						 sum.bare_min / total, sum.bare_max / total };
}
