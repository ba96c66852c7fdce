// SPDX-License-Identifier: Apache-2.0
/*
 * The resolver, against every small tree and every short path, with a model that says what a
 * process whose root this is would find.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

/* --- an arena: ARENA/d/root is the root; ARENA/x and ARENA/d/x are what a way out meets --- */

static char arena[128], root_path[160];
static int arena_fd = -1, root = -1;

static void must(int r)
{
	if (r < 0)
		fail_msg("cannot make the arena: %s", strerror(errno));
}

static void make_file_at(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	must(fd);
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char real[128];

	(void)state;
	(void)snprintf(arena, sizeof(arena), "%.64s/test_path.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(arena))
		return -1;
	arena_fd = open(arena, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(arena_fd, "d", 0755) < 0 || mkdirat(arena_fd, "d/root", 0755) < 0 ||
	    mkdirat(arena_fd, "x", 0755) < 0 || mkdirat(arena_fd, "d/x", 0755) < 0)
		return -1;
	make_file_at(arena_fd, "x/sentinel");
	make_file_at(arena_fd, "d/x/sentinel");
	root = openat(arena_fd, "d/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(real, sizeof(real), "/proc/self/fd/%d", root);
	if (root < 0 || readlink(real, root_path, sizeof(root_path) - 1) < 0)
		return -1;
	return 0;
}

/* Remove all below dir/name, no symlink followed. */
static void empty(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) < 0) {
			empty(fd, e->d_name);
			(void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
		}
	}
	(void)closedir(dir);
}

static int teardown(void **state)
{
	(void)state;
	empty(arena_fd, ".");
	fd_closep(&root);
	fd_closep(&arena_fd);
	return rmdir(arena);
}

static size_t count_entries(const char *name)
{
	int fd = openat(arena_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void check_outside(void)
{
	assert_int_equal(count_entries("."), 2);
	assert_int_equal(count_entries("d"), 2);
	assert_int_equal(count_entries("x"), 1);
	assert_int_equal(count_entries("d/x"), 1);
}

/* The kernel says where a descriptor leads (proc(5), /proc/pid/fd). */
static bool is_inside(int fd)
{
	size_t n = strlen(root_path);
	char self[32], real[512];
	ssize_t len;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	len = readlink(self, real, sizeof(real) - 1);
	assert_true(len > 0);
	real[len] = '\0';
	return strncmp(real, root_path, n) == 0 && (real[n] == '\0' || real[n] == '/');
}

/* --- every tree of up to four entries: a, b, a/a, a/b --- */

enum node { ROOT, A, B, AA, AB, N_NODES, NO_NODE };
static const char *const places[] = { ".", "a", "b", "a/a", "a/b" };
static const enum node parents[] = { ROOT, ROOT, ROOT, A, A };
static const char *const targets[] = { "..", "/", "/etc", "../../x", "a", "/b", "a/../.." };

/* 0 is nothing, 1 a directory, 2 a file, 3 and more a symlink to targets[kind - 3] */
enum { NOTHING, DIRECTORY, FILE_, LINK, N_KINDS = LINK + (int)ARRAY_SIZE(targets) };

struct tree {
	unsigned kind[N_NODES];
	ino_t ino[N_NODES];
};

static bool next_tree(struct tree *t)
{
	for (unsigned n = AB; n >= A; n--) {
		bool possible = n < AA || t->kind[A] == DIRECTORY;

		if (possible && ++t->kind[n] < N_KINDS)
			return true;
		t->kind[n] = NOTHING;
	}
	return false;
}

static void plant(struct tree *t)
{
	empty(arena_fd, "d/root");
	for (unsigned n = ROOT; n < N_NODES; n++) {
		struct stat st;

		if (n != ROOT && t->kind[n] == DIRECTORY)
			must(mkdirat(root, places[n], 0755));
		else if (t->kind[n] == FILE_)
			make_file_at(root, places[n]);
		else if (t->kind[n] >= LINK)
			must(symlinkat(targets[t->kind[n] - LINK], root, places[n]));
		if (t->kind[n] == NOTHING)
			continue;
		must(fstatat(root, places[n], &st, AT_SYMLINK_NOFOLLOW));
		t->ino[n] = st.st_ino;
	}
}

static enum node child_of(const struct tree *t, enum node dir, const char *name, size_t len)
{
	for (unsigned n = A; n < N_NODES; n++) {
		const char *own = places[n] + strlen(places[n]) - 1;

		if (parents[n] == dir && len == 1 && *own == *name && t->kind[n] != NOTHING)
			return (enum node)n;
	}
	return NO_NODE;
}

/* What path_resolution(7) says, with root as "/". Returns a node or -errno. */
static int model(const struct tree *t, int at, const char *path, bool links, int *n_links)
{
	const char *p = path;

	if (*p == '/')
		at = ROOT;
	for (;;) {
		enum node child;
		size_t len;

		if (*p == '/' && t->kind[at] != DIRECTORY)
			return -ENOTDIR;
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 0)
			return at;
		if (t->kind[at] != DIRECTORY)
			return -ENOTDIR;
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			at = (int)parents[at];
		} else if (!(len == 1 && p[0] == '.')) {
			child = child_of(t, (enum node)at, p, len);
			if (child == NO_NODE)
				return -ENOENT;
			if (t->kind[child] >= LINK) {
				if (!links || ++*n_links > 40)
					return -ELOOP;
				at = model(t, at, targets[t->kind[child] - LINK], links, n_links);
				if (at < 0)
					return at;
			} else {
				at = (int)child;
			}
		}
		p += len;
	}
}

