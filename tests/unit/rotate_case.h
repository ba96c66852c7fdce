// SPDX-License-Identifier: Apache-2.0
/* A log in a folder of its own, for tests of its rotation: writing, judging, saving, putting back.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/rotate.h"
#include "audit/verify.h"
#include "base/fd.h"

static char dir[64];
static char block[CHAIN_BLOCK];

static inline int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/cordon-rotate-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
	char cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static inline const char *in_dir(const char *name)
{
	static char path[4][192];
	static unsigned turn;
	char *p = path[turn++ % 4];

	assert_true(snprintf(p, 192, "%s/%s", dir, name) < 192);
	return p;
}

static inline void clear(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
	}
	(void)closedir(d);
}

static inline int fresh(void **state)
{
	(void)state;
	clear();
	return 0;
}

static inline void open_chain(struct chain *chain, uint64_t size, unsigned keep)
{
	struct err err = ERR_INIT;

	assert_int_equal(chain_open(chain, in_dir("log"), block, &err), 0);
	chain->rotation = (struct audit_rotation){ .size = size, .keep = keep };
}

static inline int put_within(struct chain *chain, const char *sandbox, unsigned n, unsigned wait_ms)
{
	char data[32 * 1024], body[256];
	struct batch batch = { .data = data, .cap = sizeof(data) };
	size_t taken;

	for (unsigned i = 0; i < n; i++) {
		int len =
			snprintf(body, sizeof(body),
				 "{\"type\":\"denial\",\"time\":\"2001-01-01T00:00:00.000000000Z\","
				 "\"sandbox\":\"%s\",\"count\":1}",
				 sandbox);

		assert_true(batch_add(&batch, body, (size_t)len, 1));
	}
	return chain_write(chain, &batch, sandbox, wait_ms, &taken);
}

static inline int put(struct chain *chain, const char *sandbox, unsigned n)
{
	return put_within(chain, sandbox, n, 20000);
}

static inline void judge(enum verify_kind kind, struct verify_result *ret)
{
	struct err err = ERR_INIT;

	if (verify_path(in_dir("log"), ret, &err) < 0)
		fail_msg("%s", err.msg);
	if (ret->kind != kind)
		print_message("file %llu line %llu: %s: %s\n", (unsigned long long)ret->file,
			      (unsigned long long)ret->line, verify_kind_text(ret->kind),
			      ret->text);
	assert_int_equal(ret->kind, kind);
}

/* The files of the log, rotated ones first. */
static inline size_t files(char name[][64])
{
	int fd = open(dir, O_PATH | O_CLOEXEC);
	struct rotate_list list;

	assert_int_equal(rotate_list(fd, "log", &list), 0);
	(void)close(fd);
	assert_true(list.n < 40);
	for (size_t i = 0; i < list.n; i++)
		rotate_name("log", list.number[i], name[i], 64);
	(void)snprintf(name[list.n], 64, "log");
	return list.n + 1;
}

/* All of a set, to be put back after each edit. */
struct file_copy {
	char name[64];
	char *p;
	size_t len;
};

static inline size_t save(struct file_copy *copy)
{
	char name[40][64];
	size_t n = files(name);

	(void)snprintf(name[n++], 64, "log.head");
	for (size_t i = 0; i < n; i++) {
		int r;

		memcpy(copy[i].name, name[i], 64);
		copy[i].p = NULL;
		copy[i].len = 0;
		r = fd_read_file_at(AT_FDCWD, in_dir(name[i]), 1 << 20, &copy[i].p, &copy[i].len);
		assert_true(r == 0 || r == -ENOENT); /* a writer may have died before it made it */
	}
	return n;
}

static inline void write_file(const char *name, const void *p, size_t len)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, p, len), 0);
	(void)close(fd);
}

static inline void restore(const struct file_copy *copy, size_t n)
{
	clear();
	for (size_t i = 0; i < n; i++)
		if (copy[i].p)
			write_file(copy[i].name, copy[i].p, copy[i].len);
}

static inline void drop_copies(struct file_copy *copy, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(copy[i].p);
}
