// SPDX-License-Identifier: Apache-2.0
/* The canonical form: what it looks like, that it is one, and that it means the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "policies/fmt.h"
#include "policies/spell.h"
#include "tests/unit/random_policy.h"

static char *format(const char *text, size_t len)
{
	struct policy_diags diags = { .text = BUF_INIT };
	struct buf out = BUF_INIT;
	int r = fmt_text("t", text, len, &out, &diags);

	assert_true((r == -EBADMSG) == (diags.n_errors > 0));
	policy_diags_done(&diags);
	return r == 0 ? out.data : NULL;
}

static void becomes(const char *text, const char *want)
{
	_cleanup_free_ char *out = format(text, strlen(text));

	assert_non_null(out);
	assert_string_equal(out, want);
}

static void test_looks(void **state)
{
	(void)state;
	becomes("", "");
	becomes("\n\n", "");
	becomes("  allow\tread   write  ", "allow read write\n");
	becomes("\n\n# a \n\n\n\tallow read# b\n  # c  d\t\n\n", "# a\n\nallow read# b\n# c  d\n");
	becomes("allow read #b", "allow read  #b\n");
	becomes("allow socket if domain  in AF_UNIX  1 .. 5  and type&0xf==SOCK_RAW on i386",
		"allow socket if domain in AF_UNIX 1..5 and type & 0xf == SOCK_RAW on i386\n");
	becomes("deny openat if flags & O_CREAT | O_EXCL!=0 errno  EPERM quiet # x",
		"deny openat if flags & O_CREAT|O_EXCL != 0 errno EPERM quiet  # x\n");
	becomes("allow lseek if offset in - 5 .. -1 and whence< 3",
		"allow lseek if offset in -5..-1 and whence < 3\n");
	becomes("expect deny openat ( \"/a  b\" ,O_RDWR|O_CREAT , 0644 )",
		"expect deny openat(\"/a  b\", O_RDWR|O_CREAT, 0644)\n");
	becomes("expect  deny  @network-io   mount  errno EPERM",
		"expect deny @network-io mount errno EPERM\n");
	becomes("expect  allow  read  ~/x   \"/a b\"", "expect allow read ~/x \"/a b\"\n");
	becomes("env A=\"x  \\\" # y\"   B", "env A=\"x  \\\" # y\" B\n");
	becomes("let a   b $c  \"d e\"", "let a b $c \"d e\"\n");
	/* what is wrong in another way is for other verbs */
	becomes("no  such   verb", "no such verb\n");
	assert_null(format("allow read\r\n", 12));
	assert_null(format("env \"a\n", 7));
	assert_null(format("allow read if \x01\n", 16));
}

/* --- the same meaning --- */

