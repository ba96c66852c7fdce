// SPDX-License-Identifier: Apache-2.0
/*
 * Structures that the kernel reads of a caller's memory: where each field lies and what it means.
 * Data comes from policies/layouts.tbl. Nothing is read here: audit/ does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <consts_sets.h>

#include "policies/syscall.h"

enum layout_column {
	LAYOUT_64,
	LAYOUT_32,  /* callers of i386 */
	LAYOUT_X32, /* x32's own calls, numbers from 512 on; its other calls are 64-bit ones */
	_LAYOUT_COLUMN_MAX,
};

enum layout_type {
	LAYOUT_U8,
	LAYOUT_S8,
	LAYOUT_U16,
	LAYOUT_S16,
	LAYOUT_U32,
	LAYOUT_S32,
	LAYOUT_U64,
	LAYOUT_S64,
	LAYOUT_LONG, /* 8 bytes of 64-bit callers, else 4 */
	LAYOUT_ULONG,
	LAYOUT_PTR,
	LAYOUT_KLONG,  /* the kernel's own long: 8 bytes of x32, too */
	LAYOUT_TEXT,   /* text in a field of size bytes */
	LAYOUT_TAIL,   /* what begins here; its value is the address */
	LAYOUT_INSIDE, /* another structure in this one */
	_LAYOUT_TYPE_MAX,
};

struct layout_desc {
	const char *name;
	size_t size;
	size_t least;	/* 0: the structure does not grow */
	bool has_size;	/* it tells its size itself */
	size_t size_at; /* where */
	bool exact;	/* a length in the call is the structure's */
	unsigned n_fields;
};

struct layout_field {
	const char *name; /* "": the field is the structure */
	enum layout_type type;
	size_t offset, size;
	bool is_signed;
	bool conditional; /* meant instead of the field before it if field `when` is `value` */
	unsigned when;
	uint64_t value;
	struct syscall_arg arg; /* kind, length (of the structure's fields), of */
};

/* The columns of offsets that a call has. */
enum layout_column layout_column_of(enum abi abi, int32_t nr);

/* Of a structure that there is, in 1 to _LAYOUT_MAX - 1. */
void layout_describe(enum layout layout, enum layout_column column, struct layout_desc *ret);

/* False past the last. */
bool layout_field(enum layout layout, enum layout_column column, unsigned i,
		  struct layout_field *ret);
