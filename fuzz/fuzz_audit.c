// SPDX-License-Identifier: Apache-2.0
/*
 * A hostile log: the input is the log, or with a first byte above 0x7f a log whose lines get a true
 * chain, so that what lies behind the chain is reached. It is verified, adopted by a writer that
 * has no head, verified again, and each line rendered and exported. json-c is the second opinion on
 * the scanner.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/export.h"
#include "audit/lines.h"
#include "audit/render.h"
#include "audit/scan.h"
#include "audit/verify.h"
#include "audit/verify_seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char block[CHAIN_BLOCK], text[8192];

/* What the scanner takes is JSON to json-c as well. */
static void compare(const char *p, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(SCAN_DEPTH + 4);
	struct json_object *o;
	struct scan root;

	if (tok && scan_text(p, len, &root) == 0) {
		json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
		o = json_tokener_parse_ex(tok, p, (int)len);
		/* A number at the end could go on, as far as json-c knows. */
		if (json_tokener_get_error(tok) != json_tokener_success &&
		    json_tokener_get_error(tok) != json_tokener_continue)
			abort();
		json_object_put(o);
	}
	json_tokener_free(tok);
}

/* A row is one line, a line of the kernel's form too, and neither drives a terminal. */
static void export_line(const char *p, size_t len)
{
	static int (*const forms[])(struct buf *, const struct recorded *) = { export_csv,
									       export_ausearch };
	struct recorded record;
	char path[256];

	if (recorded_read(p, len, &record) < 0)
		return;
	for (unsigned i = 0; i < 6; i++)
		(void)recorded_path(&record, i, path, sizeof(path));
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT;

		if (forms[i](&out, &record) < 0 || out.len == 0)
			continue;
		if (memchr(out.data, '\n', out.len) != out.data + out.len - 1)
			abort();
		for (size_t k = 0; k < out.len - 1; k++) {
			unsigned char c = (unsigned char)out.data[k];

			if ((c < 0x20 && (c != '\r' || k != out.len - 2)) || c == 0x7f)
				abort();
		}
	}
}

static void render(int fd)
{
	struct lines lines;
	struct line line;
	static char buf[LINES_BUFFER];

	lines_begin(&lines, fd, 0, UINT64_MAX, buf);
	while (lines_next(&lines, &line) > 0) {
		if (line.overlong)
			continue;
		compare(line.p, line.len);
		export_line(line.p, line.len);
		text[0] = '\0';
		(void)render_line(line.p, line.len, false, text, sizeof(text));
		for (const char *p = text; *p; p++) {
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				abort();
		}
	}
}

/* The input's lines as bodies of a true chain. */
static void put_chained(int fd, const uint8_t *data, size_t size, struct chain_point *at)
{
	const char *p = (const char *)data, *end = p + size;
	static char out[LIMIT_LOG_LINE];

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		size_t n = chain_line(at, p, len, out, sizeof(out));

		if (n > 0 && write(fd, out, n) != (ssize_t)n)
			abort();
		p += len + 1;
	}
}

/* The sealing state and the key, and a log's seals under a key that it was not made with. */
static void parse_seal(const char *data, size_t size, int fd, uint64_t length)
{
	struct verify_seal seal = { .any = false };
	static char buf[LINES_BUFFER];
	char copy[SEAL_KEY_TEXT + 2] = "";
	struct seal_state state;
	struct seal_key key = { .id = "0123456789abcdef" };
	struct lines lines;
	struct line line;
	struct scan root;

	(void)seal_parse_state(data, size, &state);
	memcpy(copy, data, size < sizeof(copy) - 1 ? size : sizeof(copy) - 1);
	(void)seal_parse_key(copy, &key);
	seal.key = &key;
	lines_begin(&lines, fd, 0, length, buf);
	while (lines_next(&lines, &line) > 0) {
		if (!line.overlong && scan_text(line.p, line.len, &root) == 0 &&
		    !verify_seal_record(&seal, &line, &root, 2, false))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chain_point at = { .seq = 0 }, base = { .seq = 0 }, head;
	struct chain_repair repair = { .head = "missing" };
	struct verify_result v;
	bool chained = size > 0 && data[0] > 0x7f;
	off_t length;
	int fd;

	if (size > 1 << 18)
		return 0;
	fd = memfd_create("log", MFD_CLOEXEC);
	if (fd < 0)
		abort();
	if (chained)
		put_chained(fd, data + 1, size - 1, &at);
	else if (write(fd, data, size) != (ssize_t)size)
		abort();
	length = lseek(fd, 0, SEEK_END);
	(void)verify_log(fd, (uint64_t)length, NULL, &v, NULL);
	if (chained)
		(void)verify_log(fd, (uint64_t)length, &at, &v, NULL);
	render(fd);
	parse_seal((const char *)data, size, fd, (uint64_t)length);
	head = (struct chain_point){ .seq = 0 };
	if (chain_recover(fd, (uint64_t)length, block, &base, head.offset > (uint64_t)length, &head,
			  &repair) < 0)
		abort();
	/* What a writer adopted as its own, whole and with nothing torn, has no broken link. */
	if (repair.foreign == 0 && repair.torn == 0 && repair.cut == 0) {
		(void)verify_log(fd, head.offset, &head, &v, NULL);
		if (v.kind != VERIFY_WHOLE && v.kind != VERIFY_TOTALS &&
		    v.kind != VERIFY_TRUNCATED && v.kind != VERIFY_DAMAGED)
			abort();
	}
	(void)chain_parse_head((const char *)data, size, &head);
	(void)close(fd);
	return 0;
}
