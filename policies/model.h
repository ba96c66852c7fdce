// SPDX-License-Identifier: Apache-2.0
/*
 * What a policy means once it is read and composed: names are resolved to calls, groups
 * are expanded, `use` is followed. Generators read this and nothing else.
 *
 * Meaning of a call (independent of the order of lines):
 *   1. a kill rule whose conditions all hold        -> kill
 *   2. else a deny rule whose conditions all hold   -> deny with its errno
 *      (of several, the one with more comparisons; then the one that sorts first by
 *      condition text, cond_rank() in policies/cond.h; two that tie with different answers
 *      are an error of check)
 *   3. else an allow rule whose conditions all hold -> allow
 *   4. else                                         -> deny with the default errno (EPERM
 *      unless a `default errno` line says otherwise), rule "default"
 * Before 1: a call on an ABI that the policy does not open -> deny ENOSYS, rule "abi";
 *           a number that no table line has, or a call newer than `kernel` that no rule
 *           names -> deny ENOSYS, rule "kernel".
 * Conditions compare the value as the kernel will read it: width and sign of the
 * argument come from the syscall table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpus.h"
#include "base/err.h"
#include "base/hash.h"
#include "policies/syscall.h"

enum policy_action { POLICY_ALLOW, POLICY_DENY, POLICY_KILL };

/* Where something was written. source indexes policy.sources. */
struct policy_where {
	uint16_t source;
	uint16_t column; /* 1-based, in bytes */
	uint32_t line;	 /* 1-based; 0: not written anywhere (a default) */
};

enum policy_op {
	POLICY_EQ,
	POLICY_NE,
	POLICY_LT,
	POLICY_LE,
	POLICY_GT,
	POLICY_GE,
	POLICY_MASKED_EQ
};

/* One comparison: arg OP value, or (arg & mask) == value. `in A B` becomes one rule a value,
 * `in A..B` two comparisons; `or` is several rules. `& mask != 0` is stored as MASKED_EQ 0
 * with negate set. */
struct policy_cond {
	uint8_t arg;	/* 0 to 5 */
	uint8_t op;	/* enum policy_op */
	bool negate;	/* only with POLICY_MASKED_EQ */
	uint8_t width;	/* enum syscall_width, copied from the table */
	uint64_t mask;	/* POLICY_MASKED_EQ only */
	uint64_t value; /* for signed widths the two's complement, truncated to the width */
};

struct policy_rule {
	const struct syscall_desc *call;
	uint8_t abi_mask; /* bit per enum abi this rule speaks of: every one that has the call,
			   * opened by the policy or not, or those of them that `on` names */
	uint8_t action;	  /* enum policy_action */
	bool quiet;	  /* answered by the filter itself: neither notified nor recorded */
	uint8_t n_conds;
	uint16_t errno_value;	     /* POLICY_DENY only, 1 to 4095 */
	struct policy_cond conds[6]; /* all must hold; sorted by text, none twice */
	struct policy_where where;
};

enum policy_path_verb {
	POLICY_PATH_READ,  /* visible, readable */
	POLICY_PATH_EXEC,  /* visible, readable, executable */
	POLICY_PATH_WRITE, /* visible, readable, writable */
	POLICY_PATH_HIDE,  /* not visible */
	POLICY_PATH_TMPFS, /* an empty, writable, throw-away directory */
};

/* path is absolute and normal (no ".", "..", doubled or trailing '/'), or begins with one of
 * the variables left for the launch: "~" (the caller's home) or "$PWD" (the working
 * directory), the latter two only as whole first components. ${VAR:-x} likewise stays. */
struct policy_path {
	uint8_t verb;  /* enum policy_path_verb */
	bool optional; /* `?` behind the verb: nothing happens where the path does not exist */
	char *path;
	struct policy_where where;
};

enum policy_net { POLICY_NET_NONE, POLICY_NET_LOOPBACK, POLICY_NET_HOST };

/*
 * `net connect tcp 443`, `net bind udp4 5000-5999`. One line of either direction closes that
 * direction for the internet families (AF_INET, AF_INET6): only ports that a line names are left.
 * A protocol that no line of any direction names, and a family that none does, cannot make a
 * socket: composition adds the deny rules on socket(2) that say so, with the first net line's
 * place, and those that close other ways to such a socket.
 */
