// SPDX-License-Identifier: Apache-2.0
#include "audit/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/lines.h"
#include "audit/rotate.h"
#include "audit/scan.h"
#include "audit/verify_seal.h"

enum { OPEN_MAX = 4096, LOOK_AHEAD = 1000 };

/* A sandbox whose closing record has not come yet. */
struct running {
	char id[17];
	bool opened;
	uint64_t denials;
};

struct verifier {
	struct lines lines;
	const struct chain_point *head;
	struct verify_result *out;
	struct chain_point at;
	uint64_t line;
	bool head_met;
	uint64_t number;	       /* of the file that is read */
	uint64_t before, before_lines; /* the file read before, and its length */
	bool head_here;		       /* the head speaks of this file */
	uint64_t begin; /* the first record there is, when it is not the first of all */
	uint64_t begin_file, begin_offset;
	/* Lines that are no records: excused when a repair record follows that names their length.
	 */
	bool bad;
	uint64_t bad_line, bad_offset, bad_len;
	struct running *running;
	size_t n_running;
	char *buf;
	struct verify_seal seal;
};

const char *verify_kind_text(enum verify_kind kind)
{
	static const char *const texts[] = {
		[VERIFY_WHOLE] = "whole",
		[VERIFY_DAMAGED] = "damaged line",
		[VERIFY_ALTERED] = "altered record",
		[VERIFY_DROPPED] = "missing records",
		[VERIFY_SWAPPED] = "records out of order",
		[VERIFY_TRUNCATED] = "truncated log",
		[VERIFY_TORN] = "torn last line",
		[VERIFY_TOTALS] = "totals differ",
		[VERIFY_HEAD] = "head does not fit",
		[VERIFY_SEAL] = "broken seal",
		[VERIFY_FILE] = "wrong or missing file",
	};

	return texts[kind];
}

/* Remember the first break; returns 1, which ends the walk. */
__attribute__((format(printf, 5, 6))) static int broken(struct verifier *v, enum verify_kind kind,
							uint64_t line, uint64_t offset,
							const char *fmt, ...)
{
	struct verify_result *out = v->out;
	va_list ap;

	out->kind = kind;
	out->file = v->number;
	out->line = line;
	out->offset = offset;
	va_start(ap, fmt);
	(void)vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	return 1;
}

/* --- totals -------------------------------------------------------------------------------- */

static struct running *find(struct verifier *v, const char *id)
{
	for (size_t i = v->n_running; i > 0; i--) {
		struct running *last = &v->running[v->n_running - 1], *hit = &v->running[i - 1];

		if (memcmp(hit->id, id, sizeof(hit->id)) == 0) {
			struct running copy = *hit;

			*hit = *last; /* those that write now are found first */
			*last = copy;
			return last;
		}
	}
	return NULL;
}

static struct running *enter(struct verifier *v, const char *id, bool opened)
{
	struct running *slot;

	if (v->n_running == OPEN_MAX) {
		v->out->unclosed++;
		v->out->totals_partial = true;
		memmove(v->running, v->running + 1, (OPEN_MAX - 1) * sizeof(v->running[0]));
		v->n_running--;
	}
	slot = &v->running[v->n_running++];
	*slot = (struct running){ .opened = opened };
	memcpy(slot->id, id, sizeof(slot->id));
	v->out->sandboxes++;
	v->out->unopened += !opened;
	return slot;
}

static int leave(struct verifier *v, struct running *r, const struct scan *root,
		 const struct line *line)
{
	uint64_t total, have = r->denials;
	bool judge = r->opened;
	char id[17];

	memcpy(id, r->id, sizeof(id));
	*r = v->running[--v->n_running];
	if (!judge)
		return 0;
	if (scan_get_u64(root, "denials", &total) < 0)
		return broken(v, VERIFY_TOTALS, v->line, line->offset,
			      "sandbox %s closes without a total", id);
	if (total != have)
		return broken(v, VERIFY_TOTALS, v->line, line->offset,
			      "sandbox %s closes with %" PRIu64
			      " denials, its records add up to %" PRIu64,
			      id, total, have);
	return 0;
}

