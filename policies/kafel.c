// SPDX-License-Identifier: Apache-2.0
/*
 * kafel's policies (its README): POLICY, USE, DEFAULT, action blocks, #define, #include. The first
 * filter that matches decides. Arguments are compared as wide as the kernel reads them, without
 * sign. What nothing matches gets DEFAULT, which is KILL when it is not said.
 */
#include "policies/kafel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool kafel_constant(const struct kafel *k, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < k->n_constants; i++) {
		if (strcmp(k->constants[i].name, name) == 0) {
			*ret = k->constants[i].value;
			return true;
		}
	}
	return false;
}

static bool take_name(struct import_scan *s, char ret[LIMIT_NAME])
{
	if (s->token.kind != SCAN_NAME) {
		import_scan_error(s, "a name is missing");
		return false;
	}
	memcpy(ret, s->token.text, LIMIT_NAME);
	import_scan_next(s);
	return true;
}

static bool take_number(struct import_scan *s, uint64_t *ret)
{
	if (s->token.kind != SCAN_NUMBER) {
		import_scan_error(s, "a number is missing");
		return false;
	}
	*ret = s->token.number;
	import_scan_next(s);
	return true;
}

/* --- policies --- */

static struct kafel_policy *find_policy(struct kafel *k, const char *name)
{
	for (size_t i = 1; i < k->n_policies; i++) {
		if (strcmp(k->policies[i].name, name) == 0)
			return &k->policies[i];
	}
	return NULL;
}

static bool add_policy(struct kafel *k, const char *name)
{
	struct kafel_policy *list = reallocarray(k->policies, k->n_policies + 1, sizeof(*list));

	if (!list) {
		k->im->no_memory = true;
		return false;
	}
	k->policies = list;
	list[k->n_policies] = (struct kafel_policy){ .n = 0 };
	(void)snprintf(list[k->n_policies++].name, LIMIT_NAME, "%s", name);
	return true;
}

/* Takes the filter's conditions over. */
static bool add_filter(struct kafel *k, struct import_scan *s, size_t policy,
		       struct kafel_filter *filter)
{
	struct kafel_policy *p = &k->policies[policy];
	struct kafel_filter *list = NULL;

	if (p->n == LIMIT_IMPORT_ENTRIES)
		import_scan_error(s, "more than %d filters", LIMIT_IMPORT_ENTRIES);
	else
		list = import_grow(p->filters, p->n, sizeof(*list));
	if (!list) {
		k->im->no_memory = k->im->no_memory || p->n < LIMIT_IMPORT_ENTRIES;
		dnf_done(&filter->when);
		return false;
	}
	p->filters = list;
	list[p->n++] = *filter;
	return true;
}

static bool use(struct kafel *k, struct import_scan *s, size_t policy)
{
	char name[LIMIT_NAME];
	const struct kafel_policy *used = find_policy(k, s->token.text);

	if (s->token.kind == SCAN_NAME && !used) {
		import_scan_error(s, "no policy '%s' stands before this", s->token.text);
		return false;
	}
	if (!take_name(s, name) || !used)
		return false;
	if (used == &k->policies[policy]) {
		import_scan_error(s, "the policy uses itself");
		return false;
	}
	for (size_t i = 0; i < used->n; i++) {
		struct kafel_filter copy = used->filters[i];
		int r = dnf_copy(&used->filters[i].when, &copy.when);

		if (r < 0) {
			import_failed(k->im, copy.where, r);
			return false;
		}
		if (!add_filter(k, s, policy, &copy))
			return false;
	}
	return true;
}

/* --- action blocks --- */

