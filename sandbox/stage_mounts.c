// SPDX-License-Identifier: Apache-2.0
/*
 * Build the new root beside the old one.
 *
 * The store is one tmpfs with the size and inode limit; everything writable lies in it: the
 * root of a host view, the upper of an overlay, /tmp, the home. It is mounted over "/" (look-ups
 * still begin at the old root below) and goes with the old root; the sandbox sees only binds of
 * directories in it.
 *
 * Every tree gets its flags while it is detached, so that no name ever leads to it without
 * them. Every destination is made and opened beneath the new root's descriptor.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "sandbox/child.h"

/* A detached tree keeps its number when it is attached. Nothing on the way to path is a symlink:
 * its mount point was made or opened so. */
int mounts_begins(int tree, int at, const char *path)
{
	uint64_t want, got;
	int r = sys_mount_id(tree, "", &want);

	if (r == 0)
		r = sys_mount_id(at, path[0] == '/' ? path + 1 : path, &got);
	return r == 0 && want != got ? -EPROTO : r;
}

int mounts_attach(int tree, int dest, int at, const char *path)
{
	int r = sys_move_mount(tree, "", dest, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	return r < 0 ? r : mounts_begins(tree, at, path);
}

int mounts_is_planned(int fd, const struct plan_inode *want, const char *use, const char *path,
		      const char *why, struct err *err)
{
	struct stat st;

	if (want->ino == 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at '%s' once more", path);
	if (st.st_dev == want->dev && st.st_ino == want->ino)
		return 0;
	return err_set(err, -ESTALE, "%s '%s'%s%s%s: it was exchanged during the launch", use, path,
		       why ? " (" : "", why ? why : "", why ? ")" : "");
}

static int detach_propagation(struct err *err)
{
	/* What the host mounts later must not appear inside. */
	int r = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, 0, 0, MS_PRIVATE);

	return r < 0 ? err_set(err, r, "make the mounts of the sandbox private") : 0;
}

int mounts_clone_store(struct child *c, const char *name)
{
	return sys_open_tree(c->store, name,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}

static int check_flags(int fd, uint64_t set, struct err *err, const char *what)
{
	static const struct {
		uint64_t attr;
		unsigned long flag;
	} flags[] = { { MOUNT_ATTR_RDONLY, ST_RDONLY },
		      { MOUNT_ATTR_NOSUID, ST_NOSUID },
		      { MOUNT_ATTR_NODEV, ST_NODEV },
		      { MOUNT_ATTR_NOEXEC, ST_NOEXEC } };
	struct statvfs st;

	if (fstatvfs(fd, &st) < 0)
		return err_set(err, -errno, "read the mount flags of '%s' back", what);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if ((set & flags[i].attr) && !(st.f_flag & flags[i].flag))
			return err_set(err, -EPROTO,
				       "find the mount flags of '%s' as they were set", what);
	}
	return 0;
}

int mounts_set_flags(int tree, bool recursive, uint64_t set, struct err *err, const char *what)
{
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), set, 0,
				  MS_PRIVATE);

	if (r < 0)
		return err_set(err, r, "set the mount flags of '%s'", what);
	return check_flags(tree, set, err, what);
}

/* One empty directory and one empty file, each mounted read-only over itself in the store: a copy
 * of such a mount covers what is hidden, and keeps the flags without another call. */
static int make_cover(struct child *c, const char *name, struct err *err)
{
	_cleanup_close_ int tree = mounts_clone_store(c, name);
	int r;

	if (tree < 0)
		return err_set(err, tree, "make a cover for what is hidden");
	r = mounts_set_flags(tree, false,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     MOUNT_ATTR_NOEXEC,
			     err, name);
	if (r < 0)
		return r;
	r = sys_move_mount(tree, "", c->store, name, MOVE_MOUNT_F_EMPTY_PATH);
	if (r == 0)
		r = mounts_begins(tree, c->store, name);
	return r < 0 ? err_set(err, r, "attach a cover for what is hidden") : 0;
}

