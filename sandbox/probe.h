// SPDX-License-Identifier: Apache-2.0
/*
 * What this kernel and this host let a launch do: one probe a feature, each a real try where one
 * is possible, in a forked child where it changes state. `cordon doctor` prints all of them; the
 * launcher's error paths use the same hints. Safe and equally true for root and for an ordinary
 * user; all together well below a second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum probe_level {
	PROBE_NEEDED, /* without it nothing runs */
	PROBE_WANTED, /* without it something is given up, and cost says what */
	PROBE_INFO,   /* a fact that explains other things */
};

enum { PROBE_DETAIL = 320 };

struct probe_result {
	const char *id;	  /* "userns": stable, for programs */
	const char *name; /* "user namespaces": for people */
	enum probe_level level;
	bool have;
	int error;		   /* -errno of the try that failed, or 0 */
	char detail[PROBE_DETAIL]; /* what was seen, or "" */
	const char *cost;	   /* what lacking it costs; "" when another lack is the cause */
	char hint[LIMIT_ERR_HINT]; /* what to do when it is lacking, or "" */
};

size_t probe_count(void);

/* Run one, i below probe_count(). *ret is always filled; a probe that cannot even be tried is
 * lacking. */
void probe_run(size_t i, struct probe_result *ret);

/* Run the one with this id: 0, or -ENOENT. */
int probe_run_id(const char *id, struct probe_result *ret);

/* The sentence that says what to do after clone3(CLONE_NEWUSER), or writing the new namespace's id
 * map, failed with error (either sign): chosen by looking at the switches of the host. Never NULL;
 * "" when nothing is known. Static storage. */
const char *probe_userns_hint(int error);

/* --- pure parts, for tests */

/* The switches; -1: this kernel has no such switch. */
struct probe_userns_facts {
	int64_t max_user_namespaces;
	int64_t unprivileged_clone; /* Debian's, Arch's */
	int64_t apparmor_restrict;  /* Ubuntu's, from 23.10 on */
	bool root;		    /* effective uid 0 */
	bool filtered;		    /* a seccomp filter is around us */
	bool chrooted;		    /* our "/" is no mount point */
	const char *no_more;	    /* the switch of another kind that is 0; NULL: none is */
	const char *apparmor;	    /* the profile around us; NULL: none */
	const char *selinux;	    /* our context; NULL: no policy */
};
const char *probe_userns_hint_from(int error, const struct probe_userns_facts *facts);

/* What /proc/self/attr/apparmor/current holds, "NAME (MODE)", made its NAME in place: NULL when it
 * confines nothing. */
char *probe_apparmor_profile(char *text);

/* What /proc/self/attr/current holds without AppArmor, made a context in place: NULL when it is
 * none, as before a policy is loaded. */
char *probe_selinux_context(char *text);

/* "6.18.44-x" to 6 and 18: 0 or -EINVAL. */
int probe_parse_release(const char *release, unsigned *ret_major, unsigned *ret_minor);

/* Whether text of /proc/PID/mountinfo has a mount at "/". */
bool probe_has_root_mount(const char *mountinfo);

/* "ABI 6; newer ones add: ..." into ret. */
void probe_landlock_text(int abi, char *ret, size_t size);
