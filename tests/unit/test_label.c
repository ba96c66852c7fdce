// SPDX-License-Identifier: Apache-2.0
/* label apparmor and label selinux: what they mean, and who decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "policies/diff.h"
#include "policies/label.h"
#include "policies/lint.h"
#include "policies/load.h"
#include "policies/spell.h"
#include "profiles/bundle_format.h"
#include "profiles/compile.h"
#include "profiles/mechanism.h"

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

static void good(enum policy_lsm lsm, const char *text, enum label_kind kind,
		 enum label_categories categories, unsigned first, unsigned last,
		 const char *spelled)
{
	const char *why = NULL;
	char again[LIMIT_LABEL];
	struct label label;

	if (label_parse(lsm, text, &label, &why) < 0)
		fail_msg("%s: %s", text, why);
	assert_int_equal(label.kind, kind);
	assert_int_equal(label.categories, categories);
	assert_int_equal(label.first, first);
	assert_int_equal(label.last, last);
	label_spell(&label, again);
	assert_string_equal(again, spelled);
}

static void test_text(void **state)
{
	(void)state;
	good(POLICY_LSM_APPARMOR, "cordon-default", LABEL_NAMED, LABEL_PICK, 0, 0,
	     "cordon-default");
	good(POLICY_LSM_APPARMOR, "/usr/bin/x", LABEL_NAMED, LABEL_PICK, 0, 0, "/usr/bin/x");
	good(POLICY_LSM_APPARMOR, ":ns:a//b//&c", LABEL_NAMED, LABEL_PICK, 0, 0, ":ns:a//b//&c");
	good(POLICY_LSM_APPARMOR, "auto", LABEL_AUTO, LABEL_PICK, 0, 0, "auto");
	good(POLICY_LSM_APPARMOR, "none", LABEL_NONE, LABEL_PICK, 0, 0, "none");
	/* a name that begins like a word is a name */
	good(POLICY_LSM_APPARMOR, "autopilot", LABEL_NAMED, LABEL_PICK, 0, 0, "autopilot");
	good(POLICY_LSM_SELINUX, "box_t", LABEL_NAMED, LABEL_PICK, 0, 0, "box_t");
	good(POLICY_LSM_SELINUX, "cordon-x.process:c0.c99", LABEL_NAMED, LABEL_RANGE, 0, 99,
	     "cordon-x.process:c0.c99");
	good(POLICY_LSM_SELINUX, "box_t:c1023,c0", LABEL_NAMED, LABEL_PAIR, 0, 1023,
	     "box_t:c0,c1023");
	good(POLICY_LSM_SELINUX, "box_t:s0:c4,c5", LABEL_NAMED, LABEL_PAIR, 4, 5, "box_t:c4,c5");
	good(POLICY_LSM_SELINUX, "box_t:s0", LABEL_NAMED, LABEL_BARE, 0, 0, "box_t:s0");
	good(POLICY_LSM_SELINUX, "auto", LABEL_AUTO, LABEL_PICK, 0, 0, "auto");
	good(POLICY_LSM_SELINUX, "auto:c2.c3", LABEL_AUTO, LABEL_RANGE, 2, 3, "auto:c2.c3");
}

static void test_bad_text(void **state)
{
	static const struct {
		enum policy_lsm lsm;
		const char *text;
	} bad[] = {
		{ POLICY_LSM_APPARMOR, "" },
		{ POLICY_LSM_APPARMOR, "a b" },
		{ POLICY_LSM_APPARMOR, "a (enforce)" },
		{ POLICY_LSM_APPARMOR, "a\n" },
		{ POLICY_LSM_APPARMOR, "a\x7f" },
		{ POLICY_LSM_APPARMOR, "\xc3\xa4" },
		{ POLICY_LSM_APPARMOR, "&a" },
		{ POLICY_LSM_APPARMOR, "unconfined" },
		{ POLICY_LSM_APPARMOR, ":n:unconfined" },
		{ POLICY_LSM_APPARMOR, "a//&unconfined" },
		{ POLICY_LSM_APPARMOR, ":n:" },
		{ POLICY_LSM_SELINUX, "" },
		{ POLICY_LSM_SELINUX, ":c1,c2" },
		{ POLICY_LSM_SELINUX, "_t" },
		{ POLICY_LSM_SELINUX, "a:s0:" },
		{ POLICY_LSM_SELINUX, "a:s0:s0" },
		{ POLICY_LSM_SELINUX, "a:c1.c1" },
		{ POLICY_LSM_SELINUX, "a:c,c2" },
		{ POLICY_LSM_SELINUX, "a:c1,2" },
		{ POLICY_LSM_SELINUX, "a:c1-c2" },
		{ POLICY_LSM_SELINUX, "a:c1,c99999999999999999999" },
		{ POLICY_LSM_SELINUX, "none:s0" },
	};
	char longest[LIMIT_LABEL + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct label label = { .first = 77 };
		const char *why = NULL;

		if (label_parse(bad[i].lsm, bad[i].text, &label, &why) == 0)
			fail_msg("'%s' is taken", bad[i].text);
		assert_non_null(why);
		assert_int_equal(label.first, 77);
	}
	for (size_t n = 1; n < sizeof(longest); n++) {
		struct label label;
		const char *why;
		char again[LIMIT_LABEL];

		memset(longest, 'a', n);
		longest[n] = '\0';
		if (label_parse(POLICY_LSM_SELINUX, longest, &label, &why) < 0) {
			assert_in_range(n, 200, LIMIT_LABEL);
			break;
		}
		label.categories = LABEL_PAIR;
		label.first = 1022;
		label.last = 1023;
		label_spell(&label, again);
		assert_int_equal(strlen(again), n + strlen(":c1022,c1023"));
	}
}

