// SPDX-License-Identifier: Apache-2.0
/* Reading an attempt. The expect line has the same grammar, so its parser reads it. */
#include "policies/attempt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/path.h"
#include "base/text.h"
#include "policies/attempt_text.h"
#include "policies/part.h"

void attempt_done(struct attempt *attempt)
{
	for (unsigned i = 0; i < 6; i++)
		free(attempt->text[i]);
	*attempt = (struct attempt){ .call = NULL };
}

int attempt_text_resolve(struct attempt *a, unsigned i, size_t skip, const char *cwd)
{
	char normal[LIMIT_PATH];
	char *text;
	int r;

	/* An effect may point to it already. */
	if (path_is_normal(a->text[i] + skip))
		return 0;
	r = path_normalise(cwd, a->text[i] + skip, normal, sizeof(normal));
	if (r < 0)
		return r;
	if (asprintf(&text, "%.*s%s", (int)skip, a->text[i], normal) < 0)
		return -ENOMEM;
	free(a->text[i]);
	a->text[i] = text;
	return 0;
}

static int read_host(const char *text, size_t len, bool brackets, struct attempt_address *ret)
{
	char host[INET6_ADDRSTRLEN];

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	ret->family = brackets ? AF_INET6 : AF_INET;
	return inet_pton(ret->family, host, &ret->host) == 1 ? 0 : -EINVAL;
}

int attempt_text_address(const char *text, struct attempt_address *ret)
{
	struct attempt_address out = { .protocol = POLICY_PORT_TCP };
	const char *host, *colon;
	uint64_t port;
	bool brackets;

	if (text_starts_with(text, "unix:")) {
		out.family = AF_UNIX;
		out.path = text + strlen("unix:");
		if (out.path[0] == '\0' || (out.path[0] == '@' && out.path[1] == '\0'))
			return -EINVAL;
		*ret = out;
		return 0;
	}
	if (text_starts_with(text, "udp:"))
		out.protocol = POLICY_PORT_UDP;
	else if (!text_starts_with(text, "tcp:"))
		return -EINVAL;
	host = text + strlen("tcp:");
	colon = strrchr(host, ':');
	brackets = host[0] == '[';
	if (!colon || (brackets && (colon == host || colon[-1] != ']')) ||
	    read_host(host + brackets, (size_t)(colon - host) - 2 * (size_t)brackets, brackets,
		      &out) < 0 ||
	    text_parse_u64(colon + 1, &port) < 0 || port > UINT16_MAX)
		return -EINVAL;
	out.port = (uint16_t)port;
	*ret = out;
	return 0;
}

/* "?:1:14: there is no system call 'opn'" and a hint below, as a sentence of an error. */
static int refuse_as(const char *text, const struct policy_diags *diags, struct err *err)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;
	const char *message = diags->text.data ? diags->text.data : "", *hint;
	int r;

	for (unsigned colons = 0; colons < 3 && *message != '\0'; message++)
		colons += *message == ':';
	message += *message == ' ';
	if (text_escape(&safe, text, strlen(text)) < 0)
		return err_set(err, -ENOMEM, "read '%.100s'", "an attempt");
	r = err_refuse(err, "read '%.200s' as an attempt: %.*s", safe.data ? safe.data : "",
		       (int)strcspn(message, "\n"), message);
	hint = strstr(message, "hint: ");
	if (hint)
		(void)err_hint(err, "%.*s", (int)strcspn(hint + 6, "\n"), hint + 6);
	return r;
}

/* Into part: exactly one expectation, or a mistake in diags. */
static int read_expect(const char *text, struct part *part, struct policy_diags *diags)
{
	_cleanup_free_ struct line *line = malloc(sizeof(*line));
	_cleanup_buf_ struct buf whole = BUF_INIT;
	struct diag d = { .out = diags };
	struct parser p = {
		.part = part, .d = &d, .line = line, .where = { .line = 1, .column = 1 }
	};
	int r;

	if (!line || buf_puts(&whole, "expect allow ") < 0 || buf_puts(&whole, text) < 0)
		return -ENOMEM;
	if (whole.len > LIMIT_POLICY_LINE) {
		diag_error(&d, p.where, "it is longer than %d bytes", LIMIT_POLICY_LINE);
		return -EINVAL;
	}
	r = lex_line(whole.data, whole.len, p.where, line, &d);
	r = r ? r : parse_expect(&p);
	if (r == -ENOMEM || d.no_memory)
		return -ENOMEM;
	if (r == 0 && diags->n_errors == 0 && part->n_expects != 1) {
		diag_error(&d, p.where, "a call is missing");
		r = -EINVAL;
	}
	return diags->n_errors > 0 ? -EINVAL : r;
}

