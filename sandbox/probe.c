// SPDX-License-Identifier: Apache-2.0
/* The table of probes and how each is run. */
#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/probe_table.h"

enum { CHILD_WAIT_MS = 3000 };

#define COST_NOTHING_RUNS "nothing can run"
#define HINT_NEWER_KERNEL "boot Linux 5.15 or newer"
#define HINT_CONTAINER                                                                             \
	"inside a container: start the outer one with a seccomp profile that lets it pass"

static const struct probe probes[] = {
	{ "kernel", "Linux 5.15 or newer", PROBE_NEEDED, PROBE_HERE, 0, probe_try_kernel,
	  COST_NOTHING_RUNS, HINT_NEWER_KERNEL },
	{ "openat2", "openat2 in-root resolution", PROBE_NEEDED, PROBE_HERE, 0, probe_try_openat2,
	  "no path below a root can be opened safely", HINT_CONTAINER },
	{ "close_range", "close_range with CLOEXEC", PROBE_NEEDED, PROBE_HERE, 0,
	  probe_try_close_range, "descriptors of yours could reach the payload", HINT_CONTAINER },
	{ "clone3", "clone3", PROBE_NEEDED, PROBE_HERE, 0, probe_try_clone3, COST_NOTHING_RUNS,
	  HINT_CONTAINER },
	{ "userns", "user namespaces", PROBE_NEEDED, PROBE_HERE, 0, probe_try_userns,
	  COST_NOTHING_RUNS, NULL },
	{ "idmap", "map of one id", PROBE_NEEDED, PROBE_HERE, 0, probe_try_idmap, COST_NOTHING_RUNS,
	  NULL },
	{ "setgroups", "setgroups denied", PROBE_NEEDED, PROBE_HERE, 0, probe_try_setgroups,
	  "no group can be mapped", NULL },
	{ "mountns", "mount namespace", PROBE_NEEDED, PROBE_INSIDE, 0, NULL, COST_NOTHING_RUNS,
	  "raise user.max_mnt_namespaces" },
	{ "pidns", "pid namespace", PROBE_NEEDED, PROBE_INSIDE, CLONE_NEWPID, NULL,
	  COST_NOTHING_RUNS, "raise user.max_pid_namespaces" },
	{ "ipcns", "ipc namespace", PROBE_NEEDED, PROBE_INSIDE, CLONE_NEWIPC, NULL,
	  COST_NOTHING_RUNS, "raise user.max_ipc_namespaces" },
	{ "utsns", "uts namespace", PROBE_NEEDED, PROBE_INSIDE, CLONE_NEWUTS, NULL,
	  COST_NOTHING_RUNS, "raise user.max_uts_namespaces" },
	{ "cgroupns", "cgroup namespace", PROBE_NEEDED, PROBE_INSIDE, CLONE_NEWCGROUP, NULL,
	  COST_NOTHING_RUNS, "raise user.max_cgroup_namespaces" },
	{ "netns", "network namespace", PROBE_NEEDED, PROBE_INSIDE, CLONE_NEWNET, NULL,
	  COST_NOTHING_RUNS, "raise user.max_net_namespaces" },
	{ "timens", "time namespace", PROBE_WANTED, PROBE_INSIDE, 0, probe_try_time,
	  "the payload reads the host's boot time", "a kernel with CONFIG_TIME_NS" },
	{ "mount_api", "new mount API", PROBE_NEEDED, PROBE_INSIDE, 0, probe_try_mount_api,
	  COST_NOTHING_RUNS, HINT_CONTAINER },
	{ "mount_setattr", "recursive read-only", PROBE_NEEDED, PROBE_INSIDE, 0,
	  probe_try_mount_setattr, "the host's tree cannot be shown read-only", HINT_NEWER_KERNEL },
	{ "proc", "own /proc", PROBE_NEEDED, PROBE_INSIDE, CLONE_NEWPID, probe_try_proc,
	  "the payload would see the host's processes",
	  "inside a container: start the outer one with an unmasked /proc "
	  "(podman: --security-opt unmask=ALL)" },
	{ "devpts", "own devpts", PROBE_NEEDED, PROBE_INSIDE, 0, probe_try_devpts,
	  "no terminal inside", "a kernel with CONFIG_UNIX98_PTYS" },
	{ "overlay", "overlayfs in a user namespace", PROBE_WANTED, PROBE_INSIDE, 0,
	  probe_try_overlay, "--base DIR is read-only: no throw-away upper above it",
	  "load the module: modprobe overlay (as root)" },
	{ "tmpfs_xattr", "user attributes on tmpfs", PROBE_WANTED, PROBE_INSIDE, 0,
	  probe_try_tmpfs_xattr,
	  "an upper in memory fails with EIO when a directory of the base is replaced",
	  "boot Linux 6.6 or newer, or give the upper a directory on disk: --upper DIR" },
	{ "pidfd", "pidfd_open and pidfd_getfd", PROBE_NEEDED, PROBE_HERE, 0, probe_try_pidfd,
	  "no denial can be recorded, and no child be held safely",
	  "kernel.yama.ptrace_scope must be below 3" },
	{ "seccomp", "seccomp filters", PROBE_NEEDED, PROBE_CHILD, 0, probe_try_seccomp,
	  "no system call can be refused", "a kernel with CONFIG_SECCOMP_FILTER" },
	{ "notify", "seccomp user notification", PROBE_NEEDED, PROBE_CHILD, 0, probe_try_notify,
	  "denials cannot be recorded", NULL },
	{ "wait_killable", "notification with WAIT_KILLABLE_RECV", PROBE_WANTED, PROBE_CHILD, 0,
	  probe_try_wait_killable, "a signal can make one denied call be recorded twice",
	  "boot Linux 5.19 or newer" },
	{ "landlock", "Landlock", PROBE_WANTED, PROBE_HERE, 0, probe_try_landlock,
	  "one wall less: files open to your other groups stay readable inside",
	  "add landlock to the kernel's lsm= boot parameter" },
	{ "nproc", "process limit per sandbox", PROBE_WANTED, PROBE_INSIDE, 0, probe_try_nproc,
	  "--limit pids holds only through a cgroup", NULL },
	{ "cgroup", "delegated cgroup v2", PROBE_WANTED, PROBE_HERE, 0, probe_try_cgroup,
	  "no limit on memory and cpu of all processes together", NULL },
	{ "lsm", "security modules told", PROBE_INFO, PROBE_HERE, 0, probe_try_lsm,
	  "what AppArmor or SELinux refuse cannot be told apart", NULL },
	{ "collector", "the kernel's own denials in the log", PROBE_INFO, PROBE_HERE, 0,
	  probe_try_collector,
	  "what AppArmor, SELinux, Landlock or a filter that kills refuse is in no log of cordon's",
	  "cordon-collect is not running: an administrator starts it by cordon-collect.service "
	  "(man cordon-collect)" },
	{ "yama", "Yama ptrace_scope", PROBE_INFO, PROBE_HERE, 0, probe_try_yama,
	  "your processes outside can trace each other, as always; not those inside", NULL },
	{ "tiocsti", "TIOCSTI switched off", PROBE_INFO, PROBE_HERE, 0, probe_try_tiocsti,
	  "nothing inside cordon: the payload has a terminal of its own",
	  "sysctl -w dev.tty.legacy_tiocsti=0 (as root, Linux 6.2 or newer)" },
};

