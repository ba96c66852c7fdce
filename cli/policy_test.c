// SPDX-License-Identifier: Apache-2.0
/*
 * cordon policy test: the expect lines of a policy, judged by its meaning and by its filter, those
 * that speak of files and ports by each mechanism too; with --live in a sandbox as well, which must
 * answer the same.
 */
#include "cli/policy_test.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/policy_live.h"
#include "cli/policy_report.h"
#include "cli/print.h"
#include "policies/reach.h"
#include "policies/spell.h"
#include "profiles/bpf_eval.h"
#include "profiles/seccomp.h"

static const char *const actions[] = { "allow", "deny", "kill" };

int test_settle(struct test_case *t, enum test_outcome outcome, const char *fmt, ...)
{
	char *why;
	va_list ap;
	int n;

	if (t->outcome == TEST_FAILED)
		return 0;
	va_start(ap, fmt);
	n = vasprintf(&why, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	free(t->why);
	t->why = why;
	t->outcome = (uint8_t)outcome;
	return 0;
}

/* What a filter's answer does to the caller. A notification is answered by the supervisor with
 * the policy's verdict, which is neither an allow nor left out. */
static const char *action_of_ret(uint32_t ret, const struct policy_verdict *v)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return "allow";
	case SECCOMP_RET_USER_NOTIF:
		return v->action == POLICY_KILL ? "kill" : "deny";
	case SECCOMP_RET_ERRNO:
		return "deny";
	case SECCOMP_RET_KILL_PROCESS:
		return "kill";
	default:
		return "nothing known";
	}
}

/* The first open ABI that has the call: the native one, when it can be. */
static bool find_abi(const struct policy *policy, const struct syscall_desc *call, enum abi *ret)
{
	const uint8_t order[] = { policy->native, ABI_X86_64, ABI_AARCH64, ABI_I386, ABI_X32 };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (policy->abi_mask >> order[i] & 1 && call->nr[order[i]] >= 0) {
			*ret = (enum abi)order[i];
			return true;
		}
	}
	return false;
}

static bool is_setting(const struct policy_expect *e)
{
	return e->kind == POLICY_EXPECT_SETTING || e->kind == POLICY_EXPECT_ENV ||
	       e->kind == POLICY_EXPECT_LABEL;
}

/* As the policy says it, without its `expect`. */
static void name_setting(struct test_case *t)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (spell_expect(&text, t->expect) == 0 && text.data)
		(void)snprintf(t->title, sizeof(t->title), "%s", text.data + strlen("expect "));
}

static void name_case(struct test_case *t)
{
	static const char *const verbs[] = { "read", "exec", "write" };
	const struct policy_expect *e = t->expect;
	const char *version = e->port.families == POLICY_FAMILY_INET	? "4"
			      : e->port.families == POLICY_FAMILY_INET6 ? "6"
									: "";

	if (is_setting(e))
		name_setting(t);
	else if (e->kind == POLICY_EXPECT_PATH)
		(void)snprintf(t->title, sizeof(t->title), "%s %s %s", actions[e->action],
			       e->verb < ARRAY_SIZE(verbs) ? verbs[e->verb] : "?", e->path);
	else if (e->kind == POLICY_EXPECT_PORT)
		(void)snprintf(t->title, sizeof(t->title), "%s %s %s%s %u", actions[e->action],
			       e->port.direction == POLICY_PORT_BIND ? "bind" : "connect",
			       e->port.protocol == POLICY_PORT_UDP ? "udp" : "tcp", version,
			       e->port.first);
	else
		(void)snprintf(t->title, sizeof(t->title), "%s %s", actions[e->action],
			       e->call->name);
}

/* The attempt of a case, with a path's variables put in as for a launch from here. */
static int make_attempt(struct test_run *run, struct test_case *t, struct err *err)
{
	const char *cwd = run->target.vars.pwd ? run->target.vars.pwd : "/";
	struct policy_expect e = *t->expect;
	enum abi abi = (enum abi)run->policy->native;
	char place[LIMIT_PATH];
	int r;

	if (e.kind == POLICY_EXPECT_CALL && !find_abi(run->policy, e.call, &abi))
		return test_settle(t, TEST_SKIPPED, "no open ABI has the call");
	if (e.kind == POLICY_EXPECT_PATH) {
		struct policy_path line = { .path = e.path };

		r = path_rule_expand(&line, &run->target.vars, place, sizeof(place));
		if (r < 0)
			return test_settle(t, TEST_SKIPPED, "a variable of the path has no value");
		e.path = place;
	}
	r = attempt_of_expect(&e, abi, cwd, &t->attempt, err);
	if (r == -EINVAL)
		return test_settle(t, TEST_FAILED, "cannot %s", err->msg);
	t->has_attempt = r == 0;
	for (unsigned i = 0; i < 6 && r == 0; i++)
		t->whole = t->whole || t->attempt.text[i];
	return r;
}

