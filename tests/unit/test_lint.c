// SPDX-License-Identifier: Apache-2.0
/*
 * The corpus: each policy in tests/lint/bad says by "# finds ID..." which findings its line has,
 * and has no other one from warning on; those in tests/lint/good have none, and so do the shipped
 * ones.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "policies/danger.h"
#include "policies/lint.h"
#include "policies/load.h"
#include "policies/twins.h"

#define LIBRARY "policies/library"
#define BAD	"tests/lint/bad"
#define GOOD	"tests/lint/good"

static struct policy *load(const char *path)
{
	static const char *const dirs[] = { LIBRARY };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load(path, &search, &policy, &diags, &err) < 0)
		fail_msg("%s: %s\n%s", path, err.msg, diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

static struct policy *load_text(const char *text)
{
	static const char *const dirs[] = { LIBRARY, "tests/policies/lib" };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 2, .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load_text("t", text, strlen(text), &search, &policy, &diags, &err) < 0)
		fail_msg("%s\n%s", text, diags.text.data);
	policy_diags_done(&diags);
	return policy;
}

static bool has_finding(const struct lint *lint, const char *id, uint32_t line)
{
	for (size_t i = 0; i < lint->n; i++) {
		const struct lint_finding *f = &lint->findings[i];

		if (f->where.source == 0 && f->where.line == line && strcmp(f->id, id) == 0)
			return !f->answered;
	}
	return false;
}

/* The ids behind "# finds" on a line; NULL when there are none. */
static const char *wanted_on(const struct policy *policy, uint32_t line, char text[256])
{
	struct policy_where where = { .source = 0, .line = line, .column = 1 };
	size_t len = 0;
	const char *p = lint_line(policy, where, &len), *found;

	if (!p)
		return NULL;
	snprintf(text, 256, "%.*s", (int)len, p);
	found = strstr(text, "# finds ");
	return found ? found + strlen("# finds ") : "";
}

/* Each wanted finding is there; no other from warning on. How many were wanted. */
static unsigned check_bad(const char *path)
{
	struct policy *policy = load(path);
	struct lint lint = { .n = 0 };
	char text[256], id[8];
	const char *wanted;
	unsigned n = 0;

	assert_int_equal(lint_policy(policy, &lint), 0);
	for (uint32_t line = 1; (wanted = wanted_on(policy, line, text)) != NULL; line++) {
		int used;

		for (const char *p = wanted; sscanf(p, " %7s%n", id, &used) == 1; p += used) {
			if (!has_finding(&lint, id, line))
				fail_msg("%s:%u: no %s", path, line, id);
			n++;
		}
	}
	for (size_t i = 0; i < lint.n; i++) {
		const struct lint_finding *f = &lint.findings[i];

		if (f->where.source != 0 || f->answered || f->level < LINT_WARNING)
			continue;
		wanted = wanted_on(policy, f->where.line, text);
		if (!wanted || !strstr(wanted, f->id))
			fail_msg("%s:%u: %s: %s", path, f->where.line, f->id, f->text);
	}
	lint_done(&lint);
	policy_free(policy);
	return n;
}

static unsigned check_good(const char *path)
{
	struct policy *policy = load(path);
	struct lint lint = { .n = 0 };

	assert_int_equal(lint_policy(policy, &lint), 0);
	for (size_t i = 0; i < lint.n; i++) {
		const struct lint_finding *f = &lint.findings[i];

		if (!f->answered && f->level >= LINT_WARNING)
			fail_msg("%s:%u: %s: %s", path, f->where.line, f->id, f->text);
	}
	lint_done(&lint);
	policy_free(policy);
	return 1;
}

/* How many files of the directory had something to check. */
static unsigned each_in(const char *dir, unsigned (*check)(const char *path))
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	char path[512];
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < 8 || strcmp(e->d_name + len - 7, ".policy") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		n += check(path) > 0;
	}
	closedir(d);
	return n;
}

static void test_bad(void **context)
{
	unsigned n = each_in(BAD, check_bad);

	(void)context;
	print_message("# %u seeded mistakes, all found by line\n", n);
	assert_true(n >= 40);
}

static void test_good(void **context)
{
	unsigned n = each_in(GOOD, check_good);

	(void)context;
	print_message("# %u good policies, no finding\n", n);
	assert_true(n >= 20);
}

static void test_shipped(void **context)
{
	(void)context;
	assert_true(each_in(LIBRARY, check_good) >= 6);
}

static void expect_found(const char *text, const char *id, uint32_t line, bool want)
{
	struct policy *policy = load_text(text);
	struct lint lint = { .n = 0 };

	assert_int_equal(lint_policy(policy, &lint), 0);
	if (has_finding(&lint, id, line) != want)
		fail_msg("%s: %s at %u is %sthere", text, id, line, want ? "not " : "");
	lint_done(&lint);
	policy_free(policy);
}

static void test_answers(void **context)
{
	(void)context;
	expect_found("allow ptrace\n", "CP402", 1, true);
	expect_found("allow ptrace # lint: allow CP402 because gdb\n", "CP402", 1, false);
	expect_found("# lint: allow CP402 because gdb\nallow ptrace\n", "CP402", 2, false);
	expect_found("# lint: allow CP402 because gdb\n# more\nallow ptrace\n", "CP402", 3, false);
	/* a blank line ends what the comment speaks of */
	expect_found("# lint: allow CP402 because gdb\n\nallow ptrace\n", "CP402", 3, true);
	expect_found("# lint: allow CP402 because gdb\n\nallow ptrace\n", "CP902", 1, true);
	expect_found("# lint: allow CP401 because gdb\nallow ptrace\n", "CP402", 2, true);
	expect_found("# lint: allow CP401 because gdb\nallow ptrace\n", "CP902", 1, true);
	expect_found("allow ptrace # lint: allow CP402\n", "CP402", 1, true);
	expect_found("allow ptrace # lint: allow CP402\n", "CP901", 1, true);
	expect_found("allow ptrace # lint: allow CP402 because\n", "CP901", 1, true);
	expect_found("allow ptrace # lint: ignore CP402 because x\n", "CP901", 1, true);
	expect_found("allow ptrace # lint: allow because x\n", "CP901", 1, true);
	expect_found("allow ptrace # lint: allow P402 because x\n", "CP901", 1, true);
	/* '#' in quotes is no comment */
	expect_found("read \"/x # lint: allow CP402\"\nallow ptrace\n", "CP402", 2, true);
	expect_found("read \"/x # lint: allow CP402\"\nallow ptrace\n", "CP901", 1, false);
}

