// SPDX-License-Identifier: Apache-2.0
#include "sandbox/confine.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int confine_supervisor(const struct program *program, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "set no_new_privs for the supervisor");
	/* With all threads that a caller may have. */
	return program_load(program, SECCOMP_FILTER_FLAG_TSYNC, "the supervisor", err);
}
