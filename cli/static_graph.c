// SPDX-License-Identifier: Apache-2.0
#include "cli/static_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/static_code.h"
#include "cli/static_libraries.h"

enum { MAX_CALLERS = 1 << 22 };

struct node {
	uint32_t parent;  /* place in the queue + 1; 0: a beginning */
	uint32_t place;	  /* the same, of itself; 0: not reached */
	uint16_t numbers; /* its arguments that become a call's number, a bit a register */
	bool pointed;	  /* its address is taken */
};

struct graph_state {
	struct node *nodes[GRAPH_FILES]; /* by function */
	struct item {
		uint16_t file;
		uint32_t function;
	} * queue;
	size_t n_queue, max_queue, done;
	/* who calls whom, for functions that are told a call's number */
	struct caller {
		struct item from, to;
		uint64_t address;
		uint16_t traced; /* arguments that were looked at */
	} * callers;
	size_t n_callers, max_callers;
	size_t max_unknown;
	struct code code;
	size_t at_file;	      /* what is decoded */
	uint64_t at_function; /* its beginning */
	int failed;
};

static struct node *node_of(struct graph *g, size_t file, size_t function)
{
	return &g->state->nodes[file][function];
}

static void *room(struct graph *g, void *array, size_t *max, size_t n, size_t size)
{
	void *grown;

	if (n < *max)
		return array;
	grown = reallocarray(array, *max ? *max * 2 : 4096, size);
	if (grown)
		*max = *max ? *max * 2 : 4096;
	else
		g->state->failed = -ENOMEM;
	return grown;
}

/* --- what was found --- */

static void put_call(struct graph *g, const struct graph_place *place, uint64_t nr)
{
	struct graph_call *c;

	if (nr >= GRAPH_CALLS)
		return; /* as -1, which no table has */
	c = &g->calls[nr];
	if (c->n < GRAPH_TOLD)
		c->place[c->n] = *place;
	c->n++;
}

static void put_unknown(struct graph *g, const struct graph_place *place, enum graph_why why)
{
	struct graph_unknown *grown;

	for (size_t i = 0; i < g->n_unknown; i++) {
		if (g->unknown[i].place.file == place->file &&
		    g->unknown[i].place.address == place->address && g->unknown[i].why == why)
			return;
	}
	if (g->n_unknown == GRAPH_SITES) {
		g->more_unknown = true;
		return;
	}
	grown = room(g, g->unknown, &g->state->max_unknown, g->n_unknown, sizeof(*grown));
	if (!grown)
		return;
	g->unknown = grown;
	g->unknown[g->n_unknown++] = (struct graph_unknown){ why, *place };
}

/* --- reaching --- */

static void reach(struct graph *g, size_t file, size_t function, uint32_t parent)
{
	struct graph_state *s = g->state;
	struct node *node = node_of(g, file, function);
	struct item *grown;

	if (node->place)
		return;
	grown = room(g, s->queue, &s->max_queue, s->n_queue, sizeof(*grown));
	if (!grown)
		return;
	s->queue = grown;
	s->queue[s->n_queue++] = (struct item){ (uint16_t)file, (uint32_t)function };
	node->place = (uint32_t)s->n_queue;
	node->parent = parent;
}

struct where {
	size_t file;
	uint32_t parent;
	uint64_t call; /* the address of the call; 0: the address is taken */
	struct item from;
};

static void reach_function(struct graph *g, const struct where *w, size_t file, size_t function)
{
	struct graph_state *s = g->state;
	struct caller *grown;

	reach(g, file, function, w->parent);
	if (!w->call) {
		node_of(g, file, function)->pointed = true;
		return;
	}
	if (s->n_callers >= MAX_CALLERS) { /* as if through a pointer: nobody is asked */
		node_of(g, file, function)->pointed = true;
		return;
	}
	grown = room(g, s->callers, &s->max_callers, s->n_callers, sizeof(*grown));
	if (!grown)
		return;
	s->callers = grown;
	s->callers[s->n_callers++] = (struct caller){
		.from = w->from,
		.to = { (uint16_t)file, (uint32_t)function },
		.address = w->call,
	};
}

static void reach_symbol(struct graph *g, const struct where *w, const char *name)
{
	/* all of its versions, of the first file that has any */
	for (size_t i = 0; i < g->n_files; i++) {
		const struct elf_file *f = g->files[i];
		size_t k = elf_export(f, name);
		bool any = false;

		for (; k < f->n_exports && strcmp(f->exports[k].name, name) == 0; k++) {
			const size_t function = elf_function_at(f, f->exports[k].start);

			if (function == SIZE_MAX)
				continue;
			reach_function(g, w, i, function);
			any = true;
		}
		if (any)
			return;
	}
}

