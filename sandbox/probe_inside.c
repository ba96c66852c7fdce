// SPDX-License-Identifier: Apache-2.0
/* Probes in namespaces of their own, and what to do when there are none. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/probe_table.h"
#include "sandbox/terminal.h"

/* --- the way in */

bool probe_has_root_mount(const char *mountinfo)
{
	const char *line = mountinfo;

	while (*line) {
		const char *p = line, *end = strchrnul(line, '\n');
		int field;

		/* id parent major:minor root POINT */
		for (field = 0; field < 4 && p < end; p++)
			field += *p == ' ';
		if (field == 4 && p + 1 < end && p[0] == '/' && p[1] == ' ')
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

char *probe_apparmor_profile(char *text)
{
	char *mode;

	text[strcspn(text, "\n")] = '\0';
	mode = strstr(text, " (");
	/* "unconfined" alone; a profile with that mode refuses nothing either, nor does complain.
	 */
	if (!mode || strcmp(mode, " (unconfined)") == 0 || strcmp(mode, " (complain)") == 0)
		return NULL;
	*mode = '\0';
	return text;
}

char *probe_selinux_context(char *text)
{
	const char *colon = strchr(text, ':');

	text[strcspn(text, "\n")] = '\0';
	return colon && strchr(colon + 1, ':') ? text : NULL;
}

/* LSM hook userns_create: Linux 6.1 with SELinux, 6.7 with AppArmor. Both say EACCES. */
static const char *lsm_hint(const struct probe_userns_facts *f)
{
	static char hint[LIMIT_ERR_HINT];

	if (f->apparmor)
		(void)snprintf(hint, sizeof(hint),
			       "the AppArmor profile '%.128s' around this process has no rule "
			       "'userns,': start from outside of it, or let root add the rule",
			       f->apparmor);
	else if (f->selinux)
		(void)snprintf(hint, sizeof(hint),
			       "the SELinux policy lets '%.128s' make no user namespace: let root "
			       "allow it user_namespace create; ausearch -m avc shows the refusal",
			       f->selinux);
	else
		return "a security module refuses it (AppArmor: rule userns; SELinux: class "
		       "user_namespace): ask who keeps its policy";
	return hint;
}

static const char *no_more_hint(const char *name)
{
	static char hint[LIMIT_ERR_HINT];

	(void)snprintf(hint, sizeof(hint),
		       "namespaces of one kind are switched off here: sysctl -w user.%s=15000 (as "
		       "root)",
		       name);
	return hint;
}

/* A launch makes all kinds in one call, which then fails for any of them. */
static const char *find_no_more(void)
{
	static const char *const names[] = { "max_mnt_namespaces", "max_pid_namespaces",
					     "max_ipc_namespaces", "max_uts_namespaces",
					     "max_net_namespaces", "max_cgroup_namespaces",
					     "max_time_namespaces" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "user/%s", names[i]);
		if (probe_sysctl(path) == 0)
			return names[i];
	}
	return NULL;
}

#define HINT_APPARMOR_RESTRICTS                                                                    \
	"AppArmor restricts user namespaces on this host: let root load the AppArmor profile "     \
	"that comes with cordon, or set sysctl kernel.apparmor_restrict_unprivileged_userns=0"

const char *probe_userns_hint_from(int error, const struct probe_userns_facts *f)
{
	switch (error < 0 ? -error : error) {
	case ENOSPC:
		if (f->max_user_namespaces != 0 && f->no_more)
			return no_more_hint(f->no_more);
		return f->max_user_namespaces == 0
			       ? "user namespaces are switched off here: "
				 "sysctl -w user.max_user_namespaces=15000 (as root)"
			       : "too many user namespaces at once or one in the other (32 deep): "
				 "end "
				 "some, or raise user.max_user_namespaces (as root)";
	case EPERM:
		if (f->apparmor_restrict == 1 && !f->root)
			return HINT_APPARMOR_RESTRICTS;
		if (f->unprivileged_clone == 0 && !f->root)
			return "user namespaces are for root only here: "
			       "sysctl -w kernel.unprivileged_userns_clone=1 (as root)";
		if (f->chrooted)
			return "the kernel makes no user namespace in a chroot: enter the tree by "
			       "pivot_root(8), or start from outside";
		if (f->filtered)
			return "a seccomp filter around this process refuses it, as containers "
			       "have: start the outer one with a profile that allows user "
			       "namespaces";
		return "no switch of this kernel explains it: a security module, or an id that "
		       "the surrounding user namespace does not map";
	case EACCES:
		return f->apparmor_restrict == 1 && !f->root && !f->apparmor
			       ? HINT_APPARMOR_RESTRICTS
			       : lsm_hint(f);
	case EINVAL:
		return "this kernel has no user namespaces: one with CONFIG_USER_NS is needed";
	case ENOSYS:
		return "clone3 is refused: a container's seccomp profile from before 2021, or a "
		       "kernel before 5.3";
	default:
		return "";
	}
}

const char *probe_userns_hint(int error)
{
	_cleanup_buf_ struct buf mounts = BUF_INIT, status = BUF_INIT, label = BUF_INIT;
	struct probe_userns_facts facts = {
		.max_user_namespaces = probe_sysctl("user/max_user_namespaces"),
		.unprivileged_clone = probe_sysctl("kernel/unprivileged_userns_clone"),
		.apparmor_restrict = probe_sysctl("kernel/apparmor_restrict_unprivileged_userns"),
		.root = geteuid() == 0,
		.no_more = find_no_more(),
	};

	if (fd_read_virtual_at(AT_FDCWD, "/proc/self/mountinfo", 4 << 20, &mounts) == 0)
		facts.chrooted = !probe_has_root_mount(mounts.data);
	if (fd_read_virtual_at(AT_FDCWD, "/proc/self/status", 1 << 16, &status) == 0)
		facts.filtered = strstr(status.data, "\nSeccomp:\t2\n");
	/* Its own file is there from Linux 5.8 on, and readable only with that module. */
	if (fd_read_virtual_at(AT_FDCWD, "/proc/self/attr/apparmor/current", 4096, &label) == 0)
		facts.apparmor = probe_apparmor_profile(label.data);
	else if (fd_read_virtual_at(AT_FDCWD, "/proc/self/attr/current", 4096, &label) == 0)
		facts.selinux = probe_selinux_context(label.data);
	return probe_userns_hint_from(error, &facts);
}

static void switches_detail(struct probe_result *r)
{
	static const char *const names[] = { "user/max_user_namespaces",
					     "kernel/unprivileged_userns_clone",
					     "kernel/apparmor_restrict_unprivileged_userns" };
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(names) && n < sizeof(r->detail); i++) {
		int64_t value = probe_sysctl(names[i]);
		const char *slash = strchr(names[i], '/');

		if (value >= 0)
			n += (size_t)snprintf(r->detail + n, sizeof(r->detail) - n,
					      "%s%.*s.%s=%lld", n ? " " : "",
					      (int)(slash - names[i]), names[i], slash + 1,
					      (long long)value);
	}
}

