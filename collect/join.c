// SPDX-License-Identifier: Apache-2.0
/*
 * Whose a record is. What decides is said by the kernel alone: fork events, /proc, the records
 * themselves. Who is not found by it gets nothing: a denial that goes to the wrong user is worse
 * than one that goes to none. doc/decisions/0015 has the table of joins and their order.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "collect/forks.h"
#include "collect/state.h"

enum {
	WALK_MAX = 64, /* parents up to a pid 1 */
	LATE_MS = 250, /* that a record's time may be behind; see members.h */
	CLIENT_DOMAINS = 256,
};

int64_t join_wall_offset_ms(void)
{
	return clock_ms_of(CLOCK_REALTIME) - clock_ms_of(CLOCK_MONOTONIC);
}

/* A record's time on another clock; 0 for one before its begin. */
static uint64_t time_on(clockid_t clock, int64_t wall_ms)
{
	int64_t t = wall_ms - (clock_ms_of(CLOCK_REALTIME) - clock_ms_of(clock));

	return t > 0 ? (uint64_t)t : 0;
}

/* --- fork events --------------------------------------------------------------------------- */

/* What the table says may be of numbers that were given again: it begins anew. Processes that are
 * there are found by their parents, and those that these make by fork events again. */
static void forget(struct collector *c)
{
	members_begin(&c->members, c->now_ms, false);
	for (size_t i = 0; i < c->clients.top; i++) {
		struct client *client = &c->clients.client[i];

		if (client->pidfd < 0)
			continue;
		client->member = clients_new_serial(&c->clients, client);
		client->walk = c->any_walk = true;
		if (clients_has_pid1(client, c->proc))
			members_put_first(&c->members, client->pid1, client->member);
	}
}

void join_forks(struct collector *c)
{
	struct fork_event e;
	int r;

	if (!c->forks_on)
		return;
	while ((r = forks_next(c->forks, &e)) != 0) {
		uint32_t member;

		if (r == -ENOBUFS) {
			forget(c);
			continue;
		}
		if (r < 0) { /* no more events: each look goes by /proc */
			forget(c);
			c->forks_on = false;
			return;
		}
		if (e.exit) {
			members_ended(&c->members, e.child, e.mono_ms);
			continue;
		}
		/* Who forks owns its number. */
		member = members_owner(&c->members, e.parent);
		if (!clients_by_member(&c->clients, member))
			member = 0;
		members_put(&c->members, e.child, member, e.mono_ms);
	}
}

void join_client(struct collector *c, struct client *client)
{
	client->walk = !c->forks_on;
	c->any_walk = c->any_walk || client->walk;
	client->told_events = c->lost;
	client->told_unknown = c->unknown;
	members_put_first(&c->members, client->pid1, client->member);
}

/* --- by process ---------------------------------------------------------------------------- */

/* When a record was made, by the clock that it has. */
struct stamp_of {
	int64_t wall_ms;
	bool has_uid; /* and whose it is, by is_others() */
};

static struct stamp_of stamp_of(const struct kernel_record *record)
{
	return (struct stamp_of){ record->time_ms, kernel_record_get(record, "uid") ||
							   kernel_record_get(record, "fsuid") };
}

/* A registered pid 1 of that number. */
static struct client *of_pid1(struct collector *c, pid_t pid)
{
	struct client *client = clients_by_member(&c->clients, members_owner(&c->members, pid));

	return client && client->pid1 == pid && clients_has_pid1(client, c->proc) ? client : NULL;
}

/* Up the parents of a process that is there, to a registered pid 1. Each is held by its directory
 * while the next is looked at, and at the end all must be there with the parents that they had:
 * then they were a family at one moment. Descendants of a pid 1 are in its namespace or below it,
 * for setns(2) and unshare(2) lead only downwards. *ret_gone: one of them was not there to the end.
 */
static struct client *walk(struct collector *c, pid_t pid, const struct stamp_of *at,
			   bool *ret_gone)
{
	static struct process chain[WALK_MAX];
	struct client *client = NULL;
	bool there = true, top = false;
	uint64_t started;
	size_t n = 0;

	for (pid_t next = pid; there && !client && !top && n < WALK_MAX;) {
		there = process_open(c->proc, next, &chain[n]) == 0;
		if (!there)
			break;
		client = of_pid1(c, chain[n].pid);
		next = chain[n++].parent;
		top = next <= 1; /* init's, or the kernel's */
	}
	/* It got the number after the record: whose the number was before is not known. A record's
	 * time can be late; to forgive that is safe where the record itself says whose it is. */
	there = there && process_started(&chain[0], &started) == 0 &&
		started <= time_on(CLOCK_BOOTTIME, at->wall_ms) + (at->has_uid ? LATE_MS : 0);
	if (client && !process_is_of(&chain[0], client->uid))
		client = NULL;
	for (size_t i = 0; i < n; i++) {
		there = there && process_is_still(&chain[i]) == 0;
		process_close(&chain[i]);
	}
	*ret_gone = !there;
	return there ? client : NULL;
}

