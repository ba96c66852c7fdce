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

#include "audit/record.h"
#include "base/cpus.h"
#include "base/err.h"
#include "policies/model.h"

enum cgroup_controller {
	CGROUP_PIDS = 1,
	CGROUP_MEMORY = 2,
	CGROUP_CPU = 4,
	CGROUP_IO = 8,
	CGROUP_CPUSET = 16,
	CGROUP_ALL = 31
};

/* A set of limits: bit per enum policy_limit. */
#define CGROUP_LIMIT(which) (1U << POLICY_LIMIT_##which)
/* Those that a cgroup can hold. */
#define CGROUP_LIMITS                                                                              \
	(CGROUP_LIMIT(PIDS) | CGROUP_LIMIT(MEMORY) | CGROUP_LIMIT(MEMORY_HIGH) |                   \
	 CGROUP_LIMIT(SWAP) | CGROUP_LIMIT(CPU) | CGROUP_LIMIT(CPU_WEIGHT) |                       \
	 CGROUP_LIMIT(IO_WEIGHT) | CGROUP_LIMIT(CPUSET))

/* Where leaves are made. */
struct cgroup_place {
	int fd;		    /* the directory; owned */
	char *path;	    /* for people: as the file system shows it; owned */
	unsigned available; /* enum cgroup_controller bits that it could give to its leaves */
	unsigned enabled;   /* bits that it gives already */
	bool crowded;	    /* others' processes sit in it: nothing more can be enabled */
	bool inside;	    /* we sit in it ourselves */
};

struct cgroup_limits {
	unsigned set;			   /* which of them, of CGROUP_LIMITS */
	uint64_t value[_POLICY_LIMIT_MAX]; /* in the units of policies/model.h */
	struct cpus cpuset;
};

/* One sandbox's leaf. */
struct cgroup {
	int fd;	    /* for clone3(CLONE_INTO_CGROUP); owned; also holds the lock that gc respects */
	int parent; /* owned */
	char name[LIMIT_NAME];
	unsigned in_force; /* bits of the limits that the kernel has taken */
	int error;	   /* -errno of the first that it has not, else 0 */
	unsigned counts;   /* controllers that it has, asked for or not: those have accounts */
};

/* How often what was hit; 0 where the kernel does not count it. */
struct cgroup_events {
	uint64_t oom;	      /* memory.max was reached and nothing could be taken back */
	uint64_t oom_kill;    /* processes killed for want of memory, ours or the machine's */
	uint64_t memory_high; /* processes slowed down and made to give memory back */
	uint64_t swap_max;    /* allocations of swap refused */
	uint64_t pids_max;    /* forks refused */
	uint64_t throttled;   /* periods of cpu.max at whose end the sandbox was held back */
	uint64_t throttled_usec;
};

#define CGROUP_PLACE_INIT ((struct cgroup_place){ .fd = -1 })
#define CGROUP_INIT	  ((struct cgroup){ .fd = -1, .parent = -1 })

/*
 * Find the place. 0 and *ret (cgroup_place_done), or -errno with err saying why there is none (its
 * hint: how to get one): -ENOENT no cgroup v2, or we are outside of what is mounted; -EACCES not
 * delegated. Changes nothing. A place may still be unable to give some limit: cgroup_obtainable.
 * scope: a name that a service manager has just given our node with delegation, which those before
 * systemd 251 do not mark; or NULL.
 */
int cgroup_find(const char *scope, struct cgroup_place *ret, struct err *err);
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

/* Put what the leaf has used so far into those fields of *usage that its controllers count. */
void cgroup_usage(const struct cgroup *cg, struct audit_usage *usage);

/* Kill whatever is left, wait at most two seconds, remove the leaf. Closes in any case; may be
 * called again. 0, or -errno with err when something stays behind. */
int cgroup_end(struct cgroup *cg, struct err *err);

/* --- what a supervisor that was killed has left */

/* Called with each that goes, or with dry would go: a path for people. */
typedef void cgroup_gc_fn(void *ctx, const char *path);

/*
 * Remove empty leaves cordon-ID of ours in place, ID being 16 hexadecimal digits, whose supervisor
 * is gone (kill -9 leaves them). Never touches a leaf whose supervisor lives: the lock on its
 * directory tells. at_most: how many are looked at, from a random one on, so that a launch beside a
 * thousand others stays quick and what is left still goes in the end; 0: all. Returns how many
 * went, or -errno.
 */
int cgroup_gc(const struct cgroup_place *place, unsigned at_most);

/*
 * The same wherever the cgroup2 file system shows directories of ours, with scopes cordon-ID.scope
 * that no process is in. Only a look with dry. Each is told to fn. Returns how many, or -errno with
 * err. -ENOENT: there is no cgroup v2.
 */
int cgroup_gc_all(bool dry, cgroup_gc_fn *fn, void *ctx, struct err *err);

/* "pids, memory"; "none" for 0. Returns ret. */
const char *cgroup_names(unsigned controllers, char ret[48]);

/* The controllers that hold a set of limits. */
unsigned cgroup_controllers(unsigned limits);

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

/* The sum of KEY=VALUE over all lines of a nested keyed file (io.stat): 0, or -ENOENT when no line
 * has it. */
int cgroup_parse_sum(const char *text, const char *key, uint64_t *ret);

/* Which files of a leaf get which values; a cpuset is written by hand. Returns how many. */
struct cgroup_setting {
	enum policy_limit limit; /* the one that does not hold when this fails */
	bool optional;		 /* a kernel may lack the file */
	const char *file;
	char value[48];
};
enum { CGROUP_SETTINGS = 8 };
size_t cgroup_settings(const struct cgroup_limits *limits, unsigned controllers,
		       struct cgroup_setting ret[CGROUP_SETTINGS]);
