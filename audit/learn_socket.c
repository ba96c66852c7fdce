// SPDX-License-Identifier: Apache-2.0
/* Addresses that a recorded call connects or binds to. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit/learn_state.h"
#include "audit/peer.h"
#include "base/fd.h"
#include "base/sys.h"

/* What the socket is, from a copy of its descriptor that is closed at once; the address may be of
 * another family than it. */
static void look_at(int32_t pid, int fd, struct learn_socket *s)
{
	_cleanup_close_ int pidfd = sys_pidfd_open(pid, 0);
	_cleanup_close_ int copy = -1;
	socklen_t len = sizeof(int);
	int value = 0;

	s->type = s->protocol = -1;
	/* A thread that does not lead its process: PIDFD_THREAD, which is O_EXCL (Linux 6.9) */
	if (pidfd < 0)
		pidfd = sys_pidfd_open(pid, O_EXCL);
	if (pidfd < 0)
		return;
	copy = sys_pidfd_getfd(pidfd, fd);
	if (copy < 0)
		return;
	if (getsockopt(copy, SOL_SOCKET, SO_TYPE, &value, &len) == 0)
		s->type = value;
	len = sizeof(int);
	if (getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &value, &len) == 0)
		s->protocol = value;
}

static void spell(const struct sockaddr_storage *addr, size_t len, struct learn_socket *s,
		  char *ret, size_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;
	const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)addr;
	const size_t name = len - offsetof(struct sockaddr_un, sun_path);

	ret[0] = '\0';
	s->family = addr->ss_family;
	if (s->family == AF_INET && len >= sizeof(*in)) {
		(void)inet_ntop(AF_INET, &in->sin_addr, ret, (socklen_t)size);
		s->port = ntohs(in->sin_port);
	} else if (s->family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, ret, (socklen_t)size);
		s->port = ntohs(in6->sin6_port);
	} else if (s->family == AF_UNIX && name > 0 && name <= sizeof(un->sun_path)) {
		const bool abstract = un->sun_path[0] == '\0';

		(void)snprintf(ret, size, "%s%.*s", abstract ? "@" : "", (int)(name - abstract),
			       un->sun_path + abstract);
	}
}

static void put(struct learn *l, const struct learn_socket *s, const char *address)
{
	struct learn_socket *old;

	for (uint32_t i = 0; i < l->n_sockets; i++) {
		old = &l->sockets[i];
		if (old->bind != s->bind || old->family != s->family || old->port != s->port ||
		    old->type != s->type || old->protocol != s->protocol ||
		    strcmp(l->text + old->address, address) != 0)
			continue;
		old->count++;
		old->phases |= s->phases;
		return;
	}
	if (l->n_sockets == LEARN_SOCKETS) {
		l->lost_sockets++;
		return;
	}
	old = &l->sockets[l->n_sockets++];
	*old = *s;
	old->address = address[0] ? learn_text(l, address) : 0;
}

void learn_socket(struct learn *l, const struct learn_event *e, const struct syscall_desc *desc,
		  uint16_t program)
{
	struct learn_socket s = { .bind = strcmp(desc->name, "bind") == 0,
				  .phases = (uint8_t)(1U << l->phase),
				  .program = program,
				  .count = 1 };
	const unsigned at = strcmp(desc->name, "sendto") == 0 ? 4 : 1;
	struct sockaddr_storage addr = { 0 };
	char text[160];
	pid_t pid = (pid_t)e->notif->pid;
	uint64_t len;

	if (at == 1 && !s.bind && strcmp(desc->name, "connect") != 0)
		return;
	len = (uint32_t)e->notif->data.args[at + 1];
	if (e->notif->data.args[at] == 0 || len < sizeof(sa_family_t) || len > sizeof(addr))
		return; /* none, or one that the kernel refuses */
	if (peer_memory(&pid, e->notif->data.args[at], &addr, (size_t)len) != (ssize_t)len) {
		l->unread++;
		return;
	}
	look_at(pid, (int)e->notif->data.args[0], &s);
	if (!learn_is_valid(e)) {
		l->gone++;
		return;
	}
	spell(&addr, (size_t)len, &s, text, sizeof(text));
	put(l, &s, text);
	/* A name in the file system is a file, too. */
	if (s.family == AF_UNIX && text[0] == '/')
		learn_resolve(l, text, s.bind ? LEARN_MAKE : LEARN_WRITE, true, program, e->denied);
}
