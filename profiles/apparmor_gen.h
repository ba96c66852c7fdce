// SPDX-License-Identifier: Apache-2.0
/* What the parts of the AppArmor generator share. Private to profiles/apparmor*.c. */
#pragma once

#include "base/hash.h"
#include "base/text.h"
#include "profiles/apparmor_tree.h"

enum aa_reach { AA_ITSELF, AA_TREE, AA_BELOW };

/* The file rules of the tree. 0, -ENOMEM, or -EOPNOTSUPP for a policy whose patterns are too many,
 * naming a line. */
int aa_put_files(const struct policy *policy, const struct aa_node *root, struct buf *out,
		 struct err *err);

/* What a policy means to the parts of the kernel that AppArmor mediates. */
enum { AA_FAMILIES = 46, AA_TYPES = 16 };
struct aa_facts {
	uint16_t types[AA_FAMILIES]; /* bit per SOCK_*: some socket of the family can be made */
	bool any_socket;	     /* socketcall is open: its arguments are in memory */
	bool mounts, unmounts, pivots;
	bool traces; /* attaches to another process */
	bool signals;
	bool executes;
	bool makes_userns;
	bool queues; /* POSIX message queues */
	bool rings;  /* io_uring */
};
void aa_facts_find(const struct policy *policy, struct aa_facts *ret);
/* A part alone, as all of them together are a thousand searches: what has nothing to do with
 * sockets; or those of one family. The rest is zero. */
void aa_facts_find_calls(const struct policy *policy, struct aa_facts *ret);
void aa_facts_find_family(const struct policy *policy, unsigned family, struct aa_facts *ret);

/* "inet" of AF_INET; NULL: the parser has no name for it. Likewise "stream". */
const char *aa_family_name(unsigned family);
const char *aa_type_name(unsigned type);
/* Whether a network rule lets such a socket be. */
bool aa_has_socket(const struct policy *policy, const struct aa_facts *facts, unsigned family,
		   unsigned type);

/* "cordon-NAME", or the target's. 0, -ENOMEM, or -EINVAL for a name that no label can be. */
int aa_profile_name(const struct policy *policy, const struct profile_target *target,
		    struct buf *ret, struct err *err);

/* apparmor_judge.c: the mechanism's judge, and its part for one path (AA_*), for tests. */
int aa_judge(const struct policy *policy, const struct profile_target *target,
	     const struct attempt *attempt, struct judgement *ret, struct err *err);
unsigned aa_judge_path(const struct policy *policy, const struct profile_target *target,
		       bool executes, const char *path);
