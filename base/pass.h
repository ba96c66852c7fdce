// SPDX-License-Identifier: Apache-2.0
/* One message over a unix socket, and one descriptor with it (unix(7), SCM_RIGHTS). */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* All of it, with fd unless that is -1. Never SIGPIPE. 0, or -errno; -EMSGSIZE when less went out.
 */
int pass_send(int sock, const void *data, size_t size, int fd, int flags);

/*
 * One message. Its length, 0 at the end of file, or -errno, as recvmsg(2) has it: EINTR and EAGAIN
 * are the caller's. *ret_fd is -1 or the caller's to close. A message that is longer than size, or
 * brings more than one descriptor, is -EPROTO, and nothing of it is kept.
 */
ssize_t pass_receive(int sock, void *data, size_t size, int flags, int *ret_fd);
