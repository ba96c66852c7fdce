// SPDX-License-Identifier: Apache-2.0
/* net connect, net bind: which ports of which protocol. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policies/part.h"

int parse_port_direction(const char *word, enum policy_port_direction *ret)
{
	if (strcmp(word, "connect") == 0)
		*ret = POLICY_PORT_CONNECT;
	else if (strcmp(word, "bind") == 0)
		*ret = POLICY_PORT_BIND;
	else
		return -EINVAL;
	return 0;
}

static const struct {
	const char *name;
	uint8_t protocol, families;
} protocols[] = {
	{ "tcp", POLICY_PORT_TCP, POLICY_FAMILY_INET | POLICY_FAMILY_INET6 },
	{ "tcp4", POLICY_PORT_TCP, POLICY_FAMILY_INET },
	{ "tcp6", POLICY_PORT_TCP, POLICY_FAMILY_INET6 },
	{ "udp", POLICY_PORT_UDP, POLICY_FAMILY_INET | POLICY_FAMILY_INET6 },
	{ "udp4", POLICY_PORT_UDP, POLICY_FAMILY_INET },
	{ "udp6", POLICY_PORT_UDP, POLICY_FAMILY_INET6 },
};

int parse_port_protocol(const char *word, struct policy_port *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(word, protocols[i].name) == 0) {
			ret->protocol = protocols[i].protocol;
			ret->families = protocols[i].families;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_number(const char *text, size_t len, uint16_t *ret)
{
	char copy[8];
	uint64_t value = 0;

	if (len == 0 || len >= sizeof(copy) || strspn(text, "0123456789") < len)
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	/* "010" is ten to everybody who writes ports, and eight to a parser of C's numbers */
	if ((len > 1 && copy[0] == '0') || text_parse_u64(copy, &value) < 0 || value > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)value;
	return 0;
}

static int parse_one(struct parser *p, size_t i, struct policy_port *port)
{
	const char *text = p->line->words[i].text;
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);

	port->where = word_at(p, i);
	if (strcmp(text, "any") == 0) {
		port->first = 0;
		port->last = UINT16_MAX;
		return 0;
	}
	if (parse_number(text, len, &port->first) < 0 ||
	    (dash && parse_number(dash + 1, strlen(dash + 1), &port->last) < 0)) {
		diag_error(p->d, word_at(p, i), "'%s' is no port", quote(text).text);
		diag_hint(p->d, "0 to 65535, a range as in 8000-8080, or any");
		return -EINVAL;
	}
	if (!dash)
		port->last = port->first;
	if (port->last < port->first) {
		diag_error(p->d, word_at(p, i), "the range is empty");
		return -EINVAL;
	}
	return 0;
}

int parse_ports(struct parser *p, size_t first, enum policy_port_direction direction,
		struct policy_port **ret_list, size_t *ret_n)
{
	struct policy_port port = { .direction = (uint8_t)direction };
	struct suggestion s;
	int r = 0;

	if (first >= p->line->n) {
		diag_error(p->d, word_at(p, first), "a protocol and a port are missing");
		diag_hint(p->d, "as in: net connect tcp 443");
		return -EINVAL;
	}
	if (parse_port_protocol(p->line->words[first].text, &port) < 0) {
		s = suggest_begin(p->line->words[first].text);
		diag_error(p->d, word_at(p, first),
			   "'%s' is no protocol: tcp, tcp4, tcp6, udp, "
			   "udp4 or udp6",
			   quote(p->line->words[first].text).text);
		for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
			suggest_offer(&s, protocols[i].name);
		suggest_end(p->d, &s);
		return -EINVAL;
	}
	if (first + 1 >= p->line->n) {
		diag_error(p->d, word_at(p, first + 1), "a port is missing");
		diag_hint(p->d, "a number, a range as in 8000-8080, or any");
		return -EINVAL;
	}
	for (size_t i = first + 1; i < p->line->n; i++) {
		if (parse_one(p, i, &port) < 0) {
			r = -EINVAL;
			continue;
		}
		if (*ret_n == LIMIT_BINDS) {
			diag_error(p->d, word_at(p, i), "more than %d ports", LIMIT_BINDS);
			return -EINVAL;
		}
		if (list_grow(ret_list, *ret_n, sizeof(**ret_list)) < 0)
			return -ENOMEM;
		(*ret_list)[(*ret_n)++] = port;
	}
	return r;
}

int parse_net_ports(struct parser *p, enum policy_port_direction direction)
{
	return parse_ports(p, 2, direction, &p->part->ports, &p->part->n_ports);
}

static int add_removal(struct parser *p, const struct part_remove *removal)
{
	struct part *part = p->part;

	if (part->n_removes == LIMIT_POLICY_RULES) {
		diag_error(p->d, removal->where, "more than %d removals", LIMIT_POLICY_RULES);
		return -EINVAL;
	}
	if (list_grow(&part->removes, part->n_removes, sizeof(*part->removes)) < 0)
		return -ENOMEM;
	part->removes[part->n_removes++] = *removal;
	return 0;
}

/* remove net connect [PROTOCOL [PORT...]] */
int parse_remove_port(struct parser *p)
{
	struct part_remove removal = { .what = REMOVE_PORT };
	enum policy_port_direction direction = POLICY_PORT_CONNECT;
	_cleanup_free_ struct policy_port *list = NULL;
	size_t n = 0;
	int r;

	if (p->line->n < 3 || parse_port_direction(p->line->words[2].text, &direction) < 0) {
		diag_error(p->d, word_at(p, 2), "'connect' or 'bind' is missing");
		diag_hint(p->d, "the line `net none|loopback|host` is replaced by saying it here");
		return -EINVAL;
	}
	removal.port.direction = (uint8_t)direction;
	removal.n_port = (uint8_t)(p->line->n > 4 ? 3 : p->line->n - 2);
	removal.where = word_at(p, p->line->n > 3 ? 3 : 2);
	if (removal.n_port == 1)
		return add_removal(p, &removal);
	if (removal.n_port == 2 && parse_port_protocol(p->line->words[3].text, &removal.port) == 0)
		return add_removal(p, &removal);
	r = parse_ports(p, 3, direction, &list, &n);
	for (size_t i = 0; i < n && r == 0; i++) {
		removal.port = list[i];
		removal.where = list[i].where;
		r = add_removal(p, &removal);
	}
	return r;
}
