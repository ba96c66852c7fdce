/* SPDX-License-Identifier: Apache-2.0 */
/* What attempts takes on before a call. Part of attempts.c. */
#pragma once

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_fprog program;
static int ruleset = -1;
static bool drop_caps;
static uint64_t kept_caps;
static char profile[256]; /* what is written to the kernel for it */
static const char *context;

static void read_program(const char *path)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, insns, sizeof(insns));

	if (n <= 0 || (size_t)n % sizeof(insns[0]) != 0)
		fail(path);
	close(fd);
	program = (struct sock_fprog){ .len = (unsigned short)((size_t)n / sizeof(insns[0])),
				       .filter = insns };
}

static void add_path(uint64_t rights, const char *place)
{
	struct {
		uint64_t allowed;
		int32_t fd;
	} __attribute__((packed)) rule = { rights, open(place, O_PATH | O_CLOEXEC) };
	struct stat st;

	if (rule.fd < 0)
		return; /* optional, or the launch would have made it */
	if (fstat(rule.fd, &st) < 0)
		fail(place);
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= 0x1c007; /* linux/landlock.h: "a file can only receive these" */
	if (rule.allowed && syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) < 0)
		fail(place);
	close(rule.fd);
}

static void read_ruleset(const char *path)
{
	unsigned long long a, b, c;
	char line[TEXT * 5];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "handled %llx %llx %llx", &a, &b, &c) == 3) {
			const uint64_t attr[3] = { a, b, c };

			ruleset = (int)syscall(SYS_landlock_create_ruleset, attr,
					       c   ? 24
					       : b ? 16
						   : 8,
					       0);
			if (ruleset < 0)
				fail("make the ruleset");
		} else if (sscanf(line, "path %llx %n", &a, &at) == 1 && at > 0) {
			add_path(a, line + at);
		} else if (sscanf(line, "port %llx %llu %llu", &a, &b, &c) == 3) {
			for (uint64_t port = b; port <= c; port++) {
				const uint64_t rule[2] = { a, port };

				if (syscall(SYS_landlock_add_rule, ruleset, 2, rule, 0) < 0)
					fail("add a port");
			}
		} else {
			errno = EINVAL, fail(line);
		}
	}
	if (!f || ruleset < 0)
		fail(path);
	fclose(f);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return good;
}

/* A program in the context makes its sockets with it; ours are made before it is taken on. A new
 * line is none. */
static bool label_sockets(bool on)
{
	return !context || write_text("/proc/thread-self/attr/sockcreate", on ? context : "\n");
}

static bool confine(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (profile[0] && !write_text("/proc/thread-self/attr/apparmor/current", profile))
		return false;
	if (context && !write_text("/proc/thread-self/attr/current", context))
		return false;
	if (!drop_caps && ruleset < 0 && program.len == 0)
		return true;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	if (drop_caps) {
		if (syscall(SYS_capget, &head, data) < 0)
			return false;
		for (unsigned i = 0; i < 64; i++) {
			if (kept_caps & 1ULL << i)
				continue;
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
			data[i / 32].effective &= ~(1U << i % 32);
			data[i / 32].permitted &= ~(1U << i % 32);
			data[i / 32].inheritable &= ~(1U << i % 32);
		}
		if (syscall(SYS_capset, &head, data) < 0)
			return false;
	}
	if (ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return false;
	return program.len == 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* One word of the command line and its value. False: neither. */
static bool read_confinement(const char *word, const char *value)
{
	if (strcmp(word, "seccomp") == 0)
		read_program(value);
	else if (strcmp(word, "landlock") == 0)
		read_ruleset(value);
	else if (strcmp(word, "capabilities") == 0)
		drop_caps = true, kept_caps = strtoull(value, NULL, 0);
	else if (strcmp(word, "apparmor") == 0)
		snprintf(profile, sizeof(profile), "changeprofile %s", value);
	else if (strcmp(word, "selinux") == 0)
		context = value;
	else
		return false;
	return true;
}
