// SPDX-License-Identifier: Apache-2.0
/* C1 to C7, G5: who the payload is, what it holds, and what it has inherited. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/escape/probe.h"

static struct answer go_no_lock(const struct point *p)
{
	int r = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	(void)p;
	return r < 0 ? refused() : r == 1 ? hidden() : done("no_new_privs is off");
}

/* /proc/self or pid 1; arg[0]: the field must read arg[1], which is a text */
static struct answer go_status(const struct point *p)
{
	char path[64], text[64];

	if (p->arg[2])
		snprintf(path, sizeof(path), "/proc/%d/status", world.init);
	else
		snprintf(path, sizeof(path), "/proc/self/status");
	if (!status_field(path, (const char *)p->arg[0], text, sizeof(text)))
		return refused();
	return strcmp(text, (const char *)p->arg[1]) == 0 ? hidden() : done("%s", text);
}

static struct answer go_securebits(const struct point *p)
{
	const int locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
			   SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	(void)p;
	if (bits < 0)
		return refused();
	return (bits & locked) == locked ? hidden() : done("securebits %#x", (unsigned)bits);
}

static struct answer go_capset(const struct point *p)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	data[p->arg[0] / 32].effective = data[p->arg[0] / 32].permitted = 1U << (p->arg[0] % 32);
	if (p->arg[1])
		data[p->arg[0] / 32].inheritable = data[p->arg[0] / 32].permitted;
	return by_result(syscall(SYS_capset, &header, data), "a capability");
}

static struct answer go_ambient(const struct point *p)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	(void)p;
	if (syscall(SYS_capget, &header, data) < 0)
		return refused();
	data[0].inheritable |= 1U << CAP_SYS_CHROOT;
	if (syscall(SYS_capset, &header, data) < 0)
		return refused();
	return by_result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0),
			 "an ambient capability");
}

static struct answer go_bounding(const struct point *p)
{
	(void)p;
	for (int cap = 0; cap < 41; cap++) {
		int r = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (r < 0)
			return refused();
		if (r == 1)
			return done("capability %d may be gained by exec", cap);
	}
	return hidden();
}

static struct answer go_groups(const struct point *p)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	(void)p;
	for (int i = 0; i < n; i++)
		if (groups[i] != getgid())
			return done("%d groups", n);
	return n < 0 ? refused() : hidden();
}

/* C4: somebody else's ids, which 4242 is to all */
static struct answer go_become(const struct point *p)
{
	static const gid_t groups[] = { 4242 };

	if (p->arg[0] == SYS_setgroups)
		return by_result(syscall(SYS_setgroups, 1, groups), "groups were set");
	if (p->arg[0] == SYS_setfsuid) {
		syscall(SYS_setfsuid, 4242);
		return syscall(SYS_setfsuid, -1) == 4242 ? done("another's files") : refused();
	}
	return by_result(syscall(p->arg[0], p->arg[1], p->arg[1], p->arg[1]), "somebody else");
}

/* --- C5: the caller's secret is in his environment */

static struct answer go_environment(const struct point *p)
{
	const char *secret = fact("secret"), *value = getenv("SECRET");

	(void)p;
	return secret && value && strcmp(secret, value) == 0 ? done("in its environment")
							     : hidden();
}

static struct answer go_process_secret(const struct point *p)
{
	static char text[65536];
	const char *secret = fact("secret");
	char path[64];
	int n;

	snprintf(path, sizeof(path), "/proc/%d/%s", world.init, p->path);
	n = read_small(path, text, sizeof(text));
	if (n < 0) {
		errno = -n;
		return refused();
	}
	if (p->arg[0]) /* anything will do */
		return n > 0 ? done("%d bytes", n) : hidden();
	return secret && memmem(text, (size_t)n, secret, strlen(secret)) ? done("in %s", path)
									 : hidden();
}

static struct answer go_process_memory(const struct point *p)
{
	char path[64], byte[16];
	int fd;

	(void)p;
	snprintf(path, sizeof(path), "/proc/%d/mem", world.init);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return refused();
	return by_result(pread(fd, byte, sizeof(byte), 0x400000) < 0 && errno != EIO ? -1 : 0,
			 "its memory is open");
}

/* --- C6: a key of the caller's session */

static struct answer go_key(const struct point *p)
{
	static char value[64];
	long key = fact_number("key");

	if (key < 0)
		return done("no key was told of");
	switch (p->arg[0]) {
	case KEYCTL_SEARCH:
		return by_result(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
					 "user", "cordon-escape", 0),
				 "found");
	case KEYCTL_READ:
		return by_result(syscall(SYS_keyctl, KEYCTL_READ, key, value, sizeof(value)),
				 "read");
	default:
		return by_result(syscall(SYS_request_key, "user", "cordon-escape", 0, 0), "found");
	}
}

/* --- C7: habits of the caller; `outside rude` has them all */

static struct answer go_habit(const struct point *p)
{
	struct rlimit core;
	char text[64];
	mode_t mask;

