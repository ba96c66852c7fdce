// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

/* A file that is not there (yet) is an empty one. */
static void begin(struct audit_reader *reader)
{
	int fd = reader->set->file[reader->file].fd;

	lines_begin(&reader->lines, fd, 0, fd < 0 ? 0 : UINT64_MAX, reader->buf);
}

void audit_reader_again(struct audit_reader *reader)
{
	reader->file = 0;
	begin(reader);
	reader->n = reader->damaged = 0;
}

/* The sandbox that opened last. */
static int find_last(struct audit_reader *reader, struct err *err)
{
	char last[sizeof(reader->sandbox)] = "none"; /* no sandbox has that id */
	struct recorded record;
	int r;

	while ((r = audit_reader_next(reader, &record, err)) > 0) {
		if (record.type == RECORDED_OPEN && record.sandbox.len)
			(void)scan_string(&record.sandbox, last, sizeof(last));
	}
	memcpy(reader->sandbox, last, sizeof(last));
	audit_reader_again(reader);
	return r;
}

int audit_reader_open(struct audit_reader *reader, const struct audit_args *args, struct err *err)
{
	int r;

	*reader = (struct audit_reader){ .path = args->file };
	r = log_set_open(args->file, &reader->set, err);
	if (r == -ENOENT)
		(void)err_hint(err, "the first 'cordon run' makes it");
	if (r < 0)
		return r;
	reader->buf = malloc(LINES_BUFFER);
	if (!reader->buf)
		return err_set(err, -ENOMEM, "read the audit log '%s'", args->file);
	audit_reader_again(reader);
	if (args->sandbox && strcmp(args->sandbox, "last") == 0)
		return find_last(reader, err);
	if (args->sandbox && strlen(args->sandbox) >= sizeof(reader->sandbox))
		return err_refuse(err, "find the sandbox '%.64s': an id has 16 digits",
				  args->sandbox);
	if (args->sandbox)
		(void)snprintf(reader->sandbox, sizeof(reader->sandbox), "%s", args->sandbox);
	return 0;
}

void audit_reader_done(struct audit_reader *reader)
{
	log_set_close(reader->set);
	free(reader->buf);
	reader->set = NULL;
	reader->buf = NULL;
}

/* Ids are digits and letters: no escapes to undo. */
static bool is_wanted(const struct audit_reader *reader, const struct recorded *record)
{
	size_t len = strlen(reader->sandbox);

	return len == 0 || (record->sandbox.len >= len + 2 &&
			    memcmp(record->sandbox.p + 1, reader->sandbox, len) == 0);
}

int audit_reader_next(struct audit_reader *reader, struct recorded *ret, struct err *err)
{
	struct line line;
	int r;

	for (;;) {
		r = lines_next(&reader->lines, &line);
		if (r < 0)
			break;
		if (r == 0 && reader->file + 1 >= reader->set->n)
			break;
		if (r == 0) {
			reader->file++;
			begin(reader);
			continue;
		}
		reader->n++;
		if (line.overlong || recorded_read(line.p, line.len, ret) < 0)
			reader->damaged++;
		else if (is_wanted(reader, ret))
			return 1;
	}
	return r < 0 ? err_set(err, r, "read the audit log '%s'", reader->path) : 0;
}

void audit_reader_warn(const struct audit_reader *reader)
{
	if (reader->damaged > 0)
		(void)fprintf(stderr,
			      "cordon: %" PRIu64 " of %" PRIu64 " lines are no records; "
			      "'cordon audit verify' says more\n",
			      reader->damaged, reader->n);
}
