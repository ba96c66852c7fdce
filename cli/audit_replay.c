// SPDX-License-Identifier: Apache-2.0
/* `cordon audit replay`: what a policy answers to the denials of a log. One pass, constant memory:
 * what is kept are rows, of which there are at most calls times answers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/names.h"
#include "audit/render.h"
#include "base/fd.h"
#include "base/json.h"
#include "cli/audit_policy.h"
#include "cli/audit_reader.h"
#include "cli/print.h"
#include "policies/reach.h"

enum outcome {
	NOW_ALLOWED,
	STILL_DENIED,
	UNDECIDED,  /* it depends on arguments that were not recorded */
	NOT_JUDGED, /* another mechanism's denial */
	N_OUTCOMES,
};
static const char *const outcome_names[] = { "allowed", "denied", "undecided", "not judged" };

enum { N_BUCKETS = 4096, MAX_ROWS = 65536 };

struct row {
	struct row *next;
	enum outcome outcome;
	enum abi abi;
	const struct syscall_desc *call; /* NULL: calls without a name, or no call at all */
	struct policy_verdict now;
	uint64_t count, seq; /* seq: of the first */
};

struct replay {
	const struct policy *policy;
	struct row *bucket[N_BUCKETS];
	struct row **rows;
	size_t n_rows;
	uint64_t records;	    /* denials with their arguments */
	uint64_t count[N_OUTCOMES]; /* denials */
	uint64_t same;		    /* records with the same answer by the same rule */
	uint64_t foreign;	    /* records made under another policy, or another text of it */
	uint64_t lost;
};

static void replay_done(struct replay *replay)
{
	for (size_t i = 0; i < replay->n_rows; i++)
		free(replay->rows[i]);
	free(replay->rows);
}

/* --- judging ------------------------------------------------------------------------------- */

/* Of a counted denial only the call is known. */
static enum outcome judge_counted(const struct policy *policy, const struct recorded *record,
				  struct policy_verdict *now)
{
	static const uint64_t zeros[6];

	policy_eval(policy, record->abi, record->nr, zeros, now);
	if (!record->call || now->reason == POLICY_BY_ABI || now->reason == POLICY_BY_KERNEL)
		return STILL_DENIED;
	if (reach_all_allowed(policy, record->abi, record->call))
		return NOW_ALLOWED;
	return reach_allowed(policy, record->abi, record->call, NULL, 0, NULL) == REACH_NO
		       ? STILL_DENIED
		       : UNDECIDED;
}

static enum outcome judge(struct replay *replay, const struct recorded *record,
			  struct policy_verdict *now)
{
	*now = (struct policy_verdict){ .action = POLICY_DENY };
	if (record->mechanism.len && !record->by_seccomp)
		return NOT_JUDGED;
	if (!record->has_call)
		return UNDECIDED;
	if (record->type == RECORDED_SUMMARY || !record->has_args)
		return judge_counted(replay->policy, record, now);
	policy_eval(replay->policy, record->abi, record->nr, record->args, now);
	replay->records++;
	replay->same += audit_policy_same_verdict(replay->policy, now, record);
	return now->action == POLICY_ALLOW ? NOW_ALLOWED : STILL_DENIED;
}

/* --- rows ---------------------------------------------------------------------------------- */

/* The line: one of several values is several rules. */
static uint64_t place_of(const struct policy_verdict *now)
{
	return now->rule ? (uint64_t)now->rule->where.source << 32 | now->rule->where.line : 0;
}

/* A call that a line allows for some arguments and another denies for others has two rows. */
static bool is_of(const struct row *row, enum outcome outcome, const struct recorded *record,
		  const struct policy_verdict *now)
{
	return row->outcome == outcome && row->call == record->call &&
	       (!record->call || row->abi == record->abi) && row->now.reason == now->reason &&
	       place_of(&row->now) == place_of(now) && row->now.action == now->action &&
	       row->now.errno_value == now->errno_value;
}

static int add_row(struct replay *replay, enum outcome outcome, const struct recorded *record,
		   const struct policy_verdict *now)
{
	uint64_t h = (uintptr_t)record->call / sizeof(*record->call) * 31 + place_of(now) * 131 +
		     (uintptr_t)outcome * 7;
	struct row **place = &replay->bucket[h % N_BUCKETS], *row;

	for (; *place; place = &(*place)->next) {
		if (is_of(*place, outcome, record, now)) {
			(*place)->count += record->count;
			return 0;
		}
	}
	if (replay->n_rows == MAX_ROWS)
		return 0;
	if (replay->n_rows % 64 == 0) {
		struct row **more = reallocarray(replay->rows, replay->n_rows + 64, sizeof(*more));

		if (!more)
			return -ENOMEM;
		replay->rows = more;
	}
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	*row = (struct row){ .outcome = outcome,
			     .abi = record->abi,
			     .call = record->call,
			     .now = *now,
			     .count = record->count,
			     .seq = record->seq };
	*place = row;
	replay->rows[replay->n_rows++] = row;
	return 0;
}

