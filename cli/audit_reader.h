// SPDX-License-Identifier: Apache-2.0
/* A log and what was rotated from it, record by record, in constant memory. */
#pragma once

#include "audit/lines.h"
#include "audit/recorded.h"
#include "audit/rotate.h"
#include "base/err.h"
#include "cli/audit.h"

struct audit_reader {
	struct log_set *set;
	size_t file; /* of the set, which is read */
	char *buf;
	struct lines lines;
	const char *path;
	char sandbox[17];    /* only this one's, or those that begin so; "": all */
	uint64_t n, damaged; /* lines, and those that are no records */
};

/*
 * Open args->file, or the log by default. args->sandbox (an id's beginning, or "last", for which
 * the log is read once) chooses records. 0 or -errno. audit_reader_done() in either case.
 */
int audit_reader_open(struct audit_reader *reader, const struct audit_args *args, struct err *err);
void audit_reader_done(struct audit_reader *reader);
#define _cleanup_reader_ __attribute__((cleanup(audit_reader_done)))

/* 1 and a record of a sandbox that is wanted, 0 at the end, or -errno. What ret points to is valid
 * until the next call. A last line without its end counts as damaged when it is no record. */
int audit_reader_next(struct audit_reader *reader, struct recorded *ret, struct err *err);
void audit_reader_again(struct audit_reader *reader); /* from the first line */

/* On stderr, when there were lines that are no records. */
void audit_reader_warn(const struct audit_reader *reader);
