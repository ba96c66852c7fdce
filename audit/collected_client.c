// SPDX-License-Identifier: Apache-2.0
/* The supervisor's end of the collector's socket. */
#include "audit/collected_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "audit/stamp.h"
#include "base/fd.h"
#include "base/pass.h"

enum { AGAIN_NS = 500000 };

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EAGAIN: too many wait already */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int say(int fd, uint32_t word, int passed)
{
	const struct collected_word w = { .word = word, .version = COLLECTED_VERSION };

	return pass_send(fd, &w, sizeof(w), passed, MSG_DONTWAIT);
}

/* 0 when something is there to be read, before the end. */
static int wait_for(int fd, uint64_t end_ms)
{
	uint64_t now = stamp_coarse_ms();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	if (now >= end_ms)
		return -ETIMEDOUT;
	r = poll(&p, 1, (int)(end_ms - now));
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int collected_next(struct collected *c, struct collected_packet *ret, struct kernel_text *ret_text)
{
	struct iovec iov[2] = {
		{ .iov_base = ret, .iov_len = sizeof(*ret) },
		{ .iov_base = c->text, .iov_len = sizeof(c->text) },
	};
	/* No room for descriptors: the kernel closes what is sent. */
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	if ((size_t)n < sizeof(*ret) || (msg.msg_flags & MSG_TRUNC))
		return -EPROTO;
	*ret_text = (struct kernel_text){ c->text, (size_t)n - sizeof(*ret) };
	return 1;
}

static int ask(struct collected *c, int pidfd, uint64_t end_ms)
{
	struct collected_packet packet;
	struct kernel_text text;
	int r = say(c->fd, COLLECTED_HELLO, pidfd);

	r = r ? r : wait_for(c->fd, end_ms);
	if (r == 0)
		r = collected_next(c, &packet, &text);
	if (r <= 0)
		return r < 0 ? r : -ETIMEDOUT;
	if (packet.kind != COLLECTED_READY)
		return -EPROTO;
	c->forks = packet.forks != 0;
	c->audit = packet.audit != 0;
	return packet.error < 0 && packet.error > -4096 ? packet.error : 0;
}

int collected_open(struct collected *c, const char *path, int pidfd)
{
	uint64_t end_ms = stamp_coarse_ms() + COLLECTED_WAIT_MS;
	int r = connect_to(path);

	c->fd = r < 0 ? -1 : r;
	if (r < 0)
		return r;
	/* EAGAIN: pid 1 has not written its id map yet */
	while ((r = ask(c, pidfd, end_ms)) == -EAGAIN && stamp_coarse_ms() < end_ms) {
		const struct timespec nap = { .tv_nsec = AGAIN_NS };

		(void)nanosleep(&nap, NULL);
	}
	if (r < 0)
		collected_close(c);
	return r;
}

void collected_close(struct collected *c)
{
	fd_closep(&c->fd);
}

int collected_sync(struct collected *c)
{
	return say(c->fd, COLLECTED_SYNC, -1);
}

int collected_wait(struct collected *c, uint64_t end_ms)
{
	return wait_for(c->fd, end_ms);
}

int collected_probe(const char *path)
{
	int fd = connect_to(path);

	if (fd < 0)
		return fd;
	fd_closep(&fd);
	return 0;
}
