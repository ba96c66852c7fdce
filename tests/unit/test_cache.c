// SPDX-License-Identifier: Apache-2.0
/* The cache: what was stored is found while the world stands still; nothing else ever is. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "profiles/bundle_format.h"
#include "profiles/cache.h"
#include "profiles/compile.h"
#include "tests/unit/random_policy.h"

static struct {
	char top[64];
	char cache[96], early[96], late[96], own[96]; /* directories */
	char main[128], used[128];		      /* policies: late/main, which uses own/used */
	const char *dirs[2];
	struct random_policy random;
	struct policy_source sources[2];
	struct buf bytes;
} t;

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(close(fd), 0);
}

static void remember(struct policy_source *s, char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	*s = (struct policy_source){
		.path = path, .dev = st.st_dev, .ino = st.st_ino, .size = (uint64_t)st.st_size
	};
	s->mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000ULL + (uint64_t)st.st_mtim.tv_nsec;
	s->ctime_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000ULL + (uint64_t)st.st_ctim.tv_nsec;
}

static void wait_ms(long ms)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static void compile(void)
{
	struct err err = ERR_INIT;

	remember(&t.sources[0], t.main);
	remember(&t.sources[1], t.used);
	random_policy_make(1, &t.random);
	/* a cache serves launches: bundles for this machine */
	t.random.policy.native = ABI_NATIVE;
	t.random.policy.abi_mask |= 1U << ABI_NATIVE;
	t.random.policy.sources = t.sources;
	t.random.policy.n_sources = 2;
	if (compile_bundle(&t.random.policy, &t.bytes, &err) < 0)
		fail_msg("cannot %s", err.msg);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(t.top, sizeof(t.top), "/tmp/cordon-test-cache-XXXXXX");
	assert_non_null(mkdtemp(t.top));
	(void)snprintf(t.cache, sizeof(t.cache), "%s/a/b/cache", t.top);
	(void)snprintf(t.early, sizeof(t.early), "%s/early", t.top);
	(void)snprintf(t.late, sizeof(t.late), "%s/late", t.top);
	(void)snprintf(t.own, sizeof(t.own), "%s/own", t.top);
	assert_int_equal(mkdir(t.late, 0700), 0);
	assert_int_equal(mkdir(t.own, 0700), 0);
	(void)snprintf(t.main, sizeof(t.main), "%s/main.policy", t.late);
	(void)snprintf(t.used, sizeof(t.used), "%s/used.policy", t.own);
	t.dirs[0] = t.early;
	t.dirs[1] = t.late;
	write_text(t.main, "policy main\n");
	write_text(t.used, "policy used\n");
	wait_ms(25);
	compile();
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	buf_done(&t.bytes);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", t.top);
	return system(command);
}

static int find(const char *what)
{
	struct bundle *b = NULL;
	struct err err = ERR_INIT;
	int r = cache_find(t.cache, what, t.dirs, 2, &b, &err);

	if (r == 0)
		assert_string_equal(bundle_policy_name(b), "random");
	else
		assert_string_not_equal(err.msg, "");
	bundle_close(b);
	return r;
}

static int store(const char *what)
{
	return cache_store(t.cache, what, t.dirs, 2, t.bytes.data, t.bytes.len, NULL);
}

/* The path of the entry that ends in suffix. */
static const char *entry(const char *suffix)
{
	static char path[512];
	char command[256];
	FILE *f;

	(void)snprintf(command, sizeof(command), "ls -d %s/*%s", t.cache, suffix);
	f = popen(command, "re");
	assert_non_null(f);
	assert_non_null(fgets(path, sizeof(path), f));
	(void)pclose(f);
	path[strcspn(path, "\n")] = '\0';
	return path;
}