/* The sandbox of a process, dead or alive. *ret_gone: it was not found, and could have been one of
 * a sandbox's all the same. */
static struct client *by_pid(struct collector *c, pid_t pid, const struct stamp_of *at,
			     bool *ret_gone)
{
	uint32_t member = members_get(&c->members, pid, time_on(CLOCK_MONOTONIC, at->wall_ms));
	struct client *client =
		member != MEMBERS_UNSURE ? clients_by_member(&c->clients, member) : NULL;

	*ret_gone = member == MEMBERS_UNSURE && c->forks_on;
	if (*ret_gone)
		return NULL;
	/* Where numbers that are given again are not told of, only /proc is to be believed. */
	if (client && c->forks_on)
		return client;
	return c->any_walk ? walk(c, pid, at, ret_gone) : NULL;
}

static pid_t pid_of(const struct kernel_record *record, const char *key)
{
	uint64_t n;

	return kernel_record_number(record, key, 10, &n) == 0 && n < MEMBERS_MAX ? (pid_t)n : 0;
}

/* Its number inside, when it is there still. */
static pid_t inside(const struct collector *c, const struct client *client, pid_t pid)
{
	struct process p = PROCESS_INIT;
	pid_t number = 0;

	if (pid > 0 && process_open(c->proc, pid, &p) == 0 && p.depth > client->depth)
		number = p.number[client->depth];
	process_close(&p);
	return number;
}

/* --- handing over -------------------------------------------------------------------------- */

/* The record's own word on who it was: nobody gets what is another user's, however it was joined.
 */
static bool is_others(const struct kernel_record *record, const struct client *client)
{
	static const char *const keys[] = { "uid", "fsuid" };
	uint64_t uid;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (kernel_record_get(record, keys[i]) &&
		    (kernel_record_number(record, keys[i], 10, &uid) < 0 || uid != client->uid))
			return true;
	}
	return false;
}

static void deliver(struct collector *c, struct client *client, const struct kernel_record *record,
		    const char *text, size_t len, enum collected_joined how)
{
	if (is_others(record, client))
		return;
	c->totals.delivered++;
	clients_record(&c->clients, client, record, text, len, how,
		       inside(c, client, pid_of(record, "pid")));
}

/* Nothing but its user is known. One sandbox of this user's, and no fork events to say that it is
 * another's: it may be that one's. */
static void by_uid(struct collector *c, const struct kernel_record *record, const char *text,
		   size_t len)
{
	uint64_t uid, at = time_on(CLOCK_MONOTONIC, record->time_ms) + LATE_MS;
	struct client *only = NULL;
	unsigned n = 0;

	if (kernel_record_number(record, "uid", 10, &uid) < 0 &&
	    kernel_record_number(record, "fsuid", 10, &uid) < 0) {
		c->totals.unjoined++;
		c->unknown++;
		return;
	}
	for (size_t i = 0; i < c->clients.top; i++) {
		struct client *client = &c->clients.client[i];

		if (client->pidfd < 0 || client->uid != uid || client->since_ms > at)
			continue;
		client->unjoined++;
		only = client;
		n++;
	}
	if (n == 1 && only->walk) {
		only->unjoined--;
		deliver(c, only, record, text, len, COLLECTED_BY_UID);
	} else {
		c->totals.unjoined++;
	}
}

/* --- records ------------------------------------------------------------------------------- */

static bool lives(void *ctx, uint32_t serial)
{
	return clients_by_serial(ctx, serial) != NULL;
}

static void give_up(struct collector *c, struct held_record *h)
{
	if (h->why == HELD_FOR_PARENT &&
	    kernel_record_parse(h->type, h->text, h->len, &c->held_record) == 0)
		by_uid(c, &c->held_record, h->text, h->len);
	if (h->why == HELD_FOR_DOMAIN)
		(void)domains_put(&c->domains, h->key, 0, lives, &c->clients);
	held_drop(&c->held, h);
}

static void hold(struct collector *c, enum held_why why, uint64_t key)
{
	struct held_record *old;

	while ((old = held_put(&c->held, why, key, c->in.type, c->in.text, c->in.len, c->now_ms)))
		give_up(c, old);
}

