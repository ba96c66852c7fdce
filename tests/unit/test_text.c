// SPDX-License-Identifier: Apache-2.0
/* Numbers parse in full or not at all; what is shown cannot drive a terminal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/text.h"

struct number {
	const char *text;
	uint64_t value;
};

typedef int (*parser)(const char *, uint64_t *);

static void expect_good(parser parse, const struct number *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t got = 77;

		if (parse(list[i].text, &got) != 0 || got != list[i].value)
			fail_msg("'%s' became %llu", list[i].text, (unsigned long long)got);
	}
}

static void expect_bad(parser parse, int code, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t got = 77;
		int r = parse(list[i], &got);

		if (r != code || got != 77)
			fail_msg("'%s': %d, %llu", list[i], r, (unsigned long long)got);
	}
}

static const char *const never[] = {
	"",    " ",    "-",    "-1",	"+1",	    " 1",	    "1 ",    "\t1",
	"1\n", "x",    "0x",   "0X",	"0xg",	    "08",	    "09",    "018",
	"1.0", "1e3",  "1,0",  "1_0",	"#1",	    "0b1",	    "0x ",   "--1",
	"0-1", "0x-1", "0x+1", "0x 10", "\xc2\xb2", "\xef\xbc\x91", "1\x80",
};

static void test_u64(void **state)
{
	static const struct number good[] = {
		{ "0", 0 },
		{ "00", 0 },
		{ "7", 7 },
		{ "10", 10 },
		{ "010", 8 },
		{ "0777", 0777 },
		{ "0x0", 0 },
		{ "0x1f", 31 },
		{ "0X1F", 31 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
		{ "01777777777777777777777", UINT64_MAX },
		{ "0x00000000000000000000000000000000001", 1 },
	};
	static const char *const large[] = {
		"18446744073709551616",	    "18446744073709551625", "99999999999999999999999999999",
		"0x10000000000000000",	    "0x1ffffffffffffffff",  "02000000000000000000000",
		"184467440737095516150000",
	};
	static const char *const units[] = { "1K", "1s", "1ms", "0x1G", "K" };

	(void)state;
	expect_good(text_parse_u64, good, ARRAY_SIZE(good));
	expect_bad(text_parse_u64, -ERANGE, large, ARRAY_SIZE(large));
	expect_bad(text_parse_u64, -EINVAL, never, ARRAY_SIZE(never));
	expect_bad(text_parse_u64, -EINVAL, units, ARRAY_SIZE(units));
}

static void test_size(void **state)
{
	static const struct number good[] = {
		{ "0", 0 },
		{ "0K", 0 },
		{ "512", 512 },
		{ "1K", 1024 },
		{ "512M", UINT64_C(512) << 20 },
		{ "4G", UINT64_C(4) << 30 },
		{ "2T", UINT64_C(2) << 40 },
		{ "0x10K", 16384 },
		{ "010K", 8192 },
		{ "16777215T", UINT64_C(16777215) << 40 },
		{ "18446744073709551615", UINT64_MAX },
		{ "18014398509481983K", UINT64_MAX - 1023 },
	};
	static const char *const large[] = {
		"16777216T",
		"18014398509481984K",
		"18446744073709551615K",
		"18446744073709551616",
	};
	static const char *const bad[] = {
		"K", "1k", "1m", "1KK", "1KB", "1KiB", "1 K", "1K ", "1P", "1E", "1B", "M1", "1GT",
	};

	(void)state;
	expect_good(text_parse_size, good, ARRAY_SIZE(good));
	expect_bad(text_parse_size, -ERANGE, large, ARRAY_SIZE(large));
	expect_bad(text_parse_size, -EINVAL, bad, ARRAY_SIZE(bad));
	expect_bad(text_parse_size, -EINVAL, never, ARRAY_SIZE(never));
}

static void test_duration(void **state)
{
	static const struct number good[] = {
		{ "0", 0 },
		{ "90", 90000 },
		{ "90s", 90000 },
		{ "250ms", 250 },
		{ "2m", 120000 },
		{ "1h", 3600000 },
		{ "1d", 86400000 },
		{ "18446744073709551615ms", UINT64_MAX },
		{ "18446744073709551s", UINT64_C(18446744073709551000) },
		{ "213503982334d", UINT64_C(213503982334) * 86400000 },
	};
	static const char *const large[] = {
		"18446744073709552",	  "18446744073709552s",	   "213503982335d",
		"18446744073709551616ms", "18446744073709551615h",
	};
	static const char *const bad[] = {
		"ms", "s", "1S", "1M", "1w", "1sec", "1 s", "1s ", "1sm", "1hs", "1m30s", "1us",
	};

	(void)state;
	expect_good(text_parse_duration_ms, good, ARRAY_SIZE(good));
	expect_bad(text_parse_duration_ms, -ERANGE, large, ARRAY_SIZE(large));
	expect_bad(text_parse_duration_ms, -EINVAL, bad, ARRAY_SIZE(bad));
	expect_bad(text_parse_duration_ms, -EINVAL, never, ARRAY_SIZE(never));
}

static void test_starts_with(void **state)
{
	(void)state;
	assert_true(text_starts_with("abc", "ab"));
	assert_true(text_starts_with("abc", "abc"));
	assert_true(text_starts_with("abc", ""));
	assert_true(text_starts_with("", ""));
	assert_false(text_starts_with("ab", "abc"));
	assert_false(text_starts_with("", "a"));
	assert_false(text_starts_with("xab", "ab"));
}

/* RFC 3629, section 3: the octets of one character. Returns their number, 0 for what is none. */
static size_t encode(uint32_t c, unsigned char out[4])
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (c < 0x80) {
		out[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (unsigned char)(0xc0 | c >> 6);
		out[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (unsigned char)(0xe0 | c >> 12);
		out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | c >> 18);
	out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static void test_every_character(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		unsigned char s[4] = { 0 };
		size_t n = encode(c, s);

		if (n == 0)
			continue;
		if (text_utf8_len(s, n) != n)
			fail_msg("U+%04X is %zu bytes, not %zu", c, n, text_utf8_len(s, n));
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(text_utf8_len(s, cut), 0);
		if (text_is_shown(s, n) == is_control(c))
			fail_msg("U+%04X is %s", c, is_control(c) ? "shown" : "not shown");
	}
	assert_false(text_is_shown((const unsigned char *)"a", 0));
}

static size_t reference_len(const unsigned char *p, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
		unsigned char again[4];

		for (size_t i = 1; i < n; i++)
			c = c << 6 | (p[i] & 0x3fU);
		if (encode(c, again) == n && memcmp(again, p, n) == 0)
			return n;
	}
	return 0;
}

