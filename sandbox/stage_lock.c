// SPDX-License-Identifier: Apache-2.0
/*
 * The lock: one table, in this order, nowhere else.
 *
 *   capabilities   Must: empty all sets and the bounding set, lock securebits. Must not: come
 *                  before the mounts, or after no_new_privs is expected to hold them off.
 *   label          The exec label of AppArmor or SELinux, where one is asked for. Must: come
 *                  before Landlock, which would refuse the write to /proc. Before no_new_privs,
 *                  under which AppArmor lets who is confined stack and nothing else.
 *   no_new_privs   Must: be set before Landlock and seccomp, which an unprivileged thread may
 *                  only apply with it.
 *   Landlock       Must: come after all mounts (they are EPERM under it) and before seccomp.
 *   read back      Must: ask the kernel what is in force and refuse to go on when it differs.
 *   seccomp        Taken by the payload alone, right before execve; nothing of ours runs under
 *                  it but the probe and execve. pid 1 has a smaller filter of its own.
 */
#include <cap-ng.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "profiles/program.h"
#include "sandbox/child.h"
#include "sandbox/learn_filter.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* linux/seccomp.h, Linux 5.19 */
#endif

/* Root inside is a number: no exec gives it capabilities, and no bit of this can be changed. */
static unsigned long wanted_securebits(const struct plan *plan)
{
	unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED;

	/* Raising ambient capabilities is how kept ones survive exec. */
	if (plan->caps == 0)
		bits |= SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	return bits;
}

static int lock_capabilities(struct child *c, struct err *err)
{
	const capng_type_t all = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE |
				 CAPNG_BOUNDING_SET | CAPNG_AMBIENT;

	if (prctl(PR_SET_SECUREBITS, wanted_securebits(c->plan), 0, 0, 0) < 0)
		return err_set(err, -errno, "lock the securebits");
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned cap = 0; cap < 64; cap++) {
		if ((c->plan->caps >> cap & 1) && capng_update(CAPNG_ADD, all, cap) < 0)
			return err_set(err, -EINVAL, "keep capability number %u", cap);
	}
	if (capng_apply(CAPNG_SELECT_ALL) < 0)
		return err_set(err, errno ? -errno : -EPERM, "drop the capabilities");
	return 0;
}

static int lock_no_new_privs(struct child *c, struct err *err)
{
	(void)c;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_set(err, -errno, "set no_new_privs")
							  : 0;
}

static int parse_hex(const char *text, uint64_t *ret)
{
	unsigned long long v;

	if (sscanf(text, "%16llx", &v) != 1)
		return -EPROTO;
	*ret = v;
	return 0;
}

static int check_field(const char *status, const char *name, const char *want, struct err *err)
{
	const char *line = strstr(status, name);

	if (!line || strncmp(line + strlen(name), want, strlen(want)) != 0)
		return err_set(err, -EPROTO, "find %.*s in /proc/self/status as it was set",
			       (int)strcspn(name + 1, ":"), name + 1);
	return 0;
}

static int check_caps(const char *status, uint64_t want, struct err *err)
{
	static const char *const sets[] = { "\nCapInh:\t", "\nCapPrm:\t", "\nCapEff:\t",
					    "\nCapBnd:\t", "\nCapAmb:\t" };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const char *line = strstr(status, sets[i]);
		uint64_t got;

		if (!line || parse_hex(line + strlen(sets[i]), &got) < 0 || got != want)
			return err_set(err, -EPROTO, "find %.6s in /proc/self/status as it was set",
				       sets[i] + 1);
	}
	return 0;
}

