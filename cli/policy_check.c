// SPDX-License-Identifier: Apache-2.0
/* cordon policy check: read, compose, compile, and say what is wrong. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "profiles/compile.h"

struct result {
	struct policy_diags diags;
	struct err err; /* what is no mistake at a place: a file that is not there, a filter too
			   long */
	int r;
};

static void result_done(struct result *result)
{
	policy_diags_done(&result->diags);
}

static void put_text(const struct result *result)
{
	if (result->diags.text.len > 0)
		(void)fd_write_all(STDERR_FILENO, result->diags.text.data, result->diags.text.len);
	if (result->r < 0 && result->diags.n_errors == 0)
		print_error(NULL, &result->err);
}

static void put_mistake(struct json *j, const struct policy_mistake *m)
{
	json_object(j, NULL);
	json_string(j, "severity", m->warning ? "warning" : "error");
	json_string(j, "file", m->file);
	json_u64(j, "line", m->line);
	json_u64(j, "column", m->column);
	json_string(j, "message", m->message);
	json_string(j, "hint", m->hint);
	json_object_end(j);
}

/* DIAG_MAX mistakes at most, with texts that are bounded. */
static int put_json(const char *what, const struct result *result, bool first)
{
	enum { ROOM = 1 << 20 };
	_cleanup_free_ char *text = malloc(ROOM);
	const bool other = result->r < 0 && result->diags.n_errors == 0;
	char error[LIMIT_ERR_TEXT + 128];
	struct json j;

	if (!text)
		return -ENOMEM;
	(void)snprintf(error, sizeof(error), "cannot %s%s%s", result->err.msg,
		       result->err.ours ? "" : ": ",
		       result->err.ours ? "" : err_text(result->err.code));
	json_init(&j, text, ROOM);
	json_object(&j, NULL);
	json_string(&j, "policy", what);
	json_bool(&j, "good", result->r == 0);
	json_u64(&j, "errors", result->diags.n_errors);
	json_u64(&j, "warnings", result->diags.n_warnings);
	json_string(&j, "error", other ? error : NULL);
	json_string(&j, "hint", other && result->err.hint[0] ? result->err.hint : NULL);
	json_array(&j, "mistakes");
	for (size_t i = 0; i < result->diags.n_mistakes; i++)
		put_mistake(&j, &result->diags.mistakes[i]);
	json_array_end(&j);
	json_object_end(&j);
	if (json_finish(&j) == 0)
		return -EOVERFLOW;
	(void)printf("%s\n  %s", first ? "" : ",", text);
	return 0;
}

/* Wrong is what the author can mend: mistakes, and a filter over the kernel's limits. */
static int status_of(int r)
{
	return r == 0 ? 0 : r == -EBADMSG || r == -E2BIG ? 1 : POLICY_EXIT_FAILED;
}

static int check_one(const struct policy_args *args, const char *what, bool first)
{
	__attribute__((cleanup(result_done))) struct result result = {
		.diags = { .text = BUF_INIT }, .err = ERR_INIT
	};
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf bundle = BUF_INIT;
	int r;

	result.r = policy_cli_read(args, what, &policy, &result.diags, &result.err);
	if (result.r == 0)
		result.r = compile_bundle(policy, &bundle, &result.err);
	if (!policy_flag(args, "--json")) {
		put_text(&result);
		return status_of(result.r);
	}
	r = put_json(what, &result, first);
	return status_of(r < 0 ? r : result.r);
}

static int check(const struct policy_args *args)
{
	bool json = policy_flag(args, "--json");
	int status = 0;

	if (json)
		(void)fputs("{\"policies\": [", stdout);
	for (int i = 0; i < args->n_what; i++) {
		int one = check_one(args, args->what[i], i == 0);

		status = one > status ? one : status;
	}
	if (json)
		(void)fputs("\n]}\n", stdout);
	return status;
}

const struct policy_verb policy_verb_check = {
	.name = "check",
	.run = check,
	.min_what = 1,
	.max_what = INT_MAX,
	.options = " --json ",
	.usage = "  check [--json] WHAT...     read, compile, say what is wrong\n",
};
