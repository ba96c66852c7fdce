// SPDX-License-Identifier: Apache-2.0
/* What tools/gen-tables makes of policies/consts.tbl; read through policies/consts.h. */
#pragma once

#include "policies/consts.h"

/* Constants sorted by name; behind them the names that only the log uses. */
extern const size_t consts_gen_count; /* without those */
extern const char consts_gen_pool[];
extern const uint32_t consts_gen_name[]; /* places in the pool */
extern const uint64_t consts_gen_value[];

/* What aarch64 has otherwise. */
struct consts_gen_other {
	uint64_t value;
	uint16_t constant;
};
extern const struct consts_gen_other consts_gen_aarch64[];
extern const size_t consts_gen_n_aarch64;

enum consts_group {
	CONSTS_FIELD,	/* one of the members in the bits of the mask, shifted */
	CONSTS_NETWORK, /* the same, in the network's order */
	CONSTS_FLAGS,	/* any of the members */
	CONSTS_BITS,	/* members are numbers of bits, from shift on */
	CONSTS_OCTAL,	/* the bits of the mask as a number */
};

struct consts_gen_group {
	uint64_t mask;
	uint16_t first, n; /* of consts_gen_member */
	uint8_t kind;	   /* enum consts_group */
	uint8_t shift;
};
extern const struct consts_gen_group consts_gen_groups[];
extern const uint16_t consts_gen_member[]; /* places in consts_gen_name and _value */

struct consts_gen_set {
	uint16_t first, n; /* of consts_gen_groups */
};
extern const struct consts_gen_set consts_gen_sets[_CONSTS_MAX];
