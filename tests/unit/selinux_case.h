// SPDX-License-Identifier: Apache-2.0
/* Policies of kinds, and how to load them, for the tests of the SELinux module. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "policies/load.h"
#include "profiles/selinux.h"

#define BASE "use default\n"

struct selinux_case {
	const char *name, *text;
};

static const struct selinux_case selinux_cases[] = {
	{ "web", BASE "net bind tcp 80\nnet bind tcp 443\nnet connect tcp 8000-9000\n"
		      "read /etc/nginx /etc/ssl/private /var/www\nwrite /var/log/nginx\n"
		      "cap CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID\n" },
	{ "db", BASE "write /var/lib/postgresql\nread /etc/postgresql\nnet bind tcp 5432\n" },
	{ "resolver", BASE "net connect udp 53\nnet connect tcp 53\n" },
	{ "host-net", BASE "net host\nwrite $PWD\n" },
	{ "no-net", BASE "net none\n" },
	{ "v4", BASE "net connect tcp4 443\nnet bind udp6 5000-5999\n" },
	{ "all-ports", BASE "net connect tcp any\nnet bind tcp any\nnet bind udp any\n" },
	{ "secrets", BASE "read ~/.ssh ~/.gnupg\nwrite ~/.cache ~/.config/git\n" },
	{ "shadow", BASE "read /etc/shadow\n" },
	{ "write-all", "use base-libc\nwrite /\n" },
	{ "git", BASE "read ~/.gitconfig ~/.config/git\nwrite $PWD\nnet connect tcp 22\n" },
	{ "one-program", "use base-libc\nexec /usr/bin/git /usr/bin/ls\nexec /usr/lib\n" },
	{ "hides", "use process\nexec /usr\nhide /usr/bin/su /usr/bin/ls /usr/share/fonts\n"
		   "read /etc\nhide /etc/ssl\n" },
	{ "memory", "use process\nexec /usr\ntmpfs /tmp /var/tmp ~\n" },
	{ "empty", "allow read write exit_group\n" },
	{ "traces", BASE "remove deny ptrace\nallow ptrace\n" },
	{ "kernel-friend", BASE "remove deny bpf perf_event_open userfaultfd io_uring_setup\n"
				"remove deny add_key request_key keyctl\n"
				"allow bpf perf_event_open userfaultfd io_uring_setup\n"
				"allow add_key request_key keyctl\n" },
	{ "secret-memory", BASE "remove deny memfd_secret\nallow memfd_secret\n" },
	{ "nested", BASE "remove deny unshare mount\nallow unshare mount\n"
			 "cap CAP_SYS_ADMIN CAP_CHOWN CAP_BPF CAP_CHECKPOINT_RESTORE\n" },
	{ "no-jit", BASE "deny mmap if prot & PROT_EXEC != 0 and prot & PROT_WRITE != 0\n" },
	{ "no-unix", "use process\nallow socket if domain == AF_INET\nnet host\nexec /usr\n" },
	{ "var", BASE "write ${STATE:-/var/lib/x}/data\nread /srv /opt/tool /run/x /sys\n" },
	{ "A_b-3", "use process\nread? /boot /mnt/disk /media\nexec /opt\n" },
};
enum { SELINUX_CASES = sizeof(selinux_cases) / sizeof(selinux_cases[0]) };

static const char *const selinux_shipped[] = { "base-libc", "process", "default",
					       "build",	    "session", "strict" };
enum { SELINUX_SHIPPED = sizeof(selinux_shipped) / sizeof(selinux_shipped[0]) };

static struct policy *selinux_load(const char *name, const char *text)
{
	static const char *const dirs[] = { "policies/library" };
	const struct policy_search search = { .dirs = dirs, .n_dirs = 1, .native = ABI_NATIVE };
	struct policy_diags diags = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	struct policy *policy = NULL;
	char whole[4096], file[80];
	int r;

	if (text) {
		(void)snprintf(whole, sizeof(whole), "policy %s\n%s", name, text);
		(void)snprintf(file, sizeof(file), "%s.policy", name);
		r = policy_load_text(file, whole, strlen(whole), &search, &policy, &diags, &err);
	} else {
		r = policy_load(name, &search, &policy, &diags, &err);
	}
	if (r < 0)
		fprintf(stderr, "# %s: %s\n%s", name, err.msg,
			diags.text.data ? diags.text.data : "");
	policy_diags_done(&diags);
	return policy;
}
