// SPDX-License-Identifier: Apache-2.0
/* What a program of ours gives up, for good, before it reads what others wrote: logs, recordings,
 * programs. */
#pragma once

#include "base/err.h"
#include "profiles/program.h"

/*
 * No new privileges, a Landlock domain that leaves reading and the file out (NULL: none), and the
 * seccomp program. A kernel without Landlock has the program alone. 0, or -errno with err: the
 * process must end.
 */
int confine_reader(const struct program *program, const char *out, struct err *err);
