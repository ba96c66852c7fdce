// SPDX-License-Identifier: Apache-2.0
/*
 * What somebody wants: filled by cli/ (and later oci/), read by the planner. A structure and
 * never a string that is parsed again. All text is borrowed and outlives the launch.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "policies/model.h"

enum request_place_kind {
	PLACE_RO,      /* a host path, read-only, executable */
	PLACE_RW,      /* a host path, writable: changes are kept */
	PLACE_OVERLAY, /* a host directory, writable, changes are thrown away */
	PLACE_HIDE,    /* not visible */
	PLACE_TMPFS,   /* empty, writable, thrown away */
	PLACE_DIR,     /* an empty directory, read-only to the payload */
	PLACE_SYMLINK, /* a symlink; source is its text */
	PLACE_FILE,    /* a read-only file holding what descriptor fd yields */
};

struct request_place {
	enum request_place_kind kind;
	const char *source; /* host path as given (NULL: the same as dest), or a symlink's text */
	const char *dest;   /* absolute or relative to the caller's working directory */
	int fd;		    /* PLACE_FILE */
};

/* What is cordon's own on the host, and no payload may change. */
struct request_kept {
	const char *path; /* absolute, or relative to the caller's working directory */
	const char *what; /* "the audit log" */
	bool may_cover;	  /* a directory of nothing else: covered where it lies in a writable tree.
			     Else such a launch is refused. */
};

enum request_upper { UPPER_TMPFS, UPPER_DIR, UPPER_NONE };
enum request_pty { PTY_AUTO, PTY_ALWAYS, PTY_NEVER };

struct request {
	char *const *argv;		 /* the payload, NULL-terminated, at least one */
	const char *argv0;		 /* shown to the payload instead of argv[0], or NULL */
	const char *bases[LIMIT_LAYERS]; /* first is the topmost layer; none: the host's root */
	size_t n_bases;
	enum request_upper upper;
	const char *upper_dir; /* UPPER_DIR */
	const char *cwd;       /* NULL: the caller's */
	size_t n_places;
	struct request_kept kept[LIMIT_SINKS + 3];
	size_t n_kept;
	int net; /* enum policy_net, or -1: the policy's */
	size_t n_env;
	bool has_uid;
	uid_t uid;			   /* inside; the caller's own number without --uid */
	const char *hostname;		   /* NULL: "cordon" */
	bool has_limit[_POLICY_LIMIT_MAX]; /* asked for by name: not to have it is an error */
	uint64_t limit[_POLICY_LIMIT_MAX];
	struct cpus cpuset; /* the set of POLICY_LIMIT_CPUSET */
	int pass_fds[LIMIT_PASS_FDS];
	size_t n_pass_fds;
	enum request_pty pty;
	const char *labels[_POLICY_LSM_MAX]; /* as label_parse() takes it; NULL: the policy's */
	const char *policy; /* the bundle's, by the name or path that was given: for hints alone;
			       NULL: its own name */
	bool learn; /* every call is recorded and answered by the supervisor, as the policy says */
	bool learn_quick; /* but for some that the policy always allows (audit/learn.h) */
	bool new_time;	  /* a time namespace whose monotonic and boot clocks begin now */
	/* The large ones last: pages of which nothing is used are not touched. */
	struct request_place places[LIMIT_BINDS];
	const char *env[LIMIT_ENV]; /* NAME (passed on) or NAME=VALUE */
};
