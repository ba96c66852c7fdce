// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/audit_suggest.h"
#include "cli/policy_call.h"

const char *suggest_why(enum withheld why)
{
	static const char *const texts[] = {
		[SUGGESTED] = "",
		[WITHHELD_DANGER] = "dangerous (--all suggests it)",
		[WITHHELD_KILL] = "a line kills for it (--all suggests it)",
		[WITHHELD_ABI] = "the policy does not open its ABI",
		[WITHHELD_PURPOSE] = "removing the line that denies it opens more (--all does)",
		[WITHHELD_OWN] = "a line of the patched file denies it: edit that line",
		[WITHHELD_NET] = "net lines refuse it: name the protocol and the port",
		[WITHHELD_MANY] = "too many different arguments to list (--all allows any)",
		[WITHHELD_NAMELESS] = "no call of a name, or none of its arguments is known",
		[WITHHELD_UNPROVED] = "lines that would allow it were tried, and do not",
		[WITHHELD_OTHER] = "another mechanism than the filter refused it",
	};

	return texts[why];
}

static int put_values(struct buf *out, const struct syscall_desc *call,
		      const struct suggest_line *line, unsigned arg)
{
	const struct syscall_arg *a = &call->args[arg];
	bool narrow = a->width == WIDTH_S32 || a->width == WIDTH_U32;
	int r;

	if (line->masked & 1U << arg)
		return buf_printf(out, "%s & 0x%" PRIx64 " == 0", a->name,
				  narrow ? (uint64_t) ~(uint32_t)line->values[arg][0]
					 : ~line->values[arg][0]);
	r = buf_printf(out, "%s %s", a->name, line->n_values[arg] > 1 ? "in" : "==");
	for (unsigned i = 0; i < line->n_values[arg] && r == 0; i++) {
		r = buf_puts(out, " ");
		r = r ? r : call_value(out, call, arg, line->values[arg][i]);
	}
	return r;
}

int suggest_put_lines(struct buf *out, const struct wanted *w)
{
	const struct syscall_desc *call = w->seen.call;
	int r = 0;

	if (w->remove_kill)
		r = buf_printf(out, "remove kill %s\n", call->name);
	if (r == 0 && w->remove_deny)
		r = buf_printf(out, "remove deny %s\n", call->name);
	if (r == 0 && w->untried)
		r = buf_printf(out, "remove expect deny %s\n", call->name);
	if (w->everything)
		return r ? r : buf_printf(out, "allow %s\n", call->name);
	for (size_t i = 0; i < w->n_lines && r == 0; i++) {
		const char *before = " if ";

		r = buf_printf(out, "allow %s", call->name);
		for (unsigned arg = 0; arg < call->n_args && r == 0; arg++) {
			if (!(w->lines[i].tied & 1U << arg))
				continue;
			r = buf_puts(out, before);
			r = r ? r : put_values(out, call, &w->lines[i], arg);
			before = " and ";
		}
		r = r ? r : buf_puts(out, "\n");
	}
	return r;
}

static int put_head(struct buf *out, const struct wanted *w)
{
	int r = buf_printf(out, "# %s: %" PRIu64 " denial%s, first of %s (record %" PRIu64 ")",
			   w->seen.call ? w->seen.call->name : "others", w->count,
			   w->count == 1 ? "" : "s", w->program[0] ? w->program : "?", w->seq);

	if (r == 0 && w->counted > 0)
		r = buf_printf(out, "; %" PRIu64 " of them counted without arguments", w->counted);
	return r;
}

/* The arguments that no line is tied to. */
static int put_free(struct buf *out, const struct wanted *w)
{
	const struct syscall_desc *call = w->seen.call;
	const char *before = "# with any ";
	int r = 0;

	for (unsigned i = 0; i < call->n_args && r == 0; i++) {
		if (!w->everything && w->lines[0].tied & 1U << i)
			continue;
		r = buf_printf(out, "%s%s", before, call->args[i].name);
		before = ", ";
	}
	return r || *before == '#' ? r : buf_puts(out, "\n");
}

int suggest_put_policy(struct buf *out, const struct suggest *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++) {
		const struct wanted *w = &s->wanted[i];

		if (w->count == 0 || w->why != SUGGESTED)
			continue;
		r = buf_puts(out, "\n");
		r = r ? r : put_head(out, w);
		r = r ? r : buf_puts(out, "\n");
		if (r == 0 && w->danger)
			r = buf_printf(out, "# risk %u of 20 (%s): %s\n", w->danger->weight,
				       danger_class_name((enum danger_class)w->danger->class),
				       w->danger->why);
		if (r == 0 && w->general)
			r = buf_puts(
				out,
				"# generalised: any combination of the flags that were seen\n");
		if (r == 0 && w->everything)
			r = buf_puts(out, "# generalised: any arguments\n");
		if (r == 0 && w->left_out)
			r = buf_printf(out, "# not in it, dangerous (--all): %s\n",
				       w->left_out->why);
		r = r ? r : put_free(out, w);
		if (r == 0 && w->untried)
			r = buf_puts(out, "# expect lines of the policy say that it is denied\n");
		r = r ? r : suggest_put_lines(out, w);
	}
	return r ? r : suggest_put_wishes(out, s);
}