static int check_seal(struct verifier *v, const struct scan *root, const struct line *line)
{
	char id[SEAL_ID + 1];
	const char *why;

	(void)scan_get_string(root, "id", id, sizeof(id));
	if (v->seal.key && strcmp(id, v->seal.key->id) != 0) {
		v->out->other_seals++;
		if (!v->seal.any)
			return 0;
		return broken(v, VERIFY_SEAL, v->line, line->offset,
			      "record %" PRIu64 " is sealed with another key, %s", v->out->seq, id);
	}
	if (v->seal.key) {
		why = verify_seal_record(&v->seal, line, root, v->out->seq, v->begin > 0);
		if (why)
			return broken(v, VERIFY_SEAL, v->line, line->offset,
				      "seal in record %" PRIu64 ": %s", v->out->seq, why);
	}
	v->out->seals++;
	(void)scan_get_u64(root, "epoch", &v->out->epoch);
	v->out->sealed = v->out->seq - 1;
	return 0;
}

static int account(struct verifier *v, const struct scan *root, const struct scan *type,
		   const struct line *line)
{
	uint64_t count = 0;
	struct scan sealed;
	struct running *r;
	char id[17] = "";

	/* Records of the log itself: the sandbox they name is the writer's. */
	if (scan_is(type, "repair")) {
		v->out->repairs++;
		return 0;
	}
	if (scan_is(type, "retain")) {
		if (scan_get_u64(root, "through", &count) == 0 && count > v->out->removed)
			v->out->removed = count;
		return 0;
	}
	if (scan_is(type, "rotate"))
		return 0;
	if (scan_is(type, "seal"))
		return check_seal(v, root, line);
	if (scan_is(type, "unsealed")) {
		v->out->unsealed++;
		return 0;
	}
	(void)scan_get_string(root, "sandbox", id, sizeof(id));
	if (scan_is(type, "open") && v->out->seals > 0 && scan_get(root, "sealed", &sealed) &&
	    sealed.kind == SCAN_NULL)
		v->out->unsealed++;
	r = find(v, id);
	if (!r || scan_is(type, "open"))
		r = enter(v, id, scan_is(type, "open"));
	if (scan_is(type, "close"))
		return leave(v, r, root, line);
	if (scan_is(type, "denial") || scan_is(type, "summary"))
		(void)scan_get_u64(root, "count", &count);
	else if (scan_is(type, "lost") && scan_get_u64(root, "denials", &count) == 0)
		v->out->lost += count;
	/* Wraps only in a log that cordon did not write; the comparison at the end still holds. */
	r->denials += count;
	v->out->denials += count;
	return 0;
}

/* --- the chain ----------------------------------------------------------------------------- */

/* Records are missing here, unless they come later. */
static int judge_gap(struct verifier *v, uint64_t seq, uint64_t offset)
{
	uint64_t wanted = v->at.seq + 1, at_line = v->line, other;
	struct hash prev;
	struct line line;

	for (int i = 0; i < LOOK_AHEAD && lines_next(&v->lines, &line) > 0; i++) {
		if (!line.overlong && chain_parse_prefix(line.p, line.len, &other, &prev) == 0 &&
		    other == wanted)
			return broken(v, VERIFY_SWAPPED, at_line, offset,
				      "record %" PRIu64 " stands where %" PRIu64 " belongs", seq,
				      wanted);
	}
	return broken(v, VERIFY_DROPPED, at_line, offset,
		      "%" PRIu64 " records are missing before record %" PRIu64, seq - wanted, seq);
}

