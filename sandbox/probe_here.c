// SPDX-License-Identifier: Apache-2.0
/* Probes that need no namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/record.h"
#include "base/fd.h"
#include "base/sys.h"
#include "base/text.h"
#include "profiles/landlock.h"
#include "sandbox/cgroup.h"
#include "sandbox/probe_table.h"

int probe_parse_release(const char *release, unsigned *ret_major, unsigned *ret_minor)
{
	unsigned part[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		char number[8], *end;
		size_t n = strspn(release, "0123456789");

		if (n == 0 || n >= sizeof(number) || (i == 0 && release[n] != '.'))
			return -EINVAL;
		memcpy(number, release, n);
		number[n] = '\0';
		part[i] = (unsigned)strtoul(number, &end, 10);
		release += n + (i == 0);
	}
	*ret_major = part[0];
	*ret_minor = part[1];
	return 0;
}

int probe_try_kernel(struct probe_result *r)
{
	struct utsname u;
	unsigned major, minor;

	if (uname(&u) < 0)
		return -errno;
	probe_detail(r, "%s %s", u.release, u.machine);
	if (probe_parse_release(u.release, &major, &minor) < 0)
		return -EINVAL;
	return major > 5 || (major == 5 && minor >= 15) ? 0 : -ENOSYS;
}

int probe_try_openat2(struct probe_result *r)
{
	int fd = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	(void)r;
	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

int probe_try_close_range(struct probe_result *r)
{
	(void)r;
	return sys_close_range(~0U, ~0U, CLOSE_RANGE_CLOEXEC);
}

int probe_try_clone3(struct probe_result *r)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);

	(void)r;
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* A child in a user namespace, as in a launch: Yama's scopes 1 and 2 let its creator do it, 3
 * nobody. */
int probe_try_pidfd(struct probe_result *r)
{
	_cleanup_close_ int pidfd = -1, got = -1, mark = -1;
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t pid;
	int error = 0;

	(void)r;
	mark = open("/", O_PATH | O_CLOEXEC);
	if (mark < 0)
		return -errno;
	pid = sys_clone3(&args);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	if (pid < 0)
		return pid;
	pidfd = sys_pidfd_open(pid, 0);
	if (pidfd < 0) {
		error = pidfd;
	} else {
		got = sys_pidfd_getfd(pidfd, mark);
		error = got < 0 ? got : 0;
	}
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return error;
}

/* A filter that allows everything; what counts is that the kernel takes it. */
static int load_filter(unsigned flags)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

int probe_try_seccomp(struct probe_result *r)
{
	(void)r;
	return load_filter(0);
}

static int try_listener(struct probe_result *r, unsigned flags)
{
	int fd = load_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER | flags);

	if (fd == -EBUSY) {
		probe_detail(r, "a supervisor around this process has the one listener there is");
		(void)snprintf(r->hint, sizeof(r->hint),
			       "in the outer sandbox's policy: switch notification off");
	}
	return fd < 0 ? fd : 0;
}

int probe_try_notify(struct probe_result *r)
{
	return try_listener(r, 0);
}

int probe_try_wait_killable(struct probe_result *r)
{
	return try_listener(r, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

void probe_landlock_text(int abi, char *ret, size_t size)
{
	size_t i, n, n_abis;
	const struct landlock_abi *abis = landlock_abis(&n_abis);

	n = (size_t)snprintf(ret, size, abi > 0 ? "ABI %d" : "none", abi);
	for (i = (size_t)abi; i < n_abis && n < size; i++)
		n += (size_t)snprintf(ret + n, size - n, "%s%u %s (%u.%u)",
				      i == (size_t)abi ? "; not here: " : ", ", abis[i].abi,
				      abis[i].adds, abis[i].major, abis[i].minor);
}

int probe_try_landlock(struct probe_result *r)
{
	int abi = sys_landlock_abi();

	probe_landlock_text(abi > 0 ? abi : 0, r->detail, sizeof(r->detail));
	if (abi < 0)
		return abi;
	return abi > 0 ? 0 : -EOPNOTSUPP;
}

int probe_try_cgroup(struct probe_result *r)
{
	struct cgroup_place place = CGROUP_PLACE_INIT;
	struct err err = ERR_INIT;
	const unsigned needed = CGROUP_PIDS | CGROUP_MEMORY | CGROUP_CPU;
	char names[48];
	unsigned have;
	int error = cgroup_find(NULL, &place, &err);

	if (error < 0) {
		probe_detail(r, "cannot %.300s", err.msg);
		(void)snprintf(r->hint, sizeof(r->hint), "%s", err.hint);
		return error;
	}
	have = cgroup_obtainable(&place);
	probe_detail(r, "%.200s: %s%s", place.path, cgroup_names(have, names),
		     place.crowded ? "; other processes sit in it" : "");
	cgroup_place_done(&place);
	if ((have & needed) == needed)
		return 0;
	(void)snprintf(r->hint, sizeof(r->hint), "%s",
		       place.crowded ? "start cordon alone in its node: systemd-run --user --scope "
				       "-p Delegate=yes cordon ..."
				     : "its parent must enable pids, memory and cpu in "
				       "cgroup.subtree_control; on a hybrid host boot with "
				       "systemd.unified_cgroup_hierarchy=1");
	return -ENODEV;
}

static bool read_line(const char *path, struct buf *buf)
{
	if (fd_read_virtual_at(AT_FDCWD, path, 4096, buf) < 0)
		return false;
	buf->data[strcspn(buf->data, "\n")] = '\0';
	return buf->data[0] != '\0';
}

int probe_try_lsm(struct probe_result *r)
{
	_cleanup_buf_ struct buf list = BUF_INIT, label = BUF_INIT, safe = BUF_INIT;
	bool have_list = read_line("/sys/kernel/security/lsm", &list);
	bool have_label = read_line("/proc/self/attr/current", &label);

	if (have_label && text_escape(&safe, label.data, strlen(label.data)) < 0)
		have_label = false;
	if (have_list)
		probe_detail(r, "%.200s%s%.80s", list.data, have_label ? "; our label: " : "",
			     have_label ? safe.data : "");
	else if (have_label)
		probe_detail(r, "our label: %.80s", safe.data);
	else
		probe_detail(r, "securityfs is not mounted, and we carry no label");
	return have_list || have_label ? 0 : -ENOENT;
}

int probe_try_yama(struct probe_result *r)
{
	int64_t scope = probe_sysctl("kernel/yama/ptrace_scope");

	if (scope < 0) {
		probe_detail(r, "no Yama here");
		return -ENOENT;
	}
	probe_detail(r, "kernel.yama.ptrace_scope=%lld", (long long)scope);
	return scope > 0 ? 0 : -EPERM;
}

int probe_try_tiocsti(struct probe_result *r)
{
	int64_t legacy = probe_sysctl("dev/tty/legacy_tiocsti");

	if (legacy < 0)
		probe_detail(r, "no dev.tty.legacy_tiocsti before Linux 6.2");
	else
		probe_detail(r, "dev.tty.legacy_tiocsti=%lld", (long long)legacy);
	return legacy == 0 ? 0 : -EPERM;
}

int probe_try_collector(struct probe_result *r)
{
	(void)r;
	return audit_kernel_probe();
}
