// SPDX-License-Identifier: Apache-2.0
/* Who the payload is and what it has inherited. */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tests/launches/inside.h"

extern char **environ;

/* The value behind "NAME:\t"; NULL: blind. */
static const char *status_of(const struct check *c, const char *name)
{
	static char status[8192], value[256];
	char key[64], *at;
	int n;

	if (status[0] == '\0') {
		n = read_file("/proc/self/status", status + 1, sizeof(status) - 1);
		if (n < 0) {
			blind(c, "/proc/self/status: %s", strerror(-n));
			return NULL;
		}
		status[0] = '\n';
	}
	snprintf(key, sizeof(key), "\n%s:", name);
	at = strstr(status, key);
	if (!at) {
		blind(c, "no %s in /proc/self/status", name);
		return NULL;
	}
	at += strlen(key);
	at += strspn(at, " \t");
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}

static void status_is(const struct check *c, const char *name, const char *want)
{
	const char *value = status_of(c, name);

	if (value && strcmp(value, want) != 0)
		breach(c, "%s is '%s' and not '%s'", name, value, want);
}

static void check_fds(const struct check *c)
{
	const char *given = told("fds") ? told("fds") : "0,1,2";
	char want[64], all[512];

	snprintf(all, sizeof(all), ",%s,", given);
	for (int fd = 0; fd < 1200; fd++) {
		bool open = fcntl(fd, F_GETFD) >= 0, asked;

		if (!open && errno != EBADF) {
			blind(c, "fcntl: %s", strerror(errno));
			return;
		}
		snprintf(want, sizeof(want), ",%d,", fd);
		asked = strstr(all, want) != NULL;
		if (open && !asked)
			breach(c, "descriptor %d is open", fd);
		if (!open && asked)
			lost(c, "descriptor %d is closed", fd);
	}
}

static void check_caps(const struct check *c)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	char want[32];

	snprintf(want, sizeof(want), "%016llx",
		 told("caps") ? strtoull(told("caps"), NULL, 16) : 0);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		status_is(c, sets[i], want);
}

static void check_no_new_privs(const struct check *c)
{
	status_is(c, "NoNewPrivs", "1");
}

static void check_seccomp(const struct check *c)
{
	status_is(c, "Seccomp", "2");
}

static void check_securebits(const struct check *c)
{
	const int locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
			   SECBIT_KEEP_CAPS_LOCKED;
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (bits < 0)
		blind(c, "prctl: %s", strerror(errno));
	else if ((bits & locked) != locked)
		breach(c, "they are %#x", (unsigned)bits);
}

/* For its own tools; nobody traces it. */
static void check_dumpable(const struct check *c)
{
	int r = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	if (r < 0)
		blind(c, "prctl: %s", strerror(errno));
	else if (r != told_number("dumpable", 1))
		lost(c, "it is %d", r);
	status_is(c, "TracerPid", "0");
}

static void check_signals(const struct check *c)
{
	status_is(c, "SigBlk", "0000000000000000");
	status_is(c, "SigIgn", "0000000000000000");
}

static void check_habits(const struct check *c)
{
	int r = personality(0xffffffff);

	status_is(c, "Umask", "0022");
	if (r < 0)
		blind(c, "personality: %s", strerror(errno));
	else if (r != 0)
		breach(c, "personality %#x", (unsigned)r);
}

static void check_ids(const struct check *c)
{
	char want[128];

	snprintf(want, sizeof(want), "%1$s\t%1$s\t%1$s\t%1$s", told("uid") ? told("uid") : "?");
	status_is(c, "Uid", want);
	snprintf(want, sizeof(want), "%1$s\t%1$s\t%1$s\t%1$s", told("gid") ? told("gid") : "?");
	status_is(c, "Gid", want);
}

static void check_groups(const struct check *c)
{
	const char *groups = status_of(c, "Groups");

	for (const char *p = groups; p && *p;) {
		char *end;
		unsigned long gid = strtoul(p, &end, 10);

		if (end == p)
			break;
		if ((long)gid != told_number("gid", -1))
			breach(c, "group %lu", gid);
		p = end + strspn(end, " ");
	}
}

static void check_limits(const struct check *c)
{
	static const struct {
		const char *name;
		int which;
	} all[] = { { "core", RLIMIT_CORE },
		    { "nofile", RLIMIT_NOFILE },
		    { "nproc", RLIMIT_NPROC },
		    { "data", RLIMIT_DATA } };
	int at = 0;

	for (const char *word; (word = told_next("limit", &at));) {
		const char *value = strchr(word, ':');
		struct rlimit rl;

		for (size_t i = 0; value && i < sizeof(all) / sizeof(all[0]); i++) {
			if (strncmp(word, all[i].name, strlen(all[i].name)) != 0)
				continue;
			if (getrlimit(all[i].which, &rl) < 0)
				blind(c, "getrlimit: %s", strerror(errno));
			else if (rl.rlim_max != strtoull(value + 1, NULL, 10) ||
				 rl.rlim_cur != rl.rlim_max)
				breach(c, "%s is %llu, not %s", all[i].name,
				       (unsigned long long)rl.rlim_max, value + 1);
		}
	}
}

