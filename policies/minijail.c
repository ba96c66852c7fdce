// SPDX-License-Identifier: Apache-2.0
/*
 * minijail's policy files (minijail0(5)), with what its policy compiler knows beyond: lists of
 * filters in braces, architectures in brackets, @default, @denylist. Comparisons are without sign
 * and of 64 bits. What nothing allows is killed.
 *
 * The two programs differ on `EXPRESSION; return E`: minijail0 allows when the expression holds
 * and answers E otherwise, as its manual says; the compiler answers E when it holds. The manual's
 * meaning is taken, with a warning. Within braces only the compiler's exists.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policies/consts.h"
#include "policies/import_scan.h"

struct minijail {
	struct import *im;
	bool *closed; /* per call of the table: an entry without conditions was there */
	bool denylist;
	unsigned depth; /* of files */
	unsigned files;
};

/* The calls that one statement speaks of. */
struct targets {
	const struct syscall_desc *list[LIMIT_IMPORT_DEPTH * 4];
	size_t n;
};

struct answer {
	enum policy_action action;
	uint16_t errno_value;
};

/* --- values --- */

static bool constant(struct import_scan *s, uint64_t *ret)
{
	bool negative;

	if (s->token.kind == SCAN_NUMBER) {
		*ret = s->token.number;
	} else if (s->token.kind != SCAN_NAME) {
		import_scan_error(s, "a number or a constant is missing");
		return false;
	} else if (consts_find(s->token.text, ret, &negative) < 0) {
		uint16_t number;

		if (consts_find_errno(s->token.text, &number) < 0) {
			import_scan_error(s, "'%s' is no constant that is known here",
					  s->token.text);
			return false;
		}
		*ret = number;
	}
	import_scan_next(s);
	return true;
}

static bool value(struct import_scan *s, unsigned depth, uint64_t *ret)
{
	uint64_t sum = 0, one;

	do {
		bool complement = import_scan_accept(s, "~");

		if (depth > LIMIT_IMPORT_DEPTH) {
			import_scan_error(s, "more than %d parentheses in each other",
					  LIMIT_IMPORT_DEPTH);
			return false;
		}
		if (import_scan_accept(s, "(")) {
			if (!value(s, depth + 1, &one) || !import_scan_expect(s, ")"))
				return false;
		} else if (!constant(s, &one)) {
			return false;
		}
		sum |= complement ? ~one : one;
	} while (import_scan_accept(s, "|"));
	*ret = sum;
	return true;
}

/* --- expressions: alternatives of comparisons that all hold --- */

struct atom {
	struct import_compare compare;
	char where[IMPORT_WHERE];
};
struct expression {
	struct atom *atoms;
	bool *ends; /* the atom is the last of its alternative */
	size_t n;
};

static void expression_done(struct expression *e)
{
	free(e->atoms);
	free(e->ends);
}

static bool atom(struct import_scan *s, struct atom *ret)
{
	static const struct {
		const char *sign;
		enum import_op op;
	} operators[] = {
		{ "==", IMPORT_EQ },	   { "!=", IMPORT_NE },	       { "<", IMPORT_LT },
		{ "<=", IMPORT_LE },	   { ">", IMPORT_GT },	       { ">=", IMPORT_GE },
		{ "&", IMPORT_MASKED_NE }, { "in", IMPORT_MASKED_EQ },
	};
	const char *name = s->token.text;
	size_t i = 0;

	(void)import_scan_where(s, ret->where);
	if (s->token.kind != SCAN_NAME || strncmp(name, "arg", 3) != 0 || name[3] < '0' ||
	    name[3] > '5' || name[4] != '\0') {
		import_scan_error(s, "arg0 to arg5 is missing");
		return false;
	}
	ret->compare = (struct import_compare){ .arg = (unsigned)(name[3] - '0') };
	import_scan_next(s);
	while (i < ARRAY_SIZE(operators) && !import_scan_is(s, operators[i].sign))
		i++;
	if (i == ARRAY_SIZE(operators)) {
		import_scan_error(s, "a comparison is missing: == != < <= > >= & in");
		return false;
	}
	import_scan_next(s);
	if (!value(s, 0, &ret->compare.value))
		return false;
	ret->compare.op = operators[i].op;
	if (operators[i].op == IMPORT_MASKED_NE) {
		ret->compare.mask = ret->compare.value;
		ret->compare.value = 0;
	} else if (operators[i].op == IMPORT_MASKED_EQ) {
		ret->compare.mask = ~ret->compare.value;
		ret->compare.value = 0;
	}
	return true;
}