static void reach_address(struct graph *g, const struct where *w, uint64_t address, unsigned depth);

static void reach_slot(struct graph *g, const struct where *w, uint64_t place)
{
	const struct elf_slot *slot = elf_slot_at(g->files[w->file], place);

	if (!slot)
		return;
	if (slot->symbol)
		reach_symbol(g, w, slot->symbol);
	else
		reach_address(g, w, slot->target, 1);
}

/* A stub jumps through a slot, some instructions on. */
static bool stub_slot(const struct elf_file *f, uint64_t address, uint64_t *ret)
{
	for (unsigned n = 0; n < 16; n++) {
		size_t len;
		const uint8_t *p = elf_at(f, address + n, &len);
		int32_t offset;

		/* jmp [rip + offset] */
		if (!p || len < 6)
			return false;
		if (p[0] != 0xff || p[1] != 0x25)
			continue;
		memcpy(&offset, p + 2, sizeof(offset));
		*ret = address + n + 6 + (uint64_t)(int64_t)offset;
		return true;
	}
	return false;
}

static void reach_address(struct graph *g, const struct where *w, uint64_t address, unsigned depth)
{
	const struct elf_file *f = g->files[w->file];
	size_t function;

	if (elf_is_plt(f, address)) {
		uint64_t place;

		if (depth == 0 && stub_slot(f, address, &place))
			reach_slot(g, w, place);
		return;
	}
	function = elf_function_at(f, address);
	if (function != SIZE_MAX)
		reach_function(g, w, w->file, function);
}

/* --- one function --- */

/* What a call or jump leads to, by its name; NULL: unnamed, or not known. */
static const char *name_of(const struct elf_file *f, const struct code_insn *in)
{
	const struct elf_slot *slot = NULL;
	uint64_t at = in->target, place;
	size_t function;

	if (in->through)
		slot = elf_slot_at(f, at);
	else if (elf_is_plt(f, at) && stub_slot(f, at, &place))
		slot = elf_slot_at(f, place);
	if (slot && slot->symbol)
		return slot->symbol;
	function = elf_function_at(f, slot ? slot->target : at);
	return function == SIZE_MAX ? NULL : f->functions[function].name;
}

/* Whether a call comes back: what stands behind one that does not is reached otherwise. */
static bool comes_back(const char *name)
{
	static const char *const ends[] = {
		"__assert_fail",
		"__chk_fail",
		"__fortify_fail",
		"__libc_fatal",
		"__longjmp_chk",
		"__stack_chk_fail",
		"__libc_start_main",
		"_exit",
		"abort",
		"exit",
		"longjmp",
		"pthread_exit",
		"siglongjmp",
	};

	for (size_t i = 0; name && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(name, ends[i]) == 0)
			return false;
	}
	return true;
}

static int decode(struct graph *g, size_t file, size_t function)
{
	struct graph_state *s = g->state;
	const struct elf_file *f = g->files[file];
	const struct elf_function *fn = &f->functions[function];
	int r;

	if (s->at_file == file && s->at_function == fn->start && s->code.n > 0)
		return 0;
	s->at_file = file;
	s->at_function = fn->start;
	r = code_decode(&s->code, f, fn->start, fn->end);
	for (size_t i = 0; i < s->code.n && r == 0; i++) {
		struct code_insn *in = &s->code.insns[i];

		in->ends = in->kind == CODE_CALL && in->target && !comes_back(name_of(f, in));
	}
	return r;
}

static void look_at_site(struct graph *g, const struct graph_place *place, size_t i)
{
	struct code_values v;

	code_trace(&g->state->code, i, CODE_RAX, &v);
	g->n_sites++;
	for (unsigned k = 0; k < v.n; k++)
		put_call(g, place, v.value[k]);
	node_of(g, place->file, place->function)->numbers |= v.arguments;
	if (v.unknown)
		put_unknown(g, place,
			    g->state->code.insns[i].unsure ? GRAPH_UNSURE : GRAPH_COMPUTED);
}

