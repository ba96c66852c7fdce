// SPDX-License-Identifier: Apache-2.0
/* Text to model: find, read, parse, compose, check. Allocates; used by the compiler only. */
#pragma once

#include "base/fd.h"
#include "policies/model.h"

/* One of them, for programs that read them. Owned by policy_diags. */
struct policy_mistake {
	bool warning;
	uint32_t line;
	uint16_t column;
	char *file;
	char *message;
	char *hint; /* the last one, or NULL */
};

/* Mistakes are collected, so that one run reports many. */
struct policy_diags {
	struct buf text; /* "file:line:column: message", the line, a caret, a suggestion; ready to
			    print */
	unsigned n_errors;
	unsigned n_warnings;
	struct policy_mistake *mistakes; /* those that text shows */
	size_t n_mistakes;
};
void policy_diags_done(struct policy_diags *diags);

/* Where policies are looked up, and for which architecture they are read. */
struct policy_search {
	const char *const *dirs;
	size_t n_dirs;
	enum abi native; /* what `native` stands for in abi lines and behind `on` */
};
#define POLICY_SEARCH_INIT                                                                         \
	{                                                                                          \
		.native = ABI_NATIVE                                                               \
	}

/*
 * Find and read a policy. what is a name (letters, digits, - and _) looked up as NAME.policy in
 * the directories in order, or a path when it holds a '/' or ends in ".policy". `use NAME` looks
 * first in the directory of the file that says it, then in those of search. search NULL: no
 * directories, this machine's architecture.
 * 0 and *ret (caller frees), or -errno with err and diags filled. -EBADMSG: diags has the mistakes.
 */
int policy_load(const char *what, const struct policy_search *search, struct policy **ret,
		struct policy_diags *diags, struct err *err);

/* The same from memory, for tests and fuzzers: name is shown in messages. */
int policy_load_text(const char *name, const char *text, size_t len,
		     const struct policy_search *search, struct policy **ret,
		     struct policy_diags *diags, struct err *err);
