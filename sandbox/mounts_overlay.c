// SPDX-License-Identifier: Apache-2.0
/*
 * Overlays in a user namespace: `userxattr`, because trusted.* needs a capability over the
 * initial namespace (Documentation/filesystems/overlayfs.rst, "User xattr").
 *
 * tmpfs has user.* attributes from Linux 6.6 on. Before, the overlay mounts and then fails with
 * EIO on removing a lower directory: so one is set here first, and its refusal is said.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/child.h"

/* What fsconfig(2) takes as a string: 256 bytes, the NUL included (fs/fsopen.c). */
enum { FSCONFIG_STRING = 256 };

struct overlay {
	int fs;
	int lower[LIMIT_LAYERS];
	size_t n_lower;
	int upper, work;
};

static void overlay_done(struct overlay *o)
{
	fd_closep(&o->fs);
	fd_closep(&o->upper);
	fd_closep(&o->work);
	for (size_t i = 0; i < o->n_lower; i++)
		fd_closep(&o->lower[i]);
}

static int probe_user_xattr(int dir, const char *where, const char *instead, struct err *err)
{
	if (fsetxattr(dir, "user.cordon.probe", "y", 1, 0) == 0) {
		(void)fremovexattr(dir, "user.cordon.probe");
		return 0;
	}
	(void)err_set(err, -errno, "keep the attributes that an overlay needs in %s", where);
	return err_hint(err, "tmpfs has user attributes from Linux 6.6 on: %s", instead);
}

/* O_PATH descriptors do not take fsetxattr: the directory is opened for reading. */
static int open_pair(int parent, const char *upper, const char *work, struct overlay *o)
{
	if ((mkdirat(parent, upper, 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(parent, work, 0700) < 0 && errno != EEXIST))
		return -errno;
	o->upper = path_open_in(parent, upper, O_RDONLY | O_DIRECTORY, PATH_NO_SYMLINKS);
	if (o->upper < 0)
		return o->upper;
	o->work = path_open_in(parent, work, O_RDONLY | O_DIRECTORY, PATH_NO_SYMLINKS);
	return o->work < 0 ? o->work : 0;
}

static int open_upper(struct child *c, bool whole_root, struct overlay *o, struct err *err)
{
	_cleanup_close_ int dir = -1;
	const struct plan *plan = c->plan;
	char upper[32], work[32];
	int r;

	if (whole_root && plan->upper == UPPER_DIR) {
		dir = path_open_exact(plan->upper_dir, O_PATH | O_DIRECTORY);
		if (dir < 0)
			return err_set(err, dir, "open the upper '%s'", plan->upper_dir);
		r = mounts_is_planned(dir, &plan->upper_inode, "use the upper", plan->upper_dir,
				      NULL, err);
		if (r < 0)
			return r;
		r = open_pair(dir, "upper", "work", o);
		if (r < 0)
			return err_set(err, r, "make 'upper' and 'work' in '%s'", plan->upper_dir);
		return probe_user_xattr(o->upper, plan->upper_dir,
					"name a directory on a disk, or use --upper none for a "
					"read-only base",
					err);
	}
	(void)snprintf(upper, sizeof(upper), "u%u", c->n_store);
	(void)snprintf(work, sizeof(work), "w%u", c->n_store++);
	r = open_pair(c->store, upper, work, o);
	if (r < 0)
		return err_set(err, r, "make an upper for the overlay");
	return probe_user_xattr(
		o->upper, "the tmpfs upper",
		whole_root ? "use --upper DIR with a directory on disk, or --upper none for a "
			     "read-only base"
			   : "show the directory with --ro instead, or a copy of it with --rw",
		err);
}

static int set_path(struct overlay *o, const char *key, int fd)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return sys_fsconfig(o->fs, FSCONFIG_SET_STRING, key, path, 0);
}

/* "lowerdir+" appends one layer (Linux 6.7). */
static int append_lower(struct overlay *o)
{
	int r = 0;

	for (size_t i = 0; i < o->n_lower && r == 0; i++)
		r = set_path(o, "lowerdir+", o->lower[i]);
	return r;
}

