// SPDX-License-Identifier: Apache-2.0
#include "policies/limit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int parse_thousandths(const char *text, uint64_t *ret);

enum {
	PIDS_MAX = 4 << 20, /* PID_MAX_LIMIT of 64-bit kernels, linux/threads.h */
	CORES_MAX = 1 << 20,
	NOFILE_MAX = 0x7fffffc0, /* sysctl_nr_open_max of 64-bit kernels, fs/file.c */
	WEIGHT_MAX = 10000,	 /* CGROUP_WEIGHT_MAX, linux/cgroup.h */
};

static const struct {
	const char *name;
	int (*parse)(const char *text, uint64_t *ret); /* NULL: a list of processors */
	uint64_t min, max;
	const char *kind;
} limits[] = {
	[POLICY_LIMIT_PIDS] = { "pids", text_parse_u64, 1, PIDS_MAX, "a number of processes" },
	[POLICY_LIMIT_MEMORY] = { "memory", text_parse_size, 1, INT64_MAX, "a size as in 512M" },
	[POLICY_LIMIT_CPU] = { "cpu", parse_thousandths, 1, CORES_MAX * 1000ULL,
			       "a number of cores as in 1.5" },
	[POLICY_LIMIT_NOFILE] = { "nofile", text_parse_u64, 1, NOFILE_MAX, "a number of files" },
	[POLICY_LIMIT_UPPER] = { "upper", text_parse_size, 1, INT64_MAX, "a size as in 512M" },
	[POLICY_LIMIT_INODES] = { "inodes", text_parse_size, 1, INT64_MAX,
				  "a number of inodes as in 64K" },
	[POLICY_LIMIT_WALL] = { "wall", text_parse_duration_ms, 1, INT64_MAX,
				"a time as in 30s, 1h" },
	[POLICY_LIMIT_MEMORY_HIGH] = { "memory-high", text_parse_size, 1, INT64_MAX,
				       "a size as in 512M" },
	[POLICY_LIMIT_SWAP] = { "swap", text_parse_size, 0, INT64_MAX, "a size as in 512M (or 0)" },
	[POLICY_LIMIT_CPU_WEIGHT] = { "cpu-weight", text_parse_u64, 1, WEIGHT_MAX,
				      "a weight from 1 to 10000" },
	[POLICY_LIMIT_IO_WEIGHT] = { "io-weight", text_parse_u64, 1, WEIGHT_MAX,
				     "a weight from 1 to 10000" },
	[POLICY_LIMIT_CPUSET] = { "cpuset", NULL, 1, LIMIT_CPUS,
				  "a list of processors below 1024 as in 0-1,3" },
};
static_assert(sizeof(limits) / sizeof(limits[0]) == _POLICY_LIMIT_MAX, "each limit has a name");

const char *limit_name(enum policy_limit which)
{
	return (size_t)which < _POLICY_LIMIT_MAX ? limits[which].name : "?";
}

const char *limit_kind(enum policy_limit which)
{
	return limits[which].kind;
}

/* "2", "0.5", "1.25": at most three digits behind the point. */
static int parse_thousandths(const char *text, uint64_t *ret)
{
	const char *dot = strchr(text, '.');
	char whole[24];
	uint64_t value = 0;
	unsigned fraction = 0;
	size_t digits, len = dot ? (size_t)(dot - text) : strlen(text);

	if (len == 0 || len >= sizeof(whole))
		return -EINVAL;
	memcpy(whole, text, len);
	whole[len] = '\0';
	if (text_parse_u64(whole, &value) < 0)
		return -EINVAL;
	if (dot) {
		digits = strlen(dot + 1);
		if (digits == 0 || digits > 3 || strspn(dot + 1, "0123456789") != digits)
			return -EINVAL;
		for (size_t i = 0; i < 3; i++)
			fraction = fraction * 10 + (i < digits ? (unsigned)(dot[1 + i] - '0') : 0);
	}
	if (__builtin_mul_overflow(value, UINT64_C(1000), &value) ||
	    __builtin_add_overflow(value, fraction, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int limit_parse(enum policy_limit which, const char *text, uint64_t *ret, struct cpus *ret_cpus)
{
	struct cpus cpus;
	uint64_t value = 0;
	int r;

	r = limits[which].parse ? limits[which].parse(text, &value) : cpus_parse(text, &cpus);
	if (r < 0)
		return r;
	if (!limits[which].parse)
		value = cpus_count(&cpus);
	if (value < limits[which].min || value > limits[which].max)
		return -ERANGE;
	if (!limits[which].parse)
		*ret_cpus = cpus;
	*ret = value;
	return 0;
}

/* By the largest unit that leaves nothing over. */
static void put_size(uint64_t value, char *ret, size_t size)
{
	static const char units[] = "KMGT";
	unsigned unit = 0;

	while (value && value % 1024 == 0 && unit < strlen(units)) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(ret, size, "%" PRIu64 "%.1s", value, unit ? &units[unit - 1] : "");
}

static void put_thousandths(uint64_t value, char *ret, size_t size)
{
	size_t n = (size_t)snprintf(ret, size, "%" PRIu64 ".%03u", value / 1000,
				    (unsigned)(value % 1000));

	while (ret[n - 1] == '0')
		ret[--n] = '\0';
	if (ret[n - 1] == '.')
		ret[n - 1] = '\0';
}

static void put_time(uint64_t ms, char *ret, size_t size)
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" },
	};
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	(void)snprintf(ret, size, "%" PRIu64 "%s", ms / units[i].ms, units[i].unit);
}

const char *limit_text(enum policy_limit which, uint64_t value, const struct cpus *cpus,
		       char ret[CPUS_TEXT])
{
	if (!limits[which].parse)
		return cpus_format(cpus, ret);
	if (limits[which].parse == text_parse_size)
		put_size(value, ret, CPUS_TEXT);
	else if (limits[which].parse == parse_thousandths)
		put_thousandths(value, ret, CPUS_TEXT);
	else if (limits[which].parse == text_parse_duration_ms)
		put_time(value, ret, CPUS_TEXT);
	else
		(void)snprintf(ret, CPUS_TEXT, "%" PRIu64, value);
	return ret;
}
