// SPDX-License-Identifier: Apache-2.0
/* N1 to N9: the host's namespaces and processes, and namespaces of the payload's own. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/escape/probe.h"

/* path: which; the host's are told as facts. */
static struct answer go_same(const struct point *p)
{
	char path[64], name[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", p->path);
	snprintf(name, sizeof(name), "ns.%s", p->path);
	if (stat(path, &st) < 0)
		return refused();
	return (long)st.st_ino == fact_number(name) ? done("%s is the host's", p->path) : hidden();
}

static struct answer go_cgroup_path(const struct point *p)
{
	static char text[8192];
	int n = read_small("/proc/self/cgroup", text, sizeof(text));

	(void)p;
	if (n < 0) {
		errno = -n;
		return refused();
	}
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *path = strrchr(line, ':');

		if (path && strcmp(path + 1, "/") != 0)
			return done("%.60s", line);
	}
	return hidden();
}

/* --- more namespaces */

static struct clone_args clone3_user = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
static struct clone_args clone3_all = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET,
					.exit_signal = SIGCHLD };
static struct clone_args clone3_plain = { .exit_signal = SIGCHLD };

static struct answer go_fork(const struct point *p)
{
	int status;
	pid_t pid =
		p->arg[0] == SYS_clone3 ? (pid_t)syscall(SYS_clone3, p->arg[1], p->arg[2]) : fork();

	/* libc takes it for an old kernel, and clones */
	if (pid < 0 && p->arg[0] == SYS_clone3 && errno == ENOSYS)
		return done("ENOSYS, on which libc falls back");
	if (pid < 0)
		return refused();
	if (pid == 0)
		_exit(7);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? done("a child came and went")
							     : refused();
}

static int on_thread(void *arg)
{
	*(volatile int *)arg = 1;
	syscall(SYS_exit, 0);
	return 0;
}

static struct answer go_thread(const struct point *p)
{
	static _Alignas(16) char stack[65536];
	static volatile int ran;
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	(void)p;
	ran = 0;
	if (clone(on_thread, stack + sizeof(stack), flags, (void *)(unsigned long)&ran) < 0)
		return refused();
	for (int i = 0; i < 2000 && !ran; i++)
		usleep(1000);
	return ran ? done("a thread ran") : refused();
}

/* In a user namespace made here; path: the file system, arg[0]: the call that makes the namespace
 */
static struct answer go_nested_mount(const struct point *p)
{
	const char *dir = make_dir("nested");
	char options[1200] = "";

	if (p->arg[0] == SYS_clone3) {
		struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS,
					   .exit_signal = SIGCHLD };
		pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		int status;

		if (pid < 0)
			return refused();
		if (pid == 0)
			_exit(mount("none", dir, p->path, 0, NULL) == 0 ? 7 : errno);
		waitpid(pid, &status, 0);
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
		return errno == 7 ? done("mounted") : refused();
	}
	if (become_root_of(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWCGROUP) < 0)
		return refused();
	if (strcmp(p->path, "overlay") == 0) {
		if (mount("none", dir, "tmpfs", 0, NULL) < 0 || chdir(dir) < 0 ||
		    mkdir("u", 0755) < 0 || mkdir("w", 0755) < 0)
			return refused();
		snprintf(options, sizeof(options), "lowerdir=/usr,upperdir=u,workdir=w,userxattr");
	}
	if (strcmp(p->path, "proc") == 0) { /* of the new pid namespace, by one who lives there */
		pid_t pid = fork();
		int status;

		if (pid < 0)
			return refused();
		if (pid == 0)
			_exit(mount("none", dir, "proc", 0, NULL) == 0 ? 7 : errno);
		waitpid(pid, &status, 0);
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
		return errno == 7 ? done("mounted") : refused();
	}
	return by_result(mount("none", dir, p->path, 0, options), "mounted");
}

/* path: a file of nsfs. */
static struct answer go_setns(const struct point *p)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", p->arg[0] ? world.init : getpid(), p->path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refused();
	return by_result(setns(fd, 0), "the namespace was entered");
}