/* Run fn in a child with nothing but a new user namespace; its result or the clone's. */
static int in_userns(int (*fn)(void))
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t pid;
	int status;

	probe_set_outer(geteuid(), getegid());
	pid = sys_clone3(&args);
	if (pid == 0) {
		int r = fn ? fn() : 0;

		_exit(r < 0 && r > -256 ? -r : 0);
	}
	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int with_userns_hint(struct probe_result *r, int error)
{
	if (error < 0)
		(void)snprintf(r->hint, sizeof(r->hint), "%s", probe_userns_hint(error));
	return error;
}

int probe_try_userns(struct probe_result *r)
{
	int error = in_userns(NULL);
	size_t n;

	switches_detail(r);
	n = strlen(r->detail);
	if (error < 0)
		(void)snprintf(r->detail + n, sizeof(r->detail) - n, "%s%s", n ? "; " : "",
			       err_text(error));
	return with_userns_hint(r, error);
}

int probe_try_idmap(struct probe_result *r)
{
	return with_userns_hint(r, in_userns(probe_map_ids));
}

static int deny_and_look(void)
{
	int r = probe_map_ids();

	if (r < 0)
		return r;
	/* The twin of a map that is written: setgroups(2) is refused from then on. */
	return setgroups(0, NULL) < 0 && errno == EPERM ? 0 : -EPROTO;
}

int probe_try_setgroups(struct probe_result *r)
{
	return with_userns_hint(r, in_userns(deny_and_look));
}

int probe_try_time(struct probe_result *r)
{
	(void)r;
	return unshare(CLONE_NEWTIME) < 0 ? -errno : 0;
}

/* --- mounts: this process has its own mount namespace, so it may cover /proc */

#define SCRATCH "/proc"

static int new_fs(const char *type, const char *const options[][2], unsigned attrs)
{
	_cleanup_close_ int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
	int r;

	if (fs < 0)
		return fs;
	for (; options && (*options)[0]; options++) {
		r = (*options)[1]
			    ? sys_fsconfig(fs, FSCONFIG_SET_STRING, (*options)[0], (*options)[1], 0)
			    : sys_fsconfig(fs, FSCONFIG_SET_FLAG, (*options)[0], NULL, 0);
		if (r < 0)
			return r;
	}
	r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? r : sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | attrs);
}

