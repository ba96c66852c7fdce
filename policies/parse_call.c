// SPDX-License-Identifier: Apache-2.0
/* allow, deny, kill: which calls, under which conditions, with which answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/consts.h"
#include "policies/groups.h"
#include "policies/parse_cond.h"

int parse_action(const char *word, enum policy_action *ret)
{
	static const char *const names[] = { "allow", "deny", "kill" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(word, names[i]) == 0) {
			*ret = (enum policy_action)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* The calls of one line, each with the word that named it first. */
struct calls {
	bool *set;     /* by place in the table */
	size_t *named; /* the word that named it; only where set */
	bool *group;   /* that word was a group */
	size_t n_table;
};

static void calls_done(struct calls *c)
{
	free(c->set);
	free(c->named);
	free(c->group);
}

static int unknown_call(struct parser *p, size_t i)
{
	const char *word = p->line->words[i].text;
	struct suggestion s = suggest_begin(word);
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	if (word[0] == '@') {
		diag_error(p->d, word_at(p, i), "there is no group '%s'", quote(word).text);
		for (size_t g = 0; groups_name(g); g++)
			suggest_offer(&s, groups_name(g));
	} else {
		diag_error(p->d, word_at(p, i), "there is no system call '%s'", quote(word).text);
		for (size_t c = 0; c < n; c++)
			suggest_offer(&s, table[c].name);
	}
	suggest_end(p->d, &s);
	return -EINVAL;
}

static int take_word(struct parser *p, size_t i, struct calls *calls, bool *fresh)
{
	const char *word = p->line->words[i].text;
	const struct syscall_desc *call;

	memset(fresh, 0, calls->n_table * sizeof(*fresh));
	if (word[0] == '@') {
		if (groups_expand(word, fresh) < 0)
			return unknown_call(p, i);
	} else {
		size_t n;

		call = syscall_by_name(word);
		if (!call)
			return unknown_call(p, i);
		fresh[call - syscall_table(&n)] = true;
	}
	for (size_t c = 0; c < calls->n_table; c++) {
		if (!fresh[c] || calls->set[c])
			continue;
		calls->set[c] = true;
		calls->named[c] = i;
		calls->group[c] = word[0] == '@';
	}
	return 0;
}

/* Words from first up to one of the options, or the end. */
static int read_calls(struct parser *p, size_t first, struct calls *calls, size_t *ret_next)
{
	_cleanup_free_ bool *fresh = NULL;
	const struct line *line = p->line;
	size_t i = first;
	int r = 0;

	(void)syscall_table(&calls->n_table);
	calls->set = calloc(calls->n_table, sizeof(*calls->set));
	calls->named = calloc(calls->n_table, sizeof(*calls->named));
	calls->group = calloc(calls->n_table, sizeof(*calls->group));
	fresh = calloc(calls->n_table, sizeof(*fresh));
	if (!calls->set || !calls->named || !calls->group || !fresh)
		return -ENOMEM;
	for (; i < line->n; i++) {
		if (parse_is_suffix(p, i))
			break;
		if (take_word(p, i, calls, fresh) < 0)
			r = -EINVAL;
	}
	if (r == 0 && i == first) {
		diag_error(p->d, word_at(p, i), "a system call or an @group is missing");
		r = -EINVAL;
	}
	*ret_next = i;
	return r;
}

/* --- the whole line --- */

struct options {
	uint8_t abi_mask; /* 0: no `on` */
	uint16_t errno_value;
	bool has_errno;
	bool quiet;
};

int parse_errno(struct parser *p, size_t i, uint16_t *ret)
{
	struct suggestion s;
	const char *name;

	if (i >= p->line->n) {
		diag_error(p->d, word_at(p, i), "the name of an error is missing");
		diag_hint(p->d, "as in: errno ENOSYS");
		return -EINVAL;
	}
	name = p->line->words[i].text;
	if (consts_find_errno(name, ret) < 0) {
		diag_error(p->d, word_at(p, i), "there is no error '%s'", quote(name).text);
		s = suggest_begin(name);
		for (size_t e = 0; consts_errno_name(e); e++)
			suggest_offer(&s, consts_errno_name(e));
		suggest_end(p->d, &s);
		return -EINVAL;
	}
	return 0;
}

static int read_abis(struct parser *p, size_t *i, struct options *o)
{
	size_t first = ++*i;

	for (; *i < p->line->n && !parse_is_suffix(p, *i); ++*i) {
		enum abi abi = p->native;

		if (parse_abi_name(p, *i, &abi) < 0)
			return -EINVAL;
		o->abi_mask |= (uint8_t)(1U << abi);
	}
	if (*i == first) {
		diag_error(p->d, word_at(p, first), "an ABI is missing");
		diag_hint(p->d, "as in: on i386");
		return -EINVAL;
	}
	return 0;
}

