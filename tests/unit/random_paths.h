// SPDX-License-Identifier: Apache-2.0
/* Random path lines, among them names that mean something to AppArmor's patterns, and paths to
 * probe them with. The same seed gives the same ones on every machine. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "policies/model.h"
#include "tests/unit/random_policy.h"

enum { MAX_LINES = 12 };

static const char *const odd_names[] = {
	"a",	 "b",	 "ab",	 "abc",	  "abd", "b*",	"{a,b}",    "[^a]", "?",   "a b",
	"\"q\"", "\\",	 "@{H}", "#x",	  "-",	 "a-",	"\xc3\xa9", "^",    "x,y", "\\x41",
	"home",	 "root", "proc", "1",	  "12",	 "12x", "4",	    "attr", "dev", "null",
	"shm",	 "sys",	 "task", "kcore", "u",	 "uv",	"\xc3\xa8", "]",    "**",  "kc",
};

static inline void random_path(uint64_t *seed, char *path, size_t size)
{
	static const char *const tops[] = { "/",      "/",     "/a/",	 "/home/",
					    "/proc/", "/dev/", "/root/", "/home/u/" };
	size_t depth = random_below(seed, 4), len;

	(void)snprintf(path, size, "%s", tops[random_below(seed, ARRAY_SIZE(tops))]);
	do {
		len = strlen(path);
		(void)snprintf(path + len, size - len, "%s%s", path[len - 1] == '/' ? "" : "/",
			       odd_names[random_below(seed, ARRAY_SIZE(odd_names))]);
	} while (depth-- > 0);
}

static inline void random_lines(uint64_t *seed, struct policy *policy, struct policy_path *lines,
				char text[][LIMIT_PATH])
{
	policy->n_paths = 0;
	for (size_t n = 1 + random_below(seed, MAX_LINES); n > 0; n--) {
		struct policy_path *line = &lines[policy->n_paths];
		char *path = text[policy->n_paths];
		bool again = false;

		switch (random_below(seed, 6)) {
		case 0:
			(void)snprintf(path, LIMIT_PATH, "/");
			break;
		case 1:
			random_path(seed, path + 1, LIMIT_PATH - 1);
			path[0] = '~';
			break;
		case 2:
			(void)snprintf(path, LIMIT_PATH, "~");
			break;
		default:
			random_path(seed, path, LIMIT_PATH);
		}
		*line = (struct policy_path){ .verb = (uint8_t)random_below(seed, 5),
					      .path = path };
		if (strncmp(path, "/proc/", 6) == 0)
			line->verb = POLICY_PATH_HIDE;
		for (size_t i = 0; i < policy->n_paths; i++)
			again = again || strcmp(lines[i].path, path) == 0;
		if (again || (path[1] == '\0' && path[0] == '/' && line->verb > POLICY_PATH_WRITE))
			continue;
		policy->n_paths++;
	}
	policy->paths = lines;
}

/* A path of a line, with a step more or less, or any. */
static inline void random_probe(uint64_t *seed, const struct policy *policy, char *path,
				size_t size)
{
	const char *line = policy->paths[random_below(seed, policy->n_paths)].path;
	size_t len;

	random_path(seed, path, size);
	if (random_below(seed, 3) == 0)
		return;
	if (line[0] == '~')
		(void)snprintf(path, size, "%s%s", random_below(seed, 2) ? "/home/uv" : "/root",
			       line + 1);
	else
		(void)snprintf(path, size, "%s", line);
	len = strlen(path);
	if (random_below(seed, 2))
		(void)snprintf(path + len, size - len, "%s%s", path[len - 1] == '/' ? "" : "/",
			       odd_names[random_below(seed, ARRAY_SIZE(odd_names))]);
	else if (random_below(seed, 3) == 0 && len > 2 && path[len - 2] != '/')
		path[len - 1] = '\0';
}
