// SPDX-License-Identifier: Apache-2.0
/* What of the file system can be read and changed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/launches/inside.h"

struct place {
	char reads, writes, creates; /* '+': it must be possible, '-': it must not, '?': either */
	char path[2048];
	char source[2048]; /* where what shows there lies outside */
};

static bool next_place(int *at, struct place *ret)
{
	const char *word = told_next("dir", at), *colon;

	if (!word || strlen(word) < 5)
		return false;
	*ret = (struct place){ .reads = word[0], .writes = word[1], .creates = word[2] };
	word += 4;
	colon = strchrnul(word, ':');
	snprintf(ret->path, sizeof(ret->path), "%.*s", (int)(colon - word), word);
	if (*colon)
		snprintf(ret->source, sizeof(ret->source), "%s", colon + 1);
	return true;
}

/* Each file of the world says where it lies. */
static void check_contents(const struct check *c)
{
	struct place p;
	int at = 0;

	while (next_place(&at, &p)) {
		char path[2200], text[2400], want[2400];
		int n;

		snprintf(path, sizeof(path), "%s/file", p.path);
		n = read_file(path, text, sizeof(text));
		if (p.reads == '-' && n > 0 && strncmp(text, "text of ", 8) == 0)
			breach(c, "'%s' reads '%s'", path, text);
		snprintf(want, sizeof(want), "text of %s/file\n", p.source);
		if (p.reads == '+' && (n < 0 || strcmp(text, want) != 0))
			lost(c, "'%s' reads '%s' (%s)", path, n > 0 ? text : "",
			     n < 0 ? strerror(-n) : "not as outside");
	}
}

static void check_secrets(const struct check *c)
{
	int at = 0;

	for (const char *path; (path = told_next("hidden", &at));) {
		char text[256];
		int n = read_file(path, text, sizeof(text));

		if (n > 0 && holds(text, (size_t)n, secret))
			breach(c, "'%s' can be read", path);
	}
}

/* Opens only: whoever may write may also cut and append. */
static void check_writing(const struct check *c)
{
	struct place p;
	int at = 0;

	while (next_place(&at, &p)) {
		char path[2200];
		int fd;

		snprintf(path, sizeof(path), "%s/file", p.path);
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0 && p.writes == '-')
			breach(c, "'%s' can be opened for writing", path);
		if (fd < 0 && p.writes == '+')
			lost(c, "'%s' cannot be opened for writing: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		if (p.writes == '-' && p.reads != '-' && chmod(path, 0640) == 0)
			breach(c, "the mode of '%s' can be changed", path);
		if (p.writes == '-' && p.reads != '-' && utimensat(AT_FDCWD, path, NULL, 0) == 0)
			breach(c, "the times of '%s' can be changed", path);
	}
}

static void check_creating(const struct check *c)
{
	const char *mark = told("mark");
	struct place p;
	int at = 0;

	/* The same directory can show at two places: where a file is to come to be it has a number.
	 */
	for (unsigned n = 0; mark && next_place(&at, &p); n++) {
		char path[2200];
		int fd;

		if (p.creates == '?')
			continue;
		if (p.creates == '+')
			snprintf(path, sizeof(path), "%s/%s.%u", p.path, mark, n);
		else
			snprintf(path, sizeof(path), "%s/%s", p.path, mark);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0 && p.creates == '-')
			breach(c, "'%s' takes a file", p.path);
		if (fd < 0 && p.creates == '+')
			lost(c, "'%s' takes no file: %s", p.path, strerror(errno));
		if (fd >= 0)
			close(fd);
		if (p.creates == '-') {
			strncat(path, ".d", sizeof(path) - strlen(path) - 1);
			if (mkdir(path, 0700) == 0)
				breach(c, "'%s' takes a directory", p.path);
		}
	}
}

static void check_made(const struct check *c)
{
	int at = 0;
	char text[256], path[2048];

	for (const char *word; (word = told_next("made-link", &at));) {
		const char *want = strchrnul(word, ':');
		ssize_t n;

		snprintf(path, sizeof(path), "%.*s", (int)(want - word), word);
		n = readlink(path, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		if (n < 0 || strcmp(text, want + 1) != 0)
			lost(c, "'%s' leads to '%s'", path, text);
	}
	at = 0;
	for (const char *word; (word = told_next("made-file", &at));) {
		const char *want = strchrnul(word, ':');
		int n, fd;

		snprintf(path, sizeof(path), "%.*s", (int)(want - word), word);
		n = read_file(path, text, sizeof(text));
		if (n < 0 || strcmp(text, want + 1) != 0)
			lost(c, "'%s' reads '%s'", path, n > 0 ? text : strerror(-n));
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			breach(c, "'%s' can be opened for writing", path);
			close(fd);
		}
	}
}

