// SPDX-License-Identifier: Apache-2.0
/* `cordon audit export`: the log in the forms of other programs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/export.h"
#include "cli/audit.h"
#include "cli/audit_reader.h"
#include "cli/print.h"

typedef int export_line(struct buf *out, const struct recorded *record);

static int write_all(struct audit_reader *reader, export_line *line, FILE *to, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct recorded record;
	uint64_t skipped = 0;
	int r;

	while ((r = audit_reader_next(reader, &record, err)) > 0) {
		out.len = 0;
		if (line(&out, &record) < 0)
			return err_set(err, -ENOMEM, "export '%s'", reader->path);
		if (out.len > 0 && fwrite(out.data, 1, out.len, to) != out.len)
			return err_set(err, -EIO, "write what is exported");
		skipped += out.len == 0 &&
			   (record.type == RECORDED_DENIAL || record.type == RECORDED_SUMMARY ||
			    record.type == RECORDED_LOST);
	}
	if (skipped > 0)
		(void)fprintf(stderr,
			      "cordon: %" PRIu64 " records name no call and have no place in that "
			      "form\n",
			      skipped);
	return r;
}

int audit_cli_export(struct audit_args *args)
{
	_cleanup_reader_ struct audit_reader reader = { .set = NULL };
	struct err err = ERR_INIT;
	FILE *to = stdout;
	bool csv;
	int r;

	if (!args->format ||
	    (strcmp(args->format, "csv") != 0 && strcmp(args->format, "ausearch") != 0)) {
		err_refuse(&err, "export in the form '%.32s'", args->format ? args->format : "");
		err_hint(&err, "--format csv or --format ausearch");
		return audit_cli_fail(&err);
	}
	csv = strcmp(args->format, "csv") == 0;
	r = audit_reader_open(&reader, args, &err);
	if (r < 0)
		return audit_cli_fail(&err);
	if (args->out && !(to = fopen(args->out, "we"))) {
		err_set(&err, -errno, "write '%.400s'", args->out);
		return audit_cli_fail(&err);
	}
	if (csv)
		(void)fputs(export_csv_head, to);
	r = write_all(&reader, csv ? export_csv : export_ausearch, to, &err);
	if (to != stdout && fclose(to) != 0 && r == 0)
		r = err_set(&err, -errno, "write '%.400s'", args->out);
	audit_reader_warn(&reader);
	return r < 0 ? audit_cli_fail(&err) : 0;
}