/* Before, all of them go into one string. */
static int join_lower(struct overlay *o)
{
	char all[FSCONFIG_STRING] = "";
	size_t len = 0;

	for (size_t i = 0; i < o->n_lower; i++) {
		int n = snprintf(all + len, sizeof(all) - len, "%s/proc/self/fd/%d", i ? ":" : "",
				 o->lower[i]);

		if (n < 0 || (size_t)n >= sizeof(all) - len)
			return -E2BIG;
		len += (size_t)n;
	}
	return sys_fsconfig(o->fs, FSCONFIG_SET_STRING, "lowerdir", all, 0);
}

/* Leaves the context open, also when it fails: the kernel's reason is read from it. */
static int configure(struct overlay *o, int (*set_lower)(struct overlay *o))
{
	int r;

	fd_closep(&o->fs);
	o->fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	if (o->fs < 0)
		return o->fs;
	r = set_lower(o);
	if (r == 0)
		r = set_path(o, "upperdir", o->upper);
	if (r == 0)
		r = set_path(o, "workdir", o->work);
	if (r == 0)
		r = sys_fsconfig(o->fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	return r < 0 ? r : sys_fsconfig(o->fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* The kernel writes its reason into the file system context: "e overlay: ...". */
static int refuse(struct overlay *o, int code, const char *layer, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char said[256];
	ssize_t n = read(o->fs, said, sizeof(said) - 1);

	(void)err_set(err, code, "put an overlay over '%s'", layer);
	if (n > 2) {
		n -= said[n - 1] == '\n';
		if (text_escape(&text, said + 2, (size_t)n - 2) == 0)
			return err_hint(
				err, "the kernel says \"%s\"; --upper none uses the base read-only",
				text.data);
	}
	return err_hint(
		err, "its file system, or a mount within it, cannot be a layer; --upper none uses "
		     "the base read-only");
}

static int build(struct child *c, const char *const *layers, const struct plan_inode *inodes,
		 size_t n, bool whole_root, struct overlay *o, struct err *err)
{
	int r, mnt;

	for (size_t i = 0; i < n; i++) {
		o->lower[i] = path_open_exact(layers[i], O_PATH | O_DIRECTORY);
		o->n_lower = i + 1;
		if (o->lower[i] < 0)
			return err_set(err, o->lower[i], "open the base '%s'", layers[i]);
		r = mounts_is_planned(o->lower[i], &inodes[i], "use the base", layers[i], NULL,
				      err);
		if (r < 0)
			return r;
	}
	r = open_upper(c, whole_root, o, err);
	if (r < 0)
		return r;
	r = configure(o, append_lower);
	/* Before Linux 6.5 overlay takes any key and says EINVAL only when it is made. */
	if (r == -EINVAL)
		r = configure(o, join_lower);
	if (o->fs < 0) {
		(void)err_set(err, o->fs, "open the overlay file system");
		return err_hint(
			err,
			"is the module 'overlay' loaded? An administrator does: modprobe overlay");
	}
	if (r == -E2BIG) {
		(void)err_set(err, r, "stack %zu bases on this kernel", o->n_lower);
		return err_hint(err, "before Linux 6.7 about 14 layers fit into one mount");
	}
	if (r < 0)
		return refuse(o, r, layers[0], err);
	mnt = sys_fsmount(o->fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return mnt < 0 ? refuse(o, mnt, layers[0], err) : mnt;
}

int mounts_overlay(struct child *c, const char *const *layers, const struct plan_inode *inodes,
		   size_t n, bool whole_root, struct err *err)
{
	struct overlay o = { .fs = -1, .upper = -1, .work = -1 };
	int r, mnt;

	if (c->plan->upper == UPPER_NONE)
		return err_set(err, -EINVAL, "put an overlay over '%s' with --upper none",
			       layers[0]);
	mnt = build(c, layers, inodes, n, whole_root, &o, err);
	overlay_done(&o);
	if (mnt < 0 || !whole_root)
		return mnt;
	r = sys_move_mount(mnt, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0) {
		(void)close(mnt);
		return err_set(err, r, "attach the overlay of '%s'", layers[0]);
	}
	c->root = mnt;
	return 0;
}