static void test_lsm_names(void **state)
{
	enum policy_lsm lsm = _POLICY_LSM_MAX;

	(void)state;
	for (unsigned i = 0; i < _POLICY_LSM_MAX; i++) {
		assert_int_equal(label_lsm_from_name(label_lsm_name((enum policy_lsm)i), &lsm), 0);
		assert_int_equal(lsm, i);
	}
	assert_int_equal(label_lsm_from_name("smack", &lsm), -EINVAL);
}

static void said(const struct policy *p, enum policy_lsm lsm, const char *text, unsigned line)
{
	assert_string_equal(p->labels[lsm].text ? p->labels[lsm].text : "-", text);
	assert_int_equal(p->labels[lsm].where.line, line);
}

static void test_who_decides(void **state)
{
	struct policy *p = load("allow read\n");

	(void)state;
	said(p, POLICY_LSM_APPARMOR, "-", 0);
	policy_free(p);
	p = load("use label-one\n");
	said(p, POLICY_LSM_APPARMOR, "one", 1);
	said(p, POLICY_LSM_SELINUX, "box_t:c1,c9", 2);
	policy_free(p);
	/* the same pair in two spellings is no difference; what differs, this file decides */
	p = load("label apparmor auto\nuse label-one label-two\n");
	said(p, POLICY_LSM_APPARMOR, "auto", 1);
	said(p, POLICY_LSM_SELINUX, "box_t:c1,c9", 2);
	assert_int_equal(p->n_notes, 2);
	assert_string_equal(p->notes[0].text, "label apparmor one");
	assert_string_equal(p->notes[1].text, "label apparmor two");
	policy_free(p);
	p = load("use label-one\nlabel selinux none\n");
	said(p, POLICY_LSM_SELINUX, "none", 2);
	policy_free(p);
}

static void test_expect(void **state)
{
	struct policy *p = load("label apparmor one\n"
				"expect label apparmor one\nexpect label apparmor two\n"
				"expect label selinux none\nexpect label selinux x_t:c2,c1\n");
	static const bool holds[] = { true, false, true, false };

	(void)state;
	assert_int_equal(p->n_expects, ARRAY_SIZE(holds));
	for (size_t i = 0; i < ARRAY_SIZE(holds); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		assert_int_equal(p->expects[i].kind, POLICY_EXPECT_LABEL);
		assert_int_equal(policy_setting_is(p, &p->expects[i]), holds[i]);
		assert_int_equal(spell_expect(&text, &p->expects[i]), 0);
		if (i == 3)
			assert_string_equal(text.data, "expect label selinux x_t:c1,c2");
	}
	policy_free(p);
}

static void differ(const char *old_text, const char *new_text, const char *subject, const char *old,
		   const char *new)
{
	struct policy *a = load(old_text), *b = load(new_text);
	struct err err = ERR_INIT;
	struct diff diff;

	assert_int_equal(diff_make(a, b, &diff, &err), 0);
	if (!subject) {
		assert_int_equal(diff.n, 0);
	} else {
		assert_int_equal(diff.n, 1);
		assert_int_equal(diff.entries[0].kind, DIFF_LABEL);
		assert_string_equal(diff.entries[0].subject, subject);
		assert_string_equal(diff.entries[0].old, old);
		assert_string_equal(diff.entries[0].new, new);
	}
	diff_done(&diff);
	policy_free(a);
	policy_free(b);
}

static void test_diff(void **state)
{
	(void)state;
	differ("label selinux a:c2,c1\n", "label selinux a:s0:c1,c2\n", NULL, NULL, NULL);
	differ("label selinux none\n", "", NULL, NULL, NULL);
	differ("label apparmor a\n", "label apparmor auto\n", "apparmor", "a", "auto");
	differ("", "label selinux a\n", "selinux", "none", "a");
}

/* The coverage of the label's line under a mechanism. */
static int coverage(const char *text, enum mechanism mechanism)
{
	const struct profile_target target = { .landlock_abi = 6, .apparmor_abi = 40 };
	struct report report = REPORT_INIT;
	struct policy *p = load(text);
	struct err err = ERR_INIT;
	int found = -1;

	if (report_make(p, &target, 1U << mechanism, &report, &err) < 0)
		fail_msg("cannot %s", err.msg);
	for (size_t i = 0; i < report.n; i++) {
		if (strncmp(report.entries[i].subject, "label ", 6) == 0)
			found = report.entries[i].coverage;
	}
	report_done(&report);
	policy_free(p);
	return found;
}

