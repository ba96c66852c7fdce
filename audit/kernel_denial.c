// SPDX-License-Identifier: Apache-2.0
/* Denials by the kernel itself: what the collector hands over, on its way into the log. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/record.h"
#include "audit/stamp.h"
#include "audit/state.h"
#include "base/fd.h"

enum { END_TAKE = 4096 };

static const char *why_not(int code)
{
	switch (code) {
	case -ENOENT:
	case -ECONNREFUSED:
	case -ENOTDIR:
		return "there is no collector";
	case -EACCES:
	case -EPERM:
		return "the collector's socket, or the collector, refuses this process";
	case -EAGAIN:
	case -ETIMEDOUT:
		return "the collector did not answer in time";
	case -EMFILE:
		return "the collector has as many sandboxes as it takes";
	default:
		return "the collector cannot be used";
	}
}

void audit_kernel_open(struct audit *audit, const char *socket, int pidfd)
{
	struct state_kernel *k = &audit->kernel;
	int r = collected_open(&k->collected, socket ? socket : COLLECTED_SOCKET, pidfd);

	k->state = (struct format_kernel_state){ .why = r < 0 ? why_not(r) : NULL };
	if (r < 0)
		return;
	k->state.forks = k->collected.forks;
	k->state.audit = k->collected.audit;
	flood_init(&k->flood, k->minute ? k->minute : FLOOD_MINUTE, stamp_coarse_ms());
}

void audit_kernel_errno(struct audit *audit, audit_errno_of *of, const void *ctx)
{
	audit->kernel.errno_of = of;
	audit->kernel.errno_ctx = ctx;
}

int audit_kernel_probe(void)
{
	return collected_probe(COLLECTED_SOCKET);
}

int audit_kernel_fd(const struct audit *audit)
{
	return audit->kernel.collected.fd;
}

/* --- one denial ---------------------------------------------------------------------------- */

/* The last place is for all that came when the others were taken. */
static uint32_t intern(struct state_kernel *k, const char *operation)
{
	size_t i;

	for (i = 0; i < k->n_operations; i++) {
		if (strcmp(k->operation[i], operation) == 0)
			return (uint32_t)i;
	}
	if (i == STATE_OPERATIONS - 1)
		operation = "others";
	else if (i == STATE_OPERATIONS)
		return STATE_OPERATIONS - 1;
	(void)snprintf(k->operation[i], sizeof(k->operation[i]), "%s", operation);
	k->n_operations++;
	return (uint32_t)i;
}

/* What it costs in the log, the chain's prefix included, comes out of this stream's purse. */
static void put(struct audit *audit, size_t len, uint64_t denials)
{
	flood_pay(&audit->kernel.flood, len + CHAIN_PREFIX_MAX);
	state_queue(audit, len, denials);
}

bool state_kernel_counts_wait(const struct audit *audit)
{
	const struct state_kernel *k = &audit->kernel;

	return k->any && (k->flood.n_pending > 0 || k->flood.other_pending);
}

/* Of a program's refusal the kernel tells the action alone. */
static uint16_t errno_of(const struct state_kernel *k)
{
	enum abi abi;
	int32_t nr;

	return k->errno_of && format_kernel_call(&k->record, &abi, &nr)
		       ? k->errno_of(k->errno_ctx, abi, nr)
		       : 0;
}

static void take_denial(struct audit *audit, const struct collected_packet *packet,
			const struct kernel_text *text)
{
	struct state_kernel *k = &audit->kernel;
	struct format_kernel denial = { &k->record, packet->joined, packet->pid, 0 };
	char operation[FORMAT_OPERATION];
	uint64_t now_ms = stamp_coarse_ms();
	struct flood_key key = { .nr = FLOOD_NR_UNKNOWN };

	if (kernel_record_parse(packet->type, text->p, text->len, &k->record) < 0 ||
	    !k->record.denial) {
		k->odd++;
		return;
	}
	format_kernel_operation(&k->record, operation);
	key.rule = intern(k, operation);
	key.reason = (uint8_t)k->record.mechanism;
	key.kill = format_kernel_kills(&k->record);
	audit->denials++;
	k->any = true;
	if (!state_kernel_counts_wait(audit) && now_ms - k->summed_ms >= FLOOD_SUMMARY_MS)
		k->summed_ms = now_ms;
	if (!flood_take(&k->flood, &key, NULL, 0, now_ms))
		return;
	audit->records++;
	denial.errno_value = errno_of(k);
	put(audit, format_kernel_denial(audit->body, sizeof(audit->body), &audit->id, &denial), 1);
}

/* --- what no record tells of --------------------------------------------------------------- */

static void put_sum(struct audit *audit, const struct format_kernel_sum *sum)
{
	audit->summaries++;
	audit->counted += sum->count;
	state_queue(audit, format_kernel_summary(audit->body, sizeof(audit->body), &audit->id, sum),
		    sum->count);
}