static bool is_within(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool is_asked_for(const char *point)
{
	int at = 0;

	for (const char *word; (word = told_next("rw", &at));)
		if (is_within(point, word))
			return true;
	return false;
}

/* proc_pid_mountinfo(5): id parent major:minor root point options [fields] - type source super */
static void check_mounts(const struct check *c)
{
	static char text[1 << 18];
	int n = read_file("/proc/self/mountinfo", text, sizeof(text));
	char *save = NULL;

	if (n <= 0) {
		blind(c, "/proc/self/mountinfo: %s", strerror(-n));
		return;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char point[4096], options[512], type[64], word[520];
		char *dash = strstr(line, " - ");

		if (!dash || sscanf(line, "%*d %*d %*s %*s %4095s %510s", point, options) != 2 ||
		    sscanf(dash, " - %63s", type) != 1) {
			breach(c, "a mount that cannot be read: %s", line);
			continue;
		}
		*dash = '\0';
		snprintf(word, sizeof(word), ",%s,", options);
		if (!strstr(word, ",nosuid,"))
			breach(c, "'%s' is without nosuid", point);
		if (!strstr(word, ",nodev,") && !is_within(point, "/dev"))
			breach(c, "'%s' is without nodev", point);
		if (strstr(line, "shared:") || strstr(line, "master:"))
			breach(c, "'%s' is in a peer group", point);
		if (strstr(word, ",rw,") && strcmp(type, "tmpfs") != 0 &&
		    strcmp(type, "overlay") != 0 && strcmp(point, "/proc") != 0 &&
		    !is_within(point, "/dev") && !is_asked_for(point))
			breach(c, "'%s' (%s) is writable", point, type);
	}
}

static void check_switch(const struct check *c, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	close(fd);
	breach(c, "'%s' can be opened for writing", path);
}

static void check_proc(const struct check *c)
{
	static const char *const closed[] = {
		"/proc/sysrq-trigger",	     "/proc/sys/kernel/core_pattern",
		"/proc/sys/vm/drop_caches",  "/proc/sys/kernel/hostname",
		"/proc/sys/kernel/modprobe", "/sys/kernel/uevent_helper",
		"/sys/power/state",
	};

	const char *more;
	int at = 0;

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		check_switch(c, closed[i]);
	while ((more = told_next("switch", &at)))
		check_switch(c, more);
}

static void check_kernel(const struct check *c)
{
	static const char *const empty[] = { "/proc/kcore",	 "/proc/keys",
					     "/proc/kallsyms",	 "/proc/modules",
					     "/proc/partitions", "/proc/interrupts",
					     "/proc/timer_list" };

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		char text[64];

		if (read_file(empty[i], text, sizeof(text)) > 0)
			breach(c, "'%s' can be read", empty[i]);
	}
}

static void check_sys(const struct check *c)
{
	DIR *dir = told("sys") ? NULL : opendir("/sys");

	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_name[0] != '.')
			breach(c, "there is /sys/%s", e->d_name);
	}
	if (dir)
		closedir(dir);
}

static void check_devices(const struct check *c)
{
	static const char *const names = " null zero full random urandom tty ptmx ";
	DIR *dir = opendir("/dev");

	for (struct dirent *e; dir && (e = readdir(dir));) {
		char name[300];
		struct stat st;

		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
			continue;
		snprintf(name, sizeof(name), " %s ", e->d_name);
		if (!strstr(names, name) || !S_ISCHR(st.st_mode))
			breach(c, "there is /dev/%s", e->d_name);
	}
	if (dir)
		closedir(dir);
}

static const struct check view[] = {
	{ "M8", "what is not shown", check_contents },
	{ "M8", "secrets", check_secrets },
	{ "A1", "writing", check_writing },
	{ "M10", "creating", check_creating },
	{ "M10", "what was made up", check_made },
	{ "M11", "mounts", check_mounts },
	{ "P3", "switches of the kernel", check_proc },
	{ "P5", "facts of the kernel", check_kernel },
	{ "P8", "/sys", check_sys },
	{ "M15", "devices", check_devices },
};
const struct checks checks_view = { view, sizeof(view) / sizeof(view[0]) };
