// SPDX-License-Identifier: Apache-2.0
/*
 * What a policy or a caller asks of a kernel's label: `label apparmor NAME`, `label selinux
 * TYPE[:MCS]`, with `auto` and `none` in the name's place. Text in, meaning out; the launcher links
 * this, so it knows neither policies' text nor the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "policies/model.h"

enum label_kind {
	LABEL_NONE,  /* `none`: no label, whatever a used policy says */
	LABEL_AUTO,  /* `auto`: the one that is made from the policy, where it is loaded */
	LABEL_NAMED, /* this one, or nothing starts */
};

/* The categories of an SELinux context, which tell sandboxes of one type apart. */
enum label_categories {
	LABEL_PICK,  /* not said: a pair out of the caller's own range */
	LABEL_RANGE, /* `c0.c99`: a pair out of first to last */
	LABEL_PAIR,  /* `c1,c2`: first and last themselves, in each sandbox the same */
	LABEL_BARE,  /* `s0`: none at all */
};
enum { LABEL_CATEGORIES = 1024 }; /* c0 to c1023, as every MCS policy has them */

struct label {
	uint8_t kind;		/* enum label_kind */
	uint8_t categories;	/* enum label_categories; SELinux only */
	uint16_t first, last;	/* LABEL_RANGE, LABEL_PAIR: first < last */
	char name[LIMIT_LABEL]; /* LABEL_NAMED: of the profile, or the type */
};

/* "apparmor", "selinux" */
const char *label_lsm_name(enum policy_lsm lsm);
int label_lsm_from_name(const char *name, enum policy_lsm *ret); /* 0 or -EINVAL */

/* 0, or -EINVAL with *ret_why (constant text) reading behind "'TEXT' is no label: ". */
int label_parse(enum policy_lsm lsm, const char *text, struct label *ret, const char **ret_why);

/* The one spelling of what text says ("x_t:s0:c9,c1" is "x_t:c1,c9"), of at most LIMIT_LABEL bytes
 * with its NUL. */
void label_spell(const struct label *label, char ret[LIMIT_LABEL]);
