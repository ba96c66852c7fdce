// SPDX-License-Identifier: Apache-2.0
/* The two clocks of a record: wall time as RFC 3339 with nanoseconds in UTC, and monotonic. */
#pragma once

#include <stdint.h>
#include <time.h>

enum { STAMP_TEXT = sizeof("9999-12-31T23:59:59.999999999Z") };

struct stamp {
	int64_t wall_ns; /* since 1970 */
	uint64_t mono_ns;
	char text[STAMP_TEXT];
};

/* Both clocks now. */
void stamp_now(struct stamp *ret);

/* Spell a wall time; years outside 1970 to 9999 are held at the nearest end. */
void stamp_spell(int64_t wall_ns, char ret[STAMP_TEXT]);

/* Milliseconds of the coarse monotonic clock: about 5 ns a call, behind by one timer tick. */
uint64_t stamp_coarse_ms(void);

/* The inverse of stamp_spell, for readers: also without a fraction, or a date alone. 0 or
 * -EINVAL. */
int stamp_parse(const char *text, int64_t *ret_wall_ns);
