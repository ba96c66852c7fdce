// SPDX-License-Identifier: Apache-2.0
/* The part of the tree that was handed over to us. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/cgroup_node.h"

enum { MAX_DEPTH = 64 };

static unsigned read_controllers(int dir, const char *file)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	return fd_read_virtual_at(dir, file, CGROUP_FILE_MAX, &buf) < 0
		       ? 0
		       : cgroup_parse_controllers(buf.data);
}

static bool is_writable(int dir)
{
	return faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == 0 &&
	       faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0 &&
	       faccessat(dir, "cgroup.subtree_control", W_OK, AT_EACCESS) == 0;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

/* systemd marks what it has handed over; scope is what it has just handed over. */
static bool is_delegated(int dir, const char *path, const char *scope)
{
	char value[4];

	return (scope && strcmp(last_name(path), scope) == 0) ||
	       (fgetxattr(dir, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1');
}

/* Who sits in the node itself. A pid of 0 is somebody whom our pid namespace does not show. */
static int look_at_processes(struct cgroup_place *place)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;
	char own[16];
	char *line, *save = NULL;
	int r;

	place->crowded = place->inside = false;
	/* cgroup.events is on every node but the root, which is exempt from the rule. */
	if (!cgroup_has(place->fd, "cgroup.events"))
		return 0;
	r = fd_read_virtual_at(place->fd, "cgroup.procs", CGROUP_FILE_MAX, &buf);
	if (r < 0)
		return r;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
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
	free(place->path);
	place->path = NULL;
}

static int count_bits(unsigned bits)
{
	return __builtin_popcount(bits);
}

/* NULL: out of memory. */
static char *join(const char *point, const char *path)
{
	char *text;

	return asprintf(&text, "%s%s%s", point, *path ? "/" : "", path) < 0 ? NULL : text;
}

static int consider(struct cgroup_place *best, int *fd, const char *point, const char *path)
{
	struct cgroup_place place = { .fd = *fd };

	place.available = read_controllers(*fd, "cgroup.controllers");
	place.enabled = read_controllers(*fd, "cgroup.subtree_control");
	if (look_at_processes(&place) < 0)
		return 0;
	if (best->fd >= 0 &&
	    count_bits(cgroup_obtainable(&place)) <= count_bits(cgroup_obtainable(best)))
		return 0;
	place.path = join(point, path);
	if (!place.path)
		return -ENOMEM;
	cgroup_place_done(best);
	*best = place;
	*fd = -1;
	return 0;
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
static int walk(int mount, const char *point, char *path, const char *scope,
		struct cgroup_place *ret, struct err *err)
{
	_cleanup_free_ char *own = join(point, path);
	struct cgroup_place best = CGROUP_PLACE_INIT;
	bool managed = false, delegated = false;
	int depth, r = own ? 0 : -ENOMEM;

	for (depth = 0; depth < MAX_DEPTH && !delegated && r == 0; depth++) {
		_cleanup_close_ int fd = cgroup_open_node(mount, path);

		if (fd < 0)
			break;
		managed = cgroup_has(fd, "init.scope");
		if (managed || !is_writable(fd))
			break;
		delegated = is_delegated(fd, path, scope);
		r = consider(&best, &fd, point, path);
		if (!*path)
			break;
		cut_last(path);
	}
	if (r < 0 || best.fd < 0 || (managed && !delegated)) {
		cgroup_place_done(&best);
		if (r < 0)
			return err_set(err, r, "look for a cgroup");
		return not_delegated(own, managed || cgroup_has(mount, "init.scope"), err);
	}
	*ret = best;
	return 0;
}

int cgroup_find(const char *scope, struct cgroup_place *ret, struct err *err)
{
	struct own {
		struct cgroup_mount mount;
		char path[LIMIT_PATH];
	};
	_cleanup_free_ struct own *own = malloc(sizeof(*own));
	_cleanup_close_ int fd = -1;
	int r;

	if (!own)
		return err_set(err, -ENOMEM, "look for cgroup v2");
	r = cgroup_read_own(own->path, &own->mount, err);
	if (r < 0)
		return r;
	fd = cgroup_open_mount(&own->mount, err);
	if (fd < 0)
		return fd;
	/* An earlier launch in this process, or the cordon that started us, has moved us. */
	if (strcmp(last_name(own->path), CGROUP_SUPERVISOR) == 0)
		cut_last(own->path);
	return walk(fd, own->mount.point, own->path, scope, ret, err);
}
