// SPDX-License-Identifier: Apache-2.0
#include "audit/flood.h"

/* A quarter of the minute's bytes comes in drops, the rest but what is kept back is there at the
 * beginning: so no minute has more, the first and the last one included. */
void flood_init(struct flood *flood, uint64_t minute, uint64_t now_ms)
{
	flood->burst = FLOOD_BURST;
	flood->purse_max = (int64_t)(minute - minute / 4 - FLOOD_KEPT_BACK);
	flood->purse = flood->purse_max;
	flood->per_second = minute / 4 / 60;
	flood->filled_ms = now_ms;
}

static bool same(const struct flood_key *a, const struct flood_key *b)
{
	return a->rule == b->rule && a->nr == b->nr && a->errno_value == b->errno_value &&
	       a->abi == b->abi && a->reason == b->reason && a->kill == b->kill;
}

static uint32_t mix(const struct flood_key *key)
{
	uint64_t h = (uint64_t)key->rule << 32 | (uint32_t)key->nr;

	h ^= ((uint64_t)key->errno_value << 32 | (uint64_t)key->abi << 16 |
	      (uint64_t)key->reason << 8 | key->kill) *
	     UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(h >> 32);
}

/* The key's slot, new or not; NULL when the table is full. An attacker chooses among the keys that
 * a policy makes, not their bytes, and the table is never more than three quarters full. */
static struct flood_slot *find(struct flood *flood, const struct flood_key *key, uint64_t now_ms)
{
	uint32_t i = mix(key) % FLOOD_SLOTS;

	for (; flood->slot[i].used; i = (i + 1) % FLOOD_SLOTS) {
		if (same(&flood->slot[i].key, key))
			return &flood->slot[i];
	}
	if (flood->n_used >= FLOOD_KEYS)
		return NULL;
	flood->n_used++;
	flood->slot[i] = (struct flood_slot){
		.key = *key,
		.used = true,
		.tokens = flood->burst,
		.refilled_ms = now_ms,
	};
	return &flood->slot[i];
}

static void refill(uint32_t *tokens, uint32_t burst, uint64_t *at_ms, uint64_t now_ms,
		   uint64_t every_ms)
{
	uint64_t more = now_ms > *at_ms ? (now_ms - *at_ms) / every_ms : 0;

	if (more == 0)
		return;
	*at_ms += more * every_ms;
	*tokens = more >= burst - *tokens ? burst : *tokens + (uint32_t)more;
}

static void fill_purse(struct flood *flood, uint64_t now_ms)
{
	/* An hour fills any; more would only overflow. */
	uint64_t ms = now_ms > flood->filled_ms ? now_ms - flood->filled_ms : 0;
	uint64_t bytes = (ms < 3600000 ? ms : 3600000) * flood->per_second / 1000;

	if (bytes == 0)
		return;
	flood->filled_ms = now_ms;
	flood->purse += (int64_t)bytes;
	if (flood->purse > flood->purse_max)
		flood->purse = flood->purse_max;
}

void flood_pay(struct flood *flood, size_t bytes)
{
	flood->purse -= (int64_t)bytes;
}

bool flood_affords(struct flood *flood, uint64_t now_ms)
{
	fill_purse(flood, now_ms);
	return flood->purse > FLOOD_FIRST_BYTES;
}

/* The first of its kind may take the purse's last byte, a further one none of its lower half. */
static bool spend(struct flood *flood, struct flood_slot *slot, uint64_t now_ms)
{
	refill(&slot->tokens, flood->burst, &slot->refilled_ms, now_ms, FLOOD_REFILL_MS);
	if (slot->tokens == 0)
		return false;
	fill_purse(flood, now_ms);
	if (flood->purse <= (slot->total == 1 ? 0 : flood->purse_max / 2))
		return false;
	slot->tokens--;
	return true;
}

bool flood_take(struct flood *flood, const struct flood_key *key, const char *file, uint32_t line,
		uint64_t now_ms)
{
	struct flood_slot *slot = find(flood, key, now_ms);

	if (!slot)
		slot = &flood->other;
	slot->total++;
	if (slot != &flood->other) {
		slot->file = file;
		slot->line = line;
		if (spend(flood, slot, now_ms))
			return true;
	}
	if (slot->count++ == 0) {
		slot->first_ms = now_ms;
		if (slot == &flood->other)
			flood->other_pending = true;
		else
			flood->pending[(flood->first_pending + flood->n_pending++) % FLOOD_SLOTS] =
				(uint16_t)(slot - flood->slot);
	}
	slot->last_ms = now_ms;
	return false;
}

struct flood_slot *flood_pending(struct flood *flood)
{
	if (flood->n_pending > 0)
		return &flood->slot[flood->pending[flood->first_pending]];
	return flood->other_pending ? &flood->other : NULL;
}

void flood_told(struct flood *flood)
{
	struct flood_slot *slot = flood_pending(flood);

	if (!slot)
		return;
	slot->count = 0;
	if (slot == &flood->other) {
		flood->other_pending = false;
		return;
	}
	flood->first_pending = (flood->first_pending + 1) % FLOOD_SLOTS;
	flood->n_pending--;
}

size_t flood_top(const struct flood *flood, const struct flood_slot **ret, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < FLOOD_SLOTS && flood->n_used > 0; i++) {
		const struct flood_slot *slot = &flood->slot[i];
		size_t at;

		if (slot->total == 0 || (found == n && slot->total <= ret[n - 1]->total))
			continue;
		at = found < n ? found++ : n - 1;
		for (; at > 0 && ret[at - 1]->total < slot->total; at--)
			ret[at] = ret[at - 1];
		ret[at] = slot;
	}
	return found;
}
