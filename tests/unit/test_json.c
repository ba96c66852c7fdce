// SPDX-License-Identifier: Apache-2.0
/* The JSON writer against another implementation's reader (json-c). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two of the reader's names are ours too. */
#define json_object jsonc_object
#define json_bool   jsonc_bool
#include <json-c/json.h>
#undef json_object
#undef json_bool

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"

static struct jsonc_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(64);
	struct jsonc_object *o;

	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len + 1);
	if (json_tokener_get_error(tok) != json_tokener_success)
		fail_msg("%s in %s", json_tokener_error_desc(json_tokener_get_error(tok)), text);
	json_tokener_free(tok);
	return o;
}

/* Something of everything. */
static void write_all(struct json *j)
{
	json_object(j, NULL);
	json_string(j, "s", "a\"b\\c\n");
	json_string(j, "null", NULL);
	json_bytes(j, "empty", NULL, 0);
	json_bytes(j, "nul", "x\0y", 3);
	json_array(j, "list");
	json_u64(j, NULL, 0);
	json_u64(j, NULL, UINT64_MAX);
	json_i64(j, NULL, INT64_MIN);
	json_i64(j, NULL, INT64_MAX);
	json_i64(j, NULL, -1);
	json_array(j, NULL);
	json_array_end(j);
	json_object(j, NULL);
	json_object_end(j);
	json_array_end(j);
	json_hex(j, "hex", 0xdeadbeefcafef00d);
	json_hex(j, "hex0", 0);
	json_bool(j, "yes", true);
	json_bool(j, "no", false);
	json_object_end(j);
}

static const char all_text[] =
	"{\"s\":\"a\\\"b\\\\\\\\c\\\\x0a\",\"null\":null,\"empty\":\"\",\"nul\":\"x\\\\x00y\","
	"\"list\":[0,18446744073709551615,-9223372036854775808,9223372036854775807,-1,[],{}],"
	"\"hex\":\"0xdeadbeefcafef00d\",\"hex0\":\"0x0\",\"yes\":true,\"no\":false}";

static void test_everything(void **state)
{
	struct jsonc_object *o, *list;
	char text[1024];
	struct json j;

	(void)state;
	json_init(&j, text, sizeof(text));
	write_all(&j);
	assert_int_equal(json_finish(&j), strlen(all_text));
	assert_string_equal(text, all_text);
	o = parse(text, strlen(text));
	list = json_object_object_get(o, "list");
	assert_int_equal(json_object_array_length(list), 7);
	assert_true(json_object_get_uint64(json_object_array_get_idx(list, 1)) == UINT64_MAX);
	assert_true(json_object_get_int64(json_object_array_get_idx(list, 2)) == INT64_MIN);
	assert_true(json_object_get_int64(json_object_array_get_idx(list, 3)) == INT64_MAX);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "s")),
			    "a\"b\\\\c\\x0a");
	json_object_put(o);
}

/* At every capacity the text is whole or refused, and no byte is written behind the block. */
static void test_every_capacity(void **state)
{
	const size_t full = strlen(all_text);
	char text[1024];
	struct json j;

	(void)state;
	for (size_t cap = 0; cap <= full + 2; cap++) {
		memset(text, 0x5a, sizeof(text));
		json_init(&j, text, cap);
		write_all(&j);
		assert_int_equal(json_finish(&j), cap > full ? full : 0);
		assert_int_equal(j.overflow, cap <= full);
		for (size_t i = cap; i < sizeof(text); i++)
			assert_int_equal(text[i], 0x5a);
		/* Once too much, always too much: a short value behind it does not revive it. */
		if (cap <= full) {
			json_bool(&j, NULL, true);
			assert_int_equal(json_finish(&j), 0);
		}
	}
}

enum { DEPTH = 16 };

