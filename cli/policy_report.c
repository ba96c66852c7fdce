// SPDX-License-Identifier: Apache-2.0
/* cordon policy report: what each mechanism makes of each line. */
#include "cli/policy_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/policy_target.h"
#include "cli/print.h"
#include "profiles/landlock.h"
#include "profiles/report.h"

static int number(const struct policy_args *args, const char *option, uint64_t max, uint64_t *value)
{
	const char *text = policy_arg(args, option);

	if (!text)
		return 0;
	if (text_parse_u64(text, value) < 0 || *value > max)
		return policy_cli_usage_error("no such version:", text);
	return 0;
}

int policy_cli_target(const struct policy_args *args, struct profile_target *ret)
{
	uint64_t landlock, apparmor;

	policy_target_here(ret);
	landlock = (uint64_t)ret->landlock_abi;
	apparmor = ret->apparmor_abi;
	if (number(args, "--landlock-abi", LANDLOCK_NEWEST_ABI, &landlock) < 0 ||
	    number(args, "--apparmor-abi", 99, &apparmor) < 0)
		return -EINVAL;
	/* Another machine's Landlock: its kernel is told from it. */
	if (landlock != (uint64_t)ret->landlock_abi)
		ret->kernel = 0;
	ret->landlock_abi = (int)landlock;
	ret->apparmor_abi = (unsigned)apparmor;
	return 0;
}

int policy_cli_mechanisms(const char *list, unsigned *ret)
{
	unsigned mask = 0;

	for (const char *p = list; *p;) {
		const size_t n = strcspn(p, ",");
		enum mechanism mechanism;
		char name[32] = "";

		if (n < sizeof(name))
			memcpy(name, p, n);
		if (mechanism_from_name(name, &mechanism) < 0)
			return policy_cli_usage_error("no such mechanism:", n ? p : list);
		if (!mechanism_ops_of(mechanism))
			return policy_cli_usage_error("this mechanism is not built in:", name);
		mask |= 1U << mechanism;
		p += n + (p[n] == ',');
	}
	*ret = mask;
	return mask ? 0 : policy_cli_usage_error("no such mechanism:", list);
}

unsigned policy_cli_all_mechanisms(void)
{
	unsigned mask = 0;

	for (int m = 0; m < _MECHANISM_MAX; m++)
		mask |= mechanism_ops_of((enum mechanism)m) ? 1U << m : 0U;
	return mask;
}

/* --- what it comes to --- */

static bool same_subject(const struct report_entry *a, const struct report_entry *b)
{
	return a->where.source == b->where.source && a->where.line == b->where.line &&
	       strcmp(a->subject, b->subject) == 0;
}

/* From entry i to the end of its subject. */
static size_t end_of(const struct report *report, size_t i)
{
	size_t end = i;

	while (end < report->n && same_subject(&report->entries[i], &report->entries[end]))
		end++;
	return end;
}

enum outcome {
	OUTCOME_WHOLE,	 /* some mechanism enforces it as written, or more strictly */
	OUTCOME_IN_PART, /* only weakly, by each of them */
	OUTCOME_BY_NONE,
};

static enum outcome outcome_of(const struct report *report, size_t begin, size_t end)
{
	enum outcome outcome = OUTCOME_BY_NONE;

	for (size_t i = begin; i < end; i++) {
		switch ((enum coverage)report->entries[i].coverage) {
		case COVERAGE_ENFORCED:
		case COVERAGE_STRICTER:
			return OUTCOME_WHOLE;
		case COVERAGE_WEAKER:
			outcome = OUTCOME_IN_PART;
			break;
		case COVERAGE_NONE:
		case COVERAGE_NOT_ITS_OWN:
			break;
		}
	}
	return outcome;
}

static const char *const outcome_names[] = {
	[OUTCOME_WHOLE] = "enforced",
	[OUTCOME_IN_PART] = "in part",
	[OUTCOME_BY_NONE] = "by none",
};

