// SPDX-License-Identifier: Apache-2.0
/* The bodies that speak of denials by the kernel itself, made of its own records. */
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "audit/format.h"
#include "audit/names.h"
#include "audit/stamp.h"
#include "base/fd.h"
#include "base/json.h"
#include "policies/syscall.h"

static const char *const joined_names[_COLLECTED_BY_MAX] = {
	[COLLECTED_BY_DOMAIN] = "domain",
	[COLLECTED_BY_PID] = "pid",
	[COLLECTED_BY_PARENT] = "parent",
	[COLLECTED_BY_UID] = "uid",
};

/* Which of the record's keys stand where in ours. What is in no row is put into "fields". */
struct place {
	const char *key;
	const char *to; /* NULL: told otherwise, or of no use */
};
static const struct place places_apparmor[] = {
	{ "comm", "comm" }, { "exe", "exe" },	     { "operation", "operation" },
	{ "name", "path" }, { "profile", "label" },  { "apparmor", NULL },
	{ "pid", NULL },    { "denied_mask", NULL }, { "capname", NULL },
	{ NULL, NULL },
};
static const struct place places_selinux[] = {
	{ "comm", "comm" },	 { "exe", "exe" }, { "tclass", "operation" }, { "path", "path" },
	{ "scontext", "label" }, { "pid", NULL },  { "permissive", NULL },    { NULL, NULL },
};
static const struct place places_landlock[] = {
	{ "path", "path" },
	{ "blockers", NULL },
	{ NULL, NULL },
};
static const struct place places_seccomp[] = {
	{ "comm", "comm" }, { "exe", "exe" },	 { "subj", "label" }, { "pid", NULL },
	{ "uid", NULL },    { "gid", NULL },	 { "auid", NULL },    { "ses", NULL },
	{ "arch", NULL },   { "syscall", NULL }, { "ip", NULL },      { NULL, NULL },
};
static const struct place *const places[_KERNEL_MECHANISM_MAX] = {
	[KERNEL_APPARMOR] = places_apparmor,
	[KERNEL_SELINUX] = places_selinux,
	[KERNEL_LANDLOCK] = places_landlock,
	[KERNEL_SECCOMP] = places_seccomp,
};

static const struct place *place_of(const struct kernel_record *record, size_t i)
{
	const struct kernel_text *key = &record->field[i].key;

	for (const struct place *p = places[record->mechanism]; p->key; p++) {
		if (strlen(p->key) == key->len && memcmp(p->key, key->p, key->len) == 0)
			return p;
	}
	return NULL;
}

/* --- what was asked for -------------------------------------------------------------------- */

/* The kernel's words are few, short and of letters: what is not is not its own. */
static void put_word(char *ret, size_t size, const struct kernel_text *t)
{
	size_t n = t->len < size ? t->len : size - 1;

	for (size_t i = 0; i < n; i++) {
		char c = t->p[i];

		ret[i] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
					 (c >= '0' && c <= '9') || c == '_' || c == '-'
				 ? c
				 : '?';
	}
	ret[n] = '\0';
}

/* Landlock's "fs.read_file,fs.refer": the part before the dot, and those behind. */
static struct kernel_text blockers(const struct kernel_record *record)
{
	const struct kernel_field *f = kernel_record_get(record, "blockers");

	return f ? f->value : (struct kernel_text){ "", 0 };
}

void format_kernel_operation(const struct kernel_record *record, char ret[FORMAT_OPERATION])
{
	const struct kernel_field *f = NULL;
	struct kernel_text t = { "", 0 };
	const char *dot;

	switch (record->mechanism) {
	case KERNEL_APPARMOR:
		f = kernel_record_get(record, "operation");
		break;
	case KERNEL_SELINUX:
		f = kernel_record_get(record, "tclass");
		break;
	case KERNEL_LANDLOCK:
		t = blockers(record);
		dot = memchr(t.p, '.', t.len);
		if (dot)
			t.len = (size_t)(dot - t.p);
		break;
	case KERNEL_SECCOMP:
		t = (struct kernel_text){ "syscall", 7 };
		break;
	case _KERNEL_MECHANISM_MAX:
	default:
		break;
	}
	put_word(ret, FORMAT_OPERATION, f ? &f->value : &t);
	if (!ret[0])
		(void)snprintf(ret, FORMAT_OPERATION, "?");
}