/* dlsym(handle, "name"): a function of some file that is loaded. */
static void look_at_symbol(struct graph *g, const struct where *w, size_t i)
{
	const struct elf_file *f = g->files[w->file];
	struct code_values v;

	code_trace(&g->state->code, i, CODE_RSI, &v);
	for (unsigned k = 0; k < v.n; k++) {
		const struct where taken = { .file = w->file, .parent = w->parent };
		size_t len;
		const char *text = (const char *)elf_at(f, v.value[k], &len);

		if (text && memchr(text, '\0', len))
			reach_symbol(g, &taken, text);
	}
	g->looks_up = g->looks_up || v.unknown || v.arguments;
}

static void look_at_insn(struct graph *g, const struct item *item, uint32_t place, size_t i)
{
	const struct code *c = &g->state->code;
	const struct code_insn *in = &c->insns[i];
	const struct graph_place here = { item->file, item->function, in->address };
	struct where w = { .file = item->file, .parent = place, .from = *item };
	const bool transfers =
		in->kind == CODE_CALL || in->kind == CODE_JUMP || in->kind == CODE_BRANCH;

	if (in->kind == CODE_SYSCALL)
		look_at_site(g, &here, i);
	else if (in->kind == CODE_FOREIGN)
		put_unknown(g, &here, in->unsure ? GRAPH_UNSURE : GRAPH_FOREIGN);
	if (transfers && in->target) {
		const char *name = name_of(g->files[item->file], in);

		if (name && (strcmp(name, "dlsym") == 0 || strcmp(name, "dlvsym") == 0))
			look_at_symbol(g, &w, i);
		w.call = in->address;
		if (in->through)
			reach_slot(g, &w, in->target);
		else if (in->target < c->start || in->target >= c->end || in->kind == CODE_CALL)
			reach_address(g, &w, in->target, 0);
	} else if (in->names) {
		if (in->through)
			reach_slot(g, &w, in->target);
		else if (elf_is_code(g->files[item->file], in->target) &&
			 (in->target < c->start || in->target >= c->end))
			reach_address(g, &w, in->target, 0);
	}
}

static void look_at_function(struct graph *g, const struct item *item, uint32_t place)
{
	const int r = decode(g, item->file, item->function);

	if (r < 0) {
		g->state->failed = r;
		return;
	}
	g->undecoded += g->state->code.undecoded;
	for (size_t i = 0; i < g->state->code.n && g->state->failed == 0; i++)
		look_at_insn(g, item, place, i);
}

/* --- numbers that come with a call --- */

/* Whether anything new came of it. */
static bool look_at_caller(struct graph *g, struct caller *c)
{
	const struct node *to = node_of(g, c->to.file, c->to.function);
	const uint16_t wanted = to->numbers & (uint16_t)~c->traced;
	const struct graph_place place = { c->from.file, c->from.function, c->address };
	struct code_values v;
	size_t at;

	if (!wanted)
		return false;
	c->traced |= wanted;
	g->state->failed = decode(g, c->from.file, c->from.function);
	at = g->state->failed < 0 ? SIZE_MAX : code_at(&g->state->code, c->address);
	for (unsigned reg = 0; at != SIZE_MAX && reg < CODE_NO_REGISTER; reg++) {
		if (!(wanted & 1U << reg))
			continue;
		code_trace(&g->state->code, at, (enum code_register)reg, &v);
		for (unsigned k = 0; k < v.n; k++)
			put_call(g, &place, v.value[k]);
		node_of(g, place.file, place.function)->numbers |= v.arguments;
		if (v.unknown)
			put_unknown(g, &place, GRAPH_COMPUTED);
	}
	return true;
}

