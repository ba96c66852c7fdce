// SPDX-License-Identifier: Apache-2.0
/*
 * cordon policy import: other programs' policies as text in ours. What others wrote is read by a
 * process of its own, confined as the readers of logs are; this one names files, and takes bytes of
 * the other without a look at them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/confine.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "policies/import.h"
#include "policies/import_model.h"
#include "profiles/bundle.h"
#include "profiles/compile.h"

enum { MAX_TEXT = LIMIT_IMPORT_ENTRIES * LIMIT_POLICY_LINE };

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

static int write_text(const struct policy_args *args, const char *text, size_t len, struct err *err)
{
	const char *output = policy_arg(args, "-o");

	if (output)
		return policy_cli_write_file(output, text, len, err);
	if (fwrite(text, 1, len, stdout) != len)
		return err_set(err, -EIO, "write the policy");
	return 0;
}

/* Through links as any program would: the path is the caller's own. */
static int read_file(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd_read_all(fd, LIMIT_IMPORT_BYTES, ret, ret_len);
}

/* cli/reader.policy without its comments: tools/gen-text. This program is the generator that the
 * other readers' programs are built in from, so it makes its own. */
extern const char reader_policy[];

/* Of the process that ends with its work, and frees nothing. */
static int make_reader(struct program *ret, struct err *err)
{
	static const struct policy_search nowhere = { .native = ABI_NATIVE };
	struct policy_diags diags = { .n_errors = 0 };
	struct buf bytes = BUF_INIT;
	struct policy *policy = NULL;
	struct bundle *bundle = NULL;
	int r;

	r = policy_load_text("/reader.policy", reader_policy, strlen(reader_policy), &nowhere,
			     &policy, &diags, err);
	r = r < 0 ? r : compile_bundle(policy, &bytes, err);
	r = r < 0 ? r : bundle_open(bytes.data, bytes.len, &bundle, err);
	if (r == 0)
		ret->insns = bundle_seccomp(bundle, &ret->n);
	return r;
}

struct importing {
	const struct policy_args *args;
	enum import_format format;
	struct import_options options;
	int text; /* memory */
};

/* 0, 1 when the policy is wrong, POLICY_EXIT_FAILED: it has said why. */
static int import_confined(void *context)
{
	const struct importing *i = context;
	struct import_result result = { .text = BUF_INIT, .notes = BUF_INIT };
	const char *path = i->args->what[0];
	struct program program;
	struct err err = ERR_INIT;
	char *source = NULL;
	size_t len = 0;
	int r = make_reader(&program, &err);

	r = r < 0 ? r : confine_reader(&program, NULL, &err);
	if (r == 0) {
		r = read_file(path, &source, &len);
		if (r < 0)
			(void)err_set(&err, r, "read '%.400s'", path);
	}
	r = r < 0 ? r : import_policy(i->format, source, len, &i->options, &result, &err);
	if (result.notes.len > 0 && (r == -EBADMSG || !policy_flag(i->args, "--quiet")))
		(void)fd_write_all(STDERR_FILENO, result.notes.data, result.notes.len);
	if (r == -EBADMSG)
		return 1;
	if (r == 0) {
		r = fd_write_all(i->text, result.text.data, result.text.len);
		if (r < 0)
			(void)err_set(&err, r, "hand the policy on");
	}
	if (r == 0)
		return 0;
	print_error(NULL, &err);
	return POLICY_EXIT_FAILED;
}

static int import_apart(struct importing *i, int *ret_status, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = confine_apart(import_confined, i, "policy", ret_status, err);

	if (r < 0 || *ret_status != 0)
		return r;
	r = confine_take(i->text, MAX_TEXT, &text, &len);
	return r < 0 ? err_set(err, r, "take the policy over")
		     : write_text(i->args, text, len, err);
}

static int import(const struct policy_args *args)
{
	struct importing i = { .args = args, .text = -1 };
	struct err err = ERR_INIT;
	char name[LIMIT_NAME];
	int r, status = 0;

	if (read_options(args, name, &i.format, &i.options) < 0)
		return POLICY_EXIT_FAILED;
	i.text = memfd_create("policy", MFD_CLOEXEC);
	r = i.text < 0 ? err_set(&err, -errno, "make room for the policy")
		       : import_apart(&i, &status, &err);
	fd_closep(&i.text);
	if (r == 0)
		return status;
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
