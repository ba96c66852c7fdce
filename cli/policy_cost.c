// SPDX-License-Identifier: Apache-2.0
/* cordon policy cost: what the filter makes each call pay. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/json.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "profiles/seccomp_cost.h"

/* More than any table of calls on four ABIs takes. */
enum { JSON_BYTES = 1 << 20 };

/* The program that is looked at, and beside it the one that knows no counts. */
struct bill {
	const struct policy *policy;
	const char *usage_path; /* NULL: none */
	struct seccomp_program program;
	struct seccomp_cost *costs;
	size_t n;
	struct seccomp_average average, even;
};

static void bill_done(struct bill *b)
{
	seccomp_program_done(&b->program);
	free(b->costs);
}

static int average_of_even(const struct policy *policy, const struct usage *usage,
			   struct seccomp_average *ret, struct err *err)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program even = { .n = 0 };
	_cleanup_free_ struct seccomp_cost *costs = NULL;
	size_t n = 0;
	int r = seccomp_generate(policy, &even, err);

	r = r ? r : seccomp_cost_new(policy, &even, usage, &costs, &n, err);
	if (r == 0)
		seccomp_cost_average(costs, n, ret);
	return r;
}

static int make_bill(const struct policy *policy, const char *path, struct bill *b, struct err *err)
{
	_cleanup_usage_ struct usage usage = { .total = 0 };
	int r = path ? usage_read(path, &usage, err) : 0;

	b->policy = policy;
	b->usage_path = path;
	r = r ? r : seccomp_generate_for(policy, path ? &usage : NULL, &b->program, err);
	r = r ? r : seccomp_check(policy, &b->program, err);
	r = r ? r : seccomp_cost_new(policy, &b->program, &usage, &b->costs, &b->n, err);
	if (r < 0)
		return r;
	seccomp_cost_average(b->costs, b->n, &b->average);
	return average_of_even(policy, &usage, &b->even, err);
}

static const char *answer_name(const struct seccomp_cost *c)
{
	static const char *const names[] = {
		[SECCOMP_ALLOWS] = "allow",
		[SECCOMP_REFUSES] = "deny",
		[SECCOMP_ASKS] = "arguments",
	};

	return names[c->answer];
}

static void put_average(struct json *j, const char *key, const struct seccomp_average *a)
{
	/* The writer has whole numbers: thousandths of an instruction. */
	json_object(j, key);
	json_u64(j, "min_milli", (uint64_t)(a->min * 1000 + 0.5));
	json_u64(j, "max_milli", (uint64_t)(a->max * 1000 + 0.5));
	json_u64(j, "no_bitmap_min_milli", (uint64_t)(a->bare_min * 1000 + 0.5));
	json_u64(j, "no_bitmap_max_milli", (uint64_t)(a->bare_max * 1000 + 0.5));
	json_object_end(j);
}

static int put_json(const struct bill *b, struct err *err)
{
	_cleanup_free_ char *text = malloc(JSON_BYTES);
	struct json j;

	if (!text)
		return err_set(err, -ENOMEM, "print the costs");
	json_init(&j, text, JSON_BYTES);
	json_object(&j, NULL);
	json_string(&j, "policy", b->policy->name);
	json_string(&j, "arch", abi_name((enum abi)b->policy->native));
	json_u64(&j, "instructions", b->program.n);
	json_u64(&j, "limit", LIMIT_BPF_INSNS);
	json_u64(&j, "depth", b->program.depth);
	json_array(&j, "calls");
	for (size_t i = 0; i < b->n; i++) {
		const struct seccomp_cost *c = &b->costs[i];

		json_object(&j, NULL);
		json_string(&j, "call", c->call->name);
		json_string(&j, "abi", abi_name((enum abi)c->abi));
		json_string(&j, "answer", answer_name(c));
		json_bool(&j, "bitmap", c->bitmap);
		json_bool(&j, "ruled", c->ruled);
		json_u64(&j, "min", c->min);
		json_u64(&j, "max", c->max);
		if (b->usage_path)
			json_u64(&j, "count", c->count);
		json_object_end(&j);
	}
	json_array_end(&j);
	if (b->usage_path) {
		put_average(&j, "average", &b->average);
		put_average(&j, "average_balanced", &b->even);
	}
	json_object_end(&j);
	if (json_finish(&j) == 0)
		return err_set(err, -EFBIG, "print the costs");
	(void)printf("%s\n", text);
	return 0;
}