static struct answer go_setns_pidfd(const struct point *p)
{
	int fd = (int)syscall(SYS_pidfd_open, world.init, 0);

	if (fd < 0)
		return refused();
	return by_result(setns(fd, (int)p->arg[0]), "namespaces were entered by pidfd");
}

/* --- the host's processes: one that waits there has the marker in its arguments */

static struct answer go_find_marker(const struct point *p)
{
	const char *marker = fact("marker");
	DIR *dir = opendir("/proc");

	if (!dir)
		return refused();
	for (struct dirent *e; marker && (e = readdir(dir));) {
		char path[300], text[4096];
		int n;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/%s", e->d_name, p->path);
		n = read_small(path, text, sizeof(text));
		if (n > 0 && memmem(text, (size_t)n, marker, strlen(marker))) {
			closedir(dir);
			return done("found in %.100s", path);
		}
	}
	closedir(dir);
	return hidden();
}

static struct answer go_host_pid(const struct point *p)
{
	static char buffer[64];
	struct iovec here = { buffer, sizeof(buffer) }, there = here;
	pid_t pid = (pid_t)fact_number("pid");
	long r = -1;

	if (pid <= 1)
		return done("no process was told of");
	switch (p->arg[0]) {
	case SYS_kill:
		r = kill(pid, 0);
		break;
	case SYS_pidfd_open:
		r = syscall(SYS_pidfd_open, pid, 0);
		break;
	case SYS_ptrace:
		r = ptrace(PTRACE_SEIZE, pid, NULL, NULL);
		if (r == 0) /* detaching takes a stop; our end does as well */
			return done("seized");
		break;
	case SYS_process_vm_readv:
		there.iov_base = (void *)fact_number("address");
		r = process_vm_readv(pid, &here, 1, &there, 1, 0);
		break;
	case SYS_sched_setaffinity: {
		unsigned long all = ~0UL;

		r = syscall(SYS_sched_setaffinity, pid, sizeof(all), &all);
		break;
	}
	case SYS_prlimit64:
		r = syscall(SYS_prlimit64, pid, 7 /* NOFILE */, NULL, buffer);
		break;
	default:
		break;
	}
	return by_result(r, "reached the host's process");
}

#define YAMA "kernel.yama.ptrace_scope keeps processes of one user apart"

