// SPDX-License-Identifier: Apache-2.0
/*
 * DIR/plan/a/b/c is a root with the payload, whose `id` says "planned"; DIR/out/a/b/c the same with
 * the secret as its id, which no launch may show; DIR/decoy holds what the components are exchanged
 * for.
 */
#include "tests/races/races.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

const char *const component_names[] = { "a", "b", "c" };
const char *const decoy_names[] = { "link", "inner link", "directory", "file", "FIFO" };

void fail(const char *what)
{
	fprintf(stderr, "race: cannot %s: %s\n", what, strerror(errno));
	exit(2);
}

static const char *in(const struct arena *a, const char *name)
{
	static char path[4][TEXT * 2];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", a->dir, name);
	return p;
}

static void dir_at(const struct arena *a, const char *name)
{
	if (mkdir(in(a, name), 0755) < 0 && errno != EEXIST)
		fail("make a directory");
}

static void file_at(const struct arena *a, const char *name, const char *text)
{
	FILE *f = fopen(in(a, name), "we");

	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0)
		fail("write a file");
}

static void link_at(const struct arena *a, const char *to, const char *name)
{
	if (symlink(in(a, to), in(a, name)) < 0)
		fail("make a symlink");
}

static void copy_at(const struct arena *a, const char *from, const char *name)
{
	static char block[1 << 16];
	int source = open(from, O_RDONLY | O_CLOEXEC);
	int dest = open(in(a, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t n = 0;

	while (source >= 0 && dest >= 0 && (n = read(source, block, sizeof(block))) > 0)
		if (write(dest, block, (size_t)n) != n)
			fail("copy the payload");
	if (source < 0 || dest < 0 || n < 0 || close(dest) < 0)
		fail("copy the payload");
	close(source);
}

/* A root that can be a base, a layer or an upper. */
static void root_at(const struct arena *a, const char *name, const char *id)
{
	static const char *const dirs[] = { "",	   "/bin",   "/dev",  "/proc", "/tmp",	   "/run",
					    "/in", "/upper", "/work", "/t",    "/upper/in" };
	char path[TEXT];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", name, dirs[i]);
		dir_at(a, path);
	}
	snprintf(path, sizeof(path), "%s/bin/look", name);
	copy_at(a, in(a, "look"), path);
	snprintf(path, sizeof(path), "%s/id", name);
	file_at(a, path, id);
	/* as an upper it shows this */
	snprintf(path, sizeof(path), "%s/upper/id", name);
	file_at(a, path, id);
}

void arena_make(struct arena *a, const char *dir, const char *look)
{
	const char *secret = getenv("SECRET");
	const size_t n = secret ? strlen(secret) : 0;

	if (n < 8 || n >= sizeof(a->secret) || strlen(dir) > TEXT / 2) {
		errno = EINVAL;
		fail("use $SECRET and DIR");
	}
	snprintf(a->dir, sizeof(a->dir), "%s", dir);
	strcpy(a->secret, secret);
	for (size_t i = 0; i < n; i++)
		a->terces[i] = secret[n - 1 - i];
	snprintf(a->path, sizeof(a->path), "%.256s/plan/a/b/c", dir);
	copy_at(a, look, "look");
	dir_at(a, "plan");
	dir_at(a, "plan/a");
	dir_at(a, "plan/a/b");
	root_at(a, "plan/a/b/c", "planned");
	dir_at(a, "out");
	dir_at(a, "out/a");
	dir_at(a, "out/a/b");
	root_at(a, "out/a/b/c", secret);
	dir_at(a, "fixed");
	file_at(a, "fixed/id", "planned");
	root_at(a, "honest", "none");
	if (unlink(in(a, "honest/id")) < 0) /* so that a layer's shows below it */
		fail("remove a file");
	dir_at(a, "decoy");
	link_at(a, "out/a", "decoy/link-a");
	link_at(a, "out/a/b", "decoy/link-b");
	link_at(a, "out/a/b/c", "decoy/link-c");
	dir_at(a, "decoy/inner-a");
	link_at(a, "out/a/b", "decoy/inner-a/b");
	dir_at(a, "decoy/inner-b");
	link_at(a, "out/a/b/c", "decoy/inner-b/c");
	dir_at(a, "decoy/inner-c");
	link_at(a, "out/a/b/c/id", "decoy/inner-c/id");
	link_at(a, "out/a/b/c/upper", "decoy/inner-c/upper");
	link_at(a, "out/a/b/c/bin", "decoy/inner-c/bin");
	/* one directory that says "other", below each of the three names in turn */
	root_at(a, "decoy/other", "other");
	for (char c = 'a'; c <= 'c'; c++) {
		char name[32];

		snprintf(name, sizeof(name), "decoy/file-%c", c);
		file_at(a, name, "a file");
		snprintf(name, sizeof(name), "decoy/fifo-%c", c);
		if (mkfifo(in(a, name), 0666) < 0)
			fail("make a FIFO");
	}
	a->planned = open(a->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	a->other = open(in(a, "decoy/other"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->planned < 0 || a->other < 0)
		fail("open the path");
}

/* The directory that says "other" moves to where it is wanted. */
static void place_other(const struct arena *a, enum component c)
{
	static const char *const at[] = { "decoy/dir-a/b/c", "decoy/dir-b/c", "decoy/dir-c" };

	if (access(in(a, at[c]), F_OK) == 0)
		return;
	dir_at(a, "decoy/dir-a");
	dir_at(a, "decoy/dir-a/b");
	dir_at(a, "decoy/dir-b");
	for (size_t i = 0; i < 3; i++)
		(void)rename(in(a, at[i]), in(a, "decoy/other"));
	if (rename(in(a, "decoy/other"), in(a, at[c])) < 0)
		fail("move a decoy");
}

void arena_pair(const struct arena *a, enum component c, enum decoy d, char one[TEXT],
		char two[TEXT])
{
	static const char *const paths[] = { "plan/a", "plan/a/b", "plan/a/b/c" };
	static const char *const kinds_of[] = { "link", "inner", "dir", "file", "fifo" };
	char name[32];

	if (d == DECOY_DIR)
		place_other(a, c);
	snprintf(name, sizeof(name), "decoy/%s-%s", kinds_of[d], component_names[c]);
	snprintf(one, TEXT, "%.500s", in(a, paths[c]));
	snprintf(two, TEXT, "%.500s", in(a, name));
}

bool arena_by_mounts;

int arena_exchange(const char *one, const char *two)
{
	static bool mounted;

	if (arena_by_mounts) {
		mounted = !mounted;
		return (mounted ? mount(two, one, NULL, MS_BIND, NULL) : umount2(one, MNT_DETACH)) <
				       0
			       ? -errno
			       : 0;
	}
	return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE) < 0 ? -errno
											 : 0;
}

/* --- what lies outside */

static uint64_t sum;

static int add_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	const uint64_t words[] = { st->st_ino,
				   st->st_mode,
				   st->st_nlink,
				   (uint64_t)st->st_size,
				   (uint64_t)st->st_ctim.tv_sec,
				   (uint64_t)st->st_ctim.tv_nsec };

	(void)flag;
	(void)at;
	for (const char *p = path; *p; p++)
		sum = (sum ^ (unsigned char)*p) * 0x100000001b3U; /* FNV-1a */
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum = (sum ^ words[i]) * 0x100000001b3U;
	return 0;
}

uint64_t arena_outside(const struct arena *a, const struct kind *k)
{
	struct stat st;

	sum = 0xcbf29ce484222325U;
	if (k->logs && stat(in(a, "out/a/b/c/id"), &st) == 0)
		add_one("id", &st, 0, NULL);
	else
		nftw(in(a, "out"), add_one, 16, FTW_PHYS);
	return sum;
}

static void tidy(int dir)
{
	static const char *const names[] = { "made", ".cordon-look", "upper/.cordon-look", "log",
					     "log.head" };
	static const char *const dirs[] = { "made", "work/work", "work/index" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlinkat(dir, names[i], 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		(void)unlinkat(dir, dirs[i], AT_REMOVEDIR);
}

void arena_tidy(const struct arena *a)
{
	tidy(a->planned);
	tidy(a->other);
}
