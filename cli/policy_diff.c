// SPDX-License-Identifier: Apache-2.0
/* cordon policy diff: how two policies differ in meaning, each with a call that shows it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errno_name.h"
#include "base/fd.h"
#include "base/json.h"
#include "cli/policy.h"
#include "cli/policy_call.h"
#include "cli/policy_live.h"
#include "cli/print.h"
#include "policies/diff.h"

/* What the two sandboxes did with a witness. */
struct lived {
	bool tried, agrees;
	char old[640], new[640];
};

struct comparison {
	const struct policy *old, *new;
	struct diff diff;
	struct lived *lived; /* one an entry, or NULL: not tried */
	bool disagrees;
};

static void comparison_done(struct comparison *c)
{
	diff_done(&c->diff);
	free(c->lived);
}

static const char *verdict_name(const struct policy_verdict *v)
{
	static const char *const actions[] = { "allow", "deny", "kill" };

	return actions[v->action];
}

/* Whether the sandbox did what the meaning says, and what it did. */
static bool read_live(const struct live_call *c, const struct policy_verdict *v, bool notify,
		      char *ret, size_t size)
{
	enum policy_action action = live_action(c, v, notify);
	const char *name = errno_name(c->record.errno_value);

	if (action == POLICY_KILL)
		(void)snprintf(ret, size, "killed");
	else if (c->record.there)
		(void)snprintf(ret, size, "denied with %s by %s", name ? name : "an errno",
			       c->record.rule);
	else if (action == POLICY_DENY)
		(void)snprintf(ret, size, "denied, not recorded");
	else
		(void)snprintf(ret, size, "let in");
	if (action != (enum policy_action)v->action)
		return false;
	if (action == POLICY_DENY && c->end == LIVE_RETURNED)
		return c->result == -(int64_t)v->errno_value &&
		       c->record.there == (notify && !v->quiet);
	return true;
}

static bool can_live(const struct diff_entry *e)
{
	return e->witness.call && !e->undecided && e->witness.abi == ABI_NATIVE;
}

static void set_call(struct live_call *call, const struct diff_witness *w)
{
	const struct attempt attempt = { .call = w->call,
					 .abi = w->abi,
					 .n_args = w->call->n_args };

	live_of_attempt(&attempt, call, NULL);
	memcpy(call->args, w->args, sizeof(call->args));
}

static int run_live(struct comparison *c, const char *old_what, const char *new_what,
		    struct err *err)
{
	_cleanup_free_ struct live_call *old = calloc(c->diff.n + 1, sizeof(*old));
	_cleanup_free_ struct live_call *new = calloc(c->diff.n + 1, sizeof(*new));
	size_t n = 0;
	int r;

	c->lived = calloc(c->diff.n + 1, sizeof(*c->lived));
	if (!old || !new || !c->lived)
		return err_set(err, -ENOMEM, "try what differs");
	for (size_t i = 0; i < c->diff.n; i++) {
		if (!can_live(&c->diff.entries[i]))
			continue;
		set_call(&old[n], &c->diff.entries[i].witness);
		set_call(&new[n], &c->diff.entries[i].witness);
		old[n].refused = c->diff.entries[i].witness.old.action != POLICY_ALLOW;
		new[n].refused = c->diff.entries[i].witness.new.action != POLICY_ALLOW;
		n++;
	}
	r = live_run(old_what, old, n, err);
	r = r ? r : live_run(new_what, new, n, err);
	n = 0;
	for (size_t i = 0; i < c->diff.n && r == 0; i++) {
		const struct diff_witness *w = &c->diff.entries[i].witness;
		struct lived *l = &c->lived[i];
		bool a, b;

		if (!can_live(&c->diff.entries[i]))
			continue;
		a = read_live(&old[n], &w->old, c->old->notify, l->old, sizeof(l->old));
		b = read_live(&new[n++], &w->new, c->new->notify, l->new, sizeof(l->new));
		l->tried = true;
		l->agrees = a && b;
		c->disagrees = c->disagrees || !l->agrees;
	}
	return r;
}

/* --- for people --- */

