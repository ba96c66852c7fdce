// SPDX-License-Identifier: Apache-2.0
/* Who the caller is and where he is at home, where his environment does not say it. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "sandbox/plan.h"

/* NULL for what does not fit: cut, it would name another. */
static const char *keep(const char *text, char *ret, size_t size)
{
	return (size_t)snprintf(ret, size, "%s", text) < size ? ret : NULL;
}

void plan_read_passwd(FILE *passwd, struct plan_host *host)
{
	/* fgetpwent() reads the file itself: no name service module is loaded into the launcher. */
	static char name[LIMIT_NAME], dir[LIMIT_PATH], shell[LIMIT_PATH];
	struct passwd *pw;

	while ((pw = fgetpwent(passwd))) {
		/* "+" and "-" are no users but words to the name service (nsswitch.conf(5)), and
		 * say uid 0 and nothing else. */
		if (pw->pw_uid != host->uid || pw->pw_name[0] == '+' || pw->pw_name[0] == '-')
			continue;
		if (!host->user)
			host->user = keep(pw->pw_name, name, sizeof(name));
		if (!host->home)
			host->home = keep(pw->pw_dir, dir, sizeof(dir));
		if (!host->shell)
			host->shell = keep(pw->pw_shell, shell, sizeof(shell));
		break;
	}
}

int plan_find_home(const char *named, char ret[LIMIT_PATH], const char **ret_home, struct err *err)
{
	_cleanup_free_ char *real = NULL;

	*ret_home = NULL;
	if (!named || named[0] != '/' || path_normalise("/", named, ret, LIMIT_PATH) < 0 ||
	    ret[1] == '\0')
		return 0;
	*ret_home = ret;
	real = realpath(ret, NULL);
	if (!real && !path_is_absent(-errno))
		return err_set(err, -errno, "find where the home directory '%s' lies", ret);
	if (real)
		(void)snprintf(ret, LIMIT_PATH, "%s", real);
	return 0;
}
