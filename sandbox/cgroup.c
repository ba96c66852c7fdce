// SPDX-License-Identifier: Apache-2.0
#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"

#define LEAF_PREFIX	"cordon-"
#define SUPERVISOR_LEAF "cordon-supervisor"

enum {
	MAX_MOUNTINFO = 4 << 20,
	MAX_FILE = 1 << 20, /* cgroup.procs of a node with 100,000 processes */
	MAX_DEPTH = 64,
	MAX_ID = 40,
	MAX_GC = 4096,
	END_WAIT_MS = 2000,
};

/* --- files of a node */

static int write_file(int dir, const char *file, const char *value)
{
	_cleanup_close_ int fd = path_open_in(dir, file, O_WRONLY, PATH_NO_SYMLINKS);

	return fd < 0 ? fd : fd_write_all(fd, value, strlen(value));
}

static unsigned read_controllers(int dir, const char *file)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	return fd_read_virtual_at(dir, file, MAX_FILE, &buf) < 0
		       ? 0
		       : cgroup_parse_controllers(buf.data);
}

static bool exists_at(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_writable(int dir)
{
	return faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == 0 &&
	       faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0 &&
	       faccessat(dir, "cgroup.subtree_control", W_OK, AT_EACCESS) == 0;
}

/* systemd marks what it has handed over. */
static bool is_marked_delegated(int dir)
{
	char value[4];

	return fgetxattr(dir, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1';
}

static int open_node(int mount, const char *path)
{
	return path_open_in(mount, *path ? path : ".", O_RDONLY | O_DIRECTORY, PATH_NO_SYMLINKS);
}

/* Who sits in the node itself. A pid of 0 is somebody whom our pid namespace does not show. */
static int look_at_processes(struct cgroup_place *place)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;
	char own[16];
	char *line, *save = NULL;
	int r;

	/* cgroup.events is on every node but the root, which is exempt from the rule. */
	if (!exists_at(place->fd, "cgroup.events")) {
		place->crowded = place->inside = false;
		return 0;
	}
	r = fd_read_virtual_at(place->fd, "cgroup.procs", MAX_FILE, &buf);
	if (r < 0)
		return r;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	place->crowded = place->inside = false;
	for (line = strtok_r(buf.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, own) == 0)
			place->inside = true;
		else
			place->crowded = true;
	}
	return 0;
}

unsigned cgroup_obtainable(const struct cgroup_place *place)
{
	return place->crowded ? place->enabled & place->available : place->available;
}

void cgroup_place_done(struct cgroup_place *place)
{
	fd_closep(&place->fd);
}

/* --- finding */

static int count_bits(unsigned bits)
{
	return __builtin_popcount(bits);
}

