// SPDX-License-Identifier: Apache-2.0
/* What the tracers of launches share: tests/faults and tests/durability. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* Each new task stops and is looked at; calls are told from signals. */
#define TRACED_OPTIONS                                                                             \
	((unsigned long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |        \
			 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC))

/* How deep in pid namespaces a task ("self" or its number) is, and its number in the innermost one.
 * -1: it is gone. */
static inline int traced_depth(const char *pid, int *ret_last)
{
	char path[64], line[256];
	int depth = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		depth = 0;
		for (char *p = strtok(line + 6, "\t \n"); p; p = strtok(NULL, "\t \n")) {
			*ret_last = atoi(p);
			depth++;
		}
	}
	if (f)
		fclose(f);
	return depth;
}

/* Whether it is in a sandbox that who asks is not in, and as which process of it. */
static inline bool traced_is_inside(pid_t pid, int *ret_last)
{
	char number[16];
	int own;

	snprintf(number, sizeof(number), "%d", (int)pid);
	return traced_depth(number, ret_last) > traced_depth("self", &own);
}
