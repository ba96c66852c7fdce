// SPDX-License-Identifier: Apache-2.0
#include "collect/clients.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pass.h"
#include "collect/collector.h"
#include "collect/process.h"

enum { SLOT_BITS = 12, TURNS = (1 << 20) - 1 }; /* the last is MEMBERS_UNSURE's */
_Static_assert(1 << SLOT_BITS == CLIENTS_MAX, "a serial holds a slot");

void clients_init(struct clients *c, int epoll, unsigned max)
{
	c->epoll = epoll;
	c->max = max < CLIENTS_MAX ? max : CLIENTS_MAX;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		c->client[i].fd = c->client[i].pidfd = -1;
}

void clients_done(struct clients *c)
{
	for (size_t i = 0; i < c->top; i++) {
		if (c->client[i].fd >= 0)
			clients_drop(c, &c->client[i]);
	}
}

static int watch(const struct clients *c, const struct client *client, int how, bool full)
{
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLRDHUP | (full ? (uint32_t)EPOLLOUT : 0U),
		.data.u64 = COLLECTOR_CLIENTS + (uint64_t)(client - c->client),
	};

	return epoll_ctl(c->epoll, how, client->fd, &e) < 0 ? -errno : 0;
}

static unsigned of_user(const struct clients *c, uid_t uid)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->top; i++)
		n += c->client[i].fd >= 0 && c->client[i].uid == uid;
	return n;
}

static void take(struct clients *c, int fd, uint64_t now_ms)
{
	struct client refused = { .fd = fd, .pidfd = -1 }, *client = NULL;
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0;

	for (size_t i = 0; known && i < c->max && !client; i++) {
		if (c->client[i].fd < 0)
			client = &c->client[i];
	}
	if (!client || of_user(c, peer.uid) >= CLIENTS_OF_USER) {
		c->refused++;
		(void)clients_ready(&refused, known ? -EMFILE : -EPERM, false, false);
		(void)close(fd);
		return;
	}
	*client = (struct client){
		.fd = fd, .pidfd = -1, .uid = peer.uid, .peer = peer.pid, .since_ms = now_ms
	};
	if (watch(c, client, EPOLL_CTL_ADD, false) < 0) {
		fd_closep(&client->fd);
		return;
	}
	c->n++;
	if (client - c->client >= (ptrdiff_t)c->top)
		c->top = (unsigned)(client - c->client) + 1;
}

void clients_accept(struct clients *c, int listener, uint64_t now_ms)
{
	for (int i = 0; i < 64; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		take(c, fd, now_ms);
	}
}

void clients_drop(struct clients *c, struct client *client)
{
	c->n--;
	c->registered -= client->pidfd >= 0;
	fd_closep(&client->fd); /* which takes it off the epoll set */
	fd_closep(&client->pidfd);
	client->serial = client->member = 0;
	while (c->top > 0 && c->client[c->top - 1].fd < 0)
		c->top--;
}

/* --- words --------------------------------------------------------------------------------- */

int clients_hear(struct client *client, int *ret_pidfd)
{
	struct collected_word word = { .word = 0 };
	_cleanup_close_ int fd = -1;
	ssize_t n = pass_receive(client->fd, &word, sizeof(word), MSG_DONTWAIT, &fd);

	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
	if (n == 0)
		return -ECONNRESET;
	if ((size_t)n != sizeof(word) || word.version != COLLECTED_VERSION)
		return -EPROTO;
	if (word.word == COLLECTED_HELLO && client->pidfd < 0 && fd >= 0) {
		*ret_pidfd = TAKE_FD(fd);
		return 1;
	}
	if (word.word == COLLECTED_SYNC && client->pidfd >= 0 && fd < 0)
		return 2;
	return -EPROTO;
}

/* --- registration -------------------------------------------------------------------------- */

uint32_t clients_new_serial(struct clients *c, const struct client *client)
{
	c->turn = (c->turn + 1) % TURNS;
	if (c->turn == 0)
		c->turn = 1;
	return c->turn << SLOT_BITS | (uint32_t)(client - c->client);
}

struct client *clients_by_serial(struct clients *c, uint32_t serial)
{
	struct client *client = &c->client[serial & (CLIENTS_MAX - 1)];

	return serial != 0 && client->serial == serial ? client : NULL;
}

struct client *clients_by_member(struct clients *c, uint32_t member)
{
	struct client *client = &c->client[member & (CLIENTS_MAX - 1)];

	return member != 0 && client->member == member ? client : NULL;
}

