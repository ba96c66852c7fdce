// SPDX-License-Identifier: Apache-2.0
#include "sandbox/cgroup_node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

enum { MAX_MOUNTINFO = 4 << 20 };

int cgroup_open_node(int dir, const char *path)
{
	return path_open_in(dir, *path ? path : ".", O_RDONLY | O_DIRECTORY, PATH_NO_SYMLINKS);
}

int cgroup_write(int dir, const char *file, const char *value)
{
	_cleanup_close_ int fd = path_open_in(dir, file, O_WRONLY, PATH_NO_SYMLINKS);

	return fd < 0 ? fd : fd_write_all(fd, value, strlen(value));
}

void cgroup_read_key(int dir, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	if (fd_read_virtual_at(dir, file, CGROUP_FILE_MAX, &buf) == 0)
		(void)cgroup_parse_key(buf.data, key, ret);
}

bool cgroup_has(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int cgroup_read_own(char ret_path[LIMIT_PATH], struct cgroup_mount *ret_mount, struct err *err)
{
	_cleanup_buf_ struct buf self = BUF_INIT, mounts = BUF_INIT;
	char path[LIMIT_PATH];
	const char *below;
	int r;

	r = fd_read_virtual_at(AT_FDCWD, "/proc/self/cgroup", CGROUP_FILE_MAX, &self);
	if (r < 0)
		return err_set(err, r, "read '/proc/self/cgroup'");
	r = fd_read_virtual_at(AT_FDCWD, "/proc/self/mountinfo", MAX_MOUNTINFO, &mounts);
	if (r < 0)
		return err_set(err, r, "read '/proc/self/mountinfo'");
	r = cgroup_parse_mountinfo(mounts.data, ret_mount);
	if (r == 0)
		r = cgroup_parse_self(self.data, path, sizeof(path));
	if (r < 0) {
		err_set(err, r,
			r == -EXDEV ? "use cgroup v2: our own node lies outside of its namespace"
				    : "find cgroup v2: it is not mounted here");
		return err_hint(err, "boot with systemd.unified_cgroup_hierarchy=1, or mount "
				     "cgroup2 on /sys/fs/cgroup");
	}
	r = cgroup_relative(ret_mount, path, &below);
	if (r < 0)
		return err_set(err, r, "use cgroup v2: our node '%.512s' is not below its mount",
			       path);
	memcpy(ret_path, below, strlen(below) + 1);
	return 0;
}

int cgroup_open_mount(const struct cgroup_mount *mount, struct err *err)
{
	_cleanup_close_ int fd = open(mount->point, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_set(err, -errno, "open '%.512s'", mount->point);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(err, -ENOENT, "find cgroup v2 at '%.512s', where something hides it",
			       mount->point);
	return TAKE_FD(fd);
}
