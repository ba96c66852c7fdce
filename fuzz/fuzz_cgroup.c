// SPDX-License-Identifier: Apache-2.0
/* What the kernel says of cgroups, as somebody who mounts, names and nests would have it say. The
 * first byte chooses the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_self(const char *text)
{
	/* A block of its own and no longer: a byte too far is seen. */
	char *path = malloc(LIMIT_PATH);

	if (path && cgroup_parse_self(text, path, LIMIT_PATH) == 0 &&
	    (path[0] != '/' || strlen(path) >= LIMIT_PATH || strncmp(path, "/../", 4) == 0 ||
	     strchr(path, '\n')))
		abort();
	free(path);
}

static void judge_mount(const char *text)
{
	struct cgroup_mount *mount = malloc(sizeof(*mount));
	const char *rest = NULL;

	if (mount && cgroup_parse_mountinfo(text, mount) == 0) {
		if (memchr(mount->point, '\0', sizeof(mount->point)) == NULL ||
		    memchr(mount->root, '\0', sizeof(mount->root)) == NULL)
			abort();
		/* Never above the mount, whatever the root is called. */
		if (cgroup_relative(mount, text, &rest) == 0 &&
		    (rest < text || rest > text + strlen(text)))
			abort();
		if (cgroup_relative(mount, mount->root, &rest) == 0 && *rest)
			abort();
	}
	free(mount);
}

/* A list as it is read is the one that is written, and whoever reads only what he knows reads no
 * less. */
static void judge_cpus(const char *text)
{
	struct cpus cpus = { { 0 } }, again, known;
	char *list = malloc(CPUS_TEXT);

	if (list && cpus_parse(text, &cpus) == 0 &&
	    (cpus_parse(cpus_format(&cpus, list), &again) < 0 || !cpus_equal(&cpus, &again) ||
	     cpus_count(&cpus) == 0 || cpus_parse_known(text, &known) < 0 ||
	     !cpus_equal(&cpus, &known)))
		abort();
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	uint64_t value;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		judge_self(text);
		break;
	case 1:
		judge_mount(text);
		break;
	case 2:
		(void)cgroup_parse_controllers(text);
		break;
	default:
		(void)cgroup_parse_key(text, "oom_kill", &value);
		(void)cgroup_parse_sum(text, "rbytes", &value);
		judge_cpus(text);
		break;
	}
	free(text);
	return 0;
}
