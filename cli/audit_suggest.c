// SPDX-License-Identifier: Apache-2.0
/*
 * `cordon audit suggest`: the denials of a log that a policy would still deny, as lines that would
 * allow them. What is written has been read back and tried: it compiles, and it allows each call
 * that it was made for.
 */
#include "cli/audit_suggest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/audit_policy.h"
#include "cli/policy_call.h"
#include "cli/print.h"
#include "policies/load.h"
#include "policies/reach.h"

static void suggest_done(struct suggest *s)
{
	for (size_t i = 0; i < s->n; i++)
		suggest_seen_done(&s->wanted[i].seen);
	free(s->wanted);
	free(s->wished);
	policy_free(s->policy);
}

/* --- gathering ----------------------------------------------------------------------------- */

void suggest_harmless(const struct scan *name, char *ret, size_t size)
{
	(void)scan_string(name, ret, size);
	for (char *p = ret; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || strchr("/._+-", *p);

		if (!plain)
			*p = '?';
	}
}

static void put_program(struct wanted *w, const struct recorded *record)
{
	suggest_harmless(record->exe.len ? &record->exe : &record->comm, w->program,
			 sizeof(w->program));
}

/* The gravest reason that one of the call's denials has stays. */
static void withhold(struct wanted *w, enum withheld why)
{
	if (w->why == SUGGESTED || why < w->why)
		w->why = why;
}

static bool is_net_line(const struct policy *policy, struct policy_where where)
{
	size_t len;
	const char *line = call_line(policy, where, &len);

	return len > 4 && strncmp(line, "net ", 4) == 0;
}

static bool is_allowed_at_all(const struct policy *policy, const struct syscall_desc *call)
{
	size_t n;
	const struct policy_rule *rules = policy_rules_of(policy, call, &n);

	for (size_t i = 0; i < n; i++) {
		if (rules[i].action == POLICY_ALLOW)
			return true;
	}
	return false;
}

/* What stands in the way. */
static void judge(const struct suggest *s, struct wanted *w, const struct policy_verdict *v)
{
	const struct policy_rule *rule = v->rule;

	if (v->reason == POLICY_BY_ABI) {
		withhold(w, WITHHELD_ABI);
		return;
	}
	if (!rule)
		return;
	w->where = rule->where;
	if (is_net_line(s->policy, rule->where)) {
		withhold(w, WITHHELD_NET);
		return;
	}
	/* `remove` takes back what a used policy says. In a policy that uses this one, that is all.
	 */
	if (s->args->patch && rule->where.source == 0) {
		withhold(w, WITHHELD_OWN);
		return;
	}
	if (rule->action == POLICY_KILL) {
		w->remove_kill = true;
		if (!s->args->all)
			withhold(w, WITHHELD_KILL);
		return;
	}
	w->remove_deny = true;
	if (!s->args->all && is_allowed_at_all(s->policy, rule->call))
		withhold(w, WITHHELD_PURPOSE);
}

static int take(struct suggest *s, const struct recorded *record)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	struct wanted *w = &s->wanted[record->call ? (size_t)(record->call - table) : n];
	struct policy_verdict v;
	int r;

	if (record->type != RECORDED_DENIAL && record->type != RECORDED_SUMMARY)
		return 0;
	r = suggest_wish(s, record);
	if (r != 0)
		return r < 0 ? r : 0;
	if (record->has_args) {
		policy_eval(s->policy, record->abi, record->nr, record->args, &v);
		if (v.action == POLICY_ALLOW)
			return 0;
	} else if (record->call && reach_all_allowed(s->policy, record->abi, record->call)) {
		return 0;
	}
	if (w->count == 0) {
		w->seq = record->seq;
		put_program(w, record);
	}
	if (__builtin_add_overflow(w->count, record->count, &w->count))
		w->count = UINT64_MAX;
	if (record->mechanism.len && !record->by_seccomp) {
		withhold(w, WITHHELD_OTHER);
		return 0;
	}
	if (record->type == RECORDED_SUMMARY &&
	    __builtin_add_overflow(w->counted, record->count, &w->counted))
		w->counted = UINT64_MAX;
	if (!record->call || !record->has_args)
		return 0;
	judge(s, w, &v);
	return suggest_see(&w->seen, record->args);
}

/* --- deciding ------------------------------------------------------------------------------ */

