// SPDX-License-Identifier: Apache-2.0
/*
 * The label that the payload is executed with: which, by what words, and whether the kernel takes
 * it. Who asks by name gets it or nothing starts; `auto` gets it where it is loaded. Nothing is
 * asked of the host unless a label is asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"
#include "sandbox/lsm_text.h"
#include "sandbox/plan.h"

struct asked {
	enum policy_lsm lsm;
	struct label label; /* with the name in place for `auto`, too */
	bool must;	    /* by name */
	const char *text;   /* as it was asked for, with auto's name in place */
	const char *why;    /* "default.policy:12", "--label" */
	const char *policy; /* as it was asked for */
	struct lsm_state state;
};

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "plan the label");
}

/* What is asked for one module, command line first. 0: nothing; 1: *ret. */
static int find_asked(struct plan *plan, const struct request *req, struct asked *ret,
		      struct err *err)
{
	const char *text = req->labels[ret->lsm], *slash, *why_not;
	struct bundle_label line;
	char spelled[LIMIT_LABEL];

	ret->why = "--label";
	ret->policy = req->policy ? req->policy : bundle_policy_name(plan->bundle);
	if (!text) {
		if (!bundle_label(plan->bundle, ret->lsm, &line))
			return 0;
		text = line.text;
		slash = strrchr(line.file, '/');
		ret->why = plan_text(plan, "%s:%u", slash ? slash + 1 : line.file, line.line);
	}
	if (label_parse(ret->lsm, text, &ret->label, &why_not) < 0)
		return err_refuse(err, "use the label '%s' for %s: %s", text,
				  label_lsm_name(ret->lsm), why_not);
	if (ret->label.kind == LABEL_NONE)
		return 0;
	ret->must = ret->label.kind == LABEL_NAMED;
	if (!ret->must) {
		ret->label.kind = LABEL_NAMED;
		/* as profiles/apparmor.c and profiles/selinux.c name what they make */
		(void)snprintf(ret->label.name, sizeof(ret->label.name), "cordon-%s%s",
			       bundle_policy_name(plan->bundle),
			       ret->lsm == POLICY_LSM_SELINUX ? ".process" : "");
	}
	label_spell(&ret->label, spelled);
	ret->text = plan_copy(plan, spelled);
	return ret->text && ret->why ? 1 : no_memory(err);
}

/* Whether the name is that of the profile which is made from this policy. */
static bool is_own(const struct plan *plan, enum policy_lsm lsm, const char *name)
{
	char own[LIMIT_LABEL];

	(void)snprintf(own, sizeof(own), "cordon-%s%s", bundle_policy_name(plan->bundle),
		       lsm == POLICY_LSM_SELINUX ? ".process" : "");
	return strcmp(name, own) == 0;
}

static const char *module_name(enum policy_lsm lsm)
{
	return lsm == POLICY_LSM_APPARMOR ? "AppArmor" : "SELinux";
}

/* --- what cannot be had: an error, or a sentence in the record --- */

static int lacks_module(struct plan *plan, const struct asked *a, struct err *err)
{
	const char *module = module_name(a->lsm);

	if (!a->must) {
		plan_give_up(plan, plan_text(plan, "%s: not in force on this kernel", module));
		return 0;
	}
	(void)err_refuse(err, "enter '%s' (%s): %s is not in force on this kernel", a->text, a->why,
			 module);
	return err_hint(err, "label %s auto enters it where there is one; none does without",
			label_lsm_name(a->lsm));
}

enum { WORD = 128 }; /* what the longest of these commands leaves of a hint */

/* The policy as it was asked for, as one word of a shell; POLICY where that would be an option, or
 * an error would not show it as it is, or not whole. */
static void policy_word(const char *policy, char ret[WORD])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:@+,%";
	_cleanup_buf_ struct buf word = BUF_INIT, shown = BUF_INIT;
	const bool quoted = policy[strspn(policy, plain)] != '\0';
	int r = buf_puts(&word, quoted ? "'" : "");

	for (const char *p = policy; *p && r == 0; p++)
		r = *p == '\'' ? buf_puts(&word, "'\"'\"'") : buf_put(&word, p, 1);
	r = r ? r : buf_puts(&word, quoted ? "'" : "");
	r = r ? r : text_escape(&shown, word.data, word.len);
	if (r == 0 && policy[0] != '-' && word.len < WORD && shown.len == word.len)
		memcpy(ret, word.data, word.len + 1);
	else
		memcpy(ret, "POLICY", sizeof("POLICY"));
}

