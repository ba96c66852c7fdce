// SPDX-License-Identifier: Apache-2.0
/*
 * The child: pid 1 of the sandbox. It carries out a plan in stages, locks itself, starts the
 * payload as its child, and then only reaps and forwards signals. It decides nothing, allocates
 * nothing and prints nothing: failures go to the shared page.
 */
#pragma once

#include <stdatomic.h>
#include <stdnoreturn.h>

#include "base/err.h"
#include "sandbox/plan.h"

enum stage {
	STAGE_IDS,
	STAGE_MOUNTS,
	STAGE_ROOT,
	STAGE_LIMITS,
	STAGE_LOCK,
	STAGE_EXEC,
	_STAGE_MAX
};
extern const char *const stage_names[_STAGE_MAX];

/*
 * One anonymous shared mapping between supervisor and pid 1. The payload never has it: its
 * memory is new at exec. The supervisor copies out of it once and checks what it copies.
 */
struct launch_shared {
	_Atomic uint32_t stage;	      /* enum stage: the one being done */
	_Atomic uint32_t exec_result; /* enum exec_result */
	_Atomic int32_t listener; /* descriptor number of the notifier within pid 1, -1: not yet */
	_Atomic uint32_t has_status; /* wait_status is the payload's */
	_Atomic uint32_t collected;  /* the supervisor's word: the kernel's audit is heard for it */
	int32_t wait_status;
	int32_t payload_pid;		   /* inside */
	int32_t exit_code;		   /* after EXEC_FAILED: 125, 126 or 127 */
	uint64_t stage_ns[_STAGE_MAX + 1]; /* CLOCK_MONOTONIC at the start of each, then at exec */
	uint32_t landlock_rules;
	struct err err;
};

enum exec_result { EXEC_PENDING, EXEC_DONE, EXEC_FAILED };

struct child {
	const struct plan *plan;
	struct launch_shared *shared;
	int wire;	/* to the supervisor: descriptors go out, one byte of consent comes in */
	int wire_outer; /* the supervisor's end, to be closed */
	int host_proc;	/* verified root of the host's procfs */
	int store;	/* the tmpfs that holds everything writable; never visible inside */
	int root;	/* the new root */
	int proc;	/* root of the sandbox's own procfs; kept behind the lock for a label */
	int status;	/* /proc/self/status of pid 1, for the read-back */
	int devpts;
	int pty_slave;
	char *title; /* the caller's arguments, to be overwritten; see launch_options */
	size_t title_size;
	unsigned n_store;	   /* directories made in the store */
	bool in_cgroup;		   /* pid 1 was started in a leaf of its own */
	unsigned limits_by_cgroup; /* bits of enum policy_limit: no process needs one of its own */
	const char *exec_path;	   /* what execve is given */
};

/* Never returns; pid 1 ends by _exit. */
noreturn void child_main(struct child *c);

/* Each: 0, or -errno with err filled. */
int stage_ids(struct child *c, struct err *err);
int stage_mounts(struct child *c, struct err *err);
int stage_root(struct child *c, struct err *err);
int stage_limits(struct child *c, struct err *err);
int stage_lock(struct child *c, struct err *err);

/* Parts of stage_mounts(). */
/* Move a detached tree onto dest, which is path below the directory at ("/x" as "x"), and ask the
 * kernel whether it begins there now; -EPROTO: it does not. The second asks only. */
int mounts_attach(int tree, int dest, int at, const char *path);
int mounts_begins(int tree, int at, const char *path);
/* Set flags (MOUNT_ATTR_*) on a detached tree and read them back from its root. */
int mounts_set_flags(int tree, bool recursive, uint64_t set, struct err *err, const char *what);
int mounts_clone_store(struct child *c, const char *name); /* a detached bind of a store entry */
int mounts_new_dir(struct child *c, mode_t mode, char ret_name[16]);
int mounts_overlay(struct child *c, const char *const *layers, const struct plan_inode *inodes,
		   size_t n, bool whole_root, struct err *err);
/* What is open at fd is what the plan looked at. -ESTALE with err: it was exchanged since. For err:
 * "use the base", its path, and whose wish it is, or NULL. */
int mounts_is_planned(int fd, const struct plan_inode *want, const char *use, const char *path,
		      const char *why, struct err *err);
int mounts_proc(struct child *c, const struct plan_step *step, struct err *err);
int mounts_dev(struct child *c, const struct plan_step *step, struct err *err);

/* The lock that only the payload takes: its seccomp program, with a listener unless the plan has
 * none, proven by the probe call. *ret_listener is -1 without one. */
int lock_payload(struct child *c, int *ret_listener, struct err *err);

/* The label of the next execve: ask for it; read it back, in the payload's process; and say what
 * execve's code may have to do with it: true: it is the label's and not the command's. */
int label_apply(struct child *c, struct err *err);
int label_read_back(struct child *c, struct err *err);
bool label_explain(const struct child *c, int code, struct err *err);

/* Landlock on the calling thread. */
int landlock_apply(struct child *c, struct err *err);

/* pid 1's own, smaller filter, once the payload runs. */
int reaper_lock(struct err *err);
/* Reap until the payload is gone; its wait status. */
int reaper_run(pid_t payload);
