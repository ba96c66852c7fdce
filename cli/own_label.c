// SPDX-License-Identifier: Apache-2.0
/*
 * By a request, which needs change_profile, and that is what a payload lacks; a rule of the profile
 * that names our programs by path would hold for what a payload has at such a path, too. The kernel
 * makes it a secure execution (security/apparmor/domain.c, profile_onexec()), so that no library of
 * LD_PRELOAD's comes to the profile's rights.
 */
#include "cli/own_label.h"

#include "base/fd.h"
#include "sandbox/host_proc.h"
#include "sandbox/lsm_text.h"

void own_label_keep(void)
{
	struct lsm_state state = { .there = false };
	_cleanup_close_ int proc = -1;
	struct err unheard = ERR_INIT;
	const char *text;

	if (lsm_kernel.read(POLICY_LSM_APPARMOR, &state, &unheard) < 0 || !state.there)
		return;
	text = lsm_aa_keep_text(state.current);
	if (text && !state.by_syscall)
		proc = host_proc_open(&unheard);
	if (text && (state.by_syscall || proc >= 0))
		(void)lsm_set_exec(POLICY_LSM_APPARMOR, state.by_syscall, proc, text);
}
