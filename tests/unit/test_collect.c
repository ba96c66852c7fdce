// SPDX-License-Identifier: Apache-2.0
/*
 * Whose a record is. The collector runs as it does for an administrator, but that its records and
 * fork events come from this test, which is the kernel and the supervisors at once; the processes
 * are real.
 */
#include "tests/unit/collect_case.h"

/* --- with fork events ---------------------------------------------------------------------- */

static void test_pid(void **state)
{
	struct scene *s = scene_new(true);
	struct box a, b;
	char last[512];

	(void)state;
	box_new(&a, s);
	box_new(&b, s);
	nap(10);
	forked(s, a.pid1, 400001);
	forked(s, 400001, 400002);
	forked(s, b.pid1, 400003);
	forked(s, getpid(), 400004);
	nap(10);
	ended(s, 400001);
	/* dead or alive: neither number is of a process that is there */
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	say(s, KERNEL_TYPE_LSM, DENIED, 400002);
	say(s, KERNEL_TYPE_LSM, DENIED, 400003);
	say(s, KERNEL_TYPE_LSM, DENIED, 400004);
	say(s, KERNEL_TYPE_LSM, DENIED, a.pid1);
	/* not denials */
	say(s, KERNEL_TYPE_LSM, "apparmor=\"ALLOWED\" operation=\"open\" pid=%d", 400002);
	say(s, 1107, DENIED, 400002);
	assert_string_equal(told(&a, last, sizeof(last)), "PPP");
	assert_non_null(strstr(last, "operation=\"capable\""));
	assert_told(&b, "P");
	box_end(&a);
	/* its processes are nobody's now */
	say(s, KERNEL_TYPE_LSM, DENIED, 400002);
	assert_told(&b, "");
	box_end(&b);
	scene_free(s);
}

/* A number that is given to somebody else, and records of before and after. */
static void test_pid_again(void **state)
{
	struct scene *s = scene_new(true);
	struct box a, b;
	int64_t of_a;

	(void)state;
	box_new(&a, s);
	box_new(&b, s);
	nap(10);
	forked(s, a.pid1, 400001);
	nap(20);
	of_a = wall_ms();
	nap(20);
	ended(s, 400001);
	nap(20);
	forked(s, b.pid1, 400001);
	/* read late: the number was a's then, and who has it now gets nothing */
	say_at(s, KERNEL_TYPE_LSM, of_a, DENIED, 400001);
	assert_told(&b, "");
	nap(20);
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	assert_told(&a, "");
	assert_told(&b, "P");
	ended(s, 400001);
	nap(20);
	forked(s, getpid(), 400001);
	nap(20);
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	assert_told(&b, "");
	/* a clock that stands still: younger than the end of who had it before, older than the fork
	 */
	of_a = wall_ms();
	nap(20);
	forked(s, a.pid1, 400001);
	say_at(s, KERNEL_TYPE_LSM, of_a, DENIED, 400001);
	assert_told(&a, "P");
	box_end(&a);
	box_end(&b);
	scene_free(s);
}

/* Whatever the join, what the record says of its uid decides. */
static void test_uid(void **state)
{
	struct scene *s = scene_new(true);
	struct box a;

	(void)state;
	box_new(&a, s);
	nap(10);
	forked(s, a.pid1, 400001);
	nap(10);
	say(s, KERNEL_TYPE_LSM, DENIED " fsuid=%u", 400001, getuid() + 1);
	say(s, KERNEL_TYPE_LSM, DENIED " uid=%u", 400001, getuid() + 1);
	say(s, KERNEL_TYPE_LSM, DENIED " uid=x", 400001);
	assert_told(&a, "");
	say(s, KERNEL_TYPE_LSM, DENIED " uid=%u fsuid=%u", 400001, getuid(), getuid());
	assert_told(&a, "P");
	box_end(&a);
	scene_free(s);
}

