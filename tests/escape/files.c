// SPDX-License-Identifier: Apache-2.0
/* M6 to M15, A1: files, devices, and what is shown read-only. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/escape/probe.h"

#define NODE(major, minor) ((major) << 8 | (minor)) /* small ones, as a constant */
enum { FILL_BYTES = 24 << 20, FILL_FILES = 4000 };  /* more than the limits the test sets */

/* --- M6, M7: devices */

static struct answer go_mknod(const struct point *p)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/cordon-node", p->path ? p->path : world.scratch);
	unlink(path);
	long r = mknod(path, (mode_t)p->arg[0], (dev_t)p->arg[1]);
	struct answer a = by_result(r, "the node was made");

	unlink(path);
	return a;
}

/* Nodes that lie in what is shown or stacked: root has made them. */
static struct answer go_device_in_volume(const struct point *p)
{
	char path[512];
	int fd;

	if (!fact(p->path))
		return hidden();
	snprintf(path, sizeof(path), "%s/%s", fact(p->path), p->arg[0] ? "zero" : "disk");
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refused();
	close(fd);
	return done("%.100s opened", path);
}

/* --- M8: files of the host that no view shows; path: the fact that names one */

static struct answer go_canary(const struct point *p)
{
	const char *path = fact(p->path);
	struct answer a = hidden();
	int fd;

	if (!path)
		return done("no canary was told of");
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refused();
	if (holds_secret(fd))
		a = done("%.100s was read", path);
	close(fd);
	return a;
}

/* --- M10, A1: a tree of the caller's that is shown read-only; each takes a file of its own */

static const char *in_tree(const char *name)
{
	static char path[4][512];
	static unsigned turn;
	char *p = path[turn++ % COUNT(path)];

	snprintf(p, sizeof(path[0]), "%s/%s", fact("tree") ? fact("tree") : "/none", name);
	return p;
}

enum change {
	CREATE,
	WRITE,
	TRUNCATE,
	CHMOD,
	UTIMES,
	UNLINK,
	MKDIR,
	RMDIR,
	RENAME,
	RENAME_OUT,
	LINK,
	LINK_OUT,
	SYMLINK,
	XATTR,
	FCHMOD_OPEN,
	FUTIMES_OPEN,
	FSETXATTR_OPEN,
	FLAGS_OPEN,
	REOPEN,
	TMPFILE,
	MMAP_SHARED,
};

static long by_descriptor(enum change change)
{
	const char *attr = "user.cordon.escape";
	int fd = open(in_tree("open"), O_RDONLY | O_CLOEXEC), flags = 0;
	char self[64];

	if (fd < 0)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	switch (change) {
	case FCHMOD_OPEN:
		return fchmod(fd, 0666);
	case FUTIMES_OPEN:
		return futimens(fd, NULL);
	case FSETXATTR_OPEN:
		return fsetxattr(fd, attr, "x", 1, 0);
	case FLAGS_OPEN:
		if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
			return -1;
		flags |= FS_NODUMP_FL;
		return ioctl(fd, FS_IOC_SETFLAGS, &flags);
	default:
		return open(self, O_WRONLY | O_CLOEXEC);
	}
}