/* All paths of 1 to max components over words; i counts through them. False: no more. */
static bool nth_path(size_t i, const char *const *words, size_t n, unsigned max, char out[64])
{
	size_t count = n, len = 0;
	unsigned parts = 1;

	while (i >= count) {
		i -= count;
		count *= n;
		if (++parts > max)
			return false;
	}
	for (unsigned k = 0; k < parts; k++) {
		len += (size_t)snprintf(out + len, 64 - len, "%s%s", k ? "/" : "", words[i % n]);
		i /= n;
	}
	return true;
}

static void check_open(const struct tree *t, const char *path)
{
	for (int how = 0; how < 2; how++) {
		int fd = path_open_in(root, path, O_PATH, how);
		int links = 0, want = model(t, ROOT, path, how == PATH_FOLLOW_INSIDE, &links);
		struct stat st;

		if (want < 0) {
			if (fd != want)
				fail_msg("a=%u b=%u a/a=%u a/b=%u '%s' %d: %d, not %d", t->kind[A],
					 t->kind[B], t->kind[AA], t->kind[AB], path, how, fd, want);
			continue;
		}
		if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != t->ino[want] || !is_inside(fd))
			fail_msg("a=%u b=%u a/a=%u a/b=%u '%s' %d: %d is not %s", t->kind[A],
				 t->kind[B], t->kind[AA], t->kind[AB], path, how, fd, places[want]);
		fd_closep(&fd);
	}
}

static void test_open_everywhere(void **state)
{
	static const char *const words[] = { "a", "b", "..", "x", "." };
	struct tree t = { .kind = { DIRECTORY } };
	size_t trees = 0, opens = 0;
	char path[64], variant[72];

	(void)state;
	do {
		plant(&t);
		trees++;
		for (size_t i = 0; nth_path(i, words, ARRAY_SIZE(words), 4, path); i++) {
			check_open(&t, path);
			opens++;
			if (i % 7 != 0)
				continue;
			(void)snprintf(variant, sizeof(variant), "/%s/", path);
			check_open(&t, variant);
		}
	} while (next_tree(&t));
	check_outside();
	assert_true(trees > 1000);
	print_message("%zu trees, %zu paths\n", trees, opens);
}

