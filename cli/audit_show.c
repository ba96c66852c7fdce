// SPDX-License-Identifier: Apache-2.0
/* `cordon audit show`: one pass over the log, filters, and one of three ways to print. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/lines.h"
#include "audit/render.h"
#include "audit/rotate.h"
#include "audit/stamp.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/print.h"

enum { FOLLOW_RECORDS = 10 };

struct show {
	struct audit_args *args;
	struct audit_table *table; /* NULL: records are printed as they pass */
	uint64_t skip;		   /* matching records to pass over: all but the last N */
	uint64_t matched;
	uint64_t denials;
	uint64_t damaged; /* lines that are no records */
	bool count_only, colour;
	char last[17];
};

/* --- filters ------------------------------------------------------------------------------- */

/* A text anywhere in what pointers led to: paths, names, addresses. */
static bool text_in(const struct scan *value, const char *glob, unsigned depth)
{
	struct scan_iter iter;
	struct scan inner;
	char text[4096];

	if (value->kind == SCAN_STRING)
		return scan_string(value, text, sizeof(text)) > 0 && fnmatch(glob, text, 0) == 0;
	if ((value->kind != SCAN_OBJECT && value->kind != SCAN_ARRAY) || depth == SCAN_DEPTH)
		return false;
	for (scan_begin(value, &iter); scan_next(&iter, NULL, &inner);) {
		if (text_in(&inner, glob, depth + 1))
			return true;
	}
	return false;
}

static bool path_matches(const struct scan *record, const char *glob)
{
	struct scan decoded, value;
	struct scan_iter iter;

	if (scan_get(record, "path", &value)) /* the kernel's own */
		return text_in(&value, glob, 0);
	if (!scan_get(record, "decoded", &decoded) || decoded.kind != SCAN_OBJECT)
		return false;
	for (scan_begin(&decoded, &iter); scan_next(&iter, NULL, &value);) {
		if (value.kind == SCAN_OBJECT && text_in(&value, glob, 0))
			return true;
	}
	return false;
}

static bool text_matches(const struct scan *record, const char *key, const char *want, bool prefix)
{
	char text[256];

	if (!scan_get_string(record, key, text, sizeof(text)))
		return false;
	return prefix ? text_starts_with(text, want) : strcmp(text, want) == 0;
}

static bool in_time(const struct audit_args *a, const struct scan *record)
{
	char time[STAMP_TEXT];
	int64_t ns;

	if (a->since_ns == 0 && a->until_ns == 0)
		return true;
	return scan_get_string(record, "time", time, sizeof(time)) && stamp_parse(time, &ns) == 0 &&
	       ns >= a->since_ns && (a->until_ns == 0 || ns <= a->until_ns);
}

/* The file with its directories or without. */
static bool rule_matches(const struct scan *record, const char *glob)
{
	char text[1024];
	const char *slash;

	if (!scan_get_string(record, "rule", text, sizeof(text)) &&
	    !scan_get_string(record, "label", text, sizeof(text)))
		return false;
	slash = strrchr(text, '/');
	return fnmatch(glob, text, 0) == 0 || (slash && fnmatch(glob, slash + 1, 0) == 0);
}

static bool matches(const struct show *show, const struct scan *record, const struct scan *type)
{
	const struct audit_args *a = show->args;
	bool refusal = scan_is(type, "denial") || scan_is(type, "summary");
	struct scan call;

	if (a->sandbox && !text_matches(record, "sandbox", a->sandbox, true))
		return false;
	if (!in_time(a, record))
		return false;
	if (a->policy && !text_matches(record, "policy", a->policy, false))
		return false;
	if (!a->call && !a->path && !a->rule && !a->comm)
		return true;
	/* A table still wants to know which sandboxes these calls are of. */
	if (!refusal)
		return show->table && (scan_is(type, "open") || scan_is(type, "close"));
	if (a->call &&
	    (!scan_get(record, "syscall", &call) || !text_matches(&call, "name", a->call, false)))
		return false;
	if (a->rule && !rule_matches(record, a->rule))
		return false;
	if (a->comm && !text_matches(record, "comm", a->comm, false))
		return false;
	return !a->path || path_matches(record, a->path);
}

