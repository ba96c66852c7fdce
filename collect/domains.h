// SPDX-License-Identifier: Apache-2.0
/*
 * Landlock's domains: to which sandbox each belongs, as long as it has members. Fixed size: sets of
 * eight. A domain that nobody is registered for is remembered, too, as long as there is room, so
 * that its records need not wait for a word that will not come.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	DOMAINS_SETS = 2048,
	DOMAINS_WAYS = 8,
	DOMAINS_NOBODY = -1, /* known, and of no sandbox */
	DOMAINS_UNKNOWN = -2,
};

struct domains {
	struct domain {
		uint64_t id;
		uint32_t serial; /* of the sandbox; 0: nobody's */
		bool used;
	} set[DOMAINS_SETS][DOMAINS_WAYS];
	uint32_t turn; /* which of a set's nobodies goes next */
};

/* lives says whether a serial is in use: what belongs to another one is free. False: there is no
 * room, all of the set belongs to sandboxes that run. */
bool domains_put(struct domains *d, uint64_t id, uint32_t serial,
		 bool (*lives)(void *ctx, uint32_t serial), void *ctx);

/* 1 and the serial, DOMAINS_NOBODY or DOMAINS_UNKNOWN. */
int domains_get(const struct domains *d, uint64_t id, uint32_t *ret_serial);

void domains_drop(struct domains *d, uint64_t id);