static bool has_parent_part(const char *path)
{
	return strncmp(path, "..", 2) == 0 || strstr(path, "/..") != NULL;
}

static void check_made(const char *what, const char *path, int fd, mode_t type)
{
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !is_inside(fd) || S_ISLNK(st.st_mode) ||
	    (type && (st.st_mode & S_IFMT) != type) || has_parent_part(path))
		fail_msg("%s '%s' gave what it must not", what, path);
	(void)close(fd);
}

static void test_make_everywhere(void **state)
{
	static const char *const words[] = { "a", "b", "..", "n" };
	struct tree t = { .kind = { DIRECTORY } };
	size_t calls = 0, made = 0;

	(void)state;
	do {
		char path[64];

		plant(&t);
		for (size_t i = 0; nth_path(i, words, ARRAY_SIZE(words), 4, path); i++) {
			const char *name = NULL;
			int fd;

			/* all of up to three components, and those of four that begin below a */
			if (i >= 84 && path[0] != 'a')
				continue;
			fd = path_make_parent(root, path, 0755, &name);
			made += fd >= 0;
			if (fd >= 0)
				assert_ptr_equal(name, strrchr(path, '/') ? strrchr(path, '/') + 1
									  : path);
			check_made("the parent of", path, fd, S_IFDIR);
			fd = path_make_file(root, path, 0600);
			made += fd >= 0;
			check_made("a file", path, fd, 0);
			fd = path_make_dirs(root, path, 0755);
			made += fd >= 0;
			check_made("directories", path, fd, S_IFDIR);
			calls += 3;
		}
		check_outside();
	} while (next_tree(&t));
	assert_true(made > 0);
	print_message("%zu calls, %zu made something\n", calls, made);
}

/* --- the allowed twin: plain paths work --- */

static void test_make_plain(void **state)
{
	static const char *const paths[] = { "n", "n/o", "/n/o/p", "n//o/./q/", "m/", "." };
	struct stat a, b;
	const char *name = NULL;
	int fd, again;

	(void)state;
	empty(arena_fd, "d/root");
	(void)umask(022);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		fd = path_make_dirs(root, paths[i], 0750);
		assert_true(fd >= 0);
		again = path_open_in(root, paths[i], O_PATH | O_DIRECTORY, PATH_NO_SYMLINKS);
		assert_int_equal(fstat(fd, &a), 0);
		assert_int_equal(fstat(again, &b), 0);
		assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_PATH);
		fd_closep(&fd);
		fd_closep(&again);
	}
	assert_int_equal(fstatat(root, "n/o", &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0750);

	fd = path_make_file(root, "f/g/h", 0640);
	assert_true(fd >= 0);
	fd_closep(&fd);
	assert_int_equal(fstatat(root, "f/g/h", &a, 0), 0);
	assert_true(S_ISREG(a.st_mode));
	assert_int_equal(a.st_mode & 07777, 0640);
	fd = path_make_file(root, "f/g/h", 0600); /* there already: opened as it is */
	assert_int_equal(fstat(fd, &b), 0);
	assert_true(a.st_ino == b.st_ino);
	assert_int_equal(b.st_mode & 07777, 0640);
	fd_closep(&fd);

	fd = path_make_parent(root, "/p/q/r", 0755, &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "r");
	assert_int_equal(fstatat(root, "p/q", &a, 0), 0);
	assert_int_equal(fstatat(root, "p/q/r", &a, 0), -1);
	fd_closep(&fd);
}

