// SPDX-License-Identifier: Apache-2.0
/* What the verbs of cordon-policy share. */
#pragma once

#include "policies/model.h"

enum { POLICY_MAX_SEARCH = 16, POLICY_EXIT_FAILED = 125 };

struct policy_args {
	const char *verb;
	int to_fd; /* -1 */
	const char *cache;
	const char *output;
	const char *search[POLICY_MAX_SEARCH];
	size_t n_search;
	bool bpf;
	bool verbose;
	char **what; /* the rest of argv */
	int n_what;
};

/* Find, read and compose; diagnostics and errors are printed. 0 or -errno. */
int policy_cli_load(const struct policy_args *args, const char *what, struct policy **ret);

/* A path made absolute, a name as it is. 0 or -errno with err. */
int policy_cli_what(const char *what, char *ret, size_t size, struct err *err);

static inline void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}
#define _cleanup_policy_ __attribute__((cleanup(policy_freep)))

/* Verbs: the exit status. */
int policy_cli_show(const struct policy_args *args);
int policy_cli_test(const struct policy_args *args);

/* The program of a policy as text, with the policy's lines beside it. 0 or -errno. */
int policy_cli_bpf(const struct policy *policy, struct err *err);

/* "FILE:LINE" on stdout, or "default". */
void policy_cli_print_where(const struct policy *policy, const struct policy_where *where);
