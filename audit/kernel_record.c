// SPDX-License-Identifier: Apache-2.0
#include "audit/kernel_record.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/fd.h"

static const char *const names[_KERNEL_MECHANISM_MAX] = {
	[KERNEL_APPARMOR] = "apparmor",
	[KERNEL_SELINUX] = "selinux",
	[KERNEL_LANDLOCK] = "landlock",
	[KERNEL_SECCOMP] = "seccomp",
};

const char *kernel_mechanism_name(enum kernel_mechanism mechanism)
{
	return names[mechanism];
}

/* --- scanning ------------------------------------------------------------------------------ */

struct cursor {
	const char *p, *end;
};

static bool skip(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len) != 0)
		return false;
	c->p += len;
	return true;
}

static int digit_of(char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base != 16)
		return -1;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As many digits as there are, at least one; a number that does not fit is none. */
static bool number(struct cursor *c, unsigned base, uint64_t *ret)
{
	const char *from = c->p;
	uint64_t v = 0;

	for (; c->p < c->end && digit_of(*c->p, base) >= 0; c->p++) {
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(*c->p, base), &v))
			return false;
	}
	*ret = v;
	return c->p > from;
}

/* "audit(SECONDS.MILLISECONDS:SERIAL):" */
static bool head(struct cursor *c, struct kernel_record *r)
{
	uint64_t seconds, ms;

	if (!skip(c, "audit(") || !number(c, 10, &seconds) || !skip(c, ".") ||
	    !number(c, 10, &ms) || !skip(c, ":") || !number(c, 10, &r->serial) || !skip(c, "):"))
		return false;
	if (seconds > INT64_MAX / 1000 - 1 || ms > 999)
		return false;
	r->time_ms = (int64_t)(seconds * 1000 + ms);
	return true;
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static void blanks(struct cursor *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
}

static struct kernel_text word(struct cursor *c)
{
	const char *from = c->p;

	while (c->p < c->end && *c->p != ' ')
		c->p++;
	return (struct kernel_text){ from, (size_t)(c->p - from) };
}

/* Behind the '='. A quoted value ends at the next quote: the kernel puts nothing with a quote in it
 * between quotes. */
static bool value(struct cursor *c, struct kernel_field *f)
{
	const char *close;

	if (c->p >= c->end || *c->p != '"') {
		f->value = word(c);
		return true;
	}
	close = memchr(c->p + 1, '"', (size_t)(c->end - c->p - 1));
	if (!close)
		return false;
	f->quoted = true;
	f->value = (struct kernel_text){ c->p + 1, (size_t)(close - c->p - 1) };
	c->p = close + 1;
	return c->p == c->end || *c->p == ' ';
}

/* "avc:  denied  { read open } for  pid=1 ...": words between fields are passed over, but for the
 * braces. */
static bool one(struct cursor *c, struct kernel_record *r)
{
	struct kernel_field f = { .quoted = false };
	const char *from = c->p, *brace;

	if (*c->p == '{') {
		brace = memchr(c->p, '}', (size_t)(c->end - c->p));
		if (!brace)
			return false;
		if (!r->access.p)
			r->access = (struct kernel_text){ c->p + 1, (size_t)(brace - c->p - 1) };
		c->p = brace + 1;
		return true;
	}
	while (c->p < c->end && is_key_char(*c->p))
		c->p++;
	if (c->p == from || c->p >= c->end || *c->p != '=') {
		(void)word(c);
		return true;
	}
	f.key = (struct kernel_text){ from, (size_t)(c->p - from) };
	c->p++;
	if (!value(c, &f))
		return false;
	if (r->n < KERNEL_FIELDS)
		r->field[r->n++] = f;
	return true;
}

/* --- meaning ------------------------------------------------------------------------------- */

static bool has_word(const char *text, size_t len, const char *want)
{
	return len >= strlen(want) && memcmp(text, want, strlen(want)) == 0;
}

static bool is_refusal(uint64_t code)
{
	switch ((uint32_t)code & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
		return true;
	default: /* LOG lets it pass; USER_NOTIF is answered, and told, by a supervisor */
		return false;
	}
}

/* body: behind the head and one blank. */
static void judge(struct kernel_record *r, const char *body, size_t len)
{
	const struct kernel_field *first;
	uint64_t n;

	switch (r->type) {
	case KERNEL_TYPE_LSM:
		first = kernel_record_get(r, "apparmor");
		if (first) {
			r->mechanism = KERNEL_APPARMOR;
			r->denial = kernel_field_is(first, "DENIED") ||
				    kernel_field_is(first, "KILLED");
		} else if (has_word(body, len, "avc:  denied  {")) {
			r->mechanism = KERNEL_SELINUX;
			r->denial = kernel_record_number(r, "permissive", 10, &n) < 0 || n == 0;
		}
		break;
	case KERNEL_TYPE_LANDLOCK:
		r->mechanism = KERNEL_LANDLOCK;
		r->denial = kernel_record_get(r, "domain") && kernel_record_get(r, "blockers");
		break;
	case KERNEL_TYPE_SECCOMP:
		r->mechanism = KERNEL_SECCOMP;
		first = kernel_record_get(r, "code");
		if (first && has_word(first->value.p, first->value.len, "0x")) {
			struct cursor c = { first->value.p + 2, first->value.p + first->value.len };

			r->denial = number(&c, 16, &n) && c.p == c.end && n <= UINT32_MAX &&
				    is_refusal(n);
		}
		break;
	default:
		break;
	}
}

int kernel_record_parse(unsigned type, const char *text, size_t len, struct kernel_record *ret)
{
	struct cursor c = { text, text + len };
	const char *body;

	/* The fields are left as they are: n says how many of them count. */
	ret->type = type;
	ret->time_ms = 0;
	ret->serial = 0;
	ret->denial = false;
	ret->mechanism = _KERNEL_MECHANISM_MAX;
	ret->access = (struct kernel_text){ NULL, 0 };
	ret->n = 0;
	if (len > KERNEL_RECORD_MAX || !head(&c, ret))
		return -EINVAL;
	blanks(&c);
	for (body = c.p; c.p < c.end; blanks(&c)) {
		if (!one(&c, ret))
			return -EINVAL;
	}
	judge(ret, body, (size_t)(c.end - body));
	return 0;
}

/* --- values -------------------------------------------------------------------------------- */

static bool text_is(const struct kernel_text *t, const char *want)
{
	return t->len == strlen(want) && memcmp(t->p, want, t->len) == 0;
}

bool kernel_field_is(const struct kernel_field *field, const char *text)
{
	return field && text_is(&field->value, text);
}

const struct kernel_field *kernel_record_get(const struct kernel_record *record, const char *key)
{
	for (size_t i = 0; i < record->n; i++) {
		if (text_is(&record->field[i].key, key))
			return &record->field[i];
	}
	return NULL;
}

int kernel_record_number(const struct kernel_record *record, const char *key, unsigned base,
			 uint64_t *ret)
{
	const struct kernel_field *f = kernel_record_get(record, key);
	struct cursor c;
	uint64_t v;

	if (!f)
		return -ENOENT;
	c = (struct cursor){ f->value.p, f->value.p + f->value.len };
	if (f->quoted || !number(&c, base, &v) || c.p != c.end)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* What the kernel writes by audit_log_untrustedstring(): hex digits without quotes are its way to
 * write bytes. Of other keys "12" is a number. */
static bool is_untrusted(const struct kernel_field *f)
{
	static const char *const keys[] = { "comm",  "exe",    "name",	    "path",	"profile",
					    "label", "target", "srcname",   "peer",	"addr",
					    "ocomm", "dev",    "peer_addr", "namespace" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_is(&f->key, keys[i]))
			return true;
	}
	return false;
}

static bool is_hex(const struct kernel_text *t)
{
	for (size_t i = 0; i < t->len; i++) {
		if (digit_of(t->p[i], 16) < 0)
			return false;
	}
	return t->len > 0 && t->len % 2 == 0;
}

size_t kernel_field_bytes(const struct kernel_field *field, char *buf, size_t cap, bool *ret_whole)
{
	const struct kernel_text *t = &field->value;
	bool hex = !field->quoted && is_untrusted(field) && is_hex(t);
	size_t len = hex ? t->len / 2 : t->len, n = len < cap ? len : cap;

	if (ret_whole)
		*ret_whole = n == len;
	if (!field->quoted && (text_is(t, "?") || text_is(t, "(null)")))
		return 0;
	for (size_t i = 0; i < n; i++)
		buf[i] =
			hex ? (char)(digit_of(t->p[2 * i], 16) << 4 | digit_of(t->p[2 * i + 1], 16))
			    : t->p[i];
	return n;
}
