// SPDX-License-Identifier: Apache-2.0
/* cordon policy score: how much a policy leaves in reach. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "policies/load.h"
#include "policies/score.h"

/* The shipped policies that stand beside each score, as a scale. */
static const char *const shipped[] = { "strict", "default", "session", "build" };

/* A shipped policy's points; false when it is not found here. */
static bool score_shipped(const struct policy_args *args, const char *name, uint32_t *ret)
{
	const struct policy_search search = { .dirs = args->search,
					      .n_dirs = args->n_search,
					      .native = ABI_NATIVE };
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	_cleanup_policy_ struct policy *policy = NULL;
	__attribute__((cleanup(score_done))) struct score score = { .total = 0 };
	struct err err = ERR_INIT;

	if (policy_load(name, &search, &policy, &diags, &err) < 0 ||
	    score_policy(policy, &score) < 0)
		return false;
	*ret = score.total;
	return true;
}

static void put_text(const struct policy_args *args, const struct policy *policy,
		     const struct score *s)
{
	uint32_t other;

	policy_cli_put_text(policy->name);
	(void)printf(": %u points\n", s->total);
	for (unsigned i = 0; i < _SCORE_MAX; i++)
		(void)printf("  %-8s %5u\n", score_part_name((enum score_part)i), s->points[i]);
	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (s->calls[a].all)
			(void)printf("  %s: %u of %u calls in reach, %u of them with every "
				     "argument\n",
				     abi_name((enum abi)a), s->calls[a].some, s->calls[a].all,
				     s->calls[a].whole);
	}
	if (s->n_dangers)
		(void)puts("  known-dangerous in reach:");
	for (size_t i = 0; i < s->n_dangers; i++)
		(void)printf("  %5u  %s%s%s: %s\n", s->dangers[i].danger->weight,
			     danger_name(s->dangers[i].danger),
			     s->dangers[i].abi == (enum abi)policy->native ? "" : " on ",
			     s->dangers[i].abi == (enum abi)policy->native
				     ? ""
				     : abi_name(s->dangers[i].abi),
			     s->dangers[i].danger->why);
	if (s->hard)
		(void)puts("  some conditions were too hard to search and count as in reach");
	(void)fputs("  beside it:", stdout);
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		if (score_shipped(args, shipped[i], &other))
			(void)printf(" %s %u", shipped[i], other);
	}
	(void)putchar('\n');
}

static void fill_json(struct json *j, const struct policy *policy, const struct score *s)
{
	json_object(j, NULL);
	json_string(j, "policy", policy->name);
	json_u64(j, "points", s->total);
	json_object(j, "parts");
	for (unsigned i = 0; i < _SCORE_MAX; i++)
		json_u64(j, score_part_name((enum score_part)i), s->points[i]);
	json_object_end(j);
	json_array(j, "calls");
	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (!s->calls[a].all)
			continue;
		json_object(j, NULL);
		json_string(j, "abi", abi_name((enum abi)a));
		json_u64(j, "known", s->calls[a].all);
		json_u64(j, "reachable", s->calls[a].some);
		json_u64(j, "unconditional", s->calls[a].whole);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "dangers");
	for (size_t i = 0; i < s->n_dangers; i++) {
		const struct danger *d = s->dangers[i].danger;

		json_object(j, NULL);
		json_string(j, "name", danger_name(d));
		json_string(j, "call", d->call);
		json_string(j, "abi", abi_name(s->dangers[i].abi));
		json_string(j, "class", danger_class_name((enum danger_class)d->class));
		json_u64(j, "weight", d->weight);
		json_string(j, "why", d->why);
		json_string(j, "source", d->source);
		json_object_end(j);
	}
	json_array_end(j);
	json_bool(j, "exact", !s->hard);
	json_object_end(j);
}

/* The table's entries on each ABI, some 400 bytes each, are all there is. */
static int put_json(const struct policy *policy, const struct score *s)
{
	size_t size = 4096 + s->n_dangers * 1024;
	_cleanup_free_ char *text = malloc(size);
	struct json j;

	if (!text)
		return -ENOMEM;
	json_init(&j, text, size);
	fill_json(&j, policy, s);
	if (json_finish(&j) == 0)
		return -EOVERFLOW;
	(void)puts(text);
	return 0;
}

static int score(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	__attribute__((cleanup(score_done))) struct score s = { .total = 0 };
	const char *wanted = policy_arg(args, "--max");
	struct err err = ERR_INIT;
	uint64_t max = UINT64_MAX;
	int r;

	if (wanted && text_parse_u64(wanted, &max) < 0) {
		(void)policy_cli_usage_error("no number of points:", wanted);
		return POLICY_EXIT_FAILED;
	}
	r = policy_cli_load(args, args->what[0], &policy);
	if (r < 0)
		return r == -EBADMSG ? 1 : POLICY_EXIT_FAILED;
	r = score_policy(policy, &s);
	if (r == 0 && policy_flag(args, "--json"))
		r = put_json(policy, &s);
	else if (r == 0)
		put_text(args, policy, &s);
	if (r < 0) {
		err_set(&err, r, "score the policy '%s'", policy->name);
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	if (s.total <= max)
		return 0;
	(void)fprintf(stderr, "cordon: the policy has %u points, and %s are allowed\n", s.total,
		      wanted);
	return 1;
}

const struct policy_verb policy_verb_score = {
	.name = "score",
	.run = score,
	.min_what = 1,
	.max_what = 1,
	.options = " --json --max= ",
	.usage = "  score [--max N] [--json] WHAT\n"
		 "                             how much it leaves in reach, in points\n",
};
