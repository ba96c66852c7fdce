// SPDX-License-Identifier: Apache-2.0
#include "sandbox/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "sandbox/host_proc.h"

/* Only AppArmor has files of its own; SELinux's are the ones that belong to the first module that
 * has any (security/security.c, security_getprocattr(); fs/proc/base.c, attr_dir_stuff). */
static const struct {
	uint64_t id;
	const char *current, *exec;
} modules[] = {
	[POLICY_LSM_APPARMOR] = { SYS_LSM_ID_APPARMOR, "thread-self/attr/apparmor/current",
				  "thread-self/attr/apparmor/exec" },
	[POLICY_LSM_SELINUX] = { SYS_LSM_ID_SELINUX, "thread-self/attr/current",
				 "thread-self/attr/exec" },
};

union attr {
	struct sys_lsm_ctx ctx;
	char bytes[sizeof(struct sys_lsm_ctx) + LSM_TEXT];
};

/* As one line: the kernel ends some with a newline, some with a NUL, some with both. */
static int take_text(const char *text, size_t n, char ret[LSM_TEXT])
{
	n = strnlen(text, n);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n >= LSM_TEXT)
		return -ERANGE;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return 0;
}

static int get_by_syscall(enum policy_lsm lsm, unsigned attr, char ret[LSM_TEXT])
{
	union attr a = { .ctx = { .id = modules[lsm].id } };
	uint32_t size = sizeof(a);
	int r = sys_lsm_get_self_attr(attr, &a.ctx, &size, SYS_LSM_FLAG_SINGLE);

	if (r == -E2BIG)
		return -ERANGE;
	if (r < 0)
		return r;
	if (a.ctx.ctx_len > LSM_TEXT)
		return -EPROTO;
	return take_text(a.bytes + sizeof(a.ctx), (size_t)a.ctx.ctx_len, ret);
}

static int get_by_proc(int proc, const char *file, char ret[LSM_TEXT])
{
	_cleanup_close_ int fd = path_open_in(proc, file, O_RDONLY, PATH_FOLLOW_INSIDE);
	char text[LSM_TEXT + 2];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text));
	return n < 0 ? -errno : take_text(text, (size_t)n, ret);
}

int lsm_get_exec(enum policy_lsm lsm, bool by_syscall, int proc, char ret[LSM_TEXT])
{
	return by_syscall ? get_by_syscall(lsm, SYS_LSM_ATTR_EXEC, ret)
			  : get_by_proc(proc, modules[lsm].exec, ret);
}

static int set_by_syscall(enum policy_lsm lsm, const char *text, size_t n)
{
	union attr a = { .ctx = { .id = modules[lsm].id, .ctx_len = n } };

	a.ctx.len = sizeof(a.ctx) + n;
	memcpy(a.bytes + sizeof(a.ctx), text, n);
	return sys_lsm_set_self_attr(SYS_LSM_ATTR_EXEC, &a.ctx, (uint32_t)a.ctx.len, 0);
}

/* Opened and written by one thread with one set of credentials, or the kernel refuses it (Linux
 * 5.13, fs/proc/base.c, proc_pid_attr_write()); in one write, or it is another label. */
static int set_by_proc(int proc, const char *file, const char *text, size_t n)
{
	_cleanup_close_ int fd = path_open_in(proc, file, O_WRONLY, PATH_FOLLOW_INSIDE);
	ssize_t done;

	if (fd < 0)
		return fd;
	done = write(fd, text, n);
	if (done < 0)
		return -errno;
	return (size_t)done == n ? 0 : -EIO;
}

int lsm_set_exec(enum policy_lsm lsm, bool by_syscall, int proc, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > LSM_TEXT)
		return -ERANGE;
	return by_syscall ? set_by_syscall(lsm, text, n)
			  : set_by_proc(proc, modules[lsm].exec, text, n);
}

/* --- what a plan asks --- */

/* Whether this is what SELinux says: USER:ROLE:TYPE and more. Before a policy is loaded it says
 * "kernel", and other modules that answer in its place have no such labels. */
static bool is_context(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && strchr(colon + 1, ':');
}

static int read_by_proc(enum policy_lsm lsm, struct lsm_state *ret, struct err *err)
{
	_cleanup_close_ int proc = host_proc_open(err);
	int r;

	if (proc < 0)
		return proc;
	r = get_by_proc(proc, modules[lsm].current, ret->current);
	/* AppArmor, where it is in force, answers for SELinux, too. */
	if (lsm == POLICY_LSM_SELINUX && r == 0 && is_context(ret->current)) {
		char other[LSM_TEXT];

		r = get_by_proc(proc, modules[POLICY_LSM_APPARMOR].current, other) == 0 ? -EINVAL
											: 0;
	} else if (lsm == POLICY_LSM_SELINUX && r == 0) {
		r = -EINVAL;
	}
	ret->there = r == 0;
	/* EINVAL: no module answers (security/security.c); ENOENT: none is built in */
	return r == 0 || r == -EINVAL || path_is_absent(r)
		       ? 0
		       : err_set(err, r, "read the security label of this process");
}

static bool is_permissive(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	return fd_read_virtual_at(AT_FDCWD, "/sys/fs/selinux/enforce", 16, &text) == 0 &&
	       text.len > 0 && text.data[0] == '0';
}

static int read_state(enum policy_lsm lsm, struct lsm_state *ret, struct err *err)
{
	int r = get_by_syscall(lsm, SYS_LSM_ATTR_CURRENT, ret->current);

	/* EPERM: a filter of somebody who does not know the call */
	ret->by_syscall = r != -ENOSYS && r != -EPERM;
	if (!ret->by_syscall)
		r = read_by_proc(lsm, ret, err);
	else if (r == 0)
		ret->there = lsm != POLICY_LSM_SELINUX || is_context(ret->current);
	else if (r == -EOPNOTSUPP)
		r = 0;
	else
		r = err_set(err, r, "read the security label of this process");
	if (r == 0 && ret->there && lsm == POLICY_LSM_SELINUX)
		ret->permissive = is_permissive();
	return r;
}

struct trial {
	enum policy_lsm lsm;
	bool by_syscall;
	const char *text;
	char *shown;
	int r;
};

static int trial_main(void *arg)
{
	struct trial *t = arg;
	_cleanup_close_ int proc = -1;
	struct err unheard = ERR_INIT;

	t->r = 0;
	if (!t->by_syscall)
		t->r = proc = host_proc_open(&unheard);
	if (t->r >= 0)
		t->r = lsm_set_exec(t->lsm, t->by_syscall, proc, t->text);
	if (t->r == 0)
		t->r = lsm_get_exec(t->lsm, t->by_syscall, proc, t->shown);
	_exit(0);
}

/* Labels are a thread's own, so that one which shares all our memory can try what we would not
 * want to be left with: an exec label cannot be taken back. */
static int try_exec(enum policy_lsm lsm, const struct lsm_state *state, const char *text,
		    char ret[LSM_TEXT])
{
	static _Alignas(16) char stack[64 * 1024];
	struct trial t = { .lsm = lsm,
			   .by_syscall = state->by_syscall,
			   .text = text,
			   .shown = ret,
			   .r = -ECHILD };
	pid_t pid = clone(trial_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, &t);

	if (pid < 0)
		return -errno;
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return t.r;
}

const struct lsm_ops lsm_kernel = { .read = read_state, .try_exec = try_exec };
