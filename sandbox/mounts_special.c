// SPDX-License-Identifier: Apache-2.0
/* /proc and /dev of the sandbox's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "sandbox/child.h"

/*
 * What a fresh procfs shows of the host, whoever looks. What only root may read, or what the
 * kernel shows blank to who lacks a capability over its initial namespace, needs no mask unless
 * root is the one who launches: the sandbox's ids map to nobody else.
 */
static const struct {
	const char *name;
	bool for_root_only;
	const char *why;
} masked[] = {
	{ "acpi", false, "hardware" },
	{ "asound", false, "hardware" },
	{ "bus", false, "hardware" },
	{ "cmdline", false, "the kernel's command line" },
	{ "config.gz", false, "the kernel's configuration" },
	{ "diskstats", false, "names and load of the host's disks" },
	{ "driver", false, "hardware" },
	{ "dynamic_debug", true, "a control file" },
	{ "fs", false, "file systems of the host" },
	{ "interrupts", false, "a side channel on keystrokes and network" },
	{ "iomem", true, "hardware; addresses are blank without CAP_SYS_ADMIN" },
	{ "ioports", true, "hardware; addresses are blank without CAP_SYS_ADMIN" },
	{ "irq", true, "hardware, writable by root" },
	{ "kallsyms", false,
	  "kernel addresses, where kptr_restrict and perf_event_paranoid are low" },
	{ "kcore", true, "the host's memory" },
	{ "key-users", false, "keyrings are not namespaced" },
	{ "keys", false, "keyrings are not namespaced" },
	{ "kmsg", true, "the kernel's log" },
	{ "kpagecgroup", true, "physical pages" },
	{ "kpagecount", true, "physical pages" },
	{ "kpageflags", true, "physical pages" },
	{ "latency_stats", false, "the host's load" },
	{ "mdstat", false, "disks of the host" },
	{ "modules", false, "hardware; kernel addresses" },
	{ "mtrr", true, "hardware, writable by root" },
	{ "pagetypeinfo", true, "physical memory" },
	{ "partitions", false, "names of the host's disks" },
	{ "pressure", false, "the host's load, and triggers that anybody may set" },
	{ "sched_debug", false, "processes of the host" },
	{ "schedstat", false, "the host's load" },
	{ "scsi", false, "hardware" },
	{ "slabinfo", true, "kernel memory" },
	{ "softirqs", false, "a side channel" },
	{ "swaps", false, "disks of the host" },
	{ "sysrq-trigger", true, "a control file" },
	{ "timer_list", true, "processes of the host, kernel addresses" },
	{ "vmallocinfo", true, "kernel addresses" },
	{ "zoneinfo", false, "physical memory" },
};

static int mount_point(struct child *c, const struct plan_step *step, mode_t mode, struct err *err)
{
	int fd = path_make_dirs(c->root, step->dest, mode);

	if (fd >= 0)
		return fd;
	(void)err_set(err, fd, "make the mount point '%s'", step->dest);
	if (fd == -EROFS)
		return err_hint(
			err, "the base has no such directory, and with --upper none nothing can be "
			     "made in it");
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_hint(err, "the base has something else than a directory there");
	return fd;
}

