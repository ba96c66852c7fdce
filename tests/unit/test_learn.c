// SPDX-License-Identifier: Apache-2.0
/* A recording counts what it holds, says what it could not hold, and is what was asked for. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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
static void call_with(struct learn *l, long nr, const uint64_t args[6], bool denied)
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
	for (unsigned i = 0; i < 6; i++)
		notif.data.args[i] = args[i];
	learn_call(l, &event);
}

static void call(struct learn *l, long nr, uint64_t a, uint64_t b, uint64_t c, bool denied)
{
	const uint64_t args[6] = { a, b, c };

	call_with(l, nr, args, denied);
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

/* --- what was found out is used again, until a call that was seen changes it --- */

static char tree[] = "/tmp/test-learn.XXXXXX";

static const char *in_tree(const char *name)
{
	static char text[4][96];
	static unsigned next;
	char *t = text[next++ % 4];

	(void)snprintf(t, sizeof(text[0]), "%s/%s", tree, name);
	return t;
}

static void make(const char *name)
{
	_cleanup_close_ int fd = open(in_tree(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

/* tree/{a,b}/ with a file each that both have, and one of b's own. */
static int plant(void **state)
{
	(void)snprintf(tree, sizeof(tree), "/tmp/test-learn.XXXXXX");
	assert_non_null(mkdtemp(tree));
	assert_int_equal(mkdir(in_tree("a"), 0700), 0);
	assert_int_equal(mkdir(in_tree("b"), 0700), 0);
	make("a/f");
	make("b/f");
	make("b/own");
	return begin(state);
}

static int uproot(void **state)
{
	static const char *const names[] = { "a/f", "b/f", "b/own", "c/f", "a", "b", "c", "" };

	assert_int_equal(chdir("/"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)unlink(in_tree(names[i]));
		(void)rmdir(in_tree(names[i]));
	}
	(void)rmdir(tree);
	assert_int_not_equal(access(tree, F_OK), 0);
	return end(state);
}

/* How often a path was counted, and as what; 0 when it is not there. */
static int64_t count_of(struct learn *l, const char *name, const char *kind)
{
	json_object *o = record(l, "path", "path_as_read", in_tree(name), NULL);
	int64_t n = 0;

	if (!o)
		return 0;
	assert_string_equal(json_object_get_string(field(o, "kind")), kind);
	n = json_object_get_int64(field(o, "count"));
	json_object_put(o);
	return n;
}

static void look(struct learn *l, uint64_t dirfd, const char *text)
{
	call(l, SYS_openat, dirfd, address(text), O_RDONLY, false);
}

static void test_chdir(void **state)
{
	static const char name[] = "f";
	struct learn *l = *state;

	assert_int_equal(chdir(in_tree("a")), 0);
	for (int i = 0; i < 5; i++)
		look(l, (uint64_t)AT_FDCWD, name);
	assert_int_equal(count_of(l, "a/f", "file"), 5);
	call(l, SYS_chdir, address(in_tree("b")), 0, 0, false);
	assert_int_equal(chdir(in_tree("b")), 0);
	look(l, (uint64_t)AT_FDCWD, name);
	assert_int_equal(count_of(l, "a/f", "file"), 5);
	assert_int_equal(count_of(l, "b/f", "file"), 1);
}

/* The call is counted before it is made: what was kept in between is of before. */
static void test_changed_late(void **state)
{
	static const char name[] = "f";
	struct learn *l = *state;
	_cleanup_close_ int fd = open(in_tree("b"), O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(chdir(in_tree("a")), 0);
	call(l, SYS_fchdir, (uint64_t)fd, 0, 0, false);
	/* as another thread would have it looked up now */
	l->pids[(uint32_t)getpid() % LEARN_PIDS].changed = 0;
	look(l, (uint64_t)AT_FDCWD, name);
	l->pids[(uint32_t)getpid() % LEARN_PIDS].changed = LEARN_ROLE_CHDIR;
	assert_int_equal(fchdir(fd), 0);
	look(l, (uint64_t)AT_FDCWD, name);
	assert_int_equal(count_of(l, "a/f", "file"), 1);
	assert_int_equal(count_of(l, "b/f", "file"), 1);
}

static void test_descriptors(void **state)
{
	static const char name[] = "f";
	struct learn *l = *state;
	int fd = open(in_tree("a"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int other = open(in_tree("b"), O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 3; i++)
		look(l, (uint64_t)fd, name);
	call(l, SYS_dup3, (uint64_t)other, (uint64_t)fd, O_CLOEXEC, false);
	assert_int_equal(dup3(other, fd, O_CLOEXEC), fd);
	look(l, (uint64_t)fd, name);
	assert_int_equal(count_of(l, "a/f", "file"), 3);
	assert_int_equal(count_of(l, "b/f", "file"), 1);
	call(l, SYS_close, (uint64_t)fd, 0, 0, false);
	assert_int_equal(close(fd), 0);
	assert_int_equal(open(in_tree("a"), O_PATH | O_DIRECTORY | O_CLOEXEC), fd);
	look(l, (uint64_t)fd, name);
	assert_int_equal(count_of(l, "a/f", "file"), 4);
	/* a call that was refused closes nothing, and none of another number does */
	call(l, SYS_close, (uint64_t)fd, 0, 0, true);
	call(l, SYS_close, 63, 0, 0, false);
	look(l, (uint64_t)fd, name);
	assert_int_equal(count_of(l, "a/f", "file"), 5);
	/* closed unseen, as after --quick: nothing of descriptors is kept */
	learn_blind_fds(l);
	look(l, (uint64_t)fd, name);
	assert_int_equal(dup3(other, fd, O_CLOEXEC), fd);
	look(l, (uint64_t)fd, name);
	assert_int_equal(count_of(l, "b/f", "file"), 2);
	(void)close(fd);
}

static void test_renames(void **state)
{
	struct learn *l = *state;
	const char *file = in_tree("a/f");

	for (int i = 0; i < 3; i++)
		look(l, 0, file);
	/* a file becomes a symlink: one name leads to another place */
	call(l, SYS_unlink, address(file), 0, 0, false);
	assert_int_equal(unlink(file), 0);
	call(l, SYS_symlink, address("../b/own"), address(file), 0, false);
	assert_int_equal(symlink("../b/own", file), 0);
	look(l, 0, file);
	look(l, 0, file);
	assert_int_equal(count_of(l, "b/own", "file"), 2);
	/* and back, by a rename over it */
	call(l, SYS_rename, address(in_tree("b/f")), address(file), 0, false);
	assert_int_equal(rename(in_tree("b/f"), file), 0);
	look(l, 0, file);
	assert_int_equal(count_of(l, "b/own", "file"), 2);
	/* a directory that is moved away takes the names below it along */
	call(l, SYS_rename, address(in_tree("a")), address(in_tree("c")), 0, false);
	assert_int_equal(rename(in_tree("a"), in_tree("c")), 0);
	look(l, 0, in_tree("c/f"));
	assert_int_equal(count_of(l, "c/f", "file"), 1);
	assert_int_equal(mkdir(in_tree("a"), 0700), 0);
	look(l, 0, in_tree("a/none"));
	assert_int_equal(count_of(l, "a/none", "missing"), 1);
}

/* One of the same name is another directory. */
static void test_rmdir(void **state)
{
	struct learn *l = *state;

	look(l, 0, in_tree("a/f"));
	look(l, 0, in_tree("a/new"));
	assert_int_equal(count_of(l, "a/new", "missing"), 1);
	call(l, SYS_unlink, address(in_tree("a/f")), 0, 0, false);
	assert_int_equal(unlink(in_tree("a/f")), 0);
	call(l, SYS_rmdir, address(in_tree("a")), 0, 0, false);
	assert_int_equal(rmdir(in_tree("a")), 0);
	call(l, SYS_mkdir, address(in_tree("a")), 0700, 0, false);
	assert_int_equal(mkdir(in_tree("a"), 0700), 0);
	make("a/new");
	look(l, 0, in_tree("a/new"));
	assert_int_equal(count_of(l, "a/new", "file"), 2);
	assert_int_equal(unlink(in_tree("a/new")), 0);
}

/* Unseen changes are found a second later. */
static void test_second(void **state)
{
	static const char name[] = "f";
	struct learn *l = *state;

	assert_int_equal(chdir(in_tree("a")), 0);
	look(l, (uint64_t)AT_FDCWD, name);
	assert_int_equal(chdir(in_tree("b")), 0);
	l->ages.second--;
	look(l, (uint64_t)AT_FDCWD, name);
	assert_int_equal(count_of(l, "b/f", "file"), 1);
}

/* A text that ends with its page, one that goes on in the next, and one that never ends. */
static void test_page_ends(void **state)
{
	struct learn *l = *state;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), len = strlen(tree) + 5;
	char *m = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool complete = false;

	assert_true(m != MAP_FAILED);
	assert_int_equal(munmap(m + 2 * page, page), 0);
	(void)snprintf(m + 2 * page - len, len, "%s/a/f", tree);
	for (int i = 0; i < 4; i++)
		look(l, 0, m + 2 * page - len);
	assert_int_equal(count_of(l, "a/f", "file"), 4);
	(void)snprintf(m + page - 3, len, "%s/b/f", tree);
	look(l, 0, m + page - 3);
	assert_int_equal(count_of(l, "b/f", "file"), 1);
	memset(m, '/', 2 * page);
	look(l, 0, m);
	json_object_put(record(l, "end", NULL, NULL, &complete));
	assert_true(complete);
	assert_int_equal(munmap(m, 2 * page), 0);
}

/* --- addresses --- */

static int64_t socket_count(struct learn *l, const char *address_text, int64_t port)
{
	json_object *o = record(l, "socket", "address_as_read", address_text, NULL);
	int64_t n = 0;

	if (!o)
		return 0;
	assert_int_equal(json_object_get_int64(field(o, "port")), port);
	assert_int_equal(json_object_get_int(field(o, "socket_type")), SOCK_DGRAM);
	n = json_object_get_int64(field(o, "count"));
	json_object_put(o);
	return n;
}

static struct sockaddr_in to(const char *host, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, host, &a.sin_addr), 1);
	return a;
}

static void test_messages(void **state)
{
	struct learn *l = *state;
	struct sockaddr_in a = to("192.0.2.1", 53), b = to("192.0.2.2", 54),
			   c = to("192.0.2.3", 55);
	struct msghdr one = { .msg_name = &a, .msg_namelen = sizeof(a) };
	struct mmsghdr many[3] = { { .msg_hdr = { .msg_name = &b, .msg_namelen = sizeof(b) } },
				   { .msg_hdr = { .msg_name = NULL } },
				   { .msg_hdr = { .msg_name = &c, .msg_namelen = sizeof(c) } } };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool complete = false;

	call(l, SYS_sendmsg, (uint64_t)fd, address(&one), 0, false);
	call(l, SYS_sendmmsg, (uint64_t)fd, address(many), 3, false);
	call_with(l, SYS_sendto, (uint64_t[]){ (uint64_t)fd, 0, 0, 0, address(&c), sizeof(c) },
		  false);
	/* connected already: none is named */
	call_with(l, SYS_sendto, (uint64_t[]){ (uint64_t)fd, 0, 0, 0, 0, 0 }, false);
	/* the kernel refuses these */
	call(l, SYS_sendmsg, (uint64_t)fd, 8, 0, false);
	call(l, SYS_sendmmsg, (uint64_t)fd, 8, UINT32_MAX, false);
	assert_int_equal(socket_count(l, "192.0.2.1", 53), 1);
	assert_int_equal(socket_count(l, "192.0.2.2", 54), 1);
	assert_int_equal(socket_count(l, "192.0.2.3", 55), 2);
	json_object_put(record(l, "end", NULL, NULL, &complete));
	assert_true(complete);
}

/* A socket's name is a file's, from the working directory on. */
static void test_unix(void **state)
{
	static const struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "own" };
	struct learn *l = *state;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(chdir(in_tree("b")), 0);
	call(l, SYS_connect, (uint64_t)fd, address(&un), sizeof(un), false);
	assert_int_equal(count_of(l, "b/own", "file"), 1);
	assert_int_equal(socket_count(l, "own", 0), 1);
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
#define TREE(t) cmocka_unit_test_setup_teardown(t, plant, uproot)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts),	  TEST(test_values),	     TEST(test_width),
		TEST(test_keys_overflow), TEST(test_numbers),	     TEST(test_paths),
		TEST(test_symlinks),	  TEST(test_paths_overflow), TEST(test_cut),
		TREE(test_chdir),	  TREE(test_changed_late),   TREE(test_descriptors),
		TREE(test_renames),	  TREE(test_rmdir),	     TREE(test_second),
		TREE(test_page_ends),	  TEST(test_messages),	     TREE(test_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