static void put_side(const char *title, const struct policy *policy, struct policy_where where,
		     const char *says)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	size_t len;
	const char *text = call_line(policy, where, &len);

	(void)printf("    %s: ", title);
	policy_cli_put_text(says);
	(void)fputs("  # ", stdout);
	policy_cli_print_where(policy, &where);
	if (len > 0 && buf_put(&line, text, len) == 0) {
		(void)fputs(": ", stdout);
		policy_cli_put_text(line.data);
	}
	(void)putchar('\n');
}

static int witness_text(const struct diff_entry *e, struct buf *out)
{
	if (e->attempt)
		return buf_puts(out, e->attempt);
	if (!e->witness.call || e->undecided)
		return 0;
	return call_text(out, e->witness.call, e->witness.args, e->witness.call->n_args, NULL);
}

static void put_abis(const struct diff_entry *e, const struct comparison *c)
{
	unsigned both = c->old->abi_mask & c->new->abi_mask;

	if (e->kind != DIFF_CALL || (e->abi_mask & both) == both)
		return;
	(void)fputs(" on", stdout);
	for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
		if (e->abi_mask >> abi & 1)
			(void)printf(" %s", abi_name((enum abi)abi));
	}
}

static bool same_where(struct policy_where a, struct policy_where b)
{
	return a.source == b.source && a.line == b.line;
}

/* One line of a policy names many variables: they are shown together. How many from i on. */
static size_t count_alike(const struct comparison *c, size_t i)
{
	const struct diff_entry *first = &c->diff.entries[i];
	size_t n = 1;

	while (first->kind == DIFF_ENV && i + n < c->diff.n) {
		const struct diff_entry *e = &c->diff.entries[i + n];

		if (e->kind != DIFF_ENV || strcmp(e->old, first->old) != 0 ||
		    strcmp(e->new, first->new) != 0 ||
		    !same_where(e->old_where, first->old_where) ||
		    !same_where(e->new_where, first->new_where))
			break;
		n++;
	}
	return n;
}

static int put_entry(const struct comparison *c, size_t i, size_t n_alike)
{
	const struct diff_entry *e = &c->diff.entries[i];
	const char *kind = diff_kind_name((enum diff_kind)e->kind);
	_cleanup_buf_ struct buf witness = BUF_INIT;
	bool prefix = e->kind == DIFF_CALL || e->kind == DIFF_PATH || e->kind == DIFF_PORT ||
		      e->kind == DIFF_ABI || e->kind == DIFF_ENV || e->kind == DIFF_LABEL;

	if (witness_text(e, &witness) < 0)
		return -ENOMEM;
	(void)printf("%s%s", prefix ? kind : "", prefix ? " " : "");
	for (size_t k = 0; k < n_alike; k++) {
		(void)fputs(k ? " " : "", stdout);
		policy_cli_put_text(c->diff.entries[i + k].subject);
	}
	put_abis(e, c);
	if (e->when)
		(void)printf(" when %s", e->when);
	(void)fputs(": ", stdout);
	policy_cli_put_text(e->old);
	(void)fputs(" -> ", stdout);
	policy_cli_put_text(e->new);
	(void)printf("%s\n", e->undecided ? " (not decided: the search was given up)" : "");
	put_side("old", c->old, e->old_where, e->old);
	put_side("new", c->new, e->new_where, e->new);
	if (witness.len > 0) {
		(void)fputs("    witness: ", stdout);
		policy_cli_put_text(witness.data);
		if (e->witness.call)
			(void)printf("  [%s: %s -> %s]", abi_name(e->witness.abi),
				     verdict_name(&e->witness.old), verdict_name(&e->witness.new));
		(void)putchar('\n');
	}
	if (c->lived && c->lived[i].tried) {
		(void)printf("    live%s: old ", c->lived[i].agrees ? "" : " DISAGREES");
		policy_cli_put_text(c->lived[i].old);
		(void)fputs("; new ", stdout);
		policy_cli_put_text(c->lived[i].new);
		(void)putchar('\n');
	}
	return 0;
}

/* --- for programs --- */

static void json_side(struct json *j, const char *key, const struct policy *policy,
		      struct policy_where where, const char *says)
{
	json_object(j, key);
	json_string(j, "says", says);
	json_string(j, "file",
		    where.line && where.source < policy->n_sources
			    ? policy->sources[where.source].path
			    : NULL);
	json_u64(j, "line", where.line);
	json_object_end(j);
}

