// SPDX-License-Identifier: Apache-2.0
/* A leaf: making it with its limits, and its end. */
#include "sandbox/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "sandbox/cgroup_node.h"

enum {
	MAX_ID = 40,
	END_WAIT_MS = 2000,
	TRIES = 3, /* against a collector that removes what was just made */
	TURN_MS = 200,
};

static bool id_is_good(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n <= MAX_ID &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		       n &&
	       strcmp(id, "supervisor") != 0;
}

static int step_aside(struct cgroup_place *place)
{
	int r = -ENOENT;

	for (int tries = 0; tries < TRIES && (r == -ENOENT || r == -ENODEV); tries++) {
		_cleanup_close_ int fd = -1;

		if (mkdirat(place->fd, CGROUP_SUPERVISOR, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = cgroup_open_node(place->fd, CGROUP_SUPERVISOR);
		/* "0" is the writer itself; ENODEV: the node was removed under us. */
		r = fd < 0 ? fd : cgroup_write(fd, "cgroup.procs", "0");
	}
	if (r == 0)
		place->inside = false;
	return r;
}

/* 0 or the last -errno. */
static int give_on(struct cgroup_place *place, unsigned which, char sign)
{
	char text[64], name[48];
	unsigned bit;
	int r, failed = 0;

	for (bit = 1; bit <= CGROUP_ALL; bit <<= 1) {
		if (!(which & bit))
			continue;
		(void)snprintf(text, sizeof(text), "%c%s", sign, cgroup_names(bit, name));
		r = cgroup_write(place->fd, "cgroup.subtree_control", text);
		if (r == 0)
			place->enabled = sign == '+' ? place->enabled | bit : place->enabled & ~bit;
		else
			failed = r;
	}
	return failed;
}

/*
 * Enable what is wanted as far as it goes. One write each: a list is taken whole or not at all. 0
 * or the -errno of what could not be enabled.
 *
 * Where pids or cpu are given on already and we came in nevertheless, the node is the root of a
 * threaded subtree, below which nothing new takes a process (cgroup_is_valid_domain). As nobody
 * else is there or below, they can be taken back until we have stepped aside.
 */
static int enable(struct cgroup_place *place, unsigned wanted)
{
	unsigned missing = wanted & cgroup_obtainable(place) & ~place->enabled;

	if (place->inside && !place->crowded && place->enabled) {
		missing |= place->enabled;
		(void)give_on(place, place->enabled, '-');
	}
	if (missing && (!place->inside || step_aside(place) == 0))
		return give_on(place, missing, '+');
	return 0;
}

/* "domain invalid" below processes that share pids or cpu: a process cannot be started in it. */
static bool takes_processes(int leaf)
{
	_cleanup_buf_ struct buf type = BUF_INIT;

	return fd_read_virtual_at(leaf, "cgroup.type", 64, &type) < 0 ||
	       strcmp(type.data, "domain invalid\n") != 0;
}

static int read_cpus(int dir, const char *file, struct cpus *ret)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;
	int r = fd_read_virtual_at(dir, file, CGROUP_FILE_MAX, &buf);

	if (r < 0)
		return r;
	buf.data[strcspn(buf.data, "\n")] = '\0';
	return cpus_parse_known(buf.data, ret);
}

/* The kernel refuses numbers that the machine cannot have, and gives those that it has but we may
 * not use as if nothing had been said: so only what is there is asked for, and what came of it
 * read. */
static int set_cpus(int dir, const struct cpus *wanted)
{
	char text[CPUS_TEXT];
	struct cpus have, both;
	int r = read_cpus(dir, "cpuset.cpus.effective", &have);

	if (r < 0)
		return r;
	both = cpus_both(wanted, &have);
	if (cpus_count(&both) == 0)
		return -ENODEV;
	r = cgroup_write(dir, "cpuset.cpus", cpus_format(&both, text));
	if (r == 0)
		r = read_cpus(dir, "cpuset.cpus.effective", &have);
	return r < 0 ? r : cpus_within(&have, wanted) ? 0 : -EPROTO;
}

static void refuse(struct cgroup *cg, enum policy_limit limit, int error)
{
	cg->in_force &= ~(1U << limit);
	cg->error = cg->error ? cg->error : error;
}

static void apply(struct cgroup *cg, const struct cgroup_limits *limits, unsigned have)
{
	struct cgroup_setting settings[CGROUP_SETTINGS];
	size_t n = cgroup_settings(limits, have, settings);
	int r;

	for (unsigned i = 0; i < _POLICY_LIMIT_MAX; i++) {
		if ((limits->set >> i & 1) && !(cgroup_controllers(1U << i) & ~have))
			cg->in_force |= 1U << i;
	}
	for (size_t i = 0; i < n; i++) {
		r = cgroup_write(cg->fd, settings[i].file, settings[i].value);
		if (r < 0 && !(r == -ENOENT && settings[i].optional))
			refuse(cg, settings[i].limit, r);
	}
	if (cg->in_force & CGROUP_LIMIT(CPUSET)) {
		r = set_cpus(cg->fd, &limits->cpuset);
		if (r < 0)
			refuse(cg, POLICY_LIMIT_CPUSET, r);
	}
}

/* While this lasts no cgroup_gc looks at what is in the directory: between mkdir and lock a leaf is
 * what a left-over is. Who holds it too long (a collector that was stopped) is not waited for. */
static void keep_gc_away(int parent)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < TURN_MS; i++) {
		if (flock(parent, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

/* The directory, locked so that no cgroup_gc takes the leaf for a left-over. */
static int make_locked(int parent, const char *name)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		_cleanup_close_ int fd = -1;

		if (mkdirat(parent, name, 0755) < 0)
			return -errno;
		fd = cgroup_open_node(parent, name);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX) < 0)
			return -errno;
		/* A collector may have been between our mkdir and our lock. */
		if (cgroup_has(fd, "cgroup.procs"))
			return TAKE_FD(fd);
	}
	return -EBUSY;
}