static int decide(struct suggest *s, struct wanted *w)
{
	int r;

	if (!w->seen.call || w->seen.n == 0) {
		if (w->why != WITHHELD_OTHER)
			withhold(w, WITHHELD_NAMELESS);
		s->n_withheld++;
		return 0;
	}
	if (!s->args->all && !w->seen.more) {
		w->left_out = suggest_drop_dangers(&w->seen);
		w->danger = w->left_out;
	}
	if (w->seen.n == 0) {
		w->why = WITHHELD_DANGER;
		s->n_withheld++;
		return 0;
	}
	r = suggest_lines(&w->seen, w->lines, &w->n_lines, &w->general);
	if (r == -ENOMEM)
		return r;
	w->everything = r < 0;
	if (r < 0 && !s->args->all)
		withhold(w, WITHHELD_MANY);
	w->danger = suggest_danger(&w->seen, w->general);
	if (w->danger && w->danger->weight >= DANGER_WARN && !s->args->all &&
	    (w->why == SUGGESTED || w->why > WITHHELD_DANGER))
		w->why = WITHHELD_DANGER;
	if (w->why == SUGGESTED)
		s->n_suggested++;
	else
		s->n_withheld++;
	return 0;
}

static int gather(struct suggest *s, struct audit_reader *reader, struct err *err)
{
	struct recorded record;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);
	int r;

	s->wanted = calloc(n + 1, sizeof(*s->wanted));
	if (!s->wanted)
		return err_set(err, -ENOMEM, "gather denials");
	s->n = n + 1;
	for (size_t i = 0; i < n; i++)
		s->wanted[i].seen.call = &table[i];
	while ((r = audit_reader_next(reader, &record, err)) > 0) {
		if (take(s, &record) < 0)
			return err_set(err, -ENOMEM, "gather denials");
	}
	for (size_t i = 0; i < s->n && r == 0; i++) {
		if (s->wanted[i].count > 0 && decide(s, &s->wanted[i]) < 0)
			return err_set(err, -ENOMEM, "gather denials");
	}
	if (r == 0)
		suggest_judge_wishes(s);
	return r;
}

/* --- writing ------------------------------------------------------------------------------- */

/* "dir/NAME.policy" to "NAME". */
static void name_of(const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t len;

	path = slash ? slash + 1 : path;
	len = strlen(path);
	if (len > 7 && strcmp(path + len - 7, ".policy") == 0)
		len -= 7;
	(void)snprintf(ret, size, "%.*s", (int)len, path);
}

/* The text, and as which file it is to be read: beside the policy, or where -o puts it. */
static int make_text(struct suggest *s, struct buf *text, char *as, size_t size)
{
	const struct policy_source *source = &s->policy->sources[0];
	const char *slash = strrchr(source->path, '/');
	char used[LIMIT_PATH], name[LIMIT_PATH], cwd[LIMIT_PATH];
	int r;

	if (s->args->patch) {
		(void)snprintf(as, size, "%s", source->path);
		r = buf_put(text, source->text, source->len);
		if (r == 0 && source->len > 0 && source->text[source->len - 1] != '\n')
			r = buf_puts(text, "\n");
		return r ? r : suggest_put_policy(text, s);
	}
	name_of(source->path, used, sizeof(used));
	if (s->args->out) {
		if (!getcwd(cwd, sizeof(cwd)))
			return -errno;
		r = path_normalise(cwd, s->args->out, as, size);
		if (r < 0)
			return r;
	} else {
		r = snprintf(as, size, "%.*s%s-suggested.policy",
			     slash ? (int)(slash + 1 - source->path) : 0, source->path, used);
	}
	if (r < 0 || (size_t)r >= size)
		return -ENAMETOOLONG;
	name_of(as, name, sizeof(name));
	r = buf_printf(text,
		       "# What a log asks for beyond the policy '%s'. Read it before you use it.\n"
		       "policy %s\nuse %s\n",
		       used, name, used);
	return r ? r : suggest_put_policy(text, s);
}

static int load_text(const struct suggest *s, const char *as, const struct buf *text,
		     struct policy **ret, struct err *err)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	const char *dirs[AUDIT_MAX_SEARCH + 8];
	struct policy_search search = { .dirs = dirs, .native = ABI_NATIVE };
	char beside[LIMIT_PATH], *slash;
	int r;

	/* As from a file at that place. */
	(void)snprintf(beside, sizeof(beside), "%s", as);
	slash = strrchr(beside, '/');
	if (slash) {
		*slash = '\0';
		dirs[search.n_dirs++] = beside;
	}
	search.n_dirs += audit_policy_dirs(s->args, dirs + search.n_dirs);
	r = policy_load_text(as, text->data, text->len, &search, ret, &diags, err);
	if (r < 0 && diags.text.len > 0)
		(void)fwrite(diags.text.data, 1, diags.text.len, stderr);
	if (r < 0 && s->args->out)
		(void)err_hint(err, "-o writes a policy that uses another one, which is looked up "
				    "beside it and where --search says");
	return r;
}

