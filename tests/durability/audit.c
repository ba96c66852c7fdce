// SPDX-License-Identifier: Apache-2.0
/*
 * An audit log behind a power failure.
 *
 * - verify says whole, or names a break. Where it says whole, the log's records are the first ones
 * that were written, without a gap, whatever else is not there any more.
 * - Of a sealed log, all records up to the last seal whose key was replaced are there, and their
 * seals are good; and no key is there of an epoch before the one that the newest seal ends.
 * - The next writer goes on behind it. A whole log stays whole. One that ended with a torn or
 * damaged line, or lacked its head, becomes whole with a repair record that says so, if the head
 * knew of nothing that is not there; each other break stays told. The writer after that one finds
 * nothing to repair.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/lines.h"
#include "audit/verify.h"
#include "base/fd.h"
#include "tests/durability/crash.h"

enum { MAX_SEQ = 1 << 16, KINDS = VERIFY_FILE + 1 };

/* Nothing here has to survive a power failure. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

struct judge {
	const struct disk *disk;
	const struct options *o;
	struct seal_key key;
	struct hash *expected;	       /* of record N, as it was written */
	uint64_t promise[MAX_OPS + 1]; /* the newest seal that holds, behind so many operations */
	uint64_t epoch[MAX_OPS + 1];   /* that the newest seal ends, counted from 1; 0: no seal */
	char log[600];
	char block[CHAIN_BLOCK];
	size_t states, before[KINDS], after[KINDS], healed, repaired, by_cordon, empty;
};

/* --- what was written ---------------------------------------------------------------------- */

static void expect_lines(struct judge *j, const struct content *c)
{
	for (const char *p = c->p, *end = c->p + c->len, *nl; p < end; p = nl + 1) {
		struct hash prev;
		uint64_t seq;

		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return;
		if (chain_parse_prefix(p, (size_t)(nl - p), &seq, &prev) == 0 && seq < MAX_SEQ)
			hash_bytes(p, (size_t)(nl - p), &j->expected[seq]);
	}
}

/* A new key speaks of the seal that it was made behind. */
static void expect_promises(struct judge *j)
{
	const int base = disk_find(&j->disk->base, "audit.jsonl.seal");
	struct seal_state was;
	static const char seal[] = "\"type\":\"seal\"", epoch[] = "\"epoch\":";

	if (base >= 0) {
		const struct content *c = &j->disk->inode[j->disk->base.of[base].inode].base;

		if (seal_parse_state(c->p, c->len, &was) == 0 && was.epoch > 0) {
			j->promise[0] = was.first;
			j->epoch[0] = was.epoch;
		}
	}
	for (size_t i = 0; i < j->disk->n_ops; i++) {
		const struct op *op = &j->disk->op[i];
		struct seal_state state;

		j->promise[i + 1] = j->promise[i];
		j->epoch[i + 1] = j->epoch[i];
		if (op->kind != OP_WRITE)
			continue;
		if (seal_parse_state(op->data, op->len, &state) == 0 && state.epoch > 0)
			j->promise[i + 1] = state.first;
		for (const char *p = op->data; p && (p = memmem(p, op->len - (size_t)(p - op->data),
								seal, sizeof(seal) - 1));) {
			p = memmem(p, op->len - (size_t)(p - op->data), epoch, sizeof(epoch) - 1);
			if (p)
				j->epoch[i + 1] = strtoull(p + sizeof(epoch) - 1, NULL, 10) + 1;
		}
	}
}

static uint64_t mark(void *ctx, size_t n_ops)
{
	const struct judge *j = ctx;

	return n_ops > j->disk->n_ops ? j->promise[j->disk->n_ops] : j->promise[n_ops];
}

/* --- what is there ------------------------------------------------------------------------- */

static bool is_log(const char *name)
{
	return !strcmp(name, "audit.jsonl") ||
	       (!strncmp(name, "audit.jsonl.0", 13) && strlen(name) == 32);
}

/* The records in the order of their files: how many of the first ones there are, from the one
 * that *ret_first is set to. */
