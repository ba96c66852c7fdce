// SPDX-License-Identifier: Apache-2.0
/*
 * First stage: tie this life to the supervisor's, drop every descriptor that was not passed,
 * and become somebody in the new user namespace.
 *
 * Must come first: close_range() before any path that the caller or a tree chose is used, so
 * that no leaked descriptor can be named by one (runc CVE-2024-21626).
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "sandbox/child.h"

/* Parent-death signal first, then a look whether the parent is still there: dying in between
 * shows as a hang-up of the wire, whose other end only the supervisor holds. */
static int tie_to_parent(struct child *c, struct err *err)
{
	struct pollfd p = { .fd = c->wire, .events = 0 };
	int sig = 0;

	(void)close(c->wire_outer);
	c->wire_outer = -1;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, -errno, "tie the sandbox's life to the supervisor's");
	if (prctl(PR_GET_PDEATHSIG, &sig) < 0 || sig != SIGKILL)
		return err_set(err, -EPROTO, "find the sandbox's life tied to the supervisor's");
	if (poll(&p, 1, 0) < 0)
		return err_set(err, -errno, "look whether the supervisor is alive");
	if (p.revents & POLLHUP)
		_exit(125);
	return 0;
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int close_others(struct child *c, struct err *err)
{
	int keep[LIMIT_PASS_FDS + LIMIT_BINDS + 8];
	size_t n = 0;
	unsigned next = 3;
	int r;

	keep[n++] = c->wire;
	keep[n++] = c->host_proc;
	for (size_t i = 0; i < c->plan->n_pass_fds; i++)
		keep[n++] = c->plan->pass_fds[i];
	for (size_t i = 0; i < c->plan->n_steps; i++) {
		if (c->plan->steps[i].kind == STEP_FILE)
			keep[n++] = c->plan->steps[i].fd;
	}
	qsort(keep, n, sizeof(keep[0]), compare_ints);
	for (size_t i = 0; i <= n; i++) {
		unsigned end = i < n ? (unsigned)keep[i] : ~0U;

		if (i < n && keep[i] < (int)next)
			continue;
		if (end > next || i == n) {
			r = sys_close_range(next, i < n ? end - 1 : ~0U, 0);
			if (r < 0)
				return err_set(err, r,
					       "close the descriptors that are not passed on");
		}
		next = end + 1;
	}
	return 0;
}

static int write_proc(struct child *c, const char *name, const char *text, struct err *err)
{
	const uint64_t how = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
	char path[64];
	int fd, r;

	(void)snprintf(path, sizeof(path), "self/%s", name);
	fd = sys_openat2(c->host_proc, path, O_WRONLY, 0, how);
	if (fd < 0)
		return err_set(err, fd, "open /proc/%s of the new user namespace", path);
	r = fd_write_all(fd, text, strlen(text));
	(void)close(fd);
	if (r < 0) {
		(void)err_set(err, r, "write '%s' to /proc/%s", text, path);
		return err_hint(err,
				"something denies this in user namespaces; 'cordon doctor' looks "
				"for what");
	}
	return 0;
}

/* A single-id map needs no privilege and no helper: user_namespaces(7), "Defining user and
 * group ID mappings". setgroups must be denied before gid_map. */
static int write_maps(struct child *c, struct err *err)
{
	const struct plan *plan = c->plan;
	char uid[48], gid[48];
	int r;

	(void)snprintf(uid, sizeof(uid), "%u %u 1", plan->uid_inside, plan->uid);
	(void)snprintf(gid, sizeof(gid), "%u %u 1", plan->gid_inside, plan->gid);
	r = write_proc(c, "setgroups", "deny", err);
	if (r == 0)
		r = write_proc(c, "uid_map", uid, err);
	if (r == 0)
		r = write_proc(c, "gid_map", gid, err);
	return r;
}

/* A namespace whose root is the leaf: /proc/self/cgroup tells the payload "/", and a cgroup2 that
 * somebody inside mounts begins there. clone3() would have taken the caller's node for the root
 * (copy_cgroup_ns(), kernel/cgroup/namespace.c). */
static int own_cgroup_namespace(struct child *c, struct err *err)
{
	struct stat before, after;

	if (!c->in_cgroup)
		return 0;
	if (fstatat(c->host_proc, "self/ns/cgroup", &before, 0) < 0)
		return err_set(err, -errno, "look at the cgroup namespace");
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_set(err, -errno, "make the cgroup namespace of the sandbox");
	if (fstatat(c->host_proc, "self/ns/cgroup", &after, 0) < 0)
		return err_set(err, -errno, "look at the cgroup namespace of the sandbox");
	return before.st_ino != after.st_ino
		       ? 0
		       : err_set(err, -EPROTO, "find the sandbox in a cgroup namespace of its own");
}

/* Nothing of the caller's habits crosses: handlers, ignored signals, umask, execution domain (which
 * may have switched address randomisation off), session, keyring. */
static int reset_process(struct err *err)
{
	int r;

	/* SIGKILL and SIGSTOP refuse; the lock reads back that nothing is ignored, and the umask */
	for (int sig = 1; sig < _NSIG; sig++)
		(void)sys_signal_default(sig);
	(void)umask(0022);
	if (personality(PER_LINUX) < 0)
		return err_set(err, -errno, "reset the execution domain");
	if (personality(0xffffffff) != PER_LINUX)
		return err_set(err, -EPROTO, "find the execution domain as it was set");
	if (setsid() < 0)
		return err_set(err, -errno, "start a session of the sandbox's own");
	if (getsid(0) != getpid())
		return err_set(err, -EPROTO, "find the sandbox in a session of its own");
	r = sys_keyctl_join_session();
	if (r == -ENOSYS)
		return 0;
	if (r < 0)
		return err_set(err, r, "join an empty session keyring");
	if (sys_keyctl_session() != r)
		return err_set(err, -EPROTO, "find the session keyring that was joined");
	return 0;
}

/* /proc/1/cmdline is readable to all, whatever the mode of /proc/1 (fs/proc/base.c). */
static void set_title(struct child *c)
{
	static const char name[] = "cordon";

	if (c->title_size <= sizeof(name))
		return;
	memset(c->title, 0, c->title_size);
	memcpy(c->title, name, sizeof(name));
}

int stage_ids(struct child *c, struct err *err)
{
	int r;

	set_title(c);
	r = tie_to_parent(c, err);
	if (r == 0)
		r = close_others(c, err);
	if (r == 0)
		r = write_maps(c, err);
	if (r == 0)
		r = own_cgroup_namespace(c, err);
	if (r == 0)
		r = reset_process(err);
	return r;
}
