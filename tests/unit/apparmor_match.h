// SPDX-License-Identifier: Apache-2.0
/*
 * The file rules of a generated profile, read back, and what they give on a path: AppArmor's
 * patterns as apparmor.d(5) describes them. Braces are expanded first, so that what is left is
 * matched by the plainest of all matchers.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "profiles/apparmor_tree.h"

struct rule {
	char *pattern; /* without braces */
	unsigned perms;
	bool deny;
};

struct rules {
	struct rule *rule;
	size_t n;
	const char *text;
};

/* One element at p: *ret_end behind it. */
static inline bool match_class(const char *p, unsigned char c, const char **ret_end)
{
	bool not = *++p == '^', found = false;

	p += not ;
	for (; *p != ']'; p++) {
		unsigned char one = (unsigned char)*p, last;

		if (*p == '\\' && p[1] == 'x') {
			char hex[3] = { p[2], p[3], '\0' };

			one = (unsigned char)strtoul(hex, NULL, 16);
			p += 3;
		} else if (*p == '\\') {
			one = (unsigned char)*++p;
		}
		last = one;
		if (p[1] == '-' && p[2] != ']') {
			last = (unsigned char)p[2];
			p += 2;
		}
		found = found || (c >= one && c <= last);
	}
	*ret_end = p + 1;
	return found != not ;
}

static inline bool match_pattern(const char *p, const char *path)
{
	for (; *p; path++) {
		const char *end = p + 1;

		if (p[0] == '*') {
			bool deep = p[1] == '*';
			const char *rest = p + 1 + deep;
			/* at the end of a name that has nothing else it must match something */
			bool some = p[-1] == '/' && (*rest == '\0' || *rest == '/');

			for (size_t n = 0;; n++) {
				if ((n > 0 || !some) && match_pattern(rest, path + n))
					return true;
				if (!path[n] || (!deep && path[n] == '/') ||
				    (n == 0 && some && path[0] == '/'))
					return false;
			}
		}
		if (*path == '\0')
			return false;
		if (p[0] == '[') {
			if (!match_class(p, (unsigned char)*path, &end))
				return false;
		} else if (p[0] == '?') {
			if (*path == '/')
				return false;
		} else {
			p += *p == '\\';
			if (*p != *path)
				return false;
			end = p + 1;
		}
		p = end;
	}
	return *path == '\0';
}

static inline size_t element_len(const char *p)
{
	size_t n = 1;

	if (*p == '\\')
		return 2;
	if (*p != '[')
		return 1;
	for (; p[n] != ']'; n++)
		n += p[n] == '\\';
	return n + 1;
}

static inline void add_rule(struct rules *rules, const char *pattern, unsigned perms, bool deny)
{
	const char *open = pattern, *close, *part;
	struct rule *grown;

	while (*open && *open != '{')
		open += element_len(open);
	if (!*open) {
		grown = reallocarray(rules->rule, rules->n + 1, sizeof(*grown));
		if (!grown)
			abort();
		rules->rule = grown;
		grown[rules->n++] =
			(struct rule){ .pattern = strdup(pattern), .perms = perms, .deny = deny };
		return;
	}
	for (close = open + 1; *close != '}'; close += element_len(close))
		;
	for (part = open + 1; part <= close; part++) {
		_cleanup_buf_ struct buf one = BUF_INIT;
		const char *begin = part;

		while (part < close && *part != ',')
			part += element_len(part);
		if (buf_put(&one, pattern, (size_t)(open - pattern)) < 0 ||
		    buf_put(&one, begin, (size_t)(part - begin)) < 0 ||
		    buf_puts(&one, close + 1) < 0)
			abort();
		add_rule(rules, one.data, perms, deny);
	}
}

static inline unsigned letters(const char *p)
{
	unsigned perms = 0;

	for (; *p && *p != ','; p++) {
		static const char *const order = "rwklmx";
		const char *at = strchr(order, *p);

		if (at)
			perms |= 1U << (at - order);
	}
	return perms;
}

static inline void rules_read(struct rules *rules, const char *text)
{
	*rules = (struct rules){ .text = text };
	for (const char *line = text; line; line = strchr(line, '\n')) {
		_cleanup_buf_ struct buf pattern = BUF_INIT;
		const char *end;
		bool deny;

		line += *line == '\n';
		deny = strncmp(line, "  audit deny \"", 14) == 0;
		if (!deny && strncmp(line, "  \"", 3) != 0)
			continue;
		line += deny ? 14 : 3;
		for (end = line; *end != '"'; end++)
			end += *end == '\\';
		if (buf_put(&pattern, line, (size_t)(end - line)) < 0)
			abort();
		line = end + 1;
		add_rule(rules, pattern.data, letters(line), deny);
	}
}

static inline unsigned rules_give(const struct rules *rules, const char *path)
{
	unsigned allowed = 0, denied = 0;

	for (size_t i = 0; i < rules->n; i++) {
		if (!match_pattern(rules->rule[i].pattern, path))
			continue;
		if (rules->rule[i].deny)
			denied |= rules->rule[i].perms;
		else
			allowed |= rules->rule[i].perms;
	}
	return allowed & ~denied;
}

static inline void rules_done(struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->rule[i].pattern);
	free(rules->rule);
}
