// SPDX-License-Identifier: Apache-2.0
/* `cordon audit explain`: one denial: by whom, by which line, and the smallest lines that would
 * allow it, tried on the policy. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/names.h"
#include "audit/render.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/audit_kernel.h"
#include "cli/audit_policy.h"
#include "cli/audit_reader.h"
#include "cli/policy.h"
#include "cli/policy_advice.h"
#include "cli/policy_call.h"
#include "cli/policy_target.h"
#include "cli/print.h"

enum { TEXT_MAX = 2048, JSON_ROOM = 1 << 19 };

struct explained {
	char line[LIMIT_LOG_LINE]; /* the record's, which the reader forgets */
	struct recorded record;
	struct policy *policy; /* NULL: not found */
	bool same_text;	       /* the policy is the one that was in force */
	struct policy_verdict now;
	struct attempt attempt;
	struct profile_target target;
	struct advice advice;
	bool judged; /* now and advice speak of the record's call */
};

static void explained_freep(struct explained **e)
{
	if (!*e)
		return;
	attempt_done(&(*e)->attempt);
	advice_done(&(*e)->advice);
	policy_free((*e)->policy);
	free(*e);
}

/* --- what is known ------------------------------------------------------------------------- */

static int find_record(const struct audit_args *args, struct explained *e, struct err *err)
{
	_cleanup_reader_ struct audit_reader reader = { .set = NULL };
	struct recorded record;
	size_t len = 0;
	int r = audit_reader_open(&reader, args, err);

	if (r < 0)
		return r;
	while ((r = audit_reader_next(&reader, &record, err)) > 0) {
		if (record.type != RECORDED_DENIAL && record.type != RECORDED_SUMMARY)
			continue;
		if (args->seq ? record.seq != args->seq
			      : record.type == RECORDED_SUMMARY && len > 0)
			continue;
		len = record.record.len;
		memcpy(e->line, record.record.p, len);
		if (args->seq)
			break;
	}
	if (r < 0)
		return r;
	audit_reader_warn(&reader);
	if (len == 0)
		return args->seq ? err_refuse(err,
					      "find a denial with the number %" PRIu64 " in '%s'",
					      args->seq, args->file)
				 : err_refuse(err, "find a denial in '%s'", args->file);
	return recorded_read(e->line, len, &e->record) < 0 ? err_set(err, -EINVAL, "read a record")
							   : 0;
}

/* Try what; a policy that is the record's is kept over any other. */
static void try_policy(const struct audit_args *args, const char *what, struct explained *e)
{
	struct policy *policy = NULL;

	if (!what[0] || e->same_text || audit_policy_load(args, what, &policy, NULL) < 0)
		return;
	e->same_text = audit_policy_is_records(policy, &e->record);
	if (e->policy && !e->same_text) {
		policy_free(policy);
		return;
	}
	policy_free(e->policy);
	e->policy = policy;
}

/* By the name in the record, else by the file of the rule, which may be one that it uses. */
static int find_policy(const struct audit_args *args, struct explained *e, struct err *err)
{
	char text[LIMIT_PATH], *colon;
	int r;

	if (args->policy) {
		r = audit_policy_load(args, args->policy, &e->policy, err);
		if (r == 0)
			e->same_text = audit_policy_is_records(e->policy, &e->record);
		return r;
	}
	(void)scan_string(&e->record.policy, text, sizeof(text));
	if (!strchr(text, '/'))
		try_policy(args, text, e);
	(void)scan_string(&e->record.rule, text, sizeof(text));
	colon = strrchr(text, ':');
	if (colon && text[0] == '/') {
		*colon = '\0';
		try_policy(args, text, e);
	}
	return 0;
}

/* The call as an attempt, with those of its paths that do not hang on a directory unknown here. */
static int make_attempt(struct explained *e)
{
	const struct recorded *record = &e->record;
	char path[LIMIT_PATH];

	e->attempt = (struct attempt){ .call = record->call,
				       .abi = record->abi,
				       .n_args = record->call->n_args };
	memcpy(e->attempt.args, record->args, sizeof(record->args));
	for (unsigned i = 0; i < record->call->n_args; i++) {
		if (!recorded_path(record, i, path, sizeof(path)) || path[0] != '/')
			continue;
		e->attempt.text[i] = strdup(path);
		if (!e->attempt.text[i])
			return -ENOMEM;
	}
	policy_target_here(&e->target);
	/* A text that is none of its kind has no effects to speak of. */
	if (attempt_find_effects(&e->attempt, "/") == -ENOMEM)
		return -ENOMEM;
	return 0;
}