static bool action(struct import_scan *s, enum policy_action *ret, uint16_t *ret_errno,
		   bool *ret_is)
{
	static const struct {
		const char *name;
		enum import_verdict verdict;
		bool number;
	} actions[] = {
		{ "ALLOW", IMPORT_ALLOW, false },
		{ "LOG", IMPORT_LOG, false },
		{ "DENY", IMPORT_KILL_THREAD, false },
		{ "KILL", IMPORT_KILL_THREAD, false },
		{ "KILL_THREAD", IMPORT_KILL_THREAD, false },
		{ "KILL_PROCESS", IMPORT_KILL_PROCESS, false },
		{ "USER_NOTIF", IMPORT_NOTIFY, false },
		{ "ERRNO", IMPORT_ERRNO, true },
		{ "TRAP", IMPORT_TRAP, true },
		{ "TRACE", IMPORT_TRACE, true },
	};
	char where[IMPORT_WHERE];
	uint64_t number = 0;
	size_t i = 0;

	*ret_errno = 0;
	while (i < ARRAY_SIZE(actions) && !import_scan_is(s, actions[i].name))
		i++;
	*ret_is = i < ARRAY_SIZE(actions);
	if (!*ret_is)
		return true;
	(void)import_scan_where(s, where);
	import_scan_next(s);
	if (actions[i].number) {
		if (!import_scan_expect(s, "(") || !take_number(s, &number) ||
		    !import_scan_expect(s, ")"))
			return false;
		if (number > UINT16_MAX) {
			import_scan_error(s, "the number of an action has 16 bits");
			return false;
		}
	}
	*ret_errno = (uint16_t)number;
	return import_action(s->im, where, actions[i].verdict, ret, ret_errno) == 0;
}

/* ON x86_64, ON { arm, aarch64 }: whether ours is meant. */
static bool guard(struct import_scan *s, bool *ret_ours)
{
	static const char *const known[] = { "arm",    "x86",	  "i386", "mips", "mipso32",
					     "mips64", "riscv64", "rv64", "m68k" };
	bool several = import_scan_accept(s, "{");

	*ret_ours = false;
	do {
		bool x86 = import_scan_is(s, "x86_64") || import_scan_is(s, "amd64");
		bool arm = import_scan_is(s, "aarch64") || import_scan_is(s, "arm64");
		bool found = x86 || arm;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found = found || import_scan_is(s, known[i]);
		if (!found) {
			import_scan_error(s, "there is no architecture '%s'", s->token.text);
			return false;
		}
		if (s->im->options->arch == ABI_AARCH64 ? arm : x86)
			*ret_ours = true;
		import_scan_next(s);
	} while (several && import_scan_accept(s, ","));
	return !several || import_scan_expect(s, "}");
}

/* The call by its name, a constant or SYSCALL[n]. ret_call NULL: it was said why. */
static bool call(struct kafel *k, struct import_scan *s, bool denied, bool *ret_found,
		 struct kafel_scope *scope, char name[LIMIT_NAME])
{
	/* names of the kernel's functions, where the tables of numbers have others */
	static const char *const other[][2] = {
		{ "newstat", "stat" },	 { "newfstat", "fstat" }, { "newlstat", "lstat" },
		{ "newuname", "uname" }, { "sysctl", "_sysctl" }, { "umount", "umount2" },
	};
	uint64_t number = 0;
	bool by_number = import_scan_is(s, "SYSCALL");

	(void)denied;
	*ret_found = false;
	if (!take_name(s, name))
		return false;
	if (by_number) {
		if (!import_scan_expect(s, "[") || !take_number(s, &number) ||
		    !import_scan_expect(s, "]"))
			return false;
	} else {
		by_number = kafel_constant(k, name, &number);
	}
	if (by_number) {
		scope->call = number <= INT32_MAX
				      ? syscall_by_nr(k->im->options->arch, (int32_t)number)
				      : NULL;
		if (!scope->call) {
			import_scan_error(s, "no system call has the number %lld",
					  (long long)number);
			return false;
		}
		*ret_found = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		if (strcmp(name, other[i][0]) == 0)
			(void)snprintf(name, LIMIT_NAME, "%s", other[i][1]);
	}
	return true;
}

/* (fd, buf, count): names for the registers in their order. */
static bool declare(struct import_scan *s, struct kafel_scope *scope)
{
	scope->declares = true;
	if (import_scan_accept(s, ")"))
		return true;
	do {
		if (scope->n_declared == 6) {
			import_scan_error(s, "more than 6 arguments");
			return false;
		}
		if (!take_name(s, scope->declared[scope->n_declared]))
			return false;
		for (size_t i = 0; i < scope->n_declared; i++) {
			if (strcmp(scope->declared[i], scope->declared[scope->n_declared]) == 0) {
				import_scan_error(s, "two arguments have one name");
				return false;
			}
		}
		scope->n_declared++;
	} while (import_scan_accept(s, ","));
	return import_scan_expect(s, ")");
}

/* { EXPRESSION }, or nothing, which holds always. */
static bool conditions(struct kafel *k, struct import_scan *s, const struct kafel_scope *scope,
		       struct kafel_filter *filter)
{
	int r = 0;

