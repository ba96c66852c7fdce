// SPDX-License-Identifier: Apache-2.0
#include "collect/domains.h"

#include <stddef.h>

/* The kernel's ids grow by small random steps (security/landlock/id.c). */
static struct domain *set_of(struct domains *d, uint64_t id)
{
	return d->set[(id * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (DOMAINS_SETS - 1)];
}

static struct domain *find(struct domains *d, uint64_t id)
{
	struct domain *set = set_of(d, id);

	for (int i = 0; i < DOMAINS_WAYS; i++) {
		if (set[i].used && set[i].id == id)
			return &set[i];
	}
	return NULL;
}

bool domains_put(struct domains *d, uint64_t id, uint32_t serial,
		 bool (*lives)(void *ctx, uint32_t serial), void *ctx)
{
	struct domain *set = set_of(d, id), *place = find(d, id);

	for (int i = 0; i < DOMAINS_WAYS && !place; i++) {
		if (!set[i].used || (set[i].serial != 0 && !lives(ctx, set[i].serial)))
			place = &set[i];
	}
	for (int i = 0; i < DOMAINS_WAYS && !place; i++) {
		struct domain *other = &set[(d->turn + (unsigned)i) % DOMAINS_WAYS];

		if (other->serial == 0)
			place = other;
	}
	if (!place)
		return false;
	d->turn++;
	*place = (struct domain){ .id = id, .serial = serial, .used = true };
	return true;
}

int domains_get(const struct domains *d, uint64_t id, uint32_t *ret_serial)
{
	/* Nothing is written through it. */
	const struct domain *e = find((struct domains *)(uintptr_t)d, id);

	if (!e)
		return DOMAINS_UNKNOWN;
	if (e->serial == 0)
		return DOMAINS_NOBODY;
	*ret_serial = e->serial;
	return 1;
}

void domains_drop(struct domains *d, uint64_t id)
{
	struct domain *e = find(d, id);

	if (e)
		e->used = false;
}
