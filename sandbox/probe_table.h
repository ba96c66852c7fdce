// SPDX-License-Identifier: Apache-2.0
/* Between the files of probe: how a probe is described and what it may assume. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "sandbox/probe.h"

enum probe_where {
	PROBE_HERE,   /* in the caller: must leave no trace */
	PROBE_CHILD,  /* in a forked child */
	PROBE_INSIDE, /* in a child with new user and mount namespaces, ids mapped, mounts private
		       */
};

struct probe {
	const char *id;
	const char *name;
	enum probe_level level;
	enum probe_where where;
	uint64_t flags;			    /* PROBE_INSIDE: more CLONE_NEW* */
	int (*try)(struct probe_result *r); /* 0: have it; -errno: lacking. May set detail and hint.
					     * NULL: to get there is all */
	const char *cost;
	const char *hint; /* unless try has set one */
};

void probe_detail(struct probe_result *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A sysctl's number below /proc/sys, or -1. */
int64_t probe_sysctl(const char *path);

/* Deny setgroups, map the one id to root inside, as a launch does. 0 or -errno. */
int probe_map_ids(void);

/* Which ids these are: to be told before the clone, or before probe_map_ids. */
void probe_set_outer(uid_t uid, gid_t gid);

/* probe_here.c: need no namespace */
int probe_try_kernel(struct probe_result *r);
int probe_try_openat2(struct probe_result *r);
int probe_try_close_range(struct probe_result *r);
int probe_try_clone3(struct probe_result *r);
int probe_try_pidfd(struct probe_result *r);
int probe_try_seccomp(struct probe_result *r);
int probe_try_notify(struct probe_result *r);
int probe_try_wait_killable(struct probe_result *r);
int probe_try_landlock(struct probe_result *r);
int probe_try_cgroup(struct probe_result *r);
int probe_try_lsm(struct probe_result *r);
int probe_try_yama(struct probe_result *r);
int probe_try_tiocsti(struct probe_result *r);
int probe_try_collector(struct probe_result *r);

/* probe_inside.c: in namespaces of their own */
int probe_try_userns(struct probe_result *r);
int probe_try_idmap(struct probe_result *r);
int probe_try_setgroups(struct probe_result *r);
int probe_try_time(struct probe_result *r);
int probe_try_mount_api(struct probe_result *r);
int probe_try_mount_setattr(struct probe_result *r);
int probe_try_overlay(struct probe_result *r);
int probe_try_tmpfs_xattr(struct probe_result *r);
int probe_try_proc(struct probe_result *r);
int probe_try_devpts(struct probe_result *r);
int probe_try_nproc(struct probe_result *r);
