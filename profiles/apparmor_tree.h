// SPDX-License-Identifier: Apache-2.0
/*
 * The path lines of a policy as a tree of names, in which the deepest line that speaks of a path
 * is found by walking down; and patterns of AppArmor that match exactly what a part of it holds.
 * Private to profiles/apparmor*.c.
 */
#pragma once

#include "profiles/mechanism.h"

/* What a file rule gives: the letters of apparmor.d(5). */
enum {
	AA_READ = 1 << 0,  /* r */
	AA_WRITE = 1 << 1, /* w: content, mode, owner; making, renaming, removing */
	AA_LOCK = 1 << 2,  /* k */
	AA_LINK = 1 << 3,  /* l */
	AA_MMAP = 1 << 4,  /* m: PROT_EXEC */
	AA_EXEC = 1 << 5,  /* ix */
	AA_ALL = (1 << 6) - 1,
};

enum aa_name {
	AA_NAME_LITERAL,
	AA_NAME_ANY,	 /* any name that no sibling has */
	AA_NAME_PROCESS, /* likewise, but it begins with 1 to 9: a directory of /proc */
};

struct aa_node {
	struct aa_node *parent, *children, *next; /* children: literal ones sorted, then others */
	const struct policy_path *line;		  /* that speaks of this place; NULL: built in */
	const char *why;			  /* of what is built in */
	char *name;				  /* AA_NAME_LITERAL */
	uint8_t kind;				  /* enum aa_name */
	bool stated;				  /* something is said of this place */
	bool is_list;  /* itself can be listed, whatever holds below: /dev */
	uint8_t rank;  /* of what is stated: who wins at one place */
	uint8_t perms; /* AA_* here and below, once stated */
};

/*
 * ~ without a known home stands for each directory of /home and for /root; $PWD without a known
 * value for nothing. may_exec: some call that executes is allowed.
 * 0, -ENOMEM, or -EOPNOTSUPP naming a line that hides a place which cannot be known.
 */
int aa_tree_make(const struct policy *policy, const struct path_vars *vars, bool may_exec,
		 struct aa_node **ret, struct err *err);
void aa_tree_free(struct aa_node *root);

static inline void aa_tree_freep(struct aa_node **root)
{
	aa_tree_free(*root);
}
#define _cleanup_aa_tree_ __attribute__((cleanup(aa_tree_freep)))

/* The masked names of /proc, for tests: NULL past the last. */
extern const char *const aa_proc_masked[];

/*
 * Patterns. A list of them, each within what the parser's scanner takes at once: its buffer holds
 * 16384 bytes and does not grow ("input buffer overflow").
 */
struct aa_patterns {
	char **text;
	size_t n;
};
#define _cleanup_aa_patterns_ __attribute__((cleanup(aa_patterns_done)))
void aa_patterns_done(struct aa_patterns *patterns);

/* The place itself, without what may follow it ("" for the root). 0 or -ENOMEM. */
int aa_pattern_place(const struct aa_node *node, struct aa_patterns *ret);

/*
 * Each name in a directory but those of except[] (n of them), and of those only such as start
 * may begin: appended to prefix. 0 or -ENOMEM.
 */
enum aa_start { AA_START_ANY, AA_START_DIGIT, AA_START_NO_DIGIT };
int aa_pattern_others(const char *prefix, const char *const *except, size_t n, enum aa_start start,
		      struct aa_patterns *add_to);

/* One literal name or path for a quoted pattern. 0 or -ENOMEM. */
int aa_pattern_escape(struct buf *out, const char *text, size_t len);