static char *meaning(const char *name, const char *text, size_t len)
{
	static const char *const dirs[] = { "policies/library", "tests/policies/lib" };
	const struct policy_search search = { dirs, 2, ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	int r = 0;

	if (policy_load_text(name, text, len, &search, &p, &diags, &err) < 0)
		fail_msg("%s: %s\n%s", name, err.msg, diags.text.data ? diags.text.data : "");
	for (size_t i = 0; i < p->n_rules && r == 0; i++) {
		r = spell_rule(&b, &p->rules[i]);
		r = r ? r
		      : buf_printf(&b, " # %u:%u\n", p->rules[i].abi_mask,
				   p->rules[i].where.source);
	}
	for (size_t i = 0; i < p->n_paths && r == 0; i++)
		r = spell_path(&b, &p->paths[i]) || buf_puts(&b, "\n");
	for (size_t i = 0; i < p->n_env && r == 0; i++)
		r = spell_env(&b, &p->env[i]) || buf_puts(&b, "\n");
	for (size_t i = 0; i < p->n_ports && r == 0; i++)
		r = spell_port(&b, &p->ports[i]) || buf_puts(&b, "\n");
	for (size_t i = 0; i < p->n_expects && r == 0; i++)
		r = spell_expect(&b, &p->expects[i]) || buf_puts(&b, "\n");
	assert_int_equal(r, 0);
	assert_int_equal(buf_printf(&b, "%u %u %u %llx %d\n", p->kernel, p->abi_mask, p->net,
				    (unsigned long long)p->caps, p->notify),
			 0);
	policy_free(p);
	policy_diags_done(&diags);
	return b.data;
}

/* Once is enough, and nothing is lost. Returns whether it was canonical before. */
static bool check(const char *name, const char *text, size_t len, bool good)
{
	_cleanup_free_ char *once = format(text, len);
	_cleanup_free_ char *twice = once ? format(once, strlen(once)) : NULL;
	_cleanup_free_ char *before = NULL;
	_cleanup_free_ char *after = NULL;

	if (!once)
		return true; /* a corpus file that cannot be read as words */
	assert_non_null(twice);
	assert_string_equal(once, twice);
	if (good) {
		before = meaning(name, text, len);
		after = meaning(name, once, strlen(once));
		assert_string_equal(before, after);
	}
	return strlen(once) == len && memcmp(once, text, len) == 0;
}

static unsigned each_file(const char *dir, bool good, bool canonical)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		_cleanup_free_ char *text = NULL;
		char path[512], name[256];
		size_t len = strlen(e->d_name), size = 0;

		if (len < 8 || strcmp(e->d_name + len - 7, ".policy") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)snprintf(name, sizeof(name), "%s", e->d_name);
		assert_int_equal(fd_read_file_at(AT_FDCWD, path, 1 << 20, &text, &size), 0);
		if (!check(name, text, size, good) && canonical)
			fail_msg("%s is not formatted: cordon policy fmt -w %s", path, path);
		n++;
	}
	(void)closedir(d);
	return n;
}

static void test_files(void **state)
{
	(void)state;
	assert_true(each_file("policies/library", true, true) >= 6);
	assert_true(each_file("tests/policies/good", true, false) >= 4);
	assert_true(each_file("tests/policies/bad", false, false) >= 40);
}

/* --- random ones --- */

static void put_blanks(uint64_t *state, struct buf *b, bool needed)
{
	static const char *const blanks[] = { " ", "  ", "\t", " \t " };

	if (needed || random_below(state, 3) == 0)
		assert_int_equal(buf_puts(b, blanks[random_below(state, 4)]), 0);
}

/* The rules of a random policy as text, with blanks where they change nothing. */
static void test_random(void **state)
{
	struct random_policy *r = malloc(sizeof(*r));
	uint64_t seed_state = 7;
	unsigned rules = 0;

	(void)state;
	assert_non_null(r);
	for (uint64_t seed = 0; seed < 150; seed++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		random_policy_make(seed, r);
		for (size_t i = 0; i < r->policy.n_rules; i++) {
			_cleanup_buf_ struct buf line = BUF_INIT;
			bool ok = r->rules[i].call->nr[ABI_NATIVE] >= 0;

			for (unsigned c = 0; c < r->rules[i].n_conds; c++) {
				const struct policy_cond *cond = &r->rules[i].conds[c];

				ok = ok && cond->width == r->rules[i].call->args[cond->arg].width &&
				     cond->width != WIDTH_PTR &&
				     (cond->op != POLICY_MASKED_EQ ||
				      (cond->mask && !(cond->value & ~cond->mask)));
				ok = ok && r->rules[i].call->args[cond->arg].kind != KIND_MODE;
			}
			if (!ok)
				continue;
			r->rules[i].abi_mask = 0xff;
			r->rules[i].errno_value = EPERM;
			r->rules[i].quiet = false;
			assert_int_equal(spell_rule(&line, &r->rules[i]), 0);
			put_blanks(&seed_state, &text, false);
			for (const char *p = line.data; *p; p++) {
				if (*p == ' ')
					put_blanks(&seed_state, &text, true);
				else
					assert_int_equal(buf_put(&text, p, 1), 0);
			}
			put_blanks(&seed_state, &text, false);
			assert_int_equal(buf_puts(&text, random_below(&seed_state, 9)
								 ? "\n"
								 : " # c \n\n\n"),
					 0);
			rules++;
		}
		if (text.data)
			(void)check("t", text.data, text.len, true);
	}
	assert_true(rules > 2000);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
