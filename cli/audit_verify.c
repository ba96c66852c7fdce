// SPDX-License-Identifier: Apache-2.0
/* `cordon audit verify`: is the log whole? */
#include <inttypes.h>
#include <stdio.h>

#include "audit/place.h"
#include "audit/rotate.h"
#include "audit/verify.h"
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

int audit_cli_verify(const struct audit_args *args)
{
	struct err err = ERR_INIT;
	struct verify_result v;

	if (verify_path(args->file, &v, &err) < 0) {
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
