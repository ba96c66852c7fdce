// SPDX-License-Identifier: Apache-2.0
/*
 * Limits by cgroup v2, where a part of the tree was delegated to us; elsewhere "not there" with
 * the reason, and rlimits and tmpfs sizes are all there is.
 *
 * The kernel's rules that shape this (Documentation/admin-guide/cgroup-v2.rst):
 *  - delegation is write access to a directory, its cgroup.procs and its cgroup.subtree_control;
 *  - a process may be started in a leaf only by who may write cgroup.procs of the nearest node that
 *    holds both, so the place is our own node or one above it, never one beside it;
 *  - a node with processes of its own cannot enable controllers for its children ("no internal
 *    processes"; the root is exempt). So when we are alone in the place we move ourselves, and
 *    only ourselves, into its leaf cordon-supervisor. When others sit there we move nobody and
 *    take what is enabled already.
 *  - a service manager is the single writer of its tree. systemd's is told by its child init.scope,
 *    and what it has delegated by the attribute user.delegate (systemd 251): nodes of a
 *    manager that were not delegated are left alone though the kernel would let us write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum cgroup_controller { CGROUP_PIDS = 1, CGROUP_MEMORY = 2, CGROUP_CPU = 4, CGROUP_ALL = 7 };

/* Where leaves are made. */
struct cgroup_place {
	int fd;		       /* the directory; owned */
	char path[LIMIT_PATH]; /* for people: as the file system shows it */
	unsigned available;    /* enum cgroup_controller bits that it could give to its leaves */
	unsigned enabled;      /* bits that it gives already */
	bool crowded;	       /* others' processes sit in it: nothing more can be enabled */
	bool inside;	       /* we sit in it ourselves */
};

/* 0: no such limit. */
struct cgroup_limits {
	uint64_t pids;
	uint64_t memory;    /* bytes; swap is not given on top */
	uint64_t cpu_milli; /* thousandths of a core */
};

/* One sandbox's leaf. */
struct cgroup {
	int fd;	    /* for clone3(CLONE_INTO_CGROUP); owned; also holds the lock that gc respects */
	int parent; /* owned */
	char name[LIMIT_NAME];
	unsigned in_force; /* bits of the limits that the kernel has taken */
};

struct cgroup_events {
	uint64_t oom_kill; /* processes killed for memory.max */
	uint64_t pids_max; /* forks refused for pids.max */
};

#define CGROUP_PLACE_INIT ((struct cgroup_place){ .fd = -1 })
#define CGROUP_INIT	  ((struct cgroup){ .fd = -1, .parent = -1 })

/*
 * Find the place. 0 and *ret (cgroup_place_done), or -errno with err saying why there is none (its
 * hint: how to get one): -ENOENT no cgroup v2, or we are outside of what is mounted; -EACCES not
 * delegated. Changes nothing. A place may still be unable to give some limit: cgroup_obtainable.
 */
int cgroup_find(struct cgroup_place *ret, struct err *err);
void cgroup_place_done(struct cgroup_place *place);

/* The controllers that leaves of place can have. */
unsigned cgroup_obtainable(const struct cgroup_place *place);

/*
 * Make the leaf cordon-ID with these limits. ID: letters, digits, '-', '_', at most 40 bytes. A
 * limit that cannot be had is no error: ret->in_force says what holds, and the caller decides. May
 * move the calling process into cordon-supervisor (see above); it must be single-threaded. place is
 * brought up to date.
 */
int cgroup_make(struct cgroup_place *place, const char *id, const struct cgroup_limits *limits,
		struct cgroup *ret, struct err *err);

/* Fill *ret with what has happened in the leaf; what is not counted stays 0. */
int cgroup_events(const struct cgroup *cg, struct cgroup_events *ret);

/* Kill whatever is left, wait at most two seconds, remove the leaf. Closes in any case; may be
 * called again. 0, or -errno with err when something stays behind. */
int cgroup_end(struct cgroup *cg, struct err *err);

/* Remove empty leaves cordon-* of ours whose supervisor is gone (kill -9 leaves them). Returns how
 * many, or -errno. Never touches a leaf whose supervisor lives: the lock on its directory tells. */
int cgroup_gc(const struct cgroup_place *place);

/* "pids, memory"; "none" for 0. Returns ret. */
const char *cgroup_names(unsigned controllers, char ret[32]);

/* --- pure parts, for tests */

/* The path after "0::" of /proc/PID/cgroup: 0, -ENOENT, -ENAMETOOLONG, or -EXDEV when it lies
 * outside of our cgroup namespace. */
int cgroup_parse_self(const char *text, char *ret, size_t size);

/* The first cgroup2 line of /proc/PID/mountinfo: where it is mounted and which node is its root. */
struct cgroup_mount {
	char point[LIMIT_PATH];
	char root[LIMIT_PATH];
};
int cgroup_parse_mountinfo(const char *text, struct cgroup_mount *ret);

/* path (of /proc/PID/cgroup) relative to the mount: "" is its root. -EXDEV when it is not below. */
int cgroup_relative(const struct cgroup_mount *mount, const char *path, const char **ret);

/* Bits of a list such as "cpuset cpu io memory pids". */
unsigned cgroup_parse_controllers(const char *text);

/* The value of "KEY VALUE" in a flat keyed file: 0 or -ENOENT. */
int cgroup_parse_key(const char *text, const char *key, uint64_t *ret);

/* Which files of a leaf get which values. Returns how many. */
struct cgroup_setting {
	unsigned controller;
	bool optional; /* a kernel may lack the file */
	const char *file;
	char value[48];
};
enum { CGROUP_SETTINGS = 5 };
size_t cgroup_settings(const struct cgroup_limits *limits, unsigned controllers,
		       struct cgroup_setting ret[CGROUP_SETTINGS]);
