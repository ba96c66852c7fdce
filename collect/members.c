// SPDX-License-Identifier: Apache-2.0
#include "collect/members.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

enum { UNIT_SHIFT = 2, LONG_AGO = 1 << 30 };

int members_init(struct members *m)
{
	m->table = mmap(NULL, MEMBERS_MAX * sizeof(m->table[0]), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->table == MAP_FAILED) {
		m->table = NULL;
		return -ENOMEM;
	}
	(void)madvise(m->table, MEMBERS_MAX * sizeof(m->table[0]), MADV_NOHUGEPAGE);
	return 0;
}

void members_done(struct members *m)
{
	if (m->table)
		(void)munmap(m->table, MEMBERS_MAX * sizeof(m->table[0]));
	m->table = NULL;
}

static uint32_t unit(uint64_t mono_ms)
{
	return (uint32_t)(mono_ms >> UNIT_SHIFT);
}

static bool is_later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static struct member *at(const struct members *m, pid_t pid)
{
	return pid > 0 && pid < MEMBERS_MAX ? &m->table[pid] : NULL;
}

void members_begin(struct members *m, uint64_t mono_ms, bool all_read)
{
	m->since = unit(mono_ms) - (all_read ? LONG_AGO : 0);
}

void members_put(struct members *m, pid_t pid, uint32_t serial, uint64_t mono_ms)
{
	struct member *e = at(m, pid);

	/* Most processes of a machine are of no sandbox, and follow one that was of none. */
	if (!e || (serial == 0 && e->serial == 0))
		return;
	*e = (struct member){ .serial = serial, .forked = unit(mono_ms), .before = e->ended };
}

void members_put_first(struct members *m, pid_t pid, uint32_t serial)
{
	struct member *e = at(m, pid);

	if (e)
		*e = (struct member){ .serial = serial,
				      .forked = m->since - LONG_AGO,
				      .before = m->since - LONG_AGO };
}

void members_ended(struct members *m, pid_t pid, uint64_t mono_ms)
{
	struct member *e = at(m, pid);

	if (e)
		e->ended = unit(mono_ms);
}

uint32_t members_get(const struct members *m, pid_t pid, uint64_t mono_ms)
{
	const struct member *e = at(m, pid);
	uint32_t t = unit(mono_ms), before;

	if (!e || e->serial == 0)
		return 0;
	if (is_later(t, e->forked))
		return e->serial;
	before = is_later(m->since, e->before) ? m->since : e->before;
	return is_later(t, before) ? e->serial : MEMBERS_UNSURE;
}

uint32_t members_owner(const struct members *m, pid_t pid)
{
	const struct member *e = at(m, pid);

	return e ? e->serial : 0;
}
