// SPDX-License-Identifier: Apache-2.0
/* The smallest change of a policy's text with which an attempt passes, and what else it opens. */
#pragma once

#include "base/json.h"
#include "policies/attempt.h"
#include "profiles/mechanism.h"

enum advice_edit {
	ADVICE_ADD,    /* write this line */
	ADVICE_REMOVE, /* take this out of the line at where */
	ADVICE_CHANGE, /* the line at where becomes this one */
};

struct advice_step {
	uint8_t edit; /* enum advice_edit */
	struct policy_where where;
	char *text;  /* a line as a policy says it; owned */
	char *opens; /* what else passes then; owned */
};

enum { ADVICE_STEPS = 24 };

struct advice {
	struct advice_step steps[ADVICE_STEPS];
	size_t n;
	bool passes; /* with all the steps it does: they were tried on the model */
};
void advice_done(struct advice *advice);

/* The mechanisms that every launch has: a bit each. AppArmor's and SELinux's profiles are loaded by
 * an administrator or not at all. */
unsigned advice_mechanisms(const struct profile_target *target);

/* Nothing is advised for what passes already. 0 or -errno. */
int advice_make(const struct policy *policy, const struct profile_target *target,
		const struct attempt *attempt, struct advice *ret, struct err *err);

/* What is advised, line by line, on stdout; as the member "advice". */
void advice_print(const struct advice *advice, const struct policy *policy);
void advice_json(struct json *j, const struct advice *advice, const struct policy *policy);

/* A place with its line's text: "FILE:LINE: TEXT" on stdout; as members "file", "line", "text". */
void advice_print_line(const struct policy *policy, struct policy_where where);
void advice_json_line(struct json *j, const struct policy *policy, struct policy_where where);
