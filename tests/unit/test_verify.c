// SPDX-License-Identifier: Apache-2.0
/* Each edit of a log of several files is found: of its lines, and of whole files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rotate_case.h"

static void whole_files_that_are_wrong_are_found(void **state)
{
	struct file_copy copy[40] = { { .p = NULL } };
	char stolen[64];
	struct verify_result v;
	struct chain c;
	size_t n;

	(void)state;
	open_chain(&c, 4096, 100);
	for (int i = 0; i < 30; i++)
		assert_int_equal(put(&c, "a", 3), 0);
	chain_close(&c);
	n = save(copy);
	assert_true(n >= 5);
	memcpy(stolen, copy[2].name, sizeof(stolen));

	assert_int_equal(unlink(in_dir(copy[0].name)), 0);
	judge(VERIFY_DROPPED, &v);
	restore(copy, n);
	assert_int_equal(unlink(in_dir(stolen)), 0);
	judge(VERIFY_DROPPED, &v);
	restore(copy, n);
	assert_int_equal(unlink(in_dir(copy[n - 3].name)), 0); /* the newest rotated one */
	judge(VERIFY_DROPPED, &v);
	restore(copy, n);
	assert_int_equal(unlink(in_dir("log")), 0);
	judge(VERIFY_TRUNCATED, &v);
	restore(copy, n);
	/* A pair that changed places. */
	write_file(copy[0].name, copy[1].p, copy[1].len);
	write_file(copy[1].name, copy[0].p, copy[0].len);
	judge(VERIFY_FILE, &v);
	restore(copy, n);
	/* A rotated file that lost its end, at a line and within one. */
	assert_int_equal(truncate(in_dir(stolen), (off_t)copy[2].len - 10), 0);
	judge(VERIFY_TRUNCATED, &v);
	restore(copy, n);
	{
		const char *nl = memrchr(copy[2].p, '\n', copy[2].len - 1);

		assert_int_equal(truncate(in_dir(stolen), nl - copy[2].p + 1), 0);
		judge(VERIFY_TRUNCATED, &v);
		assert_int_not_equal(v.file, 0);
	}
	restore(copy, n);
	judge(VERIFY_WHOLE, &v);
	drop_copies(copy, n);
}

/* --- edits --------------------------------------------------------------------------------- */

static void line_at(const struct file_copy *f, unsigned i, size_t *from, size_t *to)
{
	const char *p = f->p, *nl;

	for (;; i--) {
		nl = memchr(p, '\n', f->len - (size_t)(p - f->p));
		assert_non_null(nl);
		if (i == 0)
			break;
		p = nl + 1;
	}
	*from = (size_t)(p - f->p);
	*to = (size_t)(nl - f->p) + 1;
}

static unsigned count_lines(const struct file_copy *f)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->len; i++)
		n += f->p[i] == '\n';
	return n;
}

/* One edit of file i of n in the folder; other is the same log of another life. */
static const char *edit(unsigned kind, unsigned *seed, struct file_copy *copy,
			struct file_copy *other, size_t n)
{
	size_t i = (size_t)rand_r(seed) % n, from, to, from2, to2, k;
	struct file_copy *f = &copy[i];
	char *out = malloc(3 * f->len + other[i].len);
	unsigned lines = count_lines(f), at = (unsigned)rand_r(seed) % (lines - 1);
	size_t byte = (size_t)rand_r(seed) % f->len, len = f->len;
	const char *what;

	assert_non_null(out);
	memcpy(out, f->p, f->len);
	line_at(f, at, &from, &to);
	line_at(f, at + 1, &from2, &to2);
	switch (kind % 8) {
	case 0:
		what = "flip";
		out[byte] = (char)(out[byte] ^ 1 << rand_r(seed) % 8);
		break;
	case 1:
		what = "drop";
		memmove(out + from, out + to, len - to);
		len -= to - from;
		break;
	case 2:
		what = "swap";
		memcpy(out + from, f->p + from2, to2 - from2);
		memcpy(out + from + (to2 - from2), f->p + from, to - from);
		break;
	case 3:
		what = "duplicate";
		memcpy(out + to, f->p + from, len - from);
		len += to - from;
		break;
	case 4:
		what = "truncate";
		len = byte;
		break;
	case 5: /* this log's beginning and the other one's end */
		what = "splice";
		line_at(&other[i], at, &from2, &to2);
		memcpy(out + from, other[i].p + from2, other[i].len - from2);
		len = from + other[i].len - from2;
		break;
	case 6:
		k = (i + 1 + (size_t)rand_r(seed) % (n - 1)) % n;
		write_file(copy[k].name, f->p, f->len);
		write_file(f->name, copy[k].p, copy[k].len);
		free(out);
		return "swap of files";
	default:
		assert_int_equal(unlink(in_dir(f->name)), 0);
		free(out);
		return "removal of a file";
	}
	write_file(f->name, out, len);
	free(out);
	return what;
}

static size_t make_log(struct file_copy *copy, const char *first, const char *second)
{
	struct verify_result v;
	struct chain c;
	size_t n;

	open_chain(&c, 3000, 5);
	for (int i = 0; i < 60; i++)
		assert_int_equal(put(&c, i % 2 ? first : second, 1 + (unsigned)i % 3), 0);
	chain_close(&c);
	judge(VERIFY_WHOLE, &v);
	assert_true(v.removed > 0);
	n = save(copy);
	clear();
	return n;
}

static void random_edits_are_found(void **state)
{
	struct file_copy copy[40] = { { .p = NULL } }, other[40] = { { .p = NULL } };
	unsigned seed = 8, missed = 0, n_edits = 1000;
	const char *more = getenv("CORDON_RANDOM_EDITS");
	struct verify_result v;
	size_t n, m;

	(void)state;
	if (more)
		n_edits = seed = (unsigned)strtoul(more, NULL, 10);
	n = make_log(copy, "a", "b");
	m = make_log(other, "c", "d");
	assert_int_equal(n, m);
	assert_int_equal(n, 7); /* five, the log, its head */
	for (unsigned i = 0; i < n_edits; i++) {
		const char *what;

		restore(copy, n);
		what = edit(i, &seed, copy, other, n - 1);
		assert_int_equal(verify_path(in_dir("log"), &v, NULL), 0);
		if (v.kind == VERIFY_WHOLE) {
			missed++;
			print_message("missed: %s, number %u\n", what, i);
		}
	}
	print_message("%u edits, %u found\n", n_edits, n_edits - missed);
	assert_int_equal(missed, 0);
	restore(copy, n);
	judge(VERIFY_WHOLE, &v);
	drop_copies(copy, n);
	drop_copies(other, m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_files_that_are_wrong_are_found, fresh),
		cmocka_unit_test_setup(random_edits_are_found, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
