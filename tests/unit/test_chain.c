// SPDX-License-Identifier: Apache-2.0
/* One log, many writers: the chain holds whoever writes and whoever dies, and each edit is found.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/chain.h"
#include "audit/verify.h"
#include "base/fd.h"

/* Instead of libc's, for the whole program: no call moves more than so many bytes. */
static size_t most = SIZE_MAX;

ssize_t pread(int fd, void *buf, size_t size, off_t at)
{
	return syscall(SYS_pread64, fd, buf, size < most ? size : most, at);
}

ssize_t pwrite(int fd, const void *buf, size_t size, off_t at)
{
	return syscall(SYS_pwrite64, fd, buf, size < most ? size : most, at);
}

ssize_t write(int fd, const void *buf, size_t size)
{
	return syscall(SYS_write, fd, buf, size < most ? size : most);
}

static char dir[64];
static char block_a[CHAIN_BLOCK], block_b[CHAIN_BLOCK];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/cordon-chain-XXXXXX");
	(void)signal(SIGXFSZ, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

static void open_chain(struct chain *chain, const char *name, char *block)
{
	struct err err = ERR_INIT;
	int r = chain_open(chain, in_dir(name), block, &err);

	if (r < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(r, 0);
}

/* Write n denials of a sandbox; *ret_taken may be NULL. */
static int put(struct chain *chain, const char *sandbox, unsigned n, size_t *ret_taken)
{
	char data[64 * 1024], body[256];
	struct batch batch = { .data = data, .cap = sizeof(data) };
	size_t taken;
	int r;

	for (unsigned i = 0; i < n; i++) {
		int len = snprintf(body, sizeof(body),
				   "{\"type\":\"denial\",\"sandbox\":\"%s\",\"i\":%u,\"count\":1}",
				   sandbox, i);

		assert_true(batch_add(&batch, body, (size_t)len, 1));
	}
	r = chain_write(chain, &batch, sandbox, 20000, &taken);
	if (ret_taken)
		*ret_taken = taken;
	return r;
}

static void judge(const char *name, enum verify_kind kind, struct verify_result *ret)
{
	struct err err = ERR_INIT;

	assert_int_equal(verify_path(in_dir(name), ret, &err), 0);
	if (ret->kind != kind)
		print_message("%s: line %llu: %s: %s\n", name, (unsigned long long)ret->line,
			      verify_kind_text(ret->kind), ret->text);
	assert_int_equal(ret->kind, kind);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(in_dir(name), &st) < 0 ? -1 : st.st_size;
}

static void two_handles_make_one_chain(void **state)
{
	struct verify_result result;
	struct chain a, b;

	(void)state;
	open_chain(&a, "two", block_a);
	open_chain(&b, "two", block_b);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(put(&a, "a", 1 + (unsigned)i % 3, NULL), 0);
		assert_int_equal(put(&b, "b", 2, NULL), 0);
	}
	chain_close(&a);
	chain_close(&b);
	judge("two", VERIFY_WHOLE, &result);
	assert_int_equal(result.records, 50 * 2 + 49 + 50);
	assert_int_equal(result.repairs, 0);
	assert_int_equal(result.unopened, 2);
}

static void eight_processes_make_one_chain(void **state)
{
	struct verify_result result;
	int status;

	(void)state;
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			char id[17];
			struct chain c;

			(void)snprintf(id, sizeof(id), "%016x", i);
			open_chain(&c, "eight", block_a);
			for (int k = 0; k < 200; k++) {
				if (put(&c, id, 1, NULL) != 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	judge("eight", VERIFY_WHOLE, &result);
	assert_int_equal(result.records, 1600);
	assert_int_equal(result.repairs, 0);
}

static void a_killed_writer_leaves_a_chain(void **state)
{
	struct verify_result result;
	struct chain c;
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 120; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			open_chain(&c, "killed", block_a);
			for (;;)
				(void)put(&c, "k", 300, NULL);
		}
		usleep(500 + (useconds_t)(rand_r(&seed) % 4000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	open_chain(&c, "killed", block_a);
	assert_int_equal(put(&c, "after", 1, NULL), 0);
	chain_close(&c);
	judge("killed", VERIFY_WHOLE, &result);
	print_message("%llu records, %llu repairs\n", (unsigned long long)result.records,
		      (unsigned long long)result.repairs);
	assert_int_equal(result.behind, 0);
}

/* What a kill leaves, made by hand: lines that the head does not know, and half a line. */
static void what_a_kill_leaves_is_repaired(void **state)
{
	char head[CHAIN_HEAD_TEXT];
	struct verify_result result;
	struct chain c;
	int fd;

	(void)state;
	open_chain(&c, "torn", block_a);
	assert_int_equal(put(&c, "a", 3, NULL), 0);
	fd = open(in_dir("torn.head"), O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(put(&c, "a", 2, NULL), 0);
	assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	(void)close(fd);
	judge("torn", VERIFY_WHOLE, &result);
	assert_int_equal(result.behind, 2);

	fd = open(in_dir("torn"), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{\"v\":1,\"seq\":6,\"pr", 18), 18);
	(void)close(fd);
	judge("torn", VERIFY_TORN, &result);
	assert_int_equal(result.line, 6);

	assert_int_equal(put(&c, "a", 1, NULL), 0);
	chain_close(&c);
	judge("torn", VERIFY_WHOLE, &result);
	assert_int_equal(result.repairs, 1);
	assert_int_equal(result.records, 7); /* 5, the repair, 1 */
}

/* A line that lacks its newline only is a record, not a torn one. */
static void a_line_without_newline_is_adopted(void **state)
{
	struct verify_result result;
	struct chain c;
	off_t before;

	(void)state;
	open_chain(&c, "newline", block_a);
	assert_int_equal(put(&c, "a", 1, NULL), 0);
	before = size_of("newline.head");
	assert_int_equal(before, CHAIN_HEAD_TEXT);
	assert_int_equal(unlink(in_dir("newline.head")), 0);
	assert_int_equal(truncate(in_dir("newline"), size_of("newline") - 1), 0);
	assert_int_equal(put(&c, "a", 1, NULL), 0);
	chain_close(&c);
	judge("newline", VERIFY_WHOLE, &result);
	assert_int_equal(result.records, 3);
	assert_int_equal(result.repairs, 1);
}

static void a_cut_log_stays_cut(void **state)
{
	struct verify_result result;
	struct chain c;

	(void)state;
	open_chain(&c, "cut", block_a);
	assert_int_equal(put(&c, "a", 10, NULL), 0);
	assert_int_equal(truncate(in_dir("cut"), size_of("cut") / 2), 0);
	judge("cut", VERIFY_TRUNCATED, &result);
	/* A writer goes on, and the gap still shows. */
	assert_int_equal(put(&c, "a", 1, NULL), 0);
	assert_int_equal(verify_path(in_dir("cut"), &result, NULL), 0);
	assert_int_not_equal(result.kind, VERIFY_WHOLE);
	/* Likewise when all of it is gone. */
	assert_int_equal(unlink(in_dir("cut")), 0);
	assert_int_equal(put(&c, "a", 1, NULL), 0);
	chain_close(&c);
	judge("cut", VERIFY_DROPPED, &result);
}

static void a_moved_log_is_left_alone(void **state)
{
	struct verify_result result;
	struct chain c;

	(void)state;
	open_chain(&c, "moved", block_a);
	assert_int_equal(put(&c, "a", 4, NULL), 0);
	assert_int_equal(rename(in_dir("moved"), in_dir("old")), 0);
	assert_int_equal(rename(in_dir("moved.head"), in_dir("old.head")), 0);
	assert_int_equal(put(&c, "a", 5, NULL), 0);
	chain_close(&c);
	judge("old", VERIFY_WHOLE, &result);
	assert_int_equal(result.records, 4);
	judge("moved", VERIFY_WHOLE, &result);
	assert_int_equal(result.records, 5);
}

static void a_full_disk_keeps_whole_lines(void **state)
{
	struct rlimit old, tight;
	struct verify_result result;
	size_t taken;
	struct chain c;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	open_chain(&c, "full", block_a);
	assert_int_equal(put(&c, "a", 10, NULL), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)size_of("full") + 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_int_equal(put(&c, "a", 100, &taken), -EFBIG);
	assert_in_range(taken, 3, 10);
	assert_true(put(&c, "a", 1000 / 10, &taken) < 0);
	assert_int_equal(taken, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	judge("full", VERIFY_WHOLE, &result);
	assert_int_equal(put(&c, "a", 1, NULL), 0); /* and it goes on */
	chain_close(&c);
	judge("full", VERIFY_WHOLE, &result);
	assert_int_equal(result.repairs, 0);
}

static void a_stopped_writer_is_not_waited_for(void **state)
{
	struct batch batch = { 0 };
	struct chain c;
	size_t taken;
	int fd;

	(void)state;
	open_chain(&c, "stopped", block_a);
	assert_int_equal(put(&c, "a", 1, NULL), 0);
	fd = open(in_dir("stopped.head"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(chain_write(&c, &batch, "a", 20, &taken), -ETIMEDOUT);
	(void)close(fd);
	assert_int_equal(put(&c, "a", 1, NULL), 0);
	chain_close(&c);
}

static void places_that_cannot_be_trusted(void **state)
{
	struct err err = ERR_INIT;
	struct chain c;
	int fd;

	(void)state;
	assert_int_equal(symlink("/etc/passwd", in_dir("link")), 0);
	assert_int_equal(chain_open(&c, in_dir("link"), block_a, &err), -ELOOP);
	assert_non_null(strstr(err.msg, "symbolic link"));
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(chain_open(&c, in_dir("fifo"), block_a, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "FIFO"));
	assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
	assert_int_equal(chain_open(&c, in_dir("folder"), block_a, &err), -EISDIR);
	assert_non_null(strstr(err.msg, "directory"));
	assert_int_equal(chain_open(&c, "/dev/null", block_a, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "device"));
	assert_int_equal(chain_open(&c, in_dir("none/log"), block_a, &err), -ENOENT);
	assert_int_equal(chain_open(&c, in_dir("folder/"), block_a, &err), -EINVAL);

	fd = open(in_dir("open-to-all"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fchmod(fd, 0662), 0);
	(void)close(fd);
	assert_int_equal(chain_open(&c, in_dir("open-to-all"), block_a, &err), -EPERM);
	assert_non_null(strstr(err.msg, "others may write it"));

	/* Somebody else's: /etc/passwd is root's, and root makes one that is not. */
	if (geteuid() == 0) {
		fd = open(in_dir("theirs"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_int_equal(fchown(fd, 12345, 12345), 0);
		(void)close(fd);
		assert_int_equal(chain_open(&c, in_dir("theirs"), block_a, &err), -EPERM);
	} else {
		assert_int_equal(chain_open(&c, "/etc/passwd", block_a, &err), -EPERM);
	}
	assert_non_null(strstr(err.msg, "owns it"));

	assert_int_equal(symlink("x", in_dir("good.head")), 0);
	assert_int_equal(chain_open(&c, in_dir("good"), block_a, &err), -ELOOP);
	assert_int_equal(unlink(in_dir("good.head")), 0);
	assert_int_equal(chain_open(&c, in_dir("good"), block_a, &err), 0);
	chain_close(&c);
}

/* --- edits --------------------------------------------------------------------------------- */

struct text {
	char *p;
	size_t len;
};

/* The offsets of line number i (from 0) of the text. */
static void line_at(const struct text *t, unsigned i, size_t *from, size_t *to)
{
	const char *p = t->p, *nl;

	for (;; i--) {
		nl = memchr(p, '\n', t->len - (size_t)(p - t->p));
		assert_non_null(nl);
		if (i == 0)
			break;
		p = nl + 1;
	}
	*from = (size_t)(p - t->p);
	*to = (size_t)(nl - t->p) + 1;
}

/* One edit of each kind in turn, into out; never one that changes nothing. */
static const char *edit(unsigned kind, unsigned *seed, const struct text *in, unsigned n_lines,
			struct text *out)
{
	unsigned i = (unsigned)rand_r(seed) % (n_lines - 1), bit = (unsigned)rand_r(seed) % 8;
	size_t from, to, from2, to2, at = (size_t)rand_r(seed) % in->len;

	memcpy(out->p, in->p, in->len);
	out->len = in->len;
	line_at(in, i, &from, &to);
	line_at(in, i + 1, &from2, &to2);
	switch (kind % 5) {
	case 0:
		out->p[at] = (char)(out->p[at] ^ (1 << bit));
		return "flip";
	case 1:
		memmove(out->p + from, out->p + to, in->len - to);
		out->len -= to - from;
		return "drop";
	case 2:
		memcpy(out->p + from, in->p + from2, to2 - from2);
		memcpy(out->p + from + (to2 - from2), in->p + from, to - from);
		return "swap";
	case 3:
		out->len = at;
		return "truncate";
	default: /* a line once more, elsewhere */
		memcpy(out->p + to2, in->p + from, to - from);
		memcpy(out->p + to2 + (to - from), in->p + to2, in->len - to2);
		out->len += to - from;
		return "splice";
	}
}

static void random_edits_are_found(void **state)
{
	_cleanup_free_ char *log = NULL, *head = NULL, *copy = NULL;
	unsigned seed = 20, missed = 0, named[5][VERIFY_HEAD + 1] = { 0 };
	struct verify_result result;
	struct chain_point point;
	struct chain c;
	size_t len, head_len;
	const char *what;

	(void)state;
	open_chain(&c, "edits", block_a);
	for (int i = 0; i < 20; i++)
		assert_int_equal(put(&c, i % 2 ? "a" : "b", 1 + (unsigned)i % 5, NULL), 0);
	chain_close(&c);
	judge("edits", VERIFY_WHOLE, &result);
	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir("edits"), 1 << 20, &log, &len), 0);
	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir("edits.head"), 4096, &head, &head_len),
			 0);
	assert_int_equal(chain_parse_head(head, head_len, &point), 0);
	copy = malloc(2 * len);
	assert_non_null(copy);
	for (unsigned i = 0; i < 2000; i++) {
		struct text in = { log, len }, out = { copy, 0 };
		_cleanup_close_ int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

		what = edit(i, &seed, &in, (unsigned)result.records, &out);
		assert_int_equal(fd_write_all(fd, out.p, out.len), 0);
		{
			struct verify_result r;

			assert_int_equal(verify_log(fd, out.len, &point, &r, NULL), 0);
			named[i % 5][r.kind]++;
			if (r.kind == VERIFY_WHOLE) {
				missed++;
				print_message("missed: %s number %u\n", what, i);
			}
		}
	}
	assert_int_equal(missed, 0);
	/* And each has its right name. */
	assert_int_equal(named[1][VERIFY_DROPPED], 400);
	assert_int_equal(named[2][VERIFY_SWAPPED], 400);
	assert_int_equal(named[3][VERIFY_TRUNCATED], 400);
	assert_int_equal(named[4][VERIFY_SWAPPED], 400);
	assert_int_equal(named[0][VERIFY_DAMAGED] + named[0][VERIFY_ALTERED] +
				 named[0][VERIFY_DROPPED] + named[0][VERIFY_SWAPPED] +
				 named[0][VERIFY_TORN] + named[0][VERIFY_TRUNCATED],
			 400);
	/* The twin: nothing edited, nothing found, with and without the head. */
	judge("edits", VERIFY_WHOLE, &result);
	assert_int_equal(unlink(in_dir("edits.head")), 0);
	judge("edits", VERIFY_WHOLE, &result);
	assert_true(result.head_missing);
}

/* A head that was read or written in part is no damaged one, and nothing is repaired. */
static void short_reads_and_writes_are_gone_on_with(void **state)
{
	static const size_t parts[] = { 1, 60, 120, SIZE_MAX };
	struct verify_result result;
	struct chain c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		most = parts[i];
		open_chain(&c, "short", block_a);
		assert_int_equal(put(&c, "a", 3, NULL), 0);
		assert_int_equal(put(&c, "a", 2, NULL), 0);
		chain_close(&c);
		most = SIZE_MAX;
		judge("short", VERIFY_WHOLE, &result);
		assert_int_equal(result.records, 5 * (i + 1));
		assert_int_equal(result.repairs, 0);
		assert_int_equal(result.behind, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_handles_make_one_chain),
		cmocka_unit_test(eight_processes_make_one_chain),
		cmocka_unit_test(a_killed_writer_leaves_a_chain),
		cmocka_unit_test(what_a_kill_leaves_is_repaired),
		cmocka_unit_test(a_line_without_newline_is_adopted),
		cmocka_unit_test(a_cut_log_stays_cut),
		cmocka_unit_test(a_moved_log_is_left_alone),
		cmocka_unit_test(a_full_disk_keeps_whole_lines),
		cmocka_unit_test(a_stopped_writer_is_not_waited_for),
		cmocka_unit_test(places_that_cannot_be_trusted),
		cmocka_unit_test(random_edits_are_found),
		cmocka_unit_test(short_reads_and_writes_are_gone_on_with),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
