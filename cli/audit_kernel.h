// SPDX-License-Identifier: Apache-2.0
/* What a denial by the kernel itself wanted, in words of a policy. For those verbs of cordon-audit
 * that judge by one. */
#pragma once

#include "audit/recorded.h"
#include "base/fd.h"
#include "policies/path_rule.h"

enum audit_wish_kind { WISH_NONE, WISH_PATH, WISH_PORT };

struct audit_wish {
	enum audit_wish_kind kind;
	struct policy_path path; /* its text is in text */
	struct policy_port port;
	char text[LIMIT_PATH];
};

/*
 * Of Landlock's denials the path or the port, of AppArmor's the path. Others no line of a policy
 * speaks of, nor of a name that a policy cannot write (WISH_NONE).
 */
void audit_wish_of(const struct recorded *record, struct audit_wish *ret);

/* As a line of a policy, without its newline. 0 or -ENOMEM. */
int audit_wish_spell(struct buf *out, const struct audit_wish *wish);

enum audit_wish_stand {
	WISH_CLOSED, /* no line gives it */
	WISH_HIDDEN, /* a line hides the place */
	WISH_GIVEN,  /* the policy gives it: what refused it was not made of it */
};

/* By the policy's lines, this process's home and directory. *ret_line: the one that speaks of it,
 * or NULL. */
enum audit_wish_stand audit_wish_judge(const struct policy *policy, const struct audit_wish *wish,
				       const struct policy_path **ret_line);
