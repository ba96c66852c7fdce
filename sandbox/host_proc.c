// SPDX-License-Identifier: Apache-2.0
#include "sandbox/host_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/path.h"

enum { PROC_ROOT_INODE = 1, PROC_MAGIC = 0x9fa0 }; /* linux/proc_fs.h, linux/magic.h */

/* runc CVE-2019-16884: writes that went to something mounted over /proc. */
int host_proc_open(struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct statfs fs;
	struct stat st;

	fd = path_open_exact("/proc", O_PATH | O_DIRECTORY);
	if (fd < 0)
		return err_set(err, fd, "open /proc of the host");
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at /proc of the host");
	if ((unsigned long)fs.f_type != PROC_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return err_set(err, -EINVAL,
			       "use /proc of the host: it is not the root of a procfs");
	return TAKE_FD(fd);
}
