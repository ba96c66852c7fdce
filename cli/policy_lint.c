// SPDX-License-Identifier: Apache-2.0
/* cordon policy lint: what policies say that their authors may not mean. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "policies/lint.h"

struct counts {
	unsigned shown, answered, below, unread;
};

static void put_place(const struct policy *policy, const struct lint_finding *f)
{
	policy_cli_put_text(policy->sources[f->where.source].path);
	(void)printf(":%u:%u", f->where.line, f->where.column);
}

/* As a compiler shows it: the place and the reason, the line, a caret, what to write. */
static void put_finding(const struct policy *policy, const struct lint_finding *f)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	size_t len = 0;
	const char *text = lint_line(policy, f->where, &len);

	put_place(policy, f);
	(void)printf(": %s %s: ", lint_level_name((enum lint_level)f->level), f->id);
	policy_cli_put_text(f->text);
	(void)putchar('\n');
	if (text && buf_put(&line, text, len) == 0 && line.data) {
		(void)fputs("    ", stdout);
		policy_cli_put_text(line.data);
		(void)fputs("\n    ", stdout);
		for (unsigned i = 1; i < f->where.column && i <= len; i++)
			(void)putchar(text[i - 1] == '\t' ? '\t' : ' ');
		(void)fputs("^\n", stdout);
	}
	if (f->instead) {
		(void)fputs("    write: ", stdout);
		policy_cli_put_text(f->instead);
		(void)putchar('\n');
	}
}

static void fill_json(struct json *j, const struct policy *policy, const struct lint_finding *f)
{
	size_t len = 0;
	const char *line = lint_line(policy, f->where, &len);

	json_object(j, NULL);
	json_string(j, "id", f->id);
	json_string(j, "level", lint_level_name((enum lint_level)f->level));
	json_string(j, "policy", policy->name);
	json_string(j, "file", policy->sources[f->where.source].path);
	json_u64(j, "line", f->where.line);
	json_u64(j, "column", f->where.column);
	json_bytes(j, "text", line ? line : "", len);
	json_string(j, "message", f->text);
	json_string(j, "instead", f->instead);
	json_bool(j, "answered", f->answered);
	json_object_end(j);
}

/* One finding as JSON: a line of a policy is bounded, so this has room for all of it escaped. */
static int put_json(const struct policy *policy, const struct lint_finding *f, bool first)
{
	static char text[8 * LIMIT_POLICY_LINE];
	struct json j;

	json_init(&j, text, sizeof(text));
	fill_json(&j, policy, f);
	if (json_finish(&j) == 0)
		return -EOVERFLOW;
	(void)printf("%s\n  %s", first ? "" : ",", text);
	return 0;
}

static int put_all(const struct policy *policy, const struct lint *lint, enum lint_level level,
		   bool json, struct counts *counts)
{
	for (size_t i = 0; i < lint->n; i++) {
		const struct lint_finding *f = &lint->findings[i];
		int r = 0;

		if (f->level < level) {
			counts->below++;
			continue;
		}
		if (json)
			r = put_json(policy, f, counts->shown + counts->answered == 0);
		else if (!f->answered)
			put_finding(policy, f);
		if (r < 0)
			return r;
		counts->shown += !f->answered;
		counts->answered += f->answered;
	}
	return 0;
}

static int lint_one(const struct policy_args *args, const char *what, enum lint_level level,
		    struct counts *counts)
{
	_cleanup_policy_ struct policy *policy = NULL;
	__attribute__((cleanup(lint_done))) struct lint lint = { .n = 0 };
	struct err err = ERR_INIT;
	int r = policy_cli_load(args, what, &policy);

	if (r < 0)
		return r;
	r = lint_policy(policy, &lint);
	r = r ? r : put_all(policy, &lint, level, policy_flag(args, "--json"), counts);
	if (r < 0) {
		err_set(&err, r, "lint the policy '%s'", policy->name);
		print_error(NULL, &err);
	}
	return r;
}

static int lint(const struct policy_args *args)
{
	const char *wanted = policy_arg(args, "--level");
	bool json = policy_flag(args, "--json");
	enum lint_level level = LINT_WARNING;
	struct counts counts = { .shown = 0 };
	int status = 0;

	if (wanted && lint_level_from_name(wanted, &level) < 0) {
		(void)policy_cli_usage_error("no level (note, warning, error):", wanted);
		return POLICY_EXIT_FAILED;
	}
	if (json)
		(void)fputs("{\"findings\": [", stdout);
	for (int i = 0; i < args->n_what; i++) {
		int r = lint_one(args, args->what[i], level, &counts);

		counts.unread += r < 0;
		if (r < 0 && status != POLICY_EXIT_FAILED)
			status = r == -EBADMSG ? 1 : POLICY_EXIT_FAILED;
	}
	if (json)
		(void)printf(
			"\n], \"level\": \"%s\", \"shown\": %u, \"answered\": %u, \"below\": %u, "
			"\"unread\": %u}\n",
			lint_level_name(level), counts.shown, counts.answered, counts.below,
			counts.unread);
	else
		(void)printf("%u finding%s at %s or above, %u answered in the text, %u below%s\n",
			     counts.shown, counts.shown == 1 ? "" : "s", lint_level_name(level),
			     counts.answered, counts.below,
			     counts.unread ? "; not all could be read" : "");
	return status ? status : counts.shown ? 1 : 0;
}

const struct policy_verb policy_verb_lint = {
	.name = "lint",
	.run = lint,
	.min_what = 1,
	.max_what = POLICY_MAX_OPTIONS,
	.options = " --json --level= ",
	.usage = "  lint [--level note|warning|error] [--json] WHAT...\n"
		 "                             what it says that its author may not mean\n",
};