static void test_pairs(void **context)
{
	(void)context;
	/* ENOSYS sends the program to the twin: no hole */
	expect_found("allow openat\ndeny open errno ENOSYS\n", "CP201", 2, false);
	expect_found("allow openat\ndeny open\n", "CP201", 2, true);
	/* the twin is restricted too */
	expect_found("allow openat if flags & 3 == 0\ndeny open\n", "CP201", 2, false);
	/* what is only not allowed was not refused */
	expect_found("allow openat\n", "CP201", 1, false);
	/* a group's denial is not of one call */
	expect_found("allow openat\ndeny @chown\n", "CP207", 2, false);
	/* a range on 64 bits means the same everywhere */
	expect_found("allow lseek if offset > 5\n", "CP101", 1, false);
	expect_found("allow socket if domain > 5\n", "CP101", 1, true);
	expect_found("deny socket if domain > 5\n", "CP101", 1, false);
	/* tightening what another line allows in part is no shadow */
	expect_found("allow socket\ndeny socket if domain == 5\n", "CP501", 1, false);
	expect_found("allow socket\ndeny socket\n", "CP501", 1, true);
	/* a hidden place below a writable home is not given */
	expect_found("write ~\n", "CP701", 1, true);
	expect_found("write ~/project\n", "CP701", 1, false);
	expect_found("tmpfs ~\n", "CP701", 1, false);
	expect_found("read /\n", "CP702", 1, true);
	expect_found("read /usr\n", "CP702", 1, false);
	expect_found("net host\n", "CP705", 1, true);
	expect_found("net host\nnet connect tcp 443\n", "CP705", 1, false);
	/* the last port that is taken away gives all */
	expect_found("use ports\nremove net connect tcp 443\n", "CP604", 2, false);
	expect_found("use ports\nremove net connect\n", "CP604", 2, true);
	expect_found("use ports\nremove net bind udp 53\n", "CP604", 2, true);
	expect_found("use ports\nremove net bind udp 53\nnet bind tcp 1\n", "CP604", 2, false);
	/* a used policy's refusal that the root opens: at the root's line */
	expect_found("use default\nallow ptrace\nremove deny ptrace\n", "CP207", 2, true);
	expect_found("use default\nallow read\n", "CP207", 2, false);
	expect_found("env TOKEN=none\n", "CP709", 1, false);
	expect_found("env TOKEN\n", "CP709", 1, true);
}

static void test_tables(void **context)
{
	size_t n_danger, n_twins, n_mux;
	const struct danger *d = danger_table(&n_danger);
	const struct twins *t = twins_table(&n_twins);
	const struct multiplexer *m = multiplexer_table(&n_mux);
	char name[64];
	int used;

	(void)context;
	assert_true(n_danger >= 80);
	for (size_t i = 0; i < n_danger; i++) {
		const struct syscall_desc *call = syscall_by_name(d[i].call);

		if (!call)
			fail_msg("no call %s", d[i].call);
		if (i && strcmp(d[i - 1].call, d[i].call) > 0)
			fail_msg("%s is not in order", d[i].call);
		if (d[i].weight < 1 || d[i].weight > 20 || !d[i].why[0] || !d[i].source[0])
			fail_msg("%s: a weight, a reason or a source is missing", d[i].call);
		for (unsigned k = 0; k < d[i].n_tests; k++)
			assert_true(d[i].tests[k].arg < call->n_args &&
				    call->args[d[i].tests[k].arg].width != WIDTH_PTR);
	}
	for (size_t i = 0; i < n_twins; i++) {
		for (const char *p = t[i].members; sscanf(p, " %63s%n", name, &used) == 1;
		     p += used) {
			if (!syscall_by_name(name))
				fail_msg("no call %s", name);
		}
	}
	for (size_t i = 0; i < n_mux; i++) {
		assert_non_null(syscall_by_name(m[i].call));
		for (const char *p = m[i].covers; sscanf(p, " %63s%n", name, &used) == 1;
		     p += used) {
			if (!syscall_by_name(name))
				fail_msg("no call %s", name);
		}
	}
}

/* Thousands of lines for one call: what is not found is said, and in time. */
static void test_hard(void **state)
{
	static const unsigned counts[] = { 40, 5000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;
		uint64_t x = 1;

		for (unsigned k = 0; k < counts[i]; k++) {
			x = x * 6364136223846793005U + 1442695040888963407U;
			assert_int_equal(buf_printf(&text,
						    "%s prctl if option & %#x != 0 and arg2 & %#x "
						    "!= 0 and arg3 & 7 == %u\n",
						    k % 2 ? "allow" : "deny",
						    (unsigned)(x >> 33) | 1U,
						    (unsigned)(x >> 30) | 1U, k % 8),
					 0);
		}
		expect_found(text.data, "CP507", 1, counts[i] > 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),	cmocka_unit_test(test_good),
		cmocka_unit_test(test_shipped), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_pairs),	cmocka_unit_test(test_hard),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
