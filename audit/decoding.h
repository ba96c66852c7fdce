// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of decode.c and decode_*.c: one decoding under way, and the two sorts of things that are
 * decoded alike, a call's arguments and the fields of structures in memory.
 */
#pragma once

#include "audit/decode.h"
#include "base/json.h"
#include "policies/consts.h"
#include "policies/layout.h"

enum {
	DECODE_READS = 64,     /* of memory, for one record */
	DECODE_ELEMENTS = 8,   /* of an array */
	DECODE_ARGUMENTS = 16, /* of an argument vector */
	DECODE_MEMBERS = 16,   /* of a set of descriptors or a mask */
	DECODE_NESTING = 3,    /* pointers that are followed, one after the other */
	DECODE_STRUCT = 4096,  /* bytes of a structure */
	DECODE_SPELT = 1024,   /* bytes of a value in names */
};

struct decoding {
	struct json *j;
	enum abi abi;
	enum layout_column column;
	const struct decode_memory *memory; /* NULL: registers only */
	size_t text_max;
	unsigned reads; /* that are left */
	unsigned depth; /* of pointers */
};

/* An argument or a field. */
struct decode_value {
	const char *key; /* NULL: element of an array */
	const struct syscall_arg *arg;
	uint64_t value; /* as the kernel reads it; a signed one extended to 64 bits */
	bool is_signed;
	unsigned bits;	 /* that the kernel reads, 0: all */
	uint64_t length; /* when arg->length is set; what is below zero is 0 */
};

/* Any value. Nothing is written for what says nothing: addresses, data, what the kernel fills in.
 */
void decode_value(struct decoding *d, const struct decode_value *v);

/* --- decode_memory.c --- */

/* All of len bytes, or -errno; -E2BIG when the record has read enough. */
int decode_read(struct decoding *d, uint64_t addr, void *buf, size_t len);
/* The NUL-terminated text at addr, at most cap bytes: its length, cap when no NUL was among them,
 * or -errno. */
ssize_t decode_read_text(struct decoding *d, uint64_t addr, char *buf, size_t cap);
/* Pointers of the caller's size. */
int decode_read_pointer(struct decoding *d, uint64_t addr, uint64_t *ret);
size_t decode_pointer_size(const struct decoding *d);

/* {"note":"unreadable"} or why else. */
void decode_unreadable(struct decoding *d, const char *key, int r);

/* --- decode_text.c --- */
void decode_text(struct decoding *d, const struct decode_value *v, const char *label);
void decode_argv(struct decoding *d, const struct decode_value *v);

/* --- decode_layout.c --- */
void decode_struct(struct decoding *d, const struct decode_value *v);
void decode_array(struct decoding *d, const struct decode_value *v);
/* A set of descriptors, or a mask of length bits or bytes. */
void decode_mask(struct decoding *d, const struct decode_value *v);

/* --- decode_socket.c --- */
void decode_sockaddr(struct decoding *d, const struct decode_value *v);
void decode_control(struct decoding *d, const struct decode_value *v);