static int make_covers(struct child *c, struct err *err)
{
	int fd, r;

	if (mkdirat(c->store, "empty", 0555) < 0)
		return err_set(err, -errno, "make an empty directory in the upper");
	fd = openat(c->store, "none", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return err_set(err, -errno, "make an empty file in the upper");
	(void)close(fd);
	r = make_cover(c, "empty", err);
	return r == 0 ? make_cover(c, "none", err) : r;
}

/* The mode of its root, and the limits on what can be written, as the file system itself tells
 * them: in whole pages. */
static int check_store(struct child *c, struct err *err)
{
	struct statvfs st;
	struct stat root;
	uint64_t bytes;

	if (fstatvfs(c->store, &st) < 0 || fstat(c->store, &root) < 0)
		return err_set(err, -errno, "read the limits of the upper back");
	bytes = (uint64_t)st.f_blocks * st.f_frsize;
	if (bytes < c->plan->upper_size || bytes - c->plan->upper_size >= st.f_frsize ||
	    st.f_files != c->plan->upper_inodes || (root.st_mode & 07777) != 0755)
		return err_set(err, -EPROTO, "find the limits of the upper as they were set");
	return 0;
}

static int make_store(struct child *c, struct err *err)
{
	_cleanup_close_ int fs = -1, mnt = -1;
	char size[32], inodes[32];
	int r;

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)c->plan->upper_size);
	(void)snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)c->plan->upper_inodes);
	fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_set(err, fs, "open the tmpfs file system for the upper");
	if ((r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0)) < 0 ||
	    (r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0)) < 0 ||
	    (r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0)) < 0 ||
	    (r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) < 0)
		return err_set(err, r, "make a tmpfs of %s bytes and %s inodes for the upper", size,
			       inodes);
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mnt < 0)
		return err_set(err, mnt, "mount the tmpfs for the upper");
	r = sys_move_mount(mnt, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return err_set(err, r, "attach the tmpfs for the upper");
	c->store = TAKE_FD(mnt);
	r = check_store(c, err);
	return r == 0 ? make_covers(c, err) : r;
}

int mounts_new_dir(struct child *c, mode_t mode, char ret_name[16])
{
	(void)snprintf(ret_name, 16, "p%u", c->n_store++);
	if (mkdirat(c->store, ret_name, 0755) < 0)
		return -errno;
	/* mkdir obeys the umask; the sticky world-writable /tmp must not. */
	if (mode != 0755 && fchmodat(c->store, ret_name, mode, 0) < 0)
		return -errno;
	return 0;
}

static int make_root(struct child *c, struct err *err)
{
	_cleanup_close_ int tree = -1, base = -1;
	const struct plan *plan = c->plan;
	int r;

	if (plan->root == ROOT_OVERLAY)
		return mounts_overlay(c, plan->layers, plan->layer_inodes, plan->n_layers, true,
				      err);
	if (plan->root == ROOT_HOST) {
		if (mkdirat(c->store, "root", 0755) < 0)
			return err_set(err, -errno, "make the root directory in the upper");
		tree = mounts_clone_store(c, "root");
	} else {
		base = path_open_exact(plan->layers[0], O_PATH | O_DIRECTORY);
		if (base < 0)
			return err_set(err, base, "open the base '%s'", plan->layers[0]);
		r = mounts_is_planned(base, &plan->layer_inodes[0], "use the base", plan->layers[0],
				      NULL, err);
		if (r < 0)
			return r;
		tree = sys_open_tree(base, "",
				     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					     AT_RECURSIVE);
	}
	if (tree < 0)
		return err_set(err, tree, "make the new root");
	r = mounts_set_flags(tree, plan->root == ROOT_READONLY,
			     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     (plan->root == ROOT_READONLY ? MOUNT_ATTR_RDONLY : 0U),
			     err, "/");
	if (r < 0)
		return r;
	r = sys_move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return err_set(err, r, "attach the new root");
	c->root = TAKE_FD(tree);
	return 0;
}

