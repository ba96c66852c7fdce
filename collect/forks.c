// SPDX-License-Identifier: Apache-2.0
#include "collect/forks.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "collect/netlink.h"

/* enum proc_cn_event, which headers have in different places */
#define EVENT_FORK 0x00000001U
#define EVENT_EXIT 0x80000000U

enum { BEFORE = NLMSG_HDRLEN + sizeof(struct cn_msg) }; /* an event */

int forks_open(void)
{
	return netlink_join(NETLINK_CONNECTOR, CN_IDX_PROC, 4 << 20);
}

/* Behind the operation stands, from Linux 6.6 on, which events are asked for; an older kernel would
 * refuse the longer message. */
int forks_listen(int fd, bool on)
{
	/* struct cn_msg ends in an array without a length, so that nothing can follow it in a
	 * structure. */
	const uint32_t data[2] = { on ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE,
				   EVENT_FORK | EVENT_EXIT };
	_Alignas(4) char ask[BEFORE + sizeof(data)];
	const struct nlmsghdr head = { .nlmsg_len = sizeof(ask), .nlmsg_type = NLMSG_DONE };
	const struct cn_msg message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(data) };

	memcpy(ask, &head, sizeof(head));
	memcpy(ask + NLMSG_HDRLEN, &message, sizeof(message));
	memcpy(ask + BEFORE, data, sizeof(data));
	return send(fd, ask, sizeof(ask), MSG_DONTWAIT) < 0 ? -errno : 0;
}

bool forks_parse(const void *packet, size_t len, struct fork_event *ret)
{
	struct nlmsghdr head;
	struct cn_msg message;
	struct {
		uint32_t what, cpu;
		uint64_t timestamp_ns;
		int32_t data[4]; /* fork: parent's pid, tgid, child's pid, tgid; exit: pid, tgid */
	} event; /* the beginning of struct proc_event, which has other lengths on other kernels */

	if (len < BEFORE + sizeof(event))
		return false;
	memcpy(&head, packet, sizeof(head));
	memcpy(&message, (const char *)packet + NLMSG_HDRLEN, sizeof(message));
	memcpy(&event, (const char *)packet + BEFORE, sizeof(event));
	if (head.nlmsg_len > len || head.nlmsg_type != NLMSG_DONE ||
	    message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC ||
	    message.len < sizeof(event))
		return false;
	*ret = (struct fork_event){ .mono_ms = event.timestamp_ns / 1000000U };
	if (event.what == EVENT_EXIT) {
		ret->exit = true;
		ret->child = event.data[1];
		return true;
	}
	ret->parent = event.data[1];
	ret->child = event.data[3];
	/* A new thread's process is its maker's. */
	return event.what == EVENT_FORK && event.data[2] == event.data[3];
}

int forks_next(int fd, struct fork_event *ret)
{
	for (;;) {
		struct sockaddr_nl from = { .nl_pid = 1 };
		socklen_t from_len = sizeof(from);
		_Alignas(8) char packet[512];
		ssize_t n = recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		/* 0 is the kernel; a process with CAP_NET_ADMIN could send as well. (Netlink names
		 * the sender always, a test's socket never.) */
		if ((from_len == 0 || from.nl_pid == 0) && forks_parse(packet, (size_t)n, ret))
			return 1;
	}
}