/* The kernel's own account of this process, read through a descriptor opened before Landlock. */
static int lock_read_back(struct child *c, struct err *err)
{
	char status[4096], ids[64];
	ssize_t n = pread(c->status, status, sizeof(status) - 1, 0);
	int r;

	if (n <= 0)
		return err_set(err, n < 0 ? -errno : -EIO, "read /proc/self/status back");
	status[n] = '\0';
	(void)snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u\n", c->plan->uid_inside,
		       c->plan->uid_inside, c->plan->uid_inside, c->plan->uid_inside);
	r = check_field(status, "\nUid:\t", ids, err);
	(void)snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u\n", c->plan->gid_inside,
		       c->plan->gid_inside, c->plan->gid_inside, c->plan->gid_inside);
	if (r == 0)
		r = check_field(status, "\nGid:\t", ids, err);
	if (r == 0)
		r = check_field(status, "\nUmask:\t", "0022\n", err);
	if (r == 0)
		r = check_field(status, "\nSigIgn:\t", "0000000000000000\n", err);
	if (r == 0)
		r = check_field(status, "\nNoNewPrivs:\t", "1\n", err);
	if (r == 0)
		r = check_caps(status, c->plan->caps, err);
	if (r == 0 && prctl(PR_GET_SECUREBITS) != (int)wanted_securebits(c->plan))
		r = err_set(err, -EPROTO, "find the securebits as they were set");
	return r;
}

static const struct {
	const char *name;
	int (*apply)(struct child *c, struct err *err);
} lock_order[] = {
	{ "capabilities", lock_capabilities }, { "label", label_apply },
	{ "no_new_privs", lock_no_new_privs }, { "Landlock", landlock_apply },
	{ "read back", lock_read_back },
};

int stage_lock(struct child *c, struct err *err)
{
	c->status = path_open_in(c->proc, "self/status", O_RDONLY, PATH_FOLLOW_INSIDE);
	if (c->status < 0)
		return err_set(err, c->status, "open /proc/self/status inside");
	for (size_t i = 0; i < ARRAY_SIZE(lock_order); i++) {
		int r = lock_order[i].apply(c, err);

		if (r < 0)
			return r;
	}
	fd_closep(&c->status);
	/* The payload's process reads its label back by it; execve closes it. */
	if (c->plan->n_labels == 0)
		fd_closep(&c->proc);
	fd_closep(&c->store);
	fd_closep(&c->root);
	fd_closep(&c->devpts);
	return 0;
}

/* Denials without a listener go to the kernel's audit only where somebody is there to hand them on:
 * who is refused in a loop fills what the whole machine logs. */
static int load_told(struct child *c, struct err *err)
{
	struct sock_fprog prog = { .len = c->plan->n_told, .filter = c->plan->told };
	int r;

	if (c->plan->n_told == 0 || !atomic_load(&c->shared->collected))
		return 0;
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &prog);
	return r < 0 ? err_set(err, r, "have the kernel tell of the denials of the sandbox") : 0;
}

int lock_payload(struct child *c, int *ret_listener, struct err *err)
{
	struct sock_filter learning[LEARN_FILTER_INSNS];
	struct sock_fprog prog = { 0 };
	unsigned flags = 0;
	int r;

	/* The kernel only reads the program; its interface lacks the const. */
	prog.filter = (struct sock_filter *)(uintptr_t)bundle_seccomp(c->plan->bundle, &prog.len);
	if (c->plan->learn)
		prog = (struct sock_fprog){ .len = learn_filter(c->plan, learning),
					    .filter = learning };
	if (c->plan->notify)
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (r == -EINVAL && c->plan->notify)
		r = sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	if (r == -EBUSY) {
		(void)err_set(err, r, "listen to the denials of the sandbox");
		return err_hint(
			err,
			"a seccomp notifier is already in force here, and the kernel allows one; "
			"a policy with 'notify off' does without");
	}
	if (r < 0)
		return err_set(err, r, "load the seccomp program (%u instructions)", prog.len);
	if (!program_in_force())
		return err_set(err, -EPROTO,
			       "find the seccomp program in force after it was loaded");
	*ret_listener = c->plan->notify ? r : -1;
	return load_told(c, err);
}
