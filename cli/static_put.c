// SPDX-License-Identifier: Apache-2.0
/* What the static helper found, for people and for programs. Names are the files' own: escaped. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/static.h"

enum { NAME_MAX_SHOWN = 80, JSON_BYTES = 64 << 20 };

/* --- comparison --- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A call that was recorded and that no code of the program's holds. */
static const char *explain(const struct graph *g, const char *name, const char *by)
{
	if (strcmp(name, "restart_syscall") == 0)
		return "the kernel makes it itself, after a signal";
	if (strcmp(by, base_name(g->files[0]->path)) != 0)
		return "another program made it first";
	return NULL;
}

void compare(const struct graph *g, const struct learned *l, struct comparison *ret)
{
	*ret = (struct comparison){ .learned = l };
	for (size_t i = 0; i < l->n_calls; i++) {
		const struct learned_call *c = &l->calls[i];
		const int32_t nr = c->desc->nr[ABI_X86_64];

		if (c->abi != ABI_X86_64 || nr < 0 || nr >= GRAPH_CALLS || ret->recorded[nr])
			continue;
		ret->recorded[nr] = true;
		ret->by[nr] = c->program;
	}
	for (int32_t nr = 0; nr < GRAPH_CALLS; nr++) {
		const struct syscall_desc *desc = syscall_by_nr(ABI_X86_64, nr);
		const bool found = g->calls[nr].n > 0;

		if (!desc)
			continue;
		ret->n_both += found && ret->recorded[nr];
		ret->n_never += found && !ret->recorded[nr];
		if (found || !ret->recorded[nr])
			continue;
		ret->because[nr] = explain(g, desc->name, ret->by[nr]);
		ret->n_explained += ret->because[nr] != NULL;
		ret->n_lacking += ret->because[nr] == NULL;
	}
}

/* --- places --- */

/* "libc.so.6 openat64", or with an offset where the function has no name. */
static void spell_place(const struct graph *g, const struct graph_place *p, char *ret, size_t size)
{
	const struct elf_file *f = g->files[p->file];
	const struct elf_function *fn = &f->functions[p->function];
	_cleanup_buf_ struct buf file = BUF_INIT, name = BUF_INIT;

	(void)text_escape(&file, base_name(f->path), strnlen(base_name(f->path), NAME_MAX_SHOWN));
	if (fn->name)
		(void)text_escape(&name, fn->name, strnlen(fn->name, NAME_MAX_SHOWN));
	if (name.len)
		(void)snprintf(ret, size, "%s %s", file.len ? file.data : "?", name.data);
	else
		(void)snprintf(ret, size, "%s+%#" PRIx64, file.len ? file.data : "?",
			       p->address ? p->address : fn->start);
}

static const char *why_unknown(enum graph_why why)
{
	switch (why) {
	case GRAPH_COMPUTED:
		return "its number is computed";
	case GRAPH_POINTER:
		return "takes the number from its caller, and is called through a pointer";
	case GRAPH_UNSURE:
		return "behind bytes that the disassembler does not know, and perhaps no call at "
		       "all";
	case GRAPH_FOREIGN:
		return "a call of the i386 ABI";
	}
	return "?";
}

/* --- text --- */

static int put_calls(const struct graph *g, const struct comparison *c, bool verbose,
		     struct buf *out)
{
	char place[256];
	int r = 0;

	for (int32_t nr = 0; nr < GRAPH_CALLS && r == 0; nr++) {
		const struct syscall_desc *desc = syscall_by_nr(ABI_X86_64, nr);
		const struct graph_call *call = &g->calls[nr];
		struct graph_place via[GRAPH_VIA];
		size_t n;

		if (call->n == 0)
			continue;
		spell_place(g, &call->place[0], place, sizeof(place));
		r = buf_printf(out, "%-24s %s%s", desc ? desc->name : "(no such call)",
			       c->learned ? c->recorded[nr] ? "recorded  " : "-         " : "",
			       place);
		if (r == 0 && call->n > 1)
			r = buf_printf(out, ", and %zu more", call->n - 1);
		n = verbose ? graph_via(g, &call->place[0], via) : 0;
		for (size_t i = 1; i < n && r == 0; i++) {
			spell_place(g, &via[i], place, sizeof(place));
			r = buf_printf(out, "\n%24s   from %s", "", place);
		}
		if (r == 0)
			r = buf_puts(out, "\n");
	}
	return r;
}

