// SPDX-License-Identifier: Apache-2.0
/*
 * The label in its place within the lock. pid 1 asks for it, although it is the payload's process
 * that executes: the request is inherited by fork (cred's exec_sid of SELinux, the task's onexec of
 * AppArmor), pid 1 itself never executes, and here the sandbox's /proc can still be written to:
 * under Landlock that is a right that nobody would have given for this. The payload's process
 * reads it back.
 */
#include <errno.h>
#include <string.h>

#include "sandbox/child.h"
#include "sandbox/lsm_text.h"

static const char *kind_of(const struct plan_label *l)
{
	return l->lsm == POLICY_LSM_APPARMOR ? "AppArmor label" : "SELinux context";
}

int label_apply(struct child *c, struct err *err)
{
	for (size_t i = 0; i < c->plan->n_labels; i++) {
		const struct plan_label *l = &c->plan->labels[i];
		int r = lsm_set_exec((enum policy_lsm)l->lsm, l->by_syscall, c->proc, l->text);

		if (r < 0)
			return err_set(err, r, "ask for the %s '%s' (%s)", kind_of(l), l->shown,
				       l->why);
	}
	return 0;
}

int label_read_back(struct child *c, struct err *err)
{
	for (size_t i = 0; i < c->plan->n_labels; i++) {
		const struct plan_label *l = &c->plan->labels[i];
		char now[LSM_TEXT];
		int r = lsm_get_exec((enum policy_lsm)l->lsm, l->by_syscall, c->proc, now);

		if (r < 0)
			return err_set(err, r, "read the %s '%s' back", kind_of(l), l->shown);
		if (l->lsm == POLICY_LSM_APPARMOR)
			lsm_aa_strip(now);
		if (strcmp(now, l->shown) != 0)
			return err_set(err, -EPROTO, "find the %s '%s' as it was asked for",
				       kind_of(l), l->shown);
	}
	return 0;
}

static const struct plan_label *find(const struct plan *plan, enum policy_lsm lsm)
{
	for (size_t i = 0; i < plan->n_labels; i++) {
		if (plan->labels[i].lsm == lsm)
			return &plan->labels[i];
	}
	return NULL;
}

/* Type enforcement asks for process2 nnp_transition and nosuid_transition in one, and answers EPERM
 * while no_new_privs is set, as it is here (security/selinux/hooks.c, check_nnp_nosuid()). Nothing
 * else that runs under our lock makes execve say that. */
bool label_explain(const struct child *c, int code, struct err *err)
{
	const struct plan_label *se = find(c->plan, POLICY_LSM_SELINUX);
	const struct plan_label *aa = find(c->plan, POLICY_LSM_APPARMOR);

	if (se && code == -EPERM) {
		(void)err_set(err, code, "run '%s' with the SELinux context '%s'", c->plan->exec,
			      se->shown);
		(void)err_hint(err,
			       "the policy lacks nnp_transition or nosuid_transition; as "
			       "root, in a module: %s",
			       se->rule);
		return true;
	}
	if (code != -EACCES || (!se && !aa))
		return false;
	if (se)
		(void)err_hint(err,
			       "no rule of the policy lets it be executed from there; or SELinux: "
			       "no transition to '%s', or the file's type is no entrypoint of it "
			       "(ausearch -m avc)",
			       se->shown);
	else
		(void)err_hint(err,
			       "no rule of the policy lets it be executed from there; or the "
			       "profile that cordon itself is in lacks change_profile for '%s'",
			       aa->shown);
	return false;
}
