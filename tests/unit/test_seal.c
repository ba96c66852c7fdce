// SPDX-License-Identifier: Apache-2.0
/* Seals: what is sealed cannot be made anew by who comes later, and what is missing is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "audit/hmac.h"
#include "audit/scan.h"
#include "audit/seal.h"
#include "tests/unit/rotate_case.h"

/* --- HMAC: RFC 4231, section 4, cases 1 to 4, 6 and 7 -------------------------------------- */

static void hmac_is_that_of_rfc_4231(void **state)
{
	static const struct {
		int key_byte, key_len, data_byte, data_len;
		const char *key, *data, *mac;
	} cases[] = {
		{ 0x0b, 20, 0, 0, NULL, "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 0, 0, 0, 0, "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ 0xaa, 20, 0xdd, 50, NULL, NULL,
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ 0, 25, 0xcd, 50, NULL, NULL,
		  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
		{ 0xaa, 131, 0, 0, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ 0xaa, 131, 0, 0, NULL,
		  "This is a test using a larger than block-size key and a larger than "
		  "block-size data. The key needs to be hashed before being used by the HMAC "
		  "algorithm.",
		  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char key[131], data[200];
		size_t key_len = (size_t)cases[i].key_len, len = (size_t)cases[i].data_len;
		char hex[HASH_HEX + 1];
		struct hash mac;

		memset(key, cases[i].key_byte, sizeof(key));
		memset(data, cases[i].data_byte, sizeof(data));
		if (cases[i].key)
			memcpy(key, cases[i].key, key_len = strlen(cases[i].key));
		for (size_t k = 0; !cases[i].key && cases[i].key_byte == 0 && k < key_len; k++)
			key[k] = (unsigned char)(k + 1); /* case 4 */
		if (cases[i].data)
			memcpy(data, cases[i].data, len = strlen(cases[i].data));
		hmac_sha256(key, key_len, data, len, &mac);
		hash_hex(&mac, hex);
		assert_string_equal(hex, cases[i].mac);
	}
}

/* --- a sealed log -------------------------------------------------------------------------- */

static struct seal_key key;

static void set_up(void)
{
	struct err err = ERR_INIT;

	if (seal_setup(in_dir("log"), &key, &err) < 0)
		fail_msg("%s", err.msg);
}

/* A sandbox's end: that is sealed. */
static int put_close_within(struct chain *chain, unsigned wait_ms)
{
	static const char body[] = "{\"type\":\"close\",\"sandbox\":\"a\",\"denials\":0}";
	char data[512];
	struct batch batch = { .data = data, .cap = sizeof(data) };
	size_t taken;
	int r;

	assert_true(batch_add(&batch, body, sizeof(body) - 1, 0));
	r = chain_write(chain, &batch, "a", wait_ms, &taken);
	assert_int_equal(taken, r == 0);
	return r;
}

static void put_close(struct chain *chain)
{
	assert_int_equal(put_close_within(chain, 20000), 0);
}

static void check(enum verify_kind kind, struct verify_result *v)
{
	assert_int_equal(verify_sealed(in_dir("log"), &key, v, NULL), 0);
	if (v->kind != kind)
		print_message("line %llu: %s: %s\n", (unsigned long long)v->line,
			      verify_kind_text(v->kind), v->text);
	assert_int_equal(v->kind, kind);
}

static void write_epochs(unsigned n)
{
	struct chain c;

	open_chain(&c, 0, 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(put(&c, "a", 3), 0);
		put_close(&c);
	}
	chain_close(&c);
}

static void seals_are_made_and_checked(void **state)
{
	struct verify_result v;
	struct err err = ERR_INIT;
	struct seal_key other;
	struct stat st;

	(void)state;
	write_epochs(1);
	set_up();
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 1);
	assert_int_equal(v.epoch, 0);
	assert_int_equal(v.sealed, 4);
	assert_int_equal(stat(in_dir("log.seal"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, SEAL_STATE_TEXT);
	write_epochs(5);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 6);
	assert_int_equal(v.epoch, 5);
	assert_int_equal(v.sealed, v.records - 1);
	assert_int_equal(v.unsealed, 0);
	/* One set-up a log; another key is not this one's. */
	assert_int_equal(seal_setup(in_dir("log"), &other, &err), -EEXIST);
	key.key.byte[0] ^= 1;
	check(VERIFY_SEAL, &v);
	key.key.byte[0] ^= 1;
	check(VERIFY_WHOLE, &v);
}

static void a_thousand_records_are_an_epoch(void **state)
{
	struct verify_result v;
	struct chain c;

	(void)state;
	set_up();
	open_chain(&c, 0, 0);
	for (unsigned i = 0; i < 25; i++)
		assert_int_equal(put(&c, "a", 99), 0);
	chain_close(&c);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 3);
}

static void no_key_of_the_past_is_on_the_disk(void **state)
{
	char hex[HASH_HEX + 1];
	struct file_copy copy[40];
	struct hash at;
	size_t n;

	(void)state;
	set_up();
	write_epochs(4);
	n = save(copy);
	assert_int_equal(
		fd_read_file_at(AT_FDCWD, in_dir("log.seal"), 4096, &copy[n].p, &copy[n].len), 0);
	n++;
	at = key.key;
	for (unsigned epoch = 0; epoch <= 5; epoch++) {
		bool there = false;

		hash_hex(&at, hex);
		for (size_t i = 0; i < n; i++)
			there |= memmem(copy[i].p, copy[i].len, hex, HASH_HEX) != NULL;
		assert_int_equal(there, epoch == 5); /* the one that runs */
		seal_evolve(&at);
	}
	drop_copies(copy, n);
}

/* --- somebody who has the file and the state of epoch 5 ------------------------------------ */

struct forger {
	char *log;
	size_t len;
	char state[SEAL_STATE_TEXT];
	struct seal_state at;
};

static void break_in(struct forger *f)
{
	int fd = open(in_dir("log.seal"), O_RDONLY | O_CLOEXEC);

	assert_int_equal(seal_read(fd, &f->at), 1);
	assert_int_equal(pread(fd, f->state, sizeof(f->state), 0), sizeof(f->state));
	(void)close(fd);
	assert_int_equal(fd_read_file_at(AT_FDCWD, in_dir("log"), 1 << 20, &f->log, &f->len), 0);
}

/* The lines of the log without some of them, or with one that is another, in a chain
 * made anew: hashes, head, and seals with the key that the forger has for those of his epochs. */
static void rebuild(const struct forger *f, unsigned keep, unsigned leave_out, bool alter,
		    bool resign)
{
	static char out[1 << 16], line[LIMIT_LOG_LINE];
	struct chain_point at = { .seq = 0 };
	char head[CHAIN_HEAD_TEXT], hex[HASH_HEX + 1];
	const char *p = f->log, *end = p + f->len, *nl;
	size_t len = 0;

	for (unsigned i = 0; p < end; p = nl + 1, i++) {
		const char *body;
		struct scan root, type;
		char text[1024];
		int n;

		nl = memchr(p, '\n', (size_t)(end - p));
		assert_non_null(nl);
		if (i >= keep && i < keep + leave_out)
			continue;
		body = memmem(p, (size_t)(nl - p), "\"type\"", 6);
		assert_non_null(body);
		n = snprintf(text, sizeof(text), "{%.*s", (int)(nl - body), body);
		if (alter && i == keep)
			text[n - 2] = '0'; /* "count":1} */
		assert_int_equal(scan_text(p, (size_t)(nl - p), &root), 0);
		if (i >= keep && resign && scan_get(&root, "type", &type) &&
		    scan_is(&type, "seal")) {
			struct chain_point probe = at;
			struct hash mac;
			size_t m;

			n -= SEAL_MAC_TAIL; /* with the brace */
			text[n++] = '}';
			m = chain_line(&probe, text, (size_t)n, line, sizeof(line));
			hmac_sha256(&f->at.key, sizeof(f->at.key), line, m - 2, &mac);
			hash_hex(&mac, hex);
			n += snprintf(text + n - 1, sizeof(text) - (size_t)n, ",\"mac\":\"%s\"}",
				      hex) -
			     1;
		}
		len += chain_line(&at, text, (size_t)n, out + len, sizeof(out) - len);
	}
	write_file("log", out, len);
	(void)chain_spell_head(&at, head);
	write_file("log.head", head, sizeof(head));
}

static void a_forger_is_found(void **state)
{
	struct verify_result v;
	struct forger f;
	struct chain c;
	char text[SEAL_STATE_TEXT];

	(void)state;
	set_up();
	write_epochs(4);
	break_in(&f);
	assert_int_equal(f.at.epoch, 5);
	/* The twin: what he puts together as it was is whole. */
	rebuild(&f, 100, 0, false, false);
	check(VERIFY_WHOLE, &v);
	/* A record is gone, chain and head are made anew: whole to who has no key. */
	rebuild(&f, 7, 1, false, false);
	judge(VERIFY_WHOLE, &v);
	check(VERIFY_SEAL, &v);
	rebuild(&f, 7, 1, false, true);
	judge(VERIFY_WHOLE, &v);
	check(VERIFY_SEAL, &v);
	/* A record is another one. */
	rebuild(&f, 6, 0, true, false);
	judge(VERIFY_WHOLE, &v);
	check(VERIFY_SEAL, &v);
	assert_non_null(strstr(v.text, "MAC"));
	/* The end is gone from a seal on, and the state is what he likes. */
	rebuild(&f, 11, 100, false, false);
	judge(VERIFY_WHOLE, &v);
	check(VERIFY_SEAL, &v);
	f.at.epoch = 3;
	seal_spell_state(&f.at, text);
	write_file("log.seal", text, sizeof(text));
	check(VERIFY_SEAL, &v);
	assert_int_equal(unlink(in_dir("log.seal")), 0);
	check(VERIFY_SEAL, &v);
	/* All of it is gone. */
	write_file("log", "", 0);
	assert_int_equal(unlink(in_dir("log.head")), 0);
	write_file("log.seal", f.state, sizeof(f.state));
	check(VERIFY_SEAL, &v);
	/* His log goes on with the key that he has: behind an earlier seal, or from the beginning.
	 */
	rebuild(&f, 11, 100, false, false);
	f.at.epoch = 5;
	f.at.first = 11;
	seal_spell_state(&f.at, text);
	write_file("log.seal", text, sizeof(text));
	write_epochs(1);
	judge(VERIFY_WHOLE, &v);
	check(VERIFY_SEAL, &v);
	assert_non_null(strstr(v.text, "seals are missing"));
	f.at.first = 1;
	seal_spell_state(&f.at, text);
	write_file("log.seal", text, sizeof(text));
	assert_int_equal(unlink(in_dir("log")), 0);
	assert_int_equal(unlink(in_dir("log.head")), 0);
	open_chain(&c, 0, 0);
	assert_int_equal(put(&c, "a", 9), 0);
	chain_close(&c);
	write_epochs(2);
	judge(VERIFY_WHOLE, &v);
	check(VERIFY_SEAL, &v);
	assert_non_null(strstr(v.text, "first seals are missing"));
	/* He seals with a key of his own. */
	rebuild(&f, 11, 100, false, false);
	assert_int_equal(unlink(in_dir("log.seal")), 0);
	{
		struct seal_key his;

		assert_int_equal(seal_setup(in_dir("log"), &his, NULL), 0);
		judge(VERIFY_WHOLE, &v);
		check(VERIFY_SEAL, &v);
	}
	free(f.log);
}

static void a_state_that_is_gone_is_told(void **state)
{
	struct verify_result v;
	struct err err = ERR_INIT;
	struct chain c;
	char text[SEAL_STATE_TEXT];
	int fd;

	(void)state;
	set_up();
	open_chain(&c, 0, 0);
	assert_int_equal(put(&c, "a", 1), 0);
	fd = open(in_dir("log.seal"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), sizeof(text));
	(void)close(fd);
	assert_int_equal(unlink(in_dir("log.seal")), 0);
	put_close(&c);
	put_close(&c);
	judge(VERIFY_WHOLE, &v);
	assert_int_equal(v.unsealed, 1); /* once */
	/* Back again: sealing goes on where it was. */
	write_file("log.seal", text, sizeof(text));
	put_close(&c);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 2);
	chain_close(&c);
	/* A damaged one, and one that others may read: nothing starts. */
	text[100] ^= 1;
	write_file("log.seal", text, sizeof(text));
	assert_int_equal(chain_open(&c, in_dir("log"), block, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "sealing state"));
	check(VERIFY_SEAL, &v);
	text[100] ^= 1;
	write_file("log.seal", text, sizeof(text));
	assert_int_equal(chmod(in_dir("log.seal"), 0640), 0);
	assert_int_equal(chain_open(&c, in_dir("log"), block, &err), -EPERM);
}

