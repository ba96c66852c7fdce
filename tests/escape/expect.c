// SPDX-License-Identifier: Apache-2.0
/* Where a point's answer is another one by somebody's word, or is no promise: which, and why. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/escape/probe.h"

static const struct exception {
	const char *id, *what; /* what: a pattern as of the shell */
	const char *when;      /* one of the words that the test tells, NULL: always */
	enum want want;
	const char *reason;
} exceptions[] = {
	/* build.policy */
	{ "S8", "ADDR_NO_RANDOMIZE", "build", WANT_DONE,
	  "sanitizers and setarch -R start themselves anew without it: build.policy" },
	/* strict.policy: a filter makes no process and locks nothing */
	{ "N5", "fork", "strict", WANT_DENIED, "a filter makes no process: strict.policy" },
	{ "S16", "a filter of its own", "strict", WANT_DENIED, "no call for it: strict.policy" },
	{ "S16", "a Landlock ruleset of its own", "strict", WANT_DENIED,
	  "no call for it: strict.policy" },
	/* what the caller asked for, where the policy has a call for it */
	{ "W1", "*", "net=host,strict", WANT_DENIED, "no socket is to be had: strict.policy" },
	{ "N1", "network namespace is the host's", "net=host", WANT_DONE, "--net host" },
	{ "W1", "a server on the host's *", "net=host", WANT_DONE, "--net host" },
	{ "W1", "*route to the world", "net=host,route", WANT_DONE, "--net host" },
	{ "W1", "the address of a cloud's metadata", "net=host,route", WANT_DONE, "--net host" },
	{ "I1", "the host's other network interfaces", "net=host,interface", WANT_DONE,
	  "--net host" },
	{ "W2", "the names of abstract sockets", "net=host", WANT_DONE, "--net host" },
	{ "W2", "an abstract socket", "net=host,landlock<6", WANT_DONE,
	  "--net host, and Landlock before ABI 6 has no scope" },
	{ "T3", "the controlling terminal", "pty", WANT_DONE, "a terminal of the sandbox's own" },
	/* what no mechanism of the kernel's can keep: SECURITY.md, "What is not promised"
	 */
	{ "I1", "where the caller's files lie", "disk", WANT_OPEN,
	  "mountinfo names the device of what is shown, and cannot be masked for one's own" },
	{ "R2", "5 GiB of memory", "default", WANT_OPEN, "no sum of memory without a cgroup" },
	{ "R2", "5 GiB of memory", "build", WANT_OPEN, "no sum of memory without a cgroup" },
	{ "R2", "5 GiB of memory", "session", WANT_OPEN, "no sum of memory without a cgroup" },
	{ "R6", "*inotify*", "default", WANT_OPEN,
	  "the kernel counts for the user, not for a namespace" },
	{ "R6", "*inotify*", "build", WANT_OPEN,
	  "the kernel counts for the user, not for a namespace" },
	{ "R6", "*inotify*", "session", WANT_OPEN,
	  "the kernel counts for the user, not for a namespace" },
	{ "R6", "SysV*", "default", WANT_OPEN, "no sum of memory without a cgroup" },
	{ "R6", "SysV*", "build", WANT_OPEN, "no sum of memory without a cgroup" },
	{ "R6", "SysV*", "session", WANT_OPEN, "no sum of memory without a cgroup" },
	{ "R1", "300 processes", "caller=root,default", WANT_OPEN,
	  "the kernel does not count root's processes" },
	{ "R1", "300 processes", "caller=root,build", WANT_OPEN,
	  "the kernel does not count root's processes" },
	{ "R1", "300 processes", "caller=root,session", WANT_OPEN,
	  "the kernel does not count root's processes" },
	{ "R3", "*without a bound in /tmp", "base=kept,strict", WANT_OPEN,
	  "--upper DIR is as large as its disk, and strict has no /tmp of its own" },
	{ "C3", "supplementary groups", "groups", WANT_OPEN,
	  "a one-id map cannot drop groups; the record says so" },
};

/* Whether each of the words in wanted is one of those in told. */
static bool all_told(const char *wanted, const char *told)
{
	while (wanted && *wanted) {
		size_t len = strcspn(wanted, ",");
		bool found = false;

		for (const char *p = told; *p; p += strcspn(p, ","), p += *p == ',')
			found |= strcspn(p, ",") == len && strncmp(p, wanted, len) == 0;
		if (!found)
			return false;
		wanted += len;
		wanted += *wanted == ',';
	}
	return true;
}

enum want expect_of(const struct point *p, const char *when, const char **ret_reason)
{
	for (size_t i = 0; i < COUNT(exceptions); i++) {
		const struct exception *e = &exceptions[i];

		if (strcmp(e->id, p->id) == 0 && fnmatch(e->what, p->what, 0) == 0 &&
		    all_told(e->when, when)) {
			*ret_reason = e->reason;
			return e->want;
		}
	}
	*ret_reason = NULL;
	return WANT_DEFAULT;
}

void expect_print(void)
{
	static const char *const words[] = { "denied", "to be had", "denied", "open" };

	for (size_t i = 0; i < COUNT(exceptions); i++)
		printf("%-4s %-44s %-24s %s: %s\n", exceptions[i].id, exceptions[i].what,
		       exceptions[i].when ? exceptions[i].when : "always",
		       words[exceptions[i].want], exceptions[i].reason);
}
