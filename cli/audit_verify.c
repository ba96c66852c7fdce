// SPDX-License-Identifier: Apache-2.0
/* `cordon audit verify`: is the log whole? */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/place.h"
#include "audit/rotate.h"
#include "audit/seal.h"
#include "audit/verify.h"
#include "base/fd.h"
#include "cli/audit.h"
#include "cli/print.h"

static void warn(uint64_t n, const char *text)
{
	if (n > 0)
		(void)printf("  warning: %s: %" PRIu64 "\n", text, n);
}

static void print_break(const char *path, const struct verify_result *v)
{
	char name[LIMIT_PATH + PLACE_SUFFIX];

	rotate_name(path, v->file, name, sizeof(name));
	(void)printf("  first break%s%s, line %" PRIu64 ", byte %" PRIu64 ": %s: %s\n",
		     v->file ? ": " : "", v->file ? name : "", v->line, v->offset,
		     verify_kind_text(v->kind), v->text);
}

static void print_warnings(const struct verify_result *v)
{
	warn(v->unclosed, "sandboxes that never closed (they run, or their supervisor was killed)");
	if (v->totals_partial)
		(void)printf("  warning: more than 4096 sandboxes were open at once: "
			     "not all totals were checked\n");
	if (v->head_missing)
		(void)printf("  warning: no head beside it: a log that was cut at its end "
			     "would look the same\n");
}

static void print_seals(const struct verify_result *v, bool keyed)
{
	if (v->seals == 0)
		return;
	(void)printf("  %" PRIu64 " seals%s, the last one of epoch %" PRIu64
		     ": sealed up to record %" PRIu64 "\n",
		     v->seals, keyed ? " checked" : ", not checked (--seal-key)", v->epoch,
		     v->sealed);
	if (keyed)
		warn(v->other_seals, "seals of other keys before them, not checked");
	warn(v->unsealed, "times the log went on without seals");
}

/* The key's line, from a file, a pipe, or standard input. */
static int read_key(const char *file, struct seal_key *ret, struct err *err)
{
	bool in = strcmp(file, "-") == 0;
	_cleanup_close_ int fd = in ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char text[SEAL_KEY_TEXT + 2] = "";
	size_t len = 0;
	ssize_t n = -1;
	int r;

	while (fd >= 0 && len < sizeof(text) - 1 &&
	       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return err_set(err, -errno, "read the verification key '%s'", file);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	r = seal_parse_key(text, ret);
	explicit_bzero(text, sizeof(text));
	if (r < 0) {
		err_refuse(err, "use what '%s' holds as a verification key", file);
		err_hint(err, "it is the line that seal-setup printed: cordon-seal-1:ID:KEY");
	}
	return r;
}

int audit_cli_seal_setup(struct audit_args *args)
{
	char text[SEAL_KEY_TEXT + 1];
	struct err err = ERR_INIT;
	struct seal_key key;

	if (seal_setup(args->file, &key, &err) < 0) {
		print_error(NULL, &err);
		return AUDIT_EXIT_FAILED;
	}
	seal_spell_key(&key, text);
	(void)printf("%s\n", text);
	(void)fprintf(
		stderr,
		"cordon: '%s' is sealed from now on. The line above is the verification key and "
		"is nowhere else:\n"
		"cordon: keep it where nobody with your user id can read it, and not on this "
		"machine\n",
		args->file);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&key, sizeof(key));
	return 0;
}

int audit_cli_verify(struct audit_args *args)
{
	struct err err = ERR_INIT;
	struct verify_result v;
	struct seal_key key;
	int r = args->seal_key ? read_key(args->seal_key, &key, &err) : 0;

	if (r == 0)
		r = verify_sealed(args->file, args->seal_key ? &key : NULL, &v, &err);
	explicit_bzero(&key, sizeof(key));
	if (r < 0) {
		print_error(NULL, &err);
		return AUDIT_EXIT_FAILED;
	}
	(void)printf("%s: %s\n", args->file, v.kind == VERIFY_WHOLE ? "whole" : "BROKEN");
	(void)printf("  %" PRIu64 " records of %" PRIu64 " sandbox%s, %" PRIu64
		     " denials accounted for\n",
		     v.records, v.sandboxes, v.sandboxes == 1 ? "" : "es", v.denials);
	if (v.files > 1)
		(void)printf("  in %" PRIu64 " files\n", v.files);
	if (v.removed > 0)
		(void)printf("  records up to %" PRIu64 " were removed, as the log tells\n",
			     v.removed);
	print_seals(&v, args->seal_key);
	warn(v.lost, "denials that are only told as lost");
	warn(v.repairs, "writers that died, after whom another one repaired the log");
	warn(v.behind, "records behind the head's (a writer died, or is writing)");
	warn(v.unopened, "sandboxes without an opening record here");
	if (v.kind != VERIFY_WHOLE) {
		print_break(args->file, &v);
		return AUDIT_EXIT_BROKEN;
	}
	print_warnings(&v);
	return 0;
}