/* Whether tests of the policy say that a suggested call is denied: each is noted. */
static bool find_expects(struct suggest *s, const struct policy *now)
{
	const struct syscall_desc *table = syscall_table(&(size_t){ 0 });
	bool found = false;

	for (size_t i = 0; i < s->policy->n_expects; i++) {
		const struct policy_expect *e = &s->policy->expects[i];
		struct policy_verdict v;
		struct wanted *w;

		if (e->kind != POLICY_EXPECT_CALL || e->action != POLICY_DENY || !e->call)
			continue;
		w = &s->wanted[e->call - table];
		if (w->count == 0 || w->why != SUGGESTED || w->untried || w->remove_deny ||
		    e->call->nr[s->policy->native] < 0)
			continue;
		policy_eval(now, (enum abi)s->policy->native, e->call->nr[s->policy->native],
			    e->args, &v);
		if (v.action == POLICY_ALLOW)
			w->untried = found = true;
	}
	return found;
}

/* Whether each call that was seen is allowed; what is not is withheld. */
static bool try_out(struct suggest *s, const struct policy *now)
{
	enum abi abi = (enum abi)s->policy->native;
	bool well = true;

	for (size_t i = 0; i < s->n; i++) {
		struct wanted *w = &s->wanted[i];
		struct policy_verdict v = { .action = POLICY_ALLOW };

		if (w->count == 0 || w->why != SUGGESTED || w->seen.call->nr[abi] < 0)
			continue;
		for (size_t k = 0; k < w->seen.n && v.action == POLICY_ALLOW; k++)
			policy_eval(now, abi, w->seen.call->nr[abi], w->seen.args[k], &v);
		if (v.action == POLICY_ALLOW)
			continue;
		w->why = WITHHELD_UNPROVED;
		s->n_suggested--;
		s->n_withheld++;
		well = false;
	}
	return well;
}

/* The text, until all of it holds: a second time without what did not, and without tests that say
 * otherwise. In a patch those are the file's own, which are edited by hand. */
static int make_tried(struct suggest *s, struct buf *text, struct err *err)
{
	bool well = false;

	for (unsigned tries = 0; tries < 3 && !well; tries++) {
		_cleanup_audit_policy_ struct policy *now = NULL;
		char as[LIMIT_PATH];
		int r;

		text->len = 0;
		r = make_text(s, text, as, sizeof(as));
		if (r < 0)
			return err_set(err, r, "write what is suggested");
		r = load_text(s, as, text, &now, err);
		if (r < 0)
			return r;
		well = try_out(s, now);
		well = suggest_try_wishes(s, now) && well;
		well = (s->args->patch || !find_expects(s, now)) && well;
	}
	return 0;
}

static int make(struct suggest *s, struct buf *out, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT, lines = BUF_INIT;
	int r = make_tried(s, &text, err);

	if (r < 0)
		return r;
	if (s->args->json) {
		r = suggest_put_json(out, s);
	} else if (s->args->patch) {
		r = suggest_put_policy(&lines, s);
		if (r == 0 && lines.len > 0)
			r = suggest_put_patch(out, s->policy, lines.data);
	} else {
		r = suggest_put_withheld(&text, s);
		r = r ? r : buf_put(out, text.data, text.len);
	}
	return r < 0 ? err_set(err, r, "write what is suggested") : 0;
}

static int write_out(const struct suggest *s, const struct buf *out, struct err *err)
{
	FILE *to = s->args->out ? fopen(s->args->out, "we") : stdout;
	bool well;

	if (!to)
		return err_set(err, -errno, "write '%.400s'", s->args->out);
	well = out->len == 0 || fwrite(out->data, 1, out->len, to) == out->len;
	if (to != stdout)
		well = fclose(to) == 0 && well;
	return well ? 0 : err_set(err, -EIO, "write what is suggested");
}

int audit_cli_suggest(struct audit_args *args)
{
	_cleanup_reader_ struct audit_reader reader = { .set = NULL };
	__attribute__((cleanup(suggest_done))) struct suggest s = { .args = args };
	_cleanup_buf_ struct buf out = BUF_INIT, withheld = BUF_INIT;
	struct err err = ERR_INIT;
	int r;

	if (!args->policy) {
		err_refuse(&err, "suggest lines for no policy");
		err_hint(&err, "--policy NAME, or a path to it");
		return audit_cli_fail(&err);
	}
	r = audit_policy_load(args, args->policy, &s.policy, &err);
	r = r ? r : audit_reader_open(&reader, args, &err);
	r = r ? r : gather(&s, &reader, &err);
	r = r ? r : make(&s, &out, &err);
	r = r ? r : write_out(&s, &out, &err);
	if (r < 0)
		return audit_cli_fail(&err);
	/* A patch has no place for it. */
	if (args->patch && !args->json && suggest_put_withheld(&withheld, &s) == 0 && withheld.data)
		(void)fputs(withheld.data, stderr);
	audit_reader_warn(&reader);
	return 0;
}