/* A destination that a mount can go onto: made as what the source is. */
static int make_dest(struct child *c, const struct plan_step *s, bool is_dir, struct err *err)
{
	int fd = is_dir ? path_make_dirs(c->root, s->dest, 0755)
			: path_make_file(c->root, s->dest, 0644);

	if (fd == -ELOOP || fd == -ENOTDIR) {
		(void)err_set(err, fd, "make the mount point '%s' (%s)", s->dest, s->why);
		return err_hint(err,
				"a symlink or a file lies on the way inside; name the real path");
	}
	if (fd == -EROFS || fd == -EACCES || fd == -EPERM) {
		(void)err_set(err, fd, "make the mount point '%s' (%s)", s->dest, s->why);
		return err_hint(err,
				"it would lie in a read-only place; make it on the host or choose "
				"another destination");
	}
	return fd < 0 ? err_set(err, fd, "make the mount point '%s' (%s)", s->dest, s->why) : fd;
}

static int step_bind(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int src = -1, tree = -1, dest = -1;
	const bool device = path_is_within(s->dest, "/dev");
	uint64_t flags = MOUNT_ATTR_NOSUID | (s->writable ? 0U : MOUNT_ATTR_RDONLY) |
			 (device ? 0U : MOUNT_ATTR_NODEV);
	struct stat st;
	int r;

	src = path_open_exact(s->source, O_PATH);
	if (s->optional && (src == -ENOENT || src == -EACCES || src == -ELOOP || src == -ENOTDIR))
		return 0;
	if (src < 0)
		return err_set(err, src, "open '%s' (%s)", s->source, s->why);
	if (fstat(src, &st) < 0)
		return err_set(err, -errno, "look at '%s' (%s)", s->source, s->why);
	r = mounts_is_planned(src, &s->inode, "use", s->source, s->why, err);
	if (r < 0)
		return r;
	tree = sys_open_tree(src, "",
			     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				     (S_ISDIR(st.st_mode) ? (unsigned)AT_RECURSIVE : 0U));
	if (tree < 0)
		return err_set(err, tree, "take '%s' into the sandbox (%s)", s->source, s->why);
	r = mounts_set_flags(tree, S_ISDIR(st.st_mode), flags, err, s->source);
	if (r < 0)
		return r;
	dest = make_dest(c, s, S_ISDIR(st.st_mode), err);
	if (dest < 0)
		return dest;
	if (s->covers_source) {
		const struct plan_inode source = { .dev = st.st_dev, .ino = st.st_ino };

		r = mounts_is_planned(dest, &source, "cover", s->dest, s->why, err);
		if (r < 0)
			return r;
	}
	r = mounts_attach(tree, dest, c->root, s->dest);
	return r < 0 ? err_set(err, r, "mount '%s' on '%s' (%s)", s->source, s->dest, s->why) : 0;
}

/* An empty writable directory: plain where the upper itself is, else a bind of a store directory.
 */
static int step_place(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int tree = -1, dest = -1;
	char name[16];
	int r;

	dest = make_dest(c, s, true, err);
	if (dest < 0)
		return s->optional && dest == -EROFS ? 0 : dest;
	if (!s->mounted) {
		char self[64];

		if (s->mode == 0755)
			return 0;
		/* fchmod() refuses O_PATH descriptors; the link in our own /proc is the way round
		 * (open(2), O_PATH). */
		(void)snprintf(self, sizeof(self), "self/fd/%d", dest);
		return fchmodat(c->host_proc, self, s->mode, 0) < 0
			       ? err_set(err, -errno, "set the mode of '%s'", s->dest)
			       : 0;
	}
	r = mounts_new_dir(c, s->mode, name);
	if (r < 0)
		return err_set(err, r, "make an empty directory for '%s'", s->dest);
	tree = mounts_clone_store(c, name);
	if (tree < 0)
		return err_set(err, tree, "make an empty directory for '%s'", s->dest);
	r = mounts_attach(tree, dest, c->root, s->dest);
	return r < 0 ? err_set(err, r, "mount an empty directory on '%s' (%s)", s->dest, s->why)
		     : 0;
}

