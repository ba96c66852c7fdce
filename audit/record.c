// SPDX-License-Identifier: Apache-2.0
#include "audit/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/batch.h"
#include "audit/flood.h"
#include "audit/format.h"
#include "audit/sink.h"
#include "audit/stamp.h"
#include "audit/state.h"
#include "policies/syscall.h"

int audit_new(const char *const *sinks, size_t n_sinks, struct audit **ret, struct err *err)
{
	struct audit *audit;
	int r = 0;

	if (n_sinks > LIMIT_SINKS)
		return err_set(err, -E2BIG, "write to %zu audit sinks, more than %d", n_sinks,
			       LIMIT_SINKS);
	audit = calloc(1, sizeof(*audit));
	if (!audit)
		return err_set(err, -ENOMEM, "make the audit log");
	audit->batch = (struct batch){ .data = audit->queue, .cap = sizeof(audit->queue) };
	flood_init(&audit->flood, FLOOD_MINUTE, stamp_coarse_ms());
	audit->kernel.collected.fd = -1;
	audit->kernel.state.why = "not asked for";
	for (size_t i = 0; r == 0 && i < (n_sinks ? n_sinks : 1); i++) {
		audit->n_sinks = i + 1;
		r = sink_open(&audit->sink[i], n_sinks ? sinks[i] : NULL, audit->block, err);
	}
	if (r < 0) {
		audit_free(audit);
		return r;
	}
	*ret = audit;
	return 0;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	collected_close(&audit->kernel.collected);
	for (size_t i = 0; i < audit->n_sinks; i++)
		sink_close(&audit->sink[i]);
	free(audit);
}

void audit_rotate(struct audit *audit, const struct audit_rotation *rotation)
{
	for (size_t i = 0; i < audit->n_sinks; i++)
		audit->sink[i].chain.rotation = *rotation;
}

void audit_flood(struct audit *audit, uint64_t bytes)
{
	flood_init(&audit->flood, bytes, stamp_coarse_ms());
	audit->kernel.minute = bytes;
}

/* Hand the queue to each sink. What a log that another process has locked does not take may stay
 * in it: on a machine where hundreds share a log the one that has the lock can be the one that
 * waits for a processor. */
static void flush(struct audit *audit, unsigned wait_ms, bool may_keep)
{
	bool kept = false;

	for (size_t i = 0; i < audit->n_sinks; i++) {
		struct sink *sink = &audit->sink[i];
		const struct batch rest = batch_behind(&audit->batch, sink->taken);

		if (rest.n > 0 && sink_write(sink, &rest, &audit->id, wait_ms, may_keep) == 1)
			kept = true;
		else
			sink->taken = batch_end(&audit->batch);
	}
	if (kept) {
		audit->queued_ms = stamp_coarse_ms(); /* when it is due again is counted from now */
		return;
	}
	batch_clear(&audit->batch);
	for (size_t i = 0; i < audit->n_sinks; i++)
		audit->sink[i].taken = batch_end(&audit->batch);
}

/* Each fits into an empty queue. */
void state_queue(struct audit *audit, size_t len, uint64_t denials)
{
	if (audit->batch.n == 0)
		audit->queued_ms = stamp_coarse_ms();
	if (batch_add(&audit->batch, audit->body, len, denials))
		return;
	flush(audit, SINK_WAIT_MS, false);
	audit->queued_ms = stamp_coarse_ms();
	(void)batch_add(&audit->batch, audit->body, len, denials);
}

int audit_begin(struct audit *audit, const struct audit_start *start, struct err *err)
{
	char hex[HASH_HEX + 1];
	size_t n;

	(void)snprintf(audit->id.sandbox, sizeof(audit->id.sandbox), "%s", start->sandbox);
	(void)snprintf(audit->id.policy, sizeof(audit->id.policy), "%s", start->policy);
	hash_hex(&start->policy_digest, hex);
	(void)snprintf(audit->id.digest, sizeof(audit->id.digest), "%.12s", hex);
	for (size_t i = 0; i < audit->n_sinks; i++) {
		struct sink *sink = &audit->sink[i];
		int r;

		n = format_open(audit->body, sizeof(audit->body), &audit->id, start,
				sink->chain.seal.id, &audit->kernel.state);
		if (n == 0)
			return err_set(err, -EMSGSIZE, "write the opening record of the audit log");
		batch_clear(&audit->batch);
		(void)batch_add(&audit->batch, audit->body, n, 0);
		r = sink_write(sink, &audit->batch, &audit->id, SINK_WAIT_OPEN_MS, false);
		if (r < 0) {
			err_set(err, r, "write the opening record to the audit sink '%.512s'",
				sink->name);
			err_hint(err, "without a log nothing is started; give another: "
				      "--audit file:PATH");
			return r;
		}
	}
	batch_clear(&audit->batch);
	audit->begun = true;
	return 0;
}

/* What a record costs in the log, the chain's prefix of it included. */
static void pay(struct audit *audit, size_t len)
{
	flood_pay(&audit->flood, len + CHAIN_PREFIX_MAX);
}

static void sum_up(struct audit *audit, uint64_t now_ms, bool all)
{
	struct flood_slot *slot;

	while ((slot = flood_pending(&audit->flood)) &&
	       (all || flood_affords(&audit->flood, now_ms))) {
		size_t n = format_summary(audit->body, sizeof(audit->body), &audit->id, slot,
					  slot == &audit->flood.other, now_ms);

		audit->summaries++;
		audit->counted += slot->count;
		pay(audit, n);
		state_queue(audit, n, slot->count);
		flood_told(&audit->flood);
	}
	audit->summed_ms = now_ms;
}

static bool counts_wait(const struct audit *audit)
{
	return audit->flood.n_pending > 0 || audit->flood.other_pending;
}

