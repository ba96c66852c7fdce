// SPDX-License-Identifier: Apache-2.0
/* cordon policy explain: what each mechanism makes of one attempt, by which line, and what would
 * allow it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errno_name.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/policy.h"
#include "cli/policy_advice.h"
#include "cli/policy_call.h"
#include "cli/policy_report.h"
#include "cli/print.h"

struct explanation {
	const struct policy *policy;
	struct profile_target target;
	struct attempt attempt;
	struct judgement judged[_MECHANISM_MAX];
	unsigned mask;	/* mechanisms that were asked */
	unsigned force; /* those that every launch has */
	int denier;	/* the first of those in force that denies, or -1 */
	struct advice advice;
};

static void explanation_done(struct explanation *e)
{
	attempt_done(&e->attempt);
	advice_done(&e->advice);
}

/* In the order in which a call meets them: its registers, the look-up of its names, the right to.
 */
static const uint8_t order[] = {
	MECHANISM_SECCOMP, MECHANISM_VIEW,     MECHANISM_LANDLOCK, MECHANISM_CAPABILITIES,
	MECHANISM_LIMITS,  MECHANISM_APPARMOR, MECHANISM_SELINUX,
};
_Static_assert(ARRAY_SIZE(order) == _MECHANISM_MAX, "each mechanism has its place");

static int judge(struct explanation *e, struct err *err)
{
	e->denier = -1;
	e->force = advice_mechanisms(&e->target);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		enum mechanism m = (enum mechanism)order[i];
		int r;

		if (!mechanism_ops_of(m) ||
		    (m == MECHANISM_LANDLOCK && e->target.landlock_abi == 0))
			continue;
		r = mechanism_judge(m, e->policy, &e->target, &e->attempt, &e->judged[m], err);
		if (r < 0)
			return r;
		e->mask |= 1U << m;
		if (e->denier < 0 && e->force >> m & 1 && e->judged[m].answer == JUDGE_DENIES)
			e->denier = (int)m;
	}
	return 0;
}

/* The native ABI, or the first that has the call. */
static int parse(struct explanation *e, const struct policy_args *args, struct err *err)
{
	const char *cwd = policy_arg(args, "--cwd"), *text = args->what[1];
	const char *name = policy_arg(args, "--abi");
	enum abi abi = (enum abi)e->policy->native;
	int r;

	if (name && abi_from_name(name, &abi) < 0)
		return policy_cli_usage_error("no such ABI:", name);
	if (cwd && !path_is_normal(cwd))
		return policy_cli_usage_error("not an absolute path:", cwd);
	if (cwd)
		e->target.vars.pwd = cwd;
	cwd = e->target.vars.pwd ? e->target.vars.pwd : "/";
	r = attempt_parse(text, abi, cwd, &e->attempt, err);
	for (unsigned i = 0; r == -EINVAL && !name && i < _ABI_MAX; i++) {
		struct err other = ERR_INIT;

		r = attempt_parse(text, (enum abi)i, cwd, &e->attempt, &other);
	}
	if (r < 0)
		print_error(NULL, err);
	return r;
}

/* --- for people --- */

static const char *errno_text(uint16_t value, char *buf, size_t size)
{
	const char *name = errno_name(value);

	(void)snprintf(buf, size, "errno %u", value);
	return name ? name : buf;
}

static void put_answer(const struct explanation *e, enum mechanism m)
{
	static const char *const answers[] = { "allows", "denies", "no say" };
	const struct judgement *j = &e->judged[m];
	char buf[24];

	(void)printf("  %-13s %s", mechanism_name(m), answers[j->answer]);
	if (j->answer == JUDGE_DENIES)
		(void)printf(" %s", j->errno_value ? errno_text(j->errno_value, buf, sizeof(buf))
						   : "(killed)");
	if (j->answer != JUDGE_SILENT) {
		(void)fputs("  # ", stdout);
		advice_print_line(e->policy, j->where);
	}
	if (j->note)
		(void)printf(" (%s)", j->note);
	if (!(e->force >> m & 1))
		(void)fputs(" (where its profile is loaded)", stdout);
	(void)putchar('\n');
}