static void put_access_of(struct json *j, struct kernel_text list, const char *between)
{
	while (list.len > 0) {
		struct kernel_text item = { list.p, 0 };
		char word[FORMAT_OPERATION];
		const char *dot;

		while (item.len < list.len && !strchr(between, list.p[item.len]))
			item.len++;
		list.p += item.len < list.len ? item.len + 1 : item.len;
		list.len -= item.len < list.len ? item.len + 1 : item.len;
		dot = item.len ? memchr(item.p, '.', item.len) : NULL;
		if (dot) {
			item.len -= (size_t)(dot + 1 - item.p);
			item.p = dot + 1;
		}
		put_word(word, sizeof(word), &item);
		if (word[0])
			json_string(j, NULL, word);
	}
}

static void put_access(struct json *j, const struct kernel_record *record)
{
	static const char *const keys[] = { "denied_mask", "capname" };

	if (record->mechanism == KERNEL_SECCOMP)
		return;
	json_array(j, "access");
	if (record->mechanism == KERNEL_SELINUX)
		put_access_of(j, record->access, " ");
	else if (record->mechanism == KERNEL_LANDLOCK)
		put_access_of(j, blockers(record), ",");
	for (size_t i = 0; i < ARRAY_SIZE(keys) && record->mechanism == KERNEL_APPARMOR; i++) {
		const struct kernel_field *f = kernel_record_get(record, keys[i]);

		if (f)
			put_access_of(j, f->value, " ,");
	}
	json_array_end(j);
}

/* --- who, what, how ------------------------------------------------------------------------ */

/* False: it was cut. */
static bool put_bytes(struct json *j, const char *key, const struct kernel_field *f, size_t max)
{
	char text[4096];
	bool whole;
	size_t n = kernel_field_bytes(f, text, max < sizeof(text) ? max : sizeof(text), &whole);

	if (n > 0 || f->value.len == 0)
		json_bytes(j, key, text, n);
	return whole;
}

static void put_process(struct json *j, const struct format_kernel *k)
{
	uint64_t n;

	if (k->pid > 0)
		json_u64(j, "pid", k->pid);
	if (kernel_record_number(k->record, "pid", 10, &n) == 0 && n <= INT32_MAX)
		json_u64(j, "pid_outside", n);
	if (kernel_record_number(k->record, "uid", 10, &n) == 0 ||
	    kernel_record_number(k->record, "fsuid", 10, &n) == 0)
		json_u64(j, "uid", n);
}

static bool put_promoted(struct json *j, const struct kernel_record *record, size_t max)
{
	bool whole = true;

	for (const struct place *p = places[record->mechanism]; p->key; p++) {
		const struct kernel_field *f = kernel_record_get(record, p->key);

		if (p->to && strcmp(p->to, "operation") != 0 && f)
			whole = put_bytes(j, p->to, f, max) && whole;
	}
	return whole;
}

static bool put_fields(struct json *j, const struct kernel_record *record, size_t max)
{
	bool whole = true;

	json_object(j, "fields");
	for (size_t i = 0; i < record->n; i++) {
		const struct kernel_field *f = &record->field[i];
		const struct place *p = place_of(record, i);
		char key[FORMAT_OPERATION];

		/* A second one of the same name says nothing that the first does not. */
		if (p)
			continue;
		put_word(key, sizeof(key), &f->key);
		if (kernel_record_get(record, key) == f)
			whole = put_bytes(j, key, f, max) && whole;
	}
	json_object_end(j);
	return whole;
}

bool format_kernel_call(const struct kernel_record *record, enum abi *ret_abi, int32_t *ret_nr)
{
	uint64_t arch, number;

	return record->mechanism == KERNEL_SECCOMP &&
	       kernel_record_number(record, "arch", 16, &arch) == 0 && arch <= UINT32_MAX &&
	       kernel_record_number(record, "syscall", 10, &number) == 0 && number <= UINT32_MAX &&
	       abi_from_audit_arch((uint32_t)arch, (uint32_t)number, ret_abi, ret_nr) == 0;
}

static void put_syscall(struct json *j, const struct kernel_record *record)
{
	const struct syscall_desc *desc;
	enum abi abi;
	int32_t nr;

	if (!format_kernel_call(record, &abi, &nr))
		return;
	desc = syscall_by_nr(abi, nr);
	json_object(j, "syscall");
	json_string(j, "name", desc ? desc->name : NULL);
	json_i64(j, "nr", nr);
	json_string(j, "abi", abi_name(abi));
	json_object_end(j);
}

bool format_kernel_kills(const struct kernel_record *record)
{
	const struct kernel_field *f = kernel_record_get(record, "code");

	if (record->mechanism == KERNEL_APPARMOR)
		return kernel_field_is(kernel_record_get(record, "apparmor"), "KILLED");
	return record->mechanism == KERNEL_SECCOMP &&
	       (kernel_field_is(f, "0x80000000") || kernel_field_is(f, "0x0"));
}