int suggest_put_withheld(struct buf *out, const struct suggest *s)
{
	int r = s->n_withheld ? buf_puts(out, "\n# Not suggested:\n") : 0;

	for (size_t i = 0; i < s->n && r == 0; i++) {
		const struct wanted *w = &s->wanted[i];

		if (w->count == 0 || w->why == SUGGESTED)
			continue;
		r = put_head(out, w);
		r = r ? r : buf_printf(out, ":\n#   %s", suggest_why(w->why));
		if (r == 0 && w->danger)
			r = buf_printf(out, ": %s", w->danger->why);
		r = r ? r : buf_puts(out, "\n");
	}
	return r ? r : suggest_put_withheld_wishes(out, s);
}

/* As diff -u writes it; a file without a last newline gets one. */
int suggest_put_patch(struct buf *out, const struct policy *policy, const char *lines)
{
	enum { CONTEXT = 3 };
	const struct policy_source *source = &policy->sources[0];
	const char *end = source->text + source->len, *from = end;
	bool torn = source->len > 0 && end[-1] != '\n';
	size_t total = torn, added = 0, context = 0;
	int r;

	for (const char *p = source->text; p < end; p++)
		total += *p == '\n';
	for (const char *p = lines; *p; p++)
		added += *p == '\n';
	for (context = 0; context < CONTEXT && from > source->text; context++) {
		for (from--; from > source->text && from[-1] != '\n'; from--)
			;
	}
	r = buf_printf(out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", source->path, source->path,
		       total - context + (total > 0), context, total - context + 1,
		       context + added);
	while (from < end && r == 0) {
		const char *nl = memchr(from, '\n', (size_t)(end - from));
		size_t len = (size_t)((nl ? nl : end) - from);

		if (nl)
			r = buf_printf(out, " %.*s\n", (int)len, from);
		else
			r = buf_printf(out, "-%.*s\n\\ No newline at end of file\n+%.*s\n",
				       (int)len, from, (int)len, from);
		from += len + (nl != NULL);
	}
	for (const char *p = lines; *p && r == 0;) {
		size_t len = strcspn(p, "\n");

		r = buf_printf(out, "+%.*s\n", (int)len, p);
		p += len + (p[len] == '\n');
	}
	return r;
}

static int json_wanted(struct json *j, const struct wanted *w)
{
	_cleanup_buf_ struct buf lines = BUF_INIT;
	int r = 0;

	json_object(j, NULL);
	json_string(j, "call", w->seen.call ? w->seen.call->name : NULL);
	json_u64(j, "count", w->count);
	json_u64(j, "counted_without_arguments", w->counted);
	json_string(j, "first_program", w->program);
	json_u64(j, "first_seq", w->seq);
	json_bool(j, "suggested", w->why == SUGGESTED);
	json_string(j, "withheld", w->why == SUGGESTED ? NULL : suggest_why(w->why));
	json_bool(j, "generalised", w->general || w->everything);
	json_string(j, "risk", w->danger ? w->danger->why : NULL);
	json_u64(j, "risk_weight", w->danger ? w->danger->weight : 0);
	json_array(j, "lines");
	if (w->why == SUGGESTED)
		r = suggest_put_lines(&lines, w);
	for (const char *p = lines.data; p && *p && r == 0;) {
		size_t len = strcspn(p, "\n");

		json_bytes(j, NULL, p, len);
		p += len + (p[len] == '\n');
	}
	json_array_end(j);
	json_object_end(j);
	return r;
}

int suggest_put_json(struct buf *out, const struct suggest *s)
{
	enum { ROOM = 1 << 23 };
	_cleanup_free_ char *text = malloc(ROOM);
	struct json j;
	int r = 0;

	if (!text)
		return -ENOMEM;
	json_init(&j, text, ROOM);
	json_object(&j, NULL);
	json_string(&j, "policy", s->policy->name);
	json_u64(&j, "suggested", s->n_suggested);
	json_u64(&j, "withheld", s->n_withheld);
	json_array(&j, "calls");
	for (size_t i = 0; i < s->n && r == 0; i++) {
		if (s->wanted[i].count > 0)
			r = json_wanted(&j, &s->wanted[i]);
	}
	json_array_end(&j);
	r = r ? r : suggest_json_wishes(&j, s);
	json_object_end(&j);
	if (r == 0 && json_finish(&j) == 0)
		r = -EOVERFLOW;
	return r ? r : buf_printf(out, "%s\n", text);
}
