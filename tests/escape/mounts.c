// SPDX-License-Identifier: Apache-2.0
/* M1 to M5, M9, M11: mounts and roots. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/escape/probe.h"

enum { MOUNTS = 128, TREE_CLONE = 0x8001 /* and recursive */, ATTR_RDONLY = 1, MOVE_EMPTY = 4 };

/* --- M1 */

/* On a directory that is a mount point already, so that no step of ours is in its way. */
static struct answer go_mount(const struct point *p)
{
	const char *dir = p->arg[1] ? make_dir("m1") : world.scratch;

	return by_result(
		mount(p->arg[2] ? "/usr" : "none", dir, p->path, (unsigned long)p->arg[0], NULL),
		"mounted");
}

static struct answer go_new_mount(const struct point *p)
{
	static struct {
		unsigned long set, clear, propagation, userns;
	} attr = { .clear = ATTR_RDONLY };
	int fs, mnt;

	switch (p->arg[0]) {
	case SYS_fsopen:
		fs = (int)syscall(SYS_fsopen, "tmpfs", 0);
		if (fs < 0 || syscall(SYS_fsconfig, fs, 6 /* CREATE */, 0, 0, 0) < 0)
			return refused();
		mnt = (int)syscall(SYS_fsmount, fs, 0, 0);
		return mnt < 0 ? refused()
			       : by_result(syscall(SYS_move_mount, mnt, "", AT_FDCWD, world.scratch,
						   MOVE_EMPTY),
					   "a new file system is mounted");
	case SYS_fspick:
		return by_result(syscall(SYS_fspick, AT_FDCWD, world.scratch, 0), "picked");
	case SYS_fsmount:
		return by_result(syscall(SYS_fsmount, 0, 0, 0), "mounted");
	case SYS_open_tree:
		return by_result(syscall(SYS_open_tree, AT_FDCWD, "/", TREE_CLONE), "cloned");
	case SYS_move_mount:
		return by_result(
			syscall(SYS_move_mount, AT_FDCWD, world.scratch, AT_FDCWD, "/mnt", 0),
			"moved");
	case SYS_mount_setattr:
		return by_result(
			syscall(SYS_mount_setattr, AT_FDCWD, world.scratch, 0, &attr, sizeof(attr)),
			"changed");
	default:
		return done("what?");
	}
}

static struct answer go_pivot(const struct point *p)
{
	(void)p;
	if (chdir(world.scratch) < 0)
		return refused();
	return by_result(syscall(SYS_pivot_root, ".", "."), "the root was exchanged");
}

/* --- M2, M3: what is mounted read-only, or covers something */

static size_t list_mounts(char points[MOUNTS][256], bool only_readonly)
{
	static const char *const likely[] = { "/", "/usr", "/etc", "/proc/sys", "/proc/kcore" };
	char line[2048];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	size_t n = 0;

	while (f && n < MOUNTS && fgets(line, sizeof(line), f)) {
		char options[256];

		if (sscanf(line, "%*s %*s %*s %*s %255s %255s", points[n], options) == 2 &&
		    (!only_readonly || strncmp(options, "ro", 2) == 0))
			n++;
	}
	if (f)
		fclose(f);
	for (size_t i = 0; n < 2 && i < COUNT(likely); i++)
		snprintf(points[n++], 256, "%s", likely[i]);
	return n;
}

/* What the twin may do it to: a read-only mount of its own. */
static void own_readonly_mount(void)
{
	const char *dir = world.own_namespaces ? make_dir("ro") : "";

	if (*dir && mount(dir, dir, NULL, MS_BIND, NULL) == 0)
		(void)!mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}

static struct answer go_remount(const struct point *p)
{
	static char points[MOUNTS][256];
	struct answer last = hidden();
	size_t n;

	own_readonly_mount();
	n = list_mounts(points, true);
	for (size_t i = n; i-- > 0;) {
		static struct {
			unsigned long set, clear, propagation, userns;
		} attr = { .clear = ATTR_RDONLY };
		struct statvfs fs;
		long r = p->arg[0] == SYS_mount
				 ? mount(NULL, points[i], NULL, MS_REMOUNT | MS_BIND, NULL)
				 : syscall(SYS_mount_setattr, AT_FDCWD, points[i], 0, &attr,
					   sizeof(attr));

		if (r < 0)
			last = refused();
		else if (statvfs(points[i], &fs) == 0 && !(fs.f_flag & ST_RDONLY))
			return done("%.100s is writable", points[i]);
	}
	return last;
}

