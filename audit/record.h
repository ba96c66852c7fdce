// SPDX-License-Identifier: Apache-2.0
/*
 * The audit log of one sandbox, as its supervisor writes it. Text, chain, flood control and
 * sinks live behind this; the supervisor hands over facts. No call here ever blocks the policy:
 * when a sink fails the answer to the payload is the same, and the loss is counted and told.
 *
 * The schema of a record is doc/audit.schema.json. Memory of the payload is read here, with
 * size limits, and is believed only while the notification is still valid.
 */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "policies/syscall.h"

struct audit; /* one a sandbox, single-threaded */

/* Who refuses without a notification: the kernel alone can tell of it. */
enum audit_refuser {
	AUDIT_APPARMOR,
	AUDIT_SELINUX,
	AUDIT_LANDLOCK,
	AUDIT_SECCOMP_KILL,
	AUDIT_SECCOMP_ERRNO,
	_AUDIT_REFUSER_MAX
};

/* What the opening record says. Text is borrowed for the call. */
struct audit_start {
	const char *sandbox; /* id: 16 lower-case hex digits, from getrandom */
	const char *policy;  /* name */
	struct hash policy_digest;
	struct hash plan_digest;
	const char *const *argv; /* NULL-terminated */
	uint32_t uid, uid_inside;
	const char *const *in_force; /* mechanisms in force, NULL-terminated: "seccomp", "landlock
					abi 7" ... */
	const char *const *given_up; /* sentences, NULL-terminated: what could not be had */
	bool blind;		     /* `notify off`: no notification tells of denials */
	unsigned refusers;	     /* in force, a bit per enum audit_refuser */
	unsigned untold; /* those of them that the kernel does not tell its audit of either */
};

/* Sinks: "file:PATH", "stderr", "fd:N", "journal[:SOCKET]", "syslog[:SOCKET]". NULL specs with n 0:
 * the default file $XDG_STATE_HOME/cordon/audit.jsonl (~/.local/state without it). */
int audit_new(const char *const *sinks, size_t n_sinks, struct audit **ret, struct err *err);

/* When file sinks are rotated; without this call never. */
struct audit_rotation {
	uint64_t size;	 /* bytes of a file; 0: any length */
	uint64_t age_ms; /* of its first record; 0: any age */
	unsigned keep;	 /* rotated files that stay, 1 to AUDIT_KEEP_MAX */
};
enum { AUDIT_KEEP_MAX = 512, AUDIT_SIZE_MIN = 64 * 1024 };
void audit_rotate(struct audit *audit, const struct audit_rotation *rotation);

/* How many bytes a minute a flood of denials may bring to the log (and as many one of denials by
 * the kernel itself), AUDIT_FLOOD_MIN to AUDIT_FLOOD_MAX: beyond it denials are counted. Before
 * audit_begin(); without this call AUDIT_FLOOD_MIN. */
enum { AUDIT_FLOOD_MIN = 1 << 20, AUDIT_FLOOD_MAX = 1 << 30 };
void audit_flood(struct audit *audit, uint64_t bytes);

/*
 * Ask the collector of the kernel's own denials (socket NULL: where it is on every machine) for
 * those of the sandbox whose pid 1 the pidfd is. Before audit_begin(), whose record says what came
 * of it, and before the payload runs. Without a collector this costs one failing connect(2); it
 * waits for an answer at most 2 s, and fails nothing.
 */
void audit_kernel_open(struct audit *audit, const char *socket, int pidfd);

/* Who knows what errno a seccomp program of the sandbox's refuses a call with, which the kernel
 * does not say: 0 where that is not known. ctx must stay until audit_end(). */
typedef uint16_t audit_errno_of(const void *ctx, enum abi abi, int32_t nr);
void audit_kernel_errno(struct audit *audit, audit_errno_of *of, const void *ctx);

/* What audit_kernel_take() waits for; -1: nothing. It takes at most max of what has come. */
int audit_kernel_fd(const struct audit *audit);
void audit_kernel_take(struct audit *audit, unsigned max);

/* Whether a collector is there: 0, or -errno (-ENOENT, -ECONNREFUSED: none). */
int audit_kernel_probe(void);

/* Write the opening record. A log that cannot be written at all is an error: fail closed. */
int audit_begin(struct audit *audit, const struct audit_start *start, struct err *err);

