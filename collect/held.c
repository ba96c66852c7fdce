// SPDX-License-Identifier: Apache-2.0
#include "collect/held.h"

#include <string.h>

static struct held_record *oldest(struct held *h, bool any, enum held_why why, uint64_t key)
{
	struct held_record *best = NULL;

	for (size_t i = 0; i < HELD_MAX && h->n > 0; i++) {
		struct held_record *r = &h->record[i];

		if (r->why == HELD_NOT || (!any && (r->why != why || r->key != key)))
			continue;
		if (!best || r->order < best->order)
			best = r;
	}
	return best;
}

struct held_record *held_put(struct held *h, enum held_why why, uint64_t key, unsigned type,
			     const char *text, size_t len, uint64_t now_ms)
{
	struct held_record *place = h->record;

	if (h->n == HELD_MAX)
		return oldest(h, true, HELD_NOT, 0);
	while (place->why != HELD_NOT) /* one is: there are HELD_MAX of them */
		place++;
	place->why = why;
	place->key = key;
	place->since_ms = now_ms;
	place->order = h->orders++;
	place->type = type;
	place->len = len < sizeof(place->text) ? len : sizeof(place->text);
	memcpy(place->text, text, place->len);
	h->n++;
	return NULL;
}

struct held_record *held_find(struct held *h, enum held_why why, uint64_t key)
{
	return oldest(h, false, why, key);
}

struct held_record *held_expired(struct held *h, uint64_t now_ms)
{
	struct held_record *r = oldest(h, true, HELD_NOT, 0);

	return r && now_ms - r->since_ms >= HELD_MS ? r : NULL;
}

void held_drop(struct held *h, struct held_record *record)
{
	record->why = HELD_NOT;
	h->n--;
}