static struct answer go_unmount_all(const struct point *p)
{
	static char points[MOUNTS][256];
	struct answer last = hidden();
	size_t n;

	(void)p;
	own_readonly_mount();
	n = list_mounts(points, false);
	for (size_t i = n; i-- > 0;) {
		if (umount2(points[i], MNT_DETACH) == 0)
			return done("%.100s is gone", points[i]);
		last = refused();
	}
	return last;
}

/* The same from a mount namespace of a user namespace made here: what it inherits is locked. The
 * twin has no mask to take away, so its proof is that it gets as far as its own mounts. */
static struct answer go_nested_strip(const struct point *p)
{
	static char points[MOUNTS][256];
	struct answer last = hidden();
	size_t n;

	if (become_root_of(CLONE_NEWNS) < 0)
		return refused();
	if (world.twin) {
		world.own_namespaces = true;
		if (mount("none", world.scratch, "tmpfs", 0, NULL) < 0)
			return refused();
		own_readonly_mount();
	}
	n = list_mounts(points, p->arg[0] != 0);
	for (size_t i = n; i-- > 0;) {
		long r = p->arg[0] ? mount(NULL, points[i], NULL, MS_REMOUNT | MS_BIND, NULL)
				   : umount2(points[i], MNT_DETACH);

		if (r == 0)
			return done("%.100s", points[i]);
		last = refused();
	}
	return last;
}

/* --- M4: the known file of the host, by every way round */

static struct answer try_canary(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return refused();
	bool found = holds_secret(fd);

	close(fd);
	return found ? done("%.100s", path) : hidden();
}

static struct answer go_ladder(const struct point *p)
{
	const char *canary = fact("canary");
	char path[2048] = "";

	if (!canary)
		return done("no canary was told of");
	for (int i = 0; i < 64; i++)
		strcat(path, "../");
	if (p->path)
		snprintf(path, sizeof(path), p->path, world.init);
	strncat(path, canary, sizeof(path) - strlen(path) - 1);
	return try_canary(path);
}

/* Each process's root and working directory. */
static struct answer go_each_process(const struct point *p)
{
	const char *canary = fact("canary");
	struct answer last = hidden();

	for (int pid = 1; canary && pid < 400; pid++) {
		char path[1024];

		snprintf(path, sizeof(path), "/proc/%d/%s/%s", world.twin ? getpid() : pid, p->path,
			 canary);
		last = try_canary(path);
		if (last.outcome == DONE)
			return last;
	}
	return last;
}

static struct answer go_chroot(const struct point *p)
{
	const char *canary = fact("canary"), *dir = make_dir("jail");
	int up = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)p;
	if (!canary || chroot(dir) < 0)
		return refused();
	if (fchdir(up) < 0)
		return refused();
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return refused();
	if (chroot(".") < 0)
		return refused();
	return try_canary(canary);
}

/* --- M5 */

static struct answer go_handle(const struct point *p)
{
	static struct {
		unsigned bytes;
		int type;
		unsigned char handle[128];
	} h;
	const char *path = p->path ? p->path : world.scratch;
	int mount_id, dir = open(path, O_RDONLY | O_CLOEXEC);

	h.bytes = sizeof(h.handle);
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, path, &h, &mount_id, 0) < 0) {
		if (p->arg[0] == SYS_name_to_handle_at)
			return refused();
		/* guessed: inode 2 of the usual file systems is their root */
		h.bytes = 8;
		h.type = 1;
		memcpy(h.handle, (unsigned[]){ 2, 0 }, 8);
	} else if (p->arg[0] == SYS_name_to_handle_at) {
		return done("a handle");
	}
	return by_result(syscall(SYS_open_by_handle_at, dir < 0 ? AT_FDCWD : dir, &h, O_RDONLY),
			 "opened by handle");
}

/* --- M9, M11: what mountinfo says of each mount */

static struct answer go_mount_line(const struct point *p)
{
	char line[2048];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	if (!f)
		return refused();
	if (world.own_namespaces)
		(void)!mount(NULL, world.scratch, NULL, MS_SHARED, NULL);
	while (fgets(line, sizeof(line), f)) {
		char *dash = strstr(line, " - "), options[256] = "";

		if (dash)
			*dash = '\0';
		sscanf(line, "%*s %*s %*s %*s %*s %255s", options);
		if (p->path ? strstr(options, p->path) == NULL
			    : strstr(line, " shared:") || strstr(line, " master:")) {
			fclose(f);
			return done("%.100s", line);
		}
	}
	fclose(f);
	return hidden();
}

