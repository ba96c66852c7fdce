// SPDX-License-Identifier: Apache-2.0
/* A chain over several files: whoever writes, whenever a writer dies. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/rotate_case.h"

static void a_log_is_rotated_by_size(void **state)
{
	struct verify_result v;
	char name[40][64];
	struct chain c;
	struct stat st;
	size_t n;

	(void)state;
	open_chain(&c, 4096, 100);
	for (int i = 0; i < 60; i++)
		assert_int_equal(put(&c, "a", 3), 0);
	chain_close(&c);
	n = files(name);
	assert_in_range(n, 8, 20);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(stat(in_dir(name[i]), &st), 0);
		assert_true(st.st_size <= 4096 + 512); /* the rotate record comes on top */
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	judge(VERIFY_WHOLE, &v);
	assert_int_equal(v.files, n);
	assert_int_equal(v.records, 180 + n - 1);
	assert_int_equal(v.denials, 180);
	assert_int_equal(v.repairs, 0);
	assert_int_equal(v.removed, 0);
}

static void a_log_is_rotated_by_age(void **state)
{
	struct verify_result v;
	char name[40][64];
	struct chain c;

	(void)state;
	open_chain(&c, 0, 8);
	c.rotation.age_ms = 1000; /* the first record is of 2001 */
	assert_int_equal(put(&c, "a", 1), 0);
	assert_int_equal(files(name), 1);
	assert_int_equal(put(&c, "a", 1), 0);
	assert_int_equal(files(name), 2);
	/* The twin: younger than that. */
	c.rotation.age_ms = UINT64_MAX;
	assert_int_equal(put(&c, "a", 1), 0);
	assert_int_equal(files(name), 2);
	chain_close(&c);
	judge(VERIFY_WHOLE, &v);
}

static void old_files_go_and_it_is_told(void **state)
{
	struct verify_result v;
	char name[40][64];
	struct chain c;
	size_t n;

	(void)state;
	open_chain(&c, 4096, 3);
	for (int i = 0; i < 100; i++)
		assert_int_equal(put(&c, "a", 3), 0);
	chain_close(&c);
	n = files(name);
	assert_int_equal(n, 4);
	judge(VERIFY_WHOLE, &v);
	assert_true(v.removed > 0);
	assert_true(v.records < 300);

	/* One more that no record tells of is theft. */
	assert_int_equal(unlink(in_dir(name[0])), 0);
	judge(VERIFY_DROPPED, &v);
	assert_non_null(strstr(v.text, "no record tells"));
}

/* --- a writer that dies -------------------------------------------------------------------- */

/* Let a writer run as far as its stop number k at a system call and kill it there. False when it
 * ended before. */