struct totals {
	size_t lines, in_part, by_none, not_expressible;
};

static struct totals count(const struct report *report)
{
	struct totals t = { 0 };

	for (size_t i = 0, end; i < report->n; i = end) {
		bool missing = false;
		enum outcome outcome;

		end = end_of(report, i);
		outcome = outcome_of(report, i, end);
		for (size_t j = i; j < end; j++)
			missing = missing || report->entries[j].coverage == COVERAGE_NONE;
		t.lines++;
		t.in_part += outcome == OUTCOME_IN_PART;
		t.by_none += outcome == OUTCOME_BY_NONE;
		t.not_expressible += missing;
	}
	return t;
}

/* --- JSON --- */

static void put_entry(struct json *j, const struct report_entry *e)
{
	json_object(j, NULL);
	json_string(j, "mechanism", mechanism_name((enum mechanism)e->mechanism));
	json_string(j, "coverage", coverage_name((enum coverage)e->coverage));
	json_string(j, "note", e->note);
	json_object_end(j);
}

static void put_json(struct json *j, const struct policy *policy,
		     const struct profile_target *target, const struct report *report)
{
	const struct totals t = count(report);

	json_object(j, NULL);
	json_string(j, "policy", policy->name);
	json_i64(j, "landlock_abi", target->landlock_abi);
	json_array(j, "lines");
	for (size_t i = 0, end; i < report->n; i = end) {
		const struct report_entry *e = &report->entries[i];

		end = end_of(report, i);
		json_object(j, NULL);
		json_string(j, "file",
			    e->where.line && e->where.source < policy->n_sources
				    ? policy->sources[e->where.source].path
				    : NULL);
		json_u64(j, "line", e->where.line);
		json_string(j, "text", e->subject);
		json_string(j, "outcome", outcome_names[outcome_of(report, i, end)]);
		json_array(j, "mechanisms");
		for (size_t k = i; k < end; k++)
			put_entry(j, &report->entries[k]);
		json_array_end(j);
		json_object_end(j);
	}
	json_array_end(j);
	json_u64(j, "enforced_in_part", t.in_part);
	json_u64(j, "enforced_by_none", t.by_none);
	json_u64(j, "not_expressible_somewhere", t.not_expressible);
	json_object_end(j);
}

int policy_cli_report_json(const struct policy *policy, const struct profile_target *target,
			   const struct report *report, struct buf *ret)
{
	for (size_t cap = 1U << 18; cap <= 1U << 28; cap *= 4) {
		_cleanup_free_ char *block = malloc(cap);
		struct json j;
		size_t n;

		if (!block)
			return -ENOMEM;
		json_init(&j, block, cap);
		put_json(&j, policy, target, report);
		n = json_finish(&j);
		if (n > 0) {
			int r = buf_put(ret, block, n);

			return r ? r : buf_puts(ret, "\n");
		}
	}
	return -EFBIG;
}

/* --- a table for people --- */

/* One line each for those that have something to say. */
static void print_mechanisms(const struct report *report, size_t begin, size_t end, bool all)
{
	for (size_t i = begin; i < end; i++) {
		const struct report_entry *e = &report->entries[i];
		const char *coverage = coverage_name((enum coverage)e->coverage);

		if (e->coverage == COVERAGE_NOT_ITS_OWN && !all)
			continue;
		(void)printf("        %-13s ", mechanism_name((enum mechanism)e->mechanism));
		if (e->note) {
			(void)printf("%-15s  ", coverage);
			policy_cli_put_text(e->note);
		} else {
			(void)fputs(coverage, stdout);
		}
		(void)putchar('\n');
	}
}

