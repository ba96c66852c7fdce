// SPDX-License-Identifier: Apache-2.0
/* Addresses that a recorded call connects, binds or sends to. */
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
#include "base/fd.h"
#include "base/sys.h"

enum { MESSAGES = 1024 }; /* UIO_MAXIOV: the kernel sends no more in one call */

/* What the socket is, from a copy of its descriptor that is closed at once; the address may be of
 * another family than it. */
static void look_at(int32_t pid, int fd, struct learn_socket_kind *s)
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

static const struct learn_socket_kind *kind_of(struct learn *l, const struct learn_event *e, int fd,
					       bool *unsure)
{
	const int32_t pid = (int32_t)e->notif->pid;
	struct learn_socket_kind *s =
		&l->kinds[((uint32_t)pid * 31 + (uint32_t)fd) % LEARN_SOCKET_KINDS];
	const uint64_t age = learn_fd_age(l, fd);

	if (s->pid == pid && s->fd == fd && s->age == age && !l->blind_fds)
		return s;
	*s = (struct learn_socket_kind){ .pid = pid, .fd = fd, .age = age };
	*unsure = true;
	look_at(pid, fd, s);
	return s;
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
		if (old->bind != s->bind || old->denied != s->denied || old->family != s->family ||
		    old->port != s->port || old->type != s->type || old->protocol != s->protocol ||
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

/* A name in the file system is a file, too. */
static void put_file(struct learn *l, const struct learn_event *e, const char *name, bool bind,
		     uint16_t program)
{
	const unsigned access = bind ? LEARN_MAKE : LEARN_WRITE;
	bool unsure = false;
	size_t begin = 0;

	if (name[0] != '/') {
		if (learn_start(l, e, AT_FDCWD, l->whole, &unsure) < 0)
			return;
		if (unsure && !learn_is_valid(e)) {
			l->gone++;
			return;
		}
		begin = strlen(l->whole);
		l->whole[begin++] = '/';
	}
	memcpy(l->whole + begin, name, strlen(name) + 1);
	if (!learn_is_text(l->whole))
		l->unread++;
	else
		learn_resolve(l, l->whole, access, !bind, program, e->denied);
}

/* One address at an address, of len bytes. */
static void put_address(struct learn *l, const struct learn_event *e, bool bind, uint64_t at,
			uint64_t len, uint16_t program)
{
	struct learn_socket s = { .bind = bind,
				  .denied = e->denied,
				  .phases = (uint8_t)(1U << l->phase),
				  .program = program,
				  .count = 1 };
	const struct learn_socket_kind *kind;
	struct sockaddr_storage addr = { 0 };
	char text[160];
	bool unsure = false;

	/* none; or one that the kernel refuses */
	if (at == 0 || len < sizeof(sa_family_t) || len > sizeof(addr))
		return;
	if (learn_memory(l, e, at, &addr, (size_t)len, &unsure) != (ssize_t)len) {
		l->unread++;
		return;
	}
	kind = kind_of(l, e, (int)e->notif->data.args[0], &unsure);
	s.type = kind->type;
	s.protocol = kind->protocol;
	if (unsure && !learn_is_valid(e)) {
		l->gone++;
		return;
	}
	spell(&addr, (size_t)len, &s, text, sizeof(text));
	put(l, &s, text);
	if (s.family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path) &&
	    ((const struct sockaddr_un *)(const void *)&addr)->sun_path[0])
		put_file(l, e, text, bind, program);
}

/* struct msghdr begins with the address and its length; i386 and x32 have theirs with 32 bits a
 * word, and a member less of padding. */
static void put_messages(struct learn *l, const struct learn_event *e, unsigned n, bool several,
			 uint16_t program)
{
	const bool wide = e->abi == ABI_NATIVE;
	const size_t size = wide ? (several ? 64 : 56) : (several ? 32 : 28);
	uint64_t at = e->notif->data.args[1];

	for (unsigned i = 0; i < n; i++, at += size) {
		bool unsure = false;
		union {
			struct {
				uint64_t name;
				uint32_t len;
			} wide;
			struct {
				uint32_t name, len;
			} narrow;
		} head;
		const size_t want = wide ? 12 : 8;

		if (learn_memory(l, e, at, &head, want, &unsure) != (ssize_t)want)
			return; /* which the kernel refuses */
		if (unsure && !learn_is_valid(e)) {
			l->gone++;
			return;
		}
		put_address(l, e, false, wide ? head.wide.name : head.narrow.name,
			    wide ? head.wide.len : head.narrow.len, program);
	}
}

void learn_socket(struct learn *l, const struct learn_event *e, const struct syscall_desc *desc,
		  uint16_t program)
{
	const __u64 *arg = e->notif->data.args;

	if (strcmp(desc->name, "bind") == 0)
		put_address(l, e, true, arg[1], (uint32_t)arg[2], program);
	else if (strcmp(desc->name, "connect") == 0)
		put_address(l, e, false, arg[1], (uint32_t)arg[2], program);
	else if (strcmp(desc->name, "sendto") == 0)
		put_address(l, e, false, arg[4], (uint32_t)arg[5], program);
	else if (strcmp(desc->name, "sendmsg") == 0)
		put_messages(l, e, 1, false, program);
	else if (strcmp(desc->name, "sendmmsg") == 0)
		put_messages(l, e, (uint32_t)arg[2] < MESSAGES ? (uint32_t)arg[2] : MESSAGES, true,
			     program);
}
