// SPDX-License-Identifier: Apache-2.0
#include "profiles/bpf_asm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/fd.h"

enum item_kind { ITEM_OP, ITEM_JUMP, ITEM_GOTO, ITEM_PLACE };

struct bpf_asm_item {
	uint8_t kind;
	bool far_jt; /* needs a trampoline */
	bool far_jf;
	bool dead; /* nothing leads here: left out */
	bool next; /* ITEM_GOTO: what it leads to followed it before anything was left out */
	uint16_t code;
	uint32_t k;
	uint32_t jt; /* labels; a place's own is in jt */
	uint32_t jf;
	uint32_t jt_at; /* instruction numbers where the jumps land, from resolve() */
	uint32_t jf_at;
	uint32_t note;
	uint32_t pos; /* instruction number, from layout() */
};

void bpf_asm_done(struct bpf_asm *a)
{
	free(a->items);
	free(a->labels);
	*a = BPF_ASM_INIT;
}

/* Make room for one more of size bytes each; the block doubles. */
static int grow(void **block, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return 0;
	/* Labels and positions are 32 bits wide; a program near that is refused long before. */
	if (n >= UINT32_MAX / 4)
		return -E2BIG;
	p = reallocarray(*block, more, size);
	if (!p)
		return -ENOMEM;
	*block = p;
	*cap = more;
	return 0;
}

static void add(struct bpf_asm *a, struct bpf_asm_item item)
{
	void *block = a->items;
	int r;

	if (a->error < 0)
		return;
	r = grow(&block, &a->cap_items, a->n_items, sizeof(item));
	a->items = block;
	if (r < 0) {
		a->error = r;
		return;
	}
	item.note = a->note;
	a->items[a->n_items++] = item;
}

uint32_t bpf_asm_label(struct bpf_asm *a)
{
	void *block = a->labels;
	int r;

	if (a->error < 0)
		return 0;
	r = grow(&block, &a->cap_labels, a->n_labels, sizeof(*a->labels));
	a->labels = block;
	if (r < 0) {
		a->error = r;
		return 0;
	}
	a->labels[a->n_labels] = UINT32_MAX;
	return (uint32_t)a->n_labels++;
}

void bpf_asm_place(struct bpf_asm *a, uint32_t label)
{
	if (a->error < 0)
		return;
	if (label >= a->n_labels || a->labels[label] != UINT32_MAX) {
		a->error = -EINVAL;
		return;
	}
	a->labels[label] = (uint32_t)a->n_items;
	add(a, (struct bpf_asm_item){ .kind = ITEM_PLACE, .jt = label });
}

void bpf_asm_op(struct bpf_asm *a, uint16_t code, uint32_t k)
{
	add(a, (struct bpf_asm_item){ .kind = ITEM_OP, .code = code, .k = k });
}

void bpf_asm_jump(struct bpf_asm *a, uint16_t code, uint32_t k, uint32_t jt, uint32_t jf)
{
	add(a,
	    (struct bpf_asm_item){ .kind = ITEM_JUMP, .code = code, .k = k, .jt = jt, .jf = jf });
}

void bpf_asm_goto(struct bpf_asm *a, uint32_t label)
{
	add(a, (struct bpf_asm_item){ .kind = ITEM_GOTO, .jt = label });
}

/* Whether only places stand between item i and the place of label: a goto there is nothing. */
static bool placed_next(const struct bpf_asm *a, size_t i, uint32_t label)
{
	uint32_t place = a->labels[label];

	for (size_t j = i + 1; j < place; j++) {
		if (a->items[j].kind != ITEM_PLACE && !a->items[j].dead)
			return false;
	}
	return true;
}

/* The first thing that is done at a label. */
static struct bpf_asm_item *first_at(const struct bpf_asm *a, uint32_t label)
{
	size_t i = a->labels[label];

	while (i + 1 < a->n_items && a->items[i].kind == ITEM_PLACE)
		i++;
	return &a->items[i];
}

