// SPDX-License-Identifier: Apache-2.0
/* Where the caller's service manager listens: shared by the launcher and cordon-scope. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum scope_socket { SCOPE_BUS, SCOPE_PRIVATE };

/* The bus that it is on, or its own socket: the first that is there. Returns which, or -1. For root
 * the system's manager, for others their own, in $XDG_RUNTIME_DIR or the place that it usually is.
 */
static inline int scope_find_socket(char *ret, size_t size)
{
	static const char *const names[] = {
		[SCOPE_BUS] = "bus", [SCOPE_PRIVATE] = "systemd/private"
	};
	const char *dir = getenv("XDG_RUNTIME_DIR");
	int n;

	for (int i = 0; i < 2; i++) {
		if (geteuid() == 0)
			n = snprintf(ret, size, "/run/%s",
				     i == SCOPE_BUS ? "dbus/system_bus_socket" : names[i]);
		else if (dir && dir[0] == '/')
			n = snprintf(ret, size, "%s/%s", dir, names[i]);
		else
			n = snprintf(ret, size, "/run/user/%u/%s", (unsigned)geteuid(), names[i]);
		if (n > 0 && (size_t)n < size && access(ret, W_OK) == 0)
			return i;
	}
	return -1;
}