static bool expression(struct import_scan *s, struct expression *ret)
{
	for (;;) {
		struct atom *atoms;
		bool *ends;

		if (ret->n == LIMIT_IMPORT_TERMS) {
			import_scan_error(s, "more than %d comparisons", LIMIT_IMPORT_TERMS);
			return false;
		}
		atoms = reallocarray(ret->atoms, ret->n + 1, sizeof(*atoms));
		ret->atoms = atoms ? atoms : ret->atoms;
		ends = reallocarray(ret->ends, ret->n + 1, sizeof(*ends));
		ret->ends = ends ? ends : ret->ends;
		if (!atoms || !ends) {
			s->im->no_memory = true;
			return false;
		}
		if (!atom(s, &ret->atoms[ret->n]))
			return false;
		ret->ends[ret->n++] = !import_scan_is(s, "&&");
		if (!import_scan_accept(s, "&&") && !import_scan_accept(s, "||"))
			return true;
	}
}

/* One comparison for one call. False: the alternative is given up. */
static bool compare(struct import *im, const struct syscall_desc *call, const struct atom *a,
		    struct answer answer, struct import_dnf *ret)
{
	const char *why, *note;
	int r = import_compare(call, &a->compare, ret, &why, &note);

	if (r == 0 && note)
		import_warn(im, a->where, "%s: %s", call->name, note);
	if (r != -EOPNOTSUPP) {
		import_failed(im, a->where, r);
		return r == 0;
	}
	if (!im->options->narrow) {
		import_error(im, a->where, "%s: argument %u %s", call->name, a->compare.arg, why);
		return false;
	}
	import_warn(im, a->where, "%s: %s: argument %u %s",
		    answer.action == POLICY_ALLOW ? "left out, so not allowed"
						  : "denied whatever the argument is",
		    call->name, a->compare.arg, why);
	return answer.action != POLICY_ALLOW && dnf_always(call, ret) == 0;
}

static int resolve(struct import *im, const struct syscall_desc *call, const struct expression *e,
		   struct answer answer, struct import_dnf *ret)
{
	struct import_dnf sum = { .call = call };
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n; i++) {
		_cleanup_dnf_ struct import_dnf all = { .call = NULL };
		struct import_dnf next = { .call = NULL };
		bool kept = true;

		r = dnf_always(call, &all);
		for (;; i++) {
			_cleanup_dnf_ struct import_dnf one = { .call = NULL };
			struct import_dnf both = { .call = NULL };

			kept = kept && compare(im, call, &e->atoms[i], answer, &one);
			if (kept && r == 0) {
				r = dnf_and(&all, &one, &both);
				dnf_done(&all);
				all = both;
			}
			if (e->ends[i])
				break;
		}
		if (r < 0 || !kept)
			continue;
		r = dnf_or(&sum, &all, &next);
		dnf_done(&sum);
		sum = next;
	}
	if (r < 0)
		dnf_done(&sum);
	else
		*ret = sum;
	return r;
}

/* --- actions --- */