static void test_nesting(void **state)
{
	char text[256];
	struct json j;

	(void)state;
	for (int n = 1; n <= 40; n++) {
		json_init(&j, text, sizeof(text));
		for (int i = 0; i < n; i++) {
			json_array(&j, NULL);
			json_u64(&j, NULL, 1);
		}
		for (int i = 0; i < n; i++) {
			json_array_end(&j);
			/* a comma is due behind what was closed */
			if (i + 1 < n)
				json_u64(&j, NULL, 2);
		}
		if (n > DEPTH) {
			assert_int_equal(json_finish(&j), 0);
			continue;
		}
		assert_true(json_finish(&j) > 0);
		json_object_put(parse(text, strlen(text)));
	}
}

static void test_open_nesting(void **state)
{
	char text[64];
	struct json j;

	(void)state;
	json_init(&j, text, sizeof(text));
	assert_int_equal(json_finish(&j), 0);
	json_object(&j, NULL);
	assert_int_equal(json_finish(&j), 0);
	json_object_end(&j);
	assert_int_equal(json_finish(&j), 2);
	json_object_end(&j); /* one too many */
	assert_int_equal(json_finish(&j), 0);
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Undo the mapping of base/json.h: "\\xHH" and "\\\\" (as the reader hands them over). */
static void undo(const char *s, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len;) {
		char c = s[i];

		if (c != '\\') {
			i += 1;
		} else if (s[i + 1] == '\\') {
			i += 2;
		} else {
			assert_int_equal(s[i + 1], 'x');
			c = (char)(hex(s[i + 2]) << 4 | hex(s[i + 3]));
			i += 4;
		}
		assert_int_equal(buf_put(out, &c, 1), 0);
	}
}

static void check_round_trip(const unsigned char *in, size_t len)
{
	_cleanup_buf_ struct buf back = BUF_INIT;
	struct jsonc_object *o, *value;
	char text[1024];
	struct json j;
	size_t n;

	json_init(&j, text, sizeof(text));
	json_object(&j, NULL);
	json_bytes(&j, "v", in, len);
	json_object_end(&j);
	n = json_finish(&j);
	assert_true(n > 0);
	assert_int_equal(strlen(text), n);
	for (size_t i = 0; i < n;) {
		const unsigned char *p = (const unsigned char *)text + i;
		size_t c = text_utf8_len(p, n - i);

		assert_true(c > 0 && text_is_shown(p, c));
		i += c;
	}
	o = parse(text, n);
	assert_int_equal(json_object_object_length(o), 1);
	value = json_object_object_get(o, "v");
	undo(json_object_get_string(value), (size_t)json_object_get_string_len(value), &back);
	assert_int_equal(back.len, len);
	if (len > 0)
		assert_memory_equal(back.data, in, len);
	json_object_put(o);
}

static void test_random_bytes(void **state)
{
	static const char spice[] =
		"\\\"x\\\\1b\n\x1b{}[],:/u0041\xe2\x80\xae\xc2\x9b\xc3\xbc\xf0\x9f"
		"\x90\xa7\xed\xa0\x80\xc0\xaf\x7f\x00";
	uint64_t x = 0x2545f4914f6cdd1d;

	(void)state;
	for (int round = 0; round < 10000; round++) {
		unsigned char in[100];
		size_t len = (size_t)round % (sizeof(in) + 1);

		for (size_t i = 0; i < len; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			in[i] = (unsigned char)(x >> 40);
			/* half the rounds are drawn from what is special, in its order and not */
			if (round & 1)
				in[i] = (unsigned char)
					spice[x & 4 ? i % sizeof(spice) : (x >> 8) % sizeof(spice)];
		}
		check_round_trip(in, len);
	}
}

static void test_every_byte_and_pair(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		const unsigned char in[2] = { (unsigned char)(v >> 8), (unsigned char)v };

		if (v < 256)
			check_round_trip(in + 1, 1);
		check_round_trip(in, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),   cmocka_unit_test(test_every_capacity),
		cmocka_unit_test(test_nesting),	     cmocka_unit_test(test_open_nesting),
		cmocka_unit_test(test_random_bytes), cmocka_unit_test(test_every_byte_and_pair),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
