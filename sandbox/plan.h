// SPDX-License-Identifier: Apache-2.0
/*
 * Everything a launch will do, decided before the first clone. A plan is made once, never
 * changed, and printed exactly (--dry-run). The child that carries it out decides nothing and
 * allocates nothing.
 */
#pragma once

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/hash.h"
#include "profiles/bundle.h"
#include "sandbox/lsm.h"
#include "sandbox/request.h"

/* What a name led to when the plan looked: the child finds the same or refuses. ino 0: any. */
struct plan_inode {
	uint64_t dev, ino;
};

/* Facts about the caller and the host that a plan rests on. */
struct plan_host {
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	int n_groups;	   /* supplementary groups other than gid, at most 64 are listed */
	const char *home;  /* normal absolute path, or NULL */
	const char *user;  /* login name, or NULL */
	const char *shell; /* NULL: /bin/sh */
	char cwd[LIMIT_PATH];
	struct plan_inode cwd_inode;
	bool machines_root; /* of the machine, and not of a user namespace alone */
	char *const *environ;
	int landlock_abi;
	bool tty[3];		   /* which of 0, 1, 2 are terminals */
	char release[65];	   /* of the kernel */
	const struct lsm_ops *lsm; /* asked when a label is; NULL: there is none */
};
int plan_host_read(struct plan_host *ret, char *const *envp, struct err *err);
/* The user, home and shell of host->uid as a passwd(5) has them, in memory that stays; what the
 * host has already is kept. */
void plan_read_passwd(FILE *passwd, struct plan_host *host);
/* Where the home lies, or it would show by its other name, in ret; what is named itself where
 * nothing is. *ret_home is NULL when no absolute path below "/" is named. */
int plan_find_home(const char *named, char ret[LIMIT_PATH], const char **ret_home, struct err *err);

enum plan_step_kind {
	STEP_BIND,    /* source: host path -> dest, recursive */
	STEP_PLACE,   /* dest becomes an empty directory of the upper */
	STEP_OVERLAY, /* source: host directory, below a fresh upper -> dest */
	STEP_HIDE,    /* dest is covered by an empty read-only directory or file */
	STEP_DIR,
	STEP_SYMLINK,
	STEP_FILE,
	STEP_PIN, /* dest becomes a mount of itself: it cannot be renamed or removed */
	STEP_PROC,
	STEP_DEV,
};

/* What Landlock grants below a step's dest. */
enum plan_access {
	ACCESS_NONE,
	ACCESS_READ,
	ACCESS_EXEC,
	ACCESS_WRITE,
	ACCESS_ALL,
	ACCESS_DEV,
	ACCESS_PROC
};

struct plan_step {
	enum plan_step_kind kind;
	bool writable;
	bool has_below; /* STEP_HIDE, STEP_DIR: something else lies within */
	bool mounted; /* STEP_PLACE: dest lies on something else than the upper, so it is a mount */
	bool optional; /* a missing source or dest is no error */
	mode_t mode;   /* STEP_PLACE, STEP_DIR */
	int fd;	       /* STEP_FILE */
	enum plan_access access;
	struct plan_inode inode; /* STEP_BIND, STEP_OVERLAY: of source; STEP_HIDE: of dest */
	bool covers_source; /* STEP_BIND: dest shows source already, and what is there is covered */
	const char *source;
	const char *dest; /* normal, absolute, inside */
	const char *why;  /* "default.policy:12", "--rw", "built in" */
};

/* What Landlock leaves of a right over ports. */
struct plan_port {
	uint64_t right;
	uint16_t first, last;
	const char *why; /* "default.policy:12" */
};
/* Rules of Landlock that ports may take; the kernel keeps each, in each launch: so many cost 6 ms,
 * all 65536 of a direction 150 ms (Linux 6.18). */
enum { PLAN_PORT_RULES = 4096 };

/* What the payload's execve is to make of its label. */
struct plan_label {
	uint8_t lsm;	   /* enum policy_lsm */
	bool by_syscall;   /* lsm_set_self_attr(2), Linux 6.8; else the sandbox's own procfs */
	const char *text;  /* what the kernel is told */
	const char *shown; /* what it says then, without AppArmor's mode */
	const char *same;  /* the same, and the same for each launch: without drawn categories */
	const char *rule;  /* SELinux: what a policy lacks when execve says EPERM */
	const char *why;   /* "default.policy:12", "--label" */
	bool refuses;	   /* false: complain or permissive mode */
};

enum plan_root { ROOT_HOST, ROOT_OVERLAY, ROOT_READONLY };

struct plan_rlimit {
	int resource;
	const char *name;
	rlim_t value;
};

enum { PLAN_ASSUMED = 64, PLAN_QUIET = 32 };

struct plan {
	char id[17];		     /* of the sandbox: 16 hexadecimal digits */
	const struct bundle *bundle; /* borrowed */
	uint64_t clone_flags;
	bool new_time;

