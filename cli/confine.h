// SPDX-License-Identifier: Apache-2.0
/* What a program of ours gives up, for good, before it reads what others wrote: logs, recordings,
 * programs. */
#pragma once

#include <stddef.h>

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
 * own, which calls confine_reader() before it reads, and gives what it makes to memory files that
 * are open. It ends with the caller at the latest. what, for errors: "recording". *ret_status is
 * what work returned: 0, 1, or CONFINE_FAILED when it has said why. 0, or -errno with err: no such
 * process, a signal ended it, or it ended with another status.
 */
enum { CONFINE_FAILED = 125 };
int confine_apart(int (*work)(void *context), void *context, const char *what, int *ret_status,
		  struct err *err);

/* What work wrote to a memory file, at most max bytes: as fd_read_all(), from the beginning. */
int confine_take(int fd, size_t max, char **ret_buf, size_t *ret_len);