static uint64_t count_records(const struct judge *j, const struct state *s, uint64_t *ret_first)
{
	uint64_t at = 0;

	*ret_first = 0;
	for (int live = 0; live < 2; live++) {
		for (size_t i = 0; i < s->n; i++) {
			const struct content *c = s->content[i];
			const char *end = c->p + c->len, *nl;
			const int is_live = !strcmp(s->name[i], "audit.jsonl");

			if (!is_log(s->name[i]) || is_live != live)
				continue;
			for (const char *p = c->p; p < end; p = nl + 1) {
				struct hash prev, hash;
				uint64_t seq;

				nl = memchr(p, '\n', (size_t)(end - p));
				if (!nl || chain_parse_prefix(p, (size_t)(nl - p), &seq, &prev) < 0)
					return at;
				hash_bytes(p, (size_t)(nl - p), &hash);
				if (seq >= MAX_SEQ || (at > 0 && seq != at + 1) ||
				    memcmp(&hash, &j->expected[seq], sizeof(hash)) != 0)
					return at;
				if (at == 0)
					*ret_first = seq;
				at = seq;
			}
		}
	}
	return at;
}

static const struct content *file(const struct state *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->name[i], name))
			return s->content[i];
	return NULL;
}

/* The key is had by nobody before the first seal is whole. */
static bool has_key(const struct judge *j, const struct state *s)
{
	return j->o->seal_key && j->promise[s->n_ops] > 0;
}

static bool verify(const struct judge *j, const struct state *s, struct verify_result *ret)
{
	struct err err = ERR_INIT;

	return verify_sealed(j->log, has_key(j, s) ? &j->key : NULL, ret, &err) == 0;
}

/* Up to which record a record tells that they were removed, wherever verify stops before it. */
static uint64_t told_removed(const struct state *s)
{
	static const char retain[] = "\"type\":\"retain\"", through[] = "\"through\":";
	uint64_t most = 0;

	for (size_t i = 0; i < s->n; i++) {
		const char *p = s->content[i]->p, *end = p + s->content[i]->len;

		while (is_log(s->name[i]) &&
		       (p = memmem(p, (size_t)(end - p), retain, sizeof(retain) - 1)) &&
		       (p = memmem(p, (size_t)(end - p), through, sizeof(through) - 1))) {
			uint64_t n = strtoull(p + sizeof(through) - 1, NULL, 10);

			most = n > most ? n : most;
		}
	}
	return most;
}

static void judge_seals(const struct judge *j, const struct state *s, const struct verify_result *v,
			uint64_t first, uint64_t last)
{
	const uint64_t promise = j->promise[s->n_ops];
	const struct content *c = file(s, "audit.jsonl.seal");
	struct seal_state state = { .epoch = 0 };

	if (promise == 0)
		return;
	if (last < promise || first > told_removed(s) + 1)
		crash_finding(j->o, s, "record %llu is sealed, records %llu to %llu are there",
			      (unsigned long long)promise, (unsigned long long)first,
			      (unsigned long long)last);
	else if (v->kind == VERIFY_SEAL || v->sealed + 1 < promise)
		crash_finding(j->o, s, "record %llu is sealed, verify says so up to %llu: %s",
			      (unsigned long long)promise, (unsigned long long)v->sealed, v->text);
	if (!c || seal_parse_state(c->p, c->len, &state) < 0)
		crash_finding(j->o, s, "the sealing state is not there, or damaged");
	else if (state.epoch + 1 < j->epoch[s->n_ops])
		crash_finding(j->o, s, "the key of epoch %llu is there, epoch %llu is sealed",
			      (unsigned long long)state.epoch,
			      (unsigned long long)j->epoch[s->n_ops] - 1);
}

/* --- what comes behind --------------------------------------------------------------------- */

/* As a sandbox does, with a denial. */
static int go_on(struct judge *j)
{
	static const char *const bodies[] = {
		"{\"type\":\"open\",\"sandbox\":\"0123456789abcdef\",\"sealed\":\"x\"}",
		"{\"type\":\"denial\",\"sandbox\":\"0123456789abcdef\",\"count\":1}",
		"{\"type\":\"close\",\"sandbox\":\"0123456789abcdef\",\"denials\":1}",
	};
	char data[1024];
	struct batch batch = { .data = data, .cap = sizeof(data) };
	struct err err = ERR_INIT;
	struct chain chain;
	size_t taken = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		batch_add(&batch, bodies[i], strlen(bodies[i]), 0);
	r = chain_open(&chain, j->log, j->block, &err);
	if (r < 0)
		return r;
	r = chain_write(&chain, &batch, "0123456789abcdef", 1000, &taken);
	chain_close(&chain);
	return r == 0 && taken != ARRAY_SIZE(bodies) ? -EIO : r;
}