static int join(char *ret, size_t size, const char *point, const char *path)
{
	int n = snprintf(ret, size, "%s%s%s", point, *path ? "/" : "", path);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static void consider(struct cgroup_place *best, int *fd, const char *point, const char *path)
{
	struct cgroup_place place = { .fd = *fd };

	if (join(place.path, sizeof(place.path), point, path) < 0)
		return;
	place.available = read_controllers(*fd, "cgroup.controllers");
	place.enabled = read_controllers(*fd, "cgroup.subtree_control");
	if (look_at_processes(&place) < 0)
		return;
	if (best->fd >= 0 &&
	    count_bits(cgroup_obtainable(&place)) <= count_bits(cgroup_obtainable(best)))
		return;
	cgroup_place_done(best);
	*best = place;
	*fd = -1;
}

static int not_delegated(const char *node, bool managed, struct err *err)
{
	err_set(err, -EACCES, "make cgroups in '%.512s', which is not delegated to you", node);
	return err_hint(
		err, "%s",
		!managed ? "let root chown a cgroup directory, its cgroup.procs and its "
			   "cgroup.subtree_control to you, and start cordon in it"
		: geteuid() == 0
			? "start it as: systemd-run --scope -p Delegate=yes cordon ..."
			: "start it as: systemd-run --user --scope -p Delegate=yes cordon ...");
}

/*
 * From our own node upwards as far as we may write: what is nearest and gives most. Below a service
 * manager only what it has marked as delegated; the walk ends there.
 */
static int walk(int mount, const char *point, char *path, struct cgroup_place *ret, struct err *err)
{
	struct cgroup_place best = CGROUP_PLACE_INIT;
	bool managed = false, delegated = false;
	char own[LIMIT_PATH];
	int depth;

	if (join(own, sizeof(own), point, path) < 0)
		return err_set(err, -ENAMETOOLONG, "name our own cgroup");
	for (depth = 0; depth < MAX_DEPTH && !delegated; depth++) {
		_cleanup_close_ int fd = open_node(mount, path);
		char *slash;

		if (fd < 0)
			break;
		managed = exists_at(fd, "init.scope");
		if (managed || !is_writable(fd))
			break;
		delegated = is_marked_delegated(fd);
		consider(&best, &fd, point, path);
		if (!*path)
			break;
		slash = strrchr(path, '/');
		*(slash ? slash : path) = '\0';
	}
	if (best.fd < 0 || (managed && !delegated)) {
		cgroup_place_done(&best);
		return not_delegated(own, managed || exists_at(mount, "init.scope"), err);
	}
	*ret = best;
	return 0;
}

static int read_own(char *ret_path, size_t size, struct cgroup_mount *ret_mount, struct err *err)
{
	_cleanup_buf_ struct buf self = BUF_INIT, mounts = BUF_INIT;
	int r;

	r = fd_read_virtual_at(AT_FDCWD, "/proc/self/cgroup", MAX_FILE, &self);
	if (r < 0)
		return err_set(err, r, "read '/proc/self/cgroup'");
	r = fd_read_virtual_at(AT_FDCWD, "/proc/self/mountinfo", MAX_MOUNTINFO, &mounts);
	if (r < 0)
		return err_set(err, r, "read '/proc/self/mountinfo'");
	r = cgroup_parse_mountinfo(mounts.data, ret_mount);
	if (r == 0)
		r = cgroup_parse_self(self.data, ret_path, size);
	if (r == 0)
		return 0;
	err_set(err, r,
		r == -EXDEV ? "use cgroup v2: our own node lies outside of its namespace"
			    : "find cgroup v2: it is not mounted here");
	return err_hint(err, "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 on "
			     "/sys/fs/cgroup");
}

int cgroup_find(struct cgroup_place *ret, struct err *err)
{
	_cleanup_free_ struct cgroup_mount *mount = NULL;
	_cleanup_close_ int fd = -1;
	char path[LIMIT_PATH];
	const char *below;
	char *slash;
	struct statfs fs;
	int r;

	mount = malloc(sizeof(*mount));
	if (!mount)
		return err_set(err, -ENOMEM, "look for cgroup v2");
	r = read_own(path, sizeof(path), mount, err);
	if (r < 0)
		return r;
	r = cgroup_relative(mount, path, &below);
	if (r < 0)
		return err_set(err, r, "use cgroup v2: our node '%.512s' is not below its mount",
			       path);
	fd = open(mount->point, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, -errno, "open '%.512s'", mount->point);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(err, -ENOENT, "find cgroup v2 at '%.512s', where something hides it",
			       mount->point);
	memmove(path, below, strlen(below) + 1);
	/* An earlier launch in this process, or the cordon that started us, has moved us. */
	slash = strrchr(path, '/');
	if (strcmp(slash ? slash + 1 : path, SUPERVISOR_LEAF) == 0)
		*(slash ? slash : path) = '\0';
	return walk(fd, mount->point, path, ret, err);
}

/* --- making */

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
	_cleanup_close_ int fd = -1;
	int r;

	if (mkdirat(place->fd, SUPERVISOR_LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open_node(place->fd, SUPERVISOR_LEAF);
	if (fd < 0)
		return fd;
	/* "0" is the writer itself. */
	r = write_file(fd, "cgroup.procs", "0");
	if (r == 0)
		place->inside = false;
	return r;
}

static void give_on(struct cgroup_place *place, unsigned which, char sign)
{
	char text[40], name[32];
	unsigned bit;

	for (bit = 1; bit <= CGROUP_ALL; bit <<= 1) {
		if (!(which & bit))
			continue;
		(void)snprintf(text, sizeof(text), "%c%s", sign, cgroup_names(bit, name));
		(void)write_file(place->fd, "cgroup.subtree_control", text);
	}
	place->enabled = read_controllers(place->fd, "cgroup.subtree_control");
}

/*
 * Enable what is wanted as far as it goes. One write each: a list is taken whole or not at all.
 *
 * Where pids or cpu are given on already and we came in nevertheless, the node is the root of a
 * threaded subtree, below which nothing new takes a process (cgroup_is_valid_domain). As nobody
 * else is there or below, they can be taken back until we have stepped aside.
 */
static void enable(struct cgroup_place *place, unsigned wanted)
{
	unsigned missing = wanted & cgroup_obtainable(place) & ~place->enabled;

	if (place->inside && !place->crowded && place->enabled) {
		missing |= place->enabled;
		give_on(place, place->enabled, '-');
	}
	if (missing && (!place->inside || step_aside(place) == 0))
		give_on(place, missing, '+');
}

/* "domain invalid" below processes that share pids or cpu: a process cannot be started in it. */
static bool takes_processes(int leaf)
{
	_cleanup_buf_ struct buf type = BUF_INIT;

	return fd_read_virtual_at(leaf, "cgroup.type", 64, &type) < 0 ||
	       strcmp(type.data, "domain invalid\n") != 0;
}

static unsigned wanted_controllers(const struct cgroup_limits *limits)
{
	return (limits->pids ? (unsigned)CGROUP_PIDS : 0) |
	       (limits->memory ? (unsigned)CGROUP_MEMORY : 0) |
	       (limits->cpu_milli ? (unsigned)CGROUP_CPU : 0);
}

static unsigned apply(int fd, const struct cgroup_limits *limits, unsigned have)
{
	struct cgroup_setting settings[CGROUP_SETTINGS];
	size_t i, n = cgroup_settings(limits, have, settings);
	unsigned in_force = wanted_controllers(limits) & have;
	int r;

	for (i = 0; i < n; i++) {
		r = write_file(fd, settings[i].file, settings[i].value);
		if (r < 0 && !(r == -ENOENT && settings[i].optional))
			in_force &= ~settings[i].controller;
	}
	return in_force;
}

/* The directory, locked so that no cgroup_gc takes the leaf for a left-over. */
static int make_leaf(int parent, const char *name)
{
	int tries;

	for (tries = 0; tries < 3; tries++) {
		_cleanup_close_ int fd = -1;

		if (mkdirat(parent, name, 0755) < 0)
			return -errno;
		fd = open_node(parent, name);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX) < 0)
			return -errno;
		/* A collector may have been between our mkdir and our lock. */
		if (exists_at(fd, "cgroup.procs"))
			return TAKE_FD(fd);
	}
	return -EBUSY;
}

