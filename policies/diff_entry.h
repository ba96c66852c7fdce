// SPDX-License-Identifier: Apache-2.0
/* What the files of diff share. */
#pragma once

#include "policies/diff.h"

struct differ {
	const struct policy *old, *new;
	struct diff diff;
	uint64_t budget; /* of the searches */
};

/* A new entry with the subject copied, or NULL when there is no memory. */
struct diff_entry *diff_add(struct differ *d, enum diff_kind kind, const char *subject);

/* "none" for NULL. 0 or -ENOMEM. */
int diff_say(struct diff_entry *entry, const char *old, const char *new);

int diff_calls(struct differ *d);
int diff_paths(struct differ *d);
int diff_ports(struct differ *d);
