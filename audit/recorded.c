// SPDX-License-Identifier: Apache-2.0
#include "audit/recorded.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "0x1f": a register as the writer spells it. */
static int read_register(const struct scan *value, uint64_t *ret)
{
	const char *p = value->p + 1;
	size_t len = value->len;
	uint64_t v = 0;

	if (value->kind != SCAN_STRING || len < 5 || len > 20 || p[0] != '0' || p[1] != 'x')
		return -EINVAL;
	for (size_t i = 2; i < len - 2; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -EINVAL;
		v = v << 4 | (unsigned)digit;
	}
	*ret = v;
	return 0;
}

static unsigned read_args(const struct scan *list, uint64_t ret[6])
{
	struct scan_iter iter;
	struct scan value;
	unsigned n = 0;

	if (list->kind != SCAN_ARRAY)
		return 0;
	for (scan_begin(list, &iter); n < 6 && scan_next(&iter, NULL, &value); n++) {
		if (read_register(&value, &ret[n]) < 0)
			return 0;
	}
	return n;
}

/* The number decides; a name beside it that is another call's was put there by somebody else. */
static void read_call(const struct scan *object, struct recorded *r)
{
	struct scan_iter iter;
	struct scan key, value, name = { .len = 0 };
	bool has_abi = false, has_nr = false;
	char text[16];
	uint64_t nr;

	if (object->kind != SCAN_OBJECT)
		return;
	for (scan_begin(object, &iter); scan_next(&iter, &key, &value);) {
		if (scan_is(&key, "name") && !name.len) {
			name = value;
		} else if (scan_is(&key, "abi") && !has_abi) {
			(void)scan_string(&value, text, sizeof(text));
			has_abi = strcmp(text, "native") != 0 && abi_from_name(text, &r->abi) == 0;
		} else if (scan_is(&key, "nr") && !has_nr) {
			has_nr = scan_u64(&value, &nr) == 0 && nr <= INT32_MAX;
			r->nr = has_nr ? (int32_t)nr : -1;
		}
	}
	if (!has_abi)
		return;
	r->call = has_nr ? syscall_by_nr(r->abi, r->nr) : NULL;
	r->has_call =
		r->call ? scan_is(&name, r->call->name) : name.len == 0 || name.kind == SCAN_NULL;
	if (!r->has_call)
		r->call = NULL;
}

static void read_answer(const struct scan *object, struct recorded *r)
{
	struct scan value;
	uint64_t nr;

	r->kill = scan_get(object, "kill", &value) && value.kind == SCAN_TRUE;
	if (!r->kill && scan_get_u64(object, "nr", &nr) == 0 && nr > 0 && nr < 4096)
		r->errno_value = (uint16_t)nr;
	r->has_answer = r->kill || r->errno_value;
}

static enum recorded_type type_of(const struct scan *name)
{
	static const char *const names[] = { "", "open", "denial", "summary", "lost", "close" };

	for (unsigned i = 1; i < ARRAY_SIZE(names); i++) {
		if (scan_is(name, names[i]))
			return (enum recorded_type)i;
	}
	return RECORDED_OTHER;
}

/* Of members with the same name the first counts, for every reader alike. */
static bool put_text(struct recorded *r, const struct scan *key, const struct scan *value)
{
	const struct {
		const char *key;
		struct scan *to;
	} texts[] = {
		{ "type", &r->name },	    { "time", &r->time },
		{ "sandbox", &r->sandbox }, { "policy", &r->policy },
		{ "digest", &r->digest },   { "mechanism", &r->mechanism },
		{ "comm", &r->comm },	    { "exe", &r->exe },
		{ "rule", &r->rule },	    { "operation", &r->operation },
		{ "path", &r->path },	    { "label", &r->label },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!scan_is(key, texts[i].key))
			continue;
		if (value->kind == SCAN_STRING && !texts[i].to->len)
			*texts[i].to = *value;
		return true;
	}
	return false;
}

