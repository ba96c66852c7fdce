// SPDX-License-Identifier: Apache-2.0
/* Carry a plan out: clone, consent, supervise, end. */
#pragma once

#include "audit/learn.h"
#include "audit/record.h"
#include "base/err.h"
#include "sandbox/confine.h"
#include "sandbox/plan.h"

/* Told once the payload runs. Text is borrowed for the call. */
struct launch_progress {
	const char *const *stage; /* names, NULL-terminated */
	const uint64_t *stage_ns; /* how long each took; one more entry than names: clone to exec */
	uint32_t landlock_rules;
	/* The plan's, and what came of its limits; NULL-terminated. */
	const char *const *in_force;
	const char *const *given_up;
};

struct launch_options {
	const char *const *sinks; /* for audit_new() */
	size_t n_sinks;
	struct audit_rotation rotation; /* all zeros: none */
	uint64_t flood;			/* for audit_flood(); 0: as without it */
	const char *collector;		/* its socket, NULL: where it is on every machine */
	void (*started)(void *ctx, const struct launch_progress *progress); /* or NULL */
	void *ctx;
	/* Ask whoever manages services for a scope of that name, delegated, with this process in
	 * it: 0, -ENOENT when there is nobody to ask, or -errno with err. Called at most once,
	 * where limits need a cgroup and none is delegated. NULL: nobody is asked. */
	int (*scope)(void *ctx, const char *name, struct err *err);
	void *scope_ctx;
	/* Filled while the payload runs, for a plan that learns. With phases SIGUSR1 is not for the
	 * payload: it begins the next phase. */
	struct learn *learn;
	bool learn_phases;
	/* Put the calling process under this filter before the payload starts, for good. NULL: no.
	 */
	const struct program *confine;
	/* Where the caller's arguments lie in memory (from argv[0] on): pid 1 overwrites its copy,
	 * so that /proc/1/cmdline tells the payload nothing. NULL: left as it is. */
	char *title;
	size_t title_size;
};

struct launch_result {
	int exit_status;       /* as designed: the payload's, 128+n, 125, 126, 127 */
	int signal;	       /* that ended the payload, 0: it ended by itself */
	const char *limit_hit; /* "wall" or "memory", which ended the sandbox, or NULL */
	char stopped_by[96];   /* the same for people: "the memory limit 32M" */
	struct audit_usage usage;
	struct audit_totals totals;
};

/*
 * Run to the end. 0: the payload ran, *ret tells how it ended. -errno with err: it was never
 * executed, ret->exit_status says 125, 126 or 127. Either way nothing of the sandbox is left.
 * All signals are blocked on return as they were within; the caller is about to exit.
 */
int launch_run(const struct plan *plan, const struct launch_options *options,
	       struct launch_result *ret, struct err *err);
