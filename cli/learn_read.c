// SPDX-License-Identifier: Apache-2.0
/* Recordings in. Text comes from payloads: it is checked before it can reach a policy. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "audit/learn.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/learn_model.h"

struct reader {
	struct learned *l;
	const char *file;
	unsigned line;
	bool in_run;
	struct err *err;
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

static const char *text_of(json_object *o, const char *key)
{
	json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

/* Fit for a comment: a recording may have been written by anybody. */
static char *plain(char *text)
{
	for (char *p = text; p && *p; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
			*p = '?';
	}
	return text;
}

static char *copy_of(json_object *o, const char *key)
{
	const char *text = text_of(o, key);

	return plain(strdup(text ? text : ""));
}

static uint64_t number_of(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_uint64(v) : 0;
}

static bool is_true(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static json_object *list_of(json_object *o, const char *key, size_t *ret_n)
{
	json_object *v;

	*ret_n = 0;
	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_array))
		return NULL;
	*ret_n = json_object_array_length(v);
	return v;
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

static uint8_t phases_of(json_object *o)
{
	size_t n;
	json_object *list = list_of(o, "phases", &n);
	uint8_t phases = 0;

	for (size_t i = 0; i < n; i++)
		phases |= (uint8_t)(1U << (json_object_get_int(json_object_array_get_idx(list, i)) &
					   1));
	return phases;
}