/* A set-user-ID program of root's that lies in what is shown; the test as root has made it. */
static struct answer go_setuid(const struct point *p)
{
	const char *program = fact("setuid");
	int status;
	pid_t pid;

	(void)p;
	if (!program)
		return hidden();
	pid = fork();
	if (pid < 0)
		return refused();
	if (pid == 0) {
		execl(program, program, "--am-i-root", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? done("it is root") : hidden();
}

static const struct point list[] = {
	{ "M1", "mount a tmpfs", go_mount, TWIN_NS, .path = "tmpfs", .call = "mount" },
	{ "M1", "mount proc", go_mount, TWIN_NS, .path = "proc" },
	{ "M1", "mount devpts", go_mount, TWIN_NS, .path = "devpts" },
	{ "M1", "mount mqueue", go_mount, TWIN_NS, .path = "mqueue",
	  .unless = "the kernel lacks mqueue" },
	{ "M1", "bind /usr", go_mount, TWIN_NS, .arg = { MS_BIND | MS_REC, 1, 1 } },
	{ "M1", "make a mount shared", go_mount, TWIN_NS, .arg = { MS_SHARED } },
	{ "M1", "fsopen, fsconfig, fsmount", go_new_mount, TWIN_NS, .call = "fsopen",
	  .arg = { SYS_fsopen } },
	{ "M1", "fspick", go_new_mount, TWIN_NS, .call = "fspick", .arg = { SYS_fspick } },
	{ "M1", "fsmount alone", go_new_mount, TWIN_NONE, .call = "fsmount",
	  .unless = "it needs what fsopen gives, which is tried before", .arg = { SYS_fsmount } },
	{ "M1", "open_tree that clones", go_new_mount, TWIN_NS, .call = "open_tree",
	  .arg = { SYS_open_tree } },
	{ "M1", "move_mount", go_new_mount, TWIN_NS, .call = "move_mount",
	  .arg = { SYS_move_mount } },
	{ "M1", "mount_setattr", go_new_mount, TWIN_NS, .call = "mount_setattr",
	  .arg = { SYS_mount_setattr } },
	{ "M1", "pivot_root", go_pivot, TWIN_NS, .call = "pivot_root" },
	{ "M1", "chroot", go_call, TWIN_NS, .call = "chroot", .arg = { SYS_chroot, P("/") } },
	{ "M2", "remount what is read-only", go_remount, TWIN_NS, .arg = { SYS_mount } },
	{ "M2", "mount_setattr on what is read-only", go_remount, TWIN_NS,
	  .arg = { SYS_mount_setattr } },
	{ "M2", "remount it from a nested namespace", go_nested_strip, .arg = { 1 } },
	{ "M3", "unmount what covers something", go_unmount_all, TWIN_NS, .call = "umount2" },
	{ "M3", "unmount it from a nested namespace", go_nested_strip },
	{ "M4", "a ladder of ..", go_ladder },
	{ "M4", "pid 1's root", go_ladder, .path = "/proc/%d/root" },
	{ "M4", "pid 1's working directory", go_ladder,
	  .path = "/proc/%d/cwd/../../../../../../../.." },
	{ "M4", "a thread's root", go_ladder, .path = "/proc/thread-self/root/../.." },
	{ "M4", "each process's root", go_each_process, .path = "root" },
	{ "M4", "each process's working directory", go_each_process,
	  .path = "cwd/../../../../../../../../../../../.." },
	{ "M4", "chroot and fchdir", go_chroot, TWIN_NS },
	{ "M5", "name_to_handle_at on /", go_handle, .path = "/", .call = "name_to_handle_at",
	  .arg = { SYS_name_to_handle_at }, .unless = "the root file system gives no handles" },
	{ "M5", "open_by_handle_at on /", go_handle, TWIN_ROOT, .path = "/",
	  .call = "open_by_handle_at", .unless = "the root file system gives no handles" },
	{ "M5", "open_by_handle_at on what is writable", go_handle, TWIN_ROOT },
	{ "M9", "a mount in a peer group", go_mount_line, TWIN_NS },
	{ "M11", "a mount without nosuid", go_mount_line, .path = "nosuid" },
	{ "M11", "a set-user-ID program of root's gains", go_setuid, TWIN_NONE,
	  .unless = "root must make it: the test as root does, and shows its twin" },
};

const struct points points_mounts = { list, COUNT(list) };
