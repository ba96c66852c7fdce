// SPDX-License-Identifier: Apache-2.0
/* kafel's reader in two files: statements and expressions. */
#pragma once

#include "policies/import_scan.h"

struct kafel_constant {
	char name[LIMIT_NAME];
	uint64_t value;
};

/* One filter of an action block, its call already found. */
struct kafel_filter {
	const struct syscall_desc *call;
	uint8_t action;
	uint16_t errno_value;
	char where[IMPORT_WHERE];
	struct import_dnf when;
};

struct kafel_policy {
	char name[LIMIT_NAME];
	struct kafel_filter *filters;
	size_t n;
};

struct kafel {
	struct import *im;
	struct kafel_constant *constants;
	size_t n_constants;
	struct kafel_policy *policies; /* [0] is the one at file scope */
	size_t n_policies;
	bool has_default;
	unsigned depth, files; /* of includes */
};

/* What an expression may name: the call's arguments, or those that the filter declares. */
struct kafel_scope {
	const struct syscall_desc *call; /* NULL: of another architecture, read and thrown away */
	enum policy_action action;
	char declared[6][LIMIT_NAME];
	size_t n_declared;
	bool declares;
};

bool kafel_constant(const struct kafel *k, const char *name, uint64_t *ret);

/*
 * An expression up to the '}'. 0 and *ret, or < 0 with the error made. Where a condition cannot be
 * said and the options let it be narrowed, *ret is what is left.
 */
int kafel_expression(const struct kafel *k, struct import_scan *s, const struct kafel_scope *scope,
		     struct import_dnf *ret);