void state_kernel_sum_up(struct audit *audit, uint64_t now_ms, bool all)
{
	struct state_kernel *k = &audit->kernel;
	struct flood_slot *slot;

	if (!state_kernel_counts_wait(audit) || (!all && now_ms - k->summed_ms < FLOOD_SUMMARY_MS))
		return;
	while ((slot = flood_pending(&k->flood)) && (all || flood_affords(&k->flood, now_ms))) {
		const struct format_kernel_sum sum = {
			.mechanism = (enum kernel_mechanism)slot->key.reason,
			.operation =
				slot == &k->flood.other ? "others" : k->operation[slot->key.rule],
			.first_ago_ms = now_ms - slot->first_ms,
			.last_ago_ms = now_ms - slot->last_ms,
			.count = slot->count,
		};

		put_sum(audit, &sum);
		flood_told(&k->flood);
	}
	k->summed_ms = now_ms;
}

static void put_event(struct audit *audit, const char *event, uint64_t events, uint64_t unjoined,
		      const char *text)
{
	state_queue(audit,
		    format_kernel_event(audit->body, sizeof(audit->body), &audit->id, event, events,
					unjoined, text),
		    0);
}

static void take_lost(struct audit *audit, const struct collected_packet *packet)
{
	for (unsigned m = 0; m < _KERNEL_MECHANISM_MAX; m++) {
		const struct format_kernel_sum sum = { .mechanism = (enum kernel_mechanism)m,
						       .count = packet->dropped[m] };

		if (sum.count == 0)
			continue;
		audit->denials += sum.count;
		put_sum(audit, &sum);
	}
	if (packet->events > 0 || packet->unjoined > 0)
		put_event(audit, "lost", packet->events, packet->unjoined,
			  "denials by the kernel may be missing: events counts what the collector "
			  "did not get, of all of the machine, unjoined what had no process any "
			  "more");
}

static void put_unfinished(struct audit *audit, const char *text)
{
	put_event(audit, "unfinished", 0, 0, text);
}

static void take_synced(struct audit *audit, const struct collected_packet *packet)
{
	audit->kernel.synced = true;
	if (packet->error < 0)
		put_unfinished(audit, "the collector did not see the end of the kernel's stream: "
				      "denials by the kernel may be missing, and nobody knows how "
				      "many");
}

/* --- the stream ---------------------------------------------------------------------------- */

void audit_kernel_take(struct audit *audit, unsigned max)
{
	struct state_kernel *k = &audit->kernel;
	struct collected_packet packet;
	struct kernel_text text;

	for (unsigned i = 0; i < max && k->collected.fd >= 0 && !k->synced; i++) {
		int r = collected_next(&k->collected, &packet, &text);

		if (r == 0)
			return;
		if (r < 0) {
			collected_close(&k->collected);
			put_event(audit, "ended", 0, 0,
				  "the collector is gone: denials by the kernel are not seen from "
				  "here on");
			return;
		}
		if (packet.kind == COLLECTED_RECORD)
			take_denial(audit, &packet, &text);
		else if (packet.kind == COLLECTED_LOST)
			take_lost(audit, &packet);
		else if (packet.kind == COLLECTED_SYNCED)
			take_synced(audit, &packet);
		else
			k->odd++;
	}
}

void state_kernel_end(struct audit *audit)
{
	struct state_kernel *k = &audit->kernel;
	uint64_t end_ms = stamp_coarse_ms() + COLLECTED_WAIT_MS;

	/* who is gone may have told something before, and that it is gone is told there */
	if (k->collected.fd >= 0)
		(void)collected_sync(&k->collected);
	while (k->collected.fd >= 0 && !k->synced) {
		int r = collected_wait(&k->collected, end_ms);

		if (r < 0) {
			put_unfinished(audit, "the collector did not say that it has told all");
			break;
		}
		audit_kernel_take(audit, END_TAKE);
	}
	collected_close(&k->collected);
	if (k->odd > 0)
		put_event(audit, "lost", k->odd, 0, "the collector sent what is no denial");
	state_kernel_sum_up(audit, stamp_coarse_ms(), true);
}

void state_kernel_top(const struct audit *audit, struct audit_totals *ret)
{
	const struct state_kernel *k = &audit->kernel;
	const struct flood_slot *slot[AUDIT_TOP];
	size_t n = k->any ? flood_top(&k->flood, slot, AUDIT_TOP) : 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = ret->n_top;

		while (at > 0 && ret->top[at - 1].count < slot[i]->total)
			at--;
		if (at == AUDIT_TOP)
			break;
		if (ret->n_top < AUDIT_TOP)
			ret->n_top++;
		memmove(&ret->top[at + 1], &ret->top[at],
			(ret->n_top - at - 1) * sizeof(ret->top[0]));
		ret->top[at] = (struct audit_kind){
			.nr = -1,
			.kill = slot[i]->key.kill,
			.count = slot[i]->total,
			.mechanism =
				kernel_mechanism_name((enum kernel_mechanism)slot[i]->key.reason),
		};
		(void)snprintf(ret->top[at].operation, sizeof(ret->top[at].operation), "%s",
			       k->operation[slot[i]->key.rule]);
	}
}
