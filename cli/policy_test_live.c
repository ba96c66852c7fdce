// SPDX-License-Identifier: Apache-2.0
/* Expectations in a real sandbox, and whether it answers as the policy's meaning says. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_name.h"
#include "base/path.h"
#include "cli/policy_live.h"
#include "cli/policy_test.h"

static const char *const actions[] = { "allow", "deny", "kill" };

struct trial {
	struct test_case *test;
	struct live_call *call;	   /* the one that decides */
	struct live_call *control; /* of an execve, or NULL */
	char room[LIVE_ADDRESS];
};

/* The policy's own word for the file that is tried, or NULL. */
static const char *path_of(const struct test_case *t)
{
	for (uint8_t i = 0; i < t->attempt.n_effects; i++) {
		if (t->attempt.effects[i].kind == EFFECT_FILE)
			return t->attempt.effects[i].path;
	}
	return NULL;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void add_socket(const struct test_case *t, struct live_call *call)
{
	*call = (struct live_call){ .nr = syscall_by_name("socket")->nr[ABI_NATIVE] };
	test_socket_args(&t->attempt, call->args);
}

/*
 * A program is looked for and its rights are checked, but it is not run: with arguments that cannot
 * be read Linux 6.8 and newer fail behind the check (fs/exec.c, alloc_bprm), with EFAULT. Older
 * ones fail before it: there a program that is nowhere gets the same answer.
 */
static void add_control(struct trial *trial, struct live_call *calls, size_t *n)
{
	static const char nowhere[] = "/cordon: there is no such program";
	const struct attempt *a = &trial->test->attempt;
	unsigned path = strcmp(a->call->name, "execve") == 0 ? 0 : 1;
	struct live_call *control = &calls[(*n)++];

	*control = (struct live_call){ .nr = a->call->nr[a->abi] };
	memcpy(control->args, a->args, sizeof(control->args));
	control->bytes[path] = nowhere;
	control->n_bytes[path] = sizeof(nowhere);
	control->args[path + 1] = 1;
	trial->control = control;
}

static bool is_exec(const struct attempt *a)
{
	return a->n_effects > 0 && a->effects[0].kind == EFFECT_FILE &&
	       a->effects[0].access == FILE_EXEC;
}

/* What would be changed is the caller's own: nobody asked for that. */
static bool is_harmful(const struct test_run *run, const struct test_case *t)
{
	enum {
		CHANGES = FILE_CREATE | FILE_REMOVE | FILE_TRUNCATE | FILE_MKDIR | FILE_SYMLINK |
			  FILE_MKNOD | FILE_LINK | FILE_CHMOD
	};

	for (uint8_t i = 0; i < t->attempt.n_effects; i++) {
		const struct effect *e = &t->attempt.effects[i];
		const struct policy_path *line;

		if (e->kind != EFFECT_FILE || !(e->access & CHANGES))
			continue;
		line = path_rule_find(run->policy, &run->target.vars, e->path);
		if (line && line->verb == POLICY_PATH_WRITE)
			return true;
	}
	return false;
}

/* Into calls, LIVE_MOST at most; how many, 0 when it cannot be tried (and t says why). -ENOMEM. */
enum { LIVE_MOST = 2 };
static int plan(const struct test_run *run, struct test_case *t, struct trial *trial,
		struct live_call *calls, size_t *ret_n)
{
	const struct policy_expect *e = t->expect;
	size_t n = 0;

	*ret_n = 0;
	if (!t->has_attempt)
		return 0;
	if (t->attempt.abi != ABI_NATIVE)
		return test_settle(t, TEST_SKIPPED, "%s cannot be tried here",
				   abi_name(t->attempt.abi));
	if (is_exec(&t->attempt) && is_directory(path_of(t)))
		return test_settle(t, TEST_SKIPPED, "a directory cannot be executed");
	if (is_harmful(run, t))
		return test_settle(t, TEST_SKIPPED, "it would change a file outside");
	trial->test = t;
	if (e->kind == POLICY_EXPECT_PORT)
		add_socket(t, &calls[n++]);
	if (t->by_socket) {
		trial->call = calls;
		calls[0].refused = true;
		*ret_n = n;
		return 0;
	}
	if (is_exec(&t->attempt))
		add_control(trial, calls, &n);
	trial->call = &calls[n++];
	live_of_attempt(&t->attempt, trial->call, trial->room);
	trial->call->refused = t->verdict.action != POLICY_ALLOW;
	if (e->kind == POLICY_EXPECT_PORT)
		trial->call->before_mask = 1;
	if (is_exec(&t->attempt))
		trial->call->args[strcmp(t->attempt.call->name, "execve") == 0 ? 1 : 2] = 1;
	/* a file without a name, which goes when the program ends */
	if (e->kind == POLICY_EXPECT_PATH && e->verb == POLICY_PATH_WRITE &&
	    is_directory(path_of(t))) {
		trial->call->args[2] = O_TMPFILE | O_WRONLY;
		trial->call->args[3] = 0600;
	}
	*ret_n = n;
	return 0;
}

static int mode_of(uint32_t access)
{
	if (access & (FILE_WRITE | FILE_TRUNCATE))
		return W_OK;
	return access & FILE_EXEC ? X_OK : access & FILE_READ ? R_OK : F_OK;
}

/* What a call that seccomp let in tells of the others: refused, not refused, or nothing. */
static enum policy_action read_result(const struct test_case *t, const struct live_call *c,
				      bool *ret_nothing)
{
	const char *path = path_of(t);
	struct stat st;

	*ret_nothing = false;
	if (c->end != LIVE_RETURNED || c->result >= 0)
		return POLICY_ALLOW;
	switch (-c->result) {
	case EACCES:
	case EPERM:
		/* Who may not do it outside is not told by a no from inside. */
		*ret_nothing = path && access(path, mode_of(t->attempt.effects[0].access)) < 0;
		return POLICY_DENY;
	case EROFS:
	case ENETUNREACH:
		return POLICY_DENY;
	case ENOENT:
	case ENOTDIR:
		*ret_nothing = path && lstat(path, &st) < 0;
		return POLICY_DENY;
	case EOPNOTSUPP:
		*ret_nothing = true;
		return POLICY_ALLOW;
	default:
		return POLICY_ALLOW;
	}
}

static void text_end(const struct live_call *c, char *ret, size_t size)
{
	const char *name = c->end == LIVE_RETURNED && c->result < 0 && c->result > -4096
				   ? errno_name((int)-c->result)
				   : NULL;

	if (c->record.there)
		(void)snprintf(ret, size, "%s, by %s",
			       c->record.kill ? "killed"
			       : errno_name(c->record.errno_value)
				       ? errno_name(c->record.errno_value)
				       : "an errno",
			       c->record.rule);
	else if (c->end == LIVE_RETURNED)
		(void)snprintf(ret, size, "%s", name ? name : "it succeeded");
	else if (c->end == LIVE_ENDED)
		(void)snprintf(ret, size, "the program ended with %d", c->exit_status);
	else
		(void)snprintf(ret, size, "it did not return");
}

/* The record must name the line that the meaning names. */
static bool same_rule(const struct test_run *run, const struct test_case *t,
		      const struct live_record *record)
{
	char file[LIMIT_PATH], place[LIMIT_PATH + 16];
	const struct policy_rule *rule = t->verdict.rule;

	if (!rule)
		return strchr(record->rule, ':') == NULL;
	/* the launcher spells the folder of shipped policies in its own way */
	if (path_normalise("/", run->policy->sources[rule->where.source].path, file, sizeof(file)) <
	    0)
		return true;
	(void)snprintf(place, sizeof(place), "%s:%u", file, rule->where.line);
	/* of a long path the record has the beginning */
	return strncmp(place, record->rule, strlen(record->rule)) == 0 ||
	       strlen(place) >= sizeof(record->rule);
}

static int settle(struct test_run *run, const struct trial *trial)
{
	struct test_case *t = trial->test;
	const struct live_call *c = trial->call;
	enum policy_action seccomp = live_action(c, &t->verdict, run->policy->notify);
	enum policy_action action = seccomp;
	bool nothing = false;
	char end[640];

	t->live = true;
	text_end(c, end, sizeof(end));
	if (seccomp == POLICY_ALLOW && t->action == POLICY_DENY && t->errno_value &&
	    c->end == LIVE_RETURNED && c->result == -(int64_t)t->errno_value)
		action = POLICY_DENY;
	else if (seccomp == POLICY_ALLOW && t->whole)
		action = read_result(t, c, &nothing);
	if (nothing || (trial->control && c->end == LIVE_RETURNED && c->result == -EFAULT &&
			trial->control->result == -EFAULT))
		action = (enum policy_action)t->action;
	if (action != t->action)
		return test_settle(t, TEST_FAILED, "the policy says %s, the sandbox says %s (%s)",
				   actions[t->action], actions[action], end);
	if (seccomp != (enum policy_action)t->verdict.action)
		return test_settle(t, TEST_FAILED, "the calls' rules say %s, the sandbox's %s (%s)",
				   actions[t->verdict.action], actions[seccomp], end);
	if (!c->record.there || c->record.kill)
		return 0;
	if (c->record.errno_value != t->verdict.errno_value ||
	    (c->end == LIVE_RETURNED && c->result != -(int64_t)t->verdict.errno_value))
		return test_settle(t, TEST_FAILED, "the policy says errno %u, the sandbox %s",
				   t->verdict.errno_value, end);
	if (!same_rule(run, t, &c->record))
		return test_settle(t, TEST_FAILED, "in the sandbox another line answered: %s", end);
	return 0;
}

int test_live(struct test_run *run, const char *what, struct err *err)
{
	_cleanup_free_ struct live_call *calls = calloc(LIVE_MOST * run->n + 1, sizeof(*calls));
	_cleanup_free_ struct trial *tries = calloc(run->n + 1, sizeof(*tries));
	size_t n_calls = 0, n_tries = 0;
	int r = 0;

	if (run->policy->native != ABI_NATIVE)
		return err_refuse(err, "run a policy for %s on %s",
				  abi_name((enum abi)run->policy->native), abi_name(ABI_NATIVE));
	if (!calls || !tries)
		return err_set(err, -ENOMEM, "test the policy '%s'", run->policy->name);
	for (size_t i = 0; i < run->n && r == 0; i++) {
		size_t n;

		r = plan(run, &run->cases[i], &tries[n_tries], &calls[n_calls], &n);
		n_tries += n > 0;
		n_calls += n;
	}
	if (r < 0)
		return err_set(err, r, "test the policy '%s'", run->policy->name);
	r = live_run(what, calls, n_calls, err);
	for (size_t i = 0; i < n_tries && r == 0; i++) {
		r = settle(run, &tries[i]);
		if (r < 0)
			(void)err_set(err, r, "test the policy '%s'", run->policy->name);
	}
	return r;
}