/* cut: what the record says was cut off before it. */
static int check_link(struct verifier *v, uint64_t seq, const struct hash *prev, uint64_t cut,
		      uint64_t offset)
{
	bool linked = memcmp(prev, &v->at.hash, sizeof(*prev)) == 0;

	v->out->seq = seq;
	if (seq == v->at.seq + 1 && linked)
		return 0;
	if (v->bad)
		return 0; /* the line before is the break */
	if (v->out->records == 0 && !linked && seq > 1) {
		/* Older files may have been removed: a later record must tell of it. */
		v->begin = seq;
		v->begin_file = v->number;
		v->begin_offset = offset;
		return 0;
	}
	if (linked && v->at.seq == 0)
		return broken(v, VERIFY_DROPPED, v->line, offset,
			      "the log begins with record %" PRIu64, seq);
	if (linked && cut > 0)
		return broken(v, VERIFY_TRUNCATED, v->line, offset,
			      "a writer found that %" PRIu64 " records had been cut off", cut);
	if (linked)
		return broken(v, VERIFY_ALTERED, v->line, offset,
			      "record %" PRIu64 " says that it is %" PRIu64, v->at.seq + 1, seq);
	if (seq == v->at.seq + 1) {
		uint64_t changed = v->line - 1;

		if (changed == 0) { /* the last one of the file before */
			v->number = v->before;
			changed = v->before_lines;
		}
		return broken(v, VERIFY_ALTERED, changed > 0 ? changed : 1, offset,
			      "record %" PRIu64 ", or what record %" PRIu64
			      " says about it, was changed",
			      v->at.seq, seq);
	}
	if (seq > v->at.seq + 1)
		return judge_gap(v, seq, offset);
	return broken(v, VERIFY_SWAPPED, v->line, offset,
		      "record %" PRIu64 " follows record %" PRIu64, seq, v->at.seq);
}

/* What follows lines that are no records: it must be the repair that explains them. */
static int excuse(struct verifier *v, const struct scan *root, const struct scan *type)
{
	uint64_t torn;

	if (root && scan_is(type, "repair") && scan_get_u64(root, "torn", &torn) == 0 &&
	    torn == v->bad_len) {
		v->bad = false;
		return 0;
	}
	return broken(v, VERIFY_DAMAGED, v->bad_line, v->bad_offset,
		      "the line is no record that cordon wrote");
}

static int meet_head(struct verifier *v, uint64_t offset)
{
	v->head_met = true;
	if (offset == 0 && v->head->offset == 0 && v->at.seq < v->head->seq)
		return broken(v, VERIFY_FILE, 1, 0,
			      "the file that ends with record %" PRIu64 " is missing",
			      v->head->seq);
	if (v->at.seq == v->head->seq && memcmp(&v->at.hash, &v->head->hash, HASH_BYTES) == 0)
		return 0;
	if (v->at.seq == v->head->seq)
		return broken(v, VERIFY_ALTERED, v->line, offset,
			      "record %" PRIu64 " is not the one that the head names", v->at.seq);
	return broken(v, VERIFY_HEAD, v->line, offset,
		      "the head names record %" PRIu64 " where the log has %" PRIu64, v->head->seq,
		      v->at.seq);
}

static int check_record(struct verifier *v, const struct line *line)
{
	struct scan root, type;
	struct hash prev;
	uint64_t seq, cut = 0;
	int r;

	if (line->overlong || chain_parse_prefix(line->p, line->len, &seq, &prev) < 0 ||
	    scan_text(line->p, line->len, &root) < 0 || !scan_get(&root, "type", &type) ||
	    type.kind != SCAN_STRING) {
		if (!v->bad) {
			v->bad = true;
			v->bad_line = v->line;
			v->bad_offset = line->offset;
			v->bad_len = 0;
		}
		v->bad_len += line->len;
		return 0;
	}
	if (scan_is(&type, "repair"))
		(void)scan_get_u64(&root, "cut", &cut);
	r = check_link(v, seq, &prev, cut, line->offset);
	if (r == 0 && v->bad) {
		bool linked = seq == v->at.seq + 1 && memcmp(&prev, &v->at.hash, sizeof(prev)) == 0;

		r = excuse(v, linked ? &root : NULL, &type);
	}
	if (r == 0 && cut > 0)
		r = broken(v, VERIFY_TRUNCATED, v->line, line->offset,
			   "a writer found that %" PRIu64 " records had been cut off", cut);
	if (r == 0)
		r = account(v, &root, &type, line);
	v->at.seq = seq;
	v->out->records++;
	return r;
}