static int cover(struct child *c, const char *name, bool dir)
{
	_cleanup_close_ int tree = mounts_clone_store(c, dir ? "empty" : "none");
	int r;

	if (tree < 0)
		return tree;
	/* Our own procfs, and move_mount(2) follows no symlink unless it is told to. */
	r = sys_move_mount(tree, "", c->proc, name, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? r : mounts_begins(tree, c->proc, name);
}

static int mask_proc(struct child *c, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		struct stat st;
		int r;

		if (masked[i].for_root_only && c->plan->uid != 0)
			continue;
		if (fstatat(c->proc, masked[i].name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return err_set(err, -errno, "look at /proc/%s", masked[i].name);
		}
		r = cover(c, masked[i].name, S_ISDIR(st.st_mode));
		if (r < 0)
			return err_set(err, r, "mask /proc/%s (%s)", masked[i].name, masked[i].why);
	}
	return 0;
}

/* No namespace below this one: also for clone3, whose flags no filter sees. The table belongs to
 * the user namespace of who opens it (kernel/ucount.c). */
static int forbid_user_namespaces(struct child *c, struct err *err)
{
	_cleanup_close_ int fd = -1;
	char now[4] = "";
	ssize_t n;
	int r;

	fd = path_open_in(c->proc, "sys/user/max_user_namespaces", O_RDWR, PATH_NO_SYMLINKS);
	if (fd < 0)
		return err_set(err, fd, "open /proc/sys/user/max_user_namespaces inside");
	r = fd_write_all(fd, "0", 1);
	if (r < 0)
		return err_set(err, r, "forbid user namespaces below the sandbox");
	n = pread(fd, now, sizeof(now), 0);
	if (n < 0)
		return err_set(err, -errno, "read /proc/sys/user/max_user_namespaces back");
	if (n != 2 || now[0] != '0' || now[1] != '\n')
		return err_set(err, -EPROTO,
			       "find user namespaces below the sandbox forbidden, as it was set");
	return 0;
}

static int seal_proc_sys(struct child *c, struct err *err)
{
	_cleanup_close_ int tree = -1, dest = -1;
	int r;

	tree = sys_open_tree(c->proc, "sys",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return err_set(err, tree, "take /proc/sys");
	r = mounts_set_flags(tree, false, MOUNT_ATTR_RDONLY, err, "/proc/sys");
	if (r < 0)
		return r;
	dest = path_open_in(c->proc, "sys", O_PATH | O_DIRECTORY, PATH_NO_SYMLINKS);
	if (dest < 0)
		return err_set(err, dest, "open /proc/sys");
	r = mounts_attach(tree, dest, c->proc, "sys");
	return r < 0 ? err_set(err, r, "mount /proc/sys read-only") : 0;
}

int mounts_proc(struct child *c, const struct plan_step *step, struct err *err)
{
	_cleanup_close_ int fs = -1, mnt = -1, dest = -1;
	int r;

	fs = sys_fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_set(err, fs, "open the proc file system");
	r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0) {
		(void)err_set(err, r, "make a proc file system for the sandbox");
		return err_hint(
			err, "the kernel refuses a new one where the host's own is partly covered, "
			     "as it is inside most containers");
	}
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC,
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (mnt < 0) {
		(void)err_set(err, mnt, "mount a proc file system for the sandbox");
		return err_hint(
			err, "the kernel refuses a new one where the host's own is partly covered, "
			     "as it is inside most containers");
	}
	dest = mount_point(c, step, 0555, err);
	if (dest < 0)
		return dest;
	r = mounts_attach(mnt, dest, c->root, step->dest);
	if (r < 0)
		return err_set(err, r, "mount '%s'", step->dest);
	c->proc = TAKE_FD(mnt);
	r = c->plan->nests ? 0 : forbid_user_namespaces(c, err);
	if (r == 0)
		r = seal_proc_sys(c, err);
	return r == 0 ? mask_proc(c, err) : r;
}

/* --- /dev --- */

static const struct {
	const char *name;
	unsigned major, minor; /* Documentation/admin-guide/devices.txt */
} devices[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *text;
} links[] = {
	{ "ptmx", "pts/ptmx" },		 { "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },	 { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

/* The source is opened without following and must be the very device, not a name for something else
 * (runc CVE-2025-31133). */
static int add_device(int host_dev, int dev, size_t i, struct err *err)
{
	_cleanup_close_ int src = -1, tree = -1, dest = -1, made = -1;
	struct stat st;
	int r;

	src = openat(host_dev, devices[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (src < 0 || fstat(src, &st) < 0)
		return err_set(err, -errno, "open the device /dev/%s", devices[i].name);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(devices[i].major, devices[i].minor))
		return err_set(err, -ENXIO, "use /dev/%s: it is not the device %u:%u",
			       devices[i].name, devices[i].major, devices[i].minor);
	tree = sys_open_tree(src, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_set(err, tree, "take the device /dev/%s", devices[i].name);
	/* Read-only is the node's mode, owner and times, which a caller who owns the host's node,
	 * as its root does, could change; what is written to a device is no write to its file
	 * system (fs/open.c, do_dentry_open()). */
	r = mounts_set_flags(tree, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
			     err, devices[i].name);
	if (r < 0)
		return r;
	made = openat(dev, devices[i].name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0444);
	if (made < 0)
		return err_set(err, -errno, "make the mount point /dev/%s", devices[i].name);
	dest = openat(dev, devices[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (dest < 0)
		return err_set(err, -errno, "open the mount point /dev/%s", devices[i].name);
	r = mounts_attach(tree, dest, dev, devices[i].name);
	return r < 0 ? err_set(err, r, "mount the device /dev/%s", devices[i].name) : 0;
}

static int add_devpts(struct child *c, int dev, struct err *err)
{
	_cleanup_close_ int fs = -1, mnt = -1, dest = -1;
	int r;

	fs = sys_fsopen("devpts", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_set(err, fs, "open the devpts file system");
	/* Each devpts mount is its own instance since Linux 4.7. */
	if ((r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0)) < 0 ||
	    (r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0620", 0)) < 0 ||
	    (r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) < 0)
		return err_set(err, r, "make the sandbox's own /dev/pts");
	mnt = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return err_set(err, mnt, "mount the sandbox's own /dev/pts");
	if (mkdirat(dev, "pts", 0755) < 0)
		return err_set(err, -errno, "make the mount point /dev/pts");
	dest = openat(dev, "pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dest < 0)
		return err_set(err, -errno, "open the mount point /dev/pts");
	r = mounts_attach(mnt, dest, dev, "pts");
	if (r < 0)
		return err_set(err, r, "mount /dev/pts");
	c->devpts = TAKE_FD(mnt);
	return 0;
}

/* The directory everything of /dev is made in, by this one descriptor. A base may hold anything at
 * /dev: there it is a fresh directory of the store, mounted over it. */
static int open_dev(struct child *c, const struct plan_step *step, struct err *err)
{
	_cleanup_close_ int dest = -1, tree = -1;
	char name[16];
	int r;

	dest = mount_point(c, step, 0755, err);
	if (dest < 0)
		return dest;
	if (c->plan->root == ROOT_HOST)
		return TAKE_FD(dest);
	r = mounts_new_dir(c, 0755, name);
	if (r < 0)
		return err_set(err, r, "make a directory for '%s'", step->dest);
	tree = mounts_clone_store(c, name);
	if (tree < 0)
		return err_set(err, tree, "make a directory for '%s'", step->dest);
	r = mounts_attach(tree, dest, c->root, step->dest);
	return r < 0 ? err_set(err, r, "mount '%s'", step->dest) : TAKE_FD(tree);
}

/*
 * A descriptor of one of these devices that was handed in open is on the host's mount, through
 * which fchmod(2) would change the node for the whole machine: </dev/null and a root caller are
 * enough. It becomes one of the sandbox's own mount. Not /dev/tty, which is another terminal to
 * each opener.
 */
static int take_stream(int dev, int fd, struct err *err)
{
	_cleanup_close_ int own = -1;
	int flags = fcntl(fd, F_GETFL), mark = flags < 0 ? -1 : fcntl(fd, F_GETFD);
	size_t i = 0;
	struct stat st;

	if (flags < 0 && errno == EBADF)
		return 0; /* the caller had closed it */
	if (flags < 0 || mark < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at descriptor %d", fd);
	if ((flags & O_PATH) || !S_ISCHR(st.st_mode))
		return 0;
	while (i < ARRAY_SIZE(devices) && st.st_rdev != makedev(devices[i].major, devices[i].minor))
		i++;
	if (i == ARRAY_SIZE(devices) || strcmp(devices[i].name, "tty") == 0)
		return 0;
	own = openat(dev, devices[i].name,
		     (flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)) | O_NOFOLLOW | O_NOCTTY |
			     O_CLOEXEC);
	if (own < 0 || dup3(own, fd, mark & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		return err_set(err, -errno, "open descriptor %d anew, as the sandbox's /dev/%s", fd,
			       devices[i].name);
	return 0;
}

static int take_streams(struct child *c, int dev, struct err *err)
{
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0; fd++)
		r = take_stream(dev, fd, err);
	for (size_t i = 0; i < c->plan->n_pass_fds && r == 0; i++)
		r = take_stream(dev, c->plan->pass_fds[i], err);
	return r;
}

int mounts_dev(struct child *c, const struct plan_step *step, struct err *err)
{
	_cleanup_close_ int dev = -1, host_dev = -1;
	int r = 0;

	host_dev = path_open_exact("/dev", O_PATH | O_DIRECTORY);
	if (host_dev < 0)
		return err_set(err, host_dev, "open /dev of the host");
	dev = open_dev(c, step, err);
	if (dev < 0)
		return dev;
	for (size_t i = 0; i < ARRAY_SIZE(devices) && r == 0; i++)
		r = add_device(host_dev, dev, i, err);
	if (r == 0)
		r = add_devpts(c, dev, err);
	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++) {
		if (symlinkat(links[i].text, dev, links[i].name) < 0)
			r = err_set(err, -errno, "make the symlink /dev/%s", links[i].name);
	}
	if (r == 0)
		r = take_streams(c, dev, err);
	if (r == 0 && (mkdirat(dev, "shm", 0777) < 0 || fchmodat(dev, "shm", 01777, 0) < 0))
		r = err_set(err, -errno, "make /dev/shm");
	return r;
}
