// SPDX-License-Identifier: Apache-2.0
#include "sandbox/wire.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/pass.h"

int wire_pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}

int wire_send(int wire, enum wire_kind kind, int fd)
{
	const char byte = (char)kind;

	return pass_send(wire, &byte, 1, fd, 0);
}

int wire_receive(int wire, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char byte = 0;
	ssize_t n;

	/* ECONNRESET: the other side ended with a word of ours unread, which the kernel tells once
	 * and before what that side had said (net/unix/af_unix.c, unix_release_sock()). */
	do {
		n = pass_receive(wire, &byte, 1, 0, &fd);
	} while (n == -EINTR || n == -ECONNRESET);
	if (n <= 0)
		return (int)n;
	if (byte != WIRE_PTY && byte != WIRE_RUNNING)
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