static const struct point list[] = {
	{ "N1", "user namespace is the host's", go_same, .path = "user" },
	{ "N1", "mount namespace is the host's", go_same, .path = "mnt" },
	{ "N1", "pid namespace is the host's", go_same, .path = "pid" },
	{ "N1", "network namespace is the host's", go_same, .path = "net" },
	{ "N1", "ipc namespace is the host's", go_same, .path = "ipc" },
	{ "N1", "uts namespace is the host's", go_same, .path = "uts" },
	{ "N2", "cgroup namespace is the host's", go_same, .path = "cgroup" },
	{ "N2", "a path of the host's cgroups", go_cgroup_path,
	  .unless = "the caller lies at the top of each hierarchy, so that there is no path" },

	{ "N3", "unshare a user namespace", go_call, .call = "unshare",
	  .arg = { SYS_unshare, CLONE_NEWUSER } },
	{ "N3", "clone into a user namespace", go_call, .call = "clone",
	  .arg = { SYS_clone, CLONE_NEWUSER | SIGCHLD } },
	{ "N3", "unshare a mount namespace", go_call, TWIN_NS,
	  .arg = { SYS_unshare, CLONE_NEWNS } },
	{ "N3", "unshare a pid namespace", go_call, TWIN_NS, .arg = { SYS_unshare, CLONE_NEWPID } },
	{ "N3", "unshare a network namespace", go_call, TWIN_NS,
	  .arg = { SYS_unshare, CLONE_NEWNET } },
	{ "N3", "unshare an ipc namespace", go_call, TWIN_NS,
	  .arg = { SYS_unshare, CLONE_NEWIPC } },
	{ "N3", "unshare a uts namespace", go_call, TWIN_NS, .arg = { SYS_unshare, CLONE_NEWUTS } },
	{ "N3", "unshare a cgroup namespace", go_call, TWIN_NS,
	  .arg = { SYS_unshare, CLONE_NEWCGROUP } },
	{ "N3", "unshare a time namespace", go_call, TWIN_NS,
	  .arg = { SYS_unshare, 0x80 /* CLONE_NEWTIME */ } },
	{ "N3", "user and all other namespaces in one call", go_call,
	  .arg = { SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET } },
	{ "N4", "clone3 into a user namespace", go_call, .error = ENOSYS,
	  .arg = { SYS_clone3, P(&clone3_user), sizeof(clone3_user) } },
	{ "N4", "clone3 into several namespaces", go_call, .error = ENOSYS,
	  .arg = { SYS_clone3, P(&clone3_all), sizeof(clone3_all) } },
	{ "N5", "fork", go_fork, .flags = WORKS },
	{ "N5", "plain clone3, or ENOSYS", go_fork, .flags = WORKS,
	  .arg = { SYS_clone3, P(&clone3_plain), sizeof(clone3_plain) } },
	{ "N5", "a thread", go_thread, .flags = WORKS },
	{ "N6", "tmpfs in a nested user namespace", go_nested_mount, .path = "tmpfs" },
	{ "N6", "tmpfs in a user namespace made by clone3", go_nested_mount, .path = "tmpfs",
	  .arg = { SYS_clone3 } },
	{ "N6", "proc in a nested user namespace", go_nested_mount, .path = "proc",
	  .unless = "this host's proc is partly covered, as in a container" },
	{ "N6", "overlay in a nested user namespace", go_nested_mount, .path = "overlay",
	  .unless = "the kernel lacks overlay" },
	{ "N6", "mqueue in a nested user namespace", go_nested_mount, .path = "mqueue",
	  .unless = "the kernel lacks mqueue" },
	{ "N6", "devpts in a nested user namespace", go_nested_mount, .path = "devpts" },
	{ "N6", "cgroup2 in a nested user namespace", go_nested_mount, .path = "cgroup2",
	  .unless = "this host's cgroups are partly covered, or are v1" },
	{ "N7", "setns to pid 1's mount namespace", go_setns, TWIN_NS, .path = "mnt",
	  .arg = { 1 } },
	{ "N7", "setns to pid 1's pid namespace", go_setns, TWIN_NS, .path = "pid", .arg = { 1 } },
	{ "N7", "setns to its own network namespace", go_setns, TWIN_NS, .path = "net",
	  .call = "setns" },
	{ "N7", "setns to its own ipc namespace", go_setns, TWIN_NS, .path = "ipc" },
	{ "N7", "setns by a pidfd of pid 1", go_setns_pidfd, TWIN_NS,
	  .arg = { CLONE_NEWNET | CLONE_NEWIPC } },
	{ "N8", "a host process by its arguments", go_find_marker, .path = "cmdline" },
	{ "N8", "a host process by its environment", go_find_marker, .path = "environ" },
	{ "N8", "signal a host process", go_host_pid, .arg = { SYS_kill } },
	{ "N8", "pidfd of a host process", go_host_pid, .arg = { SYS_pidfd_open } },
	{ "N8", "trace a host process", go_host_pid, .arg = { SYS_ptrace }, .unless = YAMA },
	{ "N8", "read a host process's memory", go_host_pid, .arg = { SYS_process_vm_readv },
	  .unless = YAMA },
	{ "N8", "affinity of a host process", go_host_pid, .arg = { SYS_sched_setaffinity } },
	{ "N8", "limits of a host process", go_host_pid, .arg = { SYS_prlimit64 } },
	{ "N9", "set the host name", go_call, TWIN_NS, .call = "sethostname", .flags = HARMFUL,
	  .arg = { SYS_sethostname, P("breach"), 6 } },
	{ "N9", "set the domain name", go_call, TWIN_NS, .call = "setdomainname", .flags = HARMFUL,
	  .arg = { SYS_setdomainname, P("breach"), 6 } },
};

const struct points points_namespaces = { list, COUNT(list) };