/* The file once, above its lines. */
static void print_file(const struct policy *policy, const struct report *report, size_t begin)
{
	const struct policy_where *where = &report->entries[begin].where;
	const struct policy_where *before = begin ? &report->entries[begin - 1].where : NULL;

	if (before && before->source == where->source && (before->line == 0) == (where->line == 0))
		return;
	if (begin)
		(void)putchar('\n');
	if (where->line == 0 || where->source >= policy->n_sources)
		(void)fputs("said nowhere", stdout);
	else
		policy_cli_put_text(policy->sources[where->source].path);
	(void)fputs(":\n", stdout);
}

static void print_line(const struct policy *policy, const struct report *report, size_t begin,
		       size_t end, bool all)
{
	const struct report_entry *e = &report->entries[begin];

	print_file(policy, report, begin);
	if (e->where.line)
		(void)printf("  %4" PRIu32 "  ", e->where.line);
	else
		(void)fputs("     -  ", stdout);
	policy_cli_put_text(e->subject);
	(void)putchar('\n');
	print_mechanisms(report, begin, end, all);
}

static void print_those(const struct policy *policy, const struct report *report,
			enum outcome outcome, size_t n, const char *title)
{
	if (n == 0)
		return;
	(void)printf("%zu %s:\n", n, title);
	for (size_t i = 0, end; i < report->n; i = end) {
		end = end_of(report, i);
		if (outcome_of(report, i, end) != outcome)
			continue;
		(void)fputs("  ", stdout);
		policy_cli_print_where(policy, &report->entries[i].where);
		(void)fputs("  ", stdout);
		policy_cli_put_text(report->entries[i].subject);
		(void)putchar('\n');
	}
}

static void print_table(const struct policy *policy, const struct profile_target *target,
			const struct report *report, bool all)
{
	const struct totals t = count(report);

	for (size_t i = 0, end; i < report->n; i = end) {
		end = end_of(report, i);
		print_line(policy, report, i, end, all);
	}
	(void)printf("\n%zu lines of policy '%s', Landlock ABI %d; some mechanism cannot say %zu\n",
		     t.lines, policy->name, target->landlock_abi, t.not_expressible);
	print_those(policy, report, OUTCOME_IN_PART, t.in_part,
		    "enforced in part by each mechanism that speaks of it");
	print_those(policy, report, OUTCOME_BY_NONE, t.by_none, "enforced by no mechanism");
}

static int run(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf json = BUF_INIT;
	const char *list = policy_arg(args, "--mechanism");
	unsigned mask = policy_cli_all_mechanisms();
	struct err err = ERR_INIT;
	struct profile_target target;
	struct report report;
	int status, r;

	if (policy_cli_target(args, &target) < 0 ||
	    (list && policy_cli_mechanisms(list, &mask) < 0) ||
	    policy_cli_load(args, args->what[0], &policy) < 0)
		return POLICY_EXIT_FAILED;
	if (report_make(policy, &target, mask, &report, &err) < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	status = policy_flag(args, "--strict") && count(&report).by_none > 0 ? 1 : 0;
	if (!policy_flag(args, "--json")) {
		print_table(policy, &target, &report, policy_flag(args, "--all"));
	} else {
		r = policy_cli_report_json(policy, &target, &report, &json);
		if (r < 0) {
			(void)err_set(&err, r, "print the report as JSON");
			print_error(NULL, &err);
			status = POLICY_EXIT_FAILED;
		} else {
			(void)fwrite(json.data, 1, json.len, stdout);
		}
	}
	report_done(&report);
	return status;
}

const struct policy_verb policy_verb_report = {
	.name = "report",
	.run = run,
	.min_what = 1,
	.max_what = 1,
	.options = " --json --all --strict --mechanism= --landlock-abi= --apparmor-abi= ",
	.usage = "  report WHAT [--json] [--all] [--strict] [--mechanism LIST]\n"
		 "         [--landlock-abi N] [--apparmor-abi N]\n"
		 "                             what each mechanism makes of each line; --strict:\n"
		 "                             status 1 when none enforces a line; --all: also\n"
		 "                             those that it is not the business of\n",
};
