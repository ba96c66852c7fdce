// SPDX-License-Identifier: Apache-2.0
#include "collect/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "profiles/landlock.h"

enum { STATUS_MAX = 8192 };

static int read_own(const char *path, char *text, size_t size, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;
	int r = fd_read_virtual_at(AT_FDCWD, path, size - 1, &buf);

	if (r < 0)
		return err_set(err, r, "read %s", path);
	memcpy(text, buf.data ? buf.data : "", buf.len);
	text[buf.len] = '\0';
	return 0;
}

int confine_check(struct err *err)
{
	unsigned inside, outside, count;
	char text[STATUS_MAX];
	int r;

	if (getuid() == 0 || geteuid() == 0) {
		(void)err_refuse(err, "collect as root");
		return err_hint(err, "it needs a user of its own and CAP_AUDIT_READ: start "
				     "cordon-collect.service");
	}
	if (capng_get_caps_process() < 0)
		return err_set(err, -EPERM, "read its own capabilities");
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (cap == CAP_AUDIT_READ || !capng_have_capability(CAPNG_PERMITTED, cap))
			continue;
		(void)err_refuse(err, "collect with the capability %s",
				 capng_capability_to_name(cap) ? capng_capability_to_name(cap)
							       : "?");
		return err_hint(err, "CAP_AUDIT_READ is all that it needs");
	}
	r = read_own("/proc/self/uid_map", text, sizeof(text), err);
	if (r < 0)
		return r;
	if (sscanf(text, "%u %u %u", &inside, &outside, &count) != 3 || inside != 0 ||
	    outside != 0 || count != UINT32_MAX)
		return err_refuse(err, "collect in a user namespace: the kernel's audit can be "
				       "read in the first one only");
	return 0;
}

static int drop_capabilities(struct err *err)
{
	/* The bounding set would take CAP_SETPCAP to empty; without privileges to be had by exec
	 * it bounds nothing. */
	capng_clear(CAPNG_SELECT_BOTH);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_set(err, -errno, "drop the ambient capabilities");
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return err_set(err, -EPERM, "drop the capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "set no_new_privs");
	return 0;
}

static int apply_landlock(int abi, struct err *err)
{
	_cleanup_close_ int ruleset = program_ruleset(abi), proc = -1;
	int r;

	if (ruleset < 0)
		return err_set(err, ruleset, "make a Landlock ruleset");
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_set(err, -errno, "open /proc");
	r = sys_landlock_add_path(ruleset, proc, SYS_LANDLOCK_FS_READ_FILE);
	if (r < 0)
		return err_set(err, r, "grant /proc by Landlock");
	r = sys_landlock_restrict_self(ruleset, 0);
	return r < 0 ? err_set(err, r, "apply Landlock") : 0;
}

static int check_line(const char *status, const char *want, struct err *err)
{
	return strstr(status, want) ? 0
				    : err_set(err, -EPROTO, "find '%.*s' in /proc/self/status",
					      (int)strcspn(want + 1, "\n"), want + 1);
}

/* The kernel's own account. It can be read still: that is what the collector does. */
static int read_back(struct err *err)
{
	static const char *const lines[] = {
		"\nCapInh:\t0000000000000000\n",
		"\nCapPrm:\t0000000000000000\n",
		"\nCapEff:\t0000000000000000\n",
		"\nCapAmb:\t0000000000000000\n",
		"\nNoNewPrivs:\t1\n",
	};
	char status[STATUS_MAX];
	int r = read_own("/proc/self/status", status, sizeof(status), err);

	for (size_t i = 0; i < ARRAY_SIZE(lines) && r == 0; i++)
		r = check_line(status, lines[i], err);
	return r;
}

int confine_apply(const struct program *program, int *ret_landlock, struct err *err)
{
	const struct rlimit none = { 0, 0 };
	int abi = sys_landlock_abi(), r;

	abi = abi > LANDLOCK_NEWEST_ABI ? LANDLOCK_NEWEST_ABI : abi;
	r = sys_rlimit(RLIMIT_CORE, &none, NULL);
	if (r < 0)
		return err_set(err, r, "forbid core dumps");
	r = drop_capabilities(err);
	if (r == 0 && abi > 0)
		r = apply_landlock(abi, err);
	r = r ? r : read_back(err);
	if (r < 0)
		return r;
	*ret_landlock = abi > 0 ? abi : 0;
	return program_load(program, 0, "the collector", err);
}
