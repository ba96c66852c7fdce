// SPDX-License-Identifier: Apache-2.0
/* What the collector gives up once it has its sockets, for good. */
#pragma once

#include "base/err.h"
#include "profiles/program.h"

/* Refuse to begin with more than the one capability, as uid 0, or outside of the first user
 * namespace. 0, or -errno with err. */
int confine_check(struct err *err);

/*
 * Drop every capability from every set, no new privileges, no core dump, a Landlock domain that
 * grants reading below /proc and nothing else, and the seccomp program; then read back what is in
 * force. *ret_landlock: the ABI that was used, 0: the kernel has none. 0, or -errno with err: the
 * process must end.
 */
int confine_apply(const struct program *program, int *ret_landlock, struct err *err);