static void put_call(const struct bill *b, const struct seccomp_cost *c)
{
	char steps[24];

	if (c->min == c->max)
		(void)snprintf(steps, sizeof(steps), "%u", c->min);
	else
		(void)snprintf(steps, sizeof(steps), "%u-%u", c->min, c->max);
	(void)printf("  %-24s %-10s %8s", c->call->name, answer_name(c), steps);
	if (b->usage_path)
		(void)printf(" %14" PRIu64, c->count);
	(void)putchar('\n');
}

/* Rows for what runs the filter and is spoken of; the rest in one line. */
static void put_abi(const struct bill *b, enum abi abi)
{
	unsigned served = 0, others = 0, min = UINT32_MAX, max = 0;

	(void)printf("%s:\n", abi_name(abi));
	for (size_t i = 0; i < b->n; i++) {
		const struct seccomp_cost *c = &b->costs[i];

		if (c->abi != abi)
			continue;
		if (c->bitmap) {
			served++;
		} else if (c->ruled || c->count > 0) {
			put_call(b, c);
		} else {
			others++;
			min = c->min < min ? c->min : min;
			max = c->max > max ? c->max : max;
		}
	}
	(void)printf("  %u calls are allowed by number: the kernel's bitmap serves them, they run "
		     "nothing\n",
		     served);
	if (others > 0)
		(void)printf("  %u calls that no rule names are refused after %u-%u instructions\n",
			     others, min, max);
}

static void put_average_text(const char *what, const struct seccomp_average *a)
{
	(void)printf("  %-9s %.2f-%.2f; without a bitmap %.2f-%.2f\n", what, a->min, a->max,
		     a->bare_min, a->bare_max);
}

static void put_text(const struct bill *b)
{
	(void)printf("policy %s for %s: %zu instructions of at most %d, %u comparisons deep\n"
		     "instructions that a call runs, by its arguments%s:\n",
		     b->policy->name, abi_name((enum abi)b->policy->native), b->program.n,
		     LIMIT_BPF_INSNS, b->program.depth, b->usage_path ? ", and its count" : "");
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		if (b->policy->abi_mask >> abi & 1)
			put_abi(b, (enum abi)abi);
	}
	if (!b->usage_path)
		return;
	(void)fputs("average over ", stdout);
	policy_cli_put_text(b->usage_path);
	(void)fputs(", instructions a call:\n", stdout);
	put_average_text("by usage", &b->average);
	put_average_text("balanced", &b->even);
}

static int cost(const struct policy_args *args)
{
	__attribute__((cleanup(bill_done))) struct bill b = { .n = 0 };
	_cleanup_policy_ struct policy *policy = NULL;
	struct err err = ERR_INIT;
	int r;

	if (policy_cli_load(args, args->what[0], &policy) < 0)
		return POLICY_EXIT_FAILED;
	r = make_bill(policy, policy_arg(args, "--usage"), &b, &err);
	if (r == 0 && policy_flag(args, "--json"))
		r = put_json(&b, &err);
	else if (r == 0)
		put_text(&b);
	if (r < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return 0;
}

const struct policy_verb policy_verb_cost = {
	.name = "cost",
	.run = cost,
	.min_what = 1,
	.max_what = 1,
	.options = " --usage= --json ",
	.usage = "  cost [--usage FILE] [--json] WHAT\n"
		 "                             instructions that each call runs; averages over "
		 "FILE\n",
};
