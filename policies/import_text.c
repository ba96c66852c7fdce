// SPDX-License-Identifier: Apache-2.0
/* Rules to a policy's text: an entry's comment, then its lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/consts.h"
#include "policies/import_model.h"

enum { TEXT_WIDTH = 96, TEXT_POINTS = 32 };

static void check(struct import *im, int r)
{
	if (r < 0)
		im->no_memory = true;
}

/* --- conditions --- */

/* The ways in which one line can say a term, or part of it. */
struct choice {
	char *text; /* "a == 1 and b in 2..3"; "" for nothing to compare */
	unsigned cost;
};
struct choices {
	struct choice list[LIMIT_IMPORT_TERMS];
	size_t n;
};

static void choices_done(struct choices *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].text);
	c->n = 0;
}

/* Takes text over. */
static int choices_add(struct choices *c, struct buf *text, unsigned cost)
{
	if (c->n == LIMIT_IMPORT_TERMS)
		return -E2BIG;
	if (!text->data && buf_puts(text, "") < 0)
		return -ENOMEM;
	c->list[c->n++] = (struct choice){ TAKE_PTR(text->data), cost };
	*text = BUF_INIT;
	return 0;
}

static int put_value(struct buf *to, const struct syscall_desc *call, unsigned arg, uint64_t key)
{
	uint64_t turn = dnf_key_turn(call, arg), bits = key ^ turn;

	if (turn && key < turn)
		return buf_printf(to, "-%" PRIu64, turn - key);
	if (call->args[arg].kind == KIND_FLAGS && bits > 9)
		return buf_printf(to, "0x%" PRIx64, bits);
	return buf_printf(to, bits > 99999 ? "0x%" PRIx64 : "%" PRIu64, bits);
}

static bool is_point(struct import_range range)
{
	return range.low == range.high;
}

/* `a != 1 and a != 5`: all but some values. False: there are too many, or none. */
static int put_holes(const struct syscall_desc *call, unsigned arg, const struct import_ranges *r,
		     struct choices *ret, bool *done)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	uint64_t next = 0, max = dnf_key_max(call, arg);
	unsigned holes = 0;

	*done = false;
	if (r->n < 2 && !(r->n == 1 && (r->list[0].low == 1 || r->list[0].high == max - 1)))
		return 0;
	for (size_t i = 0; i <= r->n; i++) {
		uint64_t low = i < r->n ? r->list[i].low : max;
		bool last = i == r->n;

		if (last && r->list[r->n - 1].high == max)
			break;
		if (!last && low == next) {
			next = r->list[i].high + 1;
			continue;
		}
		if (last ? next != max : low != next + 1)
			return 0;
		if (++holes > 3 ||
		    buf_printf(&text, "%s%s != ", holes > 1 ? " and " : "", call->args[arg].name) <
			    0 ||
		    put_value(&text, call, arg, next) < 0)
			return holes > 3 ? 0 : -ENOMEM;
		next = last ? 0 : r->list[i].high + 1;
	}
	*done = true;
	return choices_add(ret, &text, holes);
}

static int put_range(const struct syscall_desc *call, unsigned arg, struct import_range range,
		     struct choices *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	bool from_first = range.low == 0, to_last = range.high == dnf_key_max(call, arg);
	int r = buf_printf(&text, "%s %s ", call->args[arg].name,
			   from_first ? "<="
			   : to_last  ? ">="
				      : "in");

	if (r == 0 && !from_first)
		r = put_value(&text, call, arg, range.low);
	if (r == 0 && !from_first && !to_last)
		r = buf_puts(&text, "..");
	if (r == 0 && !to_last)
		r = put_value(&text, call, arg, range.high);
	return r ? r : choices_add(ret, &text, from_first || to_last ? 1 : 2);
}