	if (!import_scan_accept(s, "{") || import_scan_accept(s, "}")) {
		if (scope->call)
			r = dnf_always(scope->call, &filter->when);
		import_failed(k->im, filter->where, r);
		return r == 0;
	}
	r = kafel_expression(k, s, scope, &filter->when);
	if (r < 0) {
		k->im->no_memory = k->im->no_memory || r == -ENOMEM;
		return false;
	}
	if (import_scan_expect(s, "}"))
		return true;
	dnf_done(&filter->when);
	return false;
}

static bool read_filter(struct kafel *k, struct import_scan *s, size_t policy,
			const struct kafel_filter *like)
{
	struct kafel_scope scope = { .action = (enum policy_action)like->action };
	struct kafel_filter filter = *like;
	char name[LIMIT_NAME];
	bool found, ours = true;

	(void)import_scan_where(s, filter.where);
	if (!call(k, s, like->action != POLICY_ALLOW, &found, &scope, name))
		return false;
	if (import_scan_accept(s, "(") && !declare(s, &scope))
		return false;
	if (import_scan_accept(s, "ON") && !guard(s, &ours))
		return false;
	if (!ours)
		import_warn(k->im, filter.where, "left out: %s: not for this architecture", name);
	else if (!found)
		scope.call = import_call(k->im, filter.where, name, like->action != POLICY_ALLOW);
	if (!ours)
		scope.call = NULL;
	if (!conditions(k, s, &scope, &filter))
		return false;
	if (!scope.call) {
		dnf_done(&filter.when);
		return true;
	}
	filter.call = scope.call;
	return add_filter(k, s, policy, &filter);
}

static bool read_block(struct kafel *k, struct import_scan *s, size_t policy)
{
	struct kafel_filter like = { .call = NULL };
	enum policy_action verdict = POLICY_KILL;
	bool is;

	if (import_scan_accept(s, "USE"))
		return use(k, s, policy);
	if (!action(s, &verdict, &like.errno_value, &is))
		return false;
	if (!is) {
		import_scan_error(s, "an action or USE is missing");
		return false;
	}
	like.action = (uint8_t)verdict;
	if (!import_scan_expect(s, "{"))
		return false;
	if (import_scan_accept(s, "}"))
		return true;
	do {
		if (!read_filter(k, s, policy, &like))
			return false;
	} while (import_scan_accept(s, ","));
	return import_scan_expect(s, "}");
}

static bool read_blocks(struct kafel *k, struct import_scan *s, size_t policy)
{
	do {
		if (!read_block(k, s, policy))
			return false;
	} while (import_scan_accept(s, ","));
	return true;
}

/* --- statements --- */

static bool read_policy(struct kafel *k, struct import_scan *s)
{
	char name[LIMIT_NAME];

	if (s->token.kind == SCAN_NAME && find_policy(k, s->token.text)) {
		import_scan_error(s, "a policy '%s' stands before this", s->token.text);
		return false;
	}
	if (!take_name(s, name) || !add_policy(k, name) || !import_scan_expect(s, "{"))
		return false;
	if (import_scan_accept(s, "}"))
		return true;
	return read_blocks(k, s, k->n_policies - 1) && import_scan_expect(s, "}");
}

static bool read_default(struct kafel *k, struct import_scan *s)
{
	enum policy_action verdict = POLICY_KILL;
	uint16_t errno_value;
	bool is;

	if (k->has_default) {
		import_scan_error(s, "a second DEFAULT");
		return false;
	}
	if (!action(s, &verdict, &errno_value, &is))
		return false;
	if (!is) {
		import_scan_error(s, "an action is missing");
		return false;
	}
	k->has_default = true;
	k->im->default_action = (uint8_t)verdict;
	k->im->default_errno = errno_value;
	return true;
}

static bool define(struct kafel *k, struct import_scan *s)
{
	struct kafel_constant constant, *list;
	uint64_t before;

	if (!take_name(s, constant.name) || !take_number(s, &constant.value))
		return false;
	if (kafel_constant(k, constant.name, &before)) {
		if (before != constant.value)
			import_scan_error(s, "'%s' has another value before this", constant.name);
		return before == constant.value;
	}
	if (k->n_constants == LIMIT_IMPORT_ENTRIES) {
		import_scan_error(s, "more than %d constants", LIMIT_IMPORT_ENTRIES);
		return false;
	}
	list = reallocarray(k->constants, k->n_constants + 1, sizeof(*list));
	if (!list) {
		k->im->no_memory = true;
		return false;
	}
	k->constants = list;
	list[k->n_constants++] = constant;
	return true;
}

