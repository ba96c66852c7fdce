// SPDX-License-Identifier: Apache-2.0
#include "audit/names.h"

#include <linux/ioctl.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/errno_name.h"
#include "policies/consts.h"

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
	const char *name = consts_name_of(CONSTS_SIGNALS, ABI_NATIVE, value);

	/* The kernel's first real-time signal is 32; the C library keeps two of them. */
	if (name)
		(void)snprintf(buf, cap, "%s", name);
	else if (value >= 32 && value <= 64)
		(void)snprintf(buf, cap, "SIGRT+%u", value - 32);
	else
		(void)snprintf(buf, cap, "signal %u", value);
	return buf;
}

const char *names_family(unsigned value, char *buf, size_t cap)
{
	const char *name = consts_name_of(CONSTS_ADDRESS_FAMILY, ABI_NATIVE, value);

	if (name)
		(void)snprintf(buf, cap, "%s", name);
	else
		(void)snprintf(buf, cap, "AF_%u", value);
	return buf;
}

const char *names_sigset(uint64_t set, char *buf, size_t cap)
{
	const bool most = __builtin_popcountll(set) > 32;
	uint64_t named = most ? ~set : set;
	int len = snprintf(buf, cap, "%s", most ? named ? "all but " : "all" : named ? "" : "0");
	const char *between = "";

	for (unsigned i = 0; i < 64 && len >= 0 && (size_t)len < cap; i++) {
		char name[24];

		if (!(named >> i & 1))
			continue;
		len += snprintf(buf + len, cap - (size_t)len, "%s%s", between,
				names_signal(i + 1, name, sizeof(name)));
		between = "|";
	}
	return buf;
}

const char *names_ioctl(uint32_t request, char *buf, size_t cap)
{
	static const char *const directions[] = { "NONE", "WRITE", "READ", "READ|WRITE" };
	const unsigned type = _IOC_TYPE(request);

	if (request < 0x100)
		(void)snprintf(buf, cap, "0x%x", request);
	else if (type > ' ' && type < 0x7f && type != '\'' && type != '\\' && type != '"')
		(void)snprintf(buf, cap, "_IOC(%s, '%c', %u, %u)", directions[_IOC_DIR(request)],
			       (char)type, _IOC_NR(request), _IOC_SIZE(request));
	else
		(void)snprintf(buf, cap, "_IOC(%s, 0x%x, %u, %u)", directions[_IOC_DIR(request)],
			       type, _IOC_NR(request), _IOC_SIZE(request));
	return buf;
}