/* Denials that the record tells of; a forged count cannot make the sum start again. */
static void count(struct show *show, const struct scan *record, const struct scan *type)
{
	uint64_t n = 1;

	if (!scan_is(type, "denial") && !scan_is(type, "summary"))
		return;
	(void)scan_get_u64(record, "count", &n);
	if (__builtin_add_overflow(show->denials, n, &show->denials))
		show->denials = UINT64_MAX;
}

/* --- printing ------------------------------------------------------------------------------ */

/* A valid line may still hold characters that drive a terminal, if somebody else wrote it. */
static bool is_shown(const struct line *line)
{
	const unsigned char *p = (const unsigned char *)line->p;

	for (size_t i = 0; i < line->len;) {
		size_t n = text_utf8_len(p + i, line->len - i);

		if (!text_is_shown(p + i, n))
			return false;
		i += n;
	}
	return true;
}

static void print_plain(const struct show *show, const struct scan *record)
{
	char buf[4096];
	struct scan value;
	struct render r;

	render_init(&r, buf, sizeof(buf));
	if (scan_get(record, "time", &value))
		render_string(&r, &value, 40);
	render_text(&r, " ");
	if (scan_get(record, "sandbox", &value))
		render_string(&r, &value, 16);
	render_text(&r, " ");
	render_record(&r, record, show->colour);
	(void)puts(buf);
}

static int take(struct show *show, const struct line *line)
{
	struct scan record, type;

	if (line->overlong || scan_text(line->p, line->len, &record) < 0 ||
	    !scan_get(&record, "type", &type) || type.kind != SCAN_STRING) {
		show->damaged++;
		return 0;
	}
	if (scan_is(&type, "open"))
		(void)scan_get_string(&record, "sandbox", show->last, sizeof(show->last));
	if (!matches(show, &record, &type))
		return 0;
	show->matched++;
	if (show->args->count && !show->count_only) {
		count(show, &record, &type);
		return 0;
	}
	if (show->count_only || show->matched <= show->skip)
		return 0;
	if (show->table)
		return audit_table_add(show->table, &record, &type);
	if (!show->args->json)
		print_plain(show, &record);
	else if (is_shown(line))
		(void)printf("%.*s\n", (int)line->len, line->p);
	else
		show->damaged++;
	return 0;
}

static int walk_file(struct show *show, struct lines *lines)
{
	struct line line;
	int r;

	while ((r = lines_next(lines, &line)) > 0) {
		if (line.torn) {
			lines_again(lines, &line);
			return 0; /* it is being written, or verify tells */
		}
		r = take(show, &line);
		if (r < 0)
			return r;
	}
	return r;
}

/* The files of the log in order, from number first of the set on; lines is left at the end of the
 * last one. */
