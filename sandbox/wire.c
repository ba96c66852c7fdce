// SPDX-License-Identifier: Apache-2.0
#include "sandbox/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

int wire_pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}

int wire_send(int wire, enum wire_kind kind, int fd)
{
	char byte = (char)kind;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(wire, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int wire_receive(int wire, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		/* Room for one: padding would take a second, which nobody would close. What is
		 * over is dropped by the kernel, and told (MSG_CTRUNC, recvmsg(2)). */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	struct cmsghdr *c;
	ssize_t n;

	/* ECONNRESET: the other side ended with a word of ours unread, which the kernel tells once
	 * and before what that side had said (net/unix/af_unix.c, unix_release_sock()). */
	do {
		n = recvmsg(wire, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (n == 0)
		return 0;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    (byte != WIRE_PTY && byte != WIRE_RUNNING))
		return -EPROTO;
	*ret_fd = TAKE_FD(fd);
	return byte;
}

int wire_consent(int wire)
{
	ssize_t n;

	do {
		n = send(wire, "g", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -errno;
}

int wire_wait_consent(int wire)
{
	char byte;
	ssize_t n;

	do {
		n = recv(wire, &byte, 1, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 1 && byte == 'g' ? 0 : -ECANCELED;
}