/* A recording can have been written by anybody: only what --quick may leave out. */
static bool read_assumed(struct reader *r, const char *name)
{
	struct learned *l = r->l;
	const struct syscall_desc *desc = NULL;
	size_t n, i = 0;
	const struct learn_assumable *list = learn_assumables(&n);

	for (; name && i < n && !desc; i++) {
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

static int read_run(struct reader *r, json_object *o)
{
	struct learned *l = r->l;
	struct learned_run *run;
	size_t n;
	json_object *argv = list_of(o, "argv", &n);
	_cleanup_buf_ struct buf command = BUF_INIT;
	const char *id = text_of(o, "run");

	if (number_of(o, "version") != 1)
		return bad(r, "its version is not 1");
	if (l->n_runs == LEARN_MAX_RUNS)
		return bad(r, "there are more than 32 runs");
	if (!id || strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
		return bad(r, "the run has no id");
	for (size_t i = 0; i < l->n_runs; i++) {
		if (strcmp(l->runs[i].id, id) == 0)
			return bad(r, "this run was read already");
	}
	for (size_t i = 0; i < n; i++) {
		const char *word = json_object_get_string(json_object_array_get_idx(argv, i));

		if (!word || (i > 0 && buf_puts(&command, " ") < 0) || buf_puts(&command, word) < 0)
			return no_memory(r);
	}
	run = &l->runs[l->n_runs++];
	run->id = strdup(id);
	run->time = copy_of(o, "time");
	run->policy = copy_of(o, "policy");
	run->command = plain(strndup(command.data ? command.data : "", 160));
	run->cwd = strdup(is_nameable(text_of(o, "cwd")) ? text_of(o, "cwd") : "");
	run->home = strdup(is_nameable(text_of(o, "home")) ? text_of(o, "home") : "");
	run->net = (uint8_t)number_of(o, "net");
	run->host_root = is_true(o, "host_root");
	run->phased = is_true(o, "phased");
	r->in_run = true;
	argv = list_of(o, "assumed", &n);
	for (size_t i = 0; i < n; i++) {
		if (!read_assumed(r, json_object_get_string(json_object_array_get_idx(argv, i))))
			return bad(r, "it assumes a call that none may");
	}
	if (!run->id || !run->time || !run->policy || !run->command || !run->cwd || !run->home)
		return no_memory(r);
	return 0;
}

static int read_end(struct reader *r, json_object *o)
{
	struct learned_run *run = &r->l->runs[r->l->n_runs - 1];

	run->ended = true;
	run->complete = is_true(o, "complete");
	run->cut = text_of(o, "cut") ? copy_of(o, "cut") : NULL;
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

static void add_tuple(struct learned_call *c, json_object *tuple)
{
	uint64_t value[3] = { 0 };

	for (size_t i = 0; i < 3; i++)
		(void)text_parse_u64(json_object_get_string(json_object_array_get_idx(tuple, i))
					     ?: "",
				     &value[i]);
	for (unsigned i = 0; i < c->n_tuples; i++) {
		if (memcmp(c->tuple[i], value, sizeof(value)) == 0)
			return;
	}
	if (c->n_tuples == LEARN_MAX_TUPLES)
		c->key_varies = true;
	else
		memcpy(c->tuple[c->n_tuples++], value, sizeof(value));
}

static int read_call(struct reader *r, json_object *o)
{
	const char *name = text_of(o, "name"), *abi_text = text_of(o, "abi");
	const struct syscall_desc *desc = name ? syscall_by_name(name) : NULL;
	const bool denied = !is_true(o, "allowed");
	struct learned_call *c;
	enum abi abi;
	size_t n;
	json_object *list;

	if (!abi_text || abi_from_name(abi_text, &abi) < 0)
		return bad(r, "a call has no ABI");
	if (!desc) {
		r->l->unknown++;
		return 0;
	}
	c = call_for(r->l, desc, abi, denied);
	if (!c) {
		c = ADD(r->l, calls);
		if (!c)
			return no_memory(r);
		c->desc = desc;
		c->abi = abi;
		c->denied = denied;
		c->quiet = true;
		list = list_of(o, "first", &n);
		c->program = base_name(
			n > 0 ? json_object_get_string(json_object_array_get_idx(list, 0)) : NULL);
		if (!c->program)
			return no_memory(r);
	}
	c->runs |= 1U << (r->l->n_runs - 1);
	c->errno_value = (uint16_t)number_of(o, "errno");
	c->killed = c->killed || is_true(o, "killed");
	c->quiet = c->quiet && is_true(o, "quiet");
	c->key_varies = c->key_varies || is_true(o, "key_varies");
	list = list_of(o, "count", &n);
	for (size_t i = 0; i < n && i < 2; i++) {
		uint64_t count = json_object_get_uint64(json_object_array_get_idx(list, i));

		c->count += count;
		if (count > 0)
			c->phases |= (uint8_t)(1U << i);
	}
	list = list_of(o, "key", &n);
	for (size_t i = 0; i < n; i++)
		add_tuple(c, json_object_array_get_idx(list, i));
	return 0;
}

static int read_path(struct reader *r, json_object *o)
{
	static const char *const names[] = { "read", "write", "exec", "make", "look", "list" };
	const char *path = text_of(o, "path_as_read"), *kind = text_of(o, "kind");
	struct learned_path *p = NULL;
	size_t n;
	json_object *list = list_of(o, "access", &n);

	if (!is_nameable(path) || !kind)
		return 0;
	if (r->l->n_paths >= LEARN_MAX_ITEMS)
		return bad(r, "there are too many paths");
	p = ADD(r->l, paths);
	if (!p)
		return no_memory(r);
	p->path = strdup(path);
	p->program = base_name(text_of(o, "program"));
	if (!p->path || !p->program)
		return no_memory(r);
	for (size_t i = 0; i < n; i++) {
		const char *word = json_object_get_string(json_object_array_get_idx(list, i));

		for (unsigned k = 0; word && k < ARRAY_SIZE(names); k++) {
			if (strcmp(word, names[k]) == 0)
				p->access |= 1U << k;
		}
	}
	p->missing = strcmp(kind, "missing") == 0;
	p->link = strcmp(kind, "symlink") == 0;
	p->directory = strcmp(kind, "directory") == 0;
	p->denied = !is_true(o, "allowed");
	p->runs = 1U << (r->l->n_runs - 1);
	p->phases = phases_of(o);
	p->count = number_of(o, "count");
	return 0;
}

static int read_place(struct reader *r, json_object *o)
{
	const char *path = text_of(o, "path");
	struct learned_place *p;

	for (size_t i = 0; path && i < r->l->n_places; i++) {
		if (strcmp(r->l->places[i].path, path) == 0)
			return 0;
	}
	if (r->l->n_places >= LEARN_MAX_PLACES)
		return bad(r, "there are too many places");
	if (!is_nameable(path))
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

static int read_socket(struct reader *r, json_object *o)
{
	struct learned_socket *s;
	const char *direction = text_of(o, "direction");

	if (r->l->n_sockets >= LEARN_MAX_ITEMS)
		return bad(r, "there are too many sockets");
	s = ADD(r->l, sockets);
	if (!s)
		return no_memory(r);
	s->address = copy_of(o, "address_as_read");
	s->program = base_name(text_of(o, "program"));
	s->bind = direction && strcmp(direction, "bind") == 0;
	s->family = (unsigned)number_of(o, "family");
	s->port = (unsigned)number_of(o, "port");
	s->type = (int)(int64_t)number_of(o, "socket_type");
	s->protocol = (int)(int64_t)number_of(o, "protocol");
	s->runs = 1U << (r->l->n_runs - 1);
	s->count = number_of(o, "count");
	return s->address && s->program ? 0 : no_memory(r);
}

static int read_setting(struct reader *r, json_object *o, bool env)
{
	struct learned *l = r->l;
	struct learned_setting *s;
	json_object *v;
	const char *name = text_of(o, "name");
	const size_t n = env ? l->n_envs : l->n_limits;

	if (!name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_*")])
		return bad(r, "a setting has no name");
	for (size_t i = 0; i < n; i++) {
		if (strcmp((env ? l->envs : l->limits)[i].name, name) == 0)
			return 0;
	}
	s = env ? ADD(l, envs) : ADD(l, limits);
	if (!s)
		return no_memory(r);
	s->name = strdup(name);
	if (json_object_object_get_ex(o, "value", &v) && v)
		s->value = strdup(json_object_get_string(v));
	return s->name ? 0 : no_memory(r);
}

static int read_line(struct reader *r, json_object *o)
{
	const char *type = text_of(o, "type");

	if (!type)
		return bad(r, "it has no type");
	if (strcmp(type, "run") == 0)
		return read_run(r, o);
	if (!r->in_run)
		return bad(r, "it belongs to no run");
	if (strcmp(type, "end") == 0)
		return read_end(r, o);
	if (strcmp(type, "call") == 0)
		return read_call(r, o);
	if (strcmp(type, "path") == 0)
		return read_path(r, o);
	if (strcmp(type, "socket") == 0)
		return read_socket(r, o);
	if (strcmp(type, "place") == 0)
		return read_place(r, o);
	if (strcmp(type, "env") == 0 || strcmp(type, "limit") == 0)
		return read_setting(r, o, type[0] == 'e');
	return bad(r, "its type is not known");
}

static int compare_paths(const void *a, const void *b)
{
	const struct learned_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* One entry a path, sorted. */
static void merge_paths(struct learned *l)
{
	size_t n = 0;

	if (l->n_paths == 0)
		return;
	qsort(l->paths, l->n_paths, sizeof(*l->paths), compare_paths);
	for (size_t i = 1; i < l->n_paths; i++) {
		struct learned_path *into = &l->paths[n], *p = &l->paths[i];

		if (strcmp(into->path, p->path) != 0) {
			l->paths[++n] = *p;
			continue;
		}
		into->access |= p->access;
		into->runs |= p->runs;
		into->phases |= p->phases;
		into->count += p->count;
		into->denied = into->denied && p->denied;
		into->missing = into->missing && p->missing;
		into->link = into->link || p->link;
		into->directory = into->directory || p->directory;
		free(p->path);
		free(p->program);
	}
	l->n_paths = n + 1;
}

int learned_read(struct learned *l, const char *file, struct err *err)
{
	struct reader r = { .l = l, .file = file, .err = err };
	_cleanup_free_ char *text = NULL;
	size_t len;
	int code = fd_read_file_at(AT_FDCWD, file, LEARN_MAX_FILE, &text, &len);

	if (code < 0)
		return err_set(err, code, "read the recording '%s'", file);
	for (char *line = text, *end; code == 0 && *line; line = end) {
		json_object *o;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		r.line++;
		o = json_tokener_parse(line);
		code = o ? read_line(&r, o) : bad(&r, "it is no JSON");
		json_object_put(o);
	}
	if (code == 0 && r.line == 0)
		code = err_refuse(err, "read the recording '%s': it is empty", file);
	if (code == 0)
		merge_paths(l);
	return code;
}

bool learned_complete(const struct learned *l)
{
	for (size_t i = 0; i < l->n_runs; i++) {
		if (!l->runs[i].ended || !l->runs[i].complete)
			return false;
	}
	return l->n_runs > 0;
}

void learned_done(struct learned *l)
{
	for (size_t i = 0; i < l->n_runs; i++) {
		struct learned_run *r = &l->runs[i];

		free(r->id), free(r->time), free(r->policy), free(r->command);
		free(r->cwd), free(r->home), free(r->cut);
	}
	for (size_t i = 0; i < l->n_calls; i++)
		free(l->calls[i].program);
	for (size_t i = 0; i < l->n_paths; i++)
		free(l->paths[i].path), free(l->paths[i].program);
	for (size_t i = 0; i < l->n_places; i++)
		free(l->places[i].path), free(l->places[i].kind), free(l->places[i].why);
	for (size_t i = 0; i < l->n_sockets; i++)
		free(l->sockets[i].address), free(l->sockets[i].program);
	for (size_t i = 0; i < l->n_envs; i++)
		free(l->envs[i].name), free(l->envs[i].value);
	for (size_t i = 0; i < l->n_limits; i++)
		free(l->limits[i].name), free(l->limits[i].value);
	free(l->calls), free(l->paths), free(l->places), free(l->sockets);
	free(l->envs), free(l->limits);
	*l = (struct learned){ 0 };
}