static void seals_go_on_over_rotations(void **state)
{
	struct verify_result v;
	struct chain c;

	(void)state;
	set_up();
	open_chain(&c, 4096, 3);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(put(&c, "a", 3), 0);
		put_close(&c);
	}
	chain_close(&c);
	check(VERIFY_WHOLE, &v);
	assert_true(v.removed > 0);
	assert_int_equal(v.epoch, 40);
	assert_in_range(v.seals, 5, 30);
}

/* Killed at each of its calls, the writer of a seal leaves what the next one goes on with. */
static void sealing_survives_death_at_every_call(void **state)
{
	struct verify_result v;
	bool died = true;
	unsigned k = 0;

	(void)state;
	set_up();
	while (died) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			struct chain c;

			open_chain(&c, 0, 0);
			(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
			(void)raise(SIGSTOP);
			put_close(&c);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		k++;
		for (unsigned i = 0; died && i < k; i++) {
			assert_int_equal(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			died = !WIFEXITED(status);
		}
		if (died) {
			assert_int_equal(kill(pid, SIGKILL), 0);
			assert_int_equal(waitpid(pid, &status, 0), pid);
		}
		check(VERIFY_WHOLE, &v);
		write_epochs(1);
		check(VERIFY_WHOLE, &v);
	}
	assert_in_range(k, 15, 100);
	assert_true(v.epoch < v.seals - 1); /* some epochs were sealed twice */
}

/* A process that seals and is stopped at its first call to the disk. */
static pid_t sealer_at_the_disk(void)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct chain c;

		open_chain(&c, 0, 0);
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		put_close(&c);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	for (;;) {
		struct __ptrace_syscall_info info;

		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY &&
		    (info.entry.nr == SYS_fdatasync || info.entry.nr == SYS_fsync))
			return pid;
	}
}

