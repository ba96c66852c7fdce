// SPDX-License-Identifier: Apache-2.0
#include "audit/export.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "audit/render.h"
#include "audit/stamp.h"

enum { TEXT_MAX = 4096 };

const char export_csv_head[] = "time,sandbox,seq,type,policy,digest,mechanism,call,nr,abi,"
			       "arguments,answer,rule,comm,exe,pid,pid_outside,uid,count\r\n";

static bool is_exported(const struct recorded *record)
{
	return record->type == RECORDED_DENIAL || record->type == RECORDED_SUMMARY ||
	       record->type == RECORDED_LOST;
}

/* --- CSV ----------------------------------------------------------------------------------- */

static int put_cell(struct buf *out, const char *text, bool last)
{
	bool quoted = strpbrk(text, ",\"\r\n'") != NULL;
	bool formula = text[0] && strchr("=+-@\t\r", text[0]);
	int r = buf_puts(out, quoted || formula ? "\"" : "");

	r = r ? r : buf_puts(out, formula ? "'" : "");
	while (*text && r == 0) {
		size_t n = strcspn(text, "\"");

		r = buf_put(out, text, n);
		text += n;
		if (*text && r == 0) {
			r = buf_puts(out, "\"\"");
			text++;
		}
	}
	r = r ? r : buf_puts(out, quoted || formula ? "\"" : "");
	return r ? r : buf_puts(out, last ? "\r\n" : ",");
}

static int put_text_cell(struct buf *out, const struct scan *value)
{
	char text[TEXT_MAX];
	struct render r;

	render_init(&r, text, sizeof(text));
	if (value->len)
		render_string(&r, value, sizeof(text));
	return put_cell(out, text, false);
}

static int put_number_cell(struct buf *out, bool known, uint64_t value)
{
	char text[24] = "";

	if (known)
		(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return put_cell(out, text, false);
}

static int put_call_cells(struct buf *out, const struct recorded *record)
{
	char text[TEXT_MAX];
	struct render r;
	int n = put_cell(out, record->call ? record->call->name : "", false);

	n = n ? n : put_number_cell(out, record->has_call && record->nr >= 0, (uint32_t)record->nr);
	n = n ? n : put_cell(out, record->has_call ? abi_name(record->abi) : "", false);
	render_init(&r, text, sizeof(text));
	(void)render_args(&r, &record->record);
	n = n ? n : put_cell(out, text, false);
	render_init(&r, text, sizeof(text));
	if (record->has_answer)
		render_answer(&r, &record->record);
	return n ? n : put_cell(out, text, false);
}

int export_csv(struct buf *out, const struct recorded *record)
{
	const struct scan *const before[] = { &record->policy, &record->digest,
					      &record->mechanism };
	const struct scan *const behind[] = { &record->rule, &record->comm, &record->exe };
	char count[24];
	int r;

	if (!is_exported(record))
		return 0;
	r = put_text_cell(out, &record->time);
	r = r ? r : put_text_cell(out, &record->sandbox);
	r = r ? r : put_number_cell(out, record->seq > 0, record->seq);
	r = r ? r : put_text_cell(out, &record->name);
	for (size_t i = 0; i < ARRAY_SIZE(before) && r == 0; i++)
		r = put_text_cell(out, before[i]);
	r = r ? r : put_call_cells(out, record);
	for (size_t i = 0; i < ARRAY_SIZE(behind) && r == 0; i++)
		r = put_text_cell(out, behind[i]);
	r = r ? r : put_number_cell(out, record->has_pid, record->pid);
	r = r ? r : put_number_cell(out, record->has_pid_outside, record->pid_outside);
	r = r ? r : put_number_cell(out, record->has_uid, record->uid);
	(void)snprintf(count, sizeof(count), "%" PRIu64, record->count);
	return r ? r : put_cell(out, count, true);
}

/* --- the kernel's audit form --------------------------------------------------------------- */

/* kernel/audit.c, audit_string_contains_control(): what is shown in quotes and what in hex. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] < 0x21 || text[i] > 0x7e)
			return false;
	}
	return true;
}

static int put_untrusted(struct buf *out, const char *key, const struct scan *value)
{
	char text[TEXT_MAX];
	size_t len = recorded_unescape(text, scan_string(value, text, sizeof(text)));
	int r;

	if (!value->len)
		return buf_printf(out, " %s=(null)", key);
	if (is_plain(text, len))
		return buf_printf(out, " %s=\"%.*s\"", key, (int)len, text);
	r = buf_printf(out, " %s=", key);
	for (size_t i = 0; i < len && r == 0; i++)
		r = buf_printf(out, "%02X", (unsigned char)text[i]);
	return r;
}

/* SECCOMP_RET_DATA is the errno. */
static unsigned code_of(const struct recorded *record)
{
	return record->kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | record->errno_value;
}

static uint32_t id_of(bool known, uint64_t id)
{
	return known && id <= UINT32_MAX ? (uint32_t)id : UINT32_MAX;
}

int export_ausearch(struct buf *out, const struct recorded *record)
{
	char time[STAMP_TEXT];
	int64_t ns = 0;
	int r;

	/* A line without a call is none of the kernel's: sums of several calls, and what is lost.
	 */
	if (!is_exported(record) || !record->has_call || record->nr < 0)
		return 0;
	(void)scan_string(&record->time, time, sizeof(time));
	if (stamp_parse(time, &ns) < 0 || ns < 0)
		ns = 0;
	r = buf_printf(out,
		       "type=SECCOMP msg=audit(%" PRId64 ".%03" PRId64 ":%" PRIu64
		       "): auid=4294967295 uid=%u gid=4294967295 ses=4294967295 pid=%" PRIu64,
		       ns / 1000000000, ns / 1000000 % 1000, record->seq,
		       id_of(record->has_uid, record->uid),
		       record->has_pid_outside ? record->pid_outside : 0);
	r = r ? r : put_untrusted(out, "comm", &record->comm);
	r = r ? r : put_untrusted(out, "exe", &record->exe);
	r = r ? r
	      : buf_printf(out, " sig=%d arch=%x syscall=%u compat=%d ip=0x0 code=0x%x",
			   record->kill ? SIGSYS : 0, abi_audit_arch(record->abi),
			   (uint32_t)record->nr | (record->abi == ABI_X32 ? X32_SYSCALL_BIT : 0U),
			   record->abi == ABI_I386, code_of(record));
	r = r ? r : put_untrusted(out, "sandbox", &record->sandbox);
	r = r ? r : put_untrusted(out, "rule", &record->rule);
	return r ? r : buf_printf(out, " count=%" PRIu64 "\n", record->count);
}