static int put_text(const struct explanation *e, const char *call)
{
	char buf[24];

	policy_cli_put_text(call);
	(void)printf("  [%s]\n", abi_name(e->attempt.abi));
	if (e->denier < 0)
		(void)puts("allowed");
	else if (e->judged[e->denier].errno_value)
		(void)printf("denied by %s: the program sees %s\n",
			     mechanism_name((enum mechanism)e->denier),
			     errno_text(e->judged[e->denier].errno_value, buf, sizeof(buf)));
	else
		(void)printf("denied by %s: the program is killed\n",
			     mechanism_name((enum mechanism)e->denier));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (e->mask >> order[i] & 1)
			put_answer(e, (enum mechanism)order[i]);
	}
	if (e->denier >= 0)
		advice_print(&e->advice, e->policy);
	return 0;
}

/* --- for programs --- */

static void json_answers(struct json *j, const struct explanation *e)
{
	static const char *const answers[] = { "allows", "denies", "silent" };
	char buf[24];

	json_array(j, "mechanisms");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct judgement *judged = &e->judged[order[i]];

		if (!(e->mask >> order[i] & 1))
			continue;
		json_object(j, NULL);
		json_string(j, "mechanism", mechanism_name((enum mechanism)order[i]));
		json_bool(j, "in_force", e->force >> order[i] & 1);
		json_string(j, "answer", answers[judged->answer]);
		json_string(j, "errno",
			    judged->answer == JUDGE_DENIES && judged->errno_value
				    ? errno_text(judged->errno_value, buf, sizeof(buf))
				    : NULL);
		advice_json_line(j, e->policy, judged->where);
		json_string(j, "note", judged->note);
		json_object_end(j);
	}
	json_array_end(j);
}

static int put_json(const struct explanation *e, const char *call)
{
	enum { ROOM = 1 << 18 };
	_cleanup_free_ char *text = malloc(ROOM);
	char buf[24];
	struct json j;

	if (!text)
		return -ENOMEM;
	json_init(&j, text, ROOM);
	json_object(&j, NULL);
	json_string(&j, "attempt", call);
	json_string(&j, "abi", abi_name(e->attempt.abi));
	json_string(&j, "verdict", e->denier < 0 ? "allow" : "deny");
	json_string(&j, "by", e->denier < 0 ? NULL : mechanism_name((enum mechanism)e->denier));
	json_string(&j, "errno",
		    e->denier >= 0 && e->judged[e->denier].errno_value
			    ? errno_text(e->judged[e->denier].errno_value, buf, sizeof(buf))
			    : NULL);
	json_answers(&j, e);
	advice_json(&j, &e->advice, e->policy);
	json_object_end(&j);
	if (json_finish(&j) == 0)
		return -EOVERFLOW;
	(void)puts(text);
	return 0;
}

static int put(const struct explanation *e, bool as_json)
{
	const struct attempt *a = &e->attempt;
	_cleanup_buf_ struct buf call = BUF_INIT;

	if (call_text(&call, a->call, a->args, a->n_args, a->text) < 0)
		return -ENOMEM;
	return as_json ? put_json(e, call.data) : put_text(e, call.data);
}

static int explain(const struct policy_args *args)
{
	const char *gate = policy_arg(args, "--gate");
	_cleanup_policy_ struct policy *policy = NULL;
	__attribute__((cleanup(explanation_done))) struct explanation e = { .denier = -1 };
	struct err err = ERR_INIT;
	int r;

	if (gate && strcmp(gate, "allow") != 0 && strcmp(gate, "deny") != 0)
		return policy_cli_usage_error("a gate is allow or deny, not", gate),
		       POLICY_EXIT_FAILED;
	if (policy_cli_target(args, &e.target) < 0 ||
	    policy_cli_load(args, args->what[0], &policy) < 0)
		return POLICY_EXIT_FAILED;
	e.policy = policy;
	if (parse(&e, args, &err) < 0)
		return POLICY_EXIT_FAILED;
	r = judge(&e, &err);
	if (r == 0 && e.denier >= 0)
		r = advice_make(policy, &e.target, &e.attempt, &e.advice, &err);
	if (r == 0) {
		r = put(&e, policy_flag(args, "--json"));
		if (r < 0)
			(void)err_set(&err, r, "show what was found");
	}
	if (r < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return gate && (strcmp(gate, "allow") == 0) != (e.denier < 0) ? 1 : 0;
}

const struct policy_verb policy_verb_explain = {
	.name = "explain",
	.run = explain,
	.min_what = 2,
	.max_what = 2,
	.options = " --json --gate= --cwd= --abi= --landlock-abi= --apparmor-abi= ",
	.usage =
		"  explain [--json] [--gate allow|deny] WHAT 'CALL(ARG, ...)'\n"
		"                             what each mechanism answers, by which line, and the\n"
		"                             smallest lines that would allow it\n",
};
