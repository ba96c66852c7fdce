// SPDX-License-Identifier: Apache-2.0
/* P1 to P10, I1: what procfs, sysfs and the cgroups tell and let be written; who the host is. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/escape/probe.h"

static char kernel_log[4096];

/* P4, P8, P10: any file below path that opens for writing; nothing is written. */
static struct answer go_writable(const struct point *p, const char *top, int depth)
{
	DIR *dir = opendir(top);
	struct answer a = hidden();

	(void)p;
	if (!dir)
		return refused();
	for (struct dirent *e; a.outcome != DONE && (e = readdir(dir));) {
		char path[1024];
		int fd;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, e->d_name);
		if (e->d_type == DT_DIR && depth > 0) {
			a = go_writable(p, path, depth - 1);
			continue;
		}
		if (e->d_type != DT_REG)
			continue;
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			a = done("%.100s opens for writing", path);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return a;
}

static struct answer go_any_writable(const struct point *p)
{
	return go_writable(p, p->path, (int)p->arg[0]);
}

/* P7: more than zeros in the column of addresses. */
static struct answer go_addresses(const struct point *p)
{
	char text[4096];
	int n = read_small(p->path, text, sizeof(text));

	if (n < 0) {
		errno = -n;
		return refused();
	}
	for (char *line = text; n > 0 && line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strtoull(line, NULL, 16) != 0)
			return done("%.40s", line);
	}
	return hidden();
}

/* P7: the physical page behind an address. */
static struct answer go_pagemap(const struct point *p)
{
	static char page[8192] = "x";
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	(void)p;
	if (fd < 0)
		return refused();
	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / 4096 * 8)) != 8)
		return refused();
	return entry & ((UINT64_C(1) << 55) - 1) ? done("a frame number") : hidden();
}

/* P10: a cgroup hierarchy of its own, and its release_agent. */
static struct answer go_release_agent(const struct point *p)
{
	const char *dir = make_dir("cgroup");
	char path[600];

	if (become_root_of(CLONE_NEWNS | CLONE_NEWCGROUP) < 0)
		return refused();
	if (mount("none", dir, "cgroup", 0, p->path) < 0)
		return refused();
	snprintf(path, sizeof(path), "%s/release_agent", dir);
	return by_result(open(path, O_WRONLY | O_CLOEXEC), "opened");
}

/* --- I1: path is the fact that holds the host's own answer */

static struct answer go_name(const struct point *p)
{
	struct utsname u;

	(void)p;
	uname(&u);
	return fact("hostname") && strcmp(u.nodename, fact("hostname")) == 0
		       ? done("%s", u.nodename)
		       : hidden();
}

static struct answer go_tells(const struct point *p)
{
	static char text[65536];
	const char *want = fact((const char *)p->arg[0]);
	int n = read_small(p->path, text, sizeof(text));

	if (n < 0) {
		errno = -n;
		return refused();
	}
	return want && *want && memmem(text, (size_t)n, want, strlen(want)) ? done("%.100s", want)
									    : hidden();
}

#define READ(id, path_)                                                                            \
	{                                                                                          \
		id, "read " path_, go_read, .path = path_                                          \
	}
#define READ_MAYBE(id, path_)                                                                      \
	{                                                                                          \
		id, "read " path_, go_read,                                                        \
			.path = path_,                                                             \
			.unless = "the host's kernel has no such file, or shows it to root only"   \
	}
#define READ_ROOT(id, path_)                                                                       \
	{                                                                                          \
		id, "read " path_, go_read, TWIN_ROOT,                                             \
			.path = path_,                                                             \
			.unless = "the kernel has no such file, or it is locked down"              \
	}
#define WRITE_ROOT(id, path_)                                                                      \
	{                                                                                          \
		id, "open " path_ " for writing", go_open, TWIN_ROOT,                              \
			.path = path_, .arg = { O_WRONLY },                                        \
			.unless = "the kernel has no such file"                                    \
	}
#define LIST(id, path_)                                                                            \
	{                                                                                          \
		id, "list " path_, go_list,                                                        \
			.path = path_, .unless = "not mounted on this host, or shown to root only" \
	}

