// SPDX-License-Identifier: Apache-2.0
/*
 * Enter the new root by pivot_root and let go of the old one. Never chroot: the old root would
 * stay mounted, and path-based LSM rules would see outer names.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "sandbox/child.h"

/* "/" and "/.." are the new root, whatever the calls above have said. */
static int check_root(struct child *c, struct err *err)
{
	struct stat want, root, above;

	if (fstat(c->root, &want) < 0 || stat("/", &root) < 0 || stat("/..", &above) < 0)
		return err_set(err, -errno, "look at the new root");
	if (want.st_dev != root.st_dev || want.st_ino != root.st_ino ||
	    want.st_dev != above.st_dev || want.st_ino != above.st_ino)
		return err_set(err, -EPROTO, "find the new root in place after pivot_root");
	return 0;
}

static int enter_cwd(struct child *c, struct err *err)
{
	_cleanup_close_ int dir = -1;
	struct stat want, got;
	char now[LIMIT_PATH];

	dir = path_open_in(c->root, c->plan->cwd, O_PATH | O_DIRECTORY, PATH_FOLLOW_INSIDE);
	if (dir < 0) {
		(void)err_set(err, dir, "enter the working directory '%s' inside", c->plan->cwd);
		return err_hint(err, "show it with --ro or --rw, or choose another with --cwd");
	}
	if (fchdir(dir) < 0)
		return err_set(err, -errno, "enter the working directory '%s' inside",
			       c->plan->cwd);
	if (fstat(dir, &want) < 0 || stat(".", &got) < 0)
		return err_set(err, -errno, "look at the working directory '%s'", c->plan->cwd);
	if (want.st_dev != got.st_dev || want.st_ino != got.st_ino)
		return err_set(err, -EPROTO, "find itself in the working directory '%s'",
			       c->plan->cwd);
	/* Outside the root the kernel answers "(unreachable)/..." (getcwd(2)). */
	if (!getcwd(now, sizeof(now)) || now[0] != '/')
		return err_set(err, -EPROTO, "find the working directory '%s' below the new root",
			       c->plan->cwd);
	return 0;
}

int stage_root(struct child *c, struct err *err)
{
	int r;

	if (fchdir(c->root) < 0)
		return err_set(err, -errno, "enter the new root");
	/* Off "/", so that what is detached below is the old root and with it the store. Each
	 * detach waits for an RCU grace period (fs/namespace.c, namespace_unlock): one is enough.
	 */
	r = sys_move_mount(c->store, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return err_set(err, r, "put the upper's own mount aside");
	/* The old root ends up stacked on the new one and is detached from there: pivot_root(2),
	 * "pivot_root(".", ".")". The store goes with it, but for the descriptor that the lock
	 * tests Landlock with. */
	r = sys_pivot_root(".", ".");
	if (r < 0)
		return err_set(err, r, "pivot into the new root");
	r = sys_umount2(".", MNT_DETACH);
	if (r < 0)
		return err_set(err, r, "detach the old root");
	fd_closep(&c->host_proc);
	if (chdir("/") < 0)
		return err_set(err, -errno, "enter the new root");
	r = check_root(c, err);
	return r == 0 ? enter_cwd(c, err) : r;
}
