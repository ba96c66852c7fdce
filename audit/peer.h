// SPDX-License-Identifier: Apache-2.0
/* The process behind a notification, as procfs and its memory show it. What is read is true only
 * while the notification is valid: the caller asks the kernel afterwards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

struct peer {
	bool known; /* status was read: uid and pid_inside hold */
	uint32_t uid;
	uint32_t pid_inside; /* in its own pid namespace */
	size_t comm_len;     /* 0: unreadable */
	size_t exe_len;
	char comm[64];
	char exe[LIMIT_PATH];
};

/* pid as the caller's pid namespace sees it, a thread's id included. */
void peer_read(pid_t pid, struct peer *ret);

/* Bytes of the process's memory, as many as can be had from addr on: their number, or -errno. For
 * struct decode_memory: ctx points to its pid_t. */
ssize_t peer_memory(void *ctx, uint64_t addr, void *buf, size_t len);