void test_socket_args(const struct attempt *attempt, uint64_t ret[6])
{
	const struct effect *e = &attempt->effects[0];

	memset(ret, 0, 6 * sizeof(*ret));
	ret[0] = e->family;
	/* nobody waits for a host that does not answer */
	ret[1] = (e->protocol == POLICY_PORT_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK |
		 SOCK_CLOEXEC;
}

/* The rule's answer and the filter's, to one call. */
static int ask_filter(const struct test_run *run, const struct seccomp_program *p,
		      struct test_case *t, int32_t nr, const uint64_t args[6])
{
	const struct attempt *a = &t->attempt;
	struct seccomp_data d = { .arch = abi_audit_arch(a->abi), .nr = nr };
	struct bpf_result r;
	const char *filter;

	if (a->abi == ABI_X32)
		d.nr |= (int)X32_SYSCALL_BIT;
	memcpy(d.args, args, sizeof(d.args));
	policy_eval(run->policy, a->abi, nr, args, &t->verdict);
	bpf_run(p->insns, p->n, &d, NULL, &r);
	filter = action_of_ret(r.ret, &t->verdict);
	t->action = t->verdict.action;
	t->errno_value = t->verdict.errno_value;
	if (strcmp(filter, actions[t->action]) == 0)
		return 0;
	return test_settle(t, TEST_FAILED, "the policy says %s, its filter says %s (%#x)",
			   actions[t->action], filter, r.ret);
}

static int judge_call(const struct test_run *run, const struct seccomp_program *p,
		      struct test_case *t)
{
	const struct attempt *a = &t->attempt;
	uint64_t args[6];
	int r;

	/* No port is reached without a socket. */
	if (t->expect->kind == POLICY_EXPECT_PORT) {
		test_socket_args(a, args);
		r = ask_filter(run, p, t, syscall_by_name("socket")->nr[a->abi], args);
		t->by_socket = t->action != POLICY_ALLOW;
		if (r < 0 || t->by_socket)
			return r;
	}
	return ask_filter(run, p, t, a->call->nr[a->abi], a->args);
}

static void text_where(const struct policy *policy, struct policy_where where, char *ret,
		       size_t size)
{
	if (where.line == 0 || where.source >= policy->n_sources)
		(void)snprintf(ret, size, "default");
	else
		(void)snprintf(ret, size, "%s:%u", policy->sources[where.source].path, where.line);
}

/* What is no call's business: whether the sandbox shows the file, and lets the port through. */
static int judge_whole(const struct test_run *run, struct test_case *t, struct policy_where *where,
		       const char **by, struct err *err)
{
	static const enum mechanism asked[] = { MECHANISM_VIEW, MECHANISM_LANDLOCK };

	for (size_t i = 0; i < ARRAY_SIZE(asked) && t->action == POLICY_ALLOW; i++) {
		struct judgement j;
		int r = mechanism_judge(asked[i], run->policy, &run->target, &t->attempt, &j, err);

		if (r < 0)
			return r;
		if (j.answer != JUDGE_DENIES)
			continue;
		t->action = POLICY_DENY;
		t->errno_value = j.errno_value;
		*where = j.where;
		*by = mechanism_name(asked[i]);
	}
	return 0;
}

/* A refusal of a call that names no argument is one of all of them, on each ABI that is open. */
static int judge_every(const struct test_run *run, struct test_case *t)
{
	const struct policy_expect *e = t->expect;
	int r = 0;

	if (e->kind != POLICY_EXPECT_CALL || e->n_args > 0 || e->action == POLICY_ALLOW)
		return 0;
	for (unsigned abi = 0; abi < _ABI_MAX && r == 0; abi++) {
		uint64_t args[6] = { 0 };
		enum reach found =
			reach_allowed(run->policy, (enum abi)abi, e->call, NULL, 0, args);

		if (found == REACH_HARD)
			r = test_settle(t, TEST_FAILED,
					"its lines are too many to say so of all arguments: name "
					"some");
		else if (found == REACH_YES)
			r = test_settle(t, TEST_FAILED,
					"the policy allows it on %s with arguments %#" PRIx64
					", %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64
					", %#" PRIx64,
					abi_name((enum abi)abi), args[0], args[1], args[2], args[3],
					args[4], args[5]);
	}
	return r;
}

static int judge_one(struct test_run *run, const struct seccomp_program *p, struct test_case *t,
		     struct err *err)
{
	struct policy_where where = { .line = 0 };
	const char *by = "seccomp";
	char place[LIMIT_PATH + 16];
	int r;

	if (is_setting(t->expect))
		return policy_setting_is(run->policy, t->expect)
			       ? 0
			       : test_settle(t, TEST_FAILED, "the policy says otherwise");
	r = make_attempt(run, t, err);
	if (r < 0 || !t->has_attempt)
		return r;
	r = judge_call(run, p, t);
	if (t->verdict.rule)
		where = t->verdict.rule->where;
	if (r == 0 && t->whole)
		r = judge_whole(run, t, &where, &by, err);
	if (r == 0 && t->action == POLICY_DENY && t->expect->errno_value &&
	    t->verdict.errno_value != t->expect->errno_value)
		return test_settle(t, TEST_FAILED, "the policy denies it with %s",
				   err_text(t->verdict.errno_value));
	if (r == 0 && t->action == t->expect->action)
		return judge_every(run, t);
	if (r < 0)
		return r;
	text_where(run->policy, where, place, sizeof(place));
	if (!t->verdict.rule && where.line == 0 && t->verdict.reason == POLICY_BY_KERNEL)
		(void)snprintf(place, sizeof(place), "its kernel line");
	return test_settle(t, TEST_FAILED, "the policy says %s, by %s (%s)", actions[t->action],
			   place, by);
}

int test_judge(struct test_run *run, struct err *err)
{
	__attribute__((cleanup(seccomp_program_done))) struct seccomp_program p = { .n = 0 };
	int r = seccomp_generate(run->policy, &p, err);

	r = r ? r : seccomp_check(run->policy, &p, err);
	for (size_t i = 0; i < run->n && r == 0; i++)
		r = judge_one(run, &p, &run->cases[i], err);
	return r;
}

/* --- the verb --- */

static void run_done(struct test_run *run)
{
	for (size_t i = 0; i < run->n; i++) {
		attempt_done(&run->cases[i].attempt);
		free(run->cases[i].why);
	}
	free(run->cases);
}

static int run_make(struct test_run *run, struct err *err)
{
	const struct policy *policy = run->policy;

	run->cases = calloc(policy->n_expects + 1, sizeof(*run->cases));
	if (!run->cases)
		return err_set(err, -ENOMEM, "test the policy '%s'", policy->name);
	run->n = policy->n_expects;
	for (size_t i = 0; i < run->n; i++) {
		run->cases[i].expect = &policy->expects[i];
		run->cases[i].whole = policy->expects[i].kind != POLICY_EXPECT_CALL;
		name_case(&run->cases[i]);
	}
	return 0;
}

static int put_run(struct test_run *run, const char *format)
{
	for (size_t i = 0; i < run->n; i++) {
		run->failed += run->cases[i].outcome == TEST_FAILED;
		run->skipped += run->cases[i].outcome == TEST_SKIPPED;
	}
	if (strcmp(format, "junit") == 0)
		test_put_junit(run);
	else if (strcmp(format, "json") == 0)
		test_put_json(run);
	else
		test_put_tap(run);
	return run->failed ? 1 : 0;
}

static const char *read_format(const struct policy_args *args)
{
	static const char *const known[] = { "tap", "junit", "json" };
	const char *format = policy_arg(args, "--format");

	if (!format)
		return policy_flag(args, "--json") ? "json" : "tap";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(format, known[i]) == 0)
			return known[i];
	}
	(void)policy_cli_usage_error("no such format:", format);
	return NULL;
}

static int test(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	__attribute__((cleanup(run_done))) struct test_run run = { .n = 0 };
	const char *format = read_format(args);
	struct err err = ERR_INIT;
	char what[LIMIT_PATH];
	int r;

	if (!format || policy_cli_target(args, &run.target) < 0 ||
	    policy_cli_load(args, args->what[0], &policy) < 0)
		return POLICY_EXIT_FAILED;
	run.policy = policy;
	r = run_make(&run, &err);
	r = r ? r : test_judge(&run, &err);
	if (r == 0 && policy_flag(args, "--live"))
		r = policy_cli_live_what(args, args->what[0], what, sizeof(what), &err);
	if (r == 0 && policy_flag(args, "--live"))
		r = test_live(&run, what, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return put_run(&run, format);
}

const struct policy_verb policy_verb_test = {
	.name = "test",
	.run = test,
	.min_what = 1,
	.max_what = 1,
	.options = " --live --json --format= --landlock-abi= ",
	.usage = "  test [--live] [--format tap|junit|json] WHAT\n"
		 "                             its expect lines: by the policy's meaning and its\n"
		 "                             filter, with --live in a sandbox too\n",
};
