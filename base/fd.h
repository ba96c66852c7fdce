// SPDX-License-Identifier: Apache-2.0
/* Ownership of descriptors and heap blocks by scope; whole reads and writes. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/err.h"

/* Close *fd unless it is negative, and set it to -1. errno is kept. */
void fd_closep(int *fd);

static inline void freep(void *p)
{
	free(*(void **)p);
}

#define _cleanup_close_ __attribute__((cleanup(fd_closep)))
#define _cleanup_free_	__attribute__((cleanup(freep)))

/* Hand a descriptor over: yields its number and leaves -1 behind. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *_p = &(fd);                                                                   \
		int _v = *_p;                                                                      \
		*_p = -1;                                                                          \
		_v;                                                                                \
	})

/* Hand a pointer over: yields it and leaves NULL behind. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) _v = (p);                                                            \
		(p) = NULL;                                                                        \
		_v;                                                                                \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Write all of buf, through EINTR and short writes. 0 or -errno. */
int fd_write_all(int fd, const void *buf, size_t len);

/* The same at an offset, which leaves the file's own where it is. Reading: how many bytes there
 * were, fewer than size only where the file ends, or -errno. Writing: 0 or -errno. */
ssize_t fd_read_at(int fd, void *buf, size_t size, off_t at);
int fd_write_at(int fd, const void *buf, size_t len, off_t at);

/*
 * Read a regular file whole. The file is opened by the caller, or here below dirfd with
 * O_NOFOLLOW | O_NONBLOCK, must be a regular file and hold at most max bytes (else
 * -EFBIG; -EINVAL when it is no regular file).
 * On success *ret_buf is a heap block of *ret_len bytes and a NUL, owned by the caller.
 */
int fd_read_all(int fd, size_t max, char **ret_buf, size_t *ret_len);
int fd_read_file_at(int dirfd, const char *path, size_t max, char **ret_buf, size_t *ret_len);

struct buf;

/* Append a file of procfs, sysfs or cgroupfs, which stat says are empty, to out: at most max
 * bytes (else -EFBIG, out unchanged). Opened below dirfd with O_NOFOLLOW | O_NONBLOCK. */
int fd_read_virtual_at(int dirfd, const char *path, size_t max, struct buf *out);

/* A growing byte string, always NUL-terminated once used. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};
#define BUF_INIT ((struct buf){ .data = NULL })
void buf_done(struct buf *buf);
int buf_put(struct buf *buf, const void *bytes, size_t len); /* 0 or -ENOMEM */
int buf_puts(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define _cleanup_buf_ __attribute__((cleanup(buf_done)))
