// SPDX-License-Identifier: Apache-2.0
/* What tools/gen-tables makes of policies/layouts.tbl; read through policies/layout.h. */
#pragma once

#include <stdint.h>

#include "policies/layout.h"

/* Columns of offsets and sizes: callers of 64 bits, of i386, of x32's own calls. */
struct layout_gen_field {
	uint16_t name; /* in the pool */
	uint16_t offset[_LAYOUT_COLUMN_MAX];
	uint16_t of;
	uint16_t size; /* of text */
	uint8_t when;  /* in layout_gen_whens; 0: always */
	uint8_t type, kind;
	uint8_t length; /* as in struct syscall_arg, of the structure's fields */
};
extern const struct layout_gen_field layout_gen_fields[];

struct layout_gen_when {
	uint64_t value;
	uint8_t field; /* position among the structure's */
};
extern const struct layout_gen_when layout_gen_whens[];

struct layout_gen {
	uint16_t name;
	uint16_t first; /* of layout_gen_fields */
	uint16_t size[_LAYOUT_COLUMN_MAX];
	uint16_t least;
	uint8_t self; /* offset of its own size, from 1; 0: it has none */
	uint8_t n;
	uint8_t exact;
};
extern const struct layout_gen layout_gen_table[_LAYOUT_MAX];
extern const char layout_gen_pool[];
