// SPDX-License-Identifier: Apache-2.0
/* Host name, loopback, clocks, resource limits. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "sandbox/child.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* linux/sched.h, Linux 5.6 */
#endif

static int loopback_up(struct err *err)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	_cleanup_close_ int s = -1;

	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return err_set(err, -errno, "open a socket to bring up the loopback interface");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		return err_set(err, -errno, "bring up the loopback interface");
	return 0;
}

/* A limit of each process that stands in for one of the whole: where the cgroup has that, it would
 * only be in the way. One process may reserve more private memory than all of them may use, and a
 * fork that RLIMIT_NPROC refuses is never seen by pids.max, which would tell of it. */
static bool is_by_cgroup(const struct child *c, int resource)
{
	return (resource == RLIMIT_DATA && (c->limits_by_cgroup >> POLICY_LIMIT_MEMORY & 1)) ||
	       (resource == RLIMIT_NPROC && (c->limits_by_cgroup >> POLICY_LIMIT_PIDS & 1));
}

static int set_rlimits(const struct child *c, struct err *err)
{
	const struct plan *plan = c->plan;

	for (size_t i = 0; i < plan->n_rlimits; i++) {
		const struct plan_rlimit *want = &plan->rlimits[i];
		struct rlimit now, rl;
		int r;

		if (is_by_cgroup(c, want->resource))
			continue;
		r = sys_rlimit(want->resource, NULL, &now);
		if (r < 0)
			return err_set(err, r, "read the limit %s", want->name);
		/* Only downwards: the caller's own hard limit holds. */
		rl.rlim_cur = rl.rlim_max = want->value < now.rlim_max ? want->value : now.rlim_max;
		r = sys_rlimit(want->resource, &rl, NULL);
		if (r < 0)
			return err_set(err, r, "set the limit %s", want->name);
		r = sys_rlimit(want->resource, NULL, &now);
		if (r < 0)
			return err_set(err, r, "read the limit %s back", want->name);
		if (now.rlim_cur != rl.rlim_cur || now.rlim_max != rl.rlim_max)
			return err_set(err, -EPROTO, "find the limit %s as it was set", want->name);
	}
	return 0;
}

/* The offsets can be set until a first process lives in the namespace (time_namespaces(7)): the
 * payload will be it. */
static int new_clocks(struct child *c, struct err *err)
{
	static const struct {
		clockid_t clock;
		const char *name;
	} clocks[] = { { CLOCK_MONOTONIC, "monotonic" }, { CLOCK_BOOTTIME, "boottime" } };
	_cleanup_close_ int fd = -1;

	if (unshare(CLONE_NEWTIME) < 0)
		return err_set(err, -errno, "make a time namespace");
	fd = path_open_in(c->proc, "self/timens_offsets", O_WRONLY, PATH_FOLLOW_INSIDE);
	if (fd < 0)
		return err_set(err, fd, "open the offsets of the time namespace");
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		struct timespec now;
		char line[64];
		int r;

		if (clock_gettime(clocks[i].clock, &now) < 0)
			return err_set(err, -errno, "read the %s clock", clocks[i].name);
		(void)snprintf(line, sizeof(line), "%s -%lld 0\n", clocks[i].name,
			       (long long)now.tv_sec);
		r = fd_write_all(fd, line, strlen(line));
		if (r < 0)
			return err_set(err, r, "set the %s clock back", clocks[i].name);
	}
	return 0;
}

int stage_limits(struct child *c, struct err *err)
{
	const struct plan *plan = c->plan;
	struct utsname now;
	int r = 0;

	if (sethostname(plan->hostname, strlen(plan->hostname)) < 0 || uname(&now) < 0)
		return err_set(err, -errno, "set the host name '%s' inside", plan->hostname);
	if (strcmp(now.nodename, plan->hostname) != 0)
		return err_set(err, -EPROTO, "find the host name '%s' inside as it was set",
			       plan->hostname);
	if (plan->net == POLICY_NET_LOOPBACK)
		r = loopback_up(err);
	if (r == 0 && plan->new_time)
		r = new_clocks(c, err);
	return r == 0 ? set_rlimits(c, err) : r;
}