static int check_line(struct verifier *v, const struct line *line)
{
	int r;

	v->line++;
	if (line->torn)
		return v->bad ? excuse(v, NULL, NULL)
			      : broken(v,
				       v->number > 0 || (v->head && !v->head_met) ? VERIFY_TRUNCATED
										  : VERIFY_TORN,
				       v->line, line->offset,
				       "the last line ends after %zu bytes, without a newline",
				       line->len);
	r = check_record(v, line);
	if (line->overlong)
		memset(&v->at.hash, 0, sizeof(v->at.hash));
	else
		hash_bytes(line->p, line->len, &v->at.hash);
	v->at.offset = line->offset + line->len + 1;
	if (r == 0 && v->head && !v->bad) {
		if (v->head_here && v->at.offset == v->head->offset)
			r = meet_head(v, line->offset);
		else if (v->head_met)
			v->out->behind++;
	}
	return r;
}

static int check_end(struct verifier *v)
{
	if (v->bad)
		return excuse(v, NULL, NULL);
	if (!v->head || v->head_met)
		return 0;
	if (v->head->offset == 0 && v->at.seq == v->head->seq &&
	    memcmp(&v->at.hash, &v->head->hash, HASH_BYTES) == 0)
		return 0; /* all but the rename */
	if (v->at.offset < v->head->offset || (v->head->offset == 0 && v->at.seq < v->head->seq))
		return broken(v, VERIFY_TRUNCATED, v->line, v->at.offset,
			      "the log ends at record %" PRIu64 ", the head knows %" PRIu64,
			      v->at.seq, v->head->seq);
	return broken(v, VERIFY_HEAD, v->line, v->at.offset,
		      "no line ends where the head says, at byte %" PRIu64, v->head->offset);
}

static int begin(struct verifier *v, const struct chain_point *head, struct verify_result *out,
		 struct err *err)
{
	*v = (struct verifier){ .head = head, .out = out };
	*out = (struct verify_result){ .head_missing = !head };
	v->running = calloc(OPEN_MAX, sizeof(v->running[0]));
	v->buf = malloc(LINES_BUFFER);
	return v->buf && v->running ? 0 : err_set(err, -ENOMEM, "verify the audit log");
}

static void done(struct verifier *v)
{
	explicit_bzero(&v->seal, sizeof(v->seal));
	free(v->running);
	free(v->buf);
}

/* The head knows a rotation whose rename a power failure undid: the file is the one that had been
 * closed, and not what came behind it. */
static bool was_closed(const struct verifier *v, int fd)
{
	const uint64_t seq = rotate_first(fd);

	return seq > 0 && seq <= v->head->seq;
}

/* One file: 1 behind the first break, 0 at its end, or -errno. */
static int walk(struct verifier *v, int fd, uint64_t size)
{
	struct line line;
	int r;

	v->before_lines = v->line;
	v->line = 0;
	v->out->files++;
	v->at.offset = 0;
	if (v->head_here && v->head->offset == 0 && !was_closed(v, fd) && meet_head(v, 0) != 0)
		return 1;
	lines_begin(&v->lines, fd, 0, size, v->buf);
	while ((r = lines_next(&v->lines, &line)) > 0) {
		if (check_line(v, &line) != 0)
			return 1;
	}
	return r;
}

