// SPDX-License-Identifier: Apache-2.0
/*
 * The shipped policies' own expect lines, tested by breaking what they speak of: one token of one
 * policy changed, they must notice. Mutants that do not compile, and those that mean the same
 * (proved for every call and argument, and by comparing all else), are not counted.
 *
 * CORDON_MUTANTS: how many (500 unless set); CORDON_MUTANT_SEED: which ones;
 * CORDON_MUTANTS_SHOW: name the survivors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "policies/load.h"
#include "policies/path_rule.h"
#include "policies/reach.h"
#include "profiles/mechanism.h"
#include "tests/unit/mutant.h"
#include "tests/unit/random_policy.h"

#define LIBRARY "policies/library"

enum { MAX_POLICIES = 32, SAMPLE = 500, WANTED_PERCENT = 95 };

static const struct profile_target target = {
	.landlock_abi = 4,
	.vars = { .home = "/home/user", .pwd = "/home/user/src" },
};

struct shipped {
	char name[64];
	char *text;
	struct policy *policy; /* as shipped */
	struct mutants mutants;
};

struct bench {
	struct shipped policies[MAX_POLICIES];
	size_t n;
	char dir[64];
};

static struct policy *load(const struct bench *b, const char *name)
{
	const char *const dirs[] = { b->dir };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;

	if (policy_load(name, &search, &policy, &diags, &err) < 0)
		policy = NULL;
	policy_diags_done(&diags);
	return policy;
}

static void put_file(const struct bench *b, const struct shipped *s, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.policy", b->dir, s->name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool is_used(const struct policy *policy, const char *name)
{
	char file[80];

	snprintf(file, sizeof(file), "/%s.policy", name);
	for (size_t i = 0; i < policy->n_sources; i++) {
		const char *slash = strrchr(policy->sources[i].path, '/');

		if (slash && strcmp(slash, file) == 0)
			return true;
	}
	return false;
}

/* --- expect lines --- */

static bool find_abi(const struct policy *policy, const struct syscall_desc *call, enum abi *ret)
{
	for (unsigned i = 0; i < _ABI_MAX; i++) {
		if (policy->abi_mask >> i & 1 && call->nr[i] >= 0) {
			*ret = (enum abi)i;
			return true;
		}
	}
	return false;
}

/* As `cordon policy test` judges: the rule's answer, and for files and ports what the sandbox shows
 * and lets through. */
static bool holds(const struct policy *policy, const struct policy_expect *e)
{
	static const enum mechanism asked[] = { MECHANISM_VIEW, MECHANISM_LANDLOCK };
	struct policy_expect copy = *e;
	struct policy_verdict v;
	struct attempt attempt = { .n_args = 0 };
	struct err err = ERR_INIT;
	enum abi abi = (enum abi)policy->native;
	char place[LIMIT_PATH];
	uint8_t action;
	bool whole = e->kind != POLICY_EXPECT_CALL;

	if (e->kind == POLICY_EXPECT_SETTING || e->kind == POLICY_EXPECT_ENV ||
	    e->kind == POLICY_EXPECT_LABEL)
		return policy_setting_is(policy, e);
	if (e->kind == POLICY_EXPECT_CALL && !find_abi(policy, e->call, &abi))
		return true;
	if (e->kind == POLICY_EXPECT_PATH) {
		struct policy_path line = { .path = e->path };

		assert_int_equal(path_rule_expand(&line, &target.vars, place, sizeof(place)), 0);
		copy.path = place;
	}
	assert_int_equal(attempt_of_expect(&copy, abi, target.vars.pwd, &attempt, &err), 0);
	for (unsigned i = 0; i < 6; i++)
		whole = whole || attempt.text[i];
	policy_eval(policy, attempt.abi, attempt.call->nr[attempt.abi], attempt.args, &v);
	action = v.action;
	for (size_t i = 0; whole && action == POLICY_ALLOW && i < ARRAY_SIZE(asked); i++) {
		struct judgement j = { .answer = JUDGE_SILENT };

		assert_int_equal(mechanism_judge(asked[i], policy, &target, &attempt, &j, &err), 0);
		if (j.answer == JUDGE_DENIES)
			action = POLICY_DENY;
	}
	attempt_done(&attempt);
	if (action == POLICY_DENY && e->errno_value && v.errno_value != e->errno_value)
		return false;
	return action == e->action;
}

static bool all_hold(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_expects; i++) {
		if (!holds(policy, &policy->expects[i]))
			return false;
	}
	return true;
}

