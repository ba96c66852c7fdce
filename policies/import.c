// SPDX-License-Identifier: Apache-2.0
#include "policies/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policies/consts.h"
#include "policies/diag.h"
#include "policies/import_model.h"
#include "policies/load.h"

void import_result_done(struct import_result *result)
{
	buf_done(&result->text);
	buf_done(&result->notes);
}

int import_format_from_name(const char *name, enum import_format *ret)
{
	static const char *const names[] = { "oci", "minijail", "kafel" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum import_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* --- messages --- */

static void check(struct import *im, int r)
{
	if (r < 0)
		im->no_memory = true;
}

/* fmt's text, safe to show: a source's bytes are in it. NULL when memory is short. */
__attribute__((format(printf, 2, 0))) static char *safe_text(struct import *im, const char *fmt,
							     va_list args)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		im->no_memory = true;
		return NULL;
	}
	check(im, text_escape(&safe, text, strlen(text)));
	check(im, buf_puts(&safe, ""));
	return im->no_memory ? NULL : TAKE_PTR(safe.data);
}

/* "# " and the text, broken at blanks; a word that fills a line and more is cut. */
static void put_comment(struct import *im, struct buf *to, const char *text)
{
	enum { WIDTH = 92, LONGEST = 512 };
	size_t at = 0;

	check(im, buf_puts(to, "#"));
	while (*text) {
		size_t len = strcspn(text, " "), shown = len;

		if (at > 0 && at + len > WIDTH) {
			check(im, buf_puts(to, "\n#"));
			at = 0;
		}
		if (shown > LONGEST) {
			shown = LONGEST;
			/* not within a character */
			while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
				shown--;
		}
		check(im, buf_printf(to, " %.*s%s", (int)shown, text, shown < len ? "..." : ""));
		at += shown + 1;
		text += len + (text[len] == ' ');
	}
	check(im, buf_puts(to, "\n"));
}

void import_item(struct import *im, const char *where, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	struct import_item *items;
	va_list args;

	items = import_grow(im->items, im->n_items, sizeof(*items));
	if (!items) {
		im->no_memory = true;
		return;
	}
	im->items = items;
	items[im->n_items] = (struct import_item){ .comment = BUF_INIT };
	(void)snprintf(items[im->n_items].where, IMPORT_WHERE, "%s", where);
	im->n_items++;
	va_start(args, fmt);
	text = safe_text(im, fmt, args);
	va_end(args);
	if (text)
		put_comment(im, &im->items[im->n_items - 1].comment, text);
}

static struct import_item *last_item(struct import *im)
{
	if (im->n_items == 0)
		import_item(im, im->options->path, "%s", im->options->path);
	return im->n_items ? &im->items[im->n_items - 1] : NULL;
}

void import_say(struct import *im, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	struct import_item *item = last_item(im);
	va_list args;

	va_start(args, fmt);
	text = safe_text(im, fmt, args);
	va_end(args);
	if (text && item)
		put_comment(im, &item->comment, text);
}

__attribute__((format(printf, 4, 0))) static void
put_note(struct import *im, const char *where, const char *kind, const char *fmt, va_list args)
{
	struct import_item *item = last_item(im);
	_cleanup_free_ char *text = safe_text(im, fmt, args);
	_cleanup_buf_ struct buf place = BUF_INIT;

	if (!text || !item)
		return;
	where = where ? where : item->where;
	check(im, text_escape(&place, where, strlen(where)));
	check(im, buf_printf(&im->result->notes, "%s: %s: %s\n", place.data ? place.data : "", kind,
			     text));
	if (strcmp(kind, "warning") == 0)
		put_comment(im, &item->comment, text);
}

void import_warn(struct import *im, const char *where, const char *fmt, ...)
{
	va_list args;

	im->result->n_warnings++;
	va_start(args, fmt);
	put_note(im, where, "warning", fmt, args);
	va_end(args);
}

void import_error(struct import *im, const char *where, const char *fmt, ...)
{
	va_list args;

	if (++im->result->n_errors > DIAG_MAX)
		return;
	va_start(args, fmt);
	put_note(im, where, "error", fmt, args);
	va_end(args);
}

void import_failed(struct import *im, const char *where, int r)
{
	if (r == -E2BIG)
		import_error(im, where,
			     "the conditions come to more than %d alternatives or ranges",
			     LIMIT_IMPORT_TERMS);
	else if (r < 0)
		im->no_memory = true;
}

/* --- entries --- */

void import_add(struct import *im, const struct syscall_desc *call, enum policy_action action,
		uint16_t errno_value, struct import_dnf *when)
{
	struct import_entry *entries = NULL;

	if (im->n_entries == LIMIT_IMPORT_ENTRIES)
		import_error(im, NULL, "more than %d entries", LIMIT_IMPORT_ENTRIES);
	else if (last_item(im))
		entries = import_grow(im->entries, im->n_entries, sizeof(*entries));
	if (!entries) {
		if (im->n_entries < LIMIT_IMPORT_ENTRIES)
			im->no_memory = true;
		dnf_done(when);
		return;
	}
	im->entries = entries;
	entries[im->n_entries] = (struct import_entry){
		.call = call,
		.action = (uint8_t)action,
		.errno_value = errno_value,
		.item = im->n_items - 1,
		.order = im->n_entries,
		.when = *when,
	};
	im->n_entries++;
	*when = (struct import_dnf){ .call = NULL };
}