/* All sequences of two bytes, and all of four whose bytes lie at the borders of RFC 3629's
 * ranges: overlong forms, surrogates, values too large and wrong followers among them. */
static void test_every_border(void **state)
{
	static const unsigned char at[] = { 0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f,
					    0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
					    0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4,
					    0xf5, 0xf7, 0xf8, 0xfc, 0xfe, 0xff };
	const size_t n = sizeof(at);
	unsigned char s[4];

	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		s[0] = (unsigned char)(v >> 8);
		s[1] = (unsigned char)v;
		assert_int_equal(text_utf8_len(s, 2), reference_len(s, 2));
	}
	for (size_t i = 0; i < n * n * n * n; i++) {
		s[0] = at[i % n];
		s[1] = at[i / n % n];
		s[2] = at[i / n / n % n];
		s[3] = at[i / n / n / n];
		for (size_t left = 1; left <= 4; left++) {
			if (text_utf8_len(s, left) != reference_len(s, left))
				fail_msg("%02x %02x %02x %02x (%zu): %zu", s[0], s[1], s[2], s[3],
					 left, text_utf8_len(s, left));
		}
	}
}

static void expect_escape(const char *in, size_t len, const char *out)
{
	_cleanup_buf_ struct buf buf = BUF_INIT;

	assert_int_equal(buf_puts(&buf, "<"), 0);
	assert_int_equal(text_escape(&buf, in, len), 0);
	assert_string_equal(buf.data + 1, out);
	assert_int_equal(buf.len, strlen(out) + 1);
}