static void test_domain(void **state)
{
	struct scene *s = scene_new(true);
	struct box a, b;

	(void)state;
	box_new(&a, s);
	box_new(&b, s);
	nap(10);
	/* the denial comes before the word on whose it is */
	say(s, KERNEL_TYPE_LANDLOCK, "domain=a1 blockers=fs.execute path=\"/x\"");
	say(s, KERNEL_TYPE_DOMAIN, "domain=a1 status=allocated mode=enforcing pid=%d uid=%u",
	    a.pid1, getuid());
	say(s, KERNEL_TYPE_LANDLOCK, "domain=a1 blockers=fs.execute path=\"/y\"");
	say(s, KERNEL_TYPE_LANDLOCK, "domain=b1 blockers=fs.execute path=\"/z\"");
	say(s, KERNEL_TYPE_DOMAIN, "domain=b1 status=allocated mode=enforcing pid=%d uid=%u",
	    b.pid1, getuid());
	/* nobody's, another user's, and none at all */
	say(s, KERNEL_TYPE_LANDLOCK, "domain=c1 blockers=fs.execute path=\"/z\"");
	say(s, KERNEL_TYPE_DOMAIN, "domain=c1 status=allocated mode=enforcing pid=%d uid=%u",
	    getpid(), getuid());
	say(s, KERNEL_TYPE_LANDLOCK, "domain=d1 blockers=fs.execute path=\"/z\"");
	say(s, KERNEL_TYPE_DOMAIN, "domain=d1 status=allocated mode=enforcing pid=%d uid=%u",
	    a.pid1, getuid() + 1);
	say(s, KERNEL_TYPE_LANDLOCK, "domain=xyz blockers=fs.execute path=\"/z\"");
	assert_told(&a, "dd");
	assert_told(&b, "d");
	/* a domain that a descendant made */
	forked(s, a.pid1, 400001);
	nap(10);
	say(s, KERNEL_TYPE_LANDLOCK, "domain=a2 blockers=fs.read_file path=\"/x\"");
	say(s, KERNEL_TYPE_DOMAIN, "domain=a2 status=allocated mode=enforcing pid=400001 uid=%u",
	    getuid());
	say(s, KERNEL_TYPE_DOMAIN, "domain=a1 status=deallocated denials=2");
	say(s, KERNEL_TYPE_LANDLOCK, "domain=a1 blockers=fs.execute path=\"/x\"");
	assert_told(&a, "d");
	box_end(&a);
	box_end(&b);
	scene_free(s);
}

/* --- without ------------------------------------------------------------------------------- */

static void test_walk(void **state)
{
	struct scene *s = scene_new(false);
	struct box a, b;
	char last[512];
	int64_t before;

	(void)state;
	before = wall_ms() - 10000;
	box_new(&a, s);
	nap(30);
	say(s, KERNEL_TYPE_LSM, DENIED, a.child);
	say(s, KERNEL_TYPE_LSM, DENIED, a.pid1);
	/* ours, which is no descendant of it, and a record of before there was that process */
	say(s, KERNEL_TYPE_LSM, DENIED, getpid());
	say_at(s, KERNEL_TYPE_LSM, before, DENIED, a.child);
	say(s, KERNEL_TYPE_LSM, DENIED " uid=%u", a.child, getuid() + 1);
	assert_string_equal(told(&a, last, sizeof(last)), "PP");
	/* gone: by its parent, when the event has a SYSCALL record; by its user, when it has none
	 */
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	s->serial--;
	say(s, KERNEL_TYPE_SYSCALL, "ppid=%d pid=400001 uid=%u euid=%u suid=%u fsuid=%u", a.child,
	    getuid(), getuid(), getuid(), getuid());
	say(s, KERNEL_TYPE_LSM, DENIED, 400002);
	s->serial--;
	say(s, KERNEL_TYPE_SYSCALL, "ppid=%d pid=400002 uid=%u euid=0 suid=%u fsuid=%u", a.child,
	    getuid() + 1, getuid(), getuid());
	assert_string_equal(told(&a, last, sizeof(last)), "p");
	say(s, KERNEL_TYPE_LSM, DENIED " fsuid=%u", 400003, getuid());
	nap(300);
	assert_told(&a, "u");
	/* read long after it was made, and held still when its sandbox ends */
	nap(500);
	say_at(s, KERNEL_TYPE_LSM, wall_ms() - 400, DENIED " fsuid=%u", 400003, getuid());
	assert_told(&a, "u");
	say(s, KERNEL_TYPE_LSM, DENIED " fsuid=%u", 400003, getuid() + 1);
	say(s, KERNEL_TYPE_LSM, DENIED, 400003);
	nap(300);
	assert_told(&a, "");
	/* two of this user's: neither gets it, both are told that there was one */
	box_new(&b, s);
	nap(300);
	say(s, KERNEL_TYPE_LSM, DENIED " fsuid=%u", 400004, getuid());
	nap(300);
	assert_string_equal(told(&a, last, sizeof(last)), "");
	assert_non_null(strstr(last, "lost 0 "));
	assert_string_equal(told(&b, last, sizeof(last)), "");
	assert_string_equal(last, "lost 0 1");
	box_end(&a);
	box_end(&b);
	scene_free(s);
}

