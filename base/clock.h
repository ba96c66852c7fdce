// SPDX-License-Identifier: Apache-2.0
/* The kernel's clocks as one number. clock_gettime(2) with a clock that every kernel has cannot
 * fail. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ns_of(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t clock_ms_of(clockid_t id)
{
	return clock_ns_of(id) / 1000000;
}

/* CLOCK_MONOTONIC: for deadlines and durations. */
static inline uint64_t clock_ns(void)
{
	return (uint64_t)clock_ns_of(CLOCK_MONOTONIC);
}

static inline uint64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}
