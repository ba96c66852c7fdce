// SPDX-License-Identifier: Apache-2.0
#include "policies/places.h"

#include "base/fd.h"

const struct path_vars places_vars = { .home = PLACES_HOME, .pwd = PLACES_HOME "/src/project" };

#define READS(weight, warn, path, why)                                                             \
	{                                                                                          \
		POLICY_PATH_READ, weight, warn, path, why                                          \
	}
#define WRITES(weight, warn, path, why)                                                            \
	{                                                                                          \
		POLICY_PATH_WRITE, weight, warn, path, why                                         \
	}
#define RUNS(weight, path, why)                                                                    \
	{                                                                                          \
		POLICY_PATH_EXEC, weight, false, path, why                                         \
	}
#define HOME PLACES_HOME

/* clang-format off */
static const struct place table[] = {
	/* Written by the payload, these are read or run by programs outside. */
	WRITES(8, true, HOME "/.bashrc", "the caller's next shell runs it"),
	WRITES(8, true, HOME "/.profile", "the caller's next login runs it"),
	WRITES(4, true, HOME "/.zshrc", "the caller's next shell runs it"),
	WRITES(8, true, HOME "/.ssh/authorized_keys", "it lets others log in as the caller"),
	WRITES(4, true, HOME "/.ssh/config", "ssh runs the commands in it"),
	WRITES(4, true, HOME "/.gitconfig", "git runs the commands in it"),
	WRITES(2, true, HOME "/.vimrc", "vim runs it"),
	WRITES(4, true, HOME "/.config/autostart/x.desktop", "the caller's next session runs it"),
	WRITES(4, true, HOME "/.config/systemd/user/x.service", "the service manager runs it"),
	WRITES(4, true, HOME "/.local/bin/x", "it is in the caller's PATH"),
	WRITES(4, true, HOME "/bin/x", "it is in the caller's PATH"),
	WRITES(10, true, "/etc/passwd", "it says who is root"),
	WRITES(10, true, "/etc/cron.d/x", "cron runs it"),
	WRITES(10, true, "/etc/ld.so.preload", "every program loads it"),
	WRITES(10, true, "/var/spool/cron/crontabs/x", "cron runs it"),
	WRITES(10, true, "/usr/bin/x", "everybody runs it"),
	WRITES(10, true, "/usr/lib/x", "everybody loads it"),
	WRITES(8, true, "/usr/local/bin/x", "everybody runs it"),
	WRITES(10, true, "/boot/x", "the machine starts from it"),
	WRITES(10, true, "/lib/x", "everybody loads it"),
	WRITES(6, true, "/opt/x", "everybody runs it"),
	WRITES(10, true, "/root/.bashrc", "root's next shell runs it"),
	WRITES(3, false, HOME "/src/project/x", "the working directory, which the caller uses"),
	WRITES(4, false, HOME "/x", "the caller's files"),
	WRITES(3, false, "/tmp/x", "other users' programs meet in it"),
	WRITES(3, false, "/var/tmp/x", "other users' programs meet in it"),
	WRITES(4, false, "/run/x", "services meet in it"),
	WRITES(3, false, "/srv/x", "the machine's data"),
	/* What is not for the payload. */
	READS(8, true, HOME "/.ssh/id_ed25519", "the caller's keys"),
	READS(8, true, HOME "/.gnupg/private-keys-v1.d", "the caller's keys"),
	READS(8, true, HOME "/.aws/credentials", "access to the caller's machines"),
	READS(4, true, HOME "/.config/gcloud", "access to the caller's machines"),
	READS(4, true, HOME "/.kube/config", "access to the caller's clusters"),
	READS(4, true, HOME "/.docker/config.json", "registry passwords"),
	READS(4, true, HOME "/.netrc", "passwords"),
	READS(4, true, HOME "/.git-credentials", "passwords"),
	READS(4, true, HOME "/.npmrc", "a publishing token"),
	READS(4, true, HOME "/.pypirc", "a publishing token"),
	READS(4, true, HOME "/.cargo/credentials.toml", "a publishing token"),
	READS(8, true, HOME "/.mozilla", "a browser's cookies and passwords"),
	READS(8, true, HOME "/.config/google-chrome", "a browser's cookies and passwords"),
	READS(4, true, HOME "/.local/share/keyrings", "the session's passwords"),
	READS(3, true, HOME "/.bash_history", "what was typed, passwords among it"),
	READS(8, true, "/etc/shadow", "everybody's password hashes"),
	READS(6, true, "/etc/ssl/private", "the machine's keys"),
	READS(6, true, "/etc/ssh/ssh_host_ed25519_key", "the machine's keys"),
	READS(8, true, "/root/.ssh", "root's keys"),
	READS(2, false, HOME "/src/project/x", "the working directory"),
	READS(4, false, HOME "/x", "the caller's files"),
	READS(1, false, "/etc/passwd", "who there is"),
	READS(1, false, "/etc/machine-id", "which machine this is"),
	READS(2, false, "/var/log/x", "what the machine did"),
	READS(2, false, "/var/lib/x", "services' data"),
	READS(3, false, "/run/x", "services' sockets"),
	READS(2, false, "/sys/x", "the machine's devices"),
	READS(1, false, "/boot/x", "the kernel's addresses"),
	READS(1, false, "/usr/x", "programs and libraries"),
	READS(2, false, "/srv/x", "the machine's data"),
	READS(2, false, "/tmp/x", "other users' files"),
	RUNS(2, "/usr/bin/x", "the machine's programs"),
	RUNS(1, "/usr/lib/x", "the machine's libraries and helpers"),
	RUNS(1, "/usr/local/bin/x", "the machine's own programs"),
	RUNS(1, "/opt/x", "added programs"),
	RUNS(2, HOME "/src/project/x", "what the working directory holds"),
	RUNS(2, HOME "/.local/bin/x", "the caller's programs"),
	RUNS(2, "/tmp/x", "what others put there"),
};
/* clang-format on */

const struct place *places_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(table);
	return table;
}

const struct policy_path *places_granted(const struct policy *policy, const struct place *place)
{
	const struct policy_path *by = NULL;

	if (!path_rule_allows(policy, &places_vars, place->path, (enum policy_path_verb)place->verb,
			      &by) ||
	    by->verb == POLICY_PATH_TMPFS)
		return NULL;
	return by;
}
