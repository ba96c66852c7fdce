// SPDX-License-Identifier: Apache-2.0
#include "audit/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"

/* The number behind the last blank of the line that begins with key, or false. */
static bool field(const char *text, const char *key, bool last, uint32_t *ret)
{
	const char *p = strstr(text, key), *end;
	uint64_t value = 0;

	if (!p)
		return false;
	p += strlen(key);
	end = p + strcspn(p, "\n");
	if (last) {
		while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		for (const char *q = p; q < end; q++) {
			if (*q == ' ' || *q == '\t')
				p = q + 1;
		}
	}
	for (; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9' && value <= UINT32_MAX; p++)
		value = value * 10 + (unsigned)(*p - '0');
	if (value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static ssize_t read_small(int dir, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size);
	return n < 0 ? -errno : n;
}

void peer_read(pid_t pid, struct peer *ret)
{
	_cleanup_close_ int dir = -1;
	char text[4096];
	ssize_t n;

	ret->known = false;
	ret->comm_len = ret->exe_len = 0;
	(void)snprintf(text, sizeof(text), "/proc/%d", pid);
	dir = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	n = read_small(dir, "comm", ret->comm, sizeof(ret->comm));
	if (n > 0) /* the kernel ends it with one newline; the name may hold others */
		ret->comm_len = (size_t)n - (ret->comm[n - 1] == '\n');
	n = readlinkat(dir, "exe", ret->exe, sizeof(ret->exe));
	if (n > 0)
		ret->exe_len = (size_t)n;
	n = read_small(dir, "status", text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	/* The first line is "Name:", where the kernel escapes newlines (fs/proc/array.c,
	 * proc_task_name), so that no other line can be forged by a name. */
	ret->known = field(text, "\nUid:", false, &ret->uid) &&
		     field(text, "\nNSpid:", true, &ret->pid_inside);
}

ssize_t peer_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { .iov_base = buf, .iov_len = len };
	struct iovec remote = { .iov_len = len };
	uintptr_t p = (uintptr_t)addr;
	ssize_t n;

	memcpy(&remote.iov_base, &p, sizeof(p)); /* an address there, no pointer here */
	n = process_vm_readv(*(const pid_t *)ctx, &local, 1, &remote, 1, 0);
	return n < 0 ? -errno : n;
}
