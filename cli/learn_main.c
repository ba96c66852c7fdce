// SPDX-License-Identifier: Apache-2.0
/* cordon-learn: recordings to a policy. `cordon learn` runs it at its end, `cordon learn merge`
 * over several. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/confine.h"
#include "cli/learn_model.h"
#include "cli/print.h"

enum { EXIT_FAILED = CONFINE_FAILED, EXIT_INCOMPLETE = 1, MAX_TAKEN = LEARN_MAX_FILE };

static const char usage[] = "usage: cordon learn merge -o NAME.policy RECORDING...\n"
			    "       cordon learn write -o NAME.policy RECORDING\n\n"
			    "RECORDING is a NAME.policy.learn that 'cordon learn' left. merge also "
			    "keeps what it read, as\n"
			    "the recording beside its own policy. Exit status: 0; 1 when a "
			    "recording is not complete; 125.\n";

struct args {
	const char *out;
	const char *files[LEARN_MAX_RUNS];
	size_t n_files;
	uint64_t status;
	bool merge, quiet;
};

/* --- files --- */

/* Replaced whole: what lies at the name is neither followed nor written to. */
static int replace(const char *file, const char *text, size_t len, struct err *err)
{
	_cleanup_close_ int fd = -1;
	char tmp[LIMIT_PATH];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.%d", file, getpid()) >= (int)sizeof(tmp))
		return err_set(err, -ENAMETOOLONG, "write '%s'", file);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, -errno, "write '%s'", file);
	r = fd_write_all(fd, text, len);
	if (r == 0 && rename(tmp, file) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	(void)unlink(tmp);
	return err_set(err, r, "write '%s'", file);
}

static int policy_name(const char *file, char ret[LIMIT_NAME + 1], struct err *err)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	const size_t len = strlen(base), suffix = strlen(".policy");

	if (len <= suffix || len - suffix > LIMIT_NAME ||
	    strcmp(base + len - suffix, ".policy") != 0)
		return err_refuse(err, "write a policy to '%s'", file),
		       err_hint(err, "its file is NAME.policy");
	(void)snprintf(ret, LIMIT_NAME + 1, "%.*s", (int)(len - suffix), base);
	return 0;
}

/* What was merged, run behind run: it can be merged again. */
static int keep_recording(const struct args *a, struct err *err)
{
	_cleanup_buf_ struct buf all = BUF_INIT;
	char side[LIMIT_PATH];

	for (size_t i = 0; i < a->n_files; i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r = fd_read_file_at(AT_FDCWD, a->files[i], LEARN_MAX_FILE, &text, &len);

		if (r == 0)
			r = buf_put(&all, text, len);
		if (r < 0)
			return err_set(err, r, "read the recording '%s'", a->files[i]);
	}
	if (snprintf(side, sizeof(side), "%s.learn", a->out) >= (int)sizeof(side))
		return err_set(err, -ENAMETOOLONG, "write '%s.learn'", a->out);
	return replace(side, all.data, all.len, err);
}

static int parse(int argc, char **argv, struct args *a, struct err *err)
{
	a->merge = argc > 1 && strcmp(argv[1], "merge") == 0;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "-q") == 0) {
			a->quiet = true;
		} else if (strcmp(argv[i], "-v") == 0) {
			a->quiet = false;
		} else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
			a->out = argv[++i];
		} else if (strcmp(argv[i], "--status") == 0 && i + 1 < argc) {
			if (text_parse_u64(argv[++i], &a->status) < 0 || a->status > 255)
				return err_refuse(err, "use '--status %.32s'", argv[i]);
		} else if (argv[i][0] == '-') {
			err_refuse(err, "understand the argument '%.64s'", argv[i]);
			return err_hint(err, "'cordon learn --help' lists what there is");
		} else if (a->n_files < ARRAY_SIZE(a->files)) {
			a->files[a->n_files++] = argv[i];
		} else {
			return err_refuse(err, "read more than 32 recordings");
		}
	}
	if (!a->out || a->n_files == 0 || (!a->merge && a->n_files > 1)) {
		err_refuse(err, "tell what to write and of which recording");
		return err_hint(err, "cordon learn merge -o NAME.policy RECORDING...");
	}
	return 0;
}

