// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Neither translates nor allocates. */
#ifdef __GLIBC__
#define describe strerrordesc_np /* glibc 2.32 */
#else
#define describe strerror /* musl's are constants */
#endif

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	err->ours = false;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}

int err_refuse(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EINVAL;
	err->code = -EINVAL;
	err->ours = true;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return err->code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char old[LIMIT_ERR_TEXT];
	va_list ap;
	size_t n;

	if (!err)
		return -EINVAL;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	(void)snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", old);
	return err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EINVAL;
	va_start(ap, fmt);
	(void)vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return err->code;
}

const char *err_text(int code)
{
	const char *text = code == INT_MIN ? NULL : describe(code < 0 ? -code : code);

	return text ? text : "Unknown error";
}
