// SPDX-License-Identifier: Apache-2.0
#include "cli/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "profiles/landlock.h"

static int grant(int ruleset, const char *path, uint64_t rights)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : sys_landlock_add_path(ruleset, fd, rights);
}

/* The file itself, or the directory that it is to be made in. */
static int grant_out(int ruleset, const char *out, uint64_t handled)
{
	const uint64_t writes = handled & (SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_TRUNCATE);
	const char *slash = strrchr(out, '/');
	char dir[LIMIT_PATH];
	int r = grant(ruleset, out, writes);

	if (r == -EBADFD) /* a pipe has no place in a file system: it is nobody's to refuse */
		return 0;
	if (r != -ENOENT)
		return r;
	if (strlen(out) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, out, strlen(out) + 1);
	if (slash)
		dir[slash == out ? 1 : slash - out] = '\0';
	return grant(ruleset, slash ? dir : ".", writes | SYS_LANDLOCK_FS_MAKE_REG);
}

static int apply_landlock(int abi, const char *out, struct err *err)
{
	_cleanup_close_ int ruleset = program_ruleset(abi);
	int r;

	if (ruleset < 0)
		return err_set(err, ruleset, "make a Landlock ruleset");
	r = grant(ruleset, "/", SYS_LANDLOCK_FS_READ_FILE | SYS_LANDLOCK_FS_READ_DIR);
	if (r < 0)
		return err_set(err, r, "grant reading by Landlock");
	r = out ? grant_out(ruleset, out, landlock_handled_fs(abi)) : 0;
	if (r < 0)
		return err_set(err, r, "write to '%s'", out);
	r = sys_landlock_restrict_self(ruleset, 0);
	return r < 0 ? err_set(err, r, "apply Landlock") : 0;
}

int confine_reader(const struct program *program, const char *out, struct err *err)
{
	const int abi = sys_landlock_abi();
	int r = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "set no_new_privs");
	if (abi < 0)
		return err_set(err, abi, "ask the kernel for Landlock");
	if (abi > 0)
		r = apply_landlock(abi, out, err);
	return r < 0 ? r : program_load(program, 0, "the reader", err);
}

int confine_apart(int (*work)(void *context), void *context, const char *what, int *ret_status,
		  struct err *err)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(work(context));
	}
	if (pid < 0)
		return err_set(err, -errno, "make a process that reads");
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_set(err, -errno, "wait for the process that reads");
	}
	if (WIFSIGNALED(status))
		return err_refuse(err, "read the %s: what reads it was ended by signal %d", what,
				  WTERMSIG(status));
	*ret_status = WEXITSTATUS(status);
	if (*ret_status != 0 && *ret_status != 1 && *ret_status != CONFINE_FAILED)
		return err_refuse(err, "read the %s: what reads it ended with status %d", what,
				  *ret_status);
	return 0;
}

int confine_take(int fd, size_t max, char **ret_buf, size_t *ret_len)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, max, ret_buf, ret_len);
}