/* Nothing that was not asked for; and all that was. */
static void check_environment(const struct check *c)
{
	int at = 0;

	for (char **e = environ; *e; e++) {
		if (holds(*e, strlen(*e), secret))
			breach(c, "the caller's secret is in %.*s", (int)strcspn(*e, "="), *e);
	}
	for (const char *word; (word = told_next("noenv", &at));) {
		if (getenv(word))
			breach(c, "%s is set", word);
	}
	at = 0;
	for (const char *word; (word = told_next("env", &at));) {
		size_t n = strcspn(word, "=");
		char name[64];
		const char *value;

		snprintf(name, sizeof(name), "%.*s", (int)n, word);
		value = getenv(name);
		if (!value || strcmp(value, word + n + 1) != 0)
			lost(c, "%s is %s%s", name, value ? "'" : "not set", value ? value : "");
	}
}

static void check_host_name(const struct check *c)
{
	const char *want = told("host");
	struct utsname u;

	if (uname(&u) < 0)
		blind(c, "uname: %s", strerror(errno));
	else if (want && strcmp(u.nodename, want) != 0)
		breach(c, "it is '%s', not '%s'", u.nodename, want);
}

static void check_cwd(const struct check *c)
{
	const char *want = told("cwd");
	char cwd[4096];

	if (!getcwd(cwd, sizeof(cwd)))
		blind(c, "getcwd: %s", strerror(errno));
	else if (cwd[0] != '/')
		breach(c, "it is outside: %s", cwd);
	else if (want && strcmp(cwd, want) != 0)
		lost(c, "it is '%s', not '%s'", cwd, want);
}

static void check_terminal(const struct check *c)
{
	const char *want = told("tty");
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 && want && strcmp(want, "no") == 0)
		breach(c, "there is a controlling one");
	if (fd < 0 && want && strcmp(want, "yes") == 0)
		lost(c, "there is no controlling one: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* terminals=BITS: which of 0, 1 and 2 are one; outer=DEVICE:INODE: the caller's, which is none of
 * them. */
static void check_streams(const struct check *c)
{
	const long want = told_number("terminals", -1);
	const char *outer = told("outer");

	for (int fd = 0; fd < 3 && want >= 0; fd++) {
		const bool is_one = isatty(fd) == 1;

		if (!is_one && errno != ENOTTY)
			blind(c, "descriptor %d: %s", fd, strerror(errno));
		else if (is_one && !(want >> fd & 1))
			breach(c, "descriptor %d is one", fd);
		else if (!is_one && (want >> fd & 1))
			lost(c, "descriptor %d is none", fd);
	}
	for (int fd = 0; fd < 40 && outer; fd++) {
		struct stat st;
		char this[64];

		if (fstat(fd, &st) < 0)
			continue;
		snprintf(this, sizeof(this), "%llu:%llu", (unsigned long long)st.st_dev,
			 (unsigned long long)st.st_ino);
		if (strcmp(this, outer) == 0)
			breach(c, "descriptor %d is the caller's", fd);
	}
}

static void check_clock(const struct check *c)
{
	long most = told_number("clock-below", -1);
	struct timespec now;

	if (most < 0)
		return;
	if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		blind(c, "clock_gettime: %s", strerror(errno));
	else if (now.tv_sec > most)
		lost(c, "it stands at %lld s", (long long)now.tv_sec);
}

static const struct check self[] = {
	{ "F1", "descriptors", check_fds },
	{ "C2", "capabilities", check_caps },
	{ "C1", "no_new_privs", check_no_new_privs },
	{ "S1", "a filter", check_seccomp },
	{ "C1", "securebits", check_securebits },
	{ "G5", "its own tracing", check_dumpable },
	{ "C7", "signals", check_signals },
	{ "C7", "habits", check_habits },
	{ "C4", "ids", check_ids },
	{ "C3", "groups", check_groups },
	{ "R6", "limits", check_limits },
	{ "C5", "environment", check_environment },
	{ "I1", "host name", check_host_name },
	{ "M4", "working directory", check_cwd },
	{ "T3", "terminal", check_terminal },
	{ "T2", "standard streams", check_streams },
	{ "N1", "clock", check_clock },
};
const struct checks checks_self = { self, sizeof(self) / sizeof(self[0]) };