static void let_go(pid_t pid)
{
	int status;

	assert_int_equal(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A slow disk: who does not seal writes on, and what ends meanwhile is sealed by the next seal or,
 * when the disk is done in time, by one of its own. */
static void who_seals_waits_alone(void **state)
{
	struct verify_result v;
	struct chain c;
	pid_t pid, later;
	int status;

	(void)state;
	set_up();
	pid = sealer_at_the_disk();
	open_chain(&c, 0, 0);
	assert_int_equal(put_within(&c, "b", 3, 20), 0);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 2);
	/* a closing record does not get its seal in time, and is written all the same */
	assert_int_equal(put_close_within(&c, 50), 0);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 2);
	assert_int_equal(v.sealed, v.records - 5); /* three, the closing one, the seal itself */
	/* another one waits, until the disk is done */
	later = fork();
	if (later == 0)
		_exit(put_close_within(&c, 20000) != 0);
	usleep(100000);
	let_go(pid);
	assert_int_equal(waitpid(later, &status, 0), later);
	assert_int_equal(status, 0);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.seals, 3);
	assert_int_equal(v.sealed, v.records - 1);
	assert_int_equal(v.epoch, 2);
	/* one that dies there holds nobody up */
	pid = sealer_at_the_disk();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(put_close_within(&c, 50), 0);
	chain_close(&c);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.sealed, v.records - 1);
	assert_int_equal(v.epoch, 3); /* sealed twice */
	assert_int_equal(v.seals, 5);
}

/* Two processes end sandboxes at once, again and again: one chain of epochs. */
static void many_seal_at_once(void **state)
{
	struct verify_result v;
	int status;

	(void)state;
	set_up();
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			write_epochs(25);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	write_epochs(1);
	check(VERIFY_WHOLE, &v);
	assert_int_equal(v.denials, 4 * 25 * 3 + 3);
	assert_int_equal(v.sealed, v.records - 1);
	assert_int_equal(v.epoch, v.seals - 1); /* none was sealed twice */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_is_that_of_rfc_4231),
		cmocka_unit_test_setup(seals_are_made_and_checked, fresh),
		cmocka_unit_test_setup(a_thousand_records_are_an_epoch, fresh),
		cmocka_unit_test_setup(no_key_of_the_past_is_on_the_disk, fresh),
		cmocka_unit_test_setup(a_forger_is_found, fresh),
		cmocka_unit_test_setup(a_state_that_is_gone_is_told, fresh),
		cmocka_unit_test_setup(seals_go_on_over_rotations, fresh),
		cmocka_unit_test_setup(sealing_survives_death_at_every_call, fresh),
		cmocka_unit_test_setup(who_seals_waits_alone, fresh),
		cmocka_unit_test_setup(many_seal_at_once, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
