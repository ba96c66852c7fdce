// SPDX-License-Identifier: Apache-2.0
/* Recordings in. Text comes from payloads: it is checked before it can reach a policy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/learn.h"
#include "audit/scan.h"
#include "base/cpus.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/learn_model.h"

struct reader {
	struct learned *l;
	const char *file;
	unsigned line;
	bool in_run;
	struct err *err;
	char text[LIMIT_PATH]; /* of the member that is being read */
};

static void *grow(void *array, size_t *max, size_t n, size_t size)
{
	void *new;

	if (n < *max)
		return array;
	*max = *max ? *max * 2 : 256;
	new = reallocarray(array, *max, size);
	return new;
}

/* Make room for one more; the place is zeroed. NULL: out of memory, with everything kept. */
#define ADD(l, array)                                                                              \
	({                                                                                         \
		void *_a =                                                                         \
			grow((l)->array, &(l)->max_##array, (l)->n_##array, sizeof(*(l)->array));  \
		if (_a)                                                                            \
			(l)->array = _a;                                                           \
		if (_a)                                                                            \
			memset(&(l)->array[(l)->n_##array], 0, sizeof(*(l)->array));               \
		_a ? &(l)->array[(l)->n_##array++] : NULL;                                         \
	})

/* Fit for a comment: a recording may have been written by anybody. */
static char *plain(char *text)
{
	for (char *p = text; p && *p; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
			*p = '?';
	}
	return text;
}

/* Texts are cut to what the longest path can have. */
static bool text_of(const struct scan *o, const char *key, char ret[LIMIT_PATH])
{
	return scan_get_string(o, key, ret, LIMIT_PATH);
}

static char *copy_of(const struct scan *o, const char *key)
{
	char text[LIMIT_PATH];

	(void)text_of(o, key, text);
	return plain(strdup(text));
}

static uint64_t number_of(const struct scan *o, const char *key)
{
	uint64_t n = 0;

	(void)scan_get_u64(o, key, &n);
	return n;
}

static bool is_true(const struct scan *o, const char *key)
{
	struct scan v;

	return scan_get(o, key, &v) && v.kind == SCAN_TRUE;
}

/* An array's values, none when there is no array. */
static void list_of(const struct scan *o, const char *key, struct scan_iter *ret)
{
	struct scan v = { SCAN_ARRAY, "[]", 2 };

	(void)scan_get(o, key, &v);
	if (v.kind != SCAN_ARRAY)
		v = (struct scan){ SCAN_ARRAY, "[]", 2 };
	scan_begin(&v, ret);
}

static int bad(struct reader *r, const char *why)
{
	return err_refuse(r->err, "read line %u of the recording '%s': %s", r->line, r->file, why);
}

static int no_memory(struct reader *r)
{
	return err_set(r->err, -ENOMEM, "read the recording '%s'", r->file);
}

/* The last component, fit for a comment. */
static char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return plain(strndup(slash ? slash + 1 : path ? path : "?", 40));
}

/* A path that a policy can name; json's escapes of ours stay what they are: no name of a file. */
static bool is_nameable(const char *path)
{
	const unsigned char *p = (const unsigned char *)path;

	if (!path || !path_is_normal(path) || strpbrk(path, "\"\\$"))
		return false;
	for (size_t left = strlen(path), n; left > 0; p += n, left -= n) {
		n = text_utf8_len(p, left);
		if (!text_is_shown(p, n))
			return false;
	}
	return true;
}

static uint8_t phases_of(const struct scan *value)
{
	struct scan_iter list;
	struct scan v;
	uint8_t phases = 0;
	uint64_t n;

	scan_begin(value, &list);
	while (scan_next(&list, NULL, &v)) {
		if (scan_u64(&v, &n) == 0)
			phases |= (uint8_t)(1U << (n & 1));
	}
	return phases;
}

/* A recording can have been written by anybody: only what --quick may leave out. */
static bool read_assumed(struct reader *r, const char *name)
{
	struct learned *l = r->l;
	const struct syscall_desc *desc = NULL;
	size_t n, i;
	const struct learn_assumable *list = learn_assumables(&n);

	for (i = 0; i < n && !desc; i++) {
		if (strcmp(list[i].name, name) == 0)
			desc = syscall_by_name(name);
	}
	if (!desc)
		return false;
	for (i = 0; i < l->n_assumed && l->assumed[i].desc != desc; i++)
		;
	if (i == LEARN_MAX_ASSUMED)
		return false;
	l->n_assumed += i == l->n_assumed;
	l->assumed[i].desc = desc;
	l->assumed[i].runs |= 1U << (l->n_runs - 1);
	l->runs[l->n_runs - 1].n_assumed++;
	return true;
}

static int read_command(struct reader *r, const struct scan *o, struct learned_run *run)
{
	_cleanup_buf_ struct buf command = BUF_INIT;
	char word[LIMIT_PATH];
	struct scan_iter list;
	struct scan v;

	list_of(o, "argv", &list);
	while (scan_next(&list, NULL, &v)) {
		(void)scan_string(&v, word, sizeof(word));
		if (buf_printf(&command, "%s%s", command.len ? " " : "", word) < 0)
			return no_memory(r);
	}
	run->command = plain(strndup(command.data ? command.data : "", 160));
	list_of(o, "assumed", &list);
	while (scan_next(&list, NULL, &v)) {
		(void)scan_string(&v, word, sizeof(word));
		if (!read_assumed(r, word))
			return bad(r, "it assumes a call that none may");
	}
	return 0;
}

/* A place, when a policy can name it. */
static char *place_of(const struct scan *o, const char *key)
{
	char text[LIMIT_PATH];

	return strdup(text_of(o, key, text) && is_nameable(text) ? text : "");
}

static int read_run(struct reader *r, const struct scan *o)
{
	struct learned *l = r->l;
	struct learned_run *run;
	char id[LIMIT_PATH];
	int code;

	if (number_of(o, "version") != 1)
		return bad(r, "its version is not 1");
	if (l->n_runs == LEARN_MAX_RUNS)
		return bad(r, "there are more than 32 runs");
	if (!text_of(o, "run", id) || strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
		return bad(r, "the run has no id");
	for (size_t i = 0; i < l->n_runs; i++) {
		if (strcmp(l->runs[i].id, id) == 0)
			return bad(r, "this run was read already");
	}
	run = &l->runs[l->n_runs++];
	run->id = strdup(id);
	run->time = copy_of(o, "time");
	run->policy = copy_of(o, "policy");
	run->cwd = place_of(o, "cwd");
	run->home = place_of(o, "home");
	run->net = (uint8_t)number_of(o, "net");
	run->landlock = (unsigned)number_of(o, "landlock");
	run->host_root = is_true(o, "host_root");
	run->phased = is_true(o, "phased");
	r->in_run = true;
	code = read_command(r, o, run);
	if (code == 0 &&
	    (!run->id || !run->time || !run->policy || !run->command || !run->cwd || !run->home))
		return no_memory(r);
	return code;
}

static int read_end(struct reader *r, const struct scan *o)
{
	struct learned_run *run = &r->l->runs[r->l->n_runs - 1];
	char cut[LIMIT_PATH];

	run->ended = true;
	run->complete = is_true(o, "complete");
	run->cut = text_of(o, "cut", cut) ? plain(strdup(cut)) : NULL;
	run->calls = number_of(o, "calls");
	run->denied = number_of(o, "denied");
	run->odd = number_of(o, "odd_numbers");
	run->unread = number_of(o, "unread");
	run->unresolved = number_of(o, "unresolved");
	run->lost_args = number_of(o, "lost_arguments");
	run->lost = number_of(o, "lost_calls") + number_of(o, "lost_paths") +
		    number_of(o, "lost_sockets");
	r->in_run = false;
	return 0;
}

static struct learned_call *call_for(struct learned *l, const struct syscall_desc *desc,
				     enum abi abi, bool denied)
{
	for (size_t i = 0; i < l->n_calls; i++) {
		if (l->calls[i].desc == desc && l->calls[i].abi == abi &&
		    l->calls[i].denied == denied)
			return &l->calls[i];
	}
	return NULL;
}

static void add_tuple(struct learned_call *c, const struct scan *tuple)
{
	uint64_t value[3] = { 0 };
	struct scan_iter iter;
	struct scan v;
	char text[32];

	scan_begin(tuple, &iter);
	for (size_t i = 0; i < 3 && scan_next(&iter, NULL, &v); i++) {
		(void)scan_string(&v, text, sizeof(text));
		(void)text_parse_u64(text, &value[i]);
	}
	for (unsigned i = 0; i < c->n_tuples; i++) {
		if (memcmp(c->tuple[i], value, sizeof(value)) == 0)
			return;
	}
	if (c->n_tuples == LEARN_MAX_TUPLES)
		c->key_varies = true;
	else
		memcpy(c->tuple[c->n_tuples++], value, sizeof(value));
}

/* NULL: no memory */
static struct learned_call *new_call(struct reader *r, const struct scan *o,
				     const struct syscall_desc *desc, enum abi abi)
{
	struct learned_call *c = ADD(r->l, calls);
	char first[LIMIT_PATH] = "?";
	struct scan_iter list;
	struct scan v;

	if (!c)
		return NULL;
	c->desc = desc;
	c->abi = abi;
	c->denied = !is_true(o, "allowed");
	c->quiet = true;
	list_of(o, "first", &list);
	if (scan_next(&list, NULL, &v))
		(void)scan_string(&v, first, sizeof(first));
	c->program = base_name(first);
	return c->program ? c : NULL;
}

static int read_call(struct reader *r, const struct scan *o)
{
	char name[LIMIT_PATH], abi_text[LIMIT_PATH];
	const struct syscall_desc *desc = text_of(o, "name", name) ? syscall_by_name(name) : NULL;
	struct learned_call *c;
	struct scan_iter list;
	struct scan v;
	enum abi abi;
	uint64_t count;

	if (!text_of(o, "abi", abi_text) || abi_from_name(abi_text, &abi) < 0)
		return bad(r, "a call has no ABI");
	if (!desc) {
		r->l->unknown++;
		return 0;
	}
	c = call_for(r->l, desc, abi, !is_true(o, "allowed"));
	if (!c)
		c = new_call(r, o, desc, abi);
	if (!c)
		return no_memory(r);
	c->runs |= 1U << (r->l->n_runs - 1);
	c->errno_value = (uint16_t)number_of(o, "errno");
	c->killed = c->killed || is_true(o, "killed");
	c->quiet = c->quiet && is_true(o, "quiet");
	c->key_varies = c->key_varies || is_true(o, "key_varies");
	list_of(o, "count", &list);
	for (unsigned i = 0; i < 2 && scan_next(&list, NULL, &v); i++) {
		if (scan_u64(&v, &count) < 0 || count == 0)
			continue;
		c->count += count;
		c->phases |= (uint8_t)(1U << i);
	}
	list_of(o, "key", &list);
	while (scan_next(&list, NULL, &v))
		add_tuple(c, &v);
	return 0;
}

static unsigned access_of(const struct scan *list)
{
	static const char *const names[] = { "read", "write", "exec", "make", "look", "list" };
	struct scan_iter iter;
	struct scan v;
	unsigned access = 0;

	scan_begin(list, &iter);
	while (scan_next(&iter, NULL, &v)) {
		for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
			if (scan_is(&v, names[k]))
				access |= 1U << k;
		}
	}
	return access;
}

/* Most lines are of this kind, so that its members are taken as they come. */
static int read_path(struct reader *r, const struct scan *o)
{
	struct learned_path found = { .runs = 1U << (r->l->n_runs - 1), .denied = true };
	struct learned_path *p;
	struct scan key, v, program = { SCAN_NULL, "", 0 };
	struct scan_iter iter;
	bool has_path = false, has_kind = false;

	for (scan_begin(o, &iter); scan_next(&iter, &key, &v);) {
		if (scan_is(&key, "path_as_read")) {
			has_path = scan_string(&v, r->text, sizeof(r->text)) > 0;
		} else if (scan_is(&key, "kind")) {
			has_kind = true;
			found.missing = scan_is(&v, "missing");
			found.link = scan_is(&v, "symlink");
			found.directory = scan_is(&v, "directory");
		} else if (scan_is(&key, "access")) {
			found.access = access_of(&v);
		} else if (scan_is(&key, "allowed")) {
			found.denied = v.kind != SCAN_TRUE;
		} else if (scan_is(&key, "count")) {
			(void)scan_u64(&v, &found.count);
		} else if (scan_is(&key, "program")) {
			program = v;
		} else if (scan_is(&key, "phases")) {
			found.phases = phases_of(&v);
		}
	}
	if (!has_path || !has_kind || !is_nameable(r->text))
		return 0;
	if (r->l->n_paths >= LEARN_MAX_ITEMS)
		return bad(r, "there are too many paths");
	found.path = strdup(r->text);
	(void)scan_string(&program, r->text, sizeof(r->text));
	found.program = base_name(r->text);
	p = ADD(r->l, paths);
	if (!p || !found.path || !found.program) {
		free(found.path), free(found.program);
		return no_memory(r);
	}
	*p = found;
	return 0;
}

static int read_place(struct reader *r, const struct scan *o)
{
	char path[LIMIT_PATH];
	const bool has_path = text_of(o, "path", path);
	struct learned_place *p;

	for (size_t i = 0; has_path && i < r->l->n_places; i++) {
		if (strcmp(r->l->places[i].path, path) == 0)
			return 0;
	}
	if (r->l->n_places >= LEARN_MAX_PLACES)
		return bad(r, "there are too many places");
	if (!has_path || !is_nameable(path))
		return 0;
	p = ADD(r->l, places);
	if (!p)
		return no_memory(r);
	p->path = strdup(path);
	p->kind = copy_of(o, "kind");
	p->why = copy_of(o, "why");
	p->writable = is_true(o, "writable");
	return p->path && p->kind && p->why ? 0 : no_memory(r);
}

static int read_socket(struct reader *r, const struct scan *o)
{
	char program[LIMIT_PATH], direction[LIMIT_PATH];
	struct learned_socket *s;
	struct scan v;
	uint64_t n;

	if (r->l->n_sockets >= LEARN_MAX_ITEMS)
		return bad(r, "there are too many sockets");
	s = ADD(r->l, sockets);
	if (!s)
		return no_memory(r);
	(void)text_of(o, "program", program);
	s->address = copy_of(o, "address_as_read");
	s->program = base_name(program);
	s->bind = text_of(o, "direction", direction) && strcmp(direction, "bind") == 0;
	s->family = (unsigned)number_of(o, "family");
	s->port = (unsigned)number_of(o, "port");
	s->type = scan_get_u64(o, "socket_type", &n) == 0 && n < 16 ? (int)n : -1;
	s->protocol = scan_get_u64(o, "protocol", &n) == 0 && n < 65536 ? (int)n : -1;
	s->denied = scan_get(o, "allowed", &v) && v.kind == SCAN_FALSE;
	s->runs = 1U << (r->l->n_runs - 1);
	if (scan_get(o, "phases", &v))
		s->phases = phases_of(&v);
	s->count = number_of(o, "count");
	return s->address && s->program ? 0 : no_memory(r);
}

static int read_setting(struct reader *r, const struct scan *o, bool env)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_*-";
	struct learned *l = r->l;
	struct learned_setting *s;
	char name[LIMIT_PATH], value[CPUS_TEXT] = "";
	const size_t n = env ? l->n_envs : l->n_limits;
	struct scan v;

	/* of a limit's name what is not known is not written */
	if (!text_of(o, "name", name) || !name[0] ||
	    (env ? !text_is_variable(name, true) : name[strspn(name, letters)]))
		return bad(r, env ? "a variable has no name" : "a limit has no name");
	if (n >= LIMIT_ENV)
		return bad(r, "there are too many settings");
	for (size_t i = 0; i < n; i++) {
		if (strcmp((env ? l->envs : l->limits)[i].name, name) == 0)
			return 0;
	}
	s = env ? ADD(l, envs) : ADD(l, limits);
	if (!s)
		return no_memory(r);
	s->name = strdup(name);
	/* an environment's value is not told again, only that it had one */
	if (scan_get(o, "value", &v) && v.kind != SCAN_NULL) {
		if (v.kind == SCAN_NUMBER && v.len < sizeof(value))
			(void)snprintf(value, sizeof(value), "%.*s", (int)v.len, v.p);
		else if (!env && v.kind == SCAN_STRING) /* a cpuset, checked where it is written */
			(void)scan_get_string(o, "value", value, sizeof(value));
		s->value = strdup(value);
		if (!s->value)
			return no_memory(r);
	}
	return s->name ? 0 : no_memory(r);
}

static int read_line(struct reader *r, const struct scan *o)
{
	struct scan type;

	if (!scan_get(o, "type", &type))
		return bad(r, "it has no type");
	if (scan_is(&type, "run"))
		return read_run(r, o);
	if (!r->in_run)
		return bad(r, "it belongs to no run");
	if (scan_is(&type, "end"))
		return read_end(r, o);
	if (scan_is(&type, "call"))
		return read_call(r, o);
	if (scan_is(&type, "path"))
		return read_path(r, o);
	if (scan_is(&type, "socket"))
		return read_socket(r, o);
	if (scan_is(&type, "place"))
		return read_place(r, o);
	if (scan_is(&type, "env") || scan_is(&type, "limit"))
		return read_setting(r, o, scan_is(&type, "env"));
	return bad(r, "its type is not known");
}

int learned_parse(struct learned *l, const char *file, char *text, struct err *err)
{
	struct reader r = { .l = l, .file = file, .err = err };
	int code = 0;

	for (char *line = text, *end; code == 0 && *line; line = end) {
		struct scan o;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		r.line++;
		code = scan_text(line, strlen(line), &o) == 0 ? read_line(&r, &o)
							      : bad(&r, "it is no JSON");
	}
	if (code == 0 && r.line == 0)
		code = err_refuse(err, "read the recording '%s': it is empty", file);
	if (code == 0)
		learned_merge_paths(l);
	return code;
}

int learned_read(struct learned *l, const char *file, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int code = fd_read_file_at(AT_FDCWD, file, LEARN_MAX_FILE, &text, &len);

	return code < 0 ? err_set(err, code, "read the recording '%s'", file)
			: learned_parse(l, file, text, err);
}