	switch (p->arg[0]) {
	case 'u':
		mask = umask(0);
		umask(mask);
		return mask == 0777 ? done("umask 0777") : hidden();
	case 'p':
		return personality(0xffffffffU) > 0 ? done("a personality") : hidden();
	case 'c':
		if (getrlimit(RLIMIT_CORE, &core) < 0)
			return refused();
		return core.rlim_max > 0 ? done("core dumps") : hidden();
	case 's':
		return getsid(0) == fact_number("session") ? done("the caller's session")
							   : hidden();
	case 'k':
		return prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) > 0 ? done("keepcaps") : hidden();
	default:
		if (!status_field("/proc/self/status", (const char *)p->arg[1], text, sizeof(text)))
			return refused();
		return strspn(text, "0") == strlen(text) ? hidden() : done("%s", text);
	}
}

#define ZERO	   P("0000000000000000")
#define NOBODY_HAS "an ordinary process of this host has none"

static const struct point list[] = {
	{ "C1", "no_new_privs is off", go_no_lock },
	{ "C1", "no_new_privs is off by its status", go_status,
	  .arg = { P("NoNewPrivs"), P("1") } },
	{ "C1", "securebits are open", go_securebits },
	{ "C2", "inheritable capabilities", go_status, TWIN_NONE, .arg = { P("CapInh"), ZERO },
	  .unless = NOBODY_HAS },
	{ "C2", "permitted capabilities", go_status, TWIN_NS, .arg = { P("CapPrm"), ZERO } },
	{ "C2", "effective capabilities", go_status, TWIN_NS, .arg = { P("CapEff"), ZERO } },
	{ "C2", "bounding capabilities", go_status, .arg = { P("CapBnd"), ZERO } },
	{ "C2", "ambient capabilities", go_status, TWIN_NONE, .arg = { P("CapAmb"), ZERO },
	  .unless = NOBODY_HAS },
	{ "C2", "bounding set by prctl", go_bounding },
	{ "C2", "capset of CAP_SYS_ADMIN", go_capset, TWIN_NS, .arg = { CAP_SYS_ADMIN } },
	{ "C2", "capset of CAP_NET_RAW, inheritable", go_capset, TWIN_NS,
	  .arg = { CAP_NET_RAW, 1 } },
	{ "C2", "raise an ambient capability", go_ambient, TWIN_NS },
	{ "C3", "supplementary groups", go_groups,
	  .unless = "this caller has none; the test as root gives it one" },
	{ "C4", "setresuid", go_become, TWIN_ROOT, .arg = { SYS_setresuid, 4242 } },
	{ "C4", "setuid", go_become, TWIN_ROOT, .arg = { SYS_setuid, 4242 } },
	{ "C4", "setresgid", go_become, TWIN_ROOT, .arg = { SYS_setresgid, 4242 } },
	{ "C4", "setgid", go_become, TWIN_ROOT, .arg = { SYS_setgid, 4242 } },
	{ "C4", "setgroups", go_become, TWIN_ROOT, .arg = { SYS_setgroups } },
	{ "C4", "setfsuid", go_become, TWIN_ROOT, .arg = { SYS_setfsuid } },
	{ "C5", "the caller's secret in its environment", go_environment },
	{ "C5", "the caller's secret in pid 1's", go_process_secret, .path = "environ" },
	{ "C5", "pid 1's map of memory", go_process_secret, .path = "maps", .arg = { 1 } },
	{ "C5", "pid 1's auxiliary vector", go_process_secret, .path = "auxv", .arg = { 1 } },
	{ "C5", "pid 1's memory", go_process_memory,
	  .unless = "kernel.yama.ptrace_scope keeps processes of one user apart" },
	{ "C6", "a key of the caller's session", go_key, .call = "keyctl",
	  .arg = { KEYCTL_SEARCH } },
	{ "C6", "a key by its number", go_key, .arg = { KEYCTL_READ } },
	{ "C6", "a key by request_key", go_key, .call = "request_key" },
	{ "C7", "the caller's umask", go_habit, .arg = { 'u' } },
	{ "C7", "the caller's personality", go_habit, .arg = { 'p' } },
	{ "C7", "the caller's core limit", go_habit, .arg = { 'c' },
	  .unless = "this caller may dump no core" },
	{ "C7", "the caller's session", go_habit, .arg = { 's' } },
	{ "C7", "signals that the caller blocks", go_habit, .arg = { 0, P("SigBlk") } },
	{ "C7", "signals that the caller ignores", go_habit, .arg = { 0, P("SigIgn") } },
	{ "C7", "capabilities kept over setuid", go_habit, TWIN_NONE, .arg = { 'k' },
	  .unless = "exec clears it outside as well" },
	{ "G5", "pid 1 has capabilities", go_status, TWIN_NS, .arg = { P("CapEff"), ZERO, 1 } },
	{ "G5", "pid 1 may gain capabilities", go_status, .arg = { P("CapBnd"), ZERO, 1 } },
	{ "G5", "pid 1 is without no_new_privs", go_status, .arg = { P("NoNewPrivs"), P("1"), 1 } },
	{ "G5", "pid 1 is without a filter", go_status, .arg = { P("Seccomp"), P("2"), 1 } },
};

const struct points points_who = { list, COUNT(list) };