static bool is_action(const struct import_scan *s, enum import_verdict *ret)
{
	static const struct {
		const char *name;
		enum import_verdict verdict;
	} actions[] = {
		{ "allow", IMPORT_ALLOW },
		{ "log", IMPORT_LOG },
		{ "kill", IMPORT_KILL_PROCESS },
		{ "kill-process", IMPORT_KILL_PROCESS },
		{ "kill-thread", IMPORT_KILL_THREAD },
		{ "trap", IMPORT_TRAP },
		{ "trace", IMPORT_TRACE },
		{ "user-notify", IMPORT_NOTIFY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (import_scan_is(s, actions[i].name)) {
			*ret = actions[i].verdict;
			return true;
		}
	}
	return false;
}

static bool action(struct import_scan *s, struct answer *ret)
{
	enum import_verdict verdict = IMPORT_ALLOW;
	char where[IMPORT_WHERE];
	uint64_t number;

	(void)import_scan_where(s, where);
	ret->errno_value = EPERM;
	if (s->token.kind == SCAN_NUMBER && s->token.number == 1) {
		import_scan_next(s);
	} else if (import_scan_accept(s, "return")) {
		verdict = IMPORT_ERRNO;
		if (s->token.kind == SCAN_NEWLINE || s->token.kind == SCAN_END) {
			verdict = IMPORT_KILL_PROCESS; /* minijail0: what it does to the rest */
		} else {
			if (!constant(s, &number))
				return false;
			if (number > UINT16_MAX) {
				import_scan_error(s, "no error has such a number");
				return false;
			}
			ret->errno_value = (uint16_t)number;
		}
	} else if (is_action(s, &verdict)) {
		import_scan_next(s);
	} else {
		import_scan_error(s, "1, an expression or an action is missing");
		return false;
	}
	return import_action(s->im, where, verdict, &ret->action, &ret->errno_value) == 0;
}

/* --- statements --- */

static void add(struct minijail *m, struct import_scan *s, const struct targets *targets,
		const struct expression *when, struct answer answer)
{
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	for (size_t i = 0; i < targets->n; i++) {
		const struct syscall_desc *call = targets->list[i];
		_cleanup_dnf_ struct import_dnf dnf = { .call = NULL };
		int r;

		if (m->closed[call - table]) {
			import_error(m->im, NULL, "%s: an earlier entry has decided it whole",
				     call->name);
			continue;
		}
		r = when ? resolve(m->im, call, when, answer, &dnf) : dnf_always(call, &dnf);
		if (r < 0)
			import_failed(m->im, NULL, r);
		else
			import_add(m->im, call, answer.action, answer.errno_value, &dnf);
		m->closed[call - table] = !when;
	}
	(void)s;
}

/* One filter. listed: within braces. */
static bool filter(struct minijail *m, struct import_scan *s, const struct targets *targets,
		   bool listed)
{
	static const struct answer allow = { .action = POLICY_ALLOW };
	struct expression when = { .n = 0 };
	struct answer answer = allow;
	bool well = false;

	if (s->token.kind != SCAN_NAME || strncmp(s->token.text, "arg", 3) != 0) {
		well = action(s, &answer);
		if (well && m->denylist && answer.action == POLICY_ALLOW)
			import_warn(m->im, NULL, "allowed in a list of denials");
		if (well)
			add(m, s, targets, NULL, answer);
		return well;
	}
	if (!expression(s, &when))
		goto out;
	if (!import_scan_accept(s, ";")) {
		add(m, s, targets, &when, allow);
		well = true;
		goto out;
	}
	if (!action(s, &answer))
		goto out;
	well = true;
	if (listed) {
		add(m, s, targets, &when, answer);
		goto out;
	}
	import_warn(m->im, NULL,
		    "allowed when the expression holds, as minijail0(5) says; minijail's policy "
		    "compiler takes the other meaning");
	add(m, s, targets, &when, allow);
	add(m, s, targets, NULL, answer);
out:
	expression_done(&when);
	return well;
}

/* [arch=x86_64,arm64]: whether ours is one of them. */
static bool brackets(struct import_scan *s, bool *ret_ours)
{
	bool ours = false, said = false;

	while (!import_scan_accept(s, "]")) {
		bool is_arch = import_scan_is(s, "arch");

		if (s->token.kind != SCAN_NAME) {
			import_scan_error(s, "a key is missing");
			return false;
		}
		if (!is_arch)
			import_warn(s->im, NULL, "[%s=] has no meaning here", s->token.text);
		import_scan_next(s);
		if (!import_scan_expect(s, "="))
			return false;
		do {
			const char *arch = s->im->options->arch == ABI_AARCH64 ? "arm64" : "x86_64";

			if (s->token.kind != SCAN_NAME) {
				import_scan_error(s, "a value is missing");
				return false;
			}
			ours = ours || (is_arch && strcmp(s->token.text, arch) == 0);
			said = said || is_arch;
			import_scan_next(s);
		} while (import_scan_accept(s, ","));
		if (!import_scan_is(s, "]") && !import_scan_expect(s, ";"))
			return false;
	}
	*ret_ours = ours || !said;
	return true;
}

/* All of the table but for what this one allows is a name: whether it denies comes later, and a
 * name that is left out of a list that kills by default is killed. */
static bool target(struct minijail *m, struct import_scan *s, struct targets *ret)
{
	const struct syscall_desc *call = NULL;
	char where[IMPORT_WHERE], name[LIMIT_NAME];
	bool ours = true;

	(void)import_scan_where(s, where);
	memcpy(name, s->token.text, sizeof(name));
	if (s->token.kind == SCAN_NUMBER) {
		if (s->token.number <= INT32_MAX)
			call = syscall_by_nr(m->im->options->arch, (int32_t)s->token.number);
		if (!call) {
			import_scan_error(s, "no system call has this number");
			return false;
		}
	} else if (s->token.kind != SCAN_NAME) {
		import_scan_error(s, "the name of a system call is missing");
		return false;
	} else if (strchr(name, '@')) {
		import_scan_error(s, "'%s': groups of calls are defined outside of the policy",
				  name);
		return false;
	}
	import_scan_next(s);
	if (import_scan_accept(s, "[") && !brackets(s, &ours))
		return false;
	if (!ours) {
		import_warn(m->im, where, "left out: %s: not for this architecture", name);
		return true;
	}
	if (!call)
		call = import_call(m->im, where, name, m->denylist);
	if (call && ret->n == ARRAY_SIZE(ret->list)) {
		import_scan_error(s, "more than %zu calls in one statement", ARRAY_SIZE(ret->list));
		return false;
	}
	if (call)
		ret->list[ret->n++] = call;
	return true;
}

static bool targets(struct minijail *m, struct import_scan *s, struct targets *ret)
{
	if (!import_scan_accept(s, "{"))
		return target(m, s, ret);
	do {
		if (!target(m, s, ret))
			return false;
	} while (import_scan_accept(s, ","));
	return import_scan_expect(s, "}");
}

static bool statement(struct minijail *m, struct import_scan *s)
{
	struct targets list = { .n = 0 };

	if (!targets(m, s, &list) || !import_scan_expect(s, ":"))
		return false;
	if (!import_scan_accept(s, "{"))
		return filter(m, s, &list, false);
	do {
		if (!filter(m, s, &list, true))
			return false;
	} while (import_scan_accept(s, ","));
	return import_scan_expect(s, "}");
}

/* --- lines that begin with @ --- */

static void read_file(struct minijail *m, const char *path, const char *text, size_t len);

static bool include(struct minijail *m, struct import_scan *s)
{
	_cleanup_free_ char *name = import_scan_rest(s), *text = NULL;
	char path[LIMIT_PATH];
	size_t len;

	if (!name)
		return false;
	if (m->depth == LIMIT_IMPORT_FILES || ++m->files > LIMIT_IMPORT_FILES) {
		import_scan_error(s, "more than %d files", LIMIT_IMPORT_FILES);
		return false;
	}
	text = import_scan_include(s, name, path, &len);
	if (!text)
		return false;
	m->depth++;
	read_file(m, path, text, len);
	m->depth--;
	return true;
}

static bool default_action(struct minijail *m, struct import_scan *s)
{
	struct answer answer;

	if (!action(s, &answer))
		return false;
	if (answer.action == POLICY_ALLOW) {
		import_scan_error(s, "minijail has no default that allows but @denylist");
		return false;
	}
	m->im->default_action = (uint8_t)answer.action;
	m->im->default_errno = answer.errno_value;
	return true;
}

static bool line(struct minijail *m, struct import_scan *s)
{
	char where[IMPORT_WHERE];

	(void)import_scan_where(s, where);
	if (import_scan_is(s, "@include"))
		return include(m, s);
	import_item(m->im, where, "%s", where);
	if (import_scan_accept(s, "@default"))
		return default_action(m, s);
	if (import_scan_accept(s, "@denylist")) {
		m->denylist = true;
		m->im->default_action = POLICY_ALLOW;
		import_warn(m->im, NULL, "what is not named is allowed");
		return true;
	}
	if (import_scan_is(s, "@frequency")) {
		_cleanup_free_ char *path = import_scan_rest(s);

		import_warn(m->im, NULL, "left out: how often calls are made has no meaning here");
		return path != NULL;
	}
	return statement(m, s);
}

static void read_file(struct minijail *m, const char *path, const char *text, size_t len)
{
	struct import_scan s;

	import_scan_init(&s, m->im, SCAN_MINIJAIL, path, text, len);
	while (!m->im->no_memory) {
		bool well = !s.failed;

		if (well && s.token.kind == SCAN_END)
			return;
		if (well && s.token.kind == SCAN_NEWLINE) {
			import_scan_next(&s);
			continue;
		}
		well = well && line(m, &s) && !s.failed;
		if (well && s.token.kind != SCAN_NEWLINE && s.token.kind != SCAN_END) {
			import_scan_error(&s, "the line should end here");
			well = false;
		}
		if (!well && s.at >= s.len)
			return;
		if (!well)
			import_scan_skip_line(&s);
	}
}

void minijail_read(struct import *im, const char *source, size_t len)
{
	struct minijail m = { .im = im };
	size_t n;

	im->ordered = true;
	im->default_action = POLICY_KILL;
	(void)syscall_table(&n);
	if (len > LIMIT_IMPORT_BYTES) {
		import_error(im, im->options->path, "more than %d bytes", LIMIT_IMPORT_BYTES);
		return;
	}
	m.closed = calloc(n, sizeof(*m.closed));
	if (!m.closed) {
		im->no_memory = true;
		return;
	}
	import_item(im, im->options->path, "From the minijail policy %s, for %s.",
		    im->options->path, abi_name(im->options->arch));
	import_say(im, "It says nothing of files and the network: without lines for them, nothing "
		       "is open.");
	read_file(&m, im->options->path, source, len);
	free(m.closed);
}
