// SPDX-License-Identifier: Apache-2.0
/* For tests of decoding: a memory that the test owns, and what one call's arguments become. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/decode.h"

/* Two pages at BASE; what lies before and behind them is not mapped. Below 4 GiB, for 32-bit
 * callers. */
enum { BASE = 0x10000, SIZE = 8192 };
static char memory[SIZE];
static unsigned reads;

static ssize_t read_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
	(void)ctx;
	reads++;
	if (addr < BASE || addr >= BASE + SIZE)
		return -EFAULT;
	if (len > BASE + SIZE - addr)
		len = (size_t)(BASE + SIZE - addr);
	memcpy(buf, memory + (addr - BASE), len);
	return (ssize_t)len;
}

static const struct decode_memory reader = { read_memory, NULL };
static char out[65536];

static inline const char *decode_on(enum abi abi, const char *call, const uint64_t args[6],
				    size_t text_max)
{
	const struct decode_call c = { syscall_by_name(call), abi, args };
	struct json j;

	assert_non_null(c.desc);
	reads = 0;
	json_init(&j, out, sizeof(out));
	json_object(&j, NULL);
	decode_args(&j, &c, &reader, text_max);
	json_object_end(&j);
	assert_true(json_finish(&j) > 0);
	return out;
}

static inline void says_on(enum abi abi, const char *want, const char *call, const uint64_t args[6])
{
	const char *got = decode_on(abi, call, args, DECODE_TEXT_MAX);

	if (!strstr(got, want))
		print_message("want %s\n in  %s\n", want, got);
	assert_non_null(strstr(got, want));
}

/* SAYS(WANT, CALL, ARGUMENT...): what the native call's arguments become has WANT in it. */
#define SAYS_ON(abi, want, call, ...) says_on(abi, want, call, (const uint64_t[6]){ __VA_ARGS__ })
#define SAYS(want, call, ...)	      SAYS_ON(ABI_NATIVE, want, call, __VA_ARGS__)

static inline uint64_t at(size_t offset, const void *bytes, size_t len)
{
	assert_true(offset + len <= SIZE);
	memcpy(memory + offset, bytes, len);
	return BASE + offset;
}
#define AT(offset, object) at(offset, &(object), sizeof(object))

static inline uint64_t text(size_t offset, const char *s)
{
	return at(offset, s, strlen(s) + 1);
}

/* 32-bit words of a 32-bit caller. */
#define WORDS(offset, ...)                                                                         \
	at(offset, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }))
