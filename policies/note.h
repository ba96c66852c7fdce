// SPDX-License-Identifier: Apache-2.0
/* What composition did that no rule shows any more. */
#pragma once

#include "base/fd.h"
#include "policies/model.h"

/* Add one; text's bytes are copied. What gave way on two ways is noted once. 0 or -ENOMEM. */
int note_add(struct policy *policy, enum policy_note_kind kind, const struct buf *text,
	     struct policy_where where, struct policy_where other);

/* Put them in the order of their places. */
void note_sort(struct policy *policy);

/* The order of places: source, line, column. */
int where_compare(struct policy_where a, struct policy_where b);
