// SPDX-License-Identifier: Apache-2.0
/*
 * Conditions as libseccomp can hold them: of each argument one comparison a rule (runc makes two
 * on one argument alternatives of each other). All are (argument & mask) == value: a mask leaves
 * out what the kernel does not read, and knows no sign.
 */
#pragma once

#include "policies/import_dnf.h"

struct export_arg {
	uint8_t arg;
	uint64_t mask, value;
};

struct export_rule {
	uint8_t n;
	struct export_arg args[6];
};

struct export_rules {
	struct export_rule *list;
	size_t n;
};
void export_rules_done(struct export_rules *rules);

/* 0; -E2BIG: more than LIMIT_IMPORT_TERMS rules would be needed; -ENOMEM. */
int export_args(const struct import_dnf *when, struct export_rules *ret);