static void test_found_again(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(find("main"), -ENOENT);
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
	assert_int_equal(find("other"), -ENOENT);
	/* Other places to look in are another question. */
	t.dirs[1] = t.own;
	assert_int_equal(find("main"), -ENOENT);
	t.dirs[1] = t.late;
	assert_int_equal(find("main"), 0);
	assert_int_equal(stat(t.cache, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(entry(".bundle"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_changed_source(void **state)
{
	(void)state;
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
	wait_ms(25);
	write_text(t.used, "policy user\n"); /* the same size */
	assert_int_equal(find("main"), -ENOENT);
	/* The old bytes do not come back; new ones do. */
	assert_int_equal(store("main"), -EAGAIN);
	compile();
	wait_ms(25);
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
	assert_int_equal(unlink(t.main), 0);
	assert_int_equal(find("main"), -ENOENT);
}

static double ms_of(const struct timespec *at)
{
	return (double)at->tv_sec * 1e3 + (double)at->tv_nsec / 1e6;
}

/* Changed so short ago that a change behind it could look the same: not stored yet. */
static void test_too_young(void **state)
{
	struct timespec written, stored = { .tv_sec = 0 };
	struct stat st;
	int r = 0;

	(void)state;
	/* On a slow machine compiling may take longer than that; then there is nothing to see. */
	for (unsigned i = 0; i < 50 && r == 0; i++) {
		write_text(t.used, "policy user\n");
		compile();
		assert_int_equal(stat(t.used, &st), 0);
		written = st.st_ctim;
		r = store("main");
		(void)clock_gettime(CLOCK_REALTIME, &stored);
		if (r == 0)
			assert_true(ms_of(&stored) - ms_of(&written) >= 20);
		buf_done(&t.bytes);
	}
	assert_true(r == 0 || r == -EAGAIN);
	wait_ms(25);
	compile();
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
}

/* A new file where the name would have been found first. */
static void test_file_in_front(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
	assert_int_equal(mkdir(t.early, 0700), 0);
	assert_int_equal(find("main"), 0);
	(void)snprintf(path, sizeof(path), "%s/main.policy", t.early);
	write_text(path, "policy main\n");
	assert_int_equal(find("main"), -ENOENT);
	assert_int_equal(store("main"), -EAGAIN);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(find("main"), 0);
	/* `use used` in late/main.policy looks beside it first. */
	(void)snprintf(path, sizeof(path), "%s/used.policy", t.late);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(find("main"), -ENOENT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(find("main"), 0);
}

/* A path is not looked up, so that a file in front of it means nothing. */
static void test_by_path(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(store(t.main), 0);
	assert_int_equal(mkdir(t.early, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/main.policy", t.early);
	write_text(path, "policy main\n");
	assert_int_equal(find(t.main), 0);
	assert_int_equal(find("main"), -ENOENT);
}

static void damage(const char *suffix)
{
	const char *path = entry(suffix);
	char *bytes = NULL;
	size_t len;
	int fd;

	assert_int_equal(fd_read_file_at(AT_FDCWD, path, LIMIT_BUNDLE_BYTES, &bytes, &len), 0);
	for (size_t at = 0; at < len; at += len / 7) {
		char flipped = (char)(bytes[at] ^ 1);

		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
		assert_int_equal(find("main"), -EBADMSG);
		assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
		assert_int_equal(find("main"), 0);
		assert_int_equal(close(fd), 0);
	}
	for (size_t at = 0; at < len; at += len / 7) {
		assert_int_equal(truncate(path, (off_t)at), 0);
		assert_int_equal(find("main"), -EBADMSG);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(fd_write_all(fd, bytes, len), 0);
		assert_int_equal(close(fd), 0);
		assert_int_equal(find("main"), 0);
	}
	/* Rebuilt over the damage. */
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
	free(bytes);
}

static void test_damaged(void **state)
{
	(void)state;
	assert_int_equal(store("main"), 0);
	damage(".bundle");
	damage(".ref");
}

/* Replace the entry by what make() puts there: refused, and usable again after a store. */
static void replaced(const char *suffix, int (*make)(const char *path, const char *saved))
{
	char path[512], saved[544];

	assert_int_equal(store("main"), 0);
	(void)snprintf(path, sizeof(path), "%s", entry(suffix));
	(void)snprintf(saved, sizeof(saved), "%s.saved", path);
	assert_int_equal(rename(path, saved), 0);
	assert_int_equal(make(path, saved), 0);
	assert_int_equal(find("main"), -EPERM);
	assert_int_equal(store("main"), 0);
	assert_int_equal(find("main"), 0);
	assert_int_equal(unlink(saved), 0);
}

static int make_symlink(const char *path, const char *saved)
{
	return symlink(saved, path);
}

static int make_fifo(const char *path, const char *saved)
{
	(void)saved;
	return mkfifo(path, 0600);
}

static int make_group_writable(const char *path, const char *saved)
{
	return link(saved, path) || chmod(path, 0620);
}

static int make_world_writable(const char *path, const char *saved)
{
	return link(saved, path) || chmod(path, 0602);
}

static int make_foreign(const char *path, const char *saved)
{
	return link(saved, path) || chown(path, 65534, (gid_t)-1);
}

static void test_not_ours(void **state)
{
	static const char *const suffixes[] = { ".bundle", ".ref" };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		replaced(suffixes[i], make_symlink);
		replaced(suffixes[i], make_fifo);
		replaced(suffixes[i], make_group_writable);
		replaced(suffixes[i], make_world_writable);
		/* Giving a file away takes root; the check is the same line for both. */
		if (geteuid() == 0)
			replaced(suffixes[i], make_foreign);
	}
}

static void test_directory_not_ours(void **state)
{
	char moved[128];

	(void)state;
	assert_int_equal(store("main"), 0);
	assert_int_equal(chmod(t.cache, 0770), 0);
	assert_int_equal(find("main"), -EPERM);
	assert_int_equal(store("main"), -EPERM);
	assert_int_equal(chmod(t.cache, 0700), 0);
	assert_int_equal(find("main"), 0);
	(void)snprintf(moved, sizeof(moved), "%s.moved", t.cache);
	assert_int_equal(rename(t.cache, moved), 0);
	assert_int_equal(symlink(moved, t.cache), 0);
	assert_int_equal(find("main"), -EPERM);
	assert_int_equal(unlink(t.cache), 0);
	assert_int_equal(find("main"), -ENOENT);
}

/* A bundle that is whole, but not the one whose name it has. */
static void test_swapped_bundle(void **state)
{
	char first[512];

	(void)state;
	assert_int_equal(store("main"), 0);
	(void)snprintf(first, sizeof(first), "%s", entry(".bundle"));
	random_policy_make(2, &t.random);
	t.random.policy.native = ABI_NATIVE;
	t.random.policy.abi_mask |= 1U << ABI_NATIVE;
	t.random.policy.sources = t.sources;
	t.random.policy.n_sources = 2;
	assert_int_equal(compile_bundle(&t.random.policy, &t.bytes, NULL), 0);
	write_text(first, "");
	assert_int_equal(truncate(first, 0), 0);
	{
		int fd = open(first, O_WRONLY | O_CLOEXEC);

		assert_int_equal(fd_write_all(fd, t.bytes.data, t.bytes.len), 0);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(find("main"), -EBADMSG);
}

/* Two writers and a reader at once: whoever wins, a reader sees a whole entry or none. */
static void test_two_writers(void **state)
{
	pid_t pids[2];
	int status;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			for (unsigned k = 0; k < 300; k++) {
				if (store("main") < 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (unsigned k = 0, found = 0; k < 3000 && found < 500; k++) {
		int r = find("main");

		assert_true(r == 0 || (r == -ENOENT && found == 0));
		found += r == 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(find("main"), 0);
}

static void test_time(void **state)
{
	struct timespec a, b;

	(void)state;
	assert_int_equal(store("main"), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(find("main"), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	print_message(
		"cache_find of a bundle of %zu bytes: %.0f us\n", t.bytes.len,
		((double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3) /
			200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_young, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_in_front, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swapped_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
