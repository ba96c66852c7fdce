// SPDX-License-Identifier: Apache-2.0
/* A recording as JSON Lines; doc/learn.md has the format. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/learn_state.h"
#include "base/fd.h"
#include "base/json.h"

enum { LINE_MAX_BYTES = 32768, FLUSH_AT = 65536 };

struct writer {
	int fd;
	int r;
	size_t len;
	char pending[FLUSH_AT + LINE_MAX_BYTES];
	char line[LINE_MAX_BYTES];
};

static void flush(struct writer *w)
{
	if (w->r == 0 && w->len > 0)
		w->r = fd_write_all(w->fd, w->pending, w->len);
	w->len = 0;
}

static void begin(struct writer *w, struct json *j, const char *type)
{
	json_init(j, w->line, sizeof(w->line) - 1);
	json_object(j, NULL);
	json_string(j, "type", type);
}

static void end(struct writer *w, struct json *j)
{
	size_t len;

	json_object_end(j);
	len = json_finish(j);
	if (len == 0) {
		w->r = w->r < 0 ? w->r : -EMSGSIZE;
		return;
	}
	memcpy(w->pending + w->len, w->line, len);
	w->pending[w->len + len] = '\n';
	w->len += len + 1;
	if (w->len >= FLUSH_AT)
		flush(w);
}

static const char *program_text(const struct learn *l, uint32_t program)
{
	return program > 0 ? l->text + l->programs[program - 1] : NULL;
}

static void put_phases(struct json *j, uint8_t phases)
{
	json_array(j, "phases");
	for (unsigned i = 0; i < LEARN_PHASES; i++) {
		if (phases & 1U << i)
			json_u64(j, NULL, i);
	}
	json_array_end(j);
}

/* As text: a reader of JSON may hold numbers as floating point. */
static void put_values(struct json *j, const struct learn_values *v, bool is_signed)
{
	json_array(j, "values");
	for (unsigned i = 0; i < v->n; i++) {
		char text[32];

		if (is_signed && v->value[i] <= UINT32_MAX && (int32_t)(uint32_t)v->value[i] < 0)
			(void)snprintf(text, sizeof(text), "%d", (int32_t)(uint32_t)v->value[i]);
		else
			(void)snprintf(text, sizeof(text), "0x%llx",
				       (unsigned long long)v->value[i]);
		json_string(j, NULL, text);
	}
	json_array_end(j);
	if (v->varies)
		json_bool(j, "varies", true);
}