static int judge(struct explained *e, struct err *err)
{
	const struct recorded *record = &e->record;
	int r;

	if (!e->policy || !record->has_args || (record->mechanism.len && !record->by_seccomp))
		return 0;
	policy_eval(e->policy, record->abi, record->nr, record->args, &e->now);
	e->judged = true;
	if (!record->call || e->now.action == POLICY_ALLOW)
		return 0;
	r = make_attempt(e);
	if (r < 0)
		return err_set(err, r, "explain a record");
	return advice_make(e->policy, &e->target, &e->attempt, &e->advice, err);
}

/* --- for people ---------------------------------------------------------------------------- */

static void put(const char *before, const struct scan *value, const char *otherwise)
{
	char buf[TEXT_MAX];
	struct render r;

	render_init(&r, buf, sizeof(buf));
	if (value->len)
		render_string(&r, value, sizeof(buf));
	(void)printf("%s%s", before, value->len ? buf : otherwise);
}

static void put_call(const struct recorded *record)
{
	char buf[TEXT_MAX];
	struct render r;

	render_init(&r, buf, sizeof(buf));
	render_call_name(&r, &record->record);
	if (record->type == RECORDED_DENIAL) {
		render_text(&r, "(");
		(void)render_args(&r, &record->record);
		render_text(&r, ")");
	}
	(void)printf("%s", buf);
	if (record->has_call)
		(void)printf("  [%s]", abi_name(record->abi));
	if (record->type == RECORDED_SUMMARY)
		(void)printf("  %" PRIu64 " times, counted", record->count);
	(void)puts("");
}

static void put_process(const struct recorded *record)
{
	(void)printf("record %" PRIu64, record->seq);
	put(", ", &record->time, "?");
	put(", sandbox ", &record->sandbox, "?");
	if (record->comm.len)
		put(", ", &record->comm, "?");
	if (record->has_pid)
		(void)printf(" (pid %" PRIu64 ")", record->pid);
	(void)puts("");
}

/* What the record's rule means when it is no line. */
static const char *reason(const struct recorded *record)
{
	if (scan_is(&record->rule, "default"))
		return " (no line allows it)";
	if (scan_is(&record->rule, "kernel"))
		return " (the call is newer than the kernel that the policy judges, or none)";
	if (scan_is(&record->rule, "abi"))
		return " (the policy does not open that ABI)";
	return "";
}

/* Whether the policy of now is the record's and says the same by the same line. */
static bool says_the_same(const struct explained *e)
{
	return e->same_text && e->judged &&
	       audit_policy_same_verdict(e->policy, &e->now, &e->record);
}

/* The line that the record names, in the policy that was in force. */
static bool find_line(const struct explained *e, struct policy_where *ret)
{
	char rule[LIMIT_PATH + 16], *colon;
	uint64_t line;

	(void)scan_string(&e->record.rule, rule, sizeof(rule));
	colon = strrchr(rule, ':');
	if (!e->policy || !e->same_text || !colon || text_parse_u64(colon + 1, &line) < 0)
		return false;
	*colon = '\0';
	for (size_t i = 0; i < e->policy->n_sources; i++) {
		if (strcmp(e->policy->sources[i].path, rule) != 0)
			continue;
		*ret = (struct policy_where){ .source = (uint16_t)i, .line = (uint32_t)line };
		return true;
	}
	return false;
}

static void put_policy(const struct explained *e)
{
	const struct recorded *record = &e->record;
	struct policy_where where;

	if (find_line(e, &where)) {
		(void)fputs("  rule:   ", stdout);
		advice_print_line(e->policy, where);
		(void)putchar('\n');
	} else {
		put("  rule:   ", &record->rule, "?");
		(void)printf("%s\n", reason(record));
	}
	put("  policy: ", &record->policy, "?");
	if (!e->policy) {
		(void)puts(", which was not found: --policy FILE names it");
		return;
	}
	(void)fputs(", ", stdout);
	policy_cli_put_text(e->policy->sources[0].path);
	(void)puts(e->same_text ? ", as it was then"
				: ": NOT the one that was in force, its text differs");
}

