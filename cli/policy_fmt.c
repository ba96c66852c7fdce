// SPDX-License-Identifier: Apache-2.0
/* cordon policy fmt: policies in their canonical form. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "policies/fmt.h"

enum outcome { SAME, DIFFERS, WRONG, FAILED };

static enum outcome failed(struct err *err, int r, const char *path)
{
	(void)err_set(err, r, "format '%.400s'", path);
	print_error(NULL, err);
	return FAILED;
}

/* What stays of the file besides its bytes: its place behind a symlink, and its mode. */
static int put_back(const char *path, const struct buf *text, struct err *err)
{
	char real[LIMIT_PATH];
	struct stat st;
	int r;

	if (!realpath(path, real) || stat(real, &st) < 0)
		return err_set(err, -errno, "format '%.400s'", path);
	r = policy_cli_write_file(real, text->data, text->len, err);
	if (r == 0 && chmod(real, st.st_mode & 0777) < 0)
		return err_set(err, -errno, "give '%.400s' its mode again", path);
	return r;
}

static enum outcome format(const struct policy_args *args, const char *path)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	size_t len = 0;
	bool differs;
	int r = fd_read_file_at(AT_FDCWD, path, LIMIT_POLICY_BYTES, &text, &len);

	if (r == 0)
		r = fmt_text(path, text, len, &out, &diags);
	if (diags.text.len)
		(void)fd_write_all(STDERR_FILENO, diags.text.data, diags.text.len);
	if (r == -EBADMSG)
		return WRONG;
	if (r < 0)
		return failed(&err, r, path);
	differs = out.len != len || (len && memcmp(out.data, text, len) != 0);
	if (policy_flag(args, "--check") || policy_flag(args, "--json"))
		return differs ? DIFFERS : SAME;
	if (!policy_flag(args, "-w")) {
		(void)fwrite(out.data, 1, out.len, stdout);
		return SAME;
	}
	if (!differs)
		return SAME;
	if (put_back(path, &out, &err) < 0) {
		print_error(NULL, &err);
		return FAILED;
	}
	return SAME;
}

static int put_json(const struct policy_args *args, const enum outcome *outcomes)
{
	static const char *const words[] = {
		[SAME] = "formatted", [DIFFERS] = "differs", [WRONG] = "wrong", [FAILED] = "failed"
	};
	/* each byte of a path can become four */
	size_t cap = 64;
	_cleanup_free_ char *buf = NULL;
	struct json j;

	for (int i = 0; i < args->n_what; i++)
		cap += 4 * strlen(args->what[i]) + 64;
	buf = malloc(cap);
	if (!buf)
		return -ENOMEM;
	json_init(&j, buf, cap);
	json_object(&j, NULL);
	json_array(&j, "files");
	for (int i = 0; i < args->n_what; i++) {
		json_object(&j, NULL);
		json_string(&j, "path", args->what[i]);
		json_string(&j, "result", words[outcomes[i]]);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	if (!json_finish(&j))
		return -ENOMEM;
	(void)puts(buf);
	return 0;
}

static int fmt(const struct policy_args *args)
{
	_cleanup_free_ enum outcome *outcomes = calloc((size_t)args->n_what, sizeof(enum outcome));
	enum outcome worst = SAME;
	struct err err = ERR_INIT;

	if (!outcomes)
		return (void)failed(&err, -ENOMEM, args->what[0]), POLICY_EXIT_FAILED;
	for (int i = 0; i < args->n_what; i++) {
		outcomes[i] = format(args, args->what[i]);
		worst = outcomes[i] > worst ? outcomes[i] : worst;
		if (outcomes[i] == DIFFERS && !policy_flag(args, "--json")) {
			policy_cli_put_text(args->what[i]);
			(void)putchar('\n');
		}
	}
	if (policy_flag(args, "--json") && put_json(args, outcomes) < 0)
		return (void)failed(&err, -ENOMEM, args->what[0]), POLICY_EXIT_FAILED;
	return worst == SAME ? 0 : worst == FAILED ? POLICY_EXIT_FAILED : 1;
}

const struct policy_verb policy_verb_fmt = {
	.name = "fmt",
	.run = fmt,
	.min_what = 1,
	.max_what = INT_MAX,
	.options = " --check --json -w ",
	.usage = "  fmt [--check [--json]|-w] FILE...\n"
		 "                             the canonical form: shown, asked for (1 where a\n"
		 "                             file differs), or written in place\n",
};
