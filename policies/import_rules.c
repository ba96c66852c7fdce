// SPDX-License-Identifier: Apache-2.0
/*
 * Entries whose order has a meaning to rules of which kill outranks deny and deny allow. A rule
 * is cut back to what no earlier entry has decided otherwise, where it would outrank that one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/import_model.h"
#include "policies/multiplex.h"

static int rank(const struct import_entry *e)
{
	return e->action == POLICY_KILL ? 2 : e->action == POLICY_DENY ? 1 : 0;
}

static bool same_answer(const struct import_entry *a, const struct import_entry *b)
{
	return a->action == b->action && a->errno_value == b->errno_value;
}

static int by_call(const void *pa, const void *pb)
{
	const struct import_entry *a = *(const struct import_entry *const *)pa;
	const struct import_entry *b = *(const struct import_entry *const *)pb;

	if (a->call != b->call)
		return a->call < b->call ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The stricter first: what holds where libseccomp's answer depends on how it sorts its tree. */
static int by_rank(const void *pa, const void *pb)
{
	const struct import_entry *a = *(const struct import_entry *const *)pa;
	const struct import_entry *b = *(const struct import_entry *const *)pb;

	if (rank(a) != rank(b))
		return rank(b) - rank(a);
	return a->order < b->order ? -1 : a->order > b->order;
}

static void make_never(struct import_entry *e)
{
	const struct syscall_desc *call = e->call;

	dnf_done(&e->when);
	e->when.call = call;
}

static void say_at(struct import *im, const struct import_entry *e, const char *what,
		   const struct import_entry *other)
{
	import_warn(im, im->items[e->item].where, "%s: %s %s", e->call->name, what,
		    im->items[other->item].where);
}

/* libseccomp: a rule without conditions is all that is left of a call, the first of several. */
static void keep_unconditional(struct import *im, struct import_entry **group, size_t n)
{
	const struct import_entry *winner = NULL;

	for (size_t i = 0; i < n && !winner; i++) {
		if (dnf_is_always(&group[i]->when))
			winner = group[i];
	}
	for (size_t i = 0; winner && i < n; i++) {
		if (group[i] == winner)
			continue;
		if (!same_answer(group[i], winner))
			say_at(im, group[i],
			       "without effect: libseccomp keeps what has no conditions,", winner);
		make_never(group[i]);
	}
}

static void warn_of_overlaps(struct import *im, struct import_entry **group, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			_cleanup_dnf_ struct import_dnf both = { .call = NULL };

			if (same_answer(group[i], group[k]) ||
			    dnf_and(&group[i]->when, &group[k]->when, &both) < 0 || both.n == 0)
				continue;
			say_at(im, group[i],
			       "libseccomp does not say which of two holds; the stricter is taken: "
			       "also",
			       group[k]);
		}
	}
}

static void subtract(struct import *im, struct import_entry *from, const struct import_entry *what)
{
	_cleanup_dnf_ struct import_dnf rest = { .call = NULL };
	struct import_dnf cut = { .call = NULL };
	int r = dnf_not(&what->when, &rest);

	r = r ? r : dnf_and(&from->when, &rest, &cut);
	if (r < 0) {
		import_failed(im, im->items[from->item].where, r);
		return;
	}
	dnf_done(&from->when);
	from->when = cut;
}

static void cut_back(struct import *im, struct import_entry **group, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		/* from the last: those before are still whole */
		for (size_t k = 0; k < i; k++) {
			if (rank(group[i]) > rank(group[k]) ||
			    (group[i]->action == POLICY_DENY && group[k]->action == POLICY_DENY &&
			     !same_answer(group[i], group[k])))
				subtract(im, group[i], group[k]);
		}
	}
}

/* What none of the group decides. */
static void add_rest(struct import *im, const struct syscall_desc *call,
		     struct import_entry **group, size_t n)
{
	struct import_dnf rest = { .call = NULL };
	int r = dnf_always(call, &rest);

	/* allow gives way to what denies: no need to cut it */
	for (size_t i = 0; r == 0 && im->default_action == POLICY_KILL && i < n; i++) {
		struct import_dnf next = { .call = NULL };
		_cleanup_dnf_ struct import_dnf no = { .call = NULL };

		r = dnf_not(&group[i]->when, &no);
		r = r ? r : dnf_and(&rest, &no, &next);
		dnf_done(&rest);
		rest = next;
	}
	if (r < 0)
		import_failed(im, n ? im->items[group[0]->item].where : NULL, r);
	else if (rest.n > 0)
		import_add(im, call, (enum policy_action)im->default_action, 0, &rest);
	dnf_done(&rest);
}