static const struct point list[] = {
	READ_ROOT("P1", "/proc/kcore"),
	READ_ROOT("P1", "/proc/kmsg"),
	READ_ROOT("P1", "/proc/vmcore"),
	READ_ROOT("P1", "/proc/kpagecount"),
	READ_ROOT("P1", "/proc/kpageflags"),
	READ_ROOT("P1", "/proc/kpagecgroup"),
	READ_ROOT("P1", "/dev/kmsg"),
	{ "P1", "the kernel's log by syslog", go_call, TWIN_ROOT, .call = "syslog",
	  .arg = { SYS_syslog, 3, P(kernel_log), sizeof(kernel_log) } },
	WRITE_ROOT("P2", "/proc/sysrq-trigger"),
	WRITE_ROOT("P2", "/proc/irq/default_smp_affinity"),
	WRITE_ROOT("P2", "/proc/mtrr"),
	WRITE_ROOT("P2", "/proc/bus/pci/00/00.0"),
	WRITE_ROOT("P3", "/proc/sys/kernel/core_pattern"),
	WRITE_ROOT("P3", "/proc/sys/kernel/core_pipe_limit"),
	WRITE_ROOT("P3", "/proc/sys/kernel/modprobe"),
	WRITE_ROOT("P3", "/proc/sys/kernel/poweroff_cmd"),
	WRITE_ROOT("P3", "/proc/sys/fs/binfmt_misc/register"),
	WRITE_ROOT("P3", "/sys/kernel/uevent_helper"),
	WRITE_ROOT("P3", "/proc/sys/vm/drop_caches"),
	{ "P4", "anything below /proc/sys for writing", go_any_writable, TWIN_NS,
	  .path = "/proc/sys", .arg = { 6 } },
	{ "P4", "its own user namespaces allowed again", go_open, TWIN_NS,
	  .path = "/proc/sys/user/max_user_namespaces", .arg = { O_WRONLY } },
	READ_MAYBE("P5", "/proc/acpi/wakeup"),
	READ_MAYBE("P5", "/proc/scsi/scsi"),
	READ_MAYBE("P5", "/proc/asound/cards"),
	READ_ROOT("P5", "/proc/timer_list"),
	READ_MAYBE("P5", "/proc/sched_debug"),
	READ_MAYBE("P5", "/proc/latency_stats"),
	READ("P5", "/proc/interrupts"),
	READ_MAYBE("P5", "/proc/diskstats"),
	READ("P5", "/proc/partitions"),
	READ("P5", "/proc/swaps"),
	READ_MAYBE("P5", "/proc/modules"),
	READ_MAYBE("P5", "/proc/mdstat"),
	READ("P5", "/proc/softirqs"),
	READ_MAYBE("P5", "/proc/schedstat"),
	READ("P5", "/proc/zoneinfo"),
	READ_MAYBE("P5", "/proc/pressure/cpu"),
	READ_MAYBE("P5", "/proc/bus/pci/devices"),
	{ "P5", "a trigger on the host's load", go_open, .path = "/proc/pressure/memory",
	  .arg = { O_RDWR }, .unless = "the kernel has no pressure stall information" },
	{ "P6", "read /proc/keys", go_read, .path = "/proc/keys",
	  .unless = "this user has no key, or the kernel has none" },
	{ "P6", "read /proc/key-users", go_read, .path = "/proc/key-users",
	  .unless = "the kernel has no keys" },
	READ_MAYBE("P7", "/proc/kallsyms"),
	{ "P7", "addresses of kernel symbols", go_addresses, TWIN_ROOT, .path = "/proc/kallsyms",
	  .unless = "the kernel shows none even to root" },
	READ_ROOT("P7", "/proc/slabinfo"),
	READ_ROOT("P7", "/proc/vmallocinfo"),
	{ "P7", "addresses of memory and devices", go_addresses, TWIN_ROOT, .path = "/proc/iomem" },
	{ "P7", "physical addresses by pagemap", go_pagemap, TWIN_ROOT },
	LIST("P8", "/sys"),
	{ "P8", "anything in /sys/kernel for writing", go_any_writable, TWIN_ROOT,
	  .path = "/sys/kernel", .arg = { 2 } },
	{ "P8", "anything in /sys/module for writing", go_any_writable, TWIN_ROOT,
	  .path = "/sys/module", .arg = { 2 } },
	LIST("P9", "/sys/firmware"),
	LIST("P9", "/sys/class/powercap"),
	LIST("P9", "/sys/devices/system/cpu/cpu0/thermal_throttle"),
	LIST("P9", "/sys/kernel/debug"),
	LIST("P9", "/sys/kernel/tracing"),
	LIST("P9", "/sys/kernel/security"),
	LIST("P9", "/sys/fs/bpf"),
	LIST("P9", "/sys/class/dmi/id"),
	{ "P10", "a file of the cgroups for writing", go_any_writable, TWIN_ROOT,
	  .path = "/sys/fs/cgroup", .arg = { 3 }, .unless = "no cgroups are mounted" },
	{ "P10", "release_agent through nested namespaces", go_release_agent, TWIN_NONE,
	  .path = "memory",
	  .unless = "since the fix of CVE-2022-0492 the kernel refuses it to namespaces" },
	{ "P10", "release_agent of a new hierarchy", go_release_agent, TWIN_NONE,
	  .path = "none,name=cordon-escape",
	  .unless = "since the fix of CVE-2022-0492 the kernel refuses it to namespaces" },

	{ "I1", "the host's name", go_name },
	{ "I1", "the host's name by a file", go_tells, .path = "/etc/hostname",
	  .arg = { P("hostname") }, .unless = "the host has no such file" },
	{ "I1", "the machine's id", go_tells, .path = "/etc/machine-id", .arg = { P("machine-id") },
	  .unless = "the host has no such file" },
	{ "I1", "the machine's id by D-Bus", go_tells, .path = "/var/lib/dbus/machine-id",
	  .arg = { P("machine-id") }, .unless = "the host has no such file" },
	{ "I1", "the kernel's command line", go_read, .path = "/proc/cmdline" },
	{ "I1", "the kernel's configuration", go_read, .path = "/proc/config.gz",
	  .unless = "the kernel has no such file" },
	{ "I1", "the host's other network interfaces", go_tells, .path = "/proc/net/dev",
	  .arg = { P("interface") }, .unless = "the host has loopback only" },
	{ "I1", "where the caller's files lie", go_tells, .path = "/proc/self/mountinfo",
	  .arg = { P("disk") }, .unless = "the scratch directory lies on no disk" },
};

const struct points points_proc = { list, COUNT(list) };
