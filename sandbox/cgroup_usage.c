// SPDX-License-Identifier: Apache-2.0
/* What has happened in a leaf, and what it has used: read before it is removed. */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "sandbox/cgroup_node.h"

/* Several values of one file. */
static void read_keys(int dir, const char *file, const char *const *keys, uint64_t *const *ret)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	if (fd_read_virtual_at(dir, file, CGROUP_FILE_MAX, &buf) < 0)
		return;
	for (size_t i = 0; keys[i]; i++)
		(void)cgroup_parse_key(buf.data, keys[i], ret[i]);
}

static void read_number(int dir, const char *file, uint64_t *ret)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;
	uint64_t value;

	if (fd_read_virtual_at(dir, file, CGROUP_FILE_MAX, &buf) < 0)
		return;
	buf.data[strcspn(buf.data, "\n")] = '\0';
	if (text_parse_u64(buf.data, &value) == 0)
		*ret = value;
}

int cgroup_events(const struct cgroup *cg, struct cgroup_events *ret)
{
	static const char *const memory[] = { "oom", "oom_kill", "high", NULL };
	static const char *const cpu[] = { "nr_throttled", "throttled_usec", NULL };
	struct cgroup_events e = { 0 };

	if (cg->fd < 0)
		return -EBADF;
	/* A leaf has no children, so that these are what happened in it and nowhere else: oom where
	 * its own limit was the reason, oom_kill whoever's was. */
	if (cg->counts & CGROUP_MEMORY) {
		read_keys(cg->fd, "memory.events", memory,
			  (uint64_t *const[]){ &e.oom, &e.oom_kill, &e.memory_high });
		cgroup_read_key(cg->fd, "memory.swap.events", "max", &e.swap_max);
	}
	if (cg->counts & CGROUP_PIDS)
		cgroup_read_key(cg->fd, "pids.events", "max", &e.pids_max);
	if (cg->in_force & CGROUP_LIMIT(CPU))
		read_keys(cg->fd, "cpu.stat", cpu,
			  (uint64_t *const[]){ &e.throttled, &e.throttled_usec });
	*ret = e;
	return 0;
}

void cgroup_usage(const struct cgroup *cg, struct audit_usage *u)
{
	static const char *const cpu[] = { "usage_usec", "user_usec", "system_usec", NULL };
	_cleanup_buf_ struct buf io = BUF_INIT;

	if (cg->fd < 0)
		return;
	/* These three are counted in every node, with the cpu controller or without. */
	read_keys(cg->fd, "cpu.stat", cpu,
		  (uint64_t *const[]){ &u->cpu_usec, &u->user_usec, &u->system_usec });
	if (cg->counts & CGROUP_MEMORY) {
		read_number(cg->fd, "memory.peak", &u->memory_peak); /* Linux 5.19 */
		cgroup_read_key(cg->fd, "memory.events", "oom_kill", &u->oom_kills);
	}
	if (cg->counts & CGROUP_PIDS)
		read_number(cg->fd, "pids.peak", &u->pids_peak); /* Linux 6.11 */
	if ((cg->counts & CGROUP_IO) &&
	    fd_read_virtual_at(cg->fd, "io.stat", CGROUP_FILE_MAX, &io) == 0) {
		/* No line at all: nothing has reached a device. */
		u->read_bytes = u->write_bytes = 0;
		(void)cgroup_parse_sum(io.data, "rbytes", &u->read_bytes);
		(void)cgroup_parse_sum(io.data, "wbytes", &u->write_bytes);
	}
}