static uint32_t item_size(const struct bpf_asm *a, size_t i)
{
	const struct bpf_asm_item *it = &a->items[i];

	if (it->dead)
		return 0;
	switch (it->kind) {
	case ITEM_PLACE:
		return 0;
	case ITEM_GOTO:
		/* A RET that is left out is copied here. */
		return placed_next(a, i, it->jt) && !first_at(a, it->jt)->dead ? 0 : 1;
	case ITEM_JUMP:
		return 1 + (uint32_t)it->far_jt + (uint32_t)it->far_jf;
	default:
		return 1;
	}
}

/* Give each item its position; the number of instructions. */
static uint32_t layout(struct bpf_asm *a)
{
	uint32_t pos = 0;

	for (size_t i = 0; i < a->n_items; i++) {
		a->items[i].pos = pos;
		pos += item_size(a, i);
	}
	return pos;
}

static bool is_ret(const struct bpf_asm_item *it)
{
	return it->kind == ITEM_OP && BPF_CLASS(it->code) == BPF_RET;
}

/* Leave out what nothing leads to, such as a RET that all of its jumps took a copy of. Jumps go
 * forward only, so that one pass sees all. */
static void reach(struct bpf_asm *a, size_t i, uint32_t label, bool direct)
{
	if (label == BPF_ASM_NEXT) {
		if (i + 1 < a->n_items)
			a->items[i + 1].dead = false;
	} else if (direct || !is_ret(first_at(a, label))) {
		a->items[a->labels[label]].dead = false;
	}
}

static void prune(struct bpf_asm *a)
{
	for (size_t i = 0; i < a->n_items; i++) {
		struct bpf_asm_item *it = &a->items[i];

		it->next = it->kind == ITEM_GOTO && placed_next(a, i, it->jt);
	}
	for (size_t i = 1; i < a->n_items; i++)
		a->items[i].dead = true;
	for (size_t i = 0; i < a->n_items; i++) {
		const struct bpf_asm_item *it = &a->items[i];

		if (it->dead)
			continue;
		switch (it->kind) {
		case ITEM_GOTO:
			reach(a, i, it->jt, it->next);
			break;
		case ITEM_JUMP:
			reach(a, i, it->jt,
			      it->jt != BPF_ASM_NEXT && it->jt_at == first_at(a, it->jt)->pos);
			reach(a, i, it->jf,
			      it->jf != BPF_ASM_NEXT && it->jf_at == first_at(a, it->jf)->pos);
			break;
		default:
			if (!is_ret(it))
				reach(a, i, BPF_ASM_NEXT, false);
			break;
		}
	}
}

static bool in_reach(uint32_t from, uint32_t to)
{
	return to != UINT32_MAX && to - from - 1 <= UINT8_MAX;
}

/*
 * Choose where one side of the jump at pos lands: at the label itself when that is near, else at
 * the nearest trampoline behind it, else at one of its own, which is number own. True: that one is
 * new.
 */
static bool land(const struct bpf_asm *a, uint32_t pos, uint32_t label, uint32_t near, uint32_t own,
		 bool *far, uint32_t *ret_at)
{
	const struct bpf_asm_item *target = first_at(a, label);

	if (!target->dead && in_reach(pos, target->pos))
		*ret_at = target->pos;
	else if (*far)
		*ret_at = own;
	else if (in_reach(pos, near))
		*ret_at = near;
	else
		return *far = true;
	return false;
}

/* From the last to the first, as what a jump can use lies behind it. near: for each label its
 * nearest landing behind the item. True: new trampolines are needed, lay out again. */
static bool resolve(struct bpf_asm *a, uint32_t *near)
{
	bool changed = false;

	for (size_t i = 0; i < a->n_labels; i++)
		near[i] = UINT32_MAX;
	for (size_t i = a->n_items; i > 0; i--) {
		struct bpf_asm_item *it = &a->items[i - 1];
		uint32_t own = it->pos + 1;

		if (it->dead)
			continue;
		if (it->kind == ITEM_GOTO && item_size(a, i - 1) > 0)
			near[it->jt] = it->pos;
		if (it->kind != ITEM_JUMP)
			continue;
		if (it->jt == BPF_ASM_NEXT)
			it->jt_at = it->pos + item_size(a, i - 1);
		else
			changed |= land(a, it->pos, it->jt, near[it->jt], own, &it->far_jt,
					&it->jt_at);
		own += it->far_jt;
		if (it->jf == BPF_ASM_NEXT)
			it->jf_at = it->pos + item_size(a, i - 1);
		else
			changed |= land(a, it->pos, it->jf, near[it->jf], own, &it->far_jf,
					&it->jf_at);
		if (it->far_jf)
			near[it->jf] = own;
		if (it->far_jt)
			near[it->jt] = it->pos + 1;
	}
	return changed;
}

