// SPDX-License-Identifier: Apache-2.0
/* A recording counts what it holds, says what it could not hold, and is what was asked for. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "audit/learn.h"
#include "audit/learn_state.h"
#include "base/fd.h"

static int begin(void **state)
{
	struct err err = ERR_INIT;
	struct learn *l = NULL;

	assert_int_equal(learn_new(&l, &err), 0);
	*state = l;
	return 0;
}

static int end(void **state)
{
	learn_free(*state);
	return 0;
}

/* A call of this very process: its memory and descriptors are there to be read. */
static void call(struct learn *l, long nr, uint64_t a, uint64_t b, uint64_t c, bool denied)
{
	struct seccomp_notif notif = { .id = 1, .pid = (uint32_t)getpid() };
	const struct learn_event event = {
		.notif = &notif,
		.notify_fd = -1,
		.abi = ABI_NATIVE,
		.nr = (int32_t)nr,
		.denied = denied,
		.errno_value = denied ? 1 : 0,
	};

	notif.data.nr = (int)nr;
	notif.data.args[0] = a;
	notif.data.args[1] = b;
	notif.data.args[2] = c;
	learn_call(l, &event);
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* The record of a type with this text under key, or NULL. The caller puts it. */
static json_object *record(const struct learn *l, const char *type, const char *key,
			   const char *text, bool *ret_complete)
{
	_cleanup_close_ int fd = memfd_create("learn", MFD_CLOEXEC);
	_cleanup_free_ char *all = NULL;
	json_object *found = NULL;
	bool complete;
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(learn_write(l, fd, NULL, ret_complete ? ret_complete : &complete), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 64 << 20, &all, &len), 0);
	for (char *line = all, *next; *line; line = next) {
		json_object *o, *v;

		next = line + strcspn(line, "\n");
		assert_int_equal(*next, '\n');
		*next++ = '\0';
		o = json_tokener_parse(line);
		assert_non_null(o);
		if (!found && json_object_object_get_ex(o, "type", &v) &&
		    strcmp(json_object_get_string(v), type) == 0 &&
		    (!key || (json_object_object_get_ex(o, key, &v) && json_object_get_string(v) &&
			      strcmp(json_object_get_string(v), text) == 0)))
			found = json_object_get(o);
		json_object_put(o);
	}
	return found;
}

static json_object *field(json_object *o, const char *key)
{
	json_object *v = NULL;

	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, key, &v));
	return v;
}

static void test_counts(void **state)
{
	struct learn *l = *state;
	json_object *o;

	for (int i = 0; i < 5; i++)
		call(l, SYS_getpgid, 0, 0, 0, false);
	learn_next_phase(l);
	call(l, SYS_getpgid, 0, 0, 0, false);
	call(l, SYS_getpgid, 0, 0, 0, true);
	o = record(l, "call", "name", "getpgid", NULL);
	assert_string_equal(json_object_to_json_string_ext(field(o, "count"), 0), "[5,1]");
	assert_true(json_object_get_boolean(field(o, "allowed")));
	json_object_put(o);
	o = record(l, "end", NULL, NULL, NULL);
	assert_int_equal(json_object_get_int(field(o, "calls")), 7);
	assert_int_equal(json_object_get_int(field(o, "denied")), 1);
	json_object_put(o);
}

/* Sixteen values of an argument are kept, the seventeenth is told. */
static void test_values(void **state)
{
	struct learn *l = *state;
	json_object *o, *arg, *v;

	for (uint64_t i = 0; i < LEARN_VALUES; i++)
		call(l, SYS_getpriority, i, 0, 0, false);
	o = record(l, "call", "name", "getpriority", NULL);
	arg = json_object_array_get_idx(field(o, "args"), 0);
	assert_int_equal(json_object_array_length(field(arg, "values")), LEARN_VALUES);
	assert_false(json_object_object_get_ex(arg, "varies", &v));
	json_object_put(o);
	call(l, SYS_getpriority, LEARN_VALUES, 0, 0, false);
	o = record(l, "call", "name", "getpriority", NULL);
	arg = json_object_array_get_idx(field(o, "args"), 0);
	assert_true(json_object_get_boolean(field(arg, "varies")));
	json_object_put(o);
}

/* As the kernel reads it: the upper half of an int's register is no other value. */
static void test_width(void **state)
{
	struct learn *l = *state;
	json_object *o;

	call(l, SYS_socket, AF_UNIX, SOCK_STREAM, 0, false);
	call(l, SYS_socket, AF_UNIX | UINT64_C(7) << 32, SOCK_STREAM, 0, false);
	o = record(l, "call", "name", "socket", NULL);
	assert_int_equal(json_object_array_length(field(o, "key")), 1);
	json_object_put(o);
}

