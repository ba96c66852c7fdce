// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "policies/spell.h"

/* --- from a record ------------------------------------------------------------------------- */

/* A path that a policy can name: of shown characters, normal, and without what is a variable there.
 */
static bool take_path(const struct recorded *record, struct audit_wish *ret)
{
	size_t len;

	if (!record->path.len || record->path.len >= sizeof(ret->text))
		return false;
	len = scan_string(&record->path, ret->text, sizeof(ret->text));
	len = recorded_unescape(ret->text, len);
	ret->text[len] = '\0';
	if (strlen(ret->text) != len || strchr(ret->text, '$') || !path_is_normal(ret->text))
		return false;
	for (size_t i = 0; i < len;) {
		size_t n = text_utf8_len((const unsigned char *)ret->text + i, len - i);

		if (!text_is_shown((const unsigned char *)ret->text + i, n))
			return false;
		i += n;
	}
	ret->kind = WISH_PATH;
	ret->path.path = ret->text;
	return true;
}

/* What Landlock calls making, removing and renaming is told of the directory. */
static enum policy_path_verb landlock_verb(const struct scan *access)
{
	enum policy_path_verb verb = POLICY_PATH_READ;
	struct scan_iter iter;
	struct scan value;

	for (scan_begin(access, &iter); scan_next(&iter, NULL, &value);) {
		if (scan_is(&value, "execute") && verb == POLICY_PATH_READ)
			verb = POLICY_PATH_EXEC;
		else if (!scan_is(&value, "execute") && !scan_is(&value, "read_file") &&
			 !scan_is(&value, "read_dir"))
			verb = POLICY_PATH_WRITE;
	}
	return verb;
}

/* AppArmor's letters: r, and k for a lock; x, and m for a mapping; the others change something. */
static enum policy_path_verb apparmor_verb(const struct scan *access)
{
	char text[32];
	struct scan_iter iter;
	struct scan value;

	scan_begin(access, &iter);
	if (!scan_next(&iter, NULL, &value))
		return POLICY_PATH_READ;
	(void)scan_string(&value, text, sizeof(text));
	if (strpbrk(text, "wacdl"))
		return POLICY_PATH_WRITE;
	return strpbrk(text, "xm") ? POLICY_PATH_EXEC : POLICY_PATH_READ;
}

static bool take_port(const struct recorded *record, struct audit_wish *ret)
{
	static const struct {
		const char *access;
		enum policy_port_direction direction;
		enum policy_port_protocol protocol;
		const char *field;
	} ports[] = {
		{ "connect_tcp", POLICY_PORT_CONNECT, POLICY_PORT_TCP, "dest" },
		{ "bind_tcp", POLICY_PORT_BIND, POLICY_PORT_TCP, "src" },
		{ "connect_send_udp", POLICY_PORT_CONNECT, POLICY_PORT_UDP, "dest" },
		{ "bind_udp", POLICY_PORT_BIND, POLICY_PORT_UDP, "src" },
	};
	char text[8];
	struct scan_iter iter;
	struct scan access;
	uint64_t port;

	scan_begin(&record->access, &iter);
	if (!scan_next(&iter, NULL, &access))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		if (!scan_is(&access, ports[i].access) ||
		    !scan_get_string(&record->fields, ports[i].field, text, sizeof(text)) ||
		    text_parse_u64(text, &port) < 0 || port == 0 || port > UINT16_MAX)
			continue;
		ret->kind = WISH_PORT;
		ret->port =
			(struct policy_port){ .direction = (uint8_t)ports[i].direction,
					      .protocol = (uint8_t)ports[i].protocol,
					      .families = POLICY_FAMILY_INET | POLICY_FAMILY_INET6,
					      .first = (uint16_t)port,
					      .last = (uint16_t)port };
		return true;
	}
	return false;
}

void audit_wish_of(const struct recorded *record, struct audit_wish *ret)
{
	ret->kind = WISH_NONE;
	ret->path = (struct policy_path){ .verb = POLICY_PATH_READ };
	if (!record->by_kernel || record->access.kind != SCAN_ARRAY || !record->access.len)
		return;
	if (scan_is(&record->mechanism, "landlock") && scan_is(&record->operation, "net")) {
		(void)take_port(record, ret);
	} else if (scan_is(&record->mechanism, "landlock") && take_path(record, ret)) {
		ret->path.verb = (uint8_t)landlock_verb(&record->access);
	} else if (scan_is(&record->mechanism, "apparmor") && take_path(record, ret)) {
		ret->path.verb = (uint8_t)apparmor_verb(&record->access);
	}
}

int audit_wish_spell(struct buf *out, const struct audit_wish *wish)
{
	return wish->kind == WISH_PORT ? spell_port(out, &wish->port)
				       : spell_path(out, &wish->path);
}

/* --- by a policy --------------------------------------------------------------------------- */

static const char *lookup(const char *name, void *context)
{
	(void)context;
	return getenv(name);
}

static bool gives_port(const struct policy *policy, const struct policy_port *wanted)
{
	bool closed = false;

	for (size_t i = 0; i < policy->n_ports; i++) {
		const struct policy_port *p = &policy->ports[i];

		if (p->direction != wanted->direction)
			continue;
		closed = true;
		if (p->protocol == wanted->protocol && p->first <= wanted->first &&
		    p->last >= wanted->last)
			return true;
	}
	return !closed;
}

enum audit_wish_stand audit_wish_judge(const struct policy *policy, const struct audit_wish *wish,
				       const struct policy_path **ret_line)
{
	static char cwd[LIMIT_PATH];
	const char *home = getenv("HOME");
	const struct path_vars vars = {
		.home = home && home[0] == '/' ? home : NULL,
		.pwd = getcwd(cwd, sizeof(cwd)) ? cwd : NULL,
		.lookup = lookup,
	};

	*ret_line = NULL;
	if (wish->kind == WISH_PORT)
		return gives_port(policy, &wish->port) ? WISH_GIVEN : WISH_CLOSED;
	if (path_rule_allows(policy, &vars, wish->path.path, (enum policy_path_verb)wish->path.verb,
			     ret_line))
		return WISH_GIVEN;
	return *ret_line && (*ret_line)->verb == POLICY_PATH_HIDE ? WISH_HIDDEN : WISH_CLOSED;
}
