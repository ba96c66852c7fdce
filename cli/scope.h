// SPDX-License-Identifier: Apache-2.0
/* A scope of systemd's for a launch whose limits need a cgroup of its own. */
#pragma once

#include "base/err.h"

/*
 * For launch_options: run cordon-scope, which asks the caller's service manager (the system's for
 * root) for a scope of that name with this process in it. 0, -ENOENT when no manager can be seen,
 * or -errno with err. Takes SCOPE_WAIT_MS at most. ctx is not used.
 */
int scope_ask(void *ctx, const char *name, struct err *err);

/* How long the manager may take, and how long who runs the program waits for that. */
enum { SCOPE_WAIT_MS = 7000, SCOPE_ANSWER_MS = 5000 };