static int put_points(const struct syscall_desc *call, unsigned arg, const struct import_ranges *r,
		      struct choices *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t points = 0, all = 0;
	int error = 0;

	for (size_t i = 0; i < r->n; i++)
		all += is_point(r->list[i]);
	for (size_t i = 0; error == 0 && i < r->n; i++) {
		if (!is_point(r->list[i]))
			continue;
		if (points++ == 0)
			error = buf_printf(&text, "%s %s", call->args[arg].name,
					   all > 1 ? "in" : "==");
		error = error ? error : buf_puts(&text, " ");
		error = error ? error : put_value(&text, call, arg, r->list[i].low);
		if (error == 0 && points == TEXT_POINTS) {
			error = choices_add(ret, &text, 1);
			points = 0;
			all -= TEXT_POINTS;
		}
	}
	return error || points == 0 ? error : choices_add(ret, &text, 1);
}

static int put_ranges(const struct syscall_desc *call, unsigned arg, const struct import_ranges *r,
		      struct choices *ret)
{
	bool done;
	int error = put_holes(call, arg, r, ret, &done);

	if (error < 0 || done)
		return error;
	error = put_points(call, arg, r, ret);
	for (size_t i = 0; error == 0 && i < r->n; i++) {
		if (!is_point(r->list[i]))
			error = put_range(call, arg, r->list[i], ret);
	}
	return error;
}

/* Every choice of a with every choice of b, into a; b is used up. */
static int multiply(struct choices *a, struct choices *b, struct choices *scratch)
{
	int r = 0;

	scratch->n = 0;
	for (size_t i = 0; r == 0 && i < a->n; i++) {
		for (size_t k = 0; r == 0 && k < b->n; k++) {
			_cleanup_buf_ struct buf text = BUF_INIT;
			const char *one = a->list[i].text, *other = b->list[k].text;

			r = buf_printf(&text, "%s%s%s", one, *one && *other ? " and " : "", other);
			r = r ? r : choices_add(scratch, &text, a->list[i].cost + b->list[k].cost);
		}
	}
	choices_done(a);
	choices_done(b);
	*a = *scratch;
	scratch->n = 0;
	return r;
}

static int put_term(const struct syscall_desc *call, const struct import_term *t,
		    struct choices *ret, struct choices scratch[2])
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r = choices_add(ret, &text, 0);

	for (unsigned i = 0; r == 0 && i < 6; i++) {
		if (!(t->ranged >> i & 1))
			continue;
		r = put_ranges(call, i, &t->ranges[i], &scratch[0]);
		r = r ? r : multiply(ret, &scratch[0], &scratch[1]);
	}
	for (size_t m = 0; r == 0 && m < t->n_masks; m++) {
		const struct import_mask *mask = &t->masks[m];

		r = buf_printf(&text, "%s & 0x%" PRIx64 " %s 0x%" PRIx64,
			       call->args[mask->arg].name, mask->mask,
			       mask->negate ? "!=" : "==", mask->value);
		r = r ? r : choices_add(&scratch[0], &text, 1);
		r = r ? r : multiply(ret, &scratch[0], &scratch[1]);
	}
	choices_done(&scratch[0]);
	for (size_t i = 0; r == 0 && i < ret->n; i++) {
		if (ret->list[i].cost > LIMIT_RULE_CONDS)
			r = -EOVERFLOW;
	}
	return r;
}

/* The entry's conditions as " if ..." lines, one behind the other, each with its newline. */
static int put_conditions(const struct import_entry *e, struct buf *to)
{
	struct choices *work = calloc(3, sizeof(*work));
	int r = work ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < e->when.n; i++) {
		r = put_term(e->call, &e->when.terms[i], &work[0], &work[1]);
		for (size_t k = 0; r == 0 && k < work[0].n; k++)
			r = buf_printf(to, "%s%s\n", work[0].list[k].text[0] ? " if " : "",
				       work[0].list[k].text);
		choices_done(&work[0]);
	}
	if (work) {
		choices_done(&work[0]);
		choices_done(&work[1]);
		choices_done(&work[2]);
	}
	free(work);
	return r;
}

/* --- lines --- */

static void put_verb(struct import *im, const struct import_entry *e, struct buf *to)
{
	static const char *const verbs[] = { "allow", "deny", "kill" };

	check(im, buf_puts(to, verbs[e->action]));
}

static void put_answer(struct import *im, const struct import_entry *e, struct buf *to)
{
	if (e->action == POLICY_DENY && e->errno_value != EPERM)
		check(im, buf_printf(to, " errno %s", strerrorname_np(e->errno_value)));
}