/* The profile's name in the policy namespace whose name begins at name[1] and is *ret_len long;
 * NULL: in none. As security/apparmor/lib.c, aa_splitn_fqname(), takes ":NS:NAME" and ":NS://NAME".
 */
static const char *in_namespace(const char *name, int *ret_len)
{
	const char *end = name[0] == ':' ? strchr(name + 1, ':') : NULL;

	*ret_len = end ? (int)(end - name - 1) : 0;
	if (*ret_len == 0)
		return NULL;
	return end + (text_starts_with(end, "://") ? 3 : 1);
}

/* `cordon policy load` makes a policy's profile alone, and goes into no namespace within another.
 */
static void hint_load_there(const struct plan *plan, const struct asked *a, const char *profile,
			    int len, struct err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";
	const char *namespace = a->label.name + 1;
	char word[WORD];

	if (text_starts_with(profile, "cordon-") && !profile[strspn(profile, plain)] &&
	    strspn(namespace, plain) == (size_t)len && len < LIMIT_NAME) {
		policy_word(is_own(plan, a->lsm, profile) ? a->policy : profile + strlen("cordon-"),
			    word);
		(void)err_hint(err, "as anybody: cordon policy load --apparmor-namespace %.*s %s",
			       len, namespace, word);
	} else {
		(void)err_hint(err,
			       "as root: apparmor_parser --namespace-string '%.*s' --replace FILE",
			       len, namespace);
	}
}

/* The one command that loads it. */
static void hint_load(const struct plan *plan, const struct asked *a, struct err *err)
{
	const bool aa = a->lsm == POLICY_LSM_APPARMOR, own = is_own(plan, a->lsm, a->label.name);
	const char *name = bundle_policy_name(plan->bundle), *there;
	char word[WORD];
	int len;

	policy_word(a->policy, word);
	there = aa ? in_namespace(a->label.name, &len) : NULL;
	if (there)
		hint_load_there(plan, a, there, len, err);
	else if (aa && own)
		(void)err_hint(err,
			       "as root: apparmor_parser --replace %s.apparmor, written by: "
			       "cordon policy build %s --emit apparmor -o .",
			       name, word);
	else if (aa)
		(void)err_hint(err, "as root: apparmor_parser --replace FILE, the file of "
				    "/etc/apparmor.d that has it");
	else if (own)
		(void)err_hint(err,
			       "as root: semodule -i " CORDON_DATADIR
			       "/selinux/cordon-base.cil -i %s.cil, written by: "
			       "cordon policy build %s --emit selinux -o .",
			       name, word);
	else
		(void)err_hint(err, "as root: semodule -i FILE, a module with that type");
}

/* code as lsm_ops.try_exec has it. */
static int cannot_enter(struct plan *plan, const struct asked *a, int code, const char *text,
			struct err *err)
{
	const bool aa = a->lsm == POLICY_LSM_APPARMOR;
	const bool missing = code == (aa ? -ENOENT : -EINVAL);
	const char *named = aa ? a->text : text, *what, *type = "";
	size_t n_type = lsm_se_type(a->state.current, &type);

	if (aa)
		what = missing ? "it is not loaded"
			       : "the profile that cordon itself is in does not let it";
	else
		what = missing ? "the policy of this host has no such context"
			       : "the policy of this host does not let it";
	if (code != -ENOENT && code != -EINVAL && code != -EACCES && code != -EPERM)
		return err_set(err, code, "ask the kernel for the label '%s' (%s)", text, a->why);
	if (!a->must) {
		plan_give_up(plan, plan_text(plan, "%s: '%s' cannot be entered: %s",
					     module_name(a->lsm), named, what));
		return 0;
	}
	(void)err_refuse(err, "enter the %s '%s' (%s): %s",
			 aa ? "AppArmor profile" : "SELinux context", named, a->why, what);
	if (missing)
		hint_load(plan, a, err);
	else if (aa)
		(void)err_hint(err,
			       "it is '%s'; an administrator gives it the rule: change_profile,",
			       a->state.current);
	else
		(void)err_hint(err, "as root, in a module: (allow %.*s self (process (setexec)))",
			       (int)n_type, type);
	return err->code;
}

/* --- what can --- */

/* What execve wants to see under no_new_privs, as CIL: a type may have a dot in its name there. */
static const char *transition_rule(struct plan *plan, const struct asked *a)
{
	const char *from = "";
	const size_t n = lsm_se_type(a->state.current, &from);

	return plan_text(plan, "(allow %.*s %s (process2 (nnp_transition nosuid_transition)))",
			 (int)n, from, a->label.name);
}

