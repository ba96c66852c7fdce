// SPDX-License-Identifier: Apache-2.0
/* A cache of bundles behind a power failure: whatever it holds, a launch succeeds, and the entry is
 * whole behind it. */
#include "tests/durability/crash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct judge {
	const struct disk *disk;
	const struct options *o;
	size_t rebuilt, states;
};

/* Whether each file of the finished cache is in a state's names with these bytes. */
static bool is_whole(const struct judge *j, const struct state *s)
{
	const struct names *now = &j->disk->now;

	for (size_t i = 0; i < now->n; i++) {
		struct content want = disk_content(j->disk, now->of[i].inode, j->disk->n_ops);
		bool found = false;

		for (size_t k = 0; k < s->n; k++)
			found |= !strcmp(s->name[k], now->of[i].name) &&
				 s->content[k]->len == want.len &&
				 !memcmp(s->content[k]->p, want.p, want.len);
		free(want.p);
		if (!found)
			return false;
	}
	return true;
}

static bool became_whole(const struct judge *j)
{
	const struct names *now = &j->disk->now;
	bool whole = true;

	for (size_t i = 0; i < now->n && whole; i++) {
		struct content want = disk_content(j->disk, now->of[i].inode, j->disk->n_ops);
		char path[1024], *have = malloc(want.len + 1);
		int fd;

		snprintf(path, sizeof(path), "%s/%s", j->o->scratch, now->of[i].name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		whole = have && fd >= 0 && read(fd, have, want.len + 1) == (ssize_t)want.len &&
			!memcmp(have, want.p, want.len);
		if (fd >= 0)
			close(fd);
		free(have);
		free(want.p);
	}
	return whole;
}

static void judge(void *ctx, const struct state *s)
{
	struct judge *j = ctx;
	char *argv[] = { (char *)j->o->cordon,
			 "run",
			 "-q",
			 "--policy",
			 "default",
			 "--audit",
			 "stderr",
			 "--",
			 (char *)j->o->payload,
			 NULL };
	int status;

	if (crash_is_passed(j->o, s))
		return;
	j->states++;
	crash_put(j->o, s);
	status = crash_run(argv);
	j->rebuilt += !is_whole(j, s);
	if (status != 0)
		crash_finding(j->o, s, "the launch behind it ends with status %d", status);
	else if (!became_whole(j))
		crash_finding(j->o, s, "the entry is not whole behind a launch");
}

int judge_cache(const struct disk *disk, const struct options *o)
{
	struct judge j = { .disk = disk, .o = o };

	disk_states(disk, o->all, NULL, judge, &j);
	if (!o->forgot)
		printf("cache: %zu states, %zu of them damaged or not there and rebuilt; %zu "
		       "findings\n",
		       j.states, j.rebuilt, crash_findings());
	return 0;
}
