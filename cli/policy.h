// SPDX-License-Identifier: Apache-2.0
/* What the verbs of cordon-policy share. */
#pragma once

#include "policies/load.h"
#include "policies/model.h"

enum { POLICY_MAX_SEARCH = 16, POLICY_MAX_OPTIONS = 64, POLICY_EXIT_FAILED = 125 };
/* of compile alone: the mistakes were told, each at its place, and no sentence about them all */
enum { POLICY_EXIT_MISTAKES = 1 };

struct policy_option {
	const char *name;  /* "--json" */
	const char *value; /* NULL for a flag */
};

struct policy_args {
	const struct policy_verb *verb;
	struct policy_option options[POLICY_MAX_OPTIONS];
	size_t n_options;
	const char *search[POLICY_MAX_SEARCH];
	size_t n_search;
	bool searches;	 /* --search was given */
	enum abi native; /* --arch, or this machine's */
	char **what;	 /* the words that are no options */
	int n_what;
};

/* One verb, in a file of its own: cli/policy_VERB.c. */
struct policy_verb {
	const char *name;
	/* 0 well, 1 the policy is wrong or a gate does not hold, 125 anything else */
	int (*run)(const struct policy_args *args);
	int min_what, max_what;
	/* Blanks on both sides of each; '=' behind those that take a value: " --json -o= ".
	 * --search= and --arch= are every verb's. */
	const char *options;
	const char *usage; /* lines of at most 79 characters, "  WORDS   what it does\n" */
};

extern const struct policy_verb policy_verb_build, policy_verb_check, policy_verb_compile,
	policy_verb_cost, policy_verb_diff, policy_verb_explain, policy_verb_fmt,
	policy_verb_export, policy_verb_import, policy_verb_lint, policy_verb_load,
	policy_verb_report, policy_verb_score, policy_verb_show, policy_verb_test;

/* The last value given to the option, or NULL; whether a flag was given. */
const char *policy_arg(const struct policy_args *args, const char *name);
bool policy_flag(const struct policy_args *args, const char *name);

/* "cordon: WHAT 'OBJECT'" and a hint to --help on stderr; -EINVAL. */
int policy_cli_usage_error(const char *what, const char *object);

/* Find, read and compose. 0 or -errno with diags and err, as policy_load(). */
int policy_cli_read(const struct policy_args *args, const char *what, struct policy **ret,
		    struct policy_diags *diags, struct err *err);

/* The same; diagnostics and errors are printed. */
int policy_cli_load(const struct policy_args *args, const char *what, struct policy **ret);

/* A path made absolute, a name as it is. 0 or -errno with err. */
int policy_cli_what(const char *what, char *ret, size_t size, struct err *err);

/* Whole or not at all: written beside and renamed. 0 or -errno with err. */
int policy_cli_write_file(const char *path, const void *data, size_t len, struct err *err);

static inline void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}
#define _cleanup_policy_ __attribute__((cleanup(policy_freep)))

/* The program of a policy as text, with the policy's lines beside it. 0 or -errno. */
int policy_cli_bpf(const struct policy *policy, struct err *err);

/* "FILE:LINE" on stdout, or "default". */
void policy_cli_print_where(const struct policy *policy, const struct policy_where *where);

/* Text from a policy on stdout, escaped so that it drives no terminal. */
void policy_cli_put_text(const char *text);