static void test_make_refused(void **state)
{
	static const struct {
		const char *path;
		int dirs, file, parent;
	} cases[] = {
		{ "..", -EINVAL, -EINVAL, -EINVAL },
		{ "a/..", -EINVAL, -EINVAL, -EINVAL },
		{ "../x/y", -EINVAL, -EINVAL, -EINVAL },
		{ "file/y", -ENOTDIR, -ENOTDIR, -ENOTDIR },
		{ "out/y", -ELOOP, -ELOOP, -ELOOP },
		{ "out/sentinel", -ELOOP, -ELOOP, -ELOOP },
		{ "out", -ELOOP, -ELOOP, 0 },
		{ "dangling", -ELOOP, -ELOOP, 0 },
		{ "file", -ENOTDIR, 0, 0 },
		{ "", 0, -EINVAL, -EINVAL },
		{ "/", 0, -EINVAL, -EINVAL },
		{ "b/", 0, -EINVAL, -EINVAL },
	};
	char name[300];

	(void)state;
	empty(arena_fd, "d/root");
	must(mkdirat(root, "a", 0755));
	must(symlinkat("../x", root, "out"));
	must(symlinkat("../x/new", root, "dangling"));
	make_file_at(root, "file");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *last = (const char *)1;
		int r[3] = { path_make_dirs(root, cases[i].path, 0755),
			     path_make_file(root, cases[i].path, 0644),
			     path_make_parent(root, cases[i].path, 0755, &last) };

		if ((r[0] < 0 ? r[0] : 0) != cases[i].dirs ||
		    (r[1] < 0 ? r[1] : 0) != cases[i].file ||
		    (r[2] < 0 ? r[2] : 0) != cases[i].parent)
			fail_msg("'%s': %d %d %d", cases[i].path, r[0], r[1], r[2]);
		if (r[2] < 0)
			assert_ptr_equal(last, (const char *)1);
		for (size_t k = 0; k < 3; k++)
			fd_closep(&r[k]);
	}
	check_outside();
	/* NAME_MAX and one past it */
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(path_make_dirs(root, name, 0755), -ENAMETOOLONG);
	assert_int_equal(path_make_file(root, name, 0644), -ENAMETOOLONG);
	name[255] = '\0';
	must(path_make_dirs(root, name, 0755));
}

static void test_magic_links(void **state)
{
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char via_fd[48], too_long[4097];
	int fd;

	(void)state;
	memset(too_long, 'a', 4096);
	too_long[4096] = '\0';
	assert_int_equal(path_open_in(top, "proc/self/root/etc", O_PATH, 0), -ELOOP);
	assert_int_equal(path_open_in(top, "proc/self/cwd", O_PATH, 0), -ELOOP);
	(void)snprintf(via_fd, sizeof(via_fd), "/proc/self/fd/%d/d", arena_fd);
	assert_int_equal(path_open_in(top, via_fd, O_PATH, 0), -ELOOP);
	assert_int_equal(path_open_exact(via_fd, O_PATH), -ELOOP);
	assert_int_equal(path_open_exact("/proc/self/root/etc", O_PATH), -ELOOP);
	assert_int_equal(path_open_exact("/proc/self", O_PATH), -ELOOP); /* a plain symlink */
	fd = path_open_exact("/proc/1", O_PATH);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd_closep(&fd);
	fd = path_open_in(top, "proc/self/status", O_RDONLY, PATH_FOLLOW_INSIDE);
	assert_true(fd >= 0);
	fd_closep(&fd);
	assert_int_equal(path_open_in(top, "", O_PATH, 0), -ENOENT);
	assert_int_equal(path_open_in(top, too_long, O_PATH, 0), -ENAMETOOLONG);
	assert_int_equal(path_open_in(-1, "etc", O_PATH, 0), -EBADF);
}

/* --- races --- */

struct swapper {
	const char *one, *other; /* below the arena */
	unsigned flags;
	atomic_bool stop;
	unsigned long n;
};

static void *swap(void *arg)
{
	struct swapper *s = arg;

	while (!s->stop) {
		if (renameat2(arena_fd, s->one, arena_fd, s->other, s->flags) == 0)
			s->n++;
		if (!(s->flags & RENAME_EXCHANGE))
			(void)renameat2(arena_fd, s->other, arena_fd, s->one, s->flags);
	}
	return NULL;
}

static bool before(const struct timespec *end)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < end->tv_sec ||
	       (now.tv_sec == end->tv_sec && now.tv_nsec < end->tv_nsec);
}

