// SPDX-License-Identifier: Apache-2.0
/*
 * Landlock by the plan: what each place grants, at the highest ABI present. Rules only add, so
 * hiding is the mounts' work; what Landlock adds is a second wall behind them, one that also
 * holds against files reached by a supplementary group that cannot be dropped.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "profiles/landlock.h"
#include "sandbox/child.h"

static uint64_t rights_of(enum plan_access access, int abi)
{
	switch (access) {
	case ACCESS_READ:
		return landlock_verb_rights(POLICY_PATH_READ, abi);
	case ACCESS_EXEC:
		return landlock_verb_rights(POLICY_PATH_EXEC, abi);
	case ACCESS_WRITE:
		return landlock_verb_rights(POLICY_PATH_WRITE, abi);
	case ACCESS_ALL:
		return landlock_verb_rights(POLICY_PATH_WRITE, abi) |
		       landlock_verb_rights(POLICY_PATH_EXEC, abi);
	case ACCESS_DEV:
		return landlock_dev_rights(abi);
	case ACCESS_PROC:
		return landlock_proc_rights(abi);
	case ACCESS_NONE:
		break;
	}
	return 0;
}

static int make_ruleset(const struct plan *plan)
{
	const struct sys_landlock_ruleset attr = {
		.handled_fs = landlock_handled_fs(plan->landlock_abi),
		.handled_net = plan->landlock_net,
		.scoped = landlock_scoped(plan->landlock_abi),
	};

	return sys_landlock_create_ruleset(&attr);
}

static int grant_fd(struct child *c, int ruleset, int fd, uint64_t access)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		access = landlock_file_rights(access);
	access &= landlock_handled_fs(c->plan->landlock_abi);
	if (access == 0)
		return 0;
	r = sys_landlock_add_path(ruleset, fd, access);
	if (r == 0)
		c->shared->landlock_rules++;
	return r;
}

static int grant(struct child *c, int ruleset, const char *path, enum plan_access access,
		 bool optional, struct err *err)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (access == ACCESS_NONE)
		return 0;
	fd = path_open_in(c->root, path, O_PATH, PATH_NO_SYMLINKS);
	if (optional && path_is_absent(fd))
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open '%s' for its Landlock rule", path);
	r = grant_fd(c, ruleset, fd, rights_of(access, c->plan->landlock_abi));
	return r < 0 ? err_set(err, r, "grant access below '%s' by Landlock", path) : 0;
}

/* Files of the host that were handed in open may be opened again by /proc/self/fd or /dev/stdout
 * with the rights they came with, and no more. Pipes and sockets need no rule. */
static int grant_passed(struct child *c, int ruleset, int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	uint64_t access = 0;
	struct stat st;
	int r;

	if (flags < 0 || (flags & O_PATH) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		access |= SYS_LANDLOCK_FS_READ_FILE;
	if ((flags & O_ACCMODE) != O_RDONLY)
		access |= SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_TRUNCATE;
	r = grant_fd(c, ruleset, fd, access);
	/* memfds and other files without a name are not mediated: EBADFD */
	return r < 0 && r != -EBADFD
		       ? err_set(err, r, "grant access to descriptor %d by Landlock", fd)
		       : 0;
}

/* A range is a rule a port: the plan has bounded them. */
static int grant_ports(struct child *c, int ruleset, struct err *err)
{
	for (size_t i = 0; i < c->plan->n_ports; i++) {
		const struct plan_port *p = &c->plan->ports[i];

		for (uint32_t port = p->first; port <= p->last; port++) {
			int r = sys_landlock_add_port(ruleset, (uint16_t)port, p->right);

			if (r < 0)
				return err_set(err, r, "grant port %u (%s) by Landlock", port,
					       p->why);
			c->shared->landlock_rules++;
		}
	}
	return 0;
}

static int add_rules(struct child *c, int ruleset, struct err *err)
{
	const struct plan *plan = c->plan;
	int r = grant(c, ruleset, "/", plan->root_access, false, err);

	if (r == 0)
		r = grant(c, ruleset, "/proc", ACCESS_PROC, false, err);
	if (r == 0)
		r = grant(c, ruleset, "/dev", ACCESS_DEV, false, err);
	if (r == 0)
		r = grant(c, ruleset, "/dev/shm", ACCESS_WRITE, false, err);
	for (size_t i = 0; i < plan->n_steps && r == 0; i++) {
		const struct plan_step *s = &plan->steps[i];

		if (s->access > plan->root_access || plan->root_access > ACCESS_ALL)
			r = grant(c, ruleset, s->dest, s->access, s->optional, err);
	}
	for (int fd = 0; fd < 3 && r == 0; fd++)
		r = grant_passed(c, ruleset, fd, err);
	for (size_t i = 0; i < plan->n_pass_fds && r == 0; i++)
		r = grant_passed(c, ruleset, plan->pass_fds[i], err);
	return r == 0 ? grant_ports(c, ruleset, err) : r;
}

/* The store is outside every rule: if a file in it can still be opened, Landlock is not there. */
static int check_in_force(struct child *c, struct err *err)
{
	_cleanup_close_ int fd = openat(c->store, "none", O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES)
		return 0;
	return err_set(err, -EPROTO, "find Landlock in force after it was applied");
}

/* By default the kernel's audit hears of a domain until the next execve, and so of nothing that a
 * payload does. Here it is the other way about: the look below is refused in each launch, on
 * purpose, and is nobody's news. Without a reader of the kernel's audit nothing of it is seen. */
static unsigned log_flags(int abi)
{
	return abi >= 7 ? SYS_LANDLOCK_LOG_SAME_EXEC_OFF | SYS_LANDLOCK_LOG_NEW_EXEC_ON : 0;
}

int landlock_apply(struct child *c, struct err *err)
{
	_cleanup_close_ int ruleset = -1;
	int r;

	if (c->plan->landlock_abi <= 0)
		return 0;
	ruleset = make_ruleset(c->plan);
	if (ruleset < 0)
		return err_set(err, ruleset, "make a Landlock ruleset");
	r = add_rules(c, ruleset, err);
	if (r < 0)
		return r;
	r = sys_landlock_restrict_self(ruleset, log_flags(c->plan->landlock_abi));
	if (r == -E2BIG) {
		(void)err_set(err, r, "apply Landlock");
		return err_hint(
			err,
			"the kernel nests at most 16 domains, and this process is in too many");
	}
	if (r < 0)
		return err_set(err, r, "apply Landlock");
	return check_in_force(c, err);
}