/* A tmpfs on SCRATCH, and the working directory in it. */
static int scratch(void)
{
	_cleanup_close_ int mnt = new_fs("tmpfs", NULL, MOUNT_ATTR_NODEV);
	int r;

	if (mnt < 0)
		return mnt;
	r = sys_move_mount(mnt, "", AT_FDCWD, SCRATCH, MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return r;
	return chdir(SCRATCH) < 0 ? -errno : 0;
}

int probe_try_mount_api(struct probe_result *r)
{
	int fd, error = scratch();

	(void)r;
	if (error < 0)
		return error;
	fd = sys_open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

/* The whole of "/", as a launch does it; detached, so that nothing is seen of it. */
int probe_try_mount_setattr(struct probe_result *r)
{
	_cleanup_close_ int fd =
		sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	(void)r;
	if (fd < 0)
		return fd;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE,
				 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0);
}

int probe_try_overlay(struct probe_result *r)
{
	static const char *const options[][2] = { { "lowerdir", "lower" },
						  { "upperdir", "upper" },
						  { "workdir", "work" },
						  { "userxattr", NULL },
						  { NULL, NULL } };
	_cleanup_close_ int mnt = -1, file = -1;
	int error = scratch();

	if (error < 0)
		return error;
	if (mkdir("lower", 0755) < 0 || mkdir("upper", 0755) < 0 || mkdir("work", 0755) < 0)
		return -errno;
	mnt = new_fs("overlay", options, MOUNT_ATTR_NODEV);
	if (mnt == -ENODEV)
		probe_detail(r, "this kernel has no overlayfs, or its module is not loaded");
	if (mnt < 0)
		return mnt;
	file = openat(mnt, "written", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return file < 0 ? -errno : 0;
}

int probe_try_tmpfs_xattr(struct probe_result *r)
{
	int error = scratch();

	(void)r;
	if (error < 0)
		return error;
	return setxattr(".", "user.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* EPERM where the /proc around us is covered in places: the kernel shows no more of procfs to a
 * user namespace than it saw before (mount_too_revealing). */
int probe_try_proc(struct probe_result *r)
{
	_cleanup_close_ int mnt = new_fs("proc", NULL, MOUNT_ATTR_NODEV);

	if (mnt == -EPERM)
		probe_detail(r, "the /proc here is covered in places, so no new one may be had");
	return mnt < 0 ? mnt : 0;
}

int probe_try_devpts(struct probe_result *r)
{
	static const char *const options[][2] = { { "ptmxmode", "0666" }, { NULL, NULL } };
	_cleanup_close_ int mnt = -1, master = -1, slave = -1;
	struct err err = ERR_INIT;
	int error;

	/* Under MOUNT_ATTR_NODEV its ptmx could not be opened. */
	mnt = new_fs("devpts", options, MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return mnt;
	error = terminal_open_pair(mnt, &master, &slave, &err);
	if (error < 0)
		probe_detail(r, "cannot %.200s: %s", err.msg, err_text(error));
	return error;
}

/* Since Linux 5.14 RLIMIT_NPROC counts in each user namespace on its own. Root of the
 * initial namespace is exempt from it (copy_process, INIT_USER). */
int probe_try_nproc(struct probe_result *r)
{
	enum { LIMIT = 4, TRIES = 8 };
	struct rlimit limit = { LIMIT, LIMIT };
	pid_t child[TRIES];
	int i, n = 0, error = 0;

	if (setrlimit(RLIMIT_NPROC, &limit) < 0)
		return -errno;
	while (n < TRIES) {
		struct clone_args args = { .exit_signal = SIGCHLD };
		pid_t pid = sys_clone3(&args);

		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			for (;;)
				(void)pause();
		}
		if (pid < 0) {
			error = pid;
			break;
		}
		child[n++] = pid;
	}
	for (i = 0; i < n; i++) {
		(void)kill(child[i], SIGKILL);
		(void)waitpid(child[i], NULL, 0);
	}
	if (error == -EAGAIN && n == LIMIT - 1)
		return 0;
	if (n == TRIES) {
		probe_detail(r, "RLIMIT_NPROC does not hold for root of the host");
		(void)snprintf(r->hint, sizeof(r->hint), "run cordon as an ordinary user");
		return -EPERM;
	}
	probe_detail(r, "RLIMIT_NPROC counts your processes outside too: %d of %d could start", n,
		     LIMIT - 1);
	(void)snprintf(r->hint, sizeof(r->hint), "boot Linux 5.14 or newer");
	return -EAGAIN;
}