static int make_leaf(int parent, const char *name)
{
	int fd;

	keep_gc_away(parent);
	fd = make_locked(parent, name);
	(void)flock(parent, LOCK_UN);
	return fd;
}

/* Who limits more than a number of processes may know what was used as well. With pids alone, which
 * every shipped policy has, a launch stays without: a memory controller costs each of them. */
static unsigned counted(unsigned limits)
{
	return limits & ~CGROUP_LIMIT(PIDS) ? CGROUP_MEMORY | CGROUP_IO : 0;
}

int cgroup_make(struct cgroup_place *place, const char *id, const struct cgroup_limits *limits,
		struct cgroup *ret, struct err *err)
{
	struct cgroup cg = CGROUP_INIT;
	int failed;

	if (!id_is_good(id))
		return err_set(err, -EINVAL, "name a cgroup after this id");
	cg.parent = fcntl(place->fd, F_DUPFD_CLOEXEC, 3);
	if (cg.parent < 0)
		return err_set(err, -errno, "keep the cgroup directory open");
	failed = enable(place, cgroup_controllers(limits->set) | counted(limits->set));
	(void)snprintf(cg.name, sizeof(cg.name), CGROUP_LEAF "%s", id);
	cg.fd = make_leaf(cg.parent, cg.name);
	if (cg.fd < 0) {
		fd_closep(&cg.parent);
		return err_set(err, cg.fd, "make the cgroup '%.500s/%s'", place->path, cg.name);
	}
	if ((place->crowded || place->inside) && !takes_processes(cg.fd)) {
		(void)unlinkat(cg.parent, cg.name, AT_REMOVEDIR);
		fd_closep(&cg.fd);
		fd_closep(&cg.parent);
		(void)err_set(err, -EOPNOTSUPP,
			      "start a process below the cgroup '%.500s', in which others sit",
			      place->path);
		return err_hint(err,
				"start cordon alone in its node, as systemd-run --user --scope "
				"-p Delegate=yes does");
	}
	cg.counts = place->enabled & place->available;
	apply(&cg, limits, place->enabled);
	if (cg.in_force != limits->set && cg.error == 0)
		cg.error = failed;
	*ret = cg;
	return 0;
}

/* --- the end */

/* cgroup.events changes, and is POLLPRI, when the last process has gone. */
static int wait_empty(int dir)
{
	_cleanup_close_ int fd = path_open_in(dir, "cgroup.events", O_RDONLY, PATH_NO_SYMLINKS);
	int64_t left, end = clock_ms_of(CLOCK_MONOTONIC) + END_WAIT_MS;
	char text[256];
	uint64_t populated;
	ssize_t n;

	if (fd < 0)
		return fd;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };

		n = pread(fd, text, sizeof(text) - 1, 0);
		if (n < 0)
			return -errno;
		text[n] = '\0';
		if (cgroup_parse_key(text, "populated", &populated) < 0 || populated == 0)
			return 0;
		left = end - clock_ms_of(CLOCK_MONOTONIC);
		if (left <= 0)
			return -ETIMEDOUT;
		(void)poll(&p, 1, (int)left);
	}
}

int cgroup_end(struct cgroup *cg, struct err *err)
{
	int r = 0;

	if (cg->fd < 0)
		return 0;
	/* Mostly nobody is left: who waited for pid 1 knows its pid namespace empty. */
	if (unlinkat(cg->parent, cg->name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		r = cgroup_write(cg->fd, "cgroup.kill", "1"); /* Linux 5.14 */
		if (r == 0)
			r = wait_empty(cg->fd);
		if (unlinkat(cg->parent, cg->name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			r = 0;
		else
			r = r < 0 ? r : -errno;
	}
	if (r < 0)
		err_set(err, r, "remove the cgroup '%s'", cg->name);
	fd_closep(&cg->fd);
	fd_closep(&cg->parent);
	*cg = CGROUP_INIT;
	return r;
}