static bool kill_at(unsigned k)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct chain c;

		open_chain(&c, 4096, 2);
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		_exit(put(&c, "dies", 3) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (unsigned i = 0; i < k; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return true;
}

/* The last whole line that the head knows goes: wherever the writer died, that is a cut. */
static void steal_the_last_known_line(void)
{
	struct file_copy copy[40];
	size_t n = save(copy);
	struct chain_point head;

	assert_int_equal(chain_parse_head(copy[n - 1].p, copy[n - 1].len, &head), 0);
	for (size_t i = n - 1; i-- > 0;) {
		const char *p = copy[i].p, *end = p + copy[i].len, *nl, *cut = NULL;
		struct hash prev;
		uint64_t seq;

		for (; p < end; p = nl + 1) {
			nl = memchr(p, '\n', (size_t)(end - p));
			assert_non_null(nl);
			assert_int_equal(chain_parse_prefix(p, (size_t)(nl - p), &seq, &prev), 0);
			if (seq == head.seq)
				cut = p;
		}
		if (cut) {
			assert_int_equal(truncate(in_dir(copy[i].name), cut - copy[i].p), 0);
			break;
		}
		if (copy[i].len > 0)
			assert_int_equal(truncate(in_dir(copy[i].name), 0), 0);
	}
	drop_copies(copy, n);
}

/* A rotate record is the last one of a rotated file and is nowhere else. */
static void rotate_records_are_last(void)
{
	static const char mark[] = "\"type\":\"rotate\"";
	struct file_copy copy[40];
	size_t n = save(copy);

	for (size_t i = 0; i + 1 < n; i++) {
		const char *hit = copy[i].p ? memmem(copy[i].p, copy[i].len, mark, 15) : NULL;

		if (i + 2 == n) {
			assert_null(hit);
			continue;
		}
		assert_non_null(hit);
		hit = memchr(hit, '\n', copy[i].len - (size_t)(hit - copy[i].p));
		assert_ptr_equal(hit, copy[i].p + copy[i].len - 1);
	}
	drop_copies(copy, n);
}

/* The next writer dies too, while it repairs, at each of its calls. */
static unsigned die_again(unsigned k, const struct file_copy *copy, size_t n)
{
	struct verify_result v;
	struct chain c;
	unsigned m = 0;
	struct stat st;
	bool died = true;

	if (stat(in_dir("log"), &st) == 0 && st.st_size > 0)
		return 0;
	while (died) {
		restore(copy, n);
		(void)kill_at(k);
		died = kill_at(++m);
		judge(VERIFY_WHOLE, &v);
		open_chain(&c, 4096, 2);
		assert_int_equal(put(&c, "next", 3), 0);
		chain_close(&c);
		judge(VERIFY_WHOLE, &v);
		rotate_records_are_last();
	}
	return m;
}

static void a_rotation_survives_death_at_every_call(void **state)
{
	struct file_copy copy[40];
	struct verify_result v;
	unsigned k = 0, repaired = 0, twice = 0;
	struct chain c;
	size_t n;
	bool died;

	(void)state;
	/* Two rotated files, and a third one full enough that the next write rotates it. */
	open_chain(&c, 4096, 2);
	do {
		assert_int_equal(put(&c, "a", 3), 0);
		judge(VERIFY_WHOLE, &v);
	} while (v.files < 3 || lseek(c.log, 0, SEEK_END) < 3500);
	chain_close(&c);
	n = save(copy);
	do {
		uint64_t before;

		restore(copy, n);
		judge(VERIFY_WHOLE, &v);
		before = v.denials;
		died = kill_at(++k);
		judge(VERIFY_WHOLE, &v); /* as it is */
		assert_true(v.removed > 0 || v.denials >= before);
		open_chain(&c, 4096, 2);
		assert_int_equal(put(&c, "next", 3), 0);
		chain_close(&c);
		judge(VERIFY_WHOLE, &v); /* and as the next writer leaves it */
		assert_int_equal(v.behind, 0);
		assert_false(v.head_missing);
		rotate_records_are_last();
		repaired += v.repairs > 0;
		/* What was there before is there, or its removal is told. */
		if (v.removed == 0)
			assert_true(v.denials >= before + 3);

		restore(copy, n);
		(void)kill_at(k);
		twice += die_again(k, copy, n);

		restore(copy, n);
		(void)kill_at(k);
		steal_the_last_known_line();
		assert_int_equal(verify_path(in_dir("log"), &v, NULL), 0);
		assert_int_not_equal(v.kind, VERIFY_WHOLE);
		open_chain(&c, 4096, 2);
		assert_int_equal(put(&c, "next", 3), 0);
		chain_close(&c);
		assert_int_equal(verify_path(in_dir("log"), &v, NULL), 0);
		assert_int_not_equal(v.kind, VERIFY_WHOLE);
	} while (died);
	print_message("%u stops, %u of them needed a repair; %u second deaths\n", k, repaired,
		      twice);
	assert_in_range(k, 30, 400);
	assert_in_range(repaired, 2, k - 10);
	drop_copies(copy, n);
}

static void eight_writers_share_a_rotated_log(void **state)
{
	struct verify_result v;
	int status;

	(void)state;
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			char id[17];
			struct chain c;

			(void)snprintf(id, sizeof(id), "%016x", i);
			open_chain(&c, 16384, 500);
			for (int k = 0; k < 100; k++) {
				if (put(&c, id, 2) != 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	judge(VERIFY_WHOLE, &v);
	assert_int_equal(v.denials, 1600);
	assert_int_equal(v.repairs, 0);
	assert_true(v.files > 8);
}

static void two_writers_leave_a_cut(void)
{
	struct verify_result v;
	struct chain c;

	for (int i = 0; i < 2; i++) {
		open_chain(&c, 4096, 8);
		assert_int_equal(put(&c, "next", 1), 0);
		chain_close(&c);
		judge(VERIFY_TRUNCATED, &v);
		assert_non_null(strstr(v.text, "had been cut off"));
	}
}

static void write_head_to(const struct chain_point *head)
{
	char text[CHAIN_HEAD_TEXT];
	int fd = open(in_dir("log.head"), O_WRONLY | O_CLOEXEC);

	assert_int_equal(chain_spell_head(head, text), sizeof(text));
	assert_int_equal(fd_write_at(fd, text, sizeof(text), 0), 0);
	(void)close(fd);
}

/* The head came to the disk, and neither the rename nor what was written behind it. */
static void a_rotation_that_was_undone_is_a_cut(void **state)
{
	struct file_copy copy[40];
	struct chain_point head = { .seq = 0 };
	struct verify_result v;
	char name[40][64];
	struct chain c;
	size_t n;

	(void)state;
	open_chain(&c, 4096, 8);
	assert_int_equal(put(&c, "a", 3), 0);
	n = save(copy);
	do
		assert_int_equal(put(&c, "a", 3), 0);
	while (files(name) == 1);
	chain_close(&c);
	assert_int_equal(unlink(in_dir(name[0])), 0);
	restore(copy, n);
	head.seq = strtoull(name[0] + 4, NULL, 10);
	write_head_to(&head);
	judge(VERIFY_TRUNCATED, &v);
	two_writers_leave_a_cut();

	/* The head is of a record in the new file, and the old one has other bytes there. */
	restore(copy, n);
	head.seq++;
	head.offset = 300;
	write_head_to(&head);
	judge(VERIFY_HEAD, &v);
	two_writers_leave_a_cut();
	drop_copies(copy, n);
}

/* The last record that the head knows is another one, and there are records behind it. */
static void a_changed_record_is_not_adopted(void **state)
{
	struct chain_point head;
	struct verify_result v;
	char text[CHAIN_HEAD_TEXT];
	struct chain c;
	int fd;

	(void)state;
	open_chain(&c, 0, 8);
	assert_int_equal(put(&c, "a", 3), 0);
	fd = open(in_dir("log.head"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_at(fd, text, sizeof(text), 0), sizeof(text));
	(void)close(fd);
	assert_int_equal(chain_parse_head(text, sizeof(text), &head), 0);
	assert_int_equal(put(&c, "a", 3), 0);
	chain_close(&c);
	head.hash.byte[0] ^= 1;
	write_head_to(&head);
	judge(VERIFY_ALTERED, &v);
	two_writers_leave_a_cut();
}

/* Writers that are killed at any time while they rotate and remove. */
static void killed_writers_leave_a_chain(void **state)
{
	struct verify_result v;
	unsigned seed = 11;
	struct chain c;

	(void)state;
	open_chain(&c, 8192,
		   4); /* so that there is something to verify however early the first dies */
	chain_close(&c);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			open_chain(&c, 8192, 4);
			for (;;)
				(void)put(&c, "k", 5);
		}
		usleep(500 + (useconds_t)(rand_r(&seed) % 3000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(verify_path(in_dir("log"), &v, NULL), 0);
		assert_true(v.kind == VERIFY_WHOLE || v.kind == VERIFY_TORN);
	}
	open_chain(&c, 8192, 4);
	assert_int_equal(put(&c, "after", 1), 0);
	chain_close(&c);
	judge(VERIFY_WHOLE, &v);
	print_message("records up to %llu removed, %llu repairs there\n",
		      (unsigned long long)v.removed, (unsigned long long)v.repairs);
}

/* Nothing can be renamed, or the name is taken: the log grows on. */
static void a_file_that_cannot_be_rotated_grows(void **state)
{
	struct verify_result v;
	char name[40][64];
	struct chain c;
	size_t n = 0;

	(void)state;
	open_chain(&c, 4096, 8);
	while (lseek(c.log, 0, SEEK_END) + 900 < 4096) {
		assert_int_equal(put(&c, "a", 3), 0);
		n += 3;
	}
	{
		char taken[64];

		rotate_name("log", n + 1, taken, sizeof(taken));
		assert_int_equal(symlink("nowhere", in_dir(taken)), 0);
		assert_int_equal(put(&c, "a", 3), 0);
		assert_true(lseek(c.log, 0, SEEK_END) > 4096 - 900 + 300);
		assert_int_equal(unlink(in_dir(taken)), 0);
	}
	assert_int_equal(files(name), 1);
	assert_int_equal(put(&c, "a", 3), 0);
	chain_close(&c);
	judge(VERIFY_WHOLE, &v);
	assert_int_equal(v.repairs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_log_is_rotated_by_size, fresh),
		cmocka_unit_test_setup(a_log_is_rotated_by_age, fresh),
		cmocka_unit_test_setup(old_files_go_and_it_is_told, fresh),
		cmocka_unit_test_setup(a_rotation_survives_death_at_every_call, fresh),
		cmocka_unit_test_setup(eight_writers_share_a_rotated_log, fresh),
		cmocka_unit_test_setup(a_rotation_that_was_undone_is_a_cut, fresh),
		cmocka_unit_test_setup(a_changed_record_is_not_adopted, fresh),
		cmocka_unit_test_setup(killed_writers_leave_a_chain, fresh),
		cmocka_unit_test_setup(a_file_that_cannot_be_rotated_grows, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