int cgroup_make(struct cgroup_place *place, const char *id, const struct cgroup_limits *limits,
		struct cgroup *ret, struct err *err)
{
	struct cgroup cg = CGROUP_INIT;

	if (!id_is_good(id))
		return err_set(err, -EINVAL, "name a cgroup after this id");
	cg.parent = fcntl(place->fd, F_DUPFD_CLOEXEC, 3);
	if (cg.parent < 0)
		return err_set(err, -errno, "keep the cgroup directory open");
	enable(place, wanted_controllers(limits));
	(void)snprintf(cg.name, sizeof(cg.name), LEAF_PREFIX "%s", id);
	cg.fd = make_leaf(cg.parent, cg.name);
	if (cg.fd < 0) {
		fd_closep(&cg.parent);
		return err_set(err, cg.fd, "make the cgroup '%.500s/%s'", place->path, cg.name);
	}
	if ((place->crowded || place->inside) && !takes_processes(cg.fd)) {
		(void)unlinkat(cg.parent, cg.name, AT_REMOVEDIR);
		fd_closep(&cg.fd);
		fd_closep(&cg.parent);
		return err_set(err, -EOPNOTSUPP,
			       "start a process below the cgroup '%.500s', in which others sit",
			       place->path);
	}
	cg.in_force = apply(cg.fd, limits, place->enabled);
	*ret = cg;
	return 0;
}

/* --- afterwards */

static void read_count(int dir, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	if (fd_read_virtual_at(dir, file, MAX_FILE, &buf) == 0)
		(void)cgroup_parse_key(buf.data, key, ret);
}

int cgroup_events(const struct cgroup *cg, struct cgroup_events *ret)
{
	struct cgroup_events events = { 0 };

	if (cg->fd < 0)
		return -EBADF;
	read_count(cg->fd, "memory.events", "oom_kill", &events.oom_kill);
	read_count(cg->fd, "pids.events", "max", &events.pids_max);
	*ret = events;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* cgroup.events changes, and is POLLPRI, when the last process has gone. */
static int wait_empty(int dir)
{
	_cleanup_close_ int fd = path_open_in(dir, "cgroup.events", O_RDONLY, PATH_NO_SYMLINKS);
	int64_t left, end = now_ms() + END_WAIT_MS;
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
		left = end - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		(void)poll(&p, 1, (int)left);
	}
}

int cgroup_end(struct cgroup *cg, struct err *err)
{
	int r;

	if (cg->fd < 0)
		return 0;
	r = write_file(cg->fd, "cgroup.kill", "1"); /* Linux 5.14 */
	if (r == 0)
		r = wait_empty(cg->fd);
	if (unlinkat(cg->parent, cg->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = r < 0 ? r : -errno;
	else
		r = 0;
	if (r < 0)
		err_set(err, r, "remove the cgroup '%s'", cg->name);
	fd_closep(&cg->fd);
	fd_closep(&cg->parent);
	*cg = CGROUP_INIT;
	return r;
}

static bool remove_stale(int parent, const char *name)
{
	_cleanup_close_ int fd = open_node(parent, name);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	/* The kernel refuses (EBUSY) what holds a process or a child. */
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

int cgroup_gc(const struct cgroup_place *place)
{
	int removed = 0, seen = 0;
	int fd = open_node(place->fd, "");
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		fd_closep(&fd);
		return -ENOMEM;
	}
	for (struct dirent *e = readdir(dir); e && seen < MAX_GC; e = readdir(dir)) {
		if (e->d_type != DT_DIR || !text_starts_with(e->d_name, LEAF_PREFIX) ||
		    strcmp(e->d_name, SUPERVISOR_LEAF) == 0)
			continue;
		seen++;
		removed += remove_stale(place->fd, e->d_name);
	}
	(void)closedir(dir);
	return removed;
}