static int put_unknown(const struct graph *g, struct buf *out)
{
	char place[256];
	int r = 0;

	if (g->n_unknown > 0)
		r = buf_printf(out, "\n%zu%s sites whose number is not known:\n", g->n_unknown,
			       g->more_unknown ? " and more" : "");
	for (size_t i = 0; i < g->n_unknown && r == 0; i++) {
		const struct graph_unknown *u = &g->unknown[i];

		spell_place(g, &u->place, place, sizeof(place));
		r = buf_printf(out, "  %s, at %#" PRIx64 ": %s\n", place, u->place.address,
			       why_unknown(u->why));
	}
	return r;
}

static int put_unseen(const struct graph *g, struct buf *out)
{
	const bool executes = g->calls[59].n > 0 || g->calls[322].n > 0; /* execve, execveat */
	int r = buf_puts(out, "\nNot looked at:\n");

	for (size_t i = 0; i < g->n_missing && r == 0; i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		(void)text_escape(&name, g->missing[i], strnlen(g->missing[i], NAME_MAX_SHOWN));
		r = buf_printf(out, "  %s, which it needs and which was not found\n",
			       name.len ? name.data : "?");
	}
	if (r == 0 && g->opens_libraries)
		r = buf_puts(out, "  libraries that it opens at run time (dlopen is reached): name "
				  "them by --with\n");
	if (r == 0 && g->looks_up)
		r = buf_puts(out, "  functions that it looks up by computed names (dlsym)\n");
	if (r == 0 && executes)
		r = buf_puts(out, "  programs that it executes\n");
	if (r == 0 && g->undecoded > 0)
		r = buf_printf(out, "  %zu bytes of its code that the disassembler does not know\n",
			       g->undecoded);
	return r < 0 ? r : buf_puts(out, "  code that is made while it runs\n");
}

static int put_comparison(const struct comparison *c, struct buf *out)
{
	int r = buf_printf(out,
			   "\nBeside the recording: %zu calls recorded and found, %zu recorded and "
			   "not found, %zu found and\nnever recorded.\n",
			   c->n_both, c->n_explained + c->n_lacking, c->n_never);

	for (int32_t nr = 0; nr < GRAPH_CALLS && r == 0; nr++) {
		const struct syscall_desc *desc = syscall_by_nr(ABI_X86_64, nr);

		if (!desc || !c->recorded[nr])
			continue;
		if (c->because[nr])
			r = buf_printf(out, "  recorded, not found: %s (%s): %s\n", desc->name,
				       c->by[nr], c->because[nr]);
	}
	return r;
}

static int put_lacking(const struct graph *g, const struct comparison *c, struct buf *out)
{
	int r = 0;

	for (int32_t nr = 0; nr < GRAPH_CALLS && r == 0; nr++) {
		const struct syscall_desc *desc = syscall_by_nr(ABI_X86_64, nr);

		if (desc && c->recorded[nr] && !c->because[nr] && g->calls[nr].n == 0)
			r = buf_printf(out, "  RECORDED, NOT FOUND: %s (%s)\n", desc->name,
				       c->by[nr]);
	}
	return r;
}

static size_t count(const struct graph *g)
{
	size_t n = 0;

	for (int32_t nr = 0; nr < GRAPH_CALLS; nr++)
		n += g->calls[nr].n > 0;
	return n;
}

int static_text(const struct graph *g, const struct comparison *c, bool verbose, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT, name = BUF_INIT;
	const char *path = g->files[0]->path;
	int r = text_escape(&name, path, strlen(path));

	if (r == 0)
		r = buf_printf(
			&out,
			"%s: %zu system calls can be reached, in it and the %zu files that it "
			"is loaded with\n(%zu of %zu functions, %zu sites)\n\n",
			name.data, count(g), g->n_files - 1, g->n_reached, g->n_functions,
			g->n_sites);
	if (r == 0)
		r = put_calls(g, c, verbose, &out);
	if (r == 0)
		r = put_unknown(g, &out);
	if (r == 0)
		r = put_unseen(g, &out);
	if (r == 0 && c->learned)
		r = put_comparison(c, &out);
	if (r == 0 && c->learned)
		r = put_lacking(g, c, &out);
	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? err_set(err, r, "write what was found") : 0;
}

/* --- JSON --- */