size_t probe_count(void)
{
	return ARRAY_SIZE(probes);
}

void probe_detail(struct probe_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
}

int64_t probe_sysctl(const char *path)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;
	char full[256];
	uint64_t value;

	(void)snprintf(full, sizeof(full), "/proc/sys/%s", path);
	if (fd_read_virtual_at(AT_FDCWD, full, 64, &buf) < 0)
		return -1;
	buf.data[strcspn(buf.data, "\n")] = '\0';
	return text_parse_u64(buf.data, &value) < 0 || value > INT64_MAX ? -1 : (int64_t)value;
}

static int write_proc(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* The ids of the process before it got its namespace, taken over by the clone. */
static uid_t outer_uid;
static gid_t outer_gid;

void probe_set_outer(uid_t uid, gid_t gid)
{
	outer_uid = uid;
	outer_gid = gid;
}

int probe_map_ids(void)
{
	char map[48];
	int r;

	r = write_proc("/proc/self/setgroups", "deny");
	if (r < 0)
		return r;
	(void)snprintf(map, sizeof(map), "0 %u 1", outer_uid);
	r = write_proc("/proc/self/uid_map", map);
	if (r < 0)
		return r;
	(void)snprintf(map, sizeof(map), "0 %u 1", outer_gid);
	return write_proc("/proc/self/gid_map", map);
}

/* The child's part; the result lies in memory that the parent sees. */
static int in_child(const struct probe *p, struct probe_result *shared)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (p->where == PROBE_INSIDE) {
		r = probe_map_ids();
		if (r < 0) {
			(void)snprintf(shared->hint, sizeof(shared->hint), "%s",
				       probe_userns_hint(r));
			return r;
		}
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			return -errno;
	}
	return p->try ? p->try(shared) : 0;
}

