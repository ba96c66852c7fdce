// SPDX-License-Identifier: Apache-2.0
/* The caller's own directories, made private. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

static char top[128];
static int top_fd = -1;

static void must(int r)
{
	if (r < 0)
		fail_msg("cannot make the place: %s", strerror(errno));
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(top, sizeof(top), "%.64s/test_path_private.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		return -1;
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return top_fd < 0 || fchdir(top_fd) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_closep(&top_fd);
	return chdir("/") < 0 ? -1 : rmdir(top);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	must(fstatat(top_fd, name, &st, AT_SYMLINK_NOFOLLOW));
	return st.st_mode;
}

/* Whatever the umask is, and it stays; what is there is left as it is. */
static void test_whatever_the_umask(void **state)
{
	const mode_t mask = umask(0777);
	char path[300];
	struct stat st;
	size_t len;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/p/q/log", top);
	assert_int_equal(path_make_private(path, &len), 0);
	assert_int_equal(umask(mask), 0777);
	assert_int_equal(mode_of("p/q"), S_IFDIR | 0700);
	assert_int_equal(mode_of("p"), S_IFDIR | 0700);
	assert_int_equal(fstatat(top_fd, "p/q/log", &st, 0), -1);
	must(fchmodat(top_fd, "p/q", 0750, 0));
	assert_int_equal(path_make_private(path, &len), 0);
	assert_int_equal(mode_of("p/q"), S_IFDIR | 0750);
	must(unlinkat(top_fd, "p/q", AT_REMOVEDIR));
	must(unlinkat(top_fd, "p", AT_REMOVEDIR));
}

/* From where he is, with a slash at the end, with none. */
static void test_as_a_caller_names_it(void **state)
{
	size_t len;

	(void)state;
	assert_int_equal(path_make_private("r/", &len), 0);
	assert_int_equal(mode_of("r"), S_IFDIR | 0700);
	assert_int_equal(path_make_private("log", &len), 0);
	assert_int_equal(path_make_private("/log", &len), 0);
	must(unlinkat(top_fd, "r", AT_REMOVEDIR));
}

static void test_refused(void **state)
{
	char path[300];
	size_t len;

	(void)state;
	must(mknodat(top_fd, "file", S_IFREG | 0600, 0));
	assert_int_equal(path_make_private("file/s/log", &len), -ENOTDIR);
	assert_int_equal(len, strlen("file/s"));
	must(unlinkat(top_fd, "file", 0));
	memset(path, 'a', sizeof(path));
	memcpy(path + sizeof(path) - 5, "/log", 5);
	assert_int_equal(path_make_private(path, &len), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatever_the_umask),
		cmocka_unit_test(test_as_a_caller_names_it),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("path_private", tests, setup, teardown);
}