static void finish(struct recorded *r, const struct scan *args, const struct scan *lost)
{
	unsigned n = args->len ? read_args(args, r->args) : 0;

	r->type = type_of(&r->name);
	r->by_kernel = r->by_kernel || r->operation.len;
	r->by_seccomp = scan_is(&r->mechanism, "seccomp") && !r->by_kernel;
	r->has_args = r->has_call && args->len && n >= (r->call ? r->call->n_args : 6U);
	if (r->type == RECORDED_LOST && (!lost->len || scan_u64(lost, &r->count) < 0))
		r->count = 0;
	if (r->type == RECORDED_DENIAL && r->count == 0)
		r->count = 1;
}

int recorded_read(const char *line, size_t len, struct recorded *ret)
{
	struct scan key, value, args = { .len = 0 }, lost = { .len = 0 };
	struct scan_iter iter;
	struct recorded r = { .nr = -1 };

	if (!line || scan_text(line, len, &r.record) < 0 || r.record.kind != SCAN_OBJECT)
		return -EINVAL;
	for (scan_begin(&r.record, &iter); scan_next(&iter, &key, &value);) {
		if (put_text(&r, &key, &value))
			continue;
		if (scan_is(&key, "args") && !args.len)
			args = value;
		else if (scan_is(&key, "syscall") && !r.has_call)
			read_call(&value, &r);
		else if (scan_is(&key, "answer") && !r.has_answer)
			read_answer(&value, &r);
		else if (scan_is(&key, "decoded") && !r.decoded.len && value.kind == SCAN_OBJECT)
			r.decoded = value;
		else if (scan_is(&key, "kernel"))
			r.by_kernel = true;
		else if (scan_is(&key, "access") && !r.access.len && value.kind == SCAN_ARRAY)
			r.access = value;
		else if (scan_is(&key, "fields") && !r.fields.len && value.kind == SCAN_OBJECT)
			r.fields = value;
		else if (scan_is(&key, "count") && !r.count)
			(void)scan_u64(&value, &r.count);
		else if (scan_is(&key, "seq") && !r.seq)
			(void)scan_u64(&value, &r.seq);
		else if (scan_is(&key, "pid") && !r.has_pid)
			r.has_pid = scan_u64(&value, &r.pid) == 0;
		else if (scan_is(&key, "pid_outside") && !r.has_pid_outside)
			r.has_pid_outside = scan_u64(&value, &r.pid_outside) == 0;
		else if (scan_is(&key, "uid") && !r.has_uid)
			r.has_uid = scan_u64(&value, &r.uid) == 0;
		else if (scan_is(&key, "denials") && !lost.len)
			lost = value;
	}
	if (!r.name.len)
		return -EINVAL;
	finish(&r, &args, &lost);
	*ret = r;
	return 0;
}

size_t recorded_unescape(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; n++) {
		if (text[i] == '\\' && len - i > 1 && text[i + 1] == '\\') {
			text[n] = '\\';
			i += 2;
		} else if (text[i] == '\\' && len - i > 3 && text[i + 1] == 'x' &&
			   hex_digit(text[i + 2]) >= 0 && hex_digit(text[i + 3]) >= 0) {
			text[n] = (char)(hex_digit(text[i + 2]) << 4 | hex_digit(text[i + 3]));
			i += 4;
		} else {
			text[n] = text[i++];
		}
	}
	return n;
}

bool recorded_path(const struct recorded *record, unsigned arg, char *buf, size_t cap)
{
	struct scan object, value, cut;
	size_t len;

	if (!record->call || arg >= record->call->n_args || cap < 2 || !record->decoded.len ||
	    !scan_get(&record->decoded, record->call->args[arg].name, &object) ||
	    !scan_get(&object, "path_as_read", &value) || scan_get(&object, "length", &cut) ||
	    value.kind != SCAN_STRING || value.len >= cap)
		return false;
	len = recorded_unescape(buf, scan_string(&value, buf, cap));
	buf[len] = '\0';
	return len > 0 && strlen(buf) == len;
}