	uid_t uid, uid_inside;
	bool machines_root; /* uid is the machine's root, whose processes RLIMIT_NPROC does not
			       count */
	gid_t gid, gid_inside;
	int n_groups; /* supplementary groups that cannot be dropped */

	enum plan_root root;
	const char *layers[LIMIT_LAYERS]; /* topmost first */
	struct plan_inode layer_inodes[LIMIT_LAYERS];
	size_t n_layers;
	enum request_upper upper;
	const char *upper_dir;
	struct plan_inode upper_inode;
	uint64_t upper_size, upper_inodes;

	enum plan_access root_access; /* what Landlock grants on all of "/" */
	struct plan_step *steps;      /* parents before children */
	size_t n_steps, max_steps;

	uint8_t net;	       /* enum policy_net */
	uint64_t landlock_net; /* rights over ports that are handled: what no port grants is refused
				*/
	struct plan_port *ports;
	size_t n_ports;
	struct plan_label labels[_POLICY_LSM_MAX];
	size_t n_labels;
	const char *hostname;
	const char *cwd;  /* inside */
	const char *exec; /* path as asked for; searched in $PATH inside when it has no '/' */
	const char **argv;
	const char **env;
	const char *path_env;	      /* value of PATH inside */
	int pass_fds[LIMIT_PASS_FDS]; /* sorted */
	size_t n_pass_fds;

	struct plan_rlimit rlimits[8];
	size_t n_rlimits;
	uint64_t wall_ms;		     /* 0: none */
	bool has_limit[_POLICY_LIMIT_MAX];   /* as decided, for print and cgroup */
	bool limit_asked[_POLICY_LIMIT_MAX]; /* by the command line */
	uint64_t limit[_POLICY_LIMIT_MAX];
	struct cpus cpuset; /* the set of POLICY_LIMIT_CPUSET */

	uint64_t caps;	  /* kept */
	int landlock_abi; /* 0: none to be had */
	bool notify;
	bool learn; /* each call is notified: the supervisor records it and decides by the bundle */
	struct plan_assumed {
		int32_t nr;
		bool unless_exec;
		const char *name;
	} assumed[PLAN_ASSUMED]; /* but for these, which the policy always allows */
	size_t n_assumed;
	/* Without notify: the program that has the kernel tell its audit of denials. None where the
	 * policy does not let it be loaded behind its own, or where it cannot spare what is quiet.
	 */
	struct sock_filter *told;
	unsigned short n_told;
	bool nests;	 /* the policy allows making a user namespace by name */
	bool exec_gated; /* execve is notified (the policy denies it, or learn): the supervisor lets
			  * exactly the first one pass */
	bool pty;
	bool pty_for[3]; /* which of 0, 1, 2 become the sandbox's terminal */

	const char *in_force[24]; /* NULL-terminated sentences, for -v and the opening record */
	const char *given_up[24];
	size_t n_in_force, n_given_up;

	struct plan_block *blocks; /* owns every text above */
};

/* 0 and *ret (plan_free), or -errno with err. Looks at the host's file system, changes nothing. */
int plan_make(const struct request *req, const struct bundle *bundle, const struct plan_host *host,
	      struct plan **ret, struct err *err);
void plan_free(struct plan *plan);

/* Bits of enum audit_refuser: who refuses without a notification; of them, in *ret_untold, of whom
 * the kernel does not tell its audit. */
unsigned plan_refusers(const struct plan *plan, unsigned *ret_untold);

/* As text for people or as JSON. Returns 0 or -ENOMEM. */
int plan_print(const struct plan *plan, bool json, struct buf *out);

/* SHA-256 over everything but the id: two launches that do the same have the same. */
void plan_digest(const struct plan *plan, struct hash *ret);

/* --- for the files of this room that build a plan --- */
void *plan_alloc(struct plan *plan, size_t size); /* zeroed; NULL: out of memory */
/* The same, but not zeroed: what is reserved and not used costs no page. */
void *plan_reserve(struct plan *plan, size_t size);
const char *plan_text(struct plan *plan, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *plan_copy(struct plan *plan, const char *text);
int plan_add_step(struct plan *plan, const struct plan_step *step, struct err *err);
void plan_take_inode(const struct stat *st, struct plan_inode *ret);
void plan_in_force(struct plan *plan, const char *text);
void plan_give_up(struct plan *plan, const char *text);
int plan_paths(struct plan *plan, const struct request *req, const struct plan_host *host,
	       struct err *err);
int plan_keep(struct plan *plan, const struct request *req, const struct plan_host *host,
	      struct err *err);
int plan_ports(struct plan *plan, struct err *err);
int plan_told(struct plan *plan, struct err *err);
int plan_labels(struct plan *plan, const struct request *req, const struct plan_host *host,
		struct err *err);
int plan_environment(struct plan *plan, const struct request *req, const struct plan_host *host,
		     struct err *err);
