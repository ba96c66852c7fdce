// SPDX-License-Identifier: Apache-2.0
/* The limits by name, and their values as people write them: in policies and behind --limit. */
#pragma once

#include "base/cpus.h"
#include "policies/model.h"

/* "pids", "memory-high" ... */
const char *limit_name(enum policy_limit which);

/* "a size as in 512M": what its value is, for a message. */
const char *limit_kind(enum policy_limit which);

/*
 * The value in the model's unit (policies/model.h). A cpuset goes to *ret_cpus, and *ret is how
 * many there are; other limits leave it alone. 0, or -EINVAL or -ERANGE for what is no value of its
 * kind or out of its bounds. Outputs are untouched on failure.
 */
int limit_parse(enum policy_limit which, const char *text, uint64_t *ret, struct cpus *ret_cpus);

/* The shortest text that limit_parse() reads the same from: "4G", "1.5", "90s". cpus may be NULL
 * but for a cpuset. Returns ret. */
const char *limit_text(enum policy_limit which, uint64_t value, const struct cpus *cpus,
		       char ret[CPUS_TEXT]);