static int go_on_by_cordon(struct judge *j)
{
	char sink[640];
	char *run[] = {
		(char *)j->o->cordon,  "run", "-q", "--policy", "default", "--audit", sink, "--",
		(char *)j->o->payload, NULL
	};

	snprintf(sink, sizeof(sink), "file:%s", j->log);
	j->by_cordon++;
	return crash_run(run) == 0 ? 0 : -EIO;
}

/* The program says what the function says. */
static void ask_cordon(const struct judge *j, const struct state *s, const struct verify_result *v)
{
	char *plain[] = { (char *)j->o->cordon, "audit", "verify", (char *)j->log, NULL };
	char *sealed[] = { (char *)j->o->cordon,   "audit",	   "verify", "--seal-key",
			   (char *)j->o->seal_key, (char *)j->log, NULL };
	int status = crash_run(has_key(j, s) ? sealed : plain);

	if (status != (v->kind == VERIFY_WHOLE ? 0 : 1))
		crash_finding(j->o, s, "cordon audit verify ends with status %d, it is: %s", status,
			      verify_kind_text(v->kind));
}

static bool has_head(const struct state *s)
{
	const struct content *c = file(s, "audit.jsonl.head");
	struct chain_point head;

	return c && chain_parse_head(c->p, c->len, &head) == 0;
}

/* The log ends with this record as it was written, but for its newline: the next writer adopts it.
 */
static bool lacks_a_newline(const struct judge *j, const struct state *s, uint64_t record)
{
	const struct content *c = file(s, "audit.jsonl");
	const char *nl = c ? memrchr(c->p, '\n', c->len) : NULL, *p = nl ? nl + 1 : c ? c->p : NULL;
	const size_t len = p ? (size_t)(c->p + c->len - p) : 0;
	struct hash prev, hash;
	uint64_t seq;

	if (len == 0 || chain_parse_prefix(p, len, &seq, &prev) < 0 || seq != record ||
	    seq >= MAX_SEQ)
		return false;
	hash_bytes(p, len, &hash);
	return memcmp(&hash, &j->expected[seq], sizeof(hash)) == 0;
}

/* The head names a record that is not there as it was written, nor all before it. */
static bool knows_more(const struct judge *j, const struct state *s, uint64_t last)
{
	const struct content *c = file(s, "audit.jsonl.head");
	struct chain_point head;

	return c && chain_parse_head(c->p, c->len, &head) == 0 && head.seq > last &&
	       !(head.seq == last + 1 && lacks_a_newline(j, s, head.seq));
}

/* last: of the records that are there from the first one on. */
static void judge_after(struct judge *j, const struct state *s, const struct verify_result *before,
			uint64_t last, bool by_cordon)
{
	struct verify_result v, again;
	int r = by_cordon ? go_on_by_cordon(j) : go_on(j);

	if (r < 0 || !verify(j, s, &v)) {
		crash_finding(j->o, s, "the next writer fails (%s): %s", strerror(-r),
			      verify_kind_text(before->kind));
		return;
	}
	if (by_cordon)
		ask_cordon(j, s, &v);
	j->after[v.kind]++;
	j->repaired += v.repairs > before->repairs;
	if (before->kind == VERIFY_WHOLE || before->kind == VERIFY_TORN ||
	    (before->kind == VERIFY_HEAD && !has_head(s))) {
		if (v.kind != VERIFY_WHOLE)
			crash_finding(j->o, s, "%s; behind the next writer: %s: %s",
				      verify_kind_text(before->kind), verify_kind_text(v.kind),
				      v.text);
		else if (v.repairs == before->repairs &&
			 (before->kind != VERIFY_WHOLE || before->behind > 0))
			crash_finding(j->o, s, "nothing tells of the repair");
	} else if (v.kind == VERIFY_WHOLE) {
		j->healed++;
		if (v.repairs == before->repairs || knows_more(j, s, last) ||
		    (before->kind != VERIFY_TRUNCATED && before->kind != VERIFY_DAMAGED))
			crash_finding(j->o, s,
				      "%s; behind the next writer nobody knows: %s; repairs %llu, "
				      "before %llu; records to %llu%s",
				      verify_kind_text(before->kind), before->text,
				      (unsigned long long)v.repairs,
				      (unsigned long long)before->repairs, (unsigned long long)last,
				      knows_more(j, s, last) ? ", the head knows more" : "");
	}
	if (go_on(j) < 0 || !verify(j, s, &again) || again.kind != v.kind ||
	    (v.kind == VERIFY_WHOLE && again.repairs != v.repairs))
		crash_finding(j->o, s, "the second writer behind it finds something to repair");
}