/* A directory and a symlink that leads out change places all the time. */
static void test_race_exchange(void **state)
{
	static const char *const outs[] = { "../x", "../../x" };
	struct swapper s = { .one = "d/root/a", .other = "d/root/link", .flags = RENAME_EXCHANGE };
	unsigned long good = 0, refused = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(outs); k++) {
		struct timespec end;
		pthread_t thread;

		empty(arena_fd, "d/root");
		must(mkdirat(root, "a", 0755));
		make_file_at(root, "a/sentinel");
		must(symlinkat(outs[k], root, "link"));
		s.stop = false;
		assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
		(void)clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_sec += 1;
		for (unsigned i = 0; before(&end); i++) {
			int fd[4] = { path_open_in(root, "a/sentinel", O_PATH, i & 1),
				      path_make_dirs(root, "a/n/m", 0755),
				      path_make_file(root, "a/o/f", 0644),
				      path_make_file(root, "a/g", 0644) };

			for (size_t f = 0; f < ARRAY_SIZE(fd); f++) {
				good += fd[f] >= 0;
				refused += fd[f] < 0;
				assert_true(fd[f] < 0 || is_inside(fd[f]));
				fd_closep(&fd[f]);
			}
			(void)unlinkat(root, "a/n/m", AT_REMOVEDIR);
			(void)unlinkat(root, "a/n", AT_REMOVEDIR);
			(void)unlinkat(root, "a/o/f", 0);
			(void)unlinkat(root, "a/o", AT_REMOVEDIR);
		}
		s.stop = true;
		assert_int_equal(pthread_join(thread, NULL), 0);
		/* the undoing above may follow the link: what it could remove there is nothing */
		check_outside();
	}
	print_message("%lu exchanges, %lu opened, %lu refused\n", s.n, good, refused);
	assert_true(s.n > 100 && good > 10 && refused > 10);
}

/* A directory is carried out and back while ".." is resolved below it. */
static void test_race_moved_out(void **state)
{
	struct swapper s = { .one = "d/root/a/m", .other = "x/m" };
	unsigned long good = 0, refused = 0;
	struct stat out[3], st;
	struct timespec end;
	pthread_t thread;

	(void)state;
	empty(arena_fd, "d/root");
	must(mkdirat(root, "a", 0755));
	must(mkdirat(root, "a/m", 0755));
	must(mkdirat(root, "a/m/n", 0755));
	must(fstatat(arena_fd, "x", &out[0], 0));
	must(fstatat(arena_fd, ".", &out[1], 0));
	must(fstatat(arena_fd, "x/sentinel", &out[2], 0));
	assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 1;
	for (unsigned i = 0; before(&end); i++) {
		static const char *const ways[] = { "a/m/n/../..", "a/m/n/../../sentinel",
						    "a/m/n/../../..", "a/m/.." };
		int fd = path_open_in(root, ways[i % ARRAY_SIZE(ways)], O_PATH, 0);

		good += fd >= 0;
		refused += fd < 0;
		if (fd < 0)
			continue;
		assert_int_equal(fstat(fd, &st), 0);
		for (size_t k = 0; k < ARRAY_SIZE(out); k++)
			assert_true(st.st_ino != out[k].st_ino || st.st_dev != out[k].st_dev);
		fd_closep(&fd);
	}
	s.stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("%lu moves, %lu opened, %lu refused\n", s.n, good, refused);
	assert_true(s.n > 100 && good > 10 && refused > 10);
	check_outside();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_everywhere), cmocka_unit_test(test_make_everywhere),
		cmocka_unit_test(test_make_plain),	cmocka_unit_test(test_make_refused),
		cmocka_unit_test(test_magic_links),	cmocka_unit_test(test_race_exchange),
		cmocka_unit_test(test_race_moved_out),
	};

	return cmocka_run_group_tests_name("path", tests, setup, teardown);
}