static void put_now(const struct explained *e)
{
	char buf[24];

	if (!e->judged && e->policy && e->record.type == RECORDED_SUMMARY)
		(void)puts(
			"it was counted, and its arguments were not recorded: see a record of its "
			"own");
	else if (!e->judged && e->policy)
		(void)puts("its arguments or its mechanism are not the filter's to judge");
	if (!e->judged)
		return;
	if (e->now.action == POLICY_ALLOW) {
		(void)fputs("that policy allows it: ", stdout);
		advice_print_line(e->policy, e->now.rule->where);
		(void)putchar('\n');
		return;
	}
	if (!says_the_same(e)) {
		(void)printf("  now:    %s by ",
			     e->now.action == POLICY_KILL
				     ? "kill"
				     : names_errno(e->now.errno_value, buf, sizeof(buf)));
		if (e->now.rule) {
			advice_print_line(e->policy, e->now.rule->where);
		} else {
			audit_policy_rule_text(e->policy, &e->now, true, buf, sizeof(buf));
			(void)fputs(buf, stdout);
		}
		(void)putchar('\n');
	}
	if (e->record.call)
		advice_print(&e->advice, e->policy);
	else
		(void)puts("no line of a policy would allow a call without a name");
}

/* --- the kernel's own ---------------------------------------------------------------------- */

static const char *joined_text(const struct recorded *record)
{
	struct scan joined;

	if (!scan_get(&record->record, "joined", &joined))
		return "";
	if (scan_is(&joined, "domain"))
		return "by its Landlock domain, which is this sandbox's";
	if (scan_is(&joined, "pid"))
		return "by its process, which was this sandbox's";
	if (scan_is(&joined, "parent"))
		return "by its parent process, which was this sandbox's";
	return "by its user alone: another process of the same user can be meant";
}

static void put_wish(const struct explained *e)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	const struct policy_path *by = NULL;
	struct audit_wish wish;

	audit_wish_of(&e->record, &wish);
	if (wish.kind == WISH_NONE) {
		(void)puts("no line of a policy speaks of it");
		return;
	}
	if (!e->policy || audit_wish_spell(&line, &wish) < 0)
		return;
	switch (audit_wish_judge(e->policy, &wish, &by)) {
	case WISH_GIVEN:
		(void)printf("the policy gives it%s", by ? ": " : "");
		if (by)
			advice_print_line(e->policy, by->where);
		(void)puts("\n  so what refused it was not made of this text");
		break;
	case WISH_HIDDEN:
		(void)fputs("a line hides it: ", stdout);
		advice_print_line(e->policy, by->where);
		(void)putchar('\n');
		break;
	case WISH_CLOSED:
		(void)fputs("no line gives it; this one would: ", stdout);
		policy_cli_put_text(line.data);
		(void)putchar('\n');
		break;
	}
}

static void put_kernel(const struct explained *e)
{
	char buf[TEXT_MAX];
	struct render r;

	put_process(&e->record);
	render_init(&r, buf, sizeof(buf));
	render_call_name(&r, &e->record.record);
	render_text(&r, " ");
	(void)render_args(&r, &e->record.record);
	(void)printf("%s\n", buf);
	put("refused by the kernel itself: ", &e->record.mechanism, "?");
	if (e->record.label.len)
		put(", ", &e->record.label, "?");
	if (e->record.kill)
		(void)fputs(", which killed it", stdout);
	(void)puts("");
	if (e->record.type == RECORDED_DENIAL)
		(void)printf("  joined: %s\n", joined_text(&e->record));
	if (e->policy) {
		(void)fputs("  policy: ", stdout);
		policy_cli_put_text(e->policy->sources[0].path);
		(void)puts(e->same_text ? ", the one that was in force"
					: ": NOT the one that was in force, its text differs");
	}
	put_wish(e);
}

static void put_text(const struct explained *e)
{
	char buf[64];
	struct render r;

	if (e->record.by_kernel) {
		put_kernel(e);
		return;
	}
	put_process(&e->record);
	put_call(&e->record);
	put("denied by ", &e->record.mechanism, "?");
	render_init(&r, buf, sizeof(buf));
	render_answer(&r, &e->record.record);
	(void)printf(": the program %s%s\n", e->record.kill ? "was killed" : "saw ",
		     e->record.kill ? "" : buf);
	put_policy(e);
	put_now(e);
}

/* --- for programs -------------------------------------------------------------------------- */

