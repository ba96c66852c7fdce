// SPDX-License-Identifier: Apache-2.0
/*
 * cordon-policy: the policy compiler as a program of its own, so that the launcher carries none of
 * it. `cordon policy VERB` runs it; on a cache miss the launcher runs `compile`.
 */
#include "cli/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/print.h"
#include "policies/load.h"
#include "profiles/cache.h"
#include "profiles/compile.h"

static const char usage[] =
	"usage: cordon policy check WHAT...              read, compile, say what is wrong\n"
	"       cordon policy show [--bpf] WHAT          what it comes to, call by call\n"
	"       cordon policy test WHAT                  its expect lines, without a kernel (TAP)\n"
	"       cordon policy build WHAT [-o FILE]       write the bundle (NAME.bundle)\n"
	"       cordon policy compile --to-fd N [--cache DIR] WHAT\n"
	"                                                for the launcher: the bundle to "
	"descriptor N\n"
	"options: --search DIR (repeatable): where policies are looked up, instead of\n"
	"         ~/.config/cordon/policies, /etc/cordon/policies and those that came with cordon\n"
	"         -v: say why a bundle was not cached\n"
	"WHAT is a name, or a path when it holds a '/' or ends in .policy\n";

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

int policy_cli_load(const struct policy_args *args, const char *what, struct policy **ret)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	char full[LIMIT_PATH];
	int r = policy_cli_what(what, full, sizeof(full), &err);

	r = r ? r : policy_load(full, args->search, args->n_search, ret, &diags, &err);
	if (diags.text.len > 0)
		(void)fd_write_all(STDERR_FILENO, diags.text.data, diags.text.len);
	/* The mistakes have been named one by one. */
	if (r < 0 && diags.n_errors == 0)
		print_error(NULL, &err);
	return r;
}

static int load_and_compile(const struct policy_args *args, const char *what, struct policy **ret,
			    struct buf *bundle)
{
	_cleanup_policy_ struct policy *policy = NULL;
	struct err err = ERR_INIT;
	int r = policy_cli_load(args, what, &policy);

	if (r < 0)
		return r;
	r = compile_bundle(policy, bundle, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return r;
	}
	*ret = TAKE_PTR(policy);
	return 0;
}

