// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sys.h"
#include "policies/syscall.h"
#include "profiles/landlock.h"

static const char *lookup(const char *name, void *context)
{
	(void)context;
	return getenv(name);
}

/* "6.12.43+deb13-amd64"; 0 when it is none of the kernel's own. */
static uint16_t kernel_here(void)
{
	struct utsname uts;
	unsigned major, minor;

	if (uname(&uts) < 0 || sscanf(uts.release, "%3u.%3u", &major, &minor) != 2 ||
	    major > UINT8_MAX || minor > UINT8_MAX)
		return 0;
	return KERNEL(major, minor);
}

void policy_target_here(struct profile_target *ret)
{
	static char cwd[LIMIT_PATH];
	const char *home = getenv("HOME");
	const int landlock = sys_landlock_abi();

	*ret = (struct profile_target){
		.kernel = kernel_here(),
		.landlock_abi = landlock > LANDLOCK_NEWEST_ABI ? LANDLOCK_NEWEST_ABI
				: landlock > 0		       ? landlock
							       : 0,
		.apparmor_abi = 30,
		.vars = { .home = home && home[0] == '/' ? home : NULL,
			  .pwd = getcwd(cwd, sizeof(cwd)) ? cwd : NULL,
			  .lookup = lookup },
	};
}