static void json_slice(struct json *j, const char *key, const struct scan *value)
{
	char text[TEXT_MAX];
	size_t len = scan_string(value, text, sizeof(text));

	/* The log's text is escaped once: it is undone, and escaped again as it is written. */
	if (value->len)
		json_bytes(j, key, text, recorded_unescape(text, len));
	else
		json_string(j, key, NULL);
}

static void json_record(struct json *j, const struct recorded *record)
{
	char call[TEXT_MAX], answer[64];
	struct render r;

	render_init(&r, call, sizeof(call));
	render_call_name(&r, &record->record);
	render_text(&r, "(");
	(void)render_args(&r, &record->record);
	render_text(&r, ")");
	render_init(&r, answer, sizeof(answer));
	render_answer(&r, &record->record);
	json_u64(j, "seq", record->seq);
	json_slice(j, "time", &record->time);
	json_slice(j, "sandbox", &record->sandbox);
	json_slice(j, "comm", &record->comm);
	json_slice(j, "mechanism", &record->mechanism);
	json_string(j, "call", call);
	json_string(j, "abi", record->has_call ? abi_name(record->abi) : NULL);
	json_string(j, "answer", answer);
	json_slice(j, "rule", &record->rule);
	json_bool(j, "by_kernel", record->by_kernel);
	json_u64(j, "count", record->count);
}

static void json_now(struct json *j, const struct explained *e)
{
	char rule[600], buf[24];

	json_object(j, "now");
	json_string(j, "answer",
		    e->now.action == POLICY_ALLOW ? "allow"
		    : e->now.action == POLICY_KILL
			    ? "kill"
			    : names_errno(e->now.errno_value, buf, sizeof(buf)));
	audit_policy_rule_text(e->policy, &e->now, true, rule, sizeof(rule));
	json_string(j, "rule", rule);
	if (e->now.rule)
		advice_json_line(j, e->policy, e->now.rule->where);
	json_object_end(j);
	if (e->now.action != POLICY_ALLOW && e->record.call)
		advice_json(j, &e->advice, e->policy);
}

/* The line that would give what the kernel refused, if there is one, and how the policy stands. */
static int json_wish(struct json *j, const struct explained *e)
{
	static const char *const stands[] = {
		[WISH_CLOSED] = "closed",
		[WISH_HIDDEN] = "hidden",
		[WISH_GIVEN] = "given",
	};
	_cleanup_buf_ struct buf line = BUF_INIT;
	const struct policy_path *by = NULL;
	struct audit_wish wish;

	audit_wish_of(&e->record, &wish);
	if (wish.kind == WISH_NONE)
		return 0;
	if (audit_wish_spell(&line, &wish) < 0)
		return -ENOMEM;
	json_object(j, "wish");
	json_string(j, "line", line.data);
	if (e->policy)
		json_string(j, "policy", stands[audit_wish_judge(e->policy, &wish, &by)]);
	json_object_end(j);
	return 0;
}

static int put_json(const struct explained *e)
{
	_cleanup_free_ char *text = malloc(JSON_ROOM);
	struct json j;

	if (!text)
		return -ENOMEM;
	json_init(&j, text, JSON_ROOM);
	json_object(&j, NULL);
	json_record(&j, &e->record);
	if (e->policy) {
		json_object(&j, "policy");
		json_string(&j, "file", e->policy->sources[0].path);
		json_bool(&j, "same_as_recorded", e->same_text);
		json_object_end(&j);
	} else {
		json_string(&j, "policy", NULL);
	}
	if (e->judged)
		json_now(&j, e);
	if (e->record.by_kernel && json_wish(&j, e) < 0)
		return -ENOMEM;
	json_object_end(&j);
	if (json_finish(&j) == 0)
		return -EOVERFLOW;
	(void)puts(text);
	return 0;
}

int audit_cli_explain(struct audit_args *args)
{
	__attribute__((cleanup(explained_freep))) struct explained *e = calloc(1, sizeof(*e));
	struct err err = ERR_INIT;
	int r;

	if (!e) {
		(void)err_set(&err, -ENOMEM, "explain a record");
		return audit_cli_fail(&err);
	}
	r = find_record(args, e, &err);
	r = r ? r : find_policy(args, e, &err);
	r = r ? r : judge(e, &err);
	if (r == 0 && !args->json)
		put_text(e);
	if (r == 0 && args->json) {
		r = put_json(e);
		if (r < 0)
			(void)err_set(&err, r, "show what was found");
	}
	return r < 0 ? audit_cli_fail(&err) : 0;
}