/* The calls of entries first to end, with each of the conditions. */
static void put_lines(struct import *im, const struct import_entry *first, size_t n,
		      const char *conditions)
{
	struct buf *to = &im->result->text;

	while (*conditions) {
		size_t len = strcspn(conditions, "\n"), at = 0;

		for (size_t i = 0; i < n; i++) {
			size_t name = strlen(first[i].call->name) + 1;

			if (at > 0 && at + name + len > TEXT_WIDTH) {
				check(im, buf_printf(to, "%.*s", (int)len, conditions));
				put_answer(im, first, to);
				check(im, buf_puts(to, "\n"));
				at = 0;
			}
			if (at == 0) {
				put_verb(im, first, to);
				at = 5;
			}
			check(im, buf_printf(to, " %s", first[i].call->name));
			at += name;
		}
		check(im, buf_printf(to, "%.*s", (int)len, conditions));
		put_answer(im, first, to);
		check(im, buf_puts(to, "\n"));
		conditions += len + 1;
	}
}

static void failed(struct import *im, const struct import_entry *e, int r)
{
	if (r == -EOVERFLOW)
		import_error(im, im->items[e->item].where,
			     "%s: a rule of more than %d comparisons would be needed",
			     e->call->name, LIMIT_RULE_CONDS);
	else
		import_failed(im, im->items[e->item].where, r);
}

static int by_item(const void *pa, const void *pb)
{
	const struct import_entry *a = pa, *b = pb;

	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void put_item(struct import *im, const struct import_entry *first, size_t n)
{
	_cleanup_buf_ struct buf common = BUF_INIT;
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		_cleanup_buf_ struct buf own = BUF_INIT;
		int r = i < n ? put_conditions(&first[i], &own) : 0;

		if (r < 0) {
			failed(im, &first[i], r);
			return;
		}
		check(im, buf_puts(&own, ""));
		if (im->no_memory)
			return;
		/* neighbours that say the same share their lines */
		if (i > from && i < n && first[i].action == first[from].action &&
		    first[i].errno_value == first[from].errno_value &&
		    strcmp(own.data, common.data) == 0)
			continue;
		if (i > from)
			put_lines(im, first + from, i - from, common.data);
		from = i;
		buf_done(&common);
		common = own;
		own = BUF_INIT;
	}
}

/* --- the head --- */

static void put_head(struct import *im)
{
	struct buf *to = &im->result->text;
	const char *between = "cap";

	check(im, buf_printf(to, "policy %s\nabi native", im->options->name));
	if (im->abi_mask & 1U << ABI_I386)
		check(im, buf_puts(to, " i386"));
	if (im->abi_mask & 1U << ABI_X32)
		check(im, buf_puts(to, " x32"));
	check(im, buf_puts(to, "\n"));
	if (im->default_action == POLICY_DENY && im->default_errno != EPERM)
		check(im, buf_printf(to, "default errno %s\n", strerrorname_np(im->default_errno)));
	for (size_t i = 0; consts_name(i); i++) {
		unsigned bit;

		if (import_cap(consts_name(i), &bit) < 0 || !(im->options->caps >> bit & 1))
			continue;
		check(im, buf_printf(to, "%s %s", between, consts_name(i)));
		between = "";
	}
	if (im->options->caps)
		check(im, buf_puts(to, "\n"));
}

void import_text(struct import *im)
{
	struct buf *to = &im->result->text;
	size_t at = 0;

	if (im->n_entries > 0)
		qsort(im->entries, im->n_entries, sizeof(*im->entries), by_item);
	put_head(im);
	for (size_t i = 0; i < im->n_items && !im->no_memory; i++) {
		size_t first = at;

		check(im, buf_puts(to, "\n"));
		check(im, buf_put(to, im->items[i].comment.data, im->items[i].comment.len));
		while (at < im->n_entries && im->entries[at].item == i)
			at++;
		if (at > first)
			put_item(im, im->entries + first, at - first);
	}
	if (to->len > LIMIT_POLICY_BYTES)
		import_error(im, im->options->path, "it comes to more than %d bytes",
			     LIMIT_POLICY_BYTES);
}
