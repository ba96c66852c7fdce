// SPDX-License-Identifier: Apache-2.0
#include "audit/names.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/errno_name.h"
#include "base/fd.h"

/* Ours, because musl has no sigabbrev_np(). */
static const char *const signals[] = {
	[SIGHUP] = "HUP",   [SIGINT] = "INT",	    [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
	[SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",	    [SIGBUS] = "BUS",	[SIGFPE] = "FPE",
	[SIGKILL] = "KILL", [SIGUSR1] = "USR1",	    [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",	    [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
	[SIGCHLD] = "CHLD", [SIGCONT] = "CONT",	    [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",	    [SIGURG] = "URG",	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH",
	[SIGIO] = "POLL",   [SIGPWR] = "PWR",	    [SIGSYS] = "SYS",
};

static const struct name_set *find_in(const struct name_row *rows, size_t n, const char *call,
				      unsigned arg)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].arg == arg && strcmp(rows[i].call, call) == 0)
			return rows[i].set;
	}
	return NULL;
}

const struct name_set *names_find(const char *call, unsigned arg)
{
	const struct name_set *set = find_in(names_files, names_n_files, call, arg);

	if (!set)
		set = find_in(names_processes, names_n_processes, call, arg);
	if (!set)
		set = find_in(names_devices, names_n_devices, call, arg);
	return set;
}

struct out {
	char *buf;
	size_t cap, len;
};

static void add(struct out *out, const char *text)
{
	size_t n = strlen(text);

	if (out->len > 0 && out->cap - out->len > 1)
		out->buf[out->len++] = '|';
	if (n > out->cap - out->len - 1)
		n = out->cap - out->len - 1;
	memcpy(out->buf + out->len, text, n);
	out->len += n;
	out->buf[out->len] = '\0';
}

const char *names_spell(const struct name_set *set, uint64_t value, char *buf, size_t cap)
{
	struct out out = { .buf = buf, .cap = cap };
	uint64_t rest = value & ~set->low_mask, low = value & set->low_mask;
	const char *name = NULL;
	char number[24];

	if (cap == 0)
		return buf;
	buf[0] = '\0';
	/* Without a mask the name is of 0 and stands for no flag at all. */
	for (size_t i = 0; i < set->n_lows && !name && (set->low_mask != 0 || value == 0); i++) {
		if (set->lows[i].value == low)
			name = set->lows[i].name;
	}
	if (name)
		add(&out, name);
	else
		rest |= low;
	for (size_t i = 0; i < set->n_flags; i++) {
		uint64_t bits = set->flags[i].value;

		if (bits != 0 && (rest & bits) == bits) {
			add(&out, set->flags[i].name);
			rest &= ~bits;
		}
	}
	if (rest != 0) {
		(void)snprintf(number, sizeof(number), "0x%llx", (unsigned long long)rest);
		add(&out, number);
	} else if (out.len == 0) {
		add(&out, "0");
	}
	return buf;
}

const char *names_errno(unsigned value, char *buf, size_t cap)
{
	const char *name = value < 4096 ? errno_name((int)value) : NULL;

	if (name)
		(void)snprintf(buf, cap, "%s", name);
	else
		(void)snprintf(buf, cap, "errno %u", value);
	return buf;
}

const char *names_signal(unsigned value, char *buf, size_t cap)
{
	const char *name = value > 0 && value < ARRAY_SIZE(signals) ? signals[value] : NULL;

	/* The kernel's first real-time signal is 32; the C library keeps two of them. */
	if (name)
		(void)snprintf(buf, cap, "SIG%s", name);
	else if (value >= 32 && value <= 64)
		(void)snprintf(buf, cap, "SIGRT+%u", value - 32);
	else
		(void)snprintf(buf, cap, "signal %u", value);
	return buf;
}

const char *names_family(unsigned value, char *buf, size_t cap)
{
	for (size_t i = 0; i < names_families.n_lows; i++) {
		if (names_families.lows[i].value == value) {
			(void)snprintf(buf, cap, "%s", names_families.lows[i].name);
			return buf;
		}
	}
	(void)snprintf(buf, cap, "AF_%u", value);
	return buf;
}