/* --- meaning --- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_lists(const struct policy *a, const struct policy *b)
{
	if (a->n_paths != b->n_paths || a->n_env != b->n_env || a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_paths; i++) {
		if (a->paths[i].verb != b->paths[i].verb ||
		    a->paths[i].optional != b->paths[i].optional ||
		    strcmp(a->paths[i].path, b->paths[i].path) != 0)
			return false;
	}
	for (size_t i = 0; i < a->n_env; i++) {
		if (strcmp(a->env[i].name, b->env[i].name) != 0 ||
		    !same_text(a->env[i].value, b->env[i].value))
			return false;
	}
	for (size_t i = 0; i < a->n_ports; i++) {
		const struct policy_port *p = &a->ports[i], *q = &b->ports[i];

		if (p->direction != q->direction || p->protocol != q->protocol ||
		    p->families != q->families || p->first != q->first || p->last != q->last)
			return false;
	}
	return true;
}

static bool means_the_same(const struct policy *a, const struct policy *b)
{
	struct reach_difference d;

	return a->net == b->net && a->caps == b->caps && a->notify == b->notify &&
	       a->abi_mask == b->abi_mask &&
	       memcmp(a->has_limit, b->has_limit, sizeof(a->has_limit)) == 0 &&
	       memcmp(a->limit, b->limit, sizeof(a->limit)) == 0 && same_lists(a, b) &&
	       reach_differ(a, b, &d) == REACH_NO;
}

/* --- mutants --- */

enum fate { FATE_KILLED, FATE_SURVIVED, FATE_SAME, FATE_STILLBORN };

/* What becomes of the policies that use a mutant of s. */
static enum fate judge(struct bench *b, struct shipped *s, const struct mutant *m)
{
	char *text = mutant_apply(s->text, m);
	enum fate fate = FATE_SAME;

	put_file(b, s, text);
	for (size_t i = 0; i < b->n && fate == FATE_SAME; i++) {
		struct policy *policy;

		if (!is_used(b->policies[i].policy, s->name))
			continue;
		policy = load(b, b->policies[i].name);
		if (!policy)
			fate = FATE_STILLBORN;
		else if (!all_hold(policy))
			fate = FATE_KILLED;
		policy_free(policy);
	}
	for (size_t i = 0; i < b->n && fate == FATE_SAME; i++) {
		struct policy *policy;

		if (!is_used(b->policies[i].policy, s->name))
			continue;
		policy = load(b, b->policies[i].name);
		assert_non_null(policy);
		if (!means_the_same(b->policies[i].policy, policy))
			fate = FATE_SURVIVED;
		policy_free(policy);
	}
	put_file(b, s, s->text);
	free(text);
	return fate;
}

static void show(const struct shipped *s, const struct mutant *m)
{
	print_message("# survivor: %s.policy:%u: %s: '%.*s' -> '%s'\n", s->name, m->line, m->kind,
		      (int)m->len, s->text + m->at, m->with);
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoul(value, NULL, 10) : otherwise;
}

static void read_library(struct bench *b)
{
	DIR *d = opendir(LIBRARY);
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		struct shipped *s = &b->policies[b->n];
		size_t len = strlen(e->d_name), size;

		if (len < 8 || strcmp(e->d_name + len - 7, ".policy") != 0)
			continue;
		assert_true(b->n < MAX_POLICIES && len - 7 < sizeof(s->name));
		snprintf(s->name, sizeof(s->name), "%.*s", (int)len - 7, e->d_name);
		assert_int_equal(fd_read_file_at(dirfd(d), e->d_name, 1 << 20, &s->text, &size), 0);
		b->n++;
	}
	closedir(d);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct shipped *)a)->name, ((const struct shipped *)b)->name);
}

