// SPDX-License-Identifier: Apache-2.0
/* Programs made for a usage file: right, never dearer than the balanced one, and not too deep. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "profiles/bpf_eval.h"
#include "profiles/seccomp.h"
#include "profiles/seccomp_gen.h"
#include "tests/unit/random_policy.h"

static struct random_policy random_one;

static struct usage empty_usage(void)
{
	struct usage usage = { .total = 0 };
	size_t n;

	(void)syscall_table(&n);
	usage.count = calloc(n, sizeof(*usage.count));
	assert_non_null(usage.count);
	return usage;
}

static void put(struct usage *usage, size_t position, uint64_t count)
{
	usage->count[position] += count;
	usage->total += count;
}

struct sums {
	double run, all; /* instructions: where there is a bitmap, and where there is none */
};

static struct sums measure(const struct policy *policy, const struct usage *usage,
			   const struct seccomp_program *p)
{
	struct sums sums = { .run = 0 };
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < n; i++) {
		struct seccomp_data d = { .nr = table[i].nr[policy->native],
					  .arch = abi_audit_arch((enum abi)policy->native) };
		double count = (double)usage_count(usage, &table[i]);
		struct bpf_result r;

		if (d.nr < 0)
			continue;
		bpf_run(p->insns, p->n, &d, NULL, &r);
		sums.all += count * r.steps;
		if (r.ret != SECCOMP_RET_ALLOW || r.read_args)
			sums.run += count * r.steps;
	}
	return sums;
}

/* Counts as programs have them: a few calls make most of it. */
static void random_usage(uint64_t *seed, struct usage *usage)
{
	size_t n;

	(void)syscall_table(&n);
	for (uint64_t k = 1 + random_below(seed, 60); k > 0; k--)
		put(usage, random_below(seed, n), 1ULL << random_below(seed, 30));
	/* Something of what the policy asks arguments of. */
	for (uint64_t k = random_below(seed, 8); k > 0; k--) {
		const struct policy *p = &random_one.policy;

		put(usage,
		    (size_t)(p->rules[random_below(seed, p->n_rules)].call - syscall_table(&n)),
		    1ULL << random_below(seed, 34));
	}
}

static void test_never_dearer(void **state)
{
	uint64_t seed = 5;
	double run = 0, run_even = 0, all = 0, all_even = 0;
	unsigned better = 0;

	(void)state;
	for (uint64_t i = 1; i <= 120; i++) {
		struct seccomp_program even = { .n = 0 }, hot = { .n = 0 };
		_cleanup_usage_ struct usage usage = empty_usage();
		struct err err = ERR_INIT;
		struct sums a, b;

		random_policy_make(i, &random_one);
		random_usage(&seed, &usage);
		assert_int_equal(seccomp_generate(&random_one.policy, &even, NULL), 0);
		if (seccomp_generate_for(&random_one.policy, &usage, &hot, &err) < 0 ||
		    seccomp_check(&random_one.policy, &hot, &err) < 0)
			fail_msg("seed %llu: cannot %s", (unsigned long long)i, err.msg);
		a = measure(&random_one.policy, &usage, &even);
		b = measure(&random_one.policy, &usage, &hot);
		assert_true(b.run <= a.run && b.all <= a.all);
		better += b.run < a.run;
		/* Up to four are asked for before the tree. */
		assert_true(hot.depth <= 2 * seccomp_even_depth(512) + 2 + 4);
		run += b.run / (double)usage.total;
		run_even += a.run / (double)usage.total;
		all += b.all / (double)usage.total;
		all_even += a.all / (double)usage.total;
		seccomp_program_done(&even);
		seccomp_program_done(&hot);
	}
	print_message("instructions a call with the bitmap: balanced %.2f, by usage %.2f; without: "
		      "%.2f, %.2f; better in %u of 120\n",
		      run_even / 120, run / 120, all_even / 120, all / 120, better);
	assert_true(better > 100);
}

/* No counts, and counts of calls that are not there: the balanced program, to the byte. */
static void test_nothing_to_weigh(void **state)
{
	struct seccomp_program even = { .n = 0 }, hot = { .n = 0 };
	_cleanup_usage_ struct usage usage = empty_usage();
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	random_policy_make(7, &random_one);
	assert_int_equal(seccomp_generate(&random_one.policy, &even, NULL), 0);
	assert_int_equal(seccomp_generate_for(&random_one.policy, NULL, &hot, NULL), 0);
	assert_int_equal(hot.n, even.n);
	assert_memory_equal(hot.insns, even.insns, hot.n * sizeof(*hot.insns));
	seccomp_program_done(&hot);
	for (size_t i = 0; i < n; i++) {
		if (table[i].nr[random_one.policy.native] < 0)
			put(&usage, i, 1000);
	}
	assert_int_equal(seccomp_generate_for(&random_one.policy, &usage, &hot, NULL), 0);
	assert_int_equal(hot.n, even.n);
	assert_memory_equal(hot.insns, even.insns, hot.n * sizeof(*hot.insns));
	seccomp_program_done(&hot);
	seccomp_program_done(&even);
}

/* The same counts give the same bytes. */
static void test_same_bytes(void **state)
{
	struct seccomp_program a = { .n = 0 }, b = { .n = 0 };
	_cleanup_usage_ struct usage usage = empty_usage();
	uint64_t seed = 3;

	(void)state;
	random_policy_make(11, &random_one);
	random_usage(&seed, &usage);
	assert_int_equal(seccomp_generate_for(&random_one.policy, &usage, &a, NULL), 0);
	assert_int_equal(seccomp_generate_for(&random_one.policy, &usage, &b, NULL), 0);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.insns, b.insns, a.n * sizeof(*a.insns));
	seccomp_program_done(&a);
	seccomp_program_done(&b);
}

/* Weights that would make a list of the tree: Fibonacci's, powers, one giant. */
static void test_depth_is_bounded(void **state)
{
	enum { N = 300 };
	struct seccomp_range ranges[N];
	uint64_t weight[N];

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		ranges[i] = (struct seccomp_range){ .lo = 2 * i, .label = i };
	for (unsigned shape = 0; shape < 4; shape++) {
		for (size_t n = 1; n <= N; n += 1 + n / 7) {
			struct seccomp_tree tree = { .n = 0 };

			for (size_t i = 0; i < n; i++)
				weight[i] = shape == 0	 ? 1ULL << (i < 63 ? i : 63)
					    : shape == 1 ? i == n / 3 ? UINT64_MAX : 0
					    : shape == 2
						    ? i < 2 ? 1 : weight[i - 1] / 2 + weight[i - 2]
						    : 0;
			assert_int_equal(seccomp_tree_new(ranges, weight, n, &tree), 0);
			assert_true(tree.depth >= seccomp_even_depth(n));
			assert_true(tree.depth <= 2 * seccomp_even_depth(n) + 2);
			if (shape == 3)
				assert_int_equal(tree.depth, seccomp_even_depth(n));
			seccomp_tree_done(&tree);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_dearer),
		cmocka_unit_test(test_nothing_to_weigh),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
