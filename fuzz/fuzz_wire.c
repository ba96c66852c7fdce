// SPDX-License-Identifier: Apache-2.0
/*
 * Packets that no child of ours would send. Input: a packet each, its first byte the number of
 * descriptors that go with it (low 4 bits) and of its bytes (high 4). After each the receiver holds
 * one descriptor or none, and the table of descriptors has not grown.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FDS = 15 };

static int lowest_free(void)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);

	(void)close(fd);
	return fd;
}

static void send_packet(int wire, const uint8_t *bytes, size_t n, unsigned n_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	} control = { .space = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[MAX_FDS] = { 0 };

	if (n_fds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	(void)sendmsg(wire, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int wire[2], before;

	if (wire_pair(wire) < 0)
		return 0;
	before = lowest_free();
	while (size > 0) {
		const unsigned n_fds = data[0] & 15;
		size_t n = data[0] >> 4;
		int fd = -1, r;

		data++;
		size--;
		n = n < size ? n : size;
		if (n == 0 && n_fds == 0)
			continue; /* nothing that is sent: the receiver would wait */
		send_packet(wire[1], data, n, n_fds);
		r = wire_receive(wire[0], &fd);
		if (r > 0 && r != WIRE_PTY && r != WIRE_RUNNING)
			abort();
		if (r > 0 && (n != 1 || n_fds > 1 || data[0] != r || (n_fds == 1) != (fd >= 0)))
			abort();
		if (r <= 0 && fd >= 0)
			abort(); /* a descriptor with no packet: nobody closes it */
		if (fd >= 0)
			(void)close(fd);
		if (lowest_free() != before)
			abort();
		data += n;
		size -= n;
	}
	(void)close(wire[0]);
	(void)close(wire[1]);
	return 0;
}