enum policy_port_direction { POLICY_PORT_CONNECT, POLICY_PORT_BIND };
enum policy_port_protocol { POLICY_PORT_TCP, POLICY_PORT_UDP };
enum { POLICY_FAMILY_INET = 1, POLICY_FAMILY_INET6 = 2 };

struct policy_port {
	uint8_t direction;    /* enum policy_port_direction */
	uint8_t protocol;     /* enum policy_port_protocol */
	uint8_t families;     /* POLICY_FAMILY_*: both for tcp, one for tcp4 or tcp6 */
	uint16_t first, last; /* in host order; `any` is 0 to 65535 */
	struct policy_where where;
};

enum policy_limit {
	POLICY_LIMIT_PIDS,   /* processes and threads */
	POLICY_LIMIT_MEMORY, /* bytes */
	POLICY_LIMIT_CPU,    /* thousandths of a core */
	POLICY_LIMIT_NOFILE,
	POLICY_LIMIT_UPPER,	  /* bytes of the throw-away upper */
	POLICY_LIMIT_INODES,	  /* inodes of the upper */
	POLICY_LIMIT_WALL,	  /* milliseconds */
	POLICY_LIMIT_MEMORY_HIGH, /* bytes above which the kernel takes memory back and slows down
				   */
	POLICY_LIMIT_SWAP, /* bytes; 0 is a limit, too. Not said: none beside a memory limit */
	POLICY_LIMIT_CPU_WEIGHT, /* share among neighbours, 1 to 10000; 100 is what all have */
	POLICY_LIMIT_IO_WEIGHT,
	POLICY_LIMIT_CPUSET, /* how many; which ones is in policy.cpuset */
	_POLICY_LIMIT_MAX,
};

/* A variable that passes from the caller (value NULL) or is set. */
struct policy_env {
	char *name;
	char *value;
	struct policy_where where;
};

/* A label that the payload is executed with: `label apparmor NAME`, one line an LSM;
 * policies/label.h says what its text means. */
enum policy_lsm { POLICY_LSM_APPARMOR, POLICY_LSM_SELINUX, _POLICY_LSM_MAX };

struct policy_label {
	char *text; /* as label_spell() writes it; NULL: not said */
	struct policy_where where;
};

/*
 * A test, kept as written for the tester:
 *	expect allow|deny|kill CALL[(args)] [errno NAME], or several calls and @groups
 *	expect allow|deny read|write|exec PATH
 *	expect allow|deny connect|bind PROTOCOL PORT
 *	expect kernel|abi|net|cap|notify|default|limit|env|label ...: that the line says so
 * A test of a setting goes when another file decides the setting.
 */
enum policy_expect_kind {
	POLICY_EXPECT_CALL,
	POLICY_EXPECT_PATH,
	POLICY_EXPECT_PORT,
	POLICY_EXPECT_SETTING,
	POLICY_EXPECT_ENV,
	POLICY_EXPECT_LABEL,
};

struct policy_expect {
	uint8_t action;
	uint8_t kind;			 /* enum policy_expect_kind */
	uint8_t verb;			 /* POLICY_EXPECT_PATH: READ, WRITE or EXEC */
	char *path;			 /* POLICY_EXPECT_PATH; POLICY_EXPECT_ENV: the name */
	uint8_t setting;		 /* POLICY_EXPECT_SETTING: enum policy_setting, or
					  * _POLICY_SETTING_MAX + enum policy_limit;
					  * POLICY_EXPECT_LABEL: enum policy_lsm */
	uint64_t value;			 /* its value; UINT64_MAX: `limit NAME none` */
	uint16_t errno_value;		 /* POLICY_EXPECT_CALL, denied: with this; 0: with any */
	struct policy_port port;	 /* POLICY_EXPECT_PORT; first == last */
	const struct syscall_desc *call; /* POLICY_EXPECT_CALL, as the rest */
	uint8_t n_args;
	uint64_t args[6];
	bool has_text[6]; /* the argument was a string: only a live test can judge it */
	char *text[6];	  /* POLICY_EXPECT_ENV: [0] is the value, NULL when it is passed on;
			   * POLICY_EXPECT_LABEL: [0] is the label;
			   * POLICY_EXPECT_SETTING of a cpuset: [0] is its list, as cpus_format() */
	struct policy_where where;
};