static void test_report(void **state)
{
	(void)state;
	assert_int_equal(coverage("label apparmor x\n", MECHANISM_APPARMOR), COVERAGE_ENFORCED);
	assert_int_equal(coverage("label apparmor auto\n", MECHANISM_APPARMOR), COVERAGE_WEAKER);
	assert_int_equal(coverage("label apparmor none\n", MECHANISM_APPARMOR),
			 COVERAGE_NOT_ITS_OWN);
	assert_int_equal(coverage("label apparmor x\n", MECHANISM_SELINUX), COVERAGE_NOT_ITS_OWN);
	assert_int_equal(coverage("label selinux x\n", MECHANISM_SELINUX), COVERAGE_ENFORCED);
	assert_int_equal(coverage("label selinux autox\n", MECHANISM_SELINUX), COVERAGE_ENFORCED);
	assert_int_equal(coverage("label selinux auto\n", MECHANISM_SELINUX), COVERAGE_WEAKER);
	assert_int_equal(coverage("label selinux auto:s0\n", MECHANISM_SELINUX), COVERAGE_WEAKER);
	assert_int_equal(coverage("label selinux x\n", MECHANISM_LANDLOCK), COVERAGE_NOT_ITS_OWN);
	assert_int_equal(coverage("allow read\n", MECHANISM_APPARMOR), -1);
}

static bool finds(const char *text, const char *id)
{
	struct policy *p = load(text);
	struct lint lint = { .n = 0 };
	bool found = false;

	assert_int_equal(lint_policy(p, &lint), 0);
	for (size_t i = 0; i < lint.n; i++)
		found = found || strcmp(lint.findings[i].id, id) == 0;
	lint_done(&lint);
	policy_free(p);
	return found;
}

static void test_lint(void **state)
{
	(void)state;
	assert_true(finds("label selinux x_t:c1,c2\n", "CP710"));
	assert_true(finds("label selinux x_t:s0\n", "CP710"));
	assert_false(finds("label selinux x_t:c0.c9\n", "CP710"));
	assert_false(finds("label selinux x_t\nlabel apparmor x\n", "CP710"));
}

static void test_bundle(void **state)
{
	struct policy *p = load("policy b\nallow read\nlabel selinux x_t:c7,c3\n\nlabel apparmor "
				"auto\n");
	struct buf bytes = BUF_INIT;
	struct bundle *b = NULL;
	struct err err = ERR_INIT;
	struct bundle_label label;
	struct bundle_rec_header *h;
	struct bundle_rec_label *rec;

	(void)state;
	assert_int_equal(compile_bundle(p, &bytes, &err), 0);
	assert_int_equal(bundle_open(bytes.data, bytes.len, &b, &err), 0);
	assert_true(bundle_label(b, POLICY_LSM_APPARMOR, &label));
	assert_string_equal(label.text, "auto");
	assert_int_equal(label.line, 5);
	assert_true(bundle_label(b, POLICY_LSM_SELINUX, &label));
	assert_string_equal(label.text, "x_t:c3,c7");
	assert_string_equal(label.file, "t");
	bundle_close(b);
	/* twice the same, and one that is no label */
	h = (struct bundle_rec_header *)(void *)bytes.data;
	rec = (struct bundle_rec_label *)(void *)(bytes.data + h->section[BUNDLE_LABELS].offset);
	rec[0].lsm = POLICY_LSM_SELINUX;
	bundle_seal(bytes.data, bytes.len);
	assert_int_equal(bundle_open(bytes.data, bytes.len, &b, &err), -EBADMSG);
	rec[0].lsm = POLICY_LSM_APPARMOR;
	rec[1].lsm = _POLICY_LSM_MAX;
	bundle_seal(bytes.data, bytes.len);
	assert_int_equal(bundle_open(bytes.data, bytes.len, &b, &err), -EBADMSG);
	rec[1].lsm = POLICY_LSM_SELINUX;
	bytes.data[h->section[BUNDLE_STRINGS].offset + rec[0].text] = ' ';
	bundle_seal(bytes.data, bytes.len);
	assert_int_equal(bundle_open(bytes.data, bytes.len, &b, &err), -EBADMSG);
	bytes.data[h->section[BUNDLE_STRINGS].offset + rec[0].text] = 'a';
	bundle_seal(bytes.data, bytes.len);
	assert_int_equal(bundle_open(bytes.data, bytes.len, &b, &err), 0);
	bundle_close(b);
	buf_done(&bytes);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	  cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_lsm_names), cmocka_unit_test(test_who_decides),
		cmocka_unit_test(test_expect),	  cmocka_unit_test(test_diff),
		cmocka_unit_test(test_report),	  cmocka_unit_test(test_lint),
		cmocka_unit_test(test_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
