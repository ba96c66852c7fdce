// SPDX-License-Identifier: Apache-2.0
/* Variables of a policy, what gives way to what, and that nothing else changes the outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/cond.h"
#include "policies/load.h"
#include "policies/spell.h"

static const char *const dirs[] = { "tests/policies/lib" };
static const struct policy_search lib = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };

static struct policy *load(const char *text)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_load_text("t", text, strlen(text), &lib, &policy, &diags, &err) < 0)
		fail_msg("%s\n%s", text, diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

/* All that a policy says, one line each. */
static char *spelled(const struct policy *p)
{
	struct buf b = BUF_INIT;
	int r = 0;

#define SPELL(kind, list, n)                                                                       \
	for (size_t i = 0; i < p->n && r == 0; i++) {                                              \
		r = spell_##kind(&b, &p->list[i]);                                                 \
		r = r ? r : buf_puts(&b, "\n");                                                    \
	}
	SPELL(rule, rules, n_rules)
	SPELL(path, paths, n_paths)
	SPELL(env, env, n_env)
	SPELL(port, ports, n_ports)
	SPELL(expect, expects, n_expects)
#undef SPELL
	assert_int_equal(r, 0);
	assert_int_equal(buf_printf(&b, "caps %llx\n", (unsigned long long)p->caps), 0);
	return b.data;
}

static void same(const char *with, const char *without)
{
	struct policy *a = load(with), *b = load(without);
	_cleanup_free_ char *sa = spelled(a);
	_cleanup_free_ char *sb = spelled(b);

	assert_string_equal(sa, sb);
	policy_free(a);
	policy_free(b);
}

static void test_where_a_list_stands(void **state)
{
	(void)state;
	same("let calls read @basic-io\nallow $calls write\n", "allow read @basic-io write\n");
	same("allow $calls\nlet calls $more close\nlet more read write\n",
	     "allow read write close\n");
	same("let f AF_INET AF_UNIX\nallow socket if domain in $f 16\n",
	     "allow socket if domain in AF_INET AF_UNIX 16\n");
	same("let r 1..5 9\nallow read if fd in $r\n", "allow read if fd in 1..5 9\n");
	same("let n -5\nallow lseek if offset == $n\n", "allow lseek if offset == -5\n");
	same("let m O_CREAT|O_EXCL\nallow openat if flags & $m == O_CREAT\n",
	     "allow openat if flags & O_CREAT|O_EXCL == O_CREAT\n");
	same("let m O_CREAT\nallow openat if flags & $m|O_EXCL == $m\n",
	     "allow openat if flags & O_CREAT|O_EXCL == O_CREAT\n");
	same("let d /usr ~/x $PWD ${A:-/b} \"/a b\"\nread $d\nexec $d/lib\n",
	     "read /usr ~/x $PWD ${A:-/b} \"/a b\"\n"
	     "exec /usr/lib ~/x/lib $PWD/lib ${A:-/b}/lib \"/a b/lib\"\n");
	same("let e LANG LC_* TZ=UTC\nenv $e\n", "env LANG LC_* TZ=UTC\n");
	same("let c CAP_CHOWN CAP_KILL\ncap $c\n", "cap CAP_CHOWN CAP_KILL\n");
	same("let p 80 443\nnet host\nnet bind tcp $p\n", "net host\nnet bind tcp 80 443\n");
}

static void test_quotes_and_operators(void **state)
{
	(void)state;
	same("let a \"/x y\"\nexpect deny openat($a, O_RDONLY)\n",
	     "expect deny openat(\"/x y\", O_RDONLY)\n");
	/* quoted, a word is itself */
	same("let a 1\nenv A=\"$a\"\n", "env A=\"$a\"\n");
	same("let a 1\nenv A=$a\n", "env A=$a\n");
}

/* The file that says `use` decides, also for what it uses. */
static void test_override(void **state)
{
	struct policy *p = load("use let-one\nlet value 7\nallow read if fd == $value\n");
	_cleanup_free_ char *text = spelled(p);

	(void)state;
	assert_non_null(strstr(text, "allow write if fd == 0x7\n"));
	assert_non_null(strstr(text, "allow read if fd == 0x7\n"));
	assert_int_equal(p->n_notes, 1);
	assert_int_equal(p->notes[0].kind, POLICY_NOTE_OVERRIDDEN);
	assert_string_equal(p->notes[0].text, "let value 1");
	assert_int_equal(p->notes[0].where.line, 2);
	assert_int_equal(p->notes[0].other.source, 1);
	policy_free(p);
	/* a used policy's variable can be named; two that differ are decided here */
	same("use let-one\nallow read if fd == $value\n",
	     "allow write if fd == 1\nallow read if fd == 1\n");
	same("use let-one let-two\nlet value 3\n",
	     "allow write if fd == 3\nallow close if fd == 3\n");
}

static const struct policy_note *note(const struct policy *p, unsigned kind, const char *text)
{
	for (size_t i = 0; i < p->n_notes; i++) {
		if (p->notes[i].kind == kind && strcmp(p->notes[i].text, text) == 0)
			return &p->notes[i];
	}
	return NULL;
}

