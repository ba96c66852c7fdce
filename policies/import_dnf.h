// SPDX-License-Identifier: Apache-2.0
/*
 * Conditions on one call's arguments as sets: alternatives of terms, each a set of ranges per
 * argument and comparisons through masks. Closed under and, or and not, so that "the first rule
 * that matches" becomes rules whose order has no meaning.
 *
 * A range is of keys: the argument's bits, the sign bit turned where the argument is signed, so
 * that keys order as our language orders values.
 */
#pragma once

#include "base/limits.h"
#include "policies/model.h"

struct import_range {
	uint64_t low, high; /* both are inside */
};

struct import_ranges {
	struct import_range *list; /* sorted, disjoint, never touching */
	size_t n;
};

struct import_mask {
	uint8_t arg;
	bool negate; /* (bits & mask) != value */
	uint64_t mask, value;
};

struct import_term {
	uint8_t ranged; /* bit per argument that has ranges; the others are free */
	struct import_ranges ranges[6];
	struct import_mask *masks;
	size_t n_masks;
};

/* Holds when one of the terms does. No term: never; a term without anything: always. */
struct import_dnf {
	const struct syscall_desc *call;
	struct import_term *terms;
	size_t n;
};
void dnf_done(struct import_dnf *dnf);

/* The largest key of the argument, and what turns bits to keys and back (exclusive or). */
uint64_t dnf_key_max(const struct syscall_desc *call, unsigned arg);
uint64_t dnf_key_turn(const struct syscall_desc *call, unsigned arg);

/* Each makes *ret anew: 0, -ENOMEM, or -E2BIG over LIMIT_IMPORT_TERMS or LIMIT_IMPORT_RANGES. */
int dnf_always(const struct syscall_desc *call, struct import_dnf *ret);
int dnf_from_range(const struct syscall_desc *call, unsigned arg, struct import_range range,
		   struct import_dnf *ret);
int dnf_from_mask(const struct syscall_desc *call, struct import_mask mask, struct import_dnf *ret);
int dnf_copy(const struct import_dnf *a, struct import_dnf *ret);
int dnf_and(const struct import_dnf *a, const struct import_dnf *b, struct import_dnf *ret);
int dnf_or(const struct import_dnf *a, const struct import_dnf *b, struct import_dnf *ret);
int dnf_not(const struct import_dnf *a, struct import_dnf *ret);

bool dnf_is_always(const struct import_dnf *dnf);

/* The plain meaning, for tests and for folding constants. */
bool dnf_holds(const struct import_dnf *dnf, const uint64_t args[6]);
#define _cleanup_dnf_ __attribute__((cleanup(dnf_done)))