static int say(const struct learned *l, const char *out, int fd)
{
	_cleanup_buf_ struct buf said = BUF_INIT;
	size_t denied = 0;
	int r;

	for (size_t i = 0; i < l->n_calls; i++)
		denied += l->calls[i].denied;
	r = buf_printf(&said, "cordon: '%s': %zu different calls (%zu refused), %zu paths; %s\n",
		       out, l->n_calls - denied, denied, l->n_paths,
		       learned_complete(l) ? "complete" : "NOT COMPLETE");
	for (size_t i = 0; i < l->n_runs && r == 0; i++) {
		if (!l->runs[i].ended || l->runs[i].cut)
			r = buf_printf(&said, "cordon: run %s was cut short: %s\n", l->runs[i].id,
				       l->runs[i].cut ? l->runs[i].cut : "it has no end");
	}
	return r < 0 ? r : fd_write_all(fd, said.data, said.len);
}

/* --- two processes: what recordings hold comes from payloads --- */

struct reading {
	const struct args *args;
	const char *name;
	int policy, said; /* memory */
};

/* One reads them, and writes to no name. 0, EXIT_INCOMPLETE, or EXIT_FAILED: it has said why. */
static int read_confined(void *context)
{
	static struct learned l;
	const struct reading *reading = context;
	const struct args *a = reading->args;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	int r = confine_reader(&reader_program, NULL, &err);

	for (size_t i = 0; i < a->n_files && r == 0; i++)
		r = learned_read(&l, a->files[i], &err);
	if (r == 0 && l.n_runs == 0)
		r = err_refuse(&err, "read a recording: there is no run in it");
	if (r == 0) {
		r = learned_policy(&l, reading->name, &text);
		r = r < 0 ? r : fd_write_all(reading->policy, text.data, text.len);
		r = r < 0 || a->quiet ? r : say(&l, a->out, reading->said);
		if (r < 0)
			(void)err_set(&err, r, "write '%s'", a->out);
	}
	if (r < 0)
		print_error(NULL, &err);
	return r < 0 ? EXIT_FAILED : learned_complete(&l) ? 0 : EXIT_INCOMPLETE;
}

/* Replaces files, without a look at the bytes. */
static int deliver(const struct args *a, int policy, int said, struct err *err)
{
	_cleanup_free_ char *text = NULL, *words = NULL;
	size_t len = 0, n_words = 0;
	int r = confine_take(policy, MAX_TAKEN, &text, &len);

	r = r < 0 ? r : confine_take(said, MAX_TAKEN, &words, &n_words);
	if (r < 0)
		return err_set(err, r, "write '%s'", a->out);
	r = replace(a->out, text, len, err);
	if (r == 0 && a->merge)
		r = keep_recording(a, err);
	if (r == 0)
		(void)fd_write_all(STDERR_FILENO, words, n_words);
	return r;
}

/* The other one. */
static int work(const struct args *a, int *ret_status, struct err *err)
{
	_cleanup_close_ int policy = memfd_create("policy", MFD_CLOEXEC);
	_cleanup_close_ int said = memfd_create("said", MFD_CLOEXEC);
	char name[LIMIT_NAME + 1];
	struct reading reading;
	int r = policy_name(a->out, name, err);

	if (r < 0)
		return r;
	if (policy < 0 || said < 0)
		return err_set(err, -errno, "make room for '%s'", a->out);
	reading = (struct reading){ .args = a, .name = name, .policy = policy, .said = said };
	r = confine_apart(read_confined, &reading, "recording", ret_status, err);
	return r < 0 || *ret_status == EXIT_FAILED ? r : deliver(a, policy, said, err);
}

int main(int argc, char **argv)
{
	struct args a = { .status = 0 };
	struct err err = ERR_INIT;
	int r, status = 0;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_FAILED : 0;
	}
	r = parse(argc, argv, &a, &err);
	if (r == 0)
		r = work(&a, &status, &err);
	if (r < 0) {
		print_error(NULL, &err);
		return EXIT_FAILED;
	}
	return status == EXIT_FAILED || a.status == 0 ? status : (int)a.status;
}
