// SPDX-License-Identifier: Apache-2.0
/* cordon policy import: other programs' policies as text in ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "policies/import.h"
#include "policies/import_model.h"

static int wrong(const char *what, const char *object)
{
	(void)policy_cli_usage_error(what, object);
	return -EINVAL;
}

static int read_kernel(const char *text, uint16_t *ret)
{
	unsigned major, minor;
	char end;

	if (strlen(text) > 7 || text[0] < '0' || text[0] > '9' ||
	    sscanf(text, "%3u.%3u%c", &major, &minor, &end) != 2 || major > 255 || minor > 255)
		return wrong("no kernel version as in 6.1:", text);
	*ret = KERNEL(major, minor);
	return 0;
}

static int read_caps(const struct policy_args *args, uint64_t *ret)
{
	for (size_t i = 0; i < args->n_options; i++) {
		unsigned bit;

		if (strcmp(args->options[i].name, "--cap") != 0)
			continue;
		if (import_cap(args->options[i].value, &bit) < 0)
			return wrong("no capability as in CAP_SYS_ADMIN:", args->options[i].value);
		*ret |= UINT64_C(1) << bit;
	}
	return 0;
}

/* "profiles/default.json": default */
static int name_of(const char *path, char ret[LIMIT_NAME])
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t n = 0;

	for (; base[n] && base[n] != '.'; n++) {
		bool plain = (base[n] >= 'a' && base[n] <= 'z') ||
			     (base[n] >= 'A' && base[n] <= 'Z') ||
			     (base[n] >= '0' && base[n] <= '9') || base[n] == '_' || base[n] == '-';

		if (n + 1 == LIMIT_NAME)
			return wrong("too long for a policy's name, give one with --name:", base);
		ret[n] = base[n];
		if (!plain)
			ret[n] = '-';
	}
	ret[n] = '\0';
	return n ? 0 : wrong("no name for the policy, give one with --name:", path);
}

static int read_name(const struct policy_args *args, char ret[LIMIT_NAME])
{
	const char *name = policy_arg(args, "--name");

	if (!name)
		return name_of(args->what[0], ret);
	if (name[0] == '\0' || strlen(name) >= LIMIT_NAME ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
		    strlen(name))
		return wrong("no policy's name:", name);
	memcpy(ret, name, strlen(name) + 1);
	return 0;
}

static int read_options(const struct policy_args *args, char name[LIMIT_NAME],
			enum import_format *format, struct import_options *ret)
{
	const char *from = policy_arg(args, "--from"), *kernel = policy_arg(args, "--kernel");
	const char *arch = policy_arg(args, "--arch"), *unknown = policy_arg(args, "--unknown");

	*ret = (struct import_options){ .name = name,
					.path = args->what[0],
					.arch = args->native,
					.kernel = SYSCALL_NEWEST,
					.includes = true,
					.narrow = policy_flag(args, "--narrow") };
	if (!from || import_format_from_name(from, format) < 0)
		return wrong("import needs --from oci, minijail or kafel:", from ? from : "");
	if (arch && (abi_from_name(arch, &ret->arch) < 0 ||
		     (ret->arch != ABI_X86_64 && ret->arch != ABI_AARCH64)))
		return wrong("no architecture, x86_64 or aarch64:", arch);
	if (unknown && strcmp(unknown, "deny") != 0 && strcmp(unknown, "error") != 0)
		return wrong("--unknown takes error or deny:", unknown);
	ret->unknown_denied = unknown && strcmp(unknown, "deny") == 0;
	if ((kernel && read_kernel(kernel, &ret->kernel) < 0) || read_caps(args, &ret->caps) < 0)
		return -EINVAL;
	return read_name(args, name);
}

static int write_text(const struct policy_args *args, const struct buf *text, struct err *err)
{
	const char *output = policy_arg(args, "-o");

	if (output)
		return policy_cli_write_file(output, text->data, text->len, err);
	if (fwrite(text->data, 1, text->len, stdout) != text->len)
		return err_set(err, -EIO, "write the policy");
	return 0;
}

/* Through links as any program would: the path is the caller's own. */
static int read_file(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd_read_all(fd, LIMIT_IMPORT_BYTES, ret, ret_len);
}

static int import(const struct policy_args *args)
{
	__attribute__((cleanup(import_result_done))) struct import_result result = {
		.text = BUF_INIT, .notes = BUF_INIT
	};
	_cleanup_free_ char *source = NULL;
	enum import_format format;
	struct import_options options;
	struct err err = ERR_INIT;
	char name[LIMIT_NAME];
	size_t len = 0;
	int r;

	if (read_options(args, name, &format, &options) < 0)
		return POLICY_EXIT_FAILED;
	r = read_file(args->what[0], &source, &len);
	if (r < 0) {
		(void)err_set(&err, r, "read '%.400s'", args->what[0]);
		print_error(NULL, &err);
		return POLICY_EXIT_FAILED;
	}
	r = import_policy(format, source, len, &options, &result, &err);
	if (result.notes.len > 0 && (r == -EBADMSG || !policy_flag(args, "--quiet")))
		(void)fd_write_all(STDERR_FILENO, result.notes.data, result.notes.len);
	if (r == -EBADMSG)
		return 1;
	if (r == 0)
		r = write_text(args, &result.text, &err);
	if (r == 0)
		return 0;
	print_error(NULL, &err);
	return POLICY_EXIT_FAILED;
}

const struct policy_verb policy_verb_import = {
	.name = "import",
	.run = import,
	.min_what = 1,
	.max_what = 1,
	.options = " --from= --name= --cap= --kernel= --arch= --unknown= --narrow --quiet -o= ",
	.usage = "  import --from oci|minijail|kafel [--name NAME] [--cap CAP]... [--kernel X.Y]\n"
		 "         [--arch ARCH] [--unknown error|deny] [--narrow] [--quiet] [-o FILE] "
		 "FILE\n"
		 "                             another program's policy as a text of ours\n",
};