static int read_options(struct parser *p, size_t i, enum policy_action action, struct options *o)
{
	while (i < p->line->n) {
		if (parse_is_word(p, i, "errno") && !o->has_errno) {
			if (action != POLICY_DENY) {
				diag_error(p->d, word_at(p, i), "only deny answers with an error");
				return -EINVAL;
			}
			if (parse_errno(p, i + 1, &o->errno_value) < 0)
				return -EINVAL;
			o->has_errno = true;
			i += 2;
		} else if (parse_is_word(p, i, "quiet") && !o->quiet) {
			if (action == POLICY_ALLOW) {
				diag_error(p->d, word_at(p, i),
					   "an allowed call is never recorded");
				return -EINVAL;
			}
			o->quiet = true;
			i++;
		} else if (parse_is_word(p, i, "on") && !o->abi_mask) {
			if (read_abis(p, &i, o) < 0)
				return -EINVAL;
		} else {
			diag_error(p->d, word_at(p, i), "'%s' is not expected here",
				   quote(p->line->words[i].text).text);
			return -EINVAL;
		}
	}
	return 0;
}

static uint8_t abis_of(const struct syscall_desc *call)
{
	uint8_t mask = 0;

	for (unsigned a = 0; a < _ABI_MAX; a++) {
		if (call->nr[a] >= 0)
			mask |= (uint8_t)(1U << a);
	}
	return mask;
}

/* Which of the ABIs that the line speaks of have the call. Of a group's members those that none
 * of them has are passed over; of a call by name each must have it. */
static int choose_abis(struct parser *p, const struct syscall_desc *call, bool group, size_t word,
		       const struct options *o, uint8_t *ret)
{
	uint8_t has = abis_of(call), lacks = o->abi_mask & (uint8_t)~has;

	*ret = o->abi_mask ? has & o->abi_mask : has;
	if (!lacks || group)
		return 0;
	diag_error(p->d, word_at(p, word), "%s has no system call '%s'",
		   abi_name((enum abi)__builtin_ctz(lacks)), call->name);
	if (has)
		diag_hint(p->d, "it is a call of %s", abi_name((enum abi)__builtin_ctz(has)));
	return -EINVAL;
}

static int add_rules(struct parser *p, enum policy_action action, const struct calls *calls,
		     const struct tests *tests, const struct options *o)
{
	size_t n, added = 0;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t c = 0; c < n; c++) {
		struct policy_rule rule = { .call = &table[c], .action = (uint8_t)action };
		int r;

		if (!calls->set[c])
			continue;
		r = choose_abis(p, rule.call, calls->group[c], calls->named[c], o, &rule.abi_mask);
		if (r == 0 && !rule.abi_mask)
			continue;
		rule.quiet = o->quiet;
		rule.where = word_at(p, calls->named[c]);
		if (action == POLICY_DENY)
			rule.errno_value = o->has_errno ? o->errno_value : EPERM;
		if (r == 0)
			r = parse_add_rules(p, tests, &rule, o->abi_mask != 0);
		if (r < 0)
			return r; /* the other calls would repeat the mistake */
		added++;
	}
	if (added == 0) {
		diag_error(p->d, word_at(p, 1), "none of these calls is there on the ABIs named");
		return -EINVAL;
	}
	return 0;
}

int parse_call_rule(struct parser *p, enum policy_action action)
{
	struct calls calls = { .set = NULL };
	struct tests tests = { .n = 0 };
	struct options options = { .quiet = false };
	size_t i = 1;
	int r;

	r = read_calls(p, 1, &calls, &i);
	if (r == 0 && parse_is_word(p, i, "if"))
		r = parse_tests(p, &i, &tests);
	if (r == 0)
		r = read_options(p, i, action, &options);
	if (r == 0)
		r = add_rules(p, action, &calls, &tests, &options);
	tests_done(&tests);
	calls_done(&calls);
	return r;
}

int parse_remove_call(struct parser *p, enum policy_action action, bool expect, size_t first)
{
	struct calls calls = { .set = NULL };
	struct part *part = p->part;
	size_t i = first, n;
	const struct syscall_desc *table = syscall_table(&n);
	int r = read_calls(p, first, &calls, &i);

	if (r == 0 && i < p->line->n) {
		diag_error(p->d, word_at(p, i), "a removal has no conditions and no options");
		diag_hint(p->d, "it takes away every '%s' line of the call",
			  p->line->words[first - 1].text);
		r = -EINVAL;
	}
	for (size_t c = 0; r == 0 && c < n; c++) {
		if (!calls.set[c])
			continue;
		if (part->n_removes == LIMIT_POLICY_RULES) {
			diag_error(p->d, word_at(p, first), "more than %d removals",
				   LIMIT_POLICY_RULES);
			r = -EINVAL;
			break;
		}
		r = list_grow(&part->removes, part->n_removes, sizeof(*part->removes));
		if (r < 0)
			break;
		part->removes[part->n_removes++] = (struct part_remove){
			.what = expect ? REMOVE_EXPECT : REMOVE_CALL,
			.verb = (uint8_t)action,
			.group = calls.group[c],
			.call = &table[c],
			.where = word_at(p, calls.named[c]),
		};
	}
	calls_done(&calls);
	return r;
}
