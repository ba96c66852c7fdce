// SPDX-License-Identifier: Apache-2.0
#include "audit/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/lines.h"
#include "audit/scan.h"
#include "base/fd.h"

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
	/* Lines that are no records: excused when a repair record follows that names their length.
	 */
	bool bad;
	uint64_t bad_line, bad_offset, bad_len;
	struct running *running;
	size_t n_running;
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

static int account(struct verifier *v, const struct scan *root, const struct scan *type,
		   const struct line *line)
{
	uint64_t count = 0;
	struct running *r;
	char id[17] = "";

	if (scan_is(type, "repair")) {
		v->out->repairs++;
		return 0;
	}
	(void)scan_get_string(root, "sandbox", id, sizeof(id));
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

static int check_link(struct verifier *v, uint64_t seq, const struct hash *prev, uint64_t offset)
{
	bool linked = memcmp(prev, &v->at.hash, sizeof(*prev)) == 0;

	v->out->seq = seq;
	if (seq == v->at.seq + 1 && linked)
		return 0;
	if (v->bad)
		return 0; /* the line before is the break */
	if (linked && v->at.seq == 0)
		return broken(v, VERIFY_DROPPED, v->line, offset,
			      "the log begins with record %" PRIu64, seq);
	if (linked)
		return broken(v, VERIFY_ALTERED, v->line, offset,
			      "record %" PRIu64 " says that it is %" PRIu64, v->at.seq + 1, seq);
	if (seq == v->at.seq + 1)
		return broken(v, VERIFY_ALTERED, v->line > 1 ? v->line - 1 : 1, offset,
			      "record %" PRIu64 ", or what record %" PRIu64
			      " says about it, was changed",
			      v->at.seq, seq);
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
	uint64_t seq, cut;
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
	r = check_link(v, seq, &prev, line->offset);
	if (r == 0 && v->bad) {
		bool linked = seq == v->at.seq + 1 && memcmp(&prev, &v->at.hash, sizeof(prev)) == 0;

		r = excuse(v, linked ? &root : NULL, &type);
	}
	if (r == 0 && scan_is(&type, "repair") && scan_get_u64(&root, "cut", &cut) == 0 && cut > 0)
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
			      : broken(v, v->head && !v->head_met ? VERIFY_TRUNCATED : VERIFY_TORN,
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
		if (v->at.offset == v->head->offset)
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
	if (v->at.offset < v->head->offset)
		return broken(v, VERIFY_TRUNCATED, v->line, v->at.offset,
			      "the log ends at record %" PRIu64 ", the head knows %" PRIu64,
			      v->at.seq, v->head->seq);
	return broken(v, VERIFY_HEAD, v->line, v->at.offset,
		      "no line ends where the head says, at byte %" PRIu64, v->head->offset);
}

int verify_log(int fd, uint64_t size, const struct chain_point *head, struct verify_result *ret,
	       struct err *err)
{
	struct verifier v = { .head = head, .out = ret };
	_cleanup_free_ void *running = NULL;
	_cleanup_free_ char *buf = NULL;
	struct line line;
	int r;

	*ret = (struct verify_result){ .head_missing = !head };
	v.head_met = head && head->offset == 0 && head->seq == 0;
	v.running = running = calloc(OPEN_MAX, sizeof(v.running[0]));
	buf = malloc(LINES_BUFFER);
	if (!buf || !running)
		return err_set(err, -ENOMEM, "verify the audit log");
	lines_begin(&v.lines, fd, 0, size, buf);
	while ((r = lines_next(&v.lines, &line)) > 0) {
		if (check_line(&v, &line) != 0)
			break;
	}
	if (r == 0)
		(void)check_end(&v);
	ret->unclosed += v.n_running;
	return r < 0 ? err_set(err, r, "read the audit log") : 0;
}

/* The head and the log's length at one moment: 1, 0 when there is no head, or -errno. */
static int read_head(const char *path, int log, uint64_t *ret_size, struct chain_point *ret,
		     struct err *err)
{
	char name[LIMIT_PATH + 8], text[CHAIN_HEAD_TEXT + 1];
	struct timespec nap = { .tv_nsec = 1000000 };
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t n = 0;

	(void)snprintf(name, sizeof(name), "%s.head", path);
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_set(err, -errno, "open the head '%s' of the audit log", name);
	/* A writer holds the lock for some microseconds; one that was stopped is not waited for. */
	for (int i = 0; fd >= 0 && i < 2000 && flock(fd, LOCK_SH | LOCK_NB) < 0; i++)
		(void)nanosleep(&nap, NULL);
	if (fd >= 0)
		n = pread(fd, text, sizeof(text), 0);
	if (n < 0 || fstat(log, &st) < 0)
		return err_set(err, -errno, "read the head '%s' of the audit log", name);
	*ret_size = (uint64_t)st.st_size;
	/* None, or one that its first writer made and did not live to fill: who wants to hide that
	 * the log is shorter now could as well have removed it, and both are told. */
	if (n == 0)
		return 0;
	if (chain_parse_head(text, (size_t)n, ret) < 0)
		return -EINVAL;
	return 1;
}

int verify_path(const char *path, struct verify_result *ret, struct err *err)
{
	_cleanup_close_ int log = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct err dummy = ERR_INIT;
	struct chain_point head;
	struct stat st;
	uint64_t size;
	int r;

	if (!err)
		err = &dummy;
	err->code = 0;
	if (log < 0 || fstat(log, &st) < 0)
		return err_set(err, -errno, "open the audit log '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "read '%s' as an audit log: it is no regular file",
			       path);
	r = read_head(path, log, &size, &head, err);
	if (r < 0 && err->code != 0)
		return r;
	if (r < 0) {
		*ret = (struct verify_result){ .kind = VERIFY_HEAD };
		(void)snprintf(ret->text, sizeof(ret->text), "the file '%.200s.head' is damaged",
			       path);
		return 0;
	}
	return verify_log(log, size, r > 0 ? &head : NULL, ret, err);
}
