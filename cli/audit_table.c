// SPDX-License-Identifier: Apache-2.0
/* What was refused, how often, by which rule: rows with the same wording are one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/render.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/audit.h"

enum {
	MAX_ROWS = 100000, /* more are counted together */
	MAX_BOXES = 100000,
	N_BUCKETS = 1 << 16,
	KEY_MAX = 1024,
};

enum { COL_CALL, COL_WHAT, COL_ANSWER, COL_RULE, N_COLS };

struct row {
	struct row *next; /* in the bucket */
	uint64_t count;
	size_t box;
	size_t order;
	bool varies; /* COL_WHAT is the first of several */
	char *col[N_COLS];
	char key[];
};

struct box {
	char id[17];
	char time[20];
	char policy[80];
	char command[200];
	char outcome[160];
	char used[64];	 /* "cpu 0.215 s, memory 32768 KiB" */
	char limits[96]; /* names of those that were hit */
	bool blind;
	uint64_t lost, denials;
};

struct audit_table {
	bool by_sandbox;
	struct row **bucket;
	struct row **row;
	size_t n_rows, cap_rows;
	struct box *box;
	size_t n_boxes, cap_boxes;
	uint64_t beyond; /* denials that found no room for a row */
};

struct audit_table *audit_table_new(bool by_sandbox)
{
	struct audit_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->by_sandbox = by_sandbox;
	t->bucket = calloc(N_BUCKETS, sizeof(struct row *));
	if (!t->bucket) {
		free(t);
		return NULL;
	}
	return t;
}

void audit_table_free(struct audit_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_rows; i++) {
		for (int c = 0; c < N_COLS; c++)
			free(t->row[i]->col[c]);
		free(t->row[i]);
	}
	free(t->row);
	free(t->bucket);
	free(t->box);
	free(t);
}

