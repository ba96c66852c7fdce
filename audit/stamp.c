// SPDX-License-Identifier: Apache-2.0
#include "audit/stamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

#define NS_PER_S  INT64_C(1000000000)
#define S_PER_DAY INT64_C(86400)
#define MAX_WALL  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/*
 * Days to a date of the Gregorian calendar, counted in years that begin in March, so that the
 * leap day is a year's last: no table of months, no time zone, no lock of the C library.
 */
static void civil_from_days(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t z = (uint64_t)(days + 719468); /* days from 0000-03-01 to 1970-01-01 */
	uint64_t era = z / 146097, in_era = z % 146097;
	uint64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	uint64_t m = (5 * in_year + 2) / 153;

	*day = (unsigned)(in_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(y + era * 400 + (*month <= 2));
}

static int64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
	uint64_t y = year - (month <= 2);
	uint64_t era = y / 400, in_era = y % 400;
	uint64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)(era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year) -
	       719468;
}

static void put_digits(char *p, uint64_t value, unsigned n)
{
	while (n-- > 0) {
		p[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

void stamp_spell(int64_t wall_ns, char ret[STAMP_TEXT])
{
	int64_t s = wall_ns < 0 ? 0 : wall_ns / NS_PER_S;
	uint64_t ns = wall_ns < 0 ? 0 : (uint64_t)(wall_ns % NS_PER_S);
	uint64_t of_day;
	unsigned year, month, day;

	if (s > MAX_WALL)
		s = MAX_WALL;
	of_day = (uint64_t)(s % S_PER_DAY);
	civil_from_days(s / S_PER_DAY, &year, &month, &day);
	memcpy(ret, "0000-00-00T00:00:00.000000000Z", STAMP_TEXT);
	put_digits(ret, year, 4);
	put_digits(ret + 5, month, 2);
	put_digits(ret + 8, day, 2);
	put_digits(ret + 11, of_day / 3600, 2);
	put_digits(ret + 14, of_day / 60 % 60, 2);
	put_digits(ret + 17, of_day % 60, 2);
	put_digits(ret + 20, ns, 9);
}

void stamp_now(struct stamp *ret)
{
	ret->wall_ns = clock_ns_of(CLOCK_REALTIME);
	ret->mono_ns = clock_ns();
	stamp_spell(ret->wall_ns, ret->text);
}

uint64_t stamp_coarse_ms(void)
{
	return (uint64_t)clock_ms_of(CLOCK_MONOTONIC_COARSE);
}

/* Exactly n digits at *p, which moves on. */
static bool take_digits(const char **p, unsigned n, unsigned *ret)
{
	unsigned value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (unsigned)(**p - '0');
	}
	*ret = value;
	return true;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

int stamp_parse(const char *text, int64_t *ret_wall_ns)
{
	const char *p = text;
	unsigned year, month, day, h = 0, m = 0, s = 0;
	int64_t wall, ns = 0, unit = NS_PER_S / 10;

	if (!take_digits(&p, 4, &year) || !take_char(&p, '-') || !take_digits(&p, 2, &month) ||
	    !take_char(&p, '-') || !take_digits(&p, 2, &day))
		return -EINVAL;
	if (*p != '\0') {
		if (!(take_char(&p, 'T') || take_char(&p, ' ')) || !take_digits(&p, 2, &h) ||
		    !take_char(&p, ':') || !take_digits(&p, 2, &m))
			return -EINVAL;
		if (take_char(&p, ':') && !take_digits(&p, 2, &s))
			return -EINVAL;
		if (take_char(&p, '.')) {
			for (; *p >= '0' && *p <= '9' && unit > 0; p++, unit /= 10)
				ns += (*p - '0') * unit;
		}
		(void)take_char(&p, 'Z');
		if (*p != '\0')
			return -EINVAL;
	}
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || h > 23 || m > 59 ||
	    s > 60)
		return -EINVAL;
	wall = days_from_civil(year, month, day) * S_PER_DAY + (int64_t)h * 3600 + (int64_t)m * 60 +
	       s;
	/* Nanoseconds in 64 bits end in the year 2262. */
	if (__builtin_mul_overflow(wall, NS_PER_S, &wall) ||
	    __builtin_add_overflow(wall, ns, &wall))
		return -EINVAL;
	*ret_wall_ns = wall;
	return 0;
}