static bool read_file(struct kafel *k, const char *path, const char *text, size_t len);

/* "one.policy" "two.policy", up to the line's end or a semicolon. */
static bool include(struct kafel *k, struct import_scan *s)
{
	unsigned line = s->line;

	while (s->token.kind == SCAN_PUNCT && import_scan_is(s, "\"") && s->token.line == line) {
		_cleanup_free_ char *name = NULL, *text = NULL;
		char path[LIMIT_PATH];
		const char *from = s->text + s->at, *to = memchr(from, '"', s->len - s->at);
		size_t len;

		name = to ? strndup(from, (size_t)(to - from)) : NULL;
		if (!name || strchr(name, '\n')) {
			import_scan_error(s, "the name of a file does not end");
			return false;
		}
		if (k->depth == LIMIT_IMPORT_FILES || ++k->files > LIMIT_IMPORT_FILES) {
			import_scan_error(s, "more than %d files", LIMIT_IMPORT_FILES);
			return false;
		}
		text = import_scan_include(s, name, path, &len);
		if (!text)
			return false;
		k->depth++;
		if (!read_file(k, path, text, len)) {
			s->failed = true;
			return false;
		}
		k->depth--;
		s->column += (unsigned)(to + 1 - from);
		s->at += (size_t)(to + 1 - from);
		import_scan_next(s);
	}
	(void)import_scan_accept(s, ";");
	return !s->failed;
}

static bool read_statement(struct kafel *k, struct import_scan *s)
{
	if (import_scan_accept(s, "#")) {
		if (import_scan_accept(s, "define"))
			return define(k, s);
		if (import_scan_is(s, "include")) {
			import_scan_next(s);
			return include(k, s);
		}
		import_scan_error(s, "define or include is missing");
		return false;
	}
	if (import_scan_accept(s, "POLICY"))
		return read_policy(k, s);
	if (import_scan_accept(s, "DEFAULT"))
		return read_default(k, s);
	return read_blocks(k, s, 0);
}

static bool read_file(struct kafel *k, const char *path, const char *text, size_t len)
{
	struct import_scan s;

	import_scan_init(&s, k->im, SCAN_KAFEL, path, text, len);
	while (!s.failed && !k->im->no_memory && s.token.kind != SCAN_END) {
		if (!read_statement(k, &s))
			return false;
	}
	return !s.failed && !k->im->no_memory;
}

/* --- the whole --- */

static void add_entries(struct kafel *k)
{
	struct kafel_policy *p = &k->policies[0];
	char last[IMPORT_WHERE] = "";

	for (size_t i = 0; i < p->n; i++) {
		struct kafel_filter *f = &p->filters[i];

		/* neighbours of one line and one answer share their comment */
		if (strcmp(last, f->where) != 0) {
			size_t same = strrchr(f->where, ':')
					      ? (size_t)(strrchr(f->where, ':') - f->where)
					      : 0;

			if (i == 0 || strncmp(last, f->where, same + 1) != 0)
				import_item(k->im, f->where, "%s", f->where);
			memcpy(last, f->where, sizeof(last));
		}
		import_add(k->im, f->call, (enum policy_action)f->action, f->errno_value, &f->when);
	}
}

void kafel_read(struct import *im, const char *source, size_t len)
{
	struct kafel k = { .im = im };

	im->ordered = true;
	im->default_action = POLICY_KILL;
	if (len > LIMIT_IMPORT_BYTES) {
		import_error(im, im->options->path, "more than %d bytes", LIMIT_IMPORT_BYTES);
		return;
	}
	import_item(im, im->options->path, "From the kafel policy %s, for %s.", im->options->path,
		    abi_name(im->options->arch));
	import_say(im, "It says nothing of files and the network: without lines for them, nothing "
		       "is open.");
	if (add_policy(&k, "@main") && read_file(&k, im->options->path, source, len))
		add_entries(&k);
	for (size_t i = 0; i < k.n_policies; i++) {
		for (size_t f = 0; f < k.policies[i].n; f++)
			dnf_done(&k.policies[i].filters[f].when);
		free(k.policies[i].filters);
	}
	free(k.policies);
	free(k.constants);
}
