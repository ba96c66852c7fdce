// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of a call whose registers and memory are the input: two bytes choose the call, one the
 * ABI and how, 48 are registers, the rest is memory from 0x1000 on. What comes out is one JSON
 * object.
 *
 * How: 0x80 short texts; 0x40 the arguments are as one of the call's conditions wants them, so that
 * structures behind a request's number are reached; 0x20 each address is somewhere in the memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/decode.h"
#include "audit/format.h"
#include "audit/render.h"
#include "audit/scan.h"
#include "policies/syscall_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t len;
	bool wraps;
};

enum { BASE = 0x1000 };

static ssize_t read_input(void *ctx, uint64_t addr, void *buf, size_t len)
{
	const struct input *in = ctx;

	if (in->wraps && in->len > 0)
		addr = BASE + addr % in->len;
	if (addr < BASE || addr - BASE >= in->len)
		return -EFAULT;
	if (len > in->len - (addr - BASE))
		len = in->len - (size_t)(addr - BASE);
	memcpy(buf, in->p + (addr - BASE), len);
	return (ssize_t)len;
}

static void meet_condition(const struct syscall_desc *call, uint64_t args[6])
{
	const struct syscall_gen_when *when;

	if (call->n_whens == 0)
		return;
	when = &syscall_gen_whens[call->first_when + args[5] % call->n_whens];
	args[when->arg] = when->value;
	if (when->second_arg)
		args[when->second_arg - 1] = when->second;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[128 * 1024], line[2048];
	struct input in;
	struct decode_memory memory = { read_input, &in };
	const struct syscall_desc *table;
	struct decode_call call;
	struct scan root;
	uint64_t args[6];
	size_t count, len;
	struct json j;

	if (size < 3 + sizeof(args))
		return 0;
	table = syscall_table(&count);
	call.desc = &table[(data[0] | (size_t)data[1] << 8) % count];
	call.abi = (enum abi)(data[2] & 3);
	call.args = args;
	memcpy(args, data + 3, sizeof(args));
	if (data[2] & 0x40)
		meet_condition(call.desc, args);
	in = (struct input){ data + 3 + sizeof(args), size - 3 - sizeof(args), data[2] & 0x20 };
	json_init(&j, out, sizeof(out));
	json_object(&j, NULL);
	json_string(&j, "type", "denial");
	decode_args(&j, &call, &memory, data[2] & 0x80 ? 16 : DECODE_TEXT_MAX);
	json_object_end(&j);
	len = json_finish(&j);
	if (len == 0)
		abort();
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			abort(); /* a control character came through */
	}
	if (scan_text(out, len, &root) < 0)
		abort();
	(void)render_line(out, len, false, line, sizeof(line));
	for (const char *p = line; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
	}
	return 0;
}