static int cmd_compile(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf bundle = BUF_INIT;
	struct err err = ERR_INIT;
	char what[LIMIT_PATH];
	int r;

	if (args->to_fd < 0) {
		(void)fputs("cordon: compile needs --to-fd N\n", stderr);
		return POLICY_EXIT_FAILED;
	}
	if (load_and_compile(args, args->what[0], &policy, &bundle) < 0)
		return POLICY_EXIT_FAILED;
	r = fd_write_all(args->to_fd, bundle.data, bundle.len);
	if (r < 0) {
		(void)err_set(&err, r, "write the bundle to descriptor %d", args->to_fd);
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	if (!args->cache)
		return 0;
	/* Best effort: the launch has its bundle. */
	r = policy_cli_what(args->what[0], what, sizeof(what), &err);
	r = r ? r
	      : cache_store(args->cache, what, args->search, args->n_search, bundle.data,
			    bundle.len, &err);
	if (r < 0 && args->verbose)
		print_error(NULL, &err);
	return 0;
}

/* Whole or not at all: written beside and renamed. */
static int write_file(const char *path, const struct buf *bundle, struct err *err)
{
	_cleanup_buf_ struct buf tmp = BUF_INIT;
	_cleanup_close_ int fd = -1;
	uint32_t random = 0;
	int r = sys_getrandom(&random, sizeof(random));

	r = r ? r : buf_printf(&tmp, "%s.%08x", path, random);
	if (r < 0)
		return err_set(err, r, "write '%.400s'", path);
	fd = open(tmp.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_set(err, -errno, "write '%.400s'", path);
	r = fd_write_all(fd, bundle->data, bundle->len);
	if (r == 0 && rename(tmp.data, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(tmp.data);
		return err_set(err, r, "write '%.400s'", path);
	}
	return 0;
}

static int cmd_build(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf bundle = BUF_INIT;
	char path[LIMIT_NAME + 16];
	struct err err = ERR_INIT;

	if (load_and_compile(args, args->what[0], &policy, &bundle) < 0)
		return POLICY_EXIT_FAILED;
	(void)snprintf(path, sizeof(path), "%s.bundle", policy->name);
	if (write_file(args->output ? args->output : path, &bundle, &err) < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return 0;
}

static int cmd_check(const struct policy_args *args)
{
	int status = 0;

	for (int i = 0; i < args->n_what; i++) {
		_cleanup_policy_ struct policy *policy = NULL;
		_cleanup_buf_ struct buf bundle = BUF_INIT;

		if (load_and_compile(args, args->what[i], &policy, &bundle) < 0)
			status = 1;
	}
	return status;
}

static const struct verb {
	const char *name;
	int (*run)(const struct policy_args *args);
	bool many; /* takes more than one WHAT */
	const char *options;
} verbs[] = {
	{ "build", cmd_build, false, " -o --search " },
	{ "check", cmd_check, true, " --search " },
	{ "compile", cmd_compile, false, " --to-fd --cache --search -v " },
	{ "show", policy_cli_show, false, " --bpf --search " },
	{ "test", policy_cli_test, false, " --search " },
};

static int usage_error(const char *what, const char *object)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;

	if (text_escape(&safe, object, strlen(object)) == 0 && safe.data)
		(void)fprintf(stderr, "cordon: %s '%s'\n", what, safe.data);
	else
		(void)fprintf(stderr, "cordon: %s ''\n", what);
	(void)fputs("hint: cordon policy --help\n", stderr);
	return -EINVAL;
}

static bool takes(const struct verb *verb, const char *option)
{
	char word[32];

	(void)snprintf(word, sizeof(word), " %s ", option);
	return strlen(option) < sizeof(word) - 2 && strstr(verb->options, word) != NULL;
}

static int set_option(struct policy_args *args, const char *option, const char *value)
{
	uint64_t number;

	if (strcmp(option, "--to-fd") == 0) {
		if (text_parse_u64(value, &number) < 0 || number > INT_MAX ||
		    fcntl((int)number, F_GETFD) < 0)
			return usage_error("no open descriptor:", value);
		args->to_fd = (int)number;
	} else if (strcmp(option, "--cache") == 0) {
		args->cache = value;
	} else if (strcmp(option, "-o") == 0) {
		args->output = value;
	} else if (args->n_search == POLICY_MAX_SEARCH) {
		return usage_error("too many search directories: no room for", value);
	} else {
		args->search[args->n_search++] = value;
	}
	return 0;
}

/* Options stand before and between the names; "--" ends them. */
static int parse(const struct verb *verb, int argc, char **argv, struct policy_args *args)
{
	bool options = true;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (!options || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[n++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (!takes(verb, argv[i])) {
			return usage_error("unknown option", argv[i]);
		} else if (strcmp(argv[i], "--bpf") == 0) {
			args->bpf = true;
		} else if (strcmp(argv[i], "-v") == 0) {
			args->verbose = true;
		} else if (i + 1 == argc) {
			return usage_error("a value is missing behind", argv[i]);
		} else if (set_option(args, argv[i], argv[i + 1]) < 0) {
			return -EINVAL;
		} else {
			i++;
		}
	}
	if (n == 0)
		return usage_error("a policy's name or path is missing behind", verb->name);
	if (n > 1 && !verb->many)
		return usage_error("one policy at a time, what is", argv[1]);
	args->what = argv;
	args->n_what = n;
	return 0;
}

/* Where policies are without --search; the texts live in this function for good. */
static void default_search(struct policy_args *args)
{
	static char config[LIMIT_PATH], library[LIMIT_PATH + 32];
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char exe[LIMIT_PATH];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;
	struct stat st;
	int n = -1;

	if (xdg && xdg[0] == '/')
		n = snprintf(config, sizeof(config), "%s/cordon/policies", xdg);
	else if (home && home[0] == '/')
		n = snprintf(config, sizeof(config), "%s/.config/cordon/policies", home);
	if (n > 0 && (size_t)n < sizeof(config))
		args->search[args->n_search++] = config;
	args->search[args->n_search++] = "/etc/cordon/policies";
	exe[len > 0 ? len : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash) {
		*slash = '\0';
		(void)snprintf(library, sizeof(library), "%s/../policies/library", exe);
		if (stat(library, &st) == 0)
			args->search[args->n_search++] = library;
	}
	args->search[args->n_search++] = CORDON_DATADIR "/policies";
}

int main(int argc, char **argv)
{
	struct policy_args args = { .to_fd = -1 };
	int status;

	if (argc < 2) {
		(void)fputs(usage, stderr);
		return POLICY_EXIT_FAILED;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? POLICY_EXIT_FAILED : 0;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		args.verb = verbs[i].name;
		if (parse(&verbs[i], argc - 2, argv + 2, &args) < 0)
			return POLICY_EXIT_FAILED;
		if (args.n_search == 0)
			default_search(&args);
		status = verbs[i].run(&args);
		/* What was shown must have arrived. */
		return fflush(stdout) != 0 && status == 0 ? POLICY_EXIT_FAILED : status;
	}
	(void)usage_error("unknown verb", argv[1]);
	return POLICY_EXIT_FAILED;
}
