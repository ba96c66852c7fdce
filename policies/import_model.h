// SPDX-License-Identifier: Apache-2.0
/*
 * What the readers of other programs' policies make: entries with their places, in their order,
 * and what happens to the rest. import.c turns that into rules without order, import_text.c
 * into a text.
 */
#pragma once

#include "policies/import.h"
#include "policies/import_cond.h"

/* The array with room for one more behind the n that are in it, or NULL: no memory. It grows at
 * powers of two, so that LIMIT_IMPORT_ENTRIES of them are not copied for each. */
static inline void *import_grow(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, size);
}

enum { IMPORT_WHERE = 160 };

/* One entry of the source: a comment, then the lines it became. */
struct import_item {
	char where[IMPORT_WHERE]; /* "FILE:12:3" or "FILE:/syscalls/5" */
	struct buf comment;	  /* lines as they are, with the newline */
};

struct import_entry {
	const struct syscall_desc *call;
	uint8_t action;	      /* enum policy_action */
	uint16_t errno_value; /* POLICY_DENY */
	size_t item, order;
	struct import_dnf when;
};

struct import {
	const struct import_options *options;
	struct import_result *result;
	struct import_item *items;
	size_t n_items;
	struct import_entry *entries;
	size_t n_entries;
	uint8_t abi_mask;
	/* What no entry decides. */
	uint8_t default_action;
	uint16_t default_errno;
	/* The first entry that matches decides (minijail, kafel). Else: an entry without
	 * conditions decides alone, the first of several (libseccomp). */
	bool ordered;
	bool no_memory;
};

/* A new entry of the source; what is added from here on belongs to it. */
void import_item(struct import *im, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A comment below the entry; the same and a warning; an error. where: NULL for the entry's. */
void import_say(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void import_warn(struct import *im, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void import_error(struct import *im, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes when over. */
void import_add(struct import *im, const struct syscall_desc *call, enum policy_action action,
		uint16_t errno_value, struct import_dnf *when);

/* A failure of the set operations: an error at where, or no_memory. */
void import_failed(struct import *im, const char *where, int r);

/*
 * A call by its name, or NULL: then it was said why, as an error or a warning as the options
 * want it. denied: the entry denies it.
 */
const struct syscall_desc *import_call(struct import *im, const char *where, const char *name,
				       bool denied);

/* Actions that have no counterpart, and what stands for them. */
enum import_verdict {
	IMPORT_ALLOW,
	IMPORT_LOG,
	IMPORT_ERRNO,
	IMPORT_KILL_THREAD,
	IMPORT_KILL_PROCESS,
	IMPORT_TRAP,
	IMPORT_TRACE,
	IMPORT_NOTIFY,
};
/* ret_errno: in IMPORT_ERRNO's, out the one to answer with. A warning is made where it is due.
 * 0, or -EINVAL with an error made: an errno that has no name. */
int import_action(struct import *im, const char *where, enum import_verdict verdict,
		  enum policy_action *ret, uint16_t *errno_value);

/* Capabilities by name: the bit, or -ENOENT. */
int import_cap(const char *name, unsigned *ret);

/* Architectures on which a call that our table lacks exists ("arm", "s390 s390x"), or NULL. */
const char *import_foreign_call(const char *name);

/* socketcall(2) or ipc(2) and the operation that does the call on i386; false: none does.
 * (linux/net.h SYS_*, linux/ipc.h) */
bool import_multiplexed(const char *name, const char **ret_call, unsigned *ret_operation);

/* import_rules.c: entries to rules whose order has no meaning, the default spelled out. */
void import_rules(struct import *im);

/* import_text.c: all of it as a policy. */
void import_text(struct import *im);

/* The readers. Errors go to import_error. */
void oci_seccomp_read(struct import *im, const char *source, size_t len);
void minijail_read(struct import *im, const char *source, size_t len);
void kafel_read(struct import *im, const char *source, size_t len);