/* Room for one more element of an array that grows by doubling. */
static int grow(void **array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *p;

	if (n < *cap)
		return 0;
	p = reallocarray(*array, more, size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = more;
	return 0;
}

/* --- sandboxes ----------------------------------------------------------------------------- */

/* The index of the record's sandbox, MAX_BOXES when there are too many, or -ENOMEM. */
static ssize_t find_box(struct audit_table *t, const struct scan *record, bool fresh)
{
	char id[17];

	(void)scan_get_string(record, "sandbox", id, sizeof(id));
	for (size_t i = t->n_boxes; i > 0 && !fresh; i--) {
		if (strcmp(t->box[i - 1].id, id) == 0)
			return (ssize_t)(i - 1);
	}
	if (t->n_boxes == MAX_BOXES)
		return MAX_BOXES;
	if (grow((void **)&t->box, t->n_boxes, &t->cap_boxes, sizeof(t->box[0])) < 0)
		return -ENOMEM;
	t->box[t->n_boxes] = (struct box){ .outcome = "still runs, or its supervisor was killed" };
	memcpy(t->box[t->n_boxes].id, id, sizeof(id));
	return (ssize_t)t->n_boxes++;
}

static void put_string(char *buf, size_t cap, const struct scan *record, const char *key)
{
	struct scan value;
	struct render r;

	render_init(&r, buf, cap);
	if (scan_get(record, key, &value))
		render_string(&r, &value, cap);
}

static void note_open(struct box *box, const struct scan *record)
{
	struct render r;

	put_string(box->policy, sizeof(box->policy), record, "policy");
	put_string(box->time, sizeof(box->time), record, "time");
	if (box->time[0])
		box->time[10] = ' ';
	box->blind = render_is_blind(record);
	render_init(&r, box->command, sizeof(box->command));
	render_command(&r, record, 100);
}

static void note_limit(struct box *box, const struct scan *record)
{
	const size_t len = strlen(box->limits);
	struct scan name;
	struct render r;

	if (!scan_get(record, "limit", &name) || len + 32 > sizeof(box->limits))
		return;
	render_init(&r, box->limits + len, sizeof(box->limits) - len);
	render_text(&r, len ? ", " : "");
	render_string(&r, &name, 24);
}

static void note_usage(struct box *box, const struct scan *record)
{
	struct scan usage;
	uint64_t cpu, memory;
	size_t n;

	if (!scan_get(record, "usage", &usage) || scan_get_u64(&usage, "cpu_usec", &cpu) < 0)
		return;
	n = (size_t)snprintf(box->used, sizeof(box->used), "cpu %" PRIu64 ".%03u s", cpu / 1000000,
			     (unsigned)(cpu / 1000 % 1000));
	if (scan_get_u64(&usage, "memory_peak", &memory) == 0 ||
	    scan_get_u64(&usage, "max_rss", &memory) == 0)
		(void)snprintf(box->used + n, sizeof(box->used) - n, ", memory %" PRIu64 " KiB",
			       memory / 1024);
}

static void note_close(struct box *box, const struct scan *record)
{
	struct scan how;
	struct render r;

	(void)scan_get_u64(record, "denials", &box->denials);
	note_usage(box, record);
	if (!scan_get(record, "exit", &how))
		return;
	render_init(&r, box->outcome, sizeof(box->outcome));
	render_exit(&r, record);
}

/* --- rows ---------------------------------------------------------------------------------- */

static const char counted[] = "(counted)";

static void describe(const struct scan *record, bool summary, char *col[N_COLS],
		     char text[N_COLS][KEY_MAX / 4])
{
	struct render r;

	for (int c = 0; c < N_COLS; c++)
		col[c] = text[c];
	render_init(&r, text[COL_CALL], KEY_MAX / 4);
	render_call_name(&r, record);
	render_init(&r, text[COL_WHAT], KEY_MAX / 4);
	if (!render_args(&r, record) && summary)
		render_text(&r, counted);
	render_init(&r, text[COL_ANSWER], KEY_MAX / 4);
	render_answer(&r, record);
	render_init(&r, text[COL_RULE], KEY_MAX / 4);
	render_rule(&r, record);
}

static struct row **find_row(struct audit_table *t, const char *key)
{
	uint32_t h = 2166136261U; /* FNV-1a */
	struct row **p;

	for (const char *k = key; *k; k++)
		h = (h ^ (unsigned char)*k) * 16777619U;
	for (p = &t->bucket[h % N_BUCKETS]; *p && strcmp((*p)->key, key) != 0; p = &(*p)->next)
		;
	return p;
}

static int add_row(struct audit_table *t, struct row **place, const char *key, size_t box,
		   char *const col[N_COLS])
{
	size_t len = strlen(key) + 1;
	struct row *row;

	if (t->n_rows == MAX_ROWS)
		return 0;
	if (grow((void **)&t->row, t->n_rows, &t->cap_rows, sizeof(t->row[0])) < 0)
		return -ENOMEM;
	row = calloc(1, sizeof(*row) + len);
	if (!row)
		return -ENOMEM;
	memcpy(row->key, key, len);
	row->box = box;
	row->order = t->n_rows;
	t->row[t->n_rows++] = row;
	*place = row;
	for (int c = 0; c < N_COLS; c++) {
		row->col[c] = strdup(col[c]);
		if (!row->col[c])
			return -ENOMEM;
	}
	return 0;
}

static int add_refusal(struct audit_table *t, const struct scan *record, bool summary, size_t box)
{
	char text[N_COLS][KEY_MAX / 4], key[KEY_MAX + 64], *col[N_COLS];
	uint64_t count = 1;
	struct row **row;
	int r = 0;

	(void)scan_get_u64(record, "count", &count);
	describe(record, summary, col, text);
	(void)snprintf(key, sizeof(key), "%zu\n%s\n%s\n%s\n%s", t->by_sandbox ? box : 0,
		       col[COL_CALL], t->by_sandbox ? col[COL_WHAT] : "", col[COL_ANSWER],
		       col[COL_RULE]);
	row = find_row(t, key);
	if (!*row)
		r = add_row(t, row, key, box, col);
	if (r < 0)
		return r;
	if (!*row) {
		t->beyond += count;
		return 0;
	}
	/* A count says nothing of arguments: it neither is the example nor differs from it. */
	if (!summary && strcmp((*row)->col[COL_WHAT], col[COL_WHAT]) != 0)
		(*row)->varies = true;
	(*row)->count += count;
	return 0;
}

int audit_table_add(struct audit_table *t, const struct scan *record, const struct scan *type)
{
	ssize_t box;
	uint64_t n;

	if (scan_is(type, "repair"))
		return 0;
	box = find_box(t, record, scan_is(type, "open"));
	if (box < 0)
		return (int)box;
	if (scan_is(type, "denial") || scan_is(type, "summary"))
		return add_refusal(t, record, scan_is(type, "summary"), (size_t)box);
	if (box == MAX_BOXES)
		return 0;
	if (scan_is(type, "open"))
		note_open(&t->box[box], record);
	else if (scan_is(type, "close"))
		note_close(&t->box[box], record);
	else if (scan_is(type, "limit"))
		note_limit(&t->box[box], record);
	else if (scan_is(type, "lost") && scan_get_u64(record, "denials", &n) == 0)
		t->box[box].lost += n;
	return 0;
}

/* --- printing ------------------------------------------------------------------------------ */

static int by_count(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->box != y->box)
		return x->box < y->box ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Characters, which is columns for all but wide scripts. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_cell(const char *text, size_t columns)
{
	size_t w = width(text);

	(void)printf("%s%*s  ", text, w < columns ? (int)(columns - w) : 0, "");
}

static void print_rows(struct row *const *row, size_t n, uint64_t limit)
{
	static const char *const head[N_COLS] = { "CALL", "WHAT", "ANSWER", "RULE" };
	static const size_t most[N_COLS] = { 24, 60, 12, 40 };
	size_t shown = limit > 0 && limit < n ? (size_t)limit : n, cols[N_COLS];
	uint64_t rest = 0;

	for (int c = 0; c < N_COLS; c++) {
		cols[c] = strlen(head[c]);
		for (size_t i = 0; i < shown; i++) {
			size_t w =
				width(row[i]->col[c]) + (c == COL_WHAT && row[i]->varies ? 5 : 0);

			if (w > cols[c])
				cols[c] = w < most[c] ? w : most[c];
		}
	}
	(void)printf("  %8s  ", "COUNT");
	for (int c = 0; c < N_COLS - 1; c++)
		print_cell(head[c], cols[c]);
	(void)printf("%s\n", head[COL_RULE]);
	for (size_t i = 0; i < shown; i++) {
		char what[KEY_MAX / 4 + 8];

		(void)snprintf(what, sizeof(what), "%s%s", row[i]->col[COL_WHAT],
			       row[i]->varies ? " ..." : "");
		(void)printf("  %8" PRIu64 "  ", row[i]->count);
		print_cell(row[i]->col[COL_CALL], cols[COL_CALL]);
		print_cell(what, cols[COL_WHAT]);
		print_cell(row[i]->col[COL_ANSWER], cols[COL_ANSWER]);
		(void)printf("%s\n", row[i]->col[COL_RULE]);
	}
	for (size_t i = shown; i < n; i++)
		rest += row[i]->count;
	if (rest > 0)
		(void)printf("  %8" PRIu64 "  in %zu more rows\n", rest, n - shown);
}

static void print_box(const struct box *box)
{
	(void)printf("%s  sandbox %s  policy %s  %s\n", box->time, box->id,
		     box->policy[0] ? box->policy : "?", box->command);
	(void)printf("  %s", box->outcome);
	if (box->denials > 0)
		(void)printf("; %" PRIu64 " calls denied", box->denials);
	if (box->used[0])
		(void)printf("; %s", box->used);
	if (box->limits[0])
		(void)printf("; limits hit: %s", box->limits);
	if (box->blind)
		(void)printf("; blind: its denials were not seen");
	if (box->lost > 0)
		(void)printf("; %" PRIu64 " denials lost", box->lost);
	(void)printf("\n");
}

void audit_table_print(struct audit_table *t, uint64_t n)
{
	uint64_t total = 0, lost = 0;
	size_t from = 0;

	if (!t->by_sandbox) {
		for (size_t i = 0; i < t->n_rows; i++) {
			t->row[i]->box = 0;
			total += t->row[i]->count;
		}
		for (size_t i = 0; i < t->n_boxes; i++)
			lost += t->box[i].lost;
	}
	if (t->n_rows > 0)
		qsort(t->row, t->n_rows, sizeof(t->row[0]), by_count);
	if (!t->by_sandbox) {
		(void)printf("calls refused: %" PRIu64 " in %zu sandbox%s\n",
			     total + t->beyond + lost, t->n_boxes, t->n_boxes == 1 ? "" : "es");
		if (t->n_rows > 0)
			print_rows(t->row, t->n_rows, n);
		if (lost > 0)
			(void)printf("  %8" PRIu64 "  whose records were lost\n", lost);
	}
	for (size_t b = 0; t->by_sandbox && b < t->n_boxes; b++) {
		size_t to = from;

		while (to < t->n_rows && t->row[to]->box == b)
			to++;
		print_box(&t->box[b]);
		if (to > from)
			print_rows(t->row + from, to - from, n);
		else
			(void)printf("  nothing was refused\n");
		from = to;
	}
	if (t->beyond > 0)
		(void)printf("  %8" PRIu64 "  more, of too many kinds to be shown\n", t->beyond);
}
