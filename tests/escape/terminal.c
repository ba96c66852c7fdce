// SPDX-License-Identifier: Apache-2.0
/* T1 to T3: terminals, the caller's and one's own. */
#include <fcntl.h>
#include <linux/tiocl.h>
#include <linux/vt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/escape/probe.h"

#define HIGH_BIT  (1UL << 32)
#define HIGH_BITS (0xffffffffUL << 32)

/* A terminal of the payload's own, and the one that controls it. */
static int own_pty(void)
{
	int ptm = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), zero = 0;
	unsigned n = 0;
	char path[32];

	if (ptm < 0 || ioctl(ptm, TIOCSPTLCK, &zero) < 0 || ioctl(ptm, TIOCGPTN, &n) < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/pts/%u", n);
	setsid();
	return open(path, O_RDWR | O_CLOEXEC); /* and so it controls us */
}

/* Where no terminal is to be had the call is made all the same: it is the filter that answers. */
static struct answer go_on_own_pty(const struct point *p)
{
	static unsigned char argument[16];
	int fd = own_pty();

	argument[0] = (unsigned char)p->arg[1];
	if (fd < 0 && world.twin)
		return refused();
	return by_result(
		syscall(SYS_ioctl, fd < 0 ? 0 : fd, p->arg[0], p->arg[2] ? p->arg[2] : P(argument)),
		"it worked");
}

/* Each terminal that can be reached by any name. */
static struct answer go_on_every(const struct point *p)
{
	struct answer a = hidden();
	char key = ' ';

	for (int i = 0; i < 80; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path),
			 i < 16	  ? "/proc/self/fd/%d"
			 : i < 48 ? "/dev/pts/%d"
			 : i < 64 ? "/dev/tty%d"
			 : i < 72 ? "/dev/ttyS%d"
			 : i < 78 ? "/dev/vcs%d"
				  : (i == 78 ? "/dev/tty" : "/dev/console"),
			 i < 16	  ? i
			 : i < 48 ? i - 16
			 : i < 64 ? i - 48
			 : i < 72 ? i - 64
				  : i - 72);
		fd = i < 16 ? dup(i) : open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (syscall(SYS_ioctl, fd, p->arg[0], &key) == 0)
			a = done("%.60s", path);
		else if (errno != ENOTTY)
			a = refused();
		close(fd);
		if (a.outcome == DONE)
			return a;
	}
	return a;
}

/* The same file system of terminals as the host's. */
static struct answer go_devpts(const struct point *p)
{
	struct stat st;
	long host = fact_number("devpts");

	(void)p;
	if (host < 0)
		return done("the host's was not told");
	if (stat("/dev/pts/ptmx", &st) < 0)
		return refused();
	return (long)st.st_dev == host ? done("it is the host's") : hidden();
}

#define TIOCSTI_OFF "dev.tty.legacy_tiocsti is 0 on this host"
#define CONSOLE	    "it wants a virtual console or the right to one"

static const struct point list[] = {
	{ "T1", "TIOCSTI on its own terminal", go_on_own_pty, .call = "ioctl",
	  .unless = TIOCSTI_OFF, .arg = { TIOCSTI, ' ' } },
	{ "T1", "TIOCSTI with bit 32", go_on_own_pty, .unless = TIOCSTI_OFF,
	  .arg = { (long)(TIOCSTI | HIGH_BIT), ' ' } },
	{ "T1", "TIOCSTI with bits 32 to 63", go_on_own_pty, .unless = TIOCSTI_OFF,
	  .arg = { (long)(TIOCSTI | HIGH_BITS), ' ' } },
	{ "T1", "TIOCSTI on every terminal", go_on_every,
	  .unless = TIOCSTI_OFF ", or there is no terminal", .arg = { TIOCSTI } },
	{ "T2", "TIOCSETD on its own terminal", go_on_own_pty, .arg = { TIOCSETD, 0 } },
	{ "T2", "TIOCSETD with bit 32", go_on_own_pty, .arg = { (long)(TIOCSETD | HIGH_BIT), 0 } },
	{ "T2", "TIOCLINUX: paste what is selected", go_on_own_pty, TWIN_NONE, .unless = CONSOLE,
	  .arg = { TIOCLINUX, TIOCL_PASTESEL } },
	{ "T2", "TIOCLINUX with bit 32", go_on_own_pty, TWIN_NONE, .unless = CONSOLE,
	  .arg = { (long)(TIOCLINUX | HIGH_BIT), TIOCL_PASTESEL } },
	{ "T2", "TIOCCONS: the console's output", go_on_own_pty, TWIN_NONE,
	  .unless = "root's twin would take the console away", .flags = HARMFUL,
	  .arg = { TIOCCONS } },
	{ "T2", "VT_ACTIVATE on every terminal", go_on_every, TWIN_NONE, .unless = CONSOLE,
	  .flags = HARMFUL, .arg = { VT_ACTIVATE } },
	{ "T3", "the controlling terminal", go_open, .path = "/dev/tty", .arg = { O_RDWR },
	  .unless = "the test runs without a terminal" },
	{ "T3", "the console", go_open, TWIN_ROOT, .path = "/dev/console", .arg = { O_RDWR },
	  .unless = CONSOLE },
	{ "T3", "the first virtual terminal", go_open, TWIN_ROOT, .path = "/dev/tty0",
	  .arg = { O_RDWR }, .unless = CONSOLE },
	{ "T3", "a screen's memory", go_open, TWIN_ROOT, .path = "/dev/vcs", .arg = { O_RDWR },
	  .unless = CONSOLE },
	{ "T3", "the host's file system of terminals", go_devpts },
};

const struct points points_terminal = { list, COUNT(list) };
