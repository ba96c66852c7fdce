// SPDX-License-Identifier: Apache-2.0
/* What the kernel's cgroup files say, and what is written into them: text only, no descriptor. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sandbox/cgroup.h"

enum {
	CPU_PERIOD_US = 100000,
	CPU_PERIOD_MAX_US = 1000000,   /* max_cfs_quota_period, kernel/sched/core.c */
	CPU_QUOTA_MAX_US = 1000000000, /* 10,000 cores; the kernel's own bound is far above */
	CPU_QUOTA_MIN_US = 1000,       /* min_cfs_quota_period, kernel/sched/core.c */
	PIDS_LIMIT_MAX = 4 << 20,      /* PID_MAX_LIMIT; pids.max refuses more */
};

static const struct {
	unsigned bit;
	const char *name;
} controllers[] = {
	{ CGROUP_PIDS, "pids" }, { CGROUP_MEMORY, "memory" }, { CGROUP_CPU, "cpu" },
	{ CGROUP_IO, "io" },	 { CGROUP_CPUSET, "cpuset" },
};

int cgroup_parse_self(const char *text, char *ret, size_t size)
{
	const char *line = text, *end;

	while (*line && !text_starts_with(line, "0::")) {
		line = strchr(line, '\n');
		if (!line)
			return -ENOENT;
		line++;
	}
	if (!*line)
		return -ENOENT;
	line += 3;
	end = strchrnul(line, '\n');
	if (line[0] != '/')
		return -EINVAL;
	/* "/.." in front: a node outside of the cgroup namespace's root (cgroup_namespaces(7)). */
	if (text_starts_with(line, "/../") || (end - line == 3 && memcmp(line, "/..", 3) == 0))
		return -EXDEV;
	if ((size_t)(end - line) >= size)
		return -ENAMETOOLONG;
	memcpy(ret, line, (size_t)(end - line));
	ret[end - line] = '\0';
	return 0;
}

