// SPDX-License-Identifier: Apache-2.0
/* What `cordon run` says at the end: of the log, what could not be written; with -v, what was
 * refused, on one screen, and where all of it is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/names.h"
#include "audit/place.h"
#include "audit/render.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/run.h"

static const char *call_name(const struct audit_kind *kind, char *buf, size_t size)
{
	const struct syscall_desc *call = kind->nr >= 0 ? syscall_by_nr(kind->abi, kind->nr) : NULL;

	if (call)
		return call->name;
	(void)snprintf(buf, size, kind->nr >= 0 ? "call %d" : "no call", (int)kind->nr);
	return buf;
}

static void say_call(const struct audit_kind *kind)
{
	static const char *const reasons[] = { "rule", "default", "kernel", "abi" };
	const char *slash = kind->file ? strrchr(kind->file, '/') : NULL;
	char name[24], answer[24], rule[256];
	struct render r;

	render_init(&r, rule, sizeof(rule));
	if (kind->file) {
		const char *file = slash ? slash + 1 : kind->file;

		render_bytes(&r, file, strlen(file), 128);
		(void)snprintf(name, sizeof(name), ":%u", kind->line);
		render_text(&r, name);
	} else {
		render_text(&r, reasons[kind->reason & 3]);
	}
	(void)fprintf(stderr, "cordon: %9" PRIu64 "  %-24s %-12s %s%s%s\n", kind->count,
		      call_name(kind, name, sizeof(name)),
		      kind->kill ? "kill" : names_errno(kind->errno_value, answer, sizeof(answer)),
		      rule, kind->abi != ABI_NATIVE ? "  on " : "",
		      kind->abi != ABI_NATIVE ? abi_name(kind->abi) : "");
}

/* "1.5 GiB". */
static const char *spell_bytes(uint64_t bytes, char ret[24])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths = bytes * 10;
	size_t unit = 0;

	if (bytes > UINT64_MAX / 10)
		tenths = UINT64_MAX;
	while (tenths >= 10240 && unit + 1 < ARRAY_SIZE(units)) {
		tenths /= 1024;
		unit++;
	}
	if (unit == 0)
		(void)snprintf(ret, 24, "%" PRIu64 " B", bytes);
	else
		(void)snprintf(ret, 24, "%" PRIu64 ".%u %s", tenths / 10, (unsigned)(tenths % 10),
			       units[unit]);
	return ret;
}

static void put_bytes(struct buf *line, const char *before, uint64_t bytes, const char *behind)
{
	char text[24];

	if (bytes != AUDIT_UNKNOWN)
		(void)buf_printf(line, "%s%s%s", before, spell_bytes(bytes, text), behind);
}

void run_usage(const struct audit_usage *u)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	if (u->cpu_usec == AUDIT_UNKNOWN)
		return;
	(void)buf_printf(&line, "cpu %.3f s (%.3f user, %.3f system)", (double)u->cpu_usec / 1e6,
			 (double)u->user_usec / 1e6, (double)u->system_usec / 1e6);
	put_bytes(&line, ", memory ", u->memory_peak, " at most");
	put_bytes(&line, u->memory_peak != AUDIT_UNKNOWN ? ", " : ", memory ", u->max_rss,
		  " in the largest process");
	put_bytes(&line, ", io ", u->read_bytes, " read");
	put_bytes(&line, ", ", u->write_bytes, " written");
	if (u->pids_peak != AUDIT_UNKNOWN)
		(void)buf_printf(&line, ", %" PRIu64 " processes at most", u->pids_peak);
	if (u->oom_kills != AUDIT_UNKNOWN && u->oom_kills > 0)
		(void)buf_printf(&line, ", %" PRIu64 " killed for want of memory", u->oom_kills);
	if (line.data)
		(void)fprintf(stderr, "cordon: used %s; as %s counts\n", line.data,
			      u->by_cgroup ? "the cgroup" : "wait4");
}

static void say_kind(const struct audit_kind *kind)
{
	/* The kernel's own: no call of a policy's. */
	if (kind->mechanism) {
		(void)fprintf(stderr, "cordon: %9" PRIu64 "  %s %s%s\n", kind->count,
			      kind->mechanism, kind->operation, kind->kill ? "  kill" : "");
		return;
	}
	say_call(kind);
}

/* The file that was written, if one was. */
static const char *log_file(const struct run_options *o, char *buf, size_t size)
{
	struct err none = ERR_INIT;

	for (size_t i = 0; i < o->n_sinks; i++) {
		if (text_starts_with(o->sinks[i], "file:"))
			return o->sinks[i] + 5;
	}
	return o->n_sinks == 0 && place_default(buf, size, &none) == 0 ? buf : NULL;
}

void run_losses(const struct audit_totals *totals)
{
	char name[1024], why[24];
	struct render r;

	for (size_t i = 0; i < totals->n_loss; i++) {
		const struct audit_loss *loss = &totals->loss[i];

		render_init(&r, name, sizeof(name));
		render_bytes(&r, loss->sink, strlen(loss->sink), sizeof(name));
		(void)fprintf(stderr,
			      "cordon: %" PRIu64 " audit records (%" PRIu64
			      " denials) could not be "
			      "written to %s (%s)%s; the policy was enforced\n",
			      loss->records, loss->denials, name,
			      names_errno((unsigned)-loss->why, why, sizeof(why)),
			      loss->told ? ", which it says itself" : "");
	}
}

void run_summary(const struct plan *plan, const struct run_options *o,
		 const struct audit_totals *totals)
{
	char place[LIMIT_PATH], safe[1024];
	const char *log = log_file(o, place, sizeof(place));
	uint64_t shown = 0;
	struct render r;

	if (totals->denials == 0) {
		(void)fprintf(stderr, "cordon: nothing was denied\n");
		return;
	}
	(void)fprintf(stderr, "cordon: %" PRIu64 " calls were denied\n", totals->denials);
	for (size_t i = 0; i < totals->n_top; i++) {
		say_kind(&totals->top[i]);
		shown += totals->top[i].count;
	}
	if (shown < totals->denials)
		(void)fprintf(stderr, "cordon: %9" PRIu64 "  of other kinds\n",
			      totals->denials - shown);
	if (!log)
		return;
	render_init(&r, safe, sizeof(safe));
	render_bytes(&r, log, strlen(log), sizeof(safe));
	(void)fprintf(stderr,
		      "cordon: the log is %s; 'cordon audit show --sandbox %s%s%s' has all of it\n",
		      safe, plan->id, o->n_sinks ? " " : "", o->n_sinks ? safe : "");
}