static void test_keys_overflow(void **state)
{
	struct learn *l = *state;
	json_object *o;

	for (uint64_t i = 0; i <= LEARN_TUPLES; i++)
		call(l, SYS_ioctl, 0, i, 0, false);
	o = record(l, "call", "name", "ioctl", NULL);
	assert_int_equal(json_object_array_length(field(o, "key")), LEARN_TUPLES);
	assert_true(json_object_get_boolean(field(o, "key_varies")));
	json_object_put(o);
}

static void test_numbers(void **state)
{
	struct learn *l = *state;
	json_object *o;

	call(l, 5000, 0, 0, 0, true);
	call(l, -1, 0, 0, 0, true);
	call(l, 1000, 0, 0, 0, true); /* within the table's space, and no call */
	o = record(l, "end", NULL, NULL, NULL);
	assert_int_equal(json_object_get_int(field(o, "odd_numbers")), 2);
	assert_int_equal(json_object_get_int(field(o, "calls")), 3);
	json_object_put(o);
}

static void test_paths(void **state)
{
	static const char absolute[] = "/usr/bin/../bin/env", missing[] = "/nowhere/at/all";
	struct learn *l = *state;
	bool complete = false;
	json_object *o;

	call(l, SYS_openat, (uint64_t)AT_FDCWD, address(absolute), O_RDONLY, false);
	o = record(l, "path", "path_as_read", "/usr/bin/env", &complete);
	assert_true(complete);
	assert_string_equal(json_object_get_string(field(o, "kind")), "file");
	assert_string_equal(json_object_to_json_string_ext(field(o, "access"), 0), "[\"read\"]");
	json_object_put(o);
	call(l, SYS_openat, (uint64_t)AT_FDCWD, address(missing), O_WRONLY | O_CREAT, true);
	o = record(l, "path", "path_as_read", missing, NULL);
	assert_string_equal(json_object_get_string(field(o, "kind")), "missing");
	assert_false(json_object_get_boolean(field(o, "allowed")));
	assert_string_equal(json_object_to_json_string_ext(field(o, "access"), 0),
			    "[\"write\",\"make\"]");
	json_object_put(o);
	/* an address where nothing is: the kernel refuses the call, and nothing was missed */
	call(l, SYS_openat, (uint64_t)AT_FDCWD, 8, O_RDONLY, false);
	json_object_put(record(l, "end", NULL, NULL, &complete));
	assert_true(complete);
}

static void test_symlinks(void **state)
{
	struct learn *l = *state;
	char dir[] = "/tmp/test-learn.XXXXXX", link[64], path[64];
	json_object *o;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	(void)snprintf(path, sizeof(path), "%s/link/env", dir);
	assert_int_equal(symlink("/usr/bin", link), 0);
	call(l, SYS_openat, (uint64_t)AT_FDCWD, address(path), O_RDONLY, false);
	o = record(l, "path", "path_as_read", link, NULL);
	assert_string_equal(json_object_get_string(field(o, "kind")), "symlink");
	json_object_put(o);
	o = record(l, "path", "path_as_read", "/usr/bin/env", NULL);
	assert_non_null(o);
	json_object_put(o);
	/* one that leads to itself ends */
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("link", link), 0);
	call(l, SYS_openat, (uint64_t)AT_FDCWD, address(path), O_RDONLY, false);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* More paths than there is room for: counted, and the recording is not complete. */
static void test_paths_overflow(void **state)
{
	struct learn *l = *state;
	bool complete = true;
	json_object *o;

	for (unsigned i = 0; i < LEARN_PATHS + 10; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/nowhere/%u", i);
		call(l, SYS_openat, (uint64_t)AT_FDCWD, address(path), O_RDONLY, false);
	}
	o = record(l, "end", NULL, NULL, &complete);
	assert_false(complete);
	assert_int_equal(json_object_get_int(field(o, "lost_paths")), 10);
	json_object_put(o);
}

static void test_cut(void **state)
{
	struct learn *l = *state;
	_cleanup_close_ int fd = memfd_create("learn", MFD_CLOEXEC);
	bool complete = true;

	assert_int_equal(learn_write(l, fd, "a limit", &complete), 0);
	assert_false(complete);
	assert_int_equal(learn_write(l, fd, NULL, &complete), 0);
	assert_true(complete);
	assert_true(learn_write(l, -1, NULL, &complete) < 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts),	  TEST(test_values),	     TEST(test_width),
		TEST(test_keys_overflow), TEST(test_numbers),	     TEST(test_paths),
		TEST(test_symlinks),	  TEST(test_paths_overflow), TEST(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