static int walk(struct show *show, const struct log_set *set, size_t first, struct lines *lines,
		char *buf)
{
	for (size_t i = first; i < set->n; i++) {
		int r;

		/* A file that is not there yet is an empty one. */
		lines_begin(lines, set->file[i].fd, 0, set->file[i].fd < 0 ? 0 : UINT64_MAX, buf);
		r = walk_file(show, lines);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A first pass where the end decides about the beginning: the last sandbox, the last N records. */
static int look_ahead(struct show *show, const struct log_set *set, char *buf)
{
	struct audit_args *a = show->args;
	struct show first = { .args = a, .count_only = true };
	bool last = a->sandbox && strcmp(a->sandbox, "last") == 0;
	struct lines lines;
	int r;

	if (last) {
		a->sandbox = NULL;
		r = walk(&first, set, 0, &lines, buf);
		if (r < 0)
			return r;
		memcpy(show->last, first.last, sizeof(show->last));
		/* No sandbox at all: an id that none has. */
		a->sandbox = show->last[0] ? strdup(show->last) : "none";
		if (!a->sandbox)
			return -ENOMEM;
	}
	if (!show->table && a->n > 0) {
		first = (struct show){ .args = a, .count_only = true };
		r = walk(&first, set, 0, &lines, buf);
		if (r < 0)
			return r;
		show->skip = first.matched > a->n ? first.matched - a->n : 0;
	}
	return 0;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static bool is_live(const char *path, int fd)
{
	struct stat have, there;

	return fd >= 0 && fstat(fd, &have) == 0 && stat(path, &there) == 0 &&
	       have.st_dev == there.st_dev && have.st_ino == there.st_ino;
}

/* The file that was followed is not NAME any more: what is behind it among the files there are now,
 * all of them if it is gone. */
static int follow_on(struct show *show, struct log_set **set, struct lines *lines, char *buf)
{
	int was = (*set)->file[(*set)->n - 1].fd, r;
	struct log_set *now;
	size_t next = 0;

	/* What was written between the last look and the rename. */
	r = was >= 0 ? walk_file(show, lines) : 0;
	if (r < 0)
		return r;
	r = log_set_open(show->args->file, &now, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* it is being moved away */
	for (size_t i = 0; i < now->n; i++) {
		if (same_file(was, now->file[i].fd))
			next = i + 1;
	}
	if (was < 0) /* it was not there: the newest one is new */
		next = now->n - 1;
	log_set_close(*set);
	*set = now;
	return walk(show, now, next, lines, buf);
}

static int follow(struct show *show, struct log_set **set, struct lines *lines, char *buf)
{
	const struct timespec nap = { .tv_nsec = 200000000 };
	int r = 0;

	while (r == 0) {
		const struct log_set *s = *set;

		if (is_live(show->args->file, s->file[s->n - 1].fd))
			r = walk_file(show, lines);
		else
			r = follow_on(show, set, lines, buf);
		if (fflush(stdout) != 0)
			return -errno;
		if (r == 0)
			(void)nanosleep(&nap, NULL);
	}
	return r;
}

static int show_log(struct show *show, struct err *err)
{
	__attribute__((cleanup(log_set_closep))) struct log_set *set = NULL;
	_cleanup_free_ char *buf = malloc(LINES_BUFFER);
	struct lines lines;
	int r = log_set_open(show->args->file, &set, err);

	if (r == -ENOENT)
		err_hint(err, "the first 'cordon run' makes it");
	if (r < 0)
		return r;
	r = buf ? look_ahead(show, set, buf) : -ENOMEM;
	if (r == 0)
		r = walk(show, set, 0, &lines, buf);
	if (r == 0 && show->args->follow)
		r = follow(show, &set, &lines, buf);
	return r < 0 ? err_set(err, r, "read the audit log '%s'", show->args->file) : 0;
}

int audit_cli_show(struct audit_args *args)
{
	__attribute__((cleanup(audit_table_freep))) struct audit_table *table = NULL;
	struct show show = { .args = args, .colour = print_colours(stdout) };
	struct err err = ERR_INIT;

	if (args->count && (args->follow || args->json || args->group)) {
		err_refuse(&err, "count, and show what is counted another way");
		return audit_cli_fail(&err);
	}
	/* Who watches wants to see where it stands, not all that ever was. */
	if (args->follow && args->n == 0 && args->since_ns == 0)
		args->n = FOLLOW_RECORDS;
	if (!args->json && !args->follow && !args->count) {
		table = audit_table_new(!args->group);
		if (!table)
			err_set(&err, -ENOMEM, "make a table");
		show.table = table;
	}
	if (err.code < 0 || show_log(&show, &err) < 0) {
		print_error(NULL, &err);
		return AUDIT_EXIT_FAILED;
	}
	if (table)
		audit_table_print(table, args->n);
	if (args->count)
		(void)printf("%" PRIu64 "\n", show.denials);
	if (show.damaged > 0)
		(void)fprintf(
			stderr,
			"cordon: %llu lines are no records; 'cordon audit verify' says more\n",
			(unsigned long long)show.damaged);
	return 0;
}