const struct syscall_desc *import_call(struct import *im, const char *where, const char *name,
				       bool denied)
{
	const struct syscall_desc *call = syscall_by_name(name);
	const char *foreign;
	struct suggestion s;
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	if (call)
		return call;
	foreign = import_foreign_call(name);
	if (foreign) {
		import_warn(im, where, "left out: %s: no call here (%s)", name, foreign);
		return NULL;
	}
	if (im->options->unknown_denied && !denied) {
		import_warn(im, where, "left out, so denied: %.100s: no call that is known", name);
		return NULL;
	}
	s = suggest_begin(name);
	for (size_t i = 0; i < n; i++)
		suggest_offer(&s, table[i].name);
	if (s.best[0])
		import_error(im, where, "there is no system call '%.100s' (did you mean '%s'?)",
			     name, s.best);
	else
		import_error(im, where, "there is no system call '%.100s'", name);
	return NULL;
}

int import_action(struct import *im, const char *where, enum import_verdict verdict,
		  enum policy_action *ret, uint16_t *errno_value)
{
	switch (verdict) {
	case IMPORT_LOG:
		import_warn(im, where, "the source allows and logs; here the call is allowed");
		*ret = POLICY_ALLOW;
		return 0;
	case IMPORT_ALLOW:
		*ret = POLICY_ALLOW;
		return 0;
	case IMPORT_TRACE:
	case IMPORT_NOTIFY:
		import_warn(im, where,
			    "the source asks a %s; here the answer is the kernel's without one",
			    verdict == IMPORT_TRACE ? "tracer" : "listener");
		*ret = POLICY_DENY;
		*errno_value = ENOSYS;
		return 0;
	case IMPORT_ERRNO:
		*ret = POLICY_DENY;
		if (*errno_value > 0 && *errno_value < 4096 && strerrorname_np(*errno_value) &&
		    consts_find_errno(strerrorname_np(*errno_value), &(uint16_t){ 0 }) == 0)
			return 0;
		if (*errno_value != 0 && im->options->narrow) {
			import_warn(im, where, "error %u has no name: EPERM", *errno_value);
			*errno_value = EPERM;
			return 0;
		}
		import_error(im, where,
			     *errno_value == 0
				     ? "error 0 makes a call that did not happen look well; there "
				       "is no such answer here"
				     : "error %u has no name",
			     *errno_value);
		return -EINVAL;
	case IMPORT_TRAP:
		import_warn(im, where, "the source sends SIGSYS; here the process is killed");
		*ret = POLICY_KILL;
		return 0;
	case IMPORT_KILL_THREAD:
	case IMPORT_KILL_PROCESS:
		break;
	}
	*ret = POLICY_KILL;
	return 0;
}

/* --- the whole --- */

static void import_done(struct import *im)
{
	for (size_t i = 0; i < im->n_items; i++)
		buf_done(&im->items[i].comment);
	for (size_t i = 0; i < im->n_entries; i++)
		dnf_done(&im->entries[i].when);
	free(im->items);
	free(im->entries);
}

/* The text must be one of ours: what cannot be read back is not handed out. */
static int read_back(struct import *im, struct err *err)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	const struct policy_search search = { .native = im->options->arch };
	const struct buf *text = &im->result->text;
	struct policy *policy = NULL;
	int r = policy_load_text(im->options->name, text->data, text->len, &search, &policy, &diags,
				 err);

	policy_free(policy);
	if (r != -EBADMSG)
		return r;
	return err_set(err, -ENOTRECOVERABLE, "read back what '%.200s' became: %.300s",
		       im->options->path, diags.text.data);
}

int import_policy(enum import_format format, const char *source, size_t len,
		  const struct import_options *options, struct import_result *ret, struct err *err)
{
	struct import im = { .options = options, .result = ret, .default_errno = EPERM };
	int r = 0;

	im.abi_mask = (uint8_t)(1U << options->arch);
	switch (format) {
	case IMPORT_OCI:
		oci_seccomp_read(&im, source, len);
		break;
	case IMPORT_MINIJAIL:
		minijail_read(&im, source, len);
		break;
	case IMPORT_KAFEL:
		kafel_read(&im, source, len);
		break;
	}
	if (!im.no_memory && ret->n_errors == 0)
		import_rules(&im);
	if (!im.no_memory && ret->n_errors == 0)
		import_text(&im);
	if (im.no_memory)
		r = err_set(err, -ENOMEM, "import '%.400s'", options->path);
	else if (ret->n_errors > 0)
		r = -EBADMSG;
	else
		r = read_back(&im, err);
	if (r < 0)
		buf_done(&ret->text);
	import_done(&im);
	return r;
}