/* Every jump leads forward, to a label that has its place. */
static bool is_forward(const struct bpf_asm *a, size_t i, uint32_t label)
{
	return label == BPF_ASM_NEXT ||
	       (label < a->n_labels && a->labels[label] != UINT32_MAX && a->labels[label] > i);
}

static int check_labels(const struct bpf_asm *a)
{
	for (size_t i = 0; i < a->n_items; i++) {
		const struct bpf_asm_item *it = &a->items[i];

		if (it->kind == ITEM_GOTO && (it->jt == BPF_ASM_NEXT || !is_forward(a, i, it->jt)))
			return -EINVAL;
		if (it->kind == ITEM_JUMP &&
		    (!is_forward(a, i, it->jt) || !is_forward(a, i, it->jf)))
			return -EINVAL;
	}
	return 0;
}

/* The instruction at pos that goes on to a label: a copy of its RET, or a JA. */
static struct sock_filter trampoline(const struct bpf_asm *a, uint32_t label, uint32_t pos)
{
	const struct bpf_asm_item *it = first_at(a, label);

	if (is_ret(it))
		return (struct sock_filter)BPF_STMT(it->code, it->k);
	return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, it->pos - pos - 1);
}

static void encode_jump(const struct bpf_asm *a, const struct bpf_asm_item *it,
			struct sock_filter *out)
{
	uint32_t next = it->pos + 1;

	out[it->pos] = (struct sock_filter)BPF_JUMP(it->code, it->k, (uint8_t)(it->jt_at - next),
						    (uint8_t)(it->jf_at - next));
	if (it->far_jt) {
		out[next] = trampoline(a, it->jt, next);
		next++;
	}
	if (it->far_jf)
		out[next] = trampoline(a, it->jf, next);
}

static void encode(const struct bpf_asm *a, struct sock_filter *out, uint32_t *notes)
{
	for (size_t i = 0; i < a->n_items; i++) {
		const struct bpf_asm_item *it = &a->items[i];
		uint32_t size = item_size(a, i);

		for (uint32_t j = 0; j < size; j++)
			notes[it->pos + j] = it->note;
		if (size == 0)
			continue;
		if (it->kind == ITEM_OP)
			out[it->pos] = (struct sock_filter)BPF_STMT(it->code, it->k);
		else if (it->kind == ITEM_JUMP)
			encode_jump(a, it, out);
		else
			out[it->pos] = trampoline(a, it->jt, it->pos);
	}
}

/* Trampolines only ever grow in number, so this ends. What is left out afterwards are returns
 * that have been copied; it brings the rest nearer and never further. */
static uint32_t settle(struct bpf_asm *a, uint32_t *near)
{
	uint32_t n = layout(a);

	while (resolve(a, near))
		n = layout(a);
	return n;
}

int bpf_asm_finish(struct bpf_asm *a, size_t max, struct sock_filter **ret, uint32_t **ret_notes,
		   size_t *ret_n)
{
	_cleanup_free_ struct sock_filter *insns = NULL;
	_cleanup_free_ uint32_t *notes = NULL;
	_cleanup_free_ uint32_t *near = NULL;
	uint32_t n;
	int r = a->error ? a->error : check_labels(a);

	if (r < 0)
		return r;
	near = calloc(a->n_labels + 1, sizeof(*near));
	if (!near)
		return -ENOMEM;
	(void)settle(a, near);
	prune(a);
	n = settle(a, near);
	*ret_n = n;
	if (n == 0)
		return -EINVAL;
	if (n > max)
		return -E2BIG;
	insns = calloc(n, sizeof(*insns));
	notes = calloc(n, sizeof(*notes));
	if (!insns || !notes)
		return -ENOMEM;
	encode(a, insns, notes);
	*ret = TAKE_PTR(insns);
	if (ret_notes)
		*ret_notes = TAKE_PTR(notes);
	return 0;
}