/* Only where the kernel says it. Of an errno it says that it is one (kernel/seccomp.c,
 * seccomp_log() has the action without its data). */
static void put_answer(struct json *j, const struct kernel_record *record, unsigned errno_value)
{
	const struct kernel_field *f = kernel_record_get(record, "code");
	unsigned code = 0;
	char name[24];

	if (format_kernel_kills(record)) {
		json_object(j, "answer");
		json_bool(j, "kill", true);
		json_object_end(j);
		return;
	}
	if (record->mechanism != KERNEL_SECCOMP || !f || f->value.len > 10)
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)f->value.len, f->value.p);
	if (sscanf(name, "0x%8x", &code) != 1 ||
	    (code & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return;
	code = code & SECCOMP_RET_DATA ? code & SECCOMP_RET_DATA : errno_value;
	if (code == 0)
		return;
	json_object(j, "answer");
	json_string(j, "errno", names_errno(code < 4096 ? code : 4095, name, sizeof(name)));
	json_u64(j, "nr", code < 4096 ? code : 4095);
	json_object_end(j);
}

static void begin(struct json *j, char *buf, size_t cap, const char *type,
		  const struct format_id *id)
{
	(void)format_begin(j, buf, cap, type, id->sandbox);
	json_string(j, "policy", id->policy);
}

size_t format_kernel_denial(char *buf, size_t cap, const struct format_id *id,
			    const struct format_kernel *k)
{
	static const size_t max[] = { 4096, 1024, 64 };
	const struct kernel_record *record = k->record;
	char text[STAMP_TEXT], operation[FORMAT_OPERATION];
	struct json j, before;
	bool whole;

	begin(&j, buf, cap, "denial", id);
	json_string(&j, "digest", id->digest);
	json_string(&j, "mechanism", kernel_mechanism_name(record->mechanism));
	json_string(&j, "joined", joined_names[k->joined < _COLLECTED_BY_MAX ? k->joined : 0]);
	stamp_spell(record->time_ms < INT64_MAX / 1000000 ? record->time_ms * 1000000 : 0, text);
	json_object(&j, "kernel");
	json_u64(&j, "type", record->type);
	json_u64(&j, "serial", record->serial);
	json_string(&j, "time", text);
	json_object_end(&j);
	put_process(&j, k);
	format_kernel_operation(record, operation);
	json_string(&j, "operation", operation);
	put_access(&j, record);
	put_syscall(&j, record);
	put_answer(&j, record, k->errno_value);
	before = j;
	for (size_t i = 0; i < ARRAY_SIZE(max); i++) {
		j = before;
		whole = put_promoted(&j, record, max[i]);
		whole = put_fields(&j, record, max[i] / 8) && whole;
		if (!j.overflow && j.len < cap - 256)
			break;
	}
	if (!whole)
		json_string(&j, "note", "too long to be shown");
	json_u64(&j, "count", 1);
	json_object_end(&j);
	return json_finish(&j);
}

size_t format_kernel_summary(char *buf, size_t cap, const struct format_id *id,
			     const struct format_kernel_sum *sum)
{
	char first[STAMP_TEXT], last[STAMP_TEXT];
	struct stamp now;
	struct json j;

	stamp_now(&now);
	stamp_spell(now.wall_ns - (int64_t)sum->first_ago_ms * 1000000, first);
	stamp_spell(now.wall_ns - (int64_t)sum->last_ago_ms * 1000000, last);
	begin(&j, buf, cap, "summary", id);
	json_string(&j, "digest", id->digest);
	json_string(&j, "mechanism", kernel_mechanism_name(sum->mechanism));
	if (sum->operation)
		json_string(&j, "operation", sum->operation);
	else
		json_string(&j, "note",
			    "not taken in time from the collector: only their number is known");
	json_string(&j, "first", first);
	json_string(&j, "last", last);
	json_u64(&j, "count", sum->count);
	json_object_end(&j);
	return json_finish(&j);
}

size_t format_kernel_event(char *buf, size_t cap, const struct format_id *id, const char *event,
			   uint64_t events, uint64_t unjoined, const char *text)
{
	struct json j;

	begin(&j, buf, cap, "kernel", id);
	json_string(&j, "event", event);
	json_u64(&j, "events", events);
	json_u64(&j, "unjoined", unjoined);
	json_string(&j, "text", text);
	json_object_end(&j);
	return json_finish(&j);
}