/*
 * What composition did that no rule shows any more: for show, lint and the gaps report.
 * A note owns its text: what was removed or repeated, as a policy would write it.
 */
enum policy_note_kind {
	POLICY_NOTE_REMOVED,	/* a rule of a used policy was taken back: where: the remove */
	POLICY_NOTE_REPEATED,	/* a rule that says what another one (other) says already */
	POLICY_NOTE_OVERRIDDEN, /* a once-only line (other) gave way to where */
};
struct policy_note {
	uint8_t kind;
	char *text;
	struct policy_where where;
	struct policy_where other;
};

/* A variable (`let`), with what it came to hold: for show. The rules have its words. */
struct policy_let {
	char *name;
	char *text; /* its words, as a policy would write them */
	struct policy_where where;
};

/* Lines that can be said once, for their places. */
enum policy_setting {
	POLICY_SETTING_KERNEL,
	POLICY_SETTING_ABI,
	POLICY_SETTING_NET,
	POLICY_SETTING_CAP,
	POLICY_SETTING_NOTIFY,
	POLICY_SETTING_DEFAULT,
	_POLICY_SETTING_MAX,
};

struct policy_source {
	char *path; /* as opened */
	char *text; /* its bytes, for messages; NUL-terminated */
	size_t len;
	struct hash digest; /* of its bytes */
	/* What stat said when it was read: a cache entry is current while these hold. */
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
};

struct policy {
	char *name;
	struct hash digest; /* of all sources, the table's version and the generator's version */
	struct policy_source *sources; /* [0] is the one asked for */
	size_t n_sources;

	uint16_t kernel;	/* KERNEL(): newest judged */
	uint8_t native;		/* enum abi: the architecture that is compiled for */
	uint8_t abi_mask;	/* bit per enum abi; the native one always */
	uint16_t default_errno; /* what nothing allows is denied with: EPERM when not said */
	bool notify; /* false (`notify off`): denials are plain ERRNO, the log is blind */

	struct policy_rule *rules; /* sorted by (call name, action, where): deterministic */
	size_t n_rules;
	struct policy_path *paths; /* sorted by path */
	size_t n_paths;
	struct policy_env *env;
	size_t n_env;
	struct policy_expect *expects;
	size_t n_expects;

	struct policy_port *ports; /* sorted by (direction, protocol, first, families) */
	size_t n_ports;
	struct policy_let *lets; /* sorted by name */
	size_t n_lets;
	struct policy_note *notes; /* in the order of their places */
	size_t n_notes;

	uint8_t net;   /* enum policy_net; POLICY_NET_NONE when not said */
	uint64_t caps; /* bit per capability kept; 0 (`cap none`) when not said */
	bool has_limit[_POLICY_LIMIT_MAX];
	uint64_t limit[_POLICY_LIMIT_MAX];
	struct cpus cpuset; /* the set of POLICY_LIMIT_CPUSET, else empty */
	struct policy_where limit_where[_POLICY_LIMIT_MAX];
	struct policy_label labels[_POLICY_LSM_MAX];
	struct policy_where setting_where[_POLICY_SETTING_MAX]; /* line 0: not said */
};

/* Whether a setting (POLICY_EXPECT_SETTING, _ENV, _LABEL) is what the test says. */
bool policy_setting_is(const struct policy *policy, const struct policy_expect *expect);

/* NULL is allowed. */
void policy_free(struct policy *policy);

enum policy_reason { POLICY_BY_RULE, POLICY_BY_DEFAULT, POLICY_BY_KERNEL, POLICY_BY_ABI };

struct policy_verdict {
	uint8_t action; /* enum policy_action */
	uint8_t reason; /* enum policy_reason */
	bool quiet;
	uint16_t errno_value;
	const struct policy_rule *rule; /* POLICY_BY_RULE only */
};

/* The rules for one call, which lie together; NULL when *ret_n is 0. */
const struct policy_rule *policy_rules_of(const struct policy *policy,
					  const struct syscall_desc *call, size_t *ret_n);

/*
 * The plain meaning of one call: the oracle that generated programs are checked against.
 * nr is the raw number without the x32 bit (negative ones too).
 */
void policy_eval(const struct policy *policy, enum abi abi, int32_t nr, const uint64_t args[6],
		 struct policy_verdict *ret);