static int judge(const struct client *client, const struct process *p)
{
	int r;

	if (p->parent != client->peer || !process_is_of(p, client->uid))
		return -EPERM;
	if (p->depth < 2 || p->number[p->depth - 1] != 1)
		return -EPERM;
	r = process_maps_only(p, client->uid);
	if (r <= 0)
		return r < 0 ? r : -EPERM;
	/* All of it was said of one process, which is there. */
	return process_is_still(p);
}

static bool is_taken(const struct clients *c, pid_t pid1)
{
	for (size_t i = 0; i < c->top; i++) {
		if (c->client[i].pidfd >= 0 && c->client[i].pid1 == pid1)
			return true;
	}
	return false;
}

int clients_register(struct clients *c, struct client *client, int proc, int pidfd, uint64_t now_ms)
{
	struct process p = PROCESS_INIT;
	pid_t pid = process_of_pidfd(proc, pidfd);
	int r = pid < 0 ? (int)pid : process_open(proc, pid, &p);

	r = r ? r : judge(client, &p);
	process_close(&p);
	/* The number was the pidfd's, and is still: so all of that was about the pidfd's process.
	 */
	if (r == 0 && process_of_pidfd(proc, pidfd) != pid)
		r = -ESRCH;
	if (r == 0 && is_taken(c, pid))
		r = -EEXIST;
	if (r < 0)
		return r;
	client->pidfd = pidfd;
	client->pid1 = pid;
	client->depth = p.depth - 1;
	client->since_ms = now_ms;
	client->serial = clients_new_serial(c, client);
	client->member = clients_new_serial(c, client);
	c->registered++;
	return 0;
}

bool clients_has_pid1(const struct client *client, int proc)
{
	return client->pidfd >= 0 && process_of_pidfd(proc, client->pidfd) == client->pid1;
}

/* --- what is sent -------------------------------------------------------------------------- */

static bool put(const struct client *client, const struct collected_packet *packet,
		const char *text, size_t len)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)packet, .iov_len = sizeof(*packet) },
		{ .iov_base = (void *)(uintptr_t)text, .iov_len = len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1 };
	ssize_t n;

	do {
		n = sendmsg(client->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n >= 0;
}

bool clients_ready(struct client *client, int error, bool forks, bool audit)
{
	struct collected_packet packet = {
		.kind = COLLECTED_READY,
		.error = error,
		.forks = forks,
		.audit = audit,
	};

	return put(client, &packet, NULL, 0);
}

static void wait_for_room(struct clients *c, struct client *client)
{
	if (!client->full)
		client->full = watch(c, client, EPOLL_CTL_MOD, true) == 0;
}

void clients_room(struct clients *c, struct client *client)
{
	client->full = watch(c, client, EPOLL_CTL_MOD, false) < 0;
}

bool clients_synced(struct clients *c, struct client *client, bool whole)
{
	const struct collected_packet packet = { .kind = COLLECTED_SYNCED,
						 .error = whole ? 0 : -ETIMEDOUT };

	if (put(client, &packet, NULL, 0)) {
		client->syncing = false;
		return true;
	}
	wait_for_room(c, client);
	return false;
}

void clients_record(struct clients *c, struct client *client, const struct kernel_record *record,
		    const char *text, size_t len, enum collected_joined joined, pid_t inside)
{
	struct collected_packet packet = {
		.kind = COLLECTED_RECORD,
		.type = record->type,
		.joined = joined,
		.pid = inside > 0 ? (uint32_t)inside : 0,
	};

	if (!client->full && put(client, &packet, text, len))
		return;
	client->dropped[record->mechanism]++;
	wait_for_room(c, client);
}

bool clients_lost(struct clients *c, struct client *client, uint64_t events, uint64_t unknown,
		  uint64_t now_ms)
{
	struct collected_packet packet = {
		.kind = COLLECTED_LOST,
		.events = events - client->told_events,
		.unjoined = client->unjoined + unknown - client->told_unknown,
	};
	bool any = packet.events > 0 || packet.unjoined > 0;

	for (unsigned i = 0; i < _KERNEL_MECHANISM_MAX; i++) {
		packet.dropped[i] = client->dropped[i];
		any = any || packet.dropped[i] > 0;
	}
	client->told_ms = now_ms;
	if (!any)
		return true;
	if (!put(client, &packet, NULL, 0)) {
		wait_for_room(c, client);
		return false;
	}
	memset(client->dropped, 0, sizeof(client->dropped));
	client->unjoined = 0;
	client->told_events = events;
	client->told_unknown = unknown;
	return true;
}
