// SPDX-License-Identifier: Apache-2.0
/*
 * What each mechanism makes of a policy: per line whether it is enforced (the report), and per
 * attempt what the mechanism answers when it is alone (the judges). The two are promises: tests run
 * the attempts under each mechanism alone and compare. Compiler side only.
 */
#pragma once

#include "base/err.h"
#include "base/fd.h"
#include "policies/attempt.h"
#include "policies/model.h"
#include "policies/path_rule.h"

enum mechanism {
	MECHANISM_SECCOMP,
	MECHANISM_VIEW, /* mounts and the network namespace: what can be named at all */
	MECHANISM_LANDLOCK,
	MECHANISM_APPARMOR,
	MECHANISM_SELINUX,
	MECHANISM_CAPABILITIES,
	MECHANISM_LIMITS, /* rlimits, cgroup, size of the upper */
	_MECHANISM_MAX,
};
const char *mechanism_name(enum mechanism mechanism);		/* "seccomp", "view", ... */
int mechanism_from_name(const char *name, enum mechanism *ret); /* 0 or -EINVAL */

/* What is generated for. */
struct profile_target {
	uint16_t kernel;       /* KERNEL(); 0: as old as landlock_abi tells */
	int landlock_abi;      /* 0: none */
	unsigned apparmor_abi; /* of the parser and kernel: 30 for 3.0, 40 for 4.0 */
	struct path_vars vars; /* for text that is loaded before a launch knows them */
	const char *name;      /* of the profile or module; NULL: "cordon-" and the policy's name */
};

enum coverage {
	COVERAGE_ENFORCED,    /* exactly as written */
	COVERAGE_STRICTER,    /* refuses more than written; note says what */
	COVERAGE_WEAKER,      /* refuses less than written; note says what is left open */
	COVERAGE_NONE,	      /* not expressible; note says why */
	COVERAGE_NOT_ITS_OWN, /* another mechanism's business by nature: a call is not Landlock's */
};
const char *coverage_name(enum coverage coverage);

struct report_entry {
	struct policy_where where;
	uint8_t mechanism; /* enum mechanism */
	uint8_t coverage;  /* enum coverage */
	char *subject;	   /* the line, or the part of it that is spoken of; owned */
	char *note;	   /* NULL, or one sentence; owned */
};

struct report {
	struct report_entry *entries;
	size_t n, room;
};
#define REPORT_INIT ((struct report){ .n = 0 })
void report_done(struct report *report);

/* Copies subject and the formatted note (NULL: none). 0 or -ENOMEM. */
int report_add(struct report *report, enum mechanism mechanism, struct policy_where where,
	       enum coverage coverage, const char *subject, const char *note, ...)
	__attribute__((format(printf, 6, 7)));

/*
 * Every line of the policy under every mechanism of the mask (bit per enum mechanism): sorted by
 * place, then mechanism. No line and no mechanism is left out. 0 or -errno.
 */
int report_make(const struct policy *policy, const struct profile_target *target, unsigned mask,
		struct report *ret, struct err *err);

enum judgement_answer {
	JUDGE_ALLOWS, /* sees it and lets it pass */
	JUDGE_DENIES,
	JUDGE_SILENT, /* has no say in this: passes */
};
struct judgement {
	uint8_t answer;
	uint16_t errno_value;	   /* what the program sees; 0 with JUDGE_DENIES: killed */
	struct policy_where where; /* line 0: by default */
	const char *note;	   /* constant text or NULL */
};

/* What the mechanism alone answers to an attempt. 0 or -errno. */
int mechanism_judge(enum mechanism mechanism, const struct policy *policy,
		    const struct profile_target *target, const struct attempt *attempt,
		    struct judgement *ret, struct err *err);

/* One of each for a mechanism; mechanism.c has the table. */
struct mechanism_ops {
	int (*report)(const struct policy *policy, const struct profile_target *target,
		      struct report *report, struct err *err);
	int (*judge)(const struct policy *policy, const struct profile_target *target,
		     const struct attempt *attempt, struct judgement *ret, struct err *err);
	/* The profile as text for an administrator or a reader; NULL where there is none. */
	int (*emit)(const struct policy *policy, const struct profile_target *target,
		    struct buf *ret, struct err *err);
};
/* NULL: not built in. */
const struct mechanism_ops *mechanism_ops_of(enum mechanism mechanism);
extern const struct mechanism_ops seccomp_mechanism, view_mechanism, landlock_mechanism,
	apparmor_mechanism, selinux_mechanism, capabilities_mechanism, limits_mechanism;
