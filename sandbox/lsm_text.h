// SPDX-License-Identifier: Apache-2.0
/* What is written to the kernel for a label, and what its answers mean: text only. */
#pragma once

#include "policies/label.h"
#include "sandbox/lsm.h"

/* --- AppArmor: "PROFILE (MODE)", "PROFILE//&PROFILE (MODE)", "unconfined" --- */

enum lsm_mode {
	LSM_ENFORCE, /* "kill" too */
	LSM_COMPLAIN,
	LSM_MIXED,	/* some of a stack's profiles refuse nothing */
	LSM_UNCONFINED, /* also a profile with flags=(unconfined) */
};
enum lsm_mode lsm_aa_mode(const char *label);

/* Take the mode off. */
void lsm_aa_strip(char *label);

/* Whether one of the label's profiles is called so. */
bool lsm_aa_has(const char *label, const char *profile);

/* Whether two labels, with their modes or without, are the same profiles in whatever order. */
bool lsm_aa_same(const char *a, const char *b);

/*
 * What to write so that profile is entered from the label current: "exec PROFILE" when that one
 * confines nothing; else "stack PROFILE", which is the only way that no_new_privs leaves to who is
 * confined, and takes nothing away from what confines him. Under the launcher's own profile
 * (profiles/apparmor.d/cordon) what it stacks on its payload is stacked here, too, as an exec label
 * outranks a profile's transitions. Of at most LSM_TEXT bytes.
 */
void lsm_aa_exec_text(const char *current, const char *profile, char ret[LSM_TEXT]);

/*
 * What to write so that a program of ours keeps the launcher's own profile, whose rules would put
 * what the launcher executes into the payload's as well. NULL: current is another label, or a stack
 * that this one is in, from which there would be something to lose.
 */
const char *lsm_aa_keep_text(const char *current);

/* --- SELinux: "USER:ROLE:TYPE[:LEVEL[-LEVEL]]" --- */

/*
 * The context of label->name for who has the context current: his user and role, and where there
 * are levels, the sensitivity of his lower one with the categories that the label asks for. A pair
 * that is not fixed is drawn: of the categories that he may have himself (all 1024 where he has
 * none) and that the label's range holds; each pair is as likely as any other. random is 64 bits
 * for it. 0 or -EINVAL with *ret_why, constant text that reads behind a colon.
 */
int lsm_se_context(const char *current, const struct label *label, uint64_t random,
		   char ret[LSM_TEXT], const char **ret_why);

/* Whether contexts have levels where current is from. */
bool lsm_se_has_levels(const char *current);

/* The type within a context: its length, and where it begins. 0: there is none. */
size_t lsm_se_type(const char *context, const char **ret);