static void take_landlock(struct collector *c)
{
	struct client *client;
	uint32_t serial = 0;
	uint64_t id;
	int r;

	if (kernel_record_number(&c->record, "domain", 16, &id) < 0)
		return;
	r = domains_get(&c->domains, id, &serial);
	if (r == DOMAINS_UNKNOWN) {
		hold(c, HELD_FOR_DOMAIN, id);
		return;
	}
	client = r > 0 ? clients_by_serial(&c->clients, serial) : NULL;
	if (client)
		deliver(c, client, &c->record, c->in.text, c->in.len, COLLECTED_BY_DOMAIN);
}

static void take_denial(struct collector *c)
{
	const struct kernel_record *record = &c->record;
	const struct stamp_of at = stamp_of(record);
	struct client *client;
	bool gone;

	c->totals.denials++;
	if (record->mechanism == KERNEL_LANDLOCK) {
		take_landlock(c);
		return;
	}
	client = by_pid(c, pid_of(record, "pid"), &at, &gone);
	if (client)
		deliver(c, client, record, c->in.text, c->in.len, COLLECTED_BY_PID);
	else if (gone)
		hold(c, HELD_FOR_PARENT, record->serial);
}

/* Who made a domain, said when its first denial is. That may be long after, but for a sandbox's own
 * domain: its maker is pid 1, which outlives it. The uid is the maker's at that time. */
static struct client *maker(struct collector *c)
{
	const struct stamp_of at = stamp_of(&c->record);
	pid_t pid = pid_of(&c->record, "pid");
	struct client *client = of_pid1(c, pid);
	bool gone;

	return client ? client : by_pid(c, pid, &at, &gone);
}

static void take_domain(struct collector *c)
{
	const struct kernel_field *status = kernel_record_get(&c->record, "status");
	struct client *client;
	struct held_record *h;
	uint64_t id;

	if (kernel_record_number(&c->record, "domain", 16, &id) < 0)
		return;
	if (kernel_field_is(status, "deallocated")) {
		domains_drop(&c->domains, id);
		return;
	}
	client = maker(c);
	if (client && is_others(&c->record, client))
		client = NULL;
	if (client && client->n_domains++ >= CLIENT_DOMAINS) {
		client->unjoined++;
		client = NULL;
	}
	if (!domains_put(&c->domains, id, client ? client->serial : 0, lives, &c->clients) &&
	    client)
		client->unjoined++;
	while ((h = held_find(&c->held, HELD_FOR_DOMAIN, id))) {
		if (client && kernel_record_parse(h->type, h->text, h->len, &c->held_record) == 0)
			deliver(c, client, &c->held_record, h->text, h->len, COLLECTED_BY_DOMAIN);
		held_drop(&c->held, h);
	}
}

/* All four uids of the event's process. */
static bool is_of(const struct kernel_record *syscall, uid_t uid)
{
	static const char *const keys[] = { "uid", "euid", "suid", "fsuid" };
	uint64_t n;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (kernel_record_number(syscall, keys[i], 10, &n) < 0 || n != uid)
			return false;
	}
	return true;
}

/* The event's process is gone; its parent, as of then, may be a sandbox's. */
static void take_syscall(struct collector *c)
{
	struct held_record *h = held_find(&c->held, HELD_FOR_PARENT, c->record.serial);
	const struct stamp_of at = stamp_of(&c->record);
	struct client *client = NULL;
	bool gone;

	if (!h)
		return;
	client = by_pid(c, pid_of(&c->record, "ppid"), &at, &gone);
	if (client && !is_of(&c->record, client->uid))
		client = NULL;
	for (; h; h = held_find(&c->held, HELD_FOR_PARENT, c->record.serial)) {
		if (!client) {
			give_up(c, h);
			continue;
		}
		if (kernel_record_parse(h->type, h->text, h->len, &c->held_record) == 0)
			deliver(c, client, &c->held_record, h->text, h->len, COLLECTED_BY_PARENT);
		held_drop(&c->held, h);
	}
}

static void take_end(struct collector *c)
{
	struct held_record *h;

	while ((h = held_find(&c->held, HELD_FOR_PARENT, c->record.serial)))
		give_up(c, h);
}

void join_record(struct collector *c)
{
	switch (c->record.type) {
	case KERNEL_TYPE_DOMAIN:
		take_domain(c);
		break;
	case KERNEL_TYPE_SYSCALL:
		take_syscall(c);
		break;
	case KERNEL_TYPE_END:
		take_end(c);
		break;
	default:
		if (c->record.denial)
			take_denial(c);
		break;
	}
}

void join_held(struct collector *c, bool all)
{
	struct held_record *h;

	while ((h = held_expired(&c->held, c->now_ms)))
		give_up(c, h);
	for (size_t i = 0; i < HELD_MAX && all && c->held.n > 0; i++) {
		if (c->held.record[i].why == HELD_FOR_PARENT)
			give_up(c, &c->held.record[i]);
	}
}
