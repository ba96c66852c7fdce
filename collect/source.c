// SPDX-License-Identifier: Apache-2.0
#include "collect/source.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "collect/netlink.h"

static int join(void)
{
	return netlink_join(NETLINK_AUDIT, 1U << (AUDIT_NLGRP_READLOG - 1), 8 << 20);
}

int source_open(struct err *err)
{
	int fd = join();

	if (fd >= 0)
		return fd;
	(void)err_set(err, fd, "listen to the kernel's audit");
	if (fd == -EPERM)
		(void)err_hint(err, "it takes the capability CAP_AUDIT_READ, in the first user "
				    "namespace; cordon-collect.service gives it");
	else if (fd == -EPROTONOSUPPORT)
		(void)err_hint(err, "this kernel has no audit, or was started with audit=0");
	return fd;
}

bool source_is_on(int fd)
{
	_cleanup_close_ int second = join();
	static struct source_record record;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (second < 0)
		return false;
	for (int i = 0; i < 1000 && poll(&p, 1, 300) > 0; i++) {
		int r = source_next(fd, &record);

		if (r < 0 && r != -ENOBUFS)
			return false;
		/* Records of other types come with audit off, too. */
		if (r > 0 && record.type == KERNEL_TYPE_LISTENER)
			return true;
	}
	return false;
}

int source_next(int fd, struct source_record *ret)
{
	for (;;) {
		struct sockaddr_nl from = { .nl_pid = 1 };
		struct nlmsghdr head;
		struct iovec iov[2] = {
			{ .iov_base = &head, .iov_len = sizeof(head) },
			{ .iov_base = ret->text, .iov_len = KERNEL_RECORD_MAX },
		};
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = iov,
			.msg_iovlen = 2,
		};
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		/* 0 is the kernel; a process with CAP_NET_ADMIN could send as well. (Netlink names
		 * the sender always, a test's socket never.) The length in the header is with the
		 * header in some versions, and without in others. */
		if ((msg.msg_namelen > 0 && from.nl_pid != 0) || (size_t)n < sizeof(head))
			continue;
		if (msg.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		ret->type = head.nlmsg_type;
		ret->len = (size_t)n - sizeof(head);
		while (ret->len > 0 && ret->text[ret->len - 1] == '\0')
			ret->len--;
		ret->text[ret->len] = '\0';
		return 1;
	}
}