/* Put something empty and read-only over dest. Where mount points will be made within it, that is
 * a directory of its own, read-only only afterwards (close_up). */
static int cover_dest(struct child *c, const struct plan_step *s, int dest, bool is_dir,
		      struct err *err)
{
	_cleanup_close_ int tree = -1;
	char name[16] = "none";
	int r = 0;

	if (is_dir && s->has_below)
		r = mounts_new_dir(c, 0755, name);
	else if (is_dir)
		(void)snprintf(name, sizeof(name), "empty");
	if (r < 0)
		return err_set(err, r, "make an empty directory for '%s'", s->dest);
	tree = mounts_clone_store(c, name);
	if (tree < 0)
		return err_set(err, tree, "cover '%s' (%s)", s->dest, s->why);
	r = mounts_attach(tree, dest, c->root, s->dest);
	return r < 0 ? err_set(err, r, "cover '%s' (%s)", s->dest, s->why) : 0;
}

static int step_hide(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int dest = -1;
	struct stat st;
	int r;

	dest = path_open_in(c->root, s->dest, O_PATH, PATH_NO_SYMLINKS);
	/* Not there, or a symlink: what it leads to is hidden by its own name. */
	if ((dest == -ENOENT || dest == -ENOTDIR || dest == -ELOOP) && s->inode.ino == 0)
		return 0;
	if (dest < 0)
		return err_set(err, dest, "open '%s' to hide it (%s)", s->dest, s->why);
	r = mounts_is_planned(dest, &s->inode, "hide", s->dest, s->why, err);
	if (r < 0)
		return r;
	if (fstat(dest, &st) < 0)
		return err_set(err, -errno, "look at '%s' to hide it", s->dest);
	return cover_dest(c, s, dest, S_ISDIR(st.st_mode), err);
}

/* Also below a writable place it is a mount, and so nothing can be written to it. */
static int step_dir(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int dest = make_dest(c, s, true, err);

	return dest < 0 ? dest : cover_dest(c, s, dest, true, err);
}

