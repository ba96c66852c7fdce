// SPDX-License-Identifier: Apache-2.0
/*
 * A record of the kernel's audit, as the collector and the supervisor read it: a byte chooses the
 * type, the rest is the text. What it comes to must be a record that our readers take, of one line,
 * without a byte that drives a terminal. The collector's other texts, of /proc, are read from the
 * same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/format.h"
#include "audit/recorded.h"
#include "audit/render.h"
#include "collect/forks.h"
#include "collect/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool well)
{
	if (!well)
		abort();
}

static void as_record(const struct kernel_record *record)
{
	static const struct format_id id = { "0123456789abcdef", "fuzz", "0123456789ab" };
	static char body[FORMAT_BODY], line[4096];
	const struct format_kernel k = { record, record->serial % _COLLECTED_BY_MAX, 1,
					 (uint16_t)record->serial };
	size_t n = format_kernel_denial(body, sizeof(body), &id, &k);
	struct recorded recorded;

	must(n > 0 && n < sizeof(body));
	for (size_t i = 0; i < n; i++)
		must((unsigned char)body[i] >= 0x20 && body[i] != 0x7f);
	must(recorded_read(body, n, &recorded) == 0);
	must(recorded.type == RECORDED_DENIAL && recorded.by_kernel && !recorded.by_seccomp);
	must(recorded.count == 1 && recorded.operation.len > 2);
	must(render_line(body, n, false, line, sizeof(line)) > 0);
}

static void as_proc(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct process p = PROCESS_INIT;
	struct fork_event e;
	uint64_t ms;

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (process_parse_status(text, &p) == 0)
		must(p.depth > 0 && p.depth <= PROCESS_DEPTH && p.pid >= 0 && p.parent >= 0);
	(void)process_parse_started(text, 100, &ms);
	(void)process_parse_map(text, 1000);
	(void)process_parse_fdinfo(text);
	free(text);
	(void)forks_parse(data, size, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned types[] = { KERNEL_TYPE_LSM,     KERNEL_TYPE_LANDLOCK,
					  KERNEL_TYPE_SECCOMP, KERNEL_TYPE_DOMAIN,
					  KERNEL_TYPE_SYSCALL, KERNEL_TYPE_END };
	static struct kernel_record record;
	char bytes[300];
	uint64_t n;
	bool whole;

	if (size == 0)
		return 0;
	as_proc(data + 1, size - 1);
	if (kernel_record_parse(types[data[0] % 6], (const char *)data + 1, size - 1, &record) < 0)
		return 0;
	must(record.n <= KERNEL_FIELDS && record.time_ms >= 0);
	for (size_t i = 0; i < record.n; i++)
		must(kernel_field_bytes(&record.field[i], bytes, sizeof(bytes), &whole) <=
		     sizeof(bytes));
	(void)kernel_record_number(&record, "pid", 10, &n);
	(void)kernel_record_number(&record, "domain", 16, &n);
	if (record.denial)
		as_record(&record);
	return 0;
}
