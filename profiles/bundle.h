// SPDX-License-Identifier: Apache-2.0
/*
 * A bundle: all profiles of one policy for one architecture, in one file. A launch reads a
 * bundle and never a compiler. The file is little-endian, position-independent, and is
 * validated whole by bundle_open(): every offset, count, enum and string is checked there,
 * so that readers may index without asking again. Hostile bytes give an error, never a crash.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "policies/model.h"

struct bundle;

/* Borrow bytes (which must stay, unchanged, until bundle_close) and validate them: magic,
 * version, native architecture, checksum, structure. -EBADMSG names what is wrong. */
int bundle_open(const void *bytes, size_t len, struct bundle **ret, struct err *err);
/* The same for a tool that looks at a bundle of another architecture: native is the ABI asked for.
 * Such a bundle's program is never loaded. */
int bundle_open_for(const void *bytes, size_t len, enum abi native, struct bundle **ret,
		    struct err *err);
void bundle_close(struct bundle *bundle); /* NULL is allowed */

const char *bundle_policy_name(const struct bundle *b);
const struct hash *bundle_policy_digest(const struct bundle *b);
bool bundle_notify(const struct bundle *b); /* false: denials are plain ERRNO */
uint16_t bundle_kernel(const struct bundle *b);
enum abi bundle_native(const struct bundle *b);
uint16_t bundle_default_errno(const struct bundle *b); /* what nothing allows is answered with */

/* The seccomp program, ready for seccomp(2). */
const struct sock_filter *bundle_seccomp(const struct bundle *b, uint16_t *ret_len);

/*
 * The self-test call: the program answers this number (native ABI, whatever the policy) with
 * BUNDLE_PROBE_ERRNO. A kernel without our filter says ENOSYS, so one call after loading
 * proves that this filter is in force, with no call of the launcher's in the policy's way.
 * The number lies above every table and outside the x32 range.
 */
#define BUNDLE_PROBE_NR	   0x0c07d07
#define BUNDLE_PROBE_ERRNO 1985 /* no errno of Linux: they end at 4095, assigned ones below 600 */

/* What to answer, and which line says so. Text is borrowed from the bundle. */
struct bundle_verdict {
	uint8_t action; /* enum policy_action */
	uint8_t reason; /* enum policy_reason */
	bool quiet;
	uint16_t errno_value;
	uint32_t rule;	  /* stable index of the rule within the bundle; UINT32_MAX: none */
	const char *file; /* NULL unless POLICY_BY_RULE */
	uint32_t line;
};

/* The verdict for a notification; args as the registers hold them. Never fails: what the bundle
 * does not know is the default denial. No allocation, O(log n). */
void bundle_verdict(const struct bundle *b, enum abi abi, int32_t nr, const uint64_t args[6],
		    struct bundle_verdict *ret);

/* Whether the program lets the call pass whatever its arguments are: a call on the kernel's bitmap.
 */
bool bundle_always_allows(const struct bundle *b, enum abi abi, int32_t nr);

/* The calls of the native ABI that are refused by an errno and nobody is to hear of (`quiet`), at
 * most max of them. -E2BIG: there are more, or of another ABI, or some only by their arguments. */
int bundle_quiet(const struct bundle *b, int32_t *ret, size_t max, size_t *ret_n);

/* Whether the program itself kills for some call, and no listener is asked. */
bool bundle_kills(const struct bundle *b);

/* The errno of all refusals of the call that are not quiet; 0: it has none, or several. */
uint16_t bundle_errno(const struct bundle *b, enum abi abi, int32_t nr);

/* Path rules in path order. */
struct bundle_path {
	uint8_t verb; /* enum policy_path_verb */
	bool optional;
	const char *path;
	const char *file;
	uint32_t line;
};
size_t bundle_n_paths(const struct bundle *b);
void bundle_path(const struct bundle *b, size_t i, struct bundle_path *ret);

/* Environment rules: value NULL means "pass it on". */
struct bundle_env {
	const char *name;
	const char *value;
};
size_t bundle_n_env(const struct bundle *b);
void bundle_env(const struct bundle *b, size_t i, struct bundle_env *ret);

/* Ports that may be connected or bound to, sorted by (direction, protocol, first, families). A
 * direction with a port of any protocol is closed but for what is listed (policies/model.h). */
struct bundle_port {
	uint8_t direction;    /* enum policy_port_direction */
	uint8_t protocol;     /* enum policy_port_protocol */
	uint8_t families;     /* POLICY_FAMILY_* */
	uint16_t first, last; /* in host order, first <= last */
	const char *file;     /* NULL: written nowhere */
	uint32_t line;
};
size_t bundle_n_ports(const struct bundle *b);
void bundle_port(const struct bundle *b, size_t i, struct bundle_port *ret);

/* The label that the policy says for an LSM; false: it says none. Its text is one that
 * label_parse() takes. */
struct bundle_label {
	const char *text;
	const char *file;
	uint32_t line;
};
bool bundle_label(const struct bundle *b, enum policy_lsm lsm, struct bundle_label *ret);

uint8_t bundle_net(const struct bundle *b); /* enum policy_net */
uint64_t bundle_caps(const struct bundle *b);
bool bundle_limit(const struct bundle *b, enum policy_limit which, uint64_t *ret);
const struct cpus *bundle_cpuset(const struct bundle *b); /* borrowed; empty without the limit */

/* Sources with their fingerprints, for the cache. */
size_t bundle_n_sources(const struct bundle *b);
void bundle_source(const struct bundle *b, size_t i, struct policy_source *ret); /* borrowed text */
