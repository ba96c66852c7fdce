// SPDX-License-Identifier: Apache-2.0
/* Packets that carry descriptors, from somebody who is not who he should be. */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FUZZ_MAX_FDS = 15 };

/* The same before and after: nobody kept a descriptor. */
static inline int fuzz_lowest_free(void)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);

	(void)close(fd);
	return fd;
}

/* n_fds times descriptor 0, at most FUZZ_MAX_FDS. Whether it was sent. */
static inline bool fuzz_send(int to, const uint8_t *bytes, size_t n, unsigned n_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FUZZ_MAX_FDS)];
	} control = { .space = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}