static long change_tree(enum change change)
{
	const char *attr = "user.cordon.escape";
	char out[512];

	snprintf(out, sizeof(out), "%s/taken", fact("rw") ? fact("rw") : world.scratch);
	unlink(out);
	switch (change) {
	case CREATE:
		return open(in_tree("new"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	case WRITE:
		return open(in_tree("file"), O_WRONLY | O_CLOEXEC);
	case TRUNCATE:
		return truncate(in_tree("truncate"), 1);
	case CHMOD:
		return chmod(in_tree("mode"), 0666);
	case UTIMES:
		return utimensat(AT_FDCWD, in_tree("times"), NULL, 0);
	case UNLINK:
		return unlink(in_tree("unlink"));
	case MKDIR:
		return mkdir(in_tree("made"), 0755);
	case RMDIR:
		return rmdir(in_tree("empty"));
	case RENAME:
		return rename(in_tree("rename"), in_tree("renamed"));
	case RENAME_OUT:
		return rename(in_tree("rename-out"), out);
	case LINK:
		return link(in_tree("link"), in_tree("linked"));
	case LINK_OUT:
		return link(in_tree("link"), out);
	case SYMLINK:
		return symlink("x", in_tree("symlink"));
	case XATTR:
		return setxattr(in_tree("attr"), attr, "x", 1, 0);
	case TMPFILE:
		return open(in_tree("."), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	default:
		return by_descriptor(change);
	}
}

static struct answer go_change(const struct point *p)
{
	long r = change_tree((enum change)p->arg[0]);
	int code = errno;

	if (access(in_tree("open"), R_OK) < 0)
		return done("the tree is not there: nothing was tried");
	errno = code;
	return r < 0 && errno == ENOENT ? done("the file is not there") : by_result(r, "changed");
}

/* The base's own directories: a file made there must not be on the host's file system. */
static struct answer go_create_in_base(const struct point *p)
{
	struct statfs fs;
	char path[300];
	bool thrown_away;
	int fd;

	snprintf(path, sizeof(path), "%s/cordon-escape", world.twin ? fact("tree") : p->path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return refused();
	thrown_away =
		!world.twin && fstatfs(fd, &fs) == 0 &&
		(fs.f_type == 0x01021994 /* tmpfs */ || fs.f_type == 0x794c7630 /* overlay */);
	close(fd);
	unlink(path);
	return thrown_away ? hidden() : done("a file was made in %s", path);
}

/* --- M12: the launcher's own program, as CVE-2019-5736 overwrote runc's */

static struct answer go_exe(const struct point *p)
{
	char path[64];
	int fd, again;

	snprintf(path, sizeof(path), "/proc/%d/exe", world.init);
	fd = open(path, (int)p->arg[0] | O_CLOEXEC);
	if (fd < 0 && errno == ETXTBSY) /* only as long as it runs */
		return done("busy, and no more than that");
	if (fd < 0)
		return refused();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_CLOEXEC);
	if (again < 0 && errno == ETXTBSY)
		return done("busy, and no more than that");
	return again < 0 ? refused() : done("open for writing");
}

/* A program that is shown, taken hold of while it runs and written to when it has ended. */
static struct answer go_own_exe(const struct point *p)
{
	const char *program = in_tree("tool");
	char path[64];
	int fd;
	pid_t pid = fork();

	(void)p;
	if (pid < 0)
		return refused();
	if (pid == 0) {
		close(1); /* where it would say that it runs */
		execl(program, program, "--stand-in", (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < 200; i++) {
		char comm[32];

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		if (read_small(path, comm, sizeof(comm)) > 0 && strcmp(comm, "tool\n") == 0)
			break;
		usleep(1000);
	}
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	end_child(pid);
	if (fd < 0)
		return refused();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return by_result(open(path, O_WRONLY | O_CLOEXEC), "open for writing");
}

/* --- M13: as much as it takes */

static struct answer go_fill(const struct point *p)
{
	static char block[1 << 16];
	long long total = 0;
	const char *path = make_file("fill", "");
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd < 0)
		return refused();
	unlink(path);
	if (p->arg[0])
		return by_result(fallocate(fd, 0, 0, FILL_BYTES), "allocated");
	while (total < FILL_BYTES && (n = write(fd, block, sizeof(block))) > 0)
		total += n;
	return n <= 0 ? refused() : done("%lld bytes", total);
}

static struct answer go_fill_files(const struct point *p)
{
	const char *dir = make_dir("many");
	char name[600];
	int made = 0, code;

	(void)p;
	for (; made < FILL_FILES; made++) {
		snprintf(name, sizeof(name), "%s/%d", dir, made);
		int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			break;
		close(fd);
	}
	code = errno;
	for (int i = 0; i < made; i++) {
		snprintf(name, sizeof(name), "%s/%d", dir, i);
		unlink(name);
	}
	rmdir(dir);
	errno = code;
	return made < FILL_FILES ? refused() : done("%d files", made);
}

/* --- M14: out of one tree and into another, by links */

static struct answer go_link_fd(const struct point *p)
{
	char self[64], to[512];
	long fd = fact_number("fd");

	snprintf(to, sizeof(to), "%s/linked", fact("rw") ? fact("rw") : world.scratch);
	unlink(to);
	if (fd < 0)
		return done("no descriptor was told of");
	snprintf(self, sizeof(self), "/proc/self/fd/%ld", fd);
	return by_result(p->arg[0] ? linkat((int)fd, "", AT_FDCWD, to, AT_EMPTY_PATH)
				   : linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW),
			 "linked");
}

static struct answer go_between(const struct point *p)
{
	const char *from = make_file("between", "x");
	char to[512], back[600];

	snprintf(to, sizeof(to), "%s/between", fact("rw") ? fact("rw") : "/none");
	snprintf(back, sizeof(back), "%s/back", world.scratch);
	unlink(to);
	if (p->arg[0])
		return by_result(link(from, to), "linked");
	if (rename(from, to) == 0)
		return done("renamed");
	return refused();
}

/* The attribute by which an overlay that root mounts marks what it hides. */
static struct answer go_overlay_mark(const struct point *p)
{
	const char *file = make_dir("marked");

	return by_result(setxattr(file, p->path, "y", 1, 0), "marked");
}

/* --- M15 */

static struct answer go_dev_names(const struct point *p)
{
	static const char *const minimal[] = {
		".",   "..",	 "fd",	  "full",   "null", "ptmx",    "pts",  "random",
		"shm", "stderr", "stdin", "stdout", "tty",  "urandom", "zero",
	};
	DIR *dir = opendir("/dev");

	(void)p;
	if (!dir)
		return refused();
	for (struct dirent *e; (e = readdir(dir));) {
		bool known = false;

		for (size_t i = 0; i < COUNT(minimal); i++)
			known |= strcmp(e->d_name, minimal[i]) == 0;
		if (!known) {
			closedir(dir);
			return done("/dev/%.100s", e->d_name);
		}
	}
	closedir(dir);
	return hidden();
}

static struct answer go_device_mode(const struct point *p)
{
	struct stat st;

	if (stat(p->path, &st) < 0)
		return refused();
	/* the mode that it has: where it can be set, nothing is changed */
	return by_result(chmod(p->path, st.st_mode & 07777), "its mode was set");
}

#define ROOT_MAKES "root must make it: the test as root does, and shows its twin"
#define NO_DEVICE  "the host has no such device, or not for this user"
#define CHANGE(id, what, how)                                                                      \
	{                                                                                          \
		id, what, go_change, .arg = { how }                                                \
	}
#define DEVICE(name)                                                                               \
	{                                                                                          \
		"M15", "open " name, go_open, TWIN_ROOT, .path = name, .unless = NO_DEVICE,        \
							 .arg = { O_RDWR }                         \
	}

static const struct point list[] = {
	{ "M6", "mknod of null", go_mknod, TWIN_ROOT, .call = "mknodat",
	  .arg = { S_IFCHR | 0666, NODE(1, 3) } },
	{ "M6", "mknod of a disk", go_mknod, TWIN_ROOT, .arg = { S_IFBLK | 0600, NODE(254, 0) } },
	{ "M6", "mknod of the console in /dev", go_mknod, TWIN_NONE, .path = "/dev",
	  .unless = "the test makes nothing in the host's /dev",
	  .arg = { S_IFCHR | 0600, NODE(5, 1) } },
	{ "M6", "mknod of memory in /dev/shm", go_mknod, TWIN_ROOT, .path = "/dev/shm",
	  .arg = { S_IFCHR | 0600, NODE(1, 1) } },
	{ "M6", "a whiteout made by hand", go_mknod, .arg = { S_IFCHR | 0600, 0 } },
	{ "M7", "a device node in what is shown", go_device_in_volume, TWIN_NONE, .path = "devices",
	  .unless = ROOT_MAKES, .arg = { 1 } },
	{ "M7", "a disk's node in what is shown", go_device_in_volume, TWIN_NONE, .path = "devices",
	  .unless = ROOT_MAKES },
	{ "M7", "a device node in the base", go_device_in_volume, TWIN_NONE, .path = "devices.base",
	  .unless = ROOT_MAKES, .arg = { 1 } },
	{ "M8", "a file in the caller's home", go_canary, .path = "canary" },
	{ "M8", "a file in the host's /tmp", go_canary, .path = "canary.tmp" },
	{ "M8", "a file in the host's /dev/shm", go_canary, .path = "canary.shm" },
	CHANGE("M10", "create", CREATE),
	CHANGE("M10", "make a directory", MKDIR),
	CHANGE("M10", "remove a directory", RMDIR),
	CHANGE("M10", "unlink", UNLINK),
	CHANGE("M10", "rename", RENAME),
	CHANGE("M10", "make a symlink", SYMLINK),
	CHANGE("M10", "chmod", CHMOD),
	CHANGE("M10", "touch", UTIMES),
	CHANGE("M10", "set an attribute", XATTR),
	CHANGE("M10", "fchmod of what is open", FCHMOD_OPEN),
	CHANGE("M10", "futimens of what is open", FUTIMES_OPEN),
	CHANGE("M10", "fsetxattr of what is open", FSETXATTR_OPEN),
	{ "M10", "file flags of what is open", go_change, .arg = { FLAGS_OPEN },
	  .unless = "the file system has no flags" },
	{ "M10", "a file in /", go_create_in_base, .path = "" },
	{ "M10", "a file in /usr/bin", go_create_in_base, .path = "/usr/bin" },
	{ "M10", "a file in /etc", go_create_in_base, .path = "/etc" },
	{ "M10", "a file in /var/lib", go_create_in_base, .path = "/var/lib" },
	CHANGE("A1", "open for writing", WRITE),
	CHANGE("A1", "truncate", TRUNCATE),
	CHANGE("A1", "link within", LINK),
	CHANGE("A1", "link out", LINK_OUT),
	CHANGE("A1", "rename out", RENAME_OUT),
	CHANGE("A1", "open again for writing", REOPEN),
	CHANGE("A1", "a file without a name", TMPFILE),
	{ "M12", "write pid 1's program", go_exe, .arg = { O_WRONLY } },
	{ "M12", "pid 1's program by an open path", go_exe, .arg = { O_PATH } },
	{ "M12", "pid 1's program by an open file", go_exe, .arg = { O_RDONLY } },
	{ "M12", "write a program that has run", go_own_exe },
	{ "M13", "bytes without end", go_fill },
	{ "M13", "one huge file allocated", go_fill, .arg = { 1 } },
	{ "M13", "files without end", go_fill_files },
	{ "M14", "link a passed file into what is writable", go_link_fd },
	{ "M14", "link a passed descriptor", go_link_fd, .arg = { 1 },
	  .unless = "linkat with AT_EMPTY_PATH takes CAP_DAC_READ_SEARCH before Linux 6.10" },
	{ "M14", "rename from the upper into what is writable", go_between },
	{ "M14", "link from the upper into what is writable", go_between, .arg = { 1 } },
	{ "M14", "mark a directory as opaque for root's overlays", go_overlay_mark, TWIN_ROOT,
	  .path = "trusted.overlay.opaque" },
	{ "M15", "a name in /dev that is not minimal", go_dev_names },
	{ "M15", "the mode of /dev/null", go_device_mode, TWIN_ROOT, .path = "/dev/null" },
	{ "M15", "the mode of /dev/tty", go_device_mode, TWIN_ROOT, .path = "/dev/tty" },
	DEVICE("/dev/mem"),
	DEVICE("/dev/kmem"),
	DEVICE("/dev/port"),
	DEVICE("/dev/kvm"),
	DEVICE("/dev/fuse"),
	DEVICE("/dev/net/tun"),
	DEVICE("/dev/loop-control"),
	DEVICE("/dev/mapper/control"),
	DEVICE("/dev/uinput"),
	DEVICE("/dev/vhost-vsock"),
	DEVICE("/dev/userfaultfd"),
	DEVICE("/dev/cpu/0/msr"),
	DEVICE("/dev/vda"),
	DEVICE("/dev/sda"),
	DEVICE("/dev/dm-0"),
	DEVICE("/dev/snd/control0"),
	DEVICE("/dev/dri/card0"),
	DEVICE("/dev/input/event0"),
};

const struct points points_files = { list, COUNT(list) };
