// SPDX-License-Identifier: Apache-2.0
/*
 * Debian's libcap-ng.a and libmd.a are compiled against glibc's headers with _FORTIFY_SOURCE, and
 * so ask for these names, which musl does not have. Each does what glibc's does: the bound is
 * checked, and breaking it ends the program. Linked into the musl launcher only; should a newer
 * library ask for another name, the link fails and says which.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <syslog.h>
#include <unistd.h>

int __asprintf_chk(char **ret, int flag, const char *fmt, ...);
int __printf_chk(int flag, const char *fmt, ...);
int __snprintf_chk(char *buf, size_t n, int flag, size_t size, const char *fmt, ...);
int __sprintf_chk(char *buf, int flag, size_t size, const char *fmt, ...);
int __isoc99_sscanf(const char *text, const char *fmt, ...);
void __syslog_chk(int priority, int flag, const char *fmt, ...);
int __fsetlocking(FILE *f, int type);
void *__memcpy_chk(void *to, const void *from, size_t n, size_t size);
void *__memset_chk(void *to, int c, size_t n, size_t size);
void __explicit_bzero_chk(void *to, size_t n, size_t size);
ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);

static void check(size_t n, size_t size)
{
	if (n > size)
		abort();
}

int __asprintf_chk(char **ret, int flag, const char *fmt, ...)
{
	va_list ap;
	int r;

	(void)flag;
	va_start(ap, fmt);
	r = vasprintf(ret, fmt, ap);
	va_end(ap);
	return r;
}

int __printf_chk(int flag, const char *fmt, ...)
{
	va_list ap;
	int r;

	(void)flag;
	va_start(ap, fmt);
	r = vprintf(fmt, ap);
	va_end(ap);
	return r;
}

int __snprintf_chk(char *buf, size_t n, int flag, size_t size, const char *fmt, ...)
{
	va_list ap;
	int r;

	(void)flag;
	check(n, size);
	va_start(ap, fmt);
	r = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return r;
}

int __sprintf_chk(char *buf, int flag, size_t size, const char *fmt, ...)
{
	va_list ap;
	int r;

	(void)flag;
	va_start(ap, fmt);
	r = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (r >= 0)
		check((size_t)r + 1, size);
	return r;
}

int __isoc99_sscanf(const char *text, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsscanf(text, fmt, ap);
	va_end(ap);
	return r;
}

void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	vsyslog(priority, fmt, ap);
	va_end(ap);
}

/* One thread: no stream is ever locked. 2 is FSETLOCKING_BYCALLER, what the callers ask for. */
int __fsetlocking(FILE *f, int type)
{
	(void)f;
	(void)type;
	return 2;
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t size)
{
	check(n, size);
	return memcpy(to, from, n);
}

void *__memset_chk(void *to, int c, size_t n, size_t size)
{
	check(n, size);
	return memset(to, c, n);
}

void __explicit_bzero_chk(void *to, size_t n, size_t size)
{
	check(n, size);
	explicit_bzero(to, n);
}

ssize_t __read_chk(int fd, void *buf, size_t n, size_t size)
{
	check(n, size);
	return read(fd, buf, n);
}
