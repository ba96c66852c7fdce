// SPDX-License-Identifier: Apache-2.0
/*
 * A line of a log as a record, for readers: what every reader asks for is taken out in one pass.
 * The line is hostile: whoever owns the log may have written anything into it. Texts are slices of
 * the line, escaped as they stand there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/scan.h"
#include "policies/syscall.h"

enum recorded_type {
	RECORDED_OTHER, /* a record of another kind, or of one that is newer than this reader */
	RECORDED_OPEN,
	RECORDED_DENIAL,
	RECORDED_SUMMARY, /* counted denials: no arguments */
	RECORDED_LOST,	  /* count: denials that no record tells of */
	RECORDED_CLOSE,
};

struct recorded {
	enum recorded_type type;
	struct scan record; /* the whole line */
	struct scan name;   /* of the type, as it stands there */

	/* Texts that are not there have len 0. */
	struct scan time, sandbox, policy, digest, mechanism, comm, exe, rule, decoded;
	uint64_t seq; /* 0: none */
	uint64_t count;
	uint64_t pid, pid_outside, uid;
	bool has_pid, has_pid_outside, has_uid;
	bool by_seccomp; /* the mechanism is seccomp, and the supervisor answered */

	/* Denials by the kernel itself (doc/decisions/0015). */
	bool by_kernel;
	struct scan operation, access, path, label, fields;

	bool has_call; /* abi and nr are known; name and number agree */
	enum abi abi;
	int32_t nr;
	const struct syscall_desc *call; /* NULL: no call of the ABI has the number */
	bool has_args; /* as many as the call has (six of a call without a name) were there */
	uint64_t args[6];

	bool has_answer;
	bool kill;
	uint16_t errno_value;
};

/* 0, or -EINVAL when the line is no record. */
int recorded_read(const char *line, size_t len, struct recorded *ret);

/*
 * The path that the record has for the argument, with the log's escapes undone (\xHH and \\),
 * NUL-terminated. False when there is none, it was cut, it does not fit or holds a NUL.
 */
bool recorded_path(const struct recorded *record, unsigned arg, char *buf, size_t cap);

/* Undo the log's escapes in place: the length. */
size_t recorded_unescape(char *text, size_t len);