/* One denial. The answer has been decided; it is sent by the caller after this returns. */
struct audit_denial {
	const struct seccomp_notif *notif;
	int notify_fd;	     /* for SECCOMP_IOCTL_NOTIF_ID_VALID; -1: registers only */
	uint32_t pid_inside; /* 0 when unknown */
	enum abi abi;
	int32_t nr;
	bool kill;
	uint16_t errno_value;
	uint8_t reason;	  /* enum policy_reason of policies/model.h, as a number: rule, default,
			     kernel, abi */
	uint32_t rule;	  /* stable index for counting; UINT32_MAX: none */
	const char *file; /* of the rule, or NULL; must stay until audit_end() */
	uint32_t line;
};
void audit_denial(struct audit *audit, const struct audit_denial *denial);

/* A limit that was hit: its name in the policy ("wall", "pids", "memory-high"), a sentence, and how
 * often; 0: that is not counted. */
void audit_limit(struct audit *audit, const char *which, const char *text, uint64_t count);

/* Milliseconds until audit_tick() wants to run (pending summaries or a batch), or -1. */
int audit_timeout_ms(const struct audit *audit);
void audit_tick(struct audit *audit);

/* What a sandbox has used in all. AUDIT_UNKNOWN: nobody has counted it. */
#define AUDIT_UNKNOWN UINT64_MAX
struct audit_usage {
	bool by_cgroup; /* counted for its cgroup; false: wait4(2)'s account of pid 1, in which only
			 * those are that somebody waited for */
	uint64_t cpu_usec, user_usec, system_usec;
	uint64_t memory_peak;		  /* bytes, of all processes together; by cgroup only */
	uint64_t max_rss;		  /* bytes, of the process with most; not by cgroup */
	uint64_t read_bytes, write_bytes; /* of block devices */
	uint64_t pids_peak;		  /* by cgroup only */
	uint64_t oom_kills;		  /* by cgroup only */
};
#define AUDIT_USAGE_INIT                                                                           \
	((struct audit_usage){ .cpu_usec = AUDIT_UNKNOWN,                                          \
			       .user_usec = AUDIT_UNKNOWN,                                         \
			       .system_usec = AUDIT_UNKNOWN,                                       \
			       .memory_peak = AUDIT_UNKNOWN,                                       \
			       .max_rss = AUDIT_UNKNOWN,                                           \
			       .read_bytes = AUDIT_UNKNOWN,                                        \
			       .write_bytes = AUDIT_UNKNOWN,                                       \
			       .pids_peak = AUDIT_UNKNOWN,                                         \
			       .oom_kills = AUDIT_UNKNOWN })

struct audit_end {
	const struct audit_usage *usage; /* NULL: there was nobody to use anything */
	bool started;			 /* the payload was executed */
	int wait_status;		 /* as waitpid gives it; valid when started */
	const char *error;		 /* why it never started, or NULL */
};

/* Denials of one kind. */
struct audit_kind {
	enum abi abi;
	int32_t nr; /* -1: numbers that no call has */
	bool kill;
	uint16_t errno_value;
	uint8_t reason;	  /* as in struct audit_denial */
	const char *file; /* as given with the last of them, or NULL */
	uint32_t line;
	uint64_t count;
	const char
		*mechanism; /* of the kernel's own denials, which have no call and no rule; NULL */
	char operation[32];
};
enum { AUDIT_TOP = 10 };

/* What a sink did not take. */
struct audit_loss {
	char sink[256];		   /* as asked for, cut when longer */
	uint64_t records, denials; /* and how many denials these records spoke of */
	int why;		   /* -errno, of the last loss's beginning */
	bool told;		   /* a record in the sink says how many are missing */
};

/* What was seen: for the summary at the end. */
struct audit_totals {
	struct audit_kind top[AUDIT_TOP]; /* the most frequent first */
	size_t n_top;
	uint64_t denials;
	uint64_t records; /* records written that speak of denials, summaries included */
	uint64_t lost;	  /* records that a sink did not take, over all sinks */
	struct audit_loss loss[LIMIT_SINKS];
	size_t n_loss;
};

/*
 * Flush the summaries, write the closing record with totals, close the sinks. *ret may be NULL.
 * With a collector it first waits, at most 2 s, for what the kernel has yet to tell: pid 1 of
 * the sandbox must not be reaped before.
 */
void audit_end(struct audit *audit, const struct audit_end *end, struct audit_totals *ret);
void audit_free(struct audit *audit); /* NULL is allowed */