static int compare_callers(const void *a, const void *b)
{
	const struct caller *x = a, *y = b;

	if (x->from.file != y->from.file)
		return x->from.file < y->from.file ? -1 : 1;
	if (x->from.function != y->from.function)
		return x->from.function < y->from.function ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void look_at_callers(struct graph *g)
{
	struct graph_state *s = g->state;
	bool again = s->n_callers > 0;

	if (again)
		qsort(s->callers, s->n_callers, sizeof(*s->callers), compare_callers);
	while (again && s->failed == 0) {
		again = false;
		for (size_t i = 0; i < s->n_callers && s->failed == 0; i++)
			again = look_at_caller(g, &s->callers[i]) || again;
	}
	for (size_t i = 0; i < s->n_queue; i++) {
		const struct item *item = &s->queue[i];
		const struct node *node = node_of(g, item->file, item->function);
		const struct graph_place place = {
			item->file, item->function,
			g->files[item->file]->functions[item->function].start
		};

		if (node->numbers && node->pointed)
			put_unknown(g, &place, GRAPH_POINTER);
	}
}

/* --- all of it --- */

/* Data of a program that is loaded at its own addresses needs no relocation to hold pointers. */
static void reach_fixed_data(struct graph *g, size_t file)
{
	const struct elf_file *f = g->files[file];
	const struct where w = { .file = file };

	for (size_t i = 0; i < f->n_segments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (s->executable)
			continue;
		for (uint64_t at = (s->start + 7) & ~UINT64_C(7);
		     at + 8 <= s->start + s->size && at >= s->start; at += 8) {
			size_t len, function;
			const uint8_t *p = elf_at(f, at, &len);
			uint64_t value;

			if (!p || len < sizeof(value))
				break;
			memcpy(&value, p, sizeof(value));
			function = elf_function_at(f, value);
			if (function != SIZE_MAX && f->functions[function].start == value)
				reach_function(g, &w, file, function);
		}
	}
}

static void reach_beginnings(struct graph *g, size_t file)
{
	const struct elf_file *f = g->files[file];
	const struct where w = { .file = file };

	if (f->entry && (file == 0 || file == g->interpreter))
		reach_address(g, &w, f->entry, 1);
	for (size_t i = 0; i < f->n_starters; i++)
		reach_address(g, &w, f->starters[i], 1);
	for (size_t i = 0; i < f->n_exports && f->is_opened; i++)
		reach_address(g, &w, f->exports[i].start, 1);
	for (size_t i = 0; i < f->n_slots; i++) {
		if (!f->slots[i].code)
			reach_slot(g, &w, f->slots[i].place);
	}
	if (f->fixed)
		reach_fixed_data(g, file);
}

static bool is_reached(struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n_files; i++) {
		const struct elf_file *f = g->files[i];
		size_t k = elf_export(f, name);

		for (; k < f->n_exports && strcmp(f->exports[k].name, name) == 0; k++) {
			const size_t function = elf_function_at(f, f->exports[k].start);

			if (function != SIZE_MAX && node_of(g, i, function)->place)
				return true;
		}
	}
	return false;
}

int graph_walk(struct graph *g, struct err *err)
{
	struct graph_state *s = g->state = calloc(1, sizeof(*s));
	int r = s ? code_begin(&s->code, err) : err_set(err, -ENOMEM, "follow the calls");

	if (r < 0)
		return r;
	s->at_file = SIZE_MAX;
	for (size_t i = 0; i < g->n_files; i++) {
		s->nodes[i] = calloc(g->files[i]->n_functions + 1, sizeof(*s->nodes[i]));
		if (!s->nodes[i])
			return err_set(err, -ENOMEM, "follow the calls");
		g->n_functions += g->files[i]->n_functions;
	}
	for (size_t i = 0; i < g->n_files; i++)
		reach_beginnings(g, i);
	while (s->done < s->n_queue && s->failed == 0) {
		const struct item item = s->queue[s->done++];

		look_at_function(g, &item, (uint32_t)s->done);
	}
	if (s->failed == 0)
		look_at_callers(g);
	g->n_reached = s->n_queue;
	g->opens_libraries = is_reached(g, "dlopen") || is_reached(g, "__libc_dlopen_mode");
	return s->failed < 0 ? err_set(err, s->failed, "follow the calls") : 0;
}

size_t graph_via(const struct graph *g, const struct graph_place *place,
		 struct graph_place ret[GRAPH_VIA])
{
	const struct graph_state *s = g->state;
	const struct node *node = &s->nodes[place->file][place->function];
	size_t n = 0;

	ret[n++] = *place;
	while (node->parent > 0 && n < GRAPH_VIA) {
		const struct item *item = &s->queue[node->parent - 1];

		ret[n++] = (struct graph_place){ item->file, item->function, 0 };
		node = &s->nodes[item->file][item->function];
	}
	return n;
}

int graph_of_file(struct graph *g, struct elf_file *f, struct err *err)
{
	(void)err;
	*g = (struct graph){ .n_files = 1 };
	g->files[0] = f;
	return 0;
}

int graph_load(struct graph *g, const char *path, const char *const *with, size_t n_with,
	       struct err *err)
{
	*g = (struct graph){ .n_files = 0 };
	return libraries_load(g, path, with, n_with, err);
}

void graph_done(struct graph *g)
{
	for (size_t i = 0; i < g->n_files; i++) {
		elf_free(g->files[i]);
		if (g->state)
			free(g->state->nodes[i]);
	}
	if (g->state) {
		code_done(&g->state->code);
		free(g->state->queue), free(g->state->callers);
	}
	free(g->unknown);
	free(g->state);
	*g = (struct graph){ .n_files = 0 };
}
