// SPDX-License-Identifier: Apache-2.0
/*
 * Denials in the log stand in the order of the calls, and the probe makes no call but those asked
 * for: so each call takes the first record behind the last one taken that has its registers.
 */
#include "cli/policy_live_log.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum { MOST_LOG = 64 << 20 };

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *found = NULL;

	return o && json_object_object_get_ex(o, name, &found) ? found : NULL;
}

static bool is_denial(struct json_object *o)
{
	const char *type = json_object_get_string(member(o, "type"));

	return type && strcmp(type, "denial") == 0;
}

/* Its number and the registers of the arguments that the call has. */
static bool is_of(struct json_object *o, const struct live_call *c)
{
	struct json_object *args = member(o, "args");
	struct json_object *nr = member(member(o, "syscall"), "nr");
	size_t n = args ? json_object_array_length(args) : 0;

	if (!nr || json_object_get_int64(nr) != c->nr || n > 6)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(args, i));

		if (!text || strtoull(text, NULL, 16) != c->args[i])
			return false;
	}
	return true;
}

static void take(struct json_object *o, struct live_record *ret)
{
	struct json_object *answer = member(o, "answer");
	const char *rule = json_object_get_string(member(o, "rule"));

	ret->there = true;
	ret->kill = json_object_get_boolean(member(answer, "kill"));
	ret->errno_value = (uint16_t)json_object_get_int(member(answer, "nr"));
	(void)snprintf(ret->rule, sizeof(ret->rule), "%s", rule ? rule : "?");
}

static int match_line(const char *line, size_t len, struct live_call *calls, const size_t *made,
		      size_t n_made, size_t *at)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o = NULL;

	if (!tokener)
		return -ENOMEM;
	if (len < INT32_MAX)
		o = json_tokener_parse_ex(tokener, line, (int)len);
	if (o && is_denial(o)) {
		size_t i = *at;

		while (i < n_made && !is_of(o, &calls[made[i]]))
			i++;
		if (i < n_made) {
			take(o, &calls[made[i]].record);
			*at = i + 1;
		}
	}
	(void)json_object_put(o);
	json_tokener_free(tokener);
	return 0;
}

int live_log_match(int fd, struct live_call *calls, const size_t *made, size_t n_made,
		   struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len, at = 0;
	int r;

	/* The position is the writer's too, at the end. */
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "read the audit log of the sandbox");
	r = fd_read_all(fd, MOST_LOG, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the audit log of the sandbox");
	for (char *line = text; line < text + len && r == 0;) {
		char *end = memchr(line, '\n', (size_t)(text + len - line));

		end = end ? end : text + len;
		r = match_line(line, (size_t)(end - line), calls, made, n_made, &at);
		line = end + 1;
	}
	return r < 0 ? err_set(err, r, "read the audit log of the sandbox") : 0;
}