static void test_escape(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "plain 'text' \"~\"", "plain 'text' \"~\"" },
		{ "\\", "\\\\" },
		{ "\\x1b", "\\\\x1b" },
		{ "\x1b[2J", "\\x1b[2J" },
		{ "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b", "\\xc2\\x9b" }, /* CSI as one character */
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\x9b", "\\x9b" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* right-to-left override */
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" }, /* zero width space */
		{ "\xd8\x9c", "\\xd8\\x9c" },	       /* Arabic letter mark */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" }, /* byte order mark */
		{ "\xe2\x82\xac\xf0\x9f\x90\xa7", "\xe2\x82\xac\xf0\x9f\x90\xa7" },
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* overlong '/' */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* U+110000 */
		{ "\xe2\x82", "\\xe2\\x82" },			/* cut */
		{ "\xe2\x82z", "\\xe2\\x82z" },
		{ "\xf0\x9f\x90", "\\xf0\\x9f\\x90" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_escape(cases[i].in, strlen(cases[i].in), cases[i].out);
	expect_escape("a\0b", 3, "a\\x00b");
	/* len is obeyed: the rest of the character lies behind it. */
	expect_escape("\xc3\xbc", 1, "\\xc3");
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* What was escaped can be undone, and holds nothing but shown characters. */
static void test_escape_is_exact(void **state)
{
	uint64_t x = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		_cleanup_buf_ struct buf buf = BUF_INIT, back = BUF_INIT;
		unsigned char in[48];
		size_t len = (size_t)round % sizeof(in);

		for (size_t i = 0; i < len; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			in[i] = (unsigned char)(x >> 24);
			if (x & 1)
				in[i] = (unsigned char)"\\x1b\xe2\x80\xae\xc2\x9b"[x % 10];
		}
		assert_int_equal(text_escape(&buf, in, len), 0);
		for (size_t i = 0; i < buf.len;) {
			const unsigned char *p = (unsigned char *)buf.data + i;
			size_t n = text_utf8_len(p, buf.len - i);

			assert_true(n > 0 && text_is_shown(p, n));
			if (*p != '\\') {
				assert_int_equal(buf_put(&back, p, n), 0);
				i += n;
			} else if (p[1] == '\\') {
				assert_int_equal(buf_put(&back, "\\", 1), 0);
				i += 2;
			} else {
				char c = (char)(hex(buf.data[i + 2]) << 4 | hex(buf.data[i + 3]));

				assert_int_equal(p[1], 'x');
				assert_int_equal(buf_put(&back, &c, 1), 0);
				i += 4;
			}
		}
		assert_int_equal(back.len, len);
		if (len > 0)
			assert_memory_equal(back.data, in, len);
	}
}

static void test_distance(void **state)
{
	char long_a[LIMIT_NAME + 2], long_b[LIMIT_NAME + 2];

	(void)state;
	assert_int_equal(text_distance("", "", 9), 0);
	assert_int_equal(text_distance("openat", "openat", 9), 0);
	assert_int_equal(text_distance("opnat", "openat", 9), 1);
	assert_int_equal(text_distance("openat", "opnat", 9), 1);
	assert_int_equal(text_distance("openat", "openet", 9), 1);
	assert_int_equal(text_distance("kitten", "sitting", 9), 3);
	assert_int_equal(text_distance("", "abc", 9), 3);
	assert_int_equal(text_distance("abc", "", 9), 3);
	assert_int_equal(text_distance("abcdef", "uvwxyz", 4), 4);
	assert_int_equal(text_distance("a", "b", 0), 0);
	/* At the bound, and past it: no stack is overrun, the answer is "far". */
	memset(long_a, 'a', sizeof(long_a));
	memset(long_b, 'b', sizeof(long_b));
	long_a[LIMIT_NAME] = long_b[LIMIT_NAME] = '\0';
	assert_int_equal(text_distance(long_a, long_b, 1000), LIMIT_NAME);
	assert_int_equal(text_distance(long_a, long_a, 1000), 0);
	long_a[LIMIT_NAME] = 'a';
	long_a[LIMIT_NAME + 1] = '\0';
	assert_int_equal(text_distance(long_a, long_b, 1000), 1000);
	assert_int_equal(text_distance(long_b, long_a, 1000), 1000);
}

static void test_variables(void **state)
{
	static const char *const good[] = { "A", "_", "LC_ALL", "a9" },
				 *const starred[] = { "LC_*", "_*" },
				 *const bad[] = { "",	 "*",	"9a",  "A-B", "A*B",
						  "A=B", "A B", "A**", "A\n", "\303\244" };
	char name[LIMIT_NAME + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(text_is_variable(good[i], false) && text_is_variable(good[i], true));
	for (size_t i = 0; i < sizeof(starred) / sizeof(*starred); i++)
		assert_true(!text_is_variable(starred[i], false) &&
			    text_is_variable(starred[i], true));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(!text_is_variable(bad[i], false) && !text_is_variable(bad[i], true));
	memset(name, 'A', sizeof(name));
	name[LIMIT_NAME - 1] = '\0';
	assert_true(text_is_variable(name, false));
	name[LIMIT_NAME - 1] = 'A';
	name[LIMIT_NAME] = '\0';
	assert_false(text_is_variable(name, false));
	name[LIMIT_NAME - 1] = '*';
	assert_true(text_is_variable(name, true));
	name[LIMIT_NAME - 1] = 'A';
	name[LIMIT_NAME] = '*';
	name[LIMIT_NAME + 1] = '\0';
	assert_false(text_is_variable(name, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_starts_with),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_every_border),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_is_exact),
		cmocka_unit_test(test_distance),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
