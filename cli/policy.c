// SPDX-License-Identifier: Apache-2.0
/*
 * cordon-policy: the policy compiler as a program of its own, so that the launcher carries none of
 * it. `cordon policy VERB` runs it; on a cache miss the launcher runs `compile`.
 */
#include "cli/policy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/policy_dirs.h"
#include "cli/print.h"
#include "policies/load.h"

static const struct policy_verb *const verbs[] = {
	&policy_verb_build,  &policy_verb_check,   &policy_verb_compile, &policy_verb_cost,
	&policy_verb_diff,   &policy_verb_explain, &policy_verb_export,	 &policy_verb_fmt,
	&policy_verb_import, &policy_verb_lint,	   &policy_verb_load,	 &policy_verb_report,
	&policy_verb_score,  &policy_verb_show,	   &policy_verb_test,
};

int policy_cli_what(const char *what, char *ret, size_t size, struct err *err)
{
	size_t len = strlen(what);
	char cwd[LIMIT_PATH];
	int r;

	if (!strchr(what, '/') && (len <= 7 || strcmp(what + len - 7, ".policy") != 0)) {
		if (len >= size)
			return err_set(err, -ENAMETOOLONG, "use the policy '%.100s...'", what);
		memcpy(ret, what, len + 1);
		return 0;
	}
	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(err, -errno, "find the working directory");
	r = path_normalise(cwd, what, ret, size);
	return r < 0 ? err_set(err, r, "use the policy '%.400s'", what) : 0;
}

int policy_cli_read(const struct policy_args *args, const char *what, struct policy **ret,
		    struct policy_diags *diags, struct err *err)
{
	const struct policy_search search = { .dirs = args->search,
					      .n_dirs = args->n_search,
					      .native = args->native };
	char full[LIMIT_PATH];
	int r = policy_cli_what(what, full, sizeof(full), err);

	return r ? r : policy_load(full, &search, ret, diags, err);
}

int policy_cli_load(const struct policy_args *args, const char *what, struct policy **ret)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	int r = policy_cli_read(args, what, ret, &diags, &err);

	if (diags.text.len > 0)
		(void)fd_write_all(STDERR_FILENO, diags.text.data, diags.text.len);
	/* The mistakes have been named one by one. */
	if (r < 0 && diags.n_errors == 0)
		print_error(NULL, &err);
	return r;
}

int policy_cli_usage_error(const char *what, const char *object)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;

	if (text_escape(&safe, object, strlen(object)) == 0 && safe.data)
		(void)fprintf(stderr, "cordon: %s '%s'\n", what, safe.data);
	else
		(void)fprintf(stderr, "cordon: %s ''\n", what);
	(void)fputs("hint: cordon policy --help\n", stderr);
	return -EINVAL;
}

const char *policy_arg(const struct policy_args *args, const char *name)
{
	for (size_t i = args->n_options; i > 0; i--) {
		if (strcmp(args->options[i - 1].name, name) == 0)
			return args->options[i - 1].value;
	}
	return NULL;
}

bool policy_flag(const struct policy_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_options; i++) {
		if (strcmp(args->options[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Whether the verb knows the option; *ret_value: whether a value follows. */
static bool takes(const struct policy_verb *verb, const char *option, bool *ret_value)
{
	char word[32];

	if (strlen(option) >= sizeof(word) - 3 || strpbrk(option, " ="))
		return false;
	*ret_value = true;
	if (strcmp(option, "--search") == 0 || strcmp(option, "--arch") == 0)
		return true;
	(void)snprintf(word, sizeof(word), " %s= ", option);
	if (strstr(verb->options, word))
		return true;
	*ret_value = false;
	(void)snprintf(word, sizeof(word), " %s ", option);
	return strstr(verb->options, word) != NULL;
}

static int set_option(struct policy_args *args, const char *option, const char *value)
{
	if (strcmp(option, "--search") == 0) {
		if (args->n_search == POLICY_MAX_SEARCH)
			return policy_cli_usage_error("too many search directories: no room for",
						      value);
		args->search[args->n_search++] = value;
		return 0;
	}
	if (strcmp(option, "--arch") == 0) {
		/* the ABIs that programs of 64-bit kernels have of their own */
		if (abi_from_name(value, &args->native) < 0 ||
		    (args->native != ABI_X86_64 && args->native != ABI_AARCH64))
			return policy_cli_usage_error("no architecture (x86_64, aarch64):", value);
		return 0;
	}
	if (args->n_options == POLICY_MAX_OPTIONS)
		return policy_cli_usage_error("too many options: no room for", option);
	args->options[args->n_options++] = (struct policy_option){ option, value };
	return 0;
}

static int check_number_of_words(const struct policy_args *args)
{
	if (args->n_what < args->verb->min_what)
		return policy_cli_usage_error("a policy's name or path is missing behind",
					      args->verb->name);
	if (args->n_what > args->verb->max_what)
		return policy_cli_usage_error("not expected here:",
					      args->what[args->verb->max_what]);
	return 0;
}

/* Options stand before and between the names; "--" ends them. */
static int parse(int argc, char **argv, struct policy_args *args)
{
	bool options = true, value;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		int r = 0;

		if (!options || argv[i][0] != '-' || argv[i][1] == '\0')
			argv[n++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			options = false;
		else if (!takes(args->verb, argv[i], &value))
			r = policy_cli_usage_error("unknown option", argv[i]);
		else if (value && i + 1 == argc)
			r = policy_cli_usage_error("a value is missing behind", argv[i]);
		else if (value)
			r = set_option(args, argv[i], argv[i + 1]), i++;
		else
			r = set_option(args, argv[i], NULL);
		if (r < 0)
			return r;
	}
	args->what = argv;
	args->n_what = n;
	return check_number_of_words(args);
}

static int print_usage(FILE *to)
{
	(void)fputs("usage: cordon policy VERB [OPTION...] WHAT...\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		(void)fputs(verbs[i]->usage, to);
	(void)fputs(
		"  --search DIR (repeatable): where policies are looked up, instead of\n"
		"         ~/.config/cordon/policies, /etc/cordon/policies and those that came\n"
		"         with cordon\n"
		"  --arch x86_64|aarch64: read it for another architecture than this machine's\n"
		"WHAT is a name, or a path when it holds a '/' or ends in .policy\n",
		to);
	return fflush(to) != 0 || to == stderr ? POLICY_EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
	struct policy_args args = { .native = ABI_NATIVE };
	int status;

	if (argc < 2)
		return print_usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return print_usage(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && !args.verb; i++) {
		if (strcmp(argv[1], verbs[i]->name) == 0)
			args.verb = verbs[i];
	}
	if (!args.verb) {
		(void)policy_cli_usage_error("unknown verb", argv[1]);
		return POLICY_EXIT_FAILED;
	}
	if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
		return fputs(args.verb->usage, stdout) < 0 || fflush(stdout) != 0
			       ? POLICY_EXIT_FAILED
			       : 0;
	if (parse(argc - 2, argv + 2, &args) < 0)
		return POLICY_EXIT_FAILED;
	args.searches = args.n_search > 0;
	if (!args.searches)
		args.n_search = policy_default_dirs(args.search);
	status = args.verb->run(&args);
	/* What was shown must have arrived. */
	return fflush(stdout) != 0 && status == 0 ? POLICY_EXIT_FAILED : status;
}