static int await(pid_t pid, int pidfd)
{
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };
	int r, status;

	do
		r = poll(&fd, 1, CHILD_WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? 0 : r <= 0 ? -ETIMEDOUT : -EINTR;
}

static int run_in_child(const struct probe *p, struct probe_result *ret)
{
	_cleanup_close_ int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .pidfd = (uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	struct probe_result *shared;
	pid_t pid;
	int r;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return -errno;
	*shared = *ret;
	shared->error = -EINTR;
	probe_set_outer(geteuid(), getegid());
	if (p->where == PROBE_INSIDE)
		args.flags |= CLONE_NEWUSER | CLONE_NEWNS | p->flags;
	pid = sys_clone3(&args);
	if (pid == 0) {
		shared->error = in_child(p, shared);
		_exit(0);
	}
	r = pid < 0 ? pid : await(pid, pidfd);
	if (r == 0) {
		*ret = *shared;
		r = shared->error;
	}
	(void)munmap(shared, sizeof(*shared));
	return r;
}

static bool needs_userns(const struct probe *p)
{
	return p->where == PROBE_INSIDE || p->try == probe_try_idmap ||
	       p->try == probe_try_setgroups || p->try == probe_try_pidfd;
}

static bool userns_is_there(void)
{
	struct probe_result r = { .detail = "" };

	return probe_try_userns(&r) >= 0;
}

void probe_run(size_t i, struct probe_result *ret)
{
	const struct probe *p = &probes[i];
	struct probe_result r = {
		.id = p->id,
		.name = p->name,
		.level = p->level,
		.cost = p->cost,
	};

	r.error = p->where == PROBE_HERE ? p->try(&r) : run_in_child(p, &r);
	r.have = r.error >= 0;
	if (r.have) {
		r.error = 0;
		r.hint[0] = '\0';
	} else if (needs_userns(p) && !userns_is_there()) {
		/* One cause, one hint: the probe of user namespaces has it. */
		probe_detail(&r, "not tried: it needs a user namespace");
		r.cost = "";
		r.hint[0] = '\0';
	} else {
		if (!r.detail[0])
			probe_detail(&r, "%s", err_text(r.error));
		if (!r.hint[0] && p->hint)
			(void)snprintf(r.hint, sizeof(r.hint), "%s", p->hint);
	}
	*ret = r;
}

int probe_run_id(const char *id, struct probe_result *ret)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		if (strcmp(probes[i].id, id) == 0) {
			probe_run(i, ret);
			return 0;
		}
	}
	return -ENOENT;
}