/* The default is not an error: every call that it decides is named. */
static void add_default(struct import *im, struct import_entry **sorted, size_t n)
{
	size_t n_table, at = 0;
	const struct syscall_desc *table = syscall_table(&n_table);

	import_item(
		im, im->options->path, "%s",
		im->default_action == POLICY_KILL
			? "What the source's default kills, by name: here the default is an error"
			: "What the source's default allows, by name: later calls are denied");
	for (size_t c = 0; c < n_table && !im->no_memory; c++) {
		size_t first;
		bool there = false;

		while (at < n && sorted[at]->call < &table[c])
			at++;
		first = at;
		while (at < n && sorted[at]->call == &table[c])
			at++;
		for (unsigned a = 0; a < _ABI_MAX; a++)
			there = there || (im->abi_mask >> a & 1 && table[c].nr[a] >= 0);
		if (there)
			add_rest(im, &table[c], sorted + first, at - first);
	}
}

/* --- socketcall and ipc --- */

/* Whether entries restrict the call: there are some, and they do not come to "always". */
static bool is_restricted(struct import *im, const struct syscall_desc *call)
{
	struct import_dnf allowed = { .call = call };
	bool any = false, denied = false, all;

	for (size_t i = 0; i < im->n_entries; i++) {
		const struct import_entry *e = &im->entries[i];
		struct import_dnf sum = { .call = NULL };
		int r;

		if (e->call != call || e->when.n == 0)
			continue;
		any = true;
		denied = denied || e->action != POLICY_ALLOW;
		if (denied)
			continue;
		r = dnf_or(&allowed, &e->when, &sum);
		if (r < 0) {
			import_failed(im, NULL, r);
			break;
		}
		dnf_done(&allowed);
		allowed = sum;
	}
	all = dnf_is_always(&allowed) && !denied;
	dnf_done(&allowed);
	return any && !all;
}

static bool is_allowed(const struct import *im, const struct syscall_desc *call)
{
	for (size_t i = 0; i < im->n_entries; i++) {
		if (im->entries[i].call == call && im->entries[i].action == POLICY_ALLOW &&
		    im->entries[i].when.n > 0)
			return true;
	}
	return false;
}

/*
 * On i386 a condition on socket() is walked past by socketcall(SYS_SOCKET, ...), whose arguments
 * are in memory. libseccomp lets it be; the language refuses such a policy, so the operation is
 * denied.
 */
static void deny_detour(struct import *im, const struct syscall_desc *by,
			const struct syscall_desc *call, unsigned operation)
{
	_cleanup_dnf_ struct import_dnf when = { .call = NULL };
	bool kills = im->default_action == POLICY_KILL;
	int r = dnf_from_mask(by, (struct import_mask){ 0, false, 0xffff, operation }, &when);

	if (strcmp(by->name, "socketcall") == 0) {
		uint64_t key = operation ^ dnf_key_turn(by, 0);

		dnf_done(&when);
		r = dnf_from_range(by, 0, (struct import_range){ key, key }, &when);
	}
	if (r < 0) {
		import_failed(im, NULL, r);
		return;
	}
	import_warn(im, NULL, "denied: %s(%u) on i386, which does %s without its conditions",
		    by->name, operation, call->name);
	import_add(im, by, kills ? POLICY_KILL : POLICY_DENY,
		   im->default_action == POLICY_DENY ? im->default_errno : EPERM, &when);
}

static void deny_detours(struct import *im)
{
	static const char *const names[] = { "socketcall", "ipc" };
	bool said = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct syscall_desc *by = syscall_by_name(names[i]);

		for (unsigned n = 1; n <= 24 && is_allowed(im, by); n++) {
			const struct syscall_desc *call = multiplex_call(by, n);

			if (!call || !is_restricted(im, call))
				continue;
			if (!said)
				import_item(im, im->options->path,
					    "What i386 could do in another way");
			said = true;
			deny_detour(im, by, call, n);
		}
	}
}

void import_rules(struct import *im)
{
	_cleanup_free_ struct import_entry **sorted = NULL;
	_cleanup_free_ struct import_entry *copies = NULL;
	size_t n = im->n_entries, end;

	sorted = calloc(n + 1, sizeof(struct import_entry *));
	/* import_add moves the entries: what sorted points to must stay */
	copies = calloc(n + 1, sizeof(*copies));
	if (!sorted || !copies) {
		im->no_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		copies[i] = im->entries[i];
		sorted[i] = &copies[i];
	}
	qsort(sorted, n, sizeof(struct import_entry *), by_call);
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && sorted[end]->call == sorted[i]->call;)
			end++;
		if (!im->ordered) {
			keep_unconditional(im, sorted + i, end - i);
			warn_of_overlaps(im, sorted + i, end - i);
			qsort(sorted + i, end - i, sizeof(struct import_entry *), by_rank);
		}
		cut_back(im, sorted + i, end - i);
	}
	if (im->default_action != POLICY_DENY)
		add_default(im, sorted, n);
	for (size_t i = 0; i < n; i++)
		im->entries[copies[i].order] = copies[i];
	if (im->abi_mask & 1U << ABI_I386)
		deny_detours(im);
}
