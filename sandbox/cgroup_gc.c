// SPDX-License-Identifier: Apache-2.0
/*
 * What a supervisor that was killed has left: a leaf that nobody is in and nobody holds the lock
 * of. The kernel removes no directory that holds a process or a child, so that nothing here can
 * hurt a living sandbox; the lock is for one that has its leaf and not yet its first process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/cgroup_node.h"

enum {
	ID_DIGITS = 16, /* of a plan's id */
	MAX_DEPTH = 32,
	MAX_LEAVES = 65536,	 /* of one directory */
	MAX_DIRECTORIES = 65536, /* of one walk */
};

/* cordon-ID and then tail, ID being a sandbox's: whoever else calls a node of his cordon-something,
 * a service of that name, say, keeps it. */
static bool is_name(const char *name, const char *tail)
{
	const size_t head = strlen(CGROUP_LEAF);

	return text_starts_with(name, CGROUP_LEAF) &&
	       strspn(name + head, "0123456789abcdef") == ID_DIGITS &&
	       strcmp(name + head + ID_DIGITS, tail) == 0;
}

static bool is_leaf_name(const char *name)
{
	return is_name(name, "");
}

static bool is_scope_name(const char *name)
{
	return is_name(name, CGROUP_SCOPE);
}

static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid();
}

static bool is_empty(int fd)
{
	uint64_t populated = 1;

	cgroup_read_key(fd, "cgroup.events", "populated", &populated);
	return populated == 0;
}

static bool remove_unlocked(int parent, const char *name, bool dry)
{
	_cleanup_close_ int fd = cgroup_open_node(parent, name);

	if (fd < 0 || !is_ours(fd) || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	if (dry)
		return is_empty(fd);
	/* The kernel refuses (EBUSY) what holds a process or a child. */
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* Not while a launch makes its leaf there: what it has not locked yet looks the same. */
static bool remove_stale(int parent, const char *name, bool dry)
{
	bool removed;

	if (flock(parent, LOCK_EX | LOCK_NB) < 0)
		return false;
	removed = remove_unlocked(parent, name, dry);
	(void)flock(parent, LOCK_UN);
	return removed;
}

/* The position in a directory of kernfs is the hash of a name (fs/kernfs/dir.c): any number is the
 * beginning of what is behind it. */
static DIR *open_from(int dir, off_t position)
{
	int fd = cgroup_open_node(dir, "");
	DIR *d;

	if (fd < 0)
		return NULL;
	if (position > 0)
		(void)lseek(fd, position, SEEK_SET);
	d = fdopendir(fd);
	if (!d)
		fd_closep(&fd);
	return d;
}

static int collect_from(int place, off_t position, unsigned at_most, unsigned *seen)
{
	DIR *dir = open_from(place, position);
	int removed = 0;

	if (!dir)
		return -errno;
	for (struct dirent *e = readdir(dir); e && *seen < at_most; e = readdir(dir)) {
		if (e->d_type != DT_DIR || !is_leaf_name(e->d_name))
			continue;
		(*seen)++;
		removed += remove_stale(place, e->d_name, false);
	}
	(void)closedir(dir);
	return removed;
}

int cgroup_gc(const struct cgroup_place *place, unsigned at_most)
{
	uint32_t random = 0;
	unsigned seen = 0;
	struct stat st;
	int r, more;

	/* Links are "..", "." and one a child. */
	if (fstat(place->fd, &st) == 0 && st.st_nlink <= 2)
		return 0;
	if (at_most)
		(void)sys_getrandom(&random, sizeof(random));
	else
		at_most = MAX_LEAVES;
	r = collect_from(place->fd, random & INT32_MAX, at_most, &seen);
	if (r < 0 || random == 0 || seen >= at_most)
		return r;
	more = collect_from(place->fd, 0, at_most, &seen);
	return more < 0 ? more : r + more;
}

/* --- everywhere */

struct walk {
	bool dry;
	cgroup_gc_fn *fn;
	void *ctx;
	unsigned left; /* directories that may still be looked at */
	int found;
	char path[LIMIT_PATH];
};

static void found(struct walk *w)
{
	w->found++;
	w->fn(w->ctx, w->path);
}

static void walk(struct walk *w, int dir, unsigned depth);

/* An empty scope goes with what is in it; its manager, where one runs, is about to do the same. */
static void look_at_scope(struct walk *w, int parent, const char *name, unsigned depth)
{
	_cleanup_close_ int fd = cgroup_open_node(parent, name);
	bool empty;

	if (fd < 0)
		return;
	empty = is_ours(fd) && is_empty(fd);
	walk(w, fd, depth + 1);
	if (empty && (w->dry || unlinkat(parent, name, AT_REMOVEDIR) == 0))
		found(w);
}

static void look_at_supervisors(struct walk *w, int parent)
{
	_cleanup_close_ int fd = cgroup_open_node(parent, CGROUP_SUPERVISOR);

	if (fd < 0 || !is_ours(fd) || !is_empty(fd))
		return;
	if (w->dry || unlinkat(parent, CGROUP_SUPERVISOR, AT_REMOVEDIR) == 0)
		found(w);
}

static void look_at(struct walk *w, int dir, const char *name, unsigned depth)
{
	if (strcmp(name, CGROUP_SUPERVISOR) == 0) {
		look_at_supervisors(w, dir);
	} else if (is_scope_name(name)) {
		look_at_scope(w, dir, name, depth);
	} else if (is_leaf_name(name)) {
		if (remove_stale(dir, name, w->dry))
			found(w);
	} else {
		_cleanup_close_ int fd = cgroup_open_node(dir, name);

		if (fd >= 0)
			walk(w, fd, depth + 1);
	}
}

static void walk(struct walk *w, int dir, unsigned depth)
{
	const size_t end = strlen(w->path);
	DIR *d = depth < MAX_DEPTH ? open_from(dir, 0) : NULL;

	for (struct dirent *e = d ? readdir(d) : NULL; e && w->left > 0; e = readdir(d)) {
		int n;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		n = snprintf(w->path + end, sizeof(w->path) - end, "/%s", e->d_name);
		w->left--;
		if (n > 0 && (size_t)n < sizeof(w->path) - end)
			look_at(w, dir, e->d_name, depth);
		w->path[end] = '\0';
	}
	if (d)
		(void)closedir(d);
}

int cgroup_gc_all(bool dry, cgroup_gc_fn *fn, void *ctx, struct err *err)
{
	_cleanup_free_ struct cgroup_mount *mount = NULL;
	_cleanup_free_ struct walk *w = NULL;
	_cleanup_close_ int fd = -1;
	char own[LIMIT_PATH];
	int r;

	mount = malloc(sizeof(*mount));
	w = calloc(1, sizeof(*w));
	if (!mount || !w)
		return err_set(err, -ENOMEM, "look for cgroups that were left");
	r = cgroup_read_own(own, mount, err);
	if (r < 0)
		return r;
	fd = cgroup_open_mount(mount, err);
	if (fd < 0)
		return fd;
	*w = (struct walk){ .dry = dry, .fn = fn, .ctx = ctx, .left = MAX_DIRECTORIES };
	(void)snprintf(w->path, sizeof(w->path), "%s", mount->point);
	walk(w, fd, 0);
	return w->found;
}
