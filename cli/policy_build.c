// SPDX-License-Identifier: Apache-2.0
/* cordon policy build and compile: text to bundle. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/policy_report.h"
#include "cli/print.h"
#include "profiles/cache.h"
#include "profiles/compile.h"

int policy_cli_write_file(const char *path, const void *data, size_t len, struct err *err)
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
	r = fd_write_all(fd, data, len);
	if (r == 0 && rename(tmp.data, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(tmp.data);
		return err_set(err, r, "write '%.400s'", path);
	}
	return 0;
}

static int load_and_compile(const struct policy_args *args, const char *what, struct policy **ret,
			    struct buf *bundle)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_usage_ struct usage usage = { .total = 0 };
	const char *counts = policy_arg(args, "--usage");
	struct err err = ERR_INIT;
	int r = policy_cli_load(args, what, &policy);

	if (r < 0)
		return r;
	if (counts)
		r = usage_read(counts, &usage, &err);
	r = r ? r : compile_bundle_for(policy, counts ? &usage : NULL, bundle, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return r;
	}
	*ret = TAKE_PTR(policy);
	return 0;
}

static int compile(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf bundle = BUF_INIT;
	struct err err = ERR_INIT;
	char what[LIMIT_PATH];
	const char *to = policy_arg(args, "--to-fd"), *cache = policy_arg(args, "--cache");
	uint64_t fd;
	int r;

	if (!to) {
		(void)fputs("cordon: compile needs --to-fd N\n", stderr);
		return POLICY_EXIT_FAILED;
	}
	if (text_parse_u64(to, &fd) < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0) {
		(void)policy_cli_usage_error("no open descriptor:", to);
		return POLICY_EXIT_FAILED;
	}
	r = load_and_compile(args, args->what[0], &policy, &bundle);
	if (r < 0)
		return r == -EBADMSG ? POLICY_EXIT_MISTAKES : POLICY_EXIT_FAILED;
	r = fd_write_all((int)fd, bundle.data, bundle.len);
	if (r < 0) {
		(void)err_set(&err, r, "write the bundle to descriptor %d", (int)fd);
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	if (!cache)
		return 0;
	/* Best effort: the launch has its bundle. */
	r = policy_cli_what(args->what[0], what, sizeof(what), &err);
	r = r ? r
	      : cache_store(cache, what, args->search, args->n_search, bundle.data, bundle.len,
			    &err);
	if (r < 0 && policy_flag(args, "-v"))
		print_error(NULL, &err);
	return 0;
}

static int build(const struct policy_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_buf_ struct buf bundle = BUF_INIT;
	char path[LIMIT_NAME + 16];
	const char *output = policy_arg(args, "-o");
	struct err err = ERR_INIT;

	if (load_and_compile(args, args->what[0], &policy, &bundle) < 0)
		return POLICY_EXIT_FAILED;
	if ((policy_arg(args, "--emit") || policy_arg(args, "--report")) &&
	    policy_cli_emit(args, policy) < 0)
		return POLICY_EXIT_FAILED;
	if (policy_arg(args, "--emit"))
		return 0;
	(void)snprintf(path, sizeof(path), "%s.bundle", policy->name);
	if (policy_cli_write_file(output ? output : path, bundle.data, bundle.len, &err) < 0) {
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	return 0;
}

const struct policy_verb policy_verb_build = {
	.name = "build",
	.run = build,
	.min_what = 1,
	.max_what = 1,
	.options = " -o= --usage= --emit= --report= --landlock-abi= --apparmor-abi= "
		   "--home= --pwd= ",
	.usage = "  build WHAT [-o FILE] [--usage FILE] [--report FILE]\n"
		 "                             write the bundle (NAME.bundle)\n"
		 "  build WHAT --emit LIST [-o DIR] [--report FILE]\n"
		 "         [--landlock-abi N] [--apparmor-abi N] [--home DIR] [--pwd DIR]\n"
		 "                             write a file for each of seccomp, landlock,\n"
		 "                             apparmor, selinux, capabilities\n",
};

const struct policy_verb policy_verb_compile = {
	.name = "compile",
	.run = compile,
	.min_what = 1,
	.max_what = 1,
	.options = " --to-fd= --cache= -v ",
	.usage = "  compile --to-fd N [--cache DIR] [-v] WHAT\n"
		 "                             for the launcher: the bundle to descriptor N; -v\n"
		 "                             says why it was not cached\n",
};