static int set_up(void **context)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	snprintf(b->dir, sizeof(b->dir), "/tmp/cordon-mutants.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	read_library(b);
	/* the order of a directory is no machine's business */
	qsort(b->policies, b->n, sizeof(b->policies[0]), compare_names);
	for (size_t i = 0; i < b->n; i++)
		put_file(b, &b->policies[i], b->policies[i].text);
	for (size_t i = 0; i < b->n; i++) {
		b->policies[i].policy = load(b, b->policies[i].name);
		assert_non_null(b->policies[i].policy);
		mutants_of(b->policies[i].text, &b->policies[i].mutants);
	}
	*context = b;
	return 0;
}

static int tear_down(void **context)
{
	struct bench *b = *context;
	char path[160];

	for (size_t i = 0; i < b->n; i++) {
		snprintf(path, sizeof(path), "%s/%s.policy", b->dir, b->policies[i].name);
		(void)unlink(path);
		policy_free(b->policies[i].policy);
		free(b->policies[i].text);
		free(b->policies[i].mutants.list);
	}
	(void)rmdir(b->dir);
	free(b);
	return 0;
}

static void test_shipped_hold(void **context)
{
	struct bench *b = *context;

	for (size_t i = 0; i < b->n; i++) {
		const struct policy *p = b->policies[i].policy;

		for (size_t k = 0; k < p->n_expects; k++) {
			if (!holds(p, &p->expects[k]))
				fail_msg("%s: %s:%u", p->name,
					 p->sources[p->expects[k].where.source].path,
					 p->expects[k].where.line);
		}
	}
}

/* One of all mutants of all policies, none twice: by shuffling their numbers. */
static size_t *shuffle(const struct bench *b, uint64_t seed, size_t *ret_n)
{
	size_t n = 0, *order;

	for (size_t i = 0; i < b->n; i++)
		n += b->policies[i].mutants.n;
	order = calloc(n, sizeof(*order));
	assert_non_null(order);
	for (size_t i = 0; i < n; i++) {
		size_t k = random_below(&seed, i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	*ret_n = n;
	return order;
}

static void test_mutants_are_killed(void **context)
{
	struct bench *b = *context;
	unsigned long wanted = setting("CORDON_MUTANTS", SAMPLE);
	bool shown = setting("CORDON_MUTANTS_SHOW", 0);
	unsigned fates[4] = { 0 };
	size_t n, *order = shuffle(b, setting("CORDON_MUTANT_SEED", 1), &n);

	for (size_t i = 0; i < n && fates[FATE_KILLED] + fates[FATE_SURVIVED] < wanted; i++) {
		size_t k = order[i], p = 0;
		enum fate fate;

		while (k >= b->policies[p].mutants.n)
			k -= b->policies[p++].mutants.n;
		fate = judge(b, &b->policies[p], &b->policies[p].mutants.list[k]);
		fates[fate]++;
		if (fate == FATE_SURVIVED && shown)
			show(&b->policies[p], &b->policies[p].mutants.list[k]);
	}
	free(order);
	print_message(
		"# of %zu mutants: %u killed, %u survived; besides %u mean the same, %u do not "
		"compile\n",
		n, fates[FATE_KILLED], fates[FATE_SURVIVED], fates[FATE_SAME],
		fates[FATE_STILLBORN]);
	assert_true(fates[FATE_KILLED] + fates[FATE_SURVIVED] > 0);
	assert_true(fates[FATE_KILLED] * 100 >=
		    (fates[FATE_KILLED] + fates[FATE_SURVIVED]) * WANTED_PERCENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_hold),
		cmocka_unit_test(test_mutants_are_killed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
