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

/*
 * For who has something to do afterwards that a reader may not: work(context) in a process of its
 * own, which calls confine_reader() before it reads, and gives what it makes to descriptors that
 * are open. It ends with the caller at the latest. what, for errors: "recording". *ret_status is
 * what work returned, 0 to 255. 0, or -errno with err: no such process, or a signal ended it.
 */
int confine_apart(int (*work)(void *context), void *context, const char *what, int *ret_status,
		  struct err *err);
