// SPDX-License-Identifier: Apache-2.0
#include "sandbox/confine.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sys.h"
#include "profiles/bundle.h"

int confine_supervisor(const struct confine_filter *filter, struct err *err)
{
	struct sock_fprog prog = { .len = filter->n,
				   .filter = (struct sock_filter *)(uintptr_t)filter->insns };
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "set no_new_privs for the supervisor");
	/* With all threads that a caller may have. */
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (r > 0)
		return err_set(err, -EPROTO, "put the supervisor's thread %d under its filter", r);
	if (r < 0)
		return err_set(err, r, "put the supervisor under its filter");
	if (syscall(BUNDLE_PROBE_NR) != -1 || errno != BUNDLE_PROBE_ERRNO)
		return err_set(err, -EPROTO, "find the supervisor's filter in force");
	return 0;
}
