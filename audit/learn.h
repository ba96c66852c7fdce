// SPDX-License-Identifier: Apache-2.0
/*
 * What a sandbox's processes ask of the kernel, for writing a policy. Every call is a notification
 * here, so that none is lost: its caller waits until it has been counted. Memory is fixed when the
 * recording begins; what does not fit is counted, and the end says so.
 *
 * Text comes from the payload's memory and is what was read at the call, not what the kernel saw.
 */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policies/syscall.h"

struct learn; /* one a sandbox, single-threaded */

/* 0 or -ENOMEM. Some 10 MiB of address space, touched as it fills. */
int learn_new(struct learn **ret, struct err *err);
void learn_free(struct learn *learn); /* NULL is allowed */

/* What the launch executes, as its plan has it: that execve happens before anything can be read.
 * path is the value of PATH, for a name without a slash. Borrowed until the end. */
void learn_command(struct learn *learn, const char *exec, const char *path, const char *cwd);

/* A call that a quick recording leaves to the kernel. */
struct learn_assumable {
	const char *name;
	bool unless_exec; /* only while its third argument lacks PROT_EXEC */
};
const struct learn_assumable *learn_assumables(size_t *ret_n);

/* Calls that free descriptors are not recorded, from the beginning on. */
void learn_blind_fds(struct learn *learn);

struct learn_event {
	const struct seccomp_notif *notif;
	int notify_fd; /* for SECCOMP_IOCTL_NOTIF_ID_VALID; -1: registers only */
	enum abi abi;
	int32_t nr;
	bool launch; /* the launcher's own execve, which no policy need allow */
	bool denied; /* as the policy of the recording says */
	bool killed;
	bool quiet;
	uint16_t errno_value; /* denied */
};

/* Count one call. The answer is sent by the caller after this returns. */
void learn_call(struct learn *learn, const struct learn_event *event);

/* What follows is of the next phase: serving, after start-up. */
void learn_next_phase(struct learn *learn);

/*
 * The recording as JSON Lines: call, path and socket records, then one "end" record, without which
 * a recording is no complete one. cut: why it ended early, or NULL. Returns 0 or -errno of writing.
 * *ret_complete: nothing was cut short and nothing overflowed.
 */
int learn_write(const struct learn *learn, int fd, const char *cut, bool *ret_complete);

/* What is done to a path. */
enum {
	LEARN_READ = 1 << 0,
	LEARN_WRITE = 1 << 1, /* into it, or its attributes */
	LEARN_EXEC = 1 << 2,  /* executed, or mapped executable */
	LEARN_MAKE = 1 << 3,  /* its name is made, removed or replaced */
	LEARN_LOOK = 1 << 4,  /* its existence and attributes */
	LEARN_LIST = 1 << 5,  /* opened as a directory */
};
