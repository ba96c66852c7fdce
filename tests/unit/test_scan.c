// SPDX-License-Identifier: Apache-2.0
/* JSON as the readers of a log scan it: what is none is refused, wherever in a string it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/scan.h"

static bool is_json(const char *text, size_t len)
{
	struct scan root;

	return scan_text(text, len, &root) == 0;
}

/* Each byte at each place of a string, as bytes are looked at eight at a time. */
static void each_byte_in_each_place(void **state)
{
	(void)state;
	for (size_t len = 1; len < 40; len++) {
		for (size_t at = 0; at < len; at++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				char text[64];
				bool want =
					byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
				size_t n = 0;

				n += (size_t)sprintf(text, "{\"k\":\"");
				memset(text + n, 'a', len);
				text[n + at] = (char)byte;
				/* a backslash before an a is no escape; a quote ends too early */
				n += len;
				memcpy(text + n, "\"}", 2);
				if (is_json(text, n + 2) != want)
					fail_msg("byte 0x%02x at %zu of %zu", byte, at, len);
			}
		}
	}
}

static void strings_are_cut_nowhere(void **state)
{
	static const char text[] = "{\"key\":\"0123456789abcdef \\u00e9 \\ud83d\\ude00 \xc3\xa9 "
				   "0123456\\\"789\",\"n\":[1,-2.5e3,null,true,{}]}";
	char out[128];
	struct scan root, value;
	size_t len = sizeof(text) - 1;

	(void)state;
	assert_int_equal(scan_text(text, len, &root), 0);
	assert_true(scan_get(&root, "key", &value));
	assert_true(scan_string(&value, out, sizeof(out)) > 0);
	assert_string_equal(out,
			    "0123456789abcdef \xc3\xa9 \xf0\x9f\x98\x80 \xc3\xa9 0123456\"789");
	for (size_t cut = 0; cut < len; cut++)
		assert_false(is_json(text, cut));
	/* a surrogate without its pair, an escape that is none, a control */
	assert_false(is_json("{\"a\":\"\\ud83d\"}", 14));
	assert_false(is_json("{\"a\":\"0123456\\x\"}", 17));
	assert_false(is_json("{\"a\":\"0123456789\n\"}", 19));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_in_each_place),
		cmocka_unit_test(strings_are_cut_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
