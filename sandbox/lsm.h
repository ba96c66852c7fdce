// SPDX-License-Identifier: Apache-2.0
/*
 * The label that a thread's next execve gives it, by AppArmor or SELinux: asked of the kernel, by
 * lsm_set_self_attr(2) or by a procfs that the caller has checked. libapparmor is not used: it
 * names a thread by its number, which is another thread's in an outer procfs.
 */
#pragma once

#include "base/err.h"
#include "policies/model.h"

enum { LSM_TEXT = 1024 }; /* a label with its NUL: longer ones are -ERANGE */

/* Of the calling thread. */
struct lsm_state {
	bool there;		/* the module is in force on this kernel */
	bool by_syscall;	/* it is asked by system call (Linux 6.8); else by procfs */
	bool permissive;	/* SELinux says of itself that it refuses nothing */
	char current[LSM_TEXT]; /* the label, with AppArmor's mode behind it */
};

/* What a plan wants to know of the host; a test has its own. */
struct lsm_ops {
	int (*read)(enum policy_lsm lsm, struct lsm_state *ret, struct err *err);
	/* Whether a thread like this one may ask for it, by one that asks and ends. What the kernel
	 * says then is ret. 0 or the kernel's -errno: AppArmor -ENOENT: not loaded, -EACCES: the
	 * profile in force does not let it; SELinux -EINVAL: no such context, -EACCES: no setexec.
	 */
	int (*try_exec)(enum policy_lsm lsm, const struct lsm_state *state, const char *text,
			char ret[LSM_TEXT]);
};
extern const struct lsm_ops lsm_kernel;

/*
 * Of the calling thread, at its next execve; a child inherits it. text is "exec PROFILE" or "stack
 * PROFILE" for AppArmor and a context for SELinux. proc is the root of a procfs of the thread's own
 * pid namespace, and not looked at when by_syscall. 0 or -errno; no heap.
 */
int lsm_set_exec(enum policy_lsm lsm, bool by_syscall, int proc, const char *text);
int lsm_get_exec(enum policy_lsm lsm, bool by_syscall, int proc, char ret[LSM_TEXT]);
