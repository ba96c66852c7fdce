// SPDX-License-Identifier: Apache-2.0
/* Advice and places of policies as people and programs read them: for cordon-policy and
 * cordon-audit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/policy.h"
#include "cli/policy_advice.h"
#include "cli/policy_call.h"

void policy_cli_put_text(const char *text)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;

	if (text_escape(&safe, text, strlen(text)) == 0 && safe.data)
		(void)fputs(safe.data, stdout);
}

void policy_cli_print_where(const struct policy *policy, const struct policy_where *where)
{
	if (where->line == 0 || where->source >= policy->n_sources) {
		(void)fputs("default", stdout);
		return;
	}
	policy_cli_put_text(policy->sources[where->source].path);
	(void)printf(":%" PRIu32, where->line);
}

void advice_print_line(const struct policy *policy, struct policy_where where)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	size_t len;
	const char *text = call_line(policy, where, &len);

	policy_cli_print_where(policy, &where);
	if (len > 0 && buf_put(&line, text, len) == 0) {
		(void)fputs(": ", stdout);
		policy_cli_put_text(line.data);
	}
}

void advice_print(const struct advice *advice, const struct policy *policy)
{
	static const char *const edits[] = { "add:    ", "remove: ", "change: " };

	if (advice->n == 0) {
		(void)puts("no line of a policy would allow it");
		return;
	}
	(void)puts(!advice->passes  ? "no lines would allow it wholly; these would help:"
		   : advice->n == 1 ? "it would be allowed with:"
				    : "it would be allowed with all of these:");
	for (size_t i = 0; i < advice->n; i++) {
		const struct advice_step *s = &advice->steps[i];

		(void)printf("  %s", edits[s->edit]);
		policy_cli_put_text(s->text);
		if (s->where.line) {
			(void)fputs(s->edit == ADVICE_ADD ? "  # over " : "  # at ", stdout);
			policy_cli_print_where(policy, &s->where);
		}
		(void)fputs("\n          opens also: ", stdout);
		policy_cli_put_text(s->opens);
		(void)putchar('\n');
	}
}

void advice_json_line(struct json *j, const struct policy *policy, struct policy_where where)
{
	size_t len;
	const char *text = call_line(policy, where, &len);

	json_string(j, "file",
		    where.line && where.source < policy->n_sources
			    ? policy->sources[where.source].path
			    : NULL);
	json_u64(j, "line", where.line);
	json_bytes(j, "text", text, len);
}

void advice_json(struct json *j, const struct advice *advice, const struct policy *policy)
{
	static const char *const edits[] = { "add", "remove", "change" };

	json_object(j, "advice");
	json_bool(j, "passes", advice->passes);
	json_array(j, "steps");
	for (size_t i = 0; i < advice->n; i++) {
		const struct advice_step *s = &advice->steps[i];

		json_object(j, NULL);
		json_string(j, "edit", edits[s->edit]);
		json_string(j, "rule", s->text);
		json_string(j, "opens", s->opens);
		advice_json_line(j, policy, s->where);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}