static void json_entry(struct json *j, const struct comparison *c, size_t i, const char *witness)
{
	const struct diff_entry *e = &c->diff.entries[i];

	json_object(j, NULL);
	json_string(j, "kind", diff_kind_name((enum diff_kind)e->kind));
	json_string(j, "subject", e->subject);
	json_string(j, "when", e->when);
	json_bool(j, "decided", !e->undecided);
	json_side(j, "old", c->old, e->old_where, e->old);
	json_side(j, "new", c->new, e->new_where, e->new);
	json_string(j, "witness", witness);
	if (e->witness.call && !e->undecided) {
		json_string(j, "abi", abi_name(e->witness.abi));
		json_u64(j, "nr", (uint64_t)e->witness.call->nr[e->witness.abi]);
		json_array(j, "args");
		for (unsigned k = 0; k < e->witness.call->n_args; k++)
			json_hex(j, NULL, e->witness.args[k]);
		json_array_end(j);
	}
	if (c->lived && c->lived[i].tried) {
		json_object(j, "live");
		json_bool(j, "agrees", c->lived[i].agrees);
		json_string(j, "old", c->lived[i].old);
		json_string(j, "new", c->lived[i].new);
		json_object_end(j);
	}
	json_object_end(j);
}

static int put_json(const struct comparison *c)
{
	enum { ROOM = 1 << 17 };
	_cleanup_free_ char *text = malloc(ROOM);

	if (!text)
		return -ENOMEM;
	(void)printf("{\"same\":%s,\"differences\":[", c->diff.n ? "false" : "true");
	for (size_t i = 0; i < c->diff.n; i++) {
		_cleanup_buf_ struct buf witness = BUF_INIT;
		struct json j;

		if (witness_text(&c->diff.entries[i], &witness) < 0)
			return -ENOMEM;
		json_init(&j, text, ROOM);
		json_entry(&j, c, i, witness.data);
		if (json_finish(&j) == 0)
			return -EOVERFLOW;
		(void)printf("%s\n%s", i ? "," : "", text);
	}
	(void)puts("\n]}");
	return 0;
}

static int put(const struct comparison *c, bool as_json)
{
	int r = 0;

	if (as_json)
		return put_json(c);
	if (c->diff.n == 0)
		(void)puts("the same meaning");
	for (size_t i = 0, n; i < c->diff.n && r == 0; i += n) {
		n = count_alike(c, i);
		r = put_entry(c, i, n);
	}
	return r;
}

static int try_live(const struct policy_args *args, struct comparison *c, struct err *err)
{
	char old_what[LIMIT_PATH], new_what[LIMIT_PATH];
	int r;

	if (c->old->native != ABI_NATIVE)
		return err_refuse(err, "run a policy for %s on %s",
				  abi_name((enum abi)c->old->native), abi_name(ABI_NATIVE));
	r = policy_cli_live_what(args, args->what[0], old_what, sizeof(old_what), err);
	if (r == 0)
		r = policy_cli_live_what(args, args->what[1], new_what, sizeof(new_what), err);
	return r ? r : run_live(c, old_what, new_what, err);
}

static int diff(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *old = NULL;
	_cleanup_policy_ struct policy *new = NULL;
	__attribute__((cleanup(comparison_done))) struct comparison c = { .old = NULL };
	struct err err = ERR_INIT;
	int r;

	if (policy_cli_load(args, args->what[0], &old) < 0 ||
	    policy_cli_load(args, args->what[1], &new) < 0)
		return POLICY_EXIT_FAILED;
	c.old = old;
	c.new = new;
	r = diff_make(old, new, &c.diff, &err);
	if (r == 0 && policy_flag(args, "--live"))
		r = try_live(args, &c, &err);
	if (r == 0) {
		r = put(&c, policy_flag(args, "--json"));
		if (r < 0)
			(void)err_set(&err, r, "show how the policies differ");
	}
	if (r == 0 && c.disagrees)
		r = err_refuse(&err, "rely on this: a sandbox did otherwise than its policy says");
	if (r < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return c.diff.n ? 1 : 0;
}

const struct policy_verb policy_verb_diff = {
	.name = "diff",
	.run = diff,
	.min_what = 2,
	.max_what = 2,
	.options = " --live --json ",
	.usage = "  diff [--live] [--json] OLD NEW\n"
		 "                             how they differ in meaning, each with a call that\n"
		 "                             shows it; --live makes it under both\n",
};