static void put_args(struct json *j, const struct learn_entry *entry,
		     const struct syscall_desc *desc)
{
	json_array(j, "args");
	for (unsigned i = 0; i < desc->n_args; i++) {
		const struct learn_values *v = &entry->args[i];

		if (v->n == 0)
			continue;
		json_object(j, NULL);
		json_string(j, "name", desc->args[i].name);
		put_values(j, v, desc->args[i].width == WIDTH_S32);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_key(struct json *j, const struct learn_key *key)
{
	json_array(j, "key");
	for (unsigned i = 0; i < key->n; i++) {
		json_array(j, NULL);
		for (unsigned k = 0; k < 3; k++)
			json_hex(j, NULL, key->tuple[i].value[k]);
		json_array_end(j);
	}
	json_array_end(j);
	if (key->varies)
		json_bool(j, "key_varies", true);
}

static void put_call(struct writer *w, const struct learn *l, const struct learn_entry *entry)
{
	const struct syscall_desc *desc = syscall_by_nr((enum abi)entry->abi, entry->nr);
	struct json j;

	begin(w, &j, "call");
	json_string(&j, "abi", abi_name((enum abi)entry->abi));
	json_i64(&j, "nr", entry->nr);
	json_string(&j, "name", desc ? desc->name : NULL);
	json_bool(&j, "allowed", !entry->denied);
	if (entry->denied) {
		json_u64(&j, "errno", entry->errno_value);
		json_bool(&j, "killed", entry->killed);
		json_bool(&j, "quiet", entry->quiet);
	}
	json_array(&j, "count");
	for (unsigned i = 0; i < LEARN_PHASES; i++)
		json_u64(&j, NULL, entry->count[i]);
	json_array_end(&j);
	json_u64(&j, "first_us", entry->first_ns / 1000);
	json_array(&j, "first");
	for (unsigned i = 0; i < entry->n_chain; i++)
		json_string(&j, NULL, program_text(l, entry->chain[i]));
	json_array_end(&j);
	if (desc)
		put_args(&j, entry, desc);
	if (entry->key > 0)
		put_key(&j, &l->keys[entry->key - 1]);
	if (entry->no_key)
		json_bool(&j, "key_varies", true);
	end(w, &j);
}

static void put_access(struct json *j, uint8_t access)
{
	static const char *const names[] = { "read", "write", "exec", "make", "look", "list" };

	json_array(j, "access");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (access & 1U << i)
			json_string(j, NULL, names[i]);
	}
	json_array_end(j);
}

static void put_path(struct writer *w, const struct learn *l, const struct learn_path *p)
{
	static const char *const kinds[] = {
		[LEARN_MISSING] = "missing", [LEARN_FILE] = "file",   [LEARN_DIR] = "directory",
		[LEARN_LINK] = "symlink",    [LEARN_OTHER] = "other", [LEARN_UNSEEN] = "unseen",
	};
	struct json j;

	begin(w, &j, "path");
	json_string(&j, "path_as_read", l->text + p->text);
	json_string(&j, "kind", kinds[p->kind]);
	put_access(&j, p->access);
	json_bool(&j, "allowed", !p->denied);
	json_u64(&j, "count", p->count);
	put_phases(&j, p->phases);
	json_string(&j, "program", program_text(l, p->program));
	end(w, &j);
}

static void put_socket(struct writer *w, const struct learn *l, const struct learn_socket *s)
{
	struct json j;

	begin(w, &j, "socket");
	json_string(&j, "direction", s->bind ? "bind" : "connect");
	json_u64(&j, "family", s->family);
	json_i64(&j, "socket_type", s->type);
	json_i64(&j, "protocol", s->protocol);
	json_string(&j, "address_as_read", l->text + s->address);
	json_u64(&j, "port", s->port);
	json_bool(&j, "allowed", !s->denied);
	json_u64(&j, "count", s->count);
	put_phases(&j, s->phases);
	json_string(&j, "program", program_text(l, s->program));
	end(w, &j);
}

/* What was seen, and each thing that was not. */
static void put_end(struct writer *w, const struct learn *l, const char *cut, bool complete)
{
	struct json j;

	begin(w, &j, "end");
	json_bool(&j, "complete", complete);
	json_string(&j, "cut", cut);
	json_u64(&j, "calls", l->calls);
	json_u64(&j, "denied", l->denied);
	json_u64(&j, "phases", l->phase + 1U);
	json_u64(&j, "odd_numbers", l->odd_numbers);
	json_u64(&j, "unread", l->unread);
	json_u64(&j, "unresolved", l->unresolved);
	json_u64(&j, "callers_gone", l->gone);
	json_u64(&j, "lost_calls", l->lost_calls);
	json_u64(&j, "lost_arguments", l->lost_keys);
	json_u64(&j, "lost_paths", l->lost_paths);
	json_u64(&j, "lost_sockets", l->lost_sockets);
	json_u64(&j, "lost_programs", l->lost_programs);
	end(w, &j);
}

int learn_write(const struct learn *learn, int fd, const char *cut, bool *ret_complete)
{
	static struct writer w;
	const bool complete = !cut && learn->unread == 0 && learn->lost_calls == 0 &&
			      learn->lost_paths == 0 && learn->lost_sockets == 0;

	w = (struct writer){ .fd = fd };
	for (unsigned i = 0; i < learn->n_entries; i++)
		put_call(&w, learn, &learn->entries[i]);
	for (unsigned i = 0; i < learn->n_paths; i++)
		put_path(&w, learn, &learn->paths[i]);
	for (unsigned i = 0; i < learn->n_sockets; i++)
		put_socket(&w, learn, &learn->sockets[i]);
	put_end(&w, learn, cut, complete);
	flush(&w);
	*ret_complete = complete;
	return w.r;
}