/* Onto itself, with all that is mounted below. */
static int step_pin(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int dest = -1, tree = -1;
	int r;

	if (s->optional) {
		dest = path_open_in(c->root, s->dest, O_PATH | O_DIRECTORY, PATH_NO_SYMLINKS);
		/* Nothing is there, and so nothing of what the rule is about. */
		if (dest == -ENOENT || dest == -ENOTDIR || dest == -ELOOP)
			return 0;
		if (dest < 0)
			return err_set(err, dest, "open '%s' (%s)", s->dest, s->why);
	} else {
		dest = make_dest(c, s, true, err);
	}
	if (dest < 0)
		return dest;
	tree = sys_open_tree(dest, "",
			     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	r = tree < 0 ? tree : mounts_attach(tree, dest, c->root, s->dest);
	return r < 0 ? err_set(err, r, "keep '%s' in place (%s)", s->dest, s->why) : 0;
}

static int step_symlink(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int dir = -1;
	const char *name;

	dir = path_make_parent(c->root, s->dest, 0755, &name);
	if (dir < 0)
		return err_set(err, dir, "make the directory for the symlink '%s' (%s)", s->dest,
			       s->why);
	if (symlinkat(s->source, dir, name) < 0)
		return err_set(err, -errno, "make the symlink '%s' (%s)", s->dest, s->why);
	return 0;
}

static int fill_file(struct child *c, const struct plan_step *s, const char *name, struct err *err)
{
	_cleanup_close_ int out = -1;
	char block[16384];

	out = openat(c->store, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (out < 0)
		return err_set(err, -errno, "make a file for '%s' (%s)", s->dest, s->why);
	for (;;) {
		ssize_t n = read(s->fd, block, sizeof(block));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "read descriptor %d for '%s'", s->fd, s->dest);
		if (n == 0)
			break;
		r = fd_write_all(out, block, (size_t)n);
		if (r < 0)
			return err_set(err, r, "write '%s'", s->dest);
	}
	(void)close(s->fd);
	return 0;
}

/* A file of the store, mounted read-only: over what is there, or where nothing is. */
static int step_file(struct child *c, const struct plan_step *s, struct err *err)
{
	_cleanup_close_ int tree = -1, dest = -1;
	char name[16];
	int r;

	(void)snprintf(name, sizeof(name), "f%u", c->n_store++);
	r = fill_file(c, s, name, err);
	if (r < 0)
		return r;
	tree = mounts_clone_store(c, name);
	if (tree < 0)
		return err_set(err, tree, "make a file for '%s' (%s)", s->dest, s->why);
	r = mounts_set_flags(tree, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
			     err, s->dest);
	if (r < 0)
		return r;
	dest = make_dest(c, s, false, err);
	if (dest < 0)
		return dest;
	r = mounts_attach(tree, dest, c->root, s->dest);
	return r < 0 ? err_set(err, r, "mount a file on '%s' (%s)", s->dest, s->why) : 0;
}

static int do_step(struct child *c, const struct plan_step *s, struct err *err)
{
	switch (s->kind) {
	case STEP_BIND:
		return step_bind(c, s, err);
	case STEP_PLACE:
		return step_place(c, s, err);
	case STEP_OVERLAY: {
		const char *layer = s->source;
		int r = mounts_overlay(c, &layer, &s->inode, 1, false, err);
		_cleanup_close_ int dest = -1, tree = r;

		if (r < 0)
			return r;
		dest = make_dest(c, s, true, err);
		if (dest < 0)
			return dest;
		r = mounts_attach(tree, dest, c->root, s->dest);
		return r < 0 ? err_set(err, r, "mount the overlay on '%s'", s->dest) : 0;
	}
	case STEP_HIDE:
		return step_hide(c, s, err);
	case STEP_DIR:
		return step_dir(c, s, err);
	case STEP_SYMLINK:
		return step_symlink(c, s, err);
	case STEP_FILE:
		return step_file(c, s, err);
	case STEP_PIN:
		return step_pin(c, s, err);
	case STEP_PROC:
		return mounts_proc(c, s, err);
	case STEP_DEV:
		return mounts_dev(c, s, err);
	}
	return err_set(err, -EINVAL, "do a step of an unknown kind");
}

static bool is_closed_up(const struct plan_step *s)
{
	if (s->kind == STEP_PLACE)
		return s->mounted && !s->writable;
	return (s->kind == STEP_HIDE || s->kind == STEP_DIR) && s->has_below;
}

/* What was left writable so that mount points could be made in it. */
static int close_up(struct child *c, struct err *err)
{
	const struct plan *plan = c->plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *s = &plan->steps[i];
		_cleanup_close_ int fd = -1;
		int r;

		if (!is_closed_up(s))
			continue;
		fd = path_open_in(c->root, s->dest, O_PATH | O_DIRECTORY, PATH_NO_SYMLINKS);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue;
		r = fd < 0 ? fd : sys_mount_setattr(fd, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0, 0);
		/* No mount begins there, because there was nothing to hide at its turn. */
		if (r == -EINVAL)
			continue;
		if (r < 0)
			return err_set(err, r, "make what is put over '%s' read-only", s->dest);
		r = check_flags(fd, MOUNT_ATTR_RDONLY, err, s->dest);
		if (r < 0)
			return r;
	}
	if (plan->root == ROOT_HOST && plan->upper == UPPER_NONE) {
		int r = sys_mount_setattr(c->root, "", AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, 0, 0);

		if (r < 0)
			return err_set(err, r, "make the new root read-only");
		return check_flags(c->root, MOUNT_ATTR_RDONLY, err, "/");
	}
	return 0;
}

int stage_mounts(struct child *c, struct err *err)
{
	int r = detach_propagation(err);

	if (r == 0)
		r = make_store(c, err);
	if (r == 0)
		r = make_root(c, err);
	for (size_t i = 0; i < c->plan->n_steps && r == 0; i++)
		r = do_step(c, &c->plan->steps[i], err);
	return r == 0 ? close_up(c, err) : r;
}