static void test_notes(void **state)
{
	struct policy *p = load("use noted\n"
				"net host\nlimit pids 5\nread /usr\nenv A=2\n"
				"remove allow ptrace\nremove hide /x\nremove env B\n"
				"remove expect deny ptrace\nallow read\nallow read\n");
	const struct policy_note *n;

	(void)state;
	n = note(p, POLICY_NOTE_OVERRIDDEN, "net loopback");
	assert_true(n && n->where.line == 2 && n->other.source == 1 && n->other.line == 2);
	assert_non_null(note(p, POLICY_NOTE_OVERRIDDEN, "limit pids 9"));
	assert_non_null(note(p, POLICY_NOTE_OVERRIDDEN, "write /usr"));
	assert_non_null(note(p, POLICY_NOTE_OVERRIDDEN, "env A=1"));
	n = note(p, POLICY_NOTE_REMOVED, "allow ptrace if request == 0x10");
	assert_true(n && n->where.line == 6 && n->other.line == 6);
	assert_non_null(note(p, POLICY_NOTE_REMOVED, "hide? /x"));
	assert_non_null(note(p, POLICY_NOTE_REMOVED, "env B"));
	assert_non_null(note(p, POLICY_NOTE_REMOVED, "expect deny ptrace"));
	n = note(p, POLICY_NOTE_REPEATED, "allow read");
	assert_true(n && n->where.line == 11 && n->other.line == 10);
	assert_int_equal(p->n_notes, 9);
	for (size_t i = 1; i < p->n_notes; i++)
		assert_true(p->notes[i - 1].where.line <= p->notes[i].where.line);
	policy_free(p);
}

/* Nothing of the caller's surroundings is in the outcome. */
static void test_deterministic(void **state)
{
	static const char text[] =
		"use noted ports\nremove allow ptrace\nread ~/x $PWD ${HOME:-/y}\n"
		"allow @file-system @network-io\nnet host\nlimit pids 3\nread /usr\nenv Z A=3\n";
	struct policy *a = load(text), *b;
	_cleanup_free_ char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
	_cleanup_free_ char *sa = spelled(a);
	_cleanup_free_ char *sb = NULL;

	(void)state;
	assert_int_equal(setenv("HOME", "/nowhere", 1), 0);
	(void)setlocale(LC_ALL, "tr_TR.UTF-8");
	(void)setlocale(LC_ALL, "C.UTF-8");
	b = load(text);
	(void)setlocale(LC_ALL, "C");
	if (home)
		assert_int_equal(setenv("HOME", home, 1), 0);
	sb = spelled(b);
	assert_string_equal(sa, sb);
	assert_memory_equal(&a->digest, &b->digest, sizeof(a->digest));
	assert_int_equal(a->n_notes, b->n_notes);
	for (size_t i = 0; i < a->n_notes; i++)
		assert_string_equal(a->notes[i].text, b->notes[i].text);
	for (size_t i = 0; i < a->n_rules; i++)
		assert_memory_equal(&a->rules[i].where, &b->rules[i].where,
				    sizeof(a->rules[i].where));
	policy_free(a);
	policy_free(b);
}

/* A line can only grow so long, and ways through variables only so deep. */
static void test_bounds(void **state)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(buf_puts(&text, "let a0 0 0 0 0 0 0 0 0 0 0\n"), 0);
	for (int i = 1; i < 10; i++)
		assert_int_equal(buf_printf(&text, "let a%d $a%d $a%d $a%d $a%d $a%d\n", i, i - 1,
					    i - 1, i - 1, i - 1, i - 1),
				 0);
	assert_int_equal(buf_puts(&text, "allow read if fd in $a9\n"), 0);
	assert_int_equal(policy_load_text("t", text.data, text.len, &lib, &policy, &diags, &err),
			 -EBADMSG);
	assert_non_null(strstr(diags.text.data, "t:11:21: the line is longer than 4096 bytes"));
	policy_diags_done(&diags);
	text.len = 0;
	assert_int_equal(buf_puts(&text, "let a0 0\n"), 0);
	for (int i = 1; i < 16; i++)
		assert_int_equal(buf_printf(&text, "let a%d $a%d\n", i, i - 1), 0);
	assert_int_equal(buf_puts(&text, "allow read if fd == $a15\n"), 0);
	assert_int_equal(policy_load_text("t", text.data, text.len, &lib, &policy, &diags, &err),
			 0);
	policy_free(policy);
	policy_diags_done(&diags);
	assert_int_equal(buf_puts(&text, "let a16 $a15\n"), 0);
	policy = NULL;
	assert_int_equal(policy_load_text("t", text.data, text.len, &lib, &policy, &diags, &err),
			 -EBADMSG);
	assert_non_null(strstr(diags.text.data, "t:18:5: '$a16' leads to itself, or through"));
	policy_diags_done(&diags);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_a_list_stands),
		cmocka_unit_test(test_quotes_and_operators),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