static int add_label(struct plan *plan, const struct asked *a, const char *text, const char *shown,
		     const char *same, bool refuses, struct err *err)
{
	struct plan_label *l = &plan->labels[plan->n_labels++];

	*l = (struct plan_label){ .lsm = (uint8_t)a->lsm,
				  .by_syscall = a->state.by_syscall,
				  .text = plan_copy(plan, text),
				  .shown = plan_copy(plan, shown),
				  .same = plan_copy(plan, same),
				  .rule = transition_rule(plan, a),
				  .why = a->why,
				  .refuses = refuses };
	return l->text && l->shown && l->same && l->rule ? 0 : no_memory(err);
}

static int enter_apparmor(struct plan *plan, const struct plan_host *host, struct asked *a,
			  struct err *err)
{
	char text[LSM_TEXT], shown[LSM_TEXT] = "";
	enum lsm_mode mode;
	int r;

	lsm_aa_exec_text(a->state.current, a->label.name, text);
	r = host->lsm->try_exec(a->lsm, &a->state, text, shown);
	/* A profile in complain mode gets one made up instead of what is not loaded
	 * (security/apparmor/domain.c, aa_change_profile()). */
	if (r == 0 && !lsm_aa_same(shown, strchr(text, ' ') + 1))
		r = -ENOENT;
	if (r < 0)
		return cannot_enter(plan, a, r, text, err);
	mode = lsm_aa_mode(shown);
	lsm_aa_strip(shown);
	if (lsm_aa_mode(a->state.current) == LSM_UNCONFINED)
		plan_in_force(plan, plan_text(plan, "AppArmor profile '%s'", shown));
	else
		plan_in_force(plan, plan_text(plan, "AppArmor profile '%s', stacked on '%s'", shown,
					      a->state.current));
	if (mode != LSM_ENFORCE)
		plan_give_up(plan, plan_text(plan, "AppArmor profile '%s': %s", shown,
					     mode == LSM_COMPLAIN ? "it complains and refuses "
								    "nothing (complain mode)"
					     : mode == LSM_MIXED  ? "a part of it refuses nothing"
								  : "it refuses nothing "
								    "(unconfined)"));
	return add_label(plan, a, text, shown, text, mode == LSM_ENFORCE || mode == LSM_MIXED, err);
}

static int enter_selinux(struct plan *plan, const struct plan_host *host, struct asked *a,
			 struct err *err)
{
	char text[LSM_TEXT], shown[LSM_TEXT] = "";
	const char *why;
	uint64_t random;
	int r = sys_getrandom(&random, sizeof(random));

	if (r < 0)
		return err_set(err, r, "draw the categories of the sandbox");
	if (lsm_se_context(a->state.current, &a->label, random, text, &why) < 0)
		return err_refuse(err, "make an SELinux context of '%s' (%s): %s", a->text, a->why,
				  why),
		       err_hint(err, "cordon's own context is '%s'", a->state.current);
	r = host->lsm->try_exec(a->lsm, &a->state, text, shown);
	if (r < 0)
		return cannot_enter(plan, a, r, text, err);
	plan_in_force(plan, plan_text(plan, "SELinux context '%s'", shown));
	if (a->state.permissive)
		plan_give_up(plan, plan_text(plan,
					     "SELinux context '%s': the host is permissive, "
					     "and it refuses nothing",
					     shown));
	if (!lsm_se_has_levels(a->state.current))
		plan_give_up(plan, "SELinux categories: the policy of this host has none, and "
				   "sandboxes of one type are not told apart");
	return add_label(plan, a, text, shown, a->text, !a->state.permissive, err);
}

int plan_labels(struct plan *plan, const struct request *req, const struct plan_host *host,
		struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < _POLICY_LSM_MAX && r == 0; i++) {
		struct asked a = { .lsm = (enum policy_lsm)i };

		r = find_asked(plan, req, &a, err);
		if (r <= 0)
			continue;
		r = host->lsm ? host->lsm->read(a.lsm, &a.state, err) : 0;
		if (r < 0)
			return r;
		if (!a.state.there)
			r = lacks_module(plan, &a, err);
		else if (a.lsm == POLICY_LSM_APPARMOR)
			r = enter_apparmor(plan, host, &a, err);
		else
			r = enter_selinux(plan, host, &a, err);
	}
	return r;
}