int attempt_parse(const char *text, enum abi abi, const char *cwd, struct attempt *ret,
		  struct err *err)
{
	__attribute__((
		cleanup(policy_diags_done))) struct policy_diags diags = { .text = BUF_INIT };
	__attribute__((cleanup(part_done))) struct part part = { .name = NULL };
	int r = read_expect(text, &part, &diags);

	if (r == -ENOMEM)
		return err_set(err, r, "read an attempt");
	if (r < 0)
		return refuse_as(text, &diags, err);
	return attempt_of_expect(&part.expects[0], abi, cwd, ret, err);
}

static int set_text(struct attempt *a, unsigned i, const char *text)
{
	a->text[i] = strdup(text);
	return a->text[i] ? 0 : -ENOMEM;
}

static int of_path(const struct policy_expect *e, struct attempt *a)
{
	if (e->verb == POLICY_PATH_EXEC) {
		a->call = syscall_by_name("execve");
		a->n_args = 1;
		return set_text(a, 0, e->path);
	}
	a->call = syscall_by_name("openat");
	a->n_args = 3;
	a->args[0] = (uint32_t)AT_FDCWD;
	a->args[2] = e->verb == POLICY_PATH_WRITE ? O_WRONLY : O_RDONLY;
	return set_text(a, 1, e->path);
}

static int of_port(const struct policy_expect *e, struct attempt *a)
{
	const struct policy_port *port = &e->port;
	char text[64];

	a->call = syscall_by_name(port->direction == POLICY_PORT_BIND ? "bind" : "connect");
	a->n_args = 2;
	a->args[0] = 3;
	(void)snprintf(text, sizeof(text), "%s:%s:%u",
		       port->protocol == POLICY_PORT_UDP ? "udp" : "tcp",
		       port->families == POLICY_FAMILY_INET6 ? "[::1]" : "127.0.0.1", port->first);
	return set_text(a, 1, text);
}

static int of_call(const struct policy_expect *e, struct attempt *a)
{
	int r = 0;

	a->call = e->call;
	a->n_args = e->n_args;
	memcpy(a->args, e->args, sizeof(a->args));
	for (unsigned i = 0; i < 6 && r == 0; i++) {
		if (e->text[i])
			r = set_text(a, i, e->text[i]);
	}
	return r;
}

/* The word that effects could not be found of. */
static int refuse_text(const struct attempt *a, int code, struct err *err)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;

	for (unsigned i = 0; i < 6 && code == -EINVAL; i++) {
		struct attempt_address address;

		if (!a->text[i] || a->call->args[i].kind != KIND_SOCKADDR ||
		    attempt_text_address(a->text[i], &address) == 0)
			continue;
		if (text_escape(&safe, a->text[i], strlen(a->text[i])) < 0)
			return err_set(err, -ENOMEM, "read an address");
		(void)err_refuse(err, "use '%.200s' as an address", safe.data ? safe.data : "");
		return err_hint(err, "as in tcp:192.0.2.1:443, udp:[2001:db8::1]:53, unix:/run/x "
				     "or unix:@name");
	}
	if (code == -ENAMETOOLONG)
		return err_refuse(err, "use a path of more than %d bytes with %s", LIMIT_PATH - 1,
				  a->call->name);
	return err_set(err, code, "read an attempt of %s", a->call->name);
}

int attempt_of_expect(const struct policy_expect *e, enum abi abi, const char *cwd,
		      struct attempt *ret, struct err *err)
{
	__attribute__((cleanup(attempt_done))) struct attempt a = { .abi = abi };
	int r;

	if (e->kind == POLICY_EXPECT_PATH && e->path[0] != '/')
		return err_refuse(err, "judge the path '%.400s': only a launch knows it", e->path);
	switch ((enum policy_expect_kind)e->kind) {
	case POLICY_EXPECT_PATH:
		r = of_path(e, &a);
		break;
	case POLICY_EXPECT_PORT:
		r = of_port(e, &a);
		break;
	case POLICY_EXPECT_CALL:
	case POLICY_EXPECT_SETTING:
	case POLICY_EXPECT_ENV:
	case POLICY_EXPECT_LABEL:
	default:
		r = of_call(e, &a);
		break;
	}
	if (r < 0)
		return err_set(err, r, "read an attempt");
	if (!a.call || a.call->nr[abi] < 0)
		return err_refuse(err, "call '%s' on %s: it is not there",
				  a.call ? a.call->name : "?", abi_name(abi));
	r = attempt_find_effects(&a, cwd);
	if (r < 0)
		return refuse_text(&a, r, err);
	*ret = a;
	a = (struct attempt){ .call = NULL }; /* handed over */
	return 0;
}
