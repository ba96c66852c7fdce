// SPDX-License-Identifier: Apache-2.0
/* What /proc says of a process, to anybody: its parent, its users, its numbers. A process is held
 * by the descriptor of its directory, which leads to no other one when the number is given again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_DEPTH = 32 }; /* MAX_PID_NS_LEVEL, linux/pid_namespace.h */

struct process {
	int dir; /* owned, -1: none */
	pid_t pid, parent;
	uid_t uid[4];		     /* real, effective, saved, file system */
	pid_t number[PROCESS_DEPTH]; /* its number in each pid namespace, the outermost first */
	unsigned depth;		     /* of these */
};

#define PROCESS_INIT ((struct process){ .dir = -1 })

/* proc: the root of the first pid namespace's procfs. 0, -ESRCH when there is no such process, or
 * -errno. */
int process_open(int proc, pid_t pid, struct process *ret);
void process_close(struct process *p);

/* Read it again: 0 when it is there still and has the same parent; -ESRCH, or -errno. */
int process_is_still(const struct process *p);

bool process_is_of(const struct process *p, uid_t uid);

/* Milliseconds of CLOCK_BOOTTIME at which it was made, to 10 ms. 0 or -errno. */
int process_started(const struct process *p, uint64_t *ret_ms);

/* Whether its user namespace maps exactly one id, which is uid outside. 1, 0, -EAGAIN when no map
 * is written yet, or -errno. */
int process_maps_only(const struct process *p, uid_t uid);

/* The number of a pidfd's process, by the kernel's account of the descriptor. -EBADF: it is no
 * pidfd; -ESRCH: the process is gone, or in a namespace that cannot be seen from here. */
pid_t process_of_pidfd(int proc, int pidfd);

/* --- pure parts, for tests and the fuzzer --- */

/* The text of /proc/PID/status. 0 or -EINVAL. */
int process_parse_status(const char *text, struct process *ret);
int process_parse_started(const char *text, unsigned long ticks_a_second, uint64_t *ret_ms);
int process_parse_map(const char *text, uid_t uid);
pid_t process_parse_fdinfo(const char *text);
