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
	CPU_QUOTA_MAX_US = 1000000000, /* 10,000 cores; the kernel's own bound is far above */
	CPU_QUOTA_MIN_US = 1000,       /* min_cfs_quota_period, kernel/sched/core.c */
	PIDS_LIMIT_MAX = 4 << 20,      /* PID_MAX_LIMIT; pids.max refuses more */
};

static const struct {
	unsigned bit;
	const char *name;
} controllers[] = {
	{ CGROUP_PIDS, "pids" },
	{ CGROUP_MEMORY, "memory" },
	{ CGROUP_CPU, "cpu" },
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

static void add_setting(struct cgroup_setting *s, unsigned controller, const char *file,
			uint64_t value)
{
	*s = (struct cgroup_setting){ .controller = controller, .file = file };
	(void)snprintf(s->value, sizeof(s->value), "%" PRIu64, value);
}

size_t cgroup_settings(const struct cgroup_limits *limits, unsigned have,
		       struct cgroup_setting ret[CGROUP_SETTINGS])
{
	uint64_t quota;
	size_t n = 0;

	if (limits->pids && (have & CGROUP_PIDS))
		add_setting(&ret[n++], CGROUP_PIDS, "pids.max",
			    limits->pids < PIDS_LIMIT_MAX ? limits->pids : PIDS_LIMIT_MAX);
	if (limits->memory && (have & CGROUP_MEMORY)) {
		add_setting(&ret[n++], CGROUP_MEMORY, "memory.max", limits->memory);
		/* Without CONFIG_SWAP or with swapaccount=0 there is no such file and no swap is
		 * counted. */
		add_setting(&ret[n], CGROUP_MEMORY, "memory.swap.max", 0);
		ret[n++].optional = true;
		/* All or nothing: a build with one process shot dead does strange things. */
		add_setting(&ret[n++], CGROUP_MEMORY, "memory.oom.group", 1);
	}
	if (limits->cpu_milli && (have & CGROUP_CPU)) {
		if (__builtin_mul_overflow(limits->cpu_milli, CPU_PERIOD_US / 1000, &quota) ||
		    quota > CPU_QUOTA_MAX_US)
			quota = CPU_QUOTA_MAX_US;
		if (quota < CPU_QUOTA_MIN_US)
			quota = CPU_QUOTA_MIN_US;
		ret[n] = (struct cgroup_setting){ .controller = CGROUP_CPU, .file = "cpu.max" };
		(void)snprintf(ret[n].value, sizeof(ret[n].value), "%" PRIu64 " %d", quota,
			       CPU_PERIOD_US);
		n++;
	}
	return n;
}

const char *cgroup_names(unsigned bits, char ret[32])
{
	size_t i, n = 0;

	ret[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (bits & controllers[i].bit)
			n += (size_t)snprintf(ret + n, 32 - n, "%s%s", n ? ", " : "",
					      controllers[i].name);
	}
	if (n == 0)
		(void)snprintf(ret, 32, "none");
	return ret;
}