static void json_place(struct json *j, const struct graph *g, const struct graph_place *p)
{
	const struct elf_function *fn = &g->files[p->file]->functions[p->function];

	json_object(j, NULL);
	json_bytes(j, "file", g->files[p->file]->path, strlen(g->files[p->file]->path));
	if (fn->name)
		json_bytes(j, "function", fn->name, strnlen(fn->name, NAME_MAX_SHOWN));
	else
		json_string(j, "function", NULL);
	json_hex(j, "address", p->address ? p->address : fn->start);
}

static void json_calls(struct json *j, const struct graph *g, const struct comparison *c)
{
	json_array(j, "calls");
	for (int32_t nr = 0; nr < GRAPH_CALLS; nr++) {
		const struct syscall_desc *desc = syscall_by_nr(ABI_X86_64, nr);
		const struct graph_call *call = &g->calls[nr];

		if (call->n == 0)
			continue;
		json_object(j, NULL);
		json_string(j, "name", desc ? desc->name : NULL);
		json_i64(j, "nr", nr);
		json_u64(j, "sites", call->n);
		if (c->learned)
			json_bool(j, "recorded", c->recorded[nr]);
		json_array(j, "places");
		for (size_t i = 0; i < call->n && i < GRAPH_TOLD; i++) {
			struct graph_place via[GRAPH_VIA];
			const size_t n = graph_via(g, &call->place[i], via);

			json_place(j, g, &call->place[i]);
			json_array(j, "from");
			for (size_t k = 1; k < n; k++) {
				json_place(j, g, &via[k]);
				json_object_end(j);
			}
			json_array_end(j);
			json_object_end(j);
		}
		json_array_end(j);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_against(struct json *j, const struct graph *g, const struct comparison *c)
{
	json_object(j, "against");
	json_u64(j, "both", c->n_both);
	json_u64(j, "found_only", c->n_never);
	json_array(j, "recorded_only");
	for (int32_t nr = 0; nr < GRAPH_CALLS; nr++) {
		const struct syscall_desc *desc = syscall_by_nr(ABI_X86_64, nr);

		if (!desc || !c->recorded[nr] || g->calls[nr].n > 0)
			continue;
		json_object(j, NULL);
		json_string(j, "name", desc->name);
		json_string(j, "program", c->by[nr]);
		json_string(j, "because", c->because[nr]);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

int static_json(const struct graph *g, const struct comparison *c, struct err *err)
{
	_cleanup_free_ char *block = malloc(JSON_BYTES);
	struct json j;
	size_t len;
	int r;

	if (!block)
		return err_set(err, -ENOMEM, "write what was found");
	json_init(&j, block, JSON_BYTES - 1);
	json_object(&j, NULL);
	json_bytes(&j, "program", g->files[0]->path, strlen(g->files[0]->path));
	json_array(&j, "files");
	for (size_t i = 0; i < g->n_files; i++)
		json_bytes(&j, NULL, g->files[i]->path, strlen(g->files[i]->path));
	json_array_end(&j);
	json_array(&j, "missing");
	for (size_t i = 0; i < g->n_missing; i++)
		json_bytes(&j, NULL, g->missing[i], strlen(g->missing[i]));
	json_array_end(&j);
	json_u64(&j, "functions", g->n_functions);
	json_u64(&j, "functions_reached", g->n_reached);
	json_u64(&j, "sites", g->n_sites);
	json_u64(&j, "undecoded_bytes", g->undecoded);
	json_bool(&j, "opens_libraries", g->opens_libraries);
	json_bool(&j, "looks_up_functions", g->looks_up);
	json_calls(&j, g, c);
	json_array(&j, "unknown");
	for (size_t i = 0; i < g->n_unknown; i++) {
		json_place(&j, g, &g->unknown[i].place);
		json_string(&j, "because", why_unknown(g->unknown[i].why));
		json_object_end(&j);
	}
	json_array_end(&j);
	json_bool(&j, "unknown_cut", g->more_unknown);
	if (c->learned)
		json_against(&j, g, c);
	json_object_end(&j);
	len = json_finish(&j);
	if (len == 0)
		return err_set(err, -EMSGSIZE, "write what was found");
	block[len] = '\n';
	r = fd_write_all(STDOUT_FILENO, block, len + 1);
	return r < 0 ? err_set(err, r, "write what was found") : 0;
}
