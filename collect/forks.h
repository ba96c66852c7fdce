// SPDX-License-Identifier: Apache-2.0
/*
 * Fork and exit events of the whole machine, by the kernel's process connector (linux/cn_proc.h).
 * Needs no privilege from Linux 6.6 on, and CAP_NET_ADMIN before. The kernel queues an event before
 * the new process runs: who has read all that waits knows each process that can have done anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A bound socket that gets nothing yet, or -errno: -EPERM before Linux 6.6. */
int forks_open(void);

/* Ask for the events, or no more. 0 or -errno. */
int forks_listen(int fd, bool on);

struct fork_event {
	bool exit;	     /* a thread of child's has ended; a fork otherwise */
	pid_t parent, child; /* processes, not threads */
	uint64_t mono_ms;
};

/* 1 and an event, 0 when none waits, -ENOBUFS when some were lost, or -errno. */
int forks_next(int fd, struct fork_event *ret);

/* One packet: whether it is a fork of a process, or the end of a thread. For tests and the fuzzer.
 */
bool forks_parse(const void *packet, size_t len, struct fork_event *ret);
