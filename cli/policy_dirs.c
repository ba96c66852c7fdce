// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_dirs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/path.h"

size_t policy_default_dirs(const char *ret[POLICY_DEFAULT_DIRS])
{
	static char config[LIMIT_PATH], library[LIMIT_PATH + 32];
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char exe[LIMIT_PATH];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;
	struct stat st;
	size_t count = 0;
	int n = -1;

	if (xdg && xdg[0] == '/')
		n = snprintf(config, sizeof(config), "%s/cordon/policies", xdg);
	else if (home && home[0] == '/')
		n = snprintf(config, sizeof(config), "%s/.config/cordon/policies", home);
	if (n > 0 && (size_t)n < sizeof(config))
		ret[count++] = config;
	ret[count++] = "/etc/cordon/policies";
	exe[len > 0 ? len : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash) {
		*slash = '\0';
		if (path_normalise(exe, "../policies/library", library, sizeof(library)) == 0 &&
		    stat(library, &st) == 0)
			ret[count++] = library;
	}
	ret[count++] = CORDON_DATADIR "/policies";
	return count;
}