/* --- who may be told anything -------------------------------------------------------------- */

static int opened(const struct scene *s, const struct box *b)
{
	struct collected client;
	int r = collected_open(&client, s->socket, b->pidfd);

	collected_close(&client);
	return r;
}

static void test_register(void **state)
{
	struct scene *s = scene_new(true);
	struct box b = { .pidfd = -1 }, other;
	struct collected client;
	int pipes[2], status;
	pid_t pid;

	(void)state;
	/* no pid 1, its own user namespace or not; no pidfd; nothing at all */
	box_make(&b, 0, false, false);
	assert_int_equal(opened(s, &b), -EPERM);
	box_end(&b);
	box_make(&b, CLONE_NEWUSER, true, false);
	assert_int_equal(opened(s, &b), -EPERM);
	box_end(&b);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(collected_open(&client, s->socket, pipes[0]), -EBADF);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	/* more than one id, where we may map that many */
	if (getuid() == 0) {
		box_make(&b, CLONE_NEWUSER | CLONE_NEWPID, false, false);
		map_ids(b.pid1, 2);
		assert_int_equal(opened(s, &b), -EPERM);
		box_end(&b);
	}
	/* another's child, though of the same user */
	box_make(&b, CLONE_NEWUSER | CLONE_NEWPID, true, true);
	pid = fork();
	if (pid == 0)
		_exit(opened(s, &b) == -EPERM ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* twice */
	assert_int_equal(collected_open(&b.client, s->socket, b.pidfd), 0);
	assert_int_equal(opened(s, &b), -EEXIST);
	collected_close(&b.client);
	nap(50);
	assert_int_equal(opened(s, &b), 0);
	/* its child, which is in a pid namespace but no pid 1 */
	other = b;
	other.pidfd = sys_pidfd_open(b.child, 0);
	assert_true(other.pidfd >= 0);
	assert_int_equal(opened(s, &other), -EPERM);
	(void)close(other.pidfd);
	box_end(&b);
	/* gone */
	box_make(&b, CLONE_NEWUSER | CLONE_NEWPID, true, false);
	(void)kill(b.pid1, SIGKILL);
	(void)waitpid(b.pid1, NULL, 0);
	assert_int_equal(opened(s, &b), -ESRCH);
	fd_closep(&b.pidfd);
	scene_free(s);
}

/* Words that are none, and silence, harm nobody else. */
static void test_words(void **state)
{
	struct scene *s = scene_new(true);
	struct collected client = { .fd = -1 };
	struct box a;
	char junk[65536];

	(void)state;
	memset(junk, 0x41, sizeof(junk));
	box_new(&a, s);
	for (size_t size = 1; size <= sizeof(junk) / 2; size *= 3) {
		struct box b = { .pidfd = -1 };

		box_make(&b, CLONE_NEWUSER | CLONE_NEWPID, true, false);
		assert_int_equal(collected_open(&client, s->socket, b.pidfd), 0);
		(void)send(client.fd, junk, size, MSG_NOSIGNAL);
		nap(20);
		(void)send(client.fd, junk, size, MSG_NOSIGNAL);
		collected_close(&client);
		box_end(&b);
	}
	nap(10);
	forked(s, a.pid1, 400001);
	nap(10);
	/* what is no record of the kernel's */
	assert_true(send(s->source, junk, 3, 0) == 3);
	assert_true(send(s->source, junk, 5000, 0) == 5000);
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	assert_told(&a, "P");
	box_end(&a);
	scene_free(s);
}

/* A client that reads nothing: what it misses is counted, by mechanism, and told. */
static void test_full(void **state)
{
	struct scene *s = scene_new(true);
	uint64_t got = 0, dropped = 0;
	struct collected_packet packet;
	struct kernel_text text;
	struct box a, b;
	enum { MADE = 3000 };

	(void)state;
	box_new(&a, s);
	box_new(&b, s);
	nap(10);
	forked(s, a.pid1, 400001);
	forked(s, b.pid1, 400002);
	nap(10);
	for (int i = 0; i < MADE; i++)
		say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	say(s, KERNEL_TYPE_LSM, DENIED, 400002);
	assert_told(&b, "P");
	assert_int_equal(collected_sync(&a.client), 0);
	for (;;) {
		int r = collected_next(&a.client, &packet, &text);

		assert_true(r >= 0);
		if (r == 0) {
			assert_int_equal(collected_wait(&a.client, mono_ns() / 1000000 + 5000), 0);
			continue;
		}
		if (packet.kind == COLLECTED_SYNCED)
			break;
		got += packet.kind == COLLECTED_RECORD;
		dropped += packet.kind == COLLECTED_LOST ? packet.dropped[KERNEL_APPARMOR] : 0;
	}
	assert_true(dropped > 0);
	assert_int_equal(got + dropped, MADE);
	box_end(&a);
	box_end(&b);
	scene_free(s);
}

/* Where the end of the kernel's stream is not seen, a sandbox is told so, and is the only one. */
static void test_unfinished(void **state)
{
	static char longer[KERNEL_RECORD_MAX + 100];
	struct scene *s = scene_new(true);
	char last[512];
	struct box a, b, c;

	(void)state;
	box_new(&a, s);
	box_new(&b, s);
	forked(s, a.pid1, 400001);
	forked(s, b.pid1, 400002);
	nap(20);
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	assert_told(&a, "P");
	assert_int_equal(a.unfinished, 0);
	/* the kernel has more than it has handed out: what came is told, and that it may not be all
	 */
	kauditd_is(s, 'R');
	say(s, KERNEL_TYPE_LSM, DENIED, 400001);
	assert_told(&a, "P");
	assert_int_equal(a.unfinished, -ETIMEDOUT);
	kauditd_is(s, 'S');
	assert_string_equal(told(&b, last, sizeof(last)), "");
	assert_string_equal(last, "");
	assert_int_equal(b.unfinished, 0);
	/* some were lost: how many, the next number tells those who are still there */
	assert_true(send(s->source, longer, sizeof(longer), 0) > 0);
	assert_string_equal(told(&a, last, sizeof(last)), "");
	assert_string_equal(last, "");
	assert_int_equal(a.unfinished, -ETIMEDOUT);
	/* which those who came later cannot have been of */
	nap(20);
	box_new(&c, s);
	assert_string_equal(told(&c, last, sizeof(last)), "");
	assert_int_equal(c.unfinished, 0);
	s->serial += 7;
	say(s, KERNEL_TYPE_LSM, DENIED, 400002);
	assert_string_equal(told(&b, last, sizeof(last)), "P");
	assert_string_equal(last, "lost 7 0");
	assert_int_equal(b.unfinished, 0);
	box_end(&c);
	box_end(&a);
	box_end(&b);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pid),	   cmocka_unit_test(test_pid_again),
		cmocka_unit_test(test_uid),	   cmocka_unit_test(test_domain),
		cmocka_unit_test(test_walk),	   cmocka_unit_test(test_register),
		cmocka_unit_test(test_words),	   cmocka_unit_test(test_full),
		cmocka_unit_test(test_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