static void tick(struct audit *audit, uint64_t now_ms)
{
	if (counts_wait(audit) && now_ms - audit->summed_ms >= FLOOD_SUMMARY_MS)
		sum_up(audit, now_ms, false);
	state_kernel_sum_up(audit, now_ms, false);
	/* That it was queued may be later than now: a record takes time. */
	if (audit->batch.n > 0 && now_ms >= audit->queued_ms + STATE_BATCH_MS)
		flush(audit, SINK_WAIT_MS, true);
}

void audit_tick(struct audit *audit)
{
	tick(audit, stamp_coarse_ms());
}

int audit_timeout_ms(const struct audit *audit)
{
	uint64_t now = stamp_coarse_ms(), due = UINT64_MAX;

	if (counts_wait(audit))
		due = audit->summed_ms + FLOOD_SUMMARY_MS;
	if (state_kernel_counts_wait(audit) && audit->kernel.summed_ms + FLOOD_SUMMARY_MS < due)
		due = audit->kernel.summed_ms + FLOOD_SUMMARY_MS;
	if (audit->batch.n > 0 && audit->queued_ms + STATE_BATCH_MS < due)
		due = audit->queued_ms + STATE_BATCH_MS;
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

void audit_denial(struct audit *audit, const struct audit_denial *denial)
{
	uint64_t now_ms = stamp_coarse_ms();
	struct flood_key key = {
		.rule = denial->rule,
		.nr = denial->nr,
		.errno_value = denial->errno_value,
		.abi = (uint8_t)denial->abi,
		.reason = denial->reason,
		.kill = denial->kill,
	};

	/* Numbers without a call are for the payload to choose: one key for all of them. */
	if (denial->nr < 0 || denial->nr > syscall_max_nr(denial->abi))
		key.nr = FLOOD_NR_UNKNOWN;
	audit->denials++;
	if (!counts_wait(audit) && now_ms - audit->summed_ms >= FLOOD_SUMMARY_MS)
		audit->summed_ms = now_ms; /* so that a first count waits for its second */
	if (flood_take(&audit->flood, &key, denial->file, denial->line, now_ms)) {
		size_t n = format_denial(audit->body, sizeof(audit->body), &audit->id, denial);

		audit->records++;
		pay(audit, n);
		state_queue(audit, n, 1);
	}
	tick(audit, now_ms);
}

void audit_limit(struct audit *audit, const char *which, const char *text, uint64_t count)
{
	state_queue(audit,
		    format_limit(audit->body, sizeof(audit->body), &audit->id, which, text, count),
		    0);
}

/* Each sink closes with its own losses. */
static void close_sink(struct audit *audit, struct sink *sink, const struct audit_end *end)
{
	struct format_closing closing = {
		.denials = audit->denials,
		.records = audit->records,
		.summaries = audit->summaries,
		.counted = audit->counted,
		.lost_records = sink->all_lost_records,
		.lost_denials = sink->all_lost_denials,
	};
	size_t n;

	for (size_t i = 0; i < audit->n_sinks; i++) {
		if (&audit->sink[i] != sink)
			closing.others_lost += audit->sink[i].all_lost_records;
	}
	n = format_close(audit->body, sizeof(audit->body), &audit->id, &closing, end);
	batch_clear(&audit->batch);
	(void)batch_add(&audit->batch, audit->body, n, 0);
	(void)sink_write(sink, &audit->batch, &audit->id, SINK_WAIT_END_MS, false);
	batch_clear(&audit->batch);
}

static void find_top(const struct audit *audit, struct audit_totals *ret)
{
	const struct flood_slot *slot[AUDIT_TOP];

	ret->n_top = flood_top(&audit->flood, slot, AUDIT_TOP);
	for (size_t i = 0; i < ret->n_top; i++) {
		ret->top[i] = (struct audit_kind){
			.abi = (enum abi)slot[i]->key.abi,
			.nr = slot[i]->key.nr,
			.kill = slot[i]->key.kill,
			.errno_value = slot[i]->key.errno_value,
			.reason = slot[i]->key.reason,
			.file = slot[i]->file,
			.line = slot[i]->line,
			.count = slot[i]->total,
		};
	}
}

static void find_losses(const struct audit *audit, struct audit_totals *ret)
{
	for (size_t i = 0; i < audit->n_sinks; i++) {
		const struct sink *sink = &audit->sink[i];
		struct audit_loss *loss = &ret->loss[ret->n_loss];

		if (sink->all_lost_records == 0)
			continue;
		ret->n_loss++;
		ret->lost += sink->all_lost_records;
		*loss = (struct audit_loss){
			.records = sink->all_lost_records,
			.denials = sink->all_lost_denials,
			.why = sink->why,
			.told = sink->lost_records == 0,
		};
		(void)snprintf(loss->sink, sizeof(loss->sink), "%.*s", (int)sizeof(loss->sink) - 1,
			       sink->name);
	}
}

void audit_end(struct audit *audit, const struct audit_end *end, struct audit_totals *ret)
{
	if (audit->begun) {
		state_kernel_end(audit);
		sum_up(audit, stamp_coarse_ms(), true);
		flush(audit, SINK_WAIT_END_MS, false);
		for (size_t i = 0; i < audit->n_sinks; i++)
			close_sink(audit, &audit->sink[i], end);
	}
	if (ret) {
		*ret = (struct audit_totals){
			.denials = audit->denials,
			.records = audit->records + audit->summaries,
		};
		find_top(audit, ret);
		state_kernel_top(audit, ret);
		find_losses(audit, ret);
	}
	for (size_t i = 0; i < audit->n_sinks; i++)
		sink_close(&audit->sink[i]);
	audit->n_sinks = 0;
}
