// SPDX-License-Identifier: Apache-2.0
/* Paths: what the host runs later, what holds secrets, what could be written and then executed. */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "policies/lint_find.h"
#include "policies/path_rule.h"

/* A home that stands for anybody's, and a working directory below it like any other. */
#define HOME "/home/user"
static const struct path_vars somebody = { .home = HOME, .pwd = HOME "/src/project" };

struct place {
	const char *path;
	const char *why;
};

/* Written by the payload, these are read or run by programs outside: as the caller, or as root. */
static const struct place run_outside[] = {
	{ HOME "/.bashrc", "the caller's next shell runs it" },
	{ HOME "/.profile", "the caller's next login runs it" },
	{ HOME "/.zshrc", "the caller's next shell runs it" },
	{ HOME "/.ssh/authorized_keys", "it lets others log in as the caller" },
	{ HOME "/.ssh/config", "ssh runs the commands in it" },
	{ HOME "/.gitconfig", "git runs the commands in it" },
	{ HOME "/.vimrc", "vim runs it" },
	{ HOME "/.config/autostart/x.desktop", "the caller's next session runs it" },
	{ HOME "/.config/systemd/user/x.service", "the caller's service manager runs it" },
	{ HOME "/.local/bin/x", "it is in the caller's PATH" },
	{ HOME "/bin/x", "it is in the caller's PATH" },
	{ "/etc/passwd", "it says who is root" },
	{ "/etc/cron.d/x", "cron runs it" },
	{ "/etc/ld.so.preload", "every program loads it" },
	{ "/var/spool/cron/crontabs/x", "cron runs it" },
	{ "/usr/bin/x", "everybody runs it" },
	{ "/usr/lib/x", "everybody loads it" },
	{ "/usr/local/bin/x", "everybody runs it" },
	{ "/boot/x", "the machine starts from it" },
	{ "/lib/x", "everybody loads it" },
	{ "/opt/x", "everybody runs it" },
	{ "/root/.bashrc", "root's next shell runs it" },
};

static const struct place secrets[] = {
	{ HOME "/.ssh/id_ed25519", "the caller's keys" },
	{ HOME "/.gnupg/private-keys-v1.d", "the caller's keys" },
	{ HOME "/.aws/credentials", "access to the caller's machines" },
	{ HOME "/.config/gcloud", "access to the caller's machines" },
	{ HOME "/.kube/config", "access to the caller's clusters" },
	{ HOME "/.docker/config.json", "registry passwords" },
	{ HOME "/.netrc", "passwords" },
	{ HOME "/.git-credentials", "passwords" },
	{ HOME "/.npmrc", "a publishing token" },
	{ HOME "/.pypirc", "a publishing token" },
	{ HOME "/.cargo/credentials.toml", "a publishing token" },
	{ HOME "/.mozilla", "a browser's cookies and passwords" },
	{ HOME "/.config/google-chrome", "a browser's cookies and passwords" },
	{ HOME "/.local/share/keyrings", "the session's passwords" },
	{ HOME "/.bash_history", "what was typed, passwords among it" },
	{ "/etc/shadow", "everybody's password hashes" },
	{ "/etc/ssl/private", "the machine's keys" },
	{ "/etc/ssh/ssh_host_ed25519_key", "the machine's keys" },
	{ "/root/.ssh", "root's keys" },
};

/* Findings by line: the places behind the first are counted. */
static void look_at_places(struct linter *l, const struct place *places, size_t n,
			   enum policy_path_verb verb, const char *id, const char *what,
			   const char *instead)
{
	for (size_t line = 0; line < l->policy->n_paths; line++) {
		const struct place *first = NULL;
		unsigned more = 0;
		bool at_home;

		for (size_t i = 0; i < n; i++) {
			const struct policy_path *by = NULL;

			if (!path_rule_allows(l->policy, &somebody, places[i].path, verb, &by) ||
			    by != &l->policy->paths[line] || by->verb == POLICY_PATH_TMPFS)
				continue;
			if (!first)
				first = &places[i];
			else
				more++;
		}
		if (!first)
			continue;
		at_home = path_is_within(first->path, HOME);
		lint_add(l, id, LINT_WARNING, l->policy->paths[line].where, instead,
			 more ? "%s %s%s: %s (and %u places like it)" : "%s %s%s: %s", what,
			 at_home ? "~" : "", first->path + (at_home ? strlen(HOME) : 0), first->why,
			 more);
	}
}

/* What is written must not be what is executed. */
static void look_at_write_exec(struct linter *l, const struct policy_path *line)
{
	const struct policy_path *by;
	char place[LIMIT_PATH];

	if (line->verb != POLICY_PATH_WRITE ||
	    path_rule_expand(line, &somebody, place, sizeof(place)) < 0 ||
	    !path_rule_allows(l->policy, &somebody, place, POLICY_PATH_EXEC, &by) ||
	    by->verb == POLICY_PATH_TMPFS)
		return;
	lint_add(l, "CP703", LINT_WARNING, line->where,
		 "write to one tree and execute from another",
		 "%s can be written and executed: what is dropped there runs", line->path);
}

static void look_at_hide(struct linter *l, const struct policy_path *line)
{
	char place[LIMIT_PATH], other[LIMIT_PATH];

	if (line->verb != POLICY_PATH_HIDE ||
	    path_rule_expand(line, &somebody, place, sizeof(place)) < 0)
		return;
	for (size_t i = 0; i < l->policy->n_paths; i++) {
		const struct policy_path *p = &l->policy->paths[i];

		if (p->verb != POLICY_PATH_HIDE &&
		    path_rule_expand(p, &somebody, other, sizeof(other)) == 0 &&
		    path_is_within(place, other))
			return;
	}
	lint_add(l, "CP704", LINT_WARNING, line->where, "take the line out",
		 "%s is hidden where nothing above it is shown: the line has no effect",
		 line->path);
}

void lint_view(struct linter *l)
{
	look_at_places(l, run_outside, ARRAY_SIZE(run_outside), POLICY_PATH_WRITE, "CP701",
		       "the payload writes to",
		       "write to one directory of its own, as in: write $PWD");
	look_at_places(l, secrets, ARRAY_SIZE(secrets), POLICY_PATH_READ, "CP702",
		       "the payload reads", "name what it needs, or hide that place");
	for (size_t i = 0; i < l->policy->n_paths; i++) {
		look_at_write_exec(l, &l->policy->paths[i]);
		look_at_hide(l, &l->policy->paths[i]);
	}
}