static int take(struct replay *replay, const struct recorded *record)
{
	struct policy_verdict now;
	enum outcome outcome;
	uint64_t sum;

	if (record->type == RECORDED_LOST) {
		replay->lost += record->count;
		return 0;
	}
	if (record->type != RECORDED_DENIAL && record->type != RECORDED_SUMMARY)
		return 0;
	outcome = judge(replay, record, &now);
	/* A forged count must not make others vanish. */
	if (__builtin_add_overflow(replay->count[outcome], record->count, &sum))
		sum = UINT64_MAX;
	replay->count[outcome] = sum;
	replay->foreign += !audit_policy_is_records(replay->policy, record);
	return add_row(replay, outcome, record, &now);
}

static int by_outcome(const void *pa, const void *pb)
{
	const struct row *a = *(struct row *const *)pa, *b = *(struct row *const *)pb;

	if (a->outcome != b->outcome)
		return a->outcome < b->outcome ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* --- printing ------------------------------------------------------------------------------ */

static const char *answer_text(const struct policy_verdict *now, char *buf, size_t cap)
{
	if (now->action == POLICY_KILL)
		return "kill";
	return now->action == POLICY_ALLOW ? "allow" : names_errno(now->errno_value, buf, cap);
}

static void print_row(const struct replay *replay, const struct row *row)
{
	char rule[600], safe[600], answer[24];
	struct render r;

	(void)printf("  %10" PRIu64 "  %-10s %-24s ", row->count, outcome_names[row->outcome],
		     row->call ? row->call->name : "?");
	if (row->outcome == STILL_DENIED)
		(void)printf("%-8s ", answer_text(&row->now, answer, sizeof(answer)));
	if (row->outcome == STILL_DENIED || row->outcome == NOW_ALLOWED) {
		audit_policy_rule_text(replay->policy, &row->now, false, rule, sizeof(rule));
		render_init(&r, safe, sizeof(safe));
		render_bytes(&r, rule, strlen(rule), sizeof(safe));
		(void)fputs(row->now.rule		   ? safe
			    : row->outcome == STILL_DENIED ? rule
							   : "",
			    stdout);
	} else {
		(void)fputs(row->outcome == UNDECIDED ? "counted without its arguments"
						      : "by another mechanism",
			    stdout);
	}
	(void)printf("%s%s\n", row->call && row->abi != ABI_NATIVE ? "  on " : "",
		     row->call && row->abi != ABI_NATIVE ? abi_name(row->abi) : "");
}

static void print_text(const struct replay *replay)
{
	(void)printf("%" PRIu64 " denials: %" PRIu64 " would be allowed now, %" PRIu64
		     " still denied",
		     replay->count[NOW_ALLOWED] + replay->count[STILL_DENIED] +
			     replay->count[UNDECIDED] + replay->count[NOT_JUDGED],
		     replay->count[NOW_ALLOWED], replay->count[STILL_DENIED]);
	if (replay->count[UNDECIDED] > 0)
		(void)printf(", %" PRIu64 " undecided", replay->count[UNDECIDED]);
	if (replay->count[NOT_JUDGED] > 0)
		(void)printf(", %" PRIu64 " not the filter's", replay->count[NOT_JUDGED]);
	(void)printf("\n%" PRIu64 " of %" PRIu64 " records: the same answer by the same rule\n",
		     replay->same, replay->records);
	if (replay->foreign > 0)
		(void)printf("%" PRIu64 " records were made under another policy or another text "
			     "of it\n",
			     replay->foreign);
	if (replay->lost > 0)
		(void)printf("%" PRIu64 " denials more are only told as lost\n", replay->lost);
	for (size_t i = 0; i < replay->n_rows; i++)
		print_row(replay, replay->rows[i]);
}

static void json_row(struct json *j, const struct replay *replay, const struct row *row)
{
	char rule[600], answer[24];

	audit_policy_rule_text(replay->policy, &row->now, true, rule, sizeof(rule));
	json_object(j, NULL);
	json_string(j, "outcome", outcome_names[row->outcome]);
	json_string(j, "call", row->call ? row->call->name : NULL);
	json_string(j, "abi", row->call ? abi_name(row->abi) : NULL);
	json_u64(j, "count", row->count);
	json_u64(j, "first_seq", row->seq);
	if (row->outcome == STILL_DENIED)
		json_string(j, "answer", answer_text(&row->now, answer, sizeof(answer)));
	if (row->outcome == STILL_DENIED || (row->outcome == NOW_ALLOWED && row->now.rule))
		json_string(j, "rule", rule);
	json_object_end(j);
}

static int print_json(const struct replay *replay, const struct audit_reader *reader, bool holds)
{
	size_t room = 4096 + replay->n_rows * 4096;
	_cleanup_free_ char *text = malloc(room);
	struct json j;

	if (!text)
		return -ENOMEM;
	json_init(&j, text, room);
	json_object(&j, NULL);
	json_bool(&j, "holds", holds);
	json_u64(&j, "allowed", replay->count[NOW_ALLOWED]);
	json_u64(&j, "denied", replay->count[STILL_DENIED]);
	json_u64(&j, "undecided", replay->count[UNDECIDED]);
	json_u64(&j, "not_judged", replay->count[NOT_JUDGED]);
	json_u64(&j, "lost", replay->lost);
	json_u64(&j, "records", replay->records);
	json_u64(&j, "same_verdict", replay->same);
	json_u64(&j, "other_policy", replay->foreign);
	json_u64(&j, "damaged", reader->damaged);
	json_array(&j, "rows");
	for (size_t i = 0; i < replay->n_rows; i++)
		json_row(&j, replay, replay->rows[i]);
	json_array_end(&j);
	json_object_end(&j);
	if (json_finish(&j) == 0)
		return -EOVERFLOW;
	(void)puts(text);
	return 0;
}

/* --- the verb ------------------------------------------------------------------------------ */

/* What cannot be told is not what was expected. */
static bool holds(const struct replay *replay, const struct audit_reader *reader,
		  const char *expect)
{
	uint64_t unknown = replay->count[UNDECIDED] + replay->count[NOT_JUDGED] + replay->lost +
			   reader->damaged;

	if (strcmp(expect, "allowed") == 0)
		return replay->count[STILL_DENIED] + unknown == 0;
	if (strcmp(expect, "denied") == 0)
		return replay->count[NOW_ALLOWED] + unknown == 0;
	/* same: counts have no arguments, so only what has some can differ */
	return replay->same == replay->records && replay->count[NOW_ALLOWED] == 0 &&
	       reader->damaged == 0;
}

static int replay_log(struct replay *replay, struct audit_reader *reader, struct err *err)
{
	struct recorded record;
	int r;

	while ((r = audit_reader_next(reader, &record, err)) > 0) {
		if (take(replay, &record) < 0)
			return err_set(err, -ENOMEM, "replay '%s'", reader->path);
	}
	if (r == 0 && replay->n_rows > 0)
		qsort(replay->rows, replay->n_rows, sizeof(*replay->rows), by_outcome);
	return r;
}

int audit_cli_replay(struct audit_args *args)
{
	const char *expect = args->expect ? args->expect : "allowed";
	_cleanup_audit_policy_ struct policy *policy = NULL;
	_cleanup_reader_ struct audit_reader reader = { .set = NULL };
	__attribute__((cleanup(replay_done))) struct replay replay = { .policy = NULL };
	struct err err = ERR_INIT;
	bool well;
	int r;

	if (!args->policy) {
		err_refuse(&err, "replay a log without a policy");
		err_hint(&err, "--policy NAME, or a path to it");
		return audit_cli_fail(&err);
	}
	if (strcmp(expect, "allowed") != 0 && strcmp(expect, "denied") != 0 &&
	    strcmp(expect, "same") != 0) {
		err_refuse(&err, "expect '%.32s': it is allowed, denied or same", expect);
		return audit_cli_fail(&err);
	}
	if (audit_policy_load(args, args->policy, &policy, &err) < 0)
		return audit_cli_fail(&err);
	replay.policy = policy;
	r = audit_reader_open(&reader, args, &err);
	r = r ? r : replay_log(&replay, &reader, &err);
	if (r < 0)
		return audit_cli_fail(&err);
	well = holds(&replay, &reader, expect);
	if (!args->json)
		print_text(&replay);
	else if ((r = print_json(&replay, &reader, well)) < 0)
		return err_set(&err, r, "show what was found"), audit_cli_fail(&err);
	audit_reader_warn(&reader);
	return well ? 0 : 1;
}