/* The end of a rotated file: its name says which record is its last. */
static int check_rotated(struct verifier *v)
{
	if (v->bad)
		return excuse(v, NULL, NULL);
	if (v->at.seq < v->number)
		return broken(v, VERIFY_TRUNCATED, v->line, v->at.offset,
			      "the file ends at record %" PRIu64 ", its name says %" PRIu64,
			      v->at.seq, v->number);
	if (v->at.seq > v->number)
		return broken(v, VERIFY_FILE, v->line, v->at.offset,
			      "the file goes on to record %" PRIu64 ", its name says %" PRIu64,
			      v->at.seq, v->number);
	return 0;
}

/* What only the whole log can answer. */
static int check_begin(struct verifier *v)
{
	if (v->begin == 0 || v->begin - 1 <= v->out->removed)
		return 0;
	v->number = v->begin_file;
	return broken(v, VERIFY_DROPPED, 1, v->begin_offset,
		      "the log begins with record %" PRIu64
		      ", and no record tells that the ones before were removed",
		      v->begin);
}

int verify_log(int fd, uint64_t size, const struct chain_point *head, struct verify_result *ret,
	       struct err *err)
{
	struct verifier v;
	int r = begin(&v, head, ret, err);

	if (r == 0) {
		v.head_here = head;
		r = walk(&v, fd, size);
		if (r == 0 && check_begin(&v) == 0)
			(void)check_end(&v);
		ret->unclosed += v.n_running;
		if (r < 0)
			err_set(err, r, "read the audit log");
	}
	done(&v);
	return r < 0 ? r : 0;
}

/* Which file the head speaks of: NAME, or the one it has become when its writer died between the
 * rename and the head. */
static uint64_t head_file(const struct log_set *set)
{
	const struct log_file *live = &set->file[set->n - 1];

	if (set->point.offset == 0 || live->size > 0)
		return 0;
	for (size_t i = 0; i + 1 < set->n; i++) {
		if (set->file[i].number > set->point.seq)
			return set->file[i].number;
	}
	return 0;
}

static int check_state(struct verifier *v, const struct log_set *set)
{
	const char *why = v->seal.key ? verify_seal_state(&v->seal, set) : NULL;

	return why ? broken(v, VERIFY_SEAL, v->line, v->at.offset, "%s", why) : 0;
}

static int verify_set(struct verifier *v, const struct log_set *set)
{
	uint64_t here = head_file(set);

	for (size_t i = 0; i < set->n; i++) {
		const struct log_file *file = &set->file[i];
		int r;

		v->before = v->number;
		v->number = file->number;
		v->head_here = v->head && file->number == here;
		r = walk(v, file->fd, file->fd < 0 ? 0 : file->size);
		if (r == 0 && file->number > 0)
			r = check_rotated(v);
		if (r != 0)
			return r;
	}
	return check_begin(v) || check_end(v) || check_state(v, set);
}

int verify_sealed(const char *path, const struct seal_key *key, struct verify_result *ret,
		  struct err *err)
{
	__attribute__((cleanup(log_set_closep))) struct log_set *set = NULL;
	struct verifier v;
	int r = log_set_open(path, &set, err);

	if (r < 0)
		return r;
	r = begin(&v, set->head > 0 ? &set->point : NULL, ret, err);
	v.seal.key = key;
	if (r == 0) {
		r = verify_set(&v, set);
		ret->unclosed += v.n_running;
		if (r < 0)
			err_set(err, r, "read the audit log '%s'", path);
		/* A damaged head hides nothing of what the log itself proves. */
		if (set->head < 0 && ret->kind == VERIFY_WHOLE) {
			ret->kind = VERIFY_HEAD;
			(void)snprintf(ret->text, sizeof(ret->text),
				       "the file '%.200s.head' is damaged", path);
		}
	}
	done(&v);
	return r < 0 ? r : 0;
}

int verify_path(const char *path, struct verify_result *ret, struct err *err)
{
	return verify_sealed(path, NULL, ret, err);
}