static void judge(void *ctx, const struct state *s)
{
	struct judge *j = ctx;
	const bool by_cordon = !j->o->forgot && j->states % j->o->every == 0;
	struct verify_result v = { .kind = VERIFY_WHOLE };
	uint64_t first, last;

	if (crash_is_passed(j->o, s))
		return;
	last = count_records(j, s, &first);
	j->states++;
	crash_put(j->o, s);
	if (verify(j, s, &v)) {
		j->before[v.kind]++;
		if (v.kind == VERIFY_WHOLE && knows_more(j, s, last))
			crash_finding(j->o, s, "whole, and the head knows more");
		if (v.kind == VERIFY_WHOLE && v.records != (last ? last - first + 1 : 0))
			crash_finding(j->o, s,
				      "whole, and of %llu records %llu to %llu were written",
				      (unsigned long long)v.records, (unsigned long long)first,
				      (unsigned long long)last);
		if (by_cordon)
			ask_cordon(j, s, &v);
	} else {
		/* No file at all, and the head at most with nothing in it. */
		j->empty++;
		v = (struct verify_result){ .kind = VERIFY_WHOLE };
		if (j->disk->base.n > 0 || last > 0)
			crash_finding(j->o, s, "the log cannot be read");
	}
	judge_seals(j, s, &v, first, last);
	judge_after(j, s, &v, last, by_cordon);
}

static void print(const struct judge *j)
{
	printf("audit: %zu states; verify said:", j->states);
	if (j->empty)
		printf(" no log %zu,", j->empty);
	for (unsigned k = 0; k < KINDS; k++)
		if (j->before[k])
			printf(" %s %zu,", verify_kind_text((enum verify_kind)k), j->before[k]);
	printf(" and behind the next writer:");
	for (unsigned k = 0; k < KINDS; k++)
		if (j->after[k])
			printf(" %s %zu,", verify_kind_text((enum verify_kind)k), j->after[k]);
	printf(" %zu with a repair record; %zu by cordon itself; %zu findings\n", j->repaired,
	       j->by_cordon, crash_findings());
}

int judge_audit(const struct disk *disk, const struct options *o)
{
	static struct judge j;
	struct err err = ERR_INIT;

	free(j.expected);
	memset(&j, 0, sizeof(j));
	j.disk = disk;
	j.o = o;
	snprintf(j.log, sizeof(j.log), "%s/audit.jsonl", o->scratch);
	j.expected = calloc(MAX_SEQ, sizeof(*j.expected));
	if (!j.expected)
		return -1;
	if (o->seal_key) {
		char *text = NULL;
		size_t len;

		if (fd_read_file_at(AT_FDCWD, o->seal_key, 4096, &text, &len) < 0)
			return -1;
		text[strcspn(text, "\n")] = '\0';
		if (seal_parse_key(text, &j.key) < 0) {
			fprintf(stderr, "crash: '%s' holds no key %s\n", o->seal_key, err.msg);
			return -1;
		}
		free(text);
	}
	for (unsigned i = 0; i < disk->n_inodes; i++) {
		struct content c = disk_content(disk, i, disk->n_ops);

		expect_lines(&j, &disk->inode[i].base);
		expect_lines(&j, &c);
		free(c.p);
	}
	expect_promises(&j);
	disk_states(disk, o->all, mark, judge, &j);
	if (!o->forgot)
		print(&j);
	return 0;
}