/* A field of mountinfo with its \ooo escapes undone; NULL when it does not fit. Returns its end. */
static const char *mount_field(const char *p, char *ret, size_t size)
{
	size_t n = 0;

	while (*p && *p != ' ' && *p != '\n') {
		char c = *p++;

		if (c == '\\' && p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' &&
		    p[2] >= '0' && p[2] <= '7') {
			c = (char)((p[0] - '0') * 64 + (p[1] - '0') * 8 + (p[2] - '0'));
			p += 3;
		}
		if (n + 1 >= size)
			return NULL;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return p;
}

static const char *skip_fields(const char *p, int n)
{
	while (n > 0 && *p && *p != '\n') {
		if (*p++ == ' ')
			n--;
	}
	return p;
}

/* "id parent major:minor ROOT POINT options [tags...] - TYPE source super" (proc(5)). */
int cgroup_parse_mountinfo(const char *text, struct cgroup_mount *ret)
{
	const char *line, *next, *p, *dash;

	for (line = text; *line; line = next) {
		next = strchrnul(line, '\n');
		dash = memmem(line, (size_t)(next - line), " - ", 3);
		if (*next)
			next++;
		if (!dash || !text_starts_with(dash, " - cgroup2 "))
			continue;
		p = mount_field(skip_fields(line, 3), ret->root, sizeof(ret->root));
		if (p && *p == ' ')
			p = mount_field(p + 1, ret->point, sizeof(ret->point));
		if (!p || ret->root[0] != '/' || ret->point[0] != '/')
			return -EINVAL;
		return 0;
	}
	return -ENOENT;
}

int cgroup_relative(const struct cgroup_mount *mount, const char *path, const char **ret)
{
	size_t n = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

	if (strncmp(path, mount->root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return -EXDEV;
	*ret = path + n + (path[n] == '/');
	return 0;
}

unsigned cgroup_parse_controllers(const char *text)
{
	unsigned ret = 0;
	size_t i, n;

	for (; *text; text += n + (text[n] != '\0')) {
		n = strcspn(text, " \n");
		for (i = 0; i < ARRAY_SIZE(controllers); i++) {
			if (strlen(controllers[i].name) == n &&
			    memcmp(controllers[i].name, text, n) == 0)
				ret |= controllers[i].bit;
		}
	}
	return ret;
}

int cgroup_parse_key(const char *text, const char *key, uint64_t *ret)
{
	size_t n = strlen(key);
	char value[24];

	while (*text) {
		const char *end = strchrnul(text, '\n');

		if ((size_t)(end - text) > n + 1 && memcmp(text, key, n) == 0 && text[n] == ' ') {
			size_t len = (size_t)(end - text) - n - 1;

			if (len >= sizeof(value))
				return -EINVAL;
			memcpy(value, text + n + 1, len);
			value[len] = '\0';
			return text_parse_u64(value, ret);
		}
		text = *end ? end + 1 : end;
	}
	return -ENOENT;
}

int cgroup_parse_sum(const char *text, const char *key, uint64_t *ret)
{
	const size_t n = strlen(key);
	uint64_t sum = 0, value;
	bool any = false;

	for (const char *p = text; *p; p += *p != '\0') {
		char number[24];
		size_t len;

		p += strspn(p, " \n");
		len = strcspn(p, " \n");
		if (len > n + 1 && memcmp(p, key, n) == 0 && p[n] == '=' &&
		    len - n - 1 < sizeof(number)) {
			memcpy(number, p + n + 1, len - n - 1);
			number[len - n - 1] = '\0';
			if (text_parse_u64(number, &value) == 0) {
				any = true;
				if (__builtin_add_overflow(sum, value, &sum))
					sum = UINT64_MAX;
			}
		}
		p += len;
	}
	if (!any)
		return -ENOENT;
	*ret = sum;
	return 0;
}

unsigned cgroup_controllers(unsigned limits)
{
	static const unsigned needs[_POLICY_LIMIT_MAX] = {
		[POLICY_LIMIT_PIDS] = CGROUP_PIDS,    [POLICY_LIMIT_MEMORY] = CGROUP_MEMORY,
		[POLICY_LIMIT_CPU] = CGROUP_CPU,      [POLICY_LIMIT_MEMORY_HIGH] = CGROUP_MEMORY,
		[POLICY_LIMIT_SWAP] = CGROUP_MEMORY,  [POLICY_LIMIT_CPU_WEIGHT] = CGROUP_CPU,
		[POLICY_LIMIT_IO_WEIGHT] = CGROUP_IO, [POLICY_LIMIT_CPUSET] = CGROUP_CPUSET,
	};
	unsigned ret = 0;

	for (size_t i = 0; i < _POLICY_LIMIT_MAX; i++)
		ret |= limits >> i & 1 ? needs[i] : 0;
	return ret;
}

static void add_setting(struct cgroup_setting *s, enum policy_limit limit, const char *file,
			uint64_t value)
{
	*s = (struct cgroup_setting){ .limit = limit, .file = file };
	(void)snprintf(s->value, sizeof(s->value), "%" PRIu64, value);
}

/* "QUOTA PERIOD". A share too small for the usual period is one of the longest, which holds what it
 * says by longer stops. */
static void put_cpu_max(uint64_t milli, char *ret, size_t size)
{
	uint64_t quota, period = CPU_PERIOD_US;

	if (milli < CPU_QUOTA_MIN_US / (CPU_PERIOD_US / 1000))
		period = CPU_PERIOD_MAX_US;
	if (__builtin_mul_overflow(milli, period / 1000, &quota) || quota > CPU_QUOTA_MAX_US)
		quota = CPU_QUOTA_MAX_US;
	(void)snprintf(ret, size, "%" PRIu64 " %" PRIu64, quota, period);
}

static size_t put_memory(const struct cgroup_limits *limits, struct cgroup_setting *ret)
{
	const uint64_t *value = limits->value;
	size_t n = 0;

	if (limits->set & CGROUP_LIMIT(MEMORY_HIGH))
		add_setting(&ret[n++], POLICY_LIMIT_MEMORY_HIGH, "memory.high",
			    value[POLICY_LIMIT_MEMORY_HIGH]);
	if (limits->set & CGROUP_LIMIT(MEMORY)) {
		add_setting(&ret[n++], POLICY_LIMIT_MEMORY, "memory.max",
			    value[POLICY_LIMIT_MEMORY]);
		/* All or nothing: a build with one process shot dead does strange things. */
		add_setting(&ret[n++], POLICY_LIMIT_MEMORY, "memory.oom.group", 1);
	}
	if (limits->set & CGROUP_LIMIT(SWAP)) {
		add_setting(&ret[n++], POLICY_LIMIT_SWAP, "memory.swap.max",
			    value[POLICY_LIMIT_SWAP]);
	} else if (limits->set & CGROUP_LIMIT(MEMORY)) {
		/* Without CONFIG_SWAP or with swapaccount=0 there is no such file and no swap is
		 * counted. */
		add_setting(&ret[n], POLICY_LIMIT_MEMORY, "memory.swap.max", 0);
		ret[n++].optional = true;
	}
	return n;
}

size_t cgroup_settings(const struct cgroup_limits *limits, unsigned have,
		       struct cgroup_setting ret[CGROUP_SETTINGS])
{
	const uint64_t *value = limits->value;
	size_t n = 0;

	if ((limits->set & CGROUP_LIMIT(PIDS)) && (have & CGROUP_PIDS))
		add_setting(&ret[n++], POLICY_LIMIT_PIDS, "pids.max",
			    value[POLICY_LIMIT_PIDS] < PIDS_LIMIT_MAX ? value[POLICY_LIMIT_PIDS]
								      : PIDS_LIMIT_MAX);
	if (have & CGROUP_MEMORY)
		n += put_memory(limits, ret + n);
	if ((limits->set & CGROUP_LIMIT(CPU)) && (have & CGROUP_CPU)) {
		ret[n] = (struct cgroup_setting){ .limit = POLICY_LIMIT_CPU, .file = "cpu.max" };
		put_cpu_max(value[POLICY_LIMIT_CPU], ret[n].value, sizeof(ret[n].value));
		n++;
	}
	if ((limits->set & CGROUP_LIMIT(CPU_WEIGHT)) && (have & CGROUP_CPU))
		add_setting(&ret[n++], POLICY_LIMIT_CPU_WEIGHT, "cpu.weight",
			    value[POLICY_LIMIT_CPU_WEIGHT]);
	if ((limits->set & CGROUP_LIMIT(IO_WEIGHT)) && (have & CGROUP_IO))
		add_setting(&ret[n++], POLICY_LIMIT_IO_WEIGHT, "io.weight",
			    value[POLICY_LIMIT_IO_WEIGHT]);
	return n;
}

const char *cgroup_names(unsigned bits, char ret[48])
{
	size_t i, n = 0;

	ret[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (bits & controllers[i].bit)
			n += (size_t)snprintf(ret + n, 48 - n, "%s%s", n ? ", " : "",
					      controllers[i].name);
	}
	if (n == 0)
		(void)snprintf(ret, 48, "none");
	return ret;
}
