// SPDX-License-Identifier: Apache-2.0
/*
 * The bodies of records, one function a type. Each fills buf and returns the length, or 0 when
 * it did not fit, which only a defect can cause: what comes from outside is cut to fit and the
 * cut is said. The field list is doc/audit.schema.json.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/chain.h"
#include "audit/collected.h"
#include "audit/flood.h"
#include "audit/record.h"
#include "audit/seal.h"

/* What a body may have, so that a line with its prefix and newline holds LIMIT_LOG_LINE. */
enum { FORMAT_BODY = LIMIT_LOG_LINE - CHAIN_PREFIX_MAX - 1 };

/* What each record of a sandbox repeats. */
struct format_id {
	char sandbox[17];
	char policy[LIMIT_NAME];
	char digest[13]; /* the first 12 digits of the policy's; "open" has them all */
};

struct format_closing {
	uint64_t denials, records, summaries, counted;
	uint64_t lost_records, lost_denials; /* of the sink that gets this record */
	uint64_t others_lost;		     /* records that other sinks lost */
};

/* Whether denials by the kernel itself will be in the log. */
struct format_kernel_state {
	const char *why; /* they will not be; NULL: they will */
	bool forks;	 /* also those of processes that ended at once */
	bool audit;	 /* false: but Landlock's will not be, the kernel's audit is off */
};

struct json;

/* What every record begins with, and the object is open. Returns its time, nanoseconds of the wall
 * clock. For the files of the noun format. */
int64_t format_begin(struct json *j, char *buf, size_t cap, const char *type, const char *sandbox);

/* sealed: the id of the key that seals the log which gets this record, or NULL. */
size_t format_open(char *buf, size_t cap, const struct format_id *id,
		   const struct audit_start *start, const char *sealed,
		   const struct format_kernel_state *kernel);
size_t format_denial(char *buf, size_t cap, const struct format_id *id,
		     const struct audit_denial *denial);
size_t format_summary(char *buf, size_t cap, const struct format_id *id,
		      const struct flood_slot *slot, bool other, uint64_t now_ms);
size_t format_limit(char *buf, size_t cap, const struct format_id *id, const char *which,
		    const char *text, uint64_t count);
size_t format_lost(char *buf, size_t cap, const struct format_id *id, const char *sink,
		   uint64_t records, uint64_t denials, int why);
size_t format_close(char *buf, size_t cap, const struct format_id *id,
		    const struct format_closing *closing, const struct audit_end *end);
size_t format_repair(char *buf, size_t cap, const char *sandbox, const struct chain_repair *repair);

/* The last record of a file, bytes long before it; and of rotated files that go, with records. */
size_t format_rotate(char *buf, size_t cap, const char *sandbox, uint64_t bytes);
size_t format_retain(char *buf, size_t cap, const char *sandbox, uint64_t files, uint64_t from,
		     uint64_t through);

/* A seal without its MAC; and that a log which was sealed is not, or that its key stays. */
size_t format_seal(char *buf, size_t cap, const char *sandbox, const struct seal_state *state,
		   uint64_t last);
size_t format_unsealed(char *buf, size_t cap, const char *sandbox, const char *id, int why);

/* --- format_kernel.c: denials by the kernel itself --- */

enum { FORMAT_OPERATION = 32 };

struct format_kernel {
	const struct kernel_record *record; /* a denial */
	uint32_t joined;		    /* enum collected_joined */
	uint32_t pid;			    /* inside, 0: not known */
	uint16_t errno_value;		    /* of a seccomp program, 0: not known */
};
size_t format_kernel_denial(char *buf, size_t cap, const struct format_id *id,
			    const struct format_kernel *kernel);

/* What was attempted, in one word of the kernel's: "open", "file", "fs", "syscall". */
void format_kernel_operation(const struct kernel_record *record, char ret[FORMAT_OPERATION]);

/* The call of a seccomp program's denial; false: it names none that is known. */
bool format_kernel_call(const struct kernel_record *record, enum abi *ret_abi, int32_t *ret_nr);

/* Whether the kernel killed the process for it. */
bool format_kernel_kills(const struct kernel_record *record);

/* Denials that were counted. */
struct format_kernel_sum {
	enum kernel_mechanism mechanism;
	const char *operation; /* NULL: the collector counted them, whatever they were */
	uint64_t first_ago_ms, last_ago_ms;
	uint64_t count;
};
size_t format_kernel_summary(char *buf, size_t cap, const struct format_id *id,
			     const struct format_kernel_sum *sum);

/* What became of the kernel's stream: event "lost", "ended" or "unfinished". */
size_t format_kernel_event(char *buf, size_t cap, const struct format_id *id, const char *event,
			   uint64_t events, uint64_t unjoined, const char *text);
