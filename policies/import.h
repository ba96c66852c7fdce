// SPDX-License-Identifier: Apache-2.0
/*
 * Policies of other programs to a text in ours. The text is readable, names where each line came
 * from, and then goes the normal road: nothing of it is trusted because it was imported.
 *
 * What holds for each format: no call that the source denies is allowed by the result, for every
 * value that the kernel tells apart; what has no counterpart is a comment in the text and a note;
 * what cannot be said without allowing more is an error that names the entry.
 */
#pragma once

#include "base/fd.h"
#include "policies/model.h"

enum import_format { IMPORT_OCI, IMPORT_MINIJAIL, IMPORT_KAFEL };

struct import_options {
	const char *name;    /* of the policy that is made */
	const char *path;    /* of the source: for messages, and includes are found beside it */
	enum abi arch;	     /* the architecture that is meant: ABI_X86_64 or ABI_AARCH64 */
	uint16_t kernel;     /* what "minKernel" is judged by */
	uint64_t caps;	     /* bit per capability: what conditions on capabilities are judged by */
	bool unknown_denied; /* a name that no table has: left out where it would be allowed; else
			      * an error, and always one where it would be denied */
	bool includes;	     /* files that the source includes are read; else that is an error */
	bool narrow;	     /* what cannot be said exactly is said more strictly; else an error */
	/* Reads what is included in place of the files that have its path: 0, with a heap string
	 * and its length, or -errno. NULL: the files. */
	int (*read_included)(void *ctx, const char *path, char **ret, size_t *ret_len);
	void *ctx;
};

struct import_result {
	struct buf text;  /* the policy */
	struct buf notes; /* "PATH:WHERE: warning: ..." and "PATH:WHERE: error: ...", a line each */
	unsigned n_warnings, n_errors;
};
void import_result_done(struct import_result *result);

/* "oci", "minijail", "kafel": 0 or -EINVAL. */
int import_format_from_name(const char *name, enum import_format *ret);

/*
 * 0; -EBADMSG: the notes have the errors and the text is empty; -ENOMEM, or -ENOTRECOVERABLE when
 * the text that was made is not one of ours, which is a defect. err is filled but for -EBADMSG.
 */
int import_policy(enum import_format format, const char *source, size_t len,
		  const struct import_options *options, struct import_result *ret, struct err *err);
