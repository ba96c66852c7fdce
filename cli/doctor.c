// SPDX-License-Identifier: Apache-2.0
/* cordon doctor: what this host lets cordon do, and what to do where it does not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/verbs.h"
#include "sandbox/probe.h"

enum { EXIT_CANNOT_RUN = 1, MAX_PROBES = 64, JSON_BYTES = 64 * 1024 };

static const char *const level_names[] = {
	[PROBE_NEEDED] = "needed",
	[PROBE_WANTED] = "wanted",
	[PROBE_INFO] = "info",
};

static int doctor_json(const struct probe_result *results, size_t n, struct buf *out)
{
	_cleanup_free_ char *text = malloc(JSON_BYTES);
	struct json j;
	size_t i, len;

	if (!text)
		return -ENOMEM;
	json_init(&j, text, JSON_BYTES);
	json_array(&j, NULL);
	for (i = 0; i < n; i++) {
		const struct probe_result *p = &results[i];

		json_object(&j, NULL);
		json_string(&j, "id", p->id);
		json_string(&j, "name", p->name);
		json_string(&j, "level", level_names[p->level]);
		json_bool(&j, "have", p->have);
		json_i64(&j, "errno", p->error < 0 ? -p->error : 0);
		json_string(&j, "detail", p->detail);
		json_string(&j, "cost", p->have || !p->cost[0] ? NULL : p->cost);
		json_string(&j, "hint", p->hint[0] ? p->hint : NULL);
		json_object_end(&j);
	}
	json_array_end(&j);
	len = json_finish(&j);
	if (len == 0)
		return -EOVERFLOW;
	return buf_put(out, text, len) < 0 || buf_puts(out, "\n") < 0 ? -ENOMEM : 0;
}

/* Text that the host told us may hold anything, so all of it is escaped. */
static int put_line(struct buf *out, const char *before, const char *text)
{
	if (!text[0])
		return 0;
	return buf_puts(out, before) < 0 || text_escape(out, text, strlen(text)) < 0 ||
			       buf_puts(out, "\n") < 0
		       ? -ENOMEM
		       : 0;
}

static int doctor_text(const struct probe_result *results, size_t n, bool can_run, struct buf *out)
{
	size_t i, given_up = 0;
	char head[64];
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		const struct probe_result *p = &results[i];

		(void)snprintf(head, sizeof(head), "%-3s  %-38s", p->have ? "yes" : "no", p->name);
		r = p->detail[0] ? put_line(out, head, p->detail)
				 : buf_printf(out, "%-3s  %s\n", p->have ? "yes" : "no", p->name);
		if (p->have || r < 0)
			continue;
		given_up += p->level == PROBE_WANTED;
		r = put_line(out,
			     p->level == PROBE_INFO ? "       means: " : "       cost: ", p->cost);
		if (r == 0)
			r = put_line(out, "       hint: ", p->hint);
	}
	if (r < 0)
		return r;
	if (!can_run)
		return buf_puts(out, "cordon cannot run here\n");
	return given_up ? buf_printf(out, "cordon can run here, with %zu thing%s given up\n",
				     given_up, given_up == 1 ? "" : "s")
			: buf_puts(out, "cordon can run here\n");
}

static int usage(const char *word)
{
	struct err err = ERR_INIT;

	err_refuse(&err, "take '%s'", word);
	err_hint(&err, "usage: cordon doctor [--json]");
	print_error("doctor", &err);
	return EXIT_CORDON;
}

int cmd_doctor(int argc, char **argv)
{
	static struct probe_result results[MAX_PROBES];
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	bool json = false, can_run = true;
	size_t i, n = probe_count();
	int a, r;

	for (a = 1; a < argc; a++) {
		if (strcmp(argv[a], "--help") == 0) {
			(void)printf("usage: cordon doctor [--json]\n\nWhat this host lets cordon "
				     "do, and what "
				     "to do where it does not.\n");
			return 0;
		}
		if (strcmp(argv[a], "--json") != 0)
			return usage(argv[a]);
		json = true;
	}
	if (n > MAX_PROBES)
		n = MAX_PROBES;
	for (i = 0; i < n; i++) {
		probe_run(i, &results[i]);
		can_run = can_run && (results[i].have || results[i].level != PROBE_NEEDED);
	}
	r = json ? doctor_json(results, n, &out) : doctor_text(results, n, can_run, &out);
	if (r == 0)
		r = fd_write_all(1, out.data, out.len);
	if (r < 0) {
		err_set(&err, r, "print what was found");
		print_error("doctor", &err);
		return EXIT_CORDON;
	}
	return can_run ? 0 : EXIT_CANNOT_RUN;
}
