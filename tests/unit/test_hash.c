// SPDX-License-Identifier: Apache-2.0
/* SHA-256 against the examples of FIPS 180-4 (NIST's SHA256.pdf and its appendix), and hex. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/hash.h"

static void expect(const void *data, size_t len, const char *hex)
{
	char got[HASH_HEX + 1];
	struct hash h;

	hash_bytes(data, len, &h);
	hash_hex(&h, got);
	assert_string_equal(got, hex);
}

static void test_vectors(void **state)
{
	_cleanup_free_ char *million = malloc(1000000);

	(void)state;
	assert_non_null(million);
	memset(million, 'a', 1000000);
	expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect(million, 1000000,
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However a text is cut, the sum is the same. */
static void test_blocks(void **state)
{
	unsigned char text[300];
	struct hash_state st;
	struct hash whole, parts;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * 7);
	hash_bytes(text, sizeof(text), &whole);
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		hash_begin(&st);
		hash_add(&st, text, cut);
		hash_add(&st, text + cut, 0);
		hash_add(&st, text + cut, sizeof(text) - cut);
		hash_end(&st, &parts);
		assert_memory_equal(&whole, &parts, sizeof(whole));
	}
	text[299] ^= 1;
	hash_bytes(text, sizeof(text), &parts);
	assert_memory_not_equal(&whole, &parts, sizeof(whole));
}

static void test_hex(void **state)
{
	char hex[HASH_HEX + 1], again[HASH_HEX + 1];
	struct hash h, back;

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned i = 0; i < HASH_BYTES; i++)
			h.byte[i] = (uint8_t)(first + i);
		hash_hex(&h, hex);
		assert_int_equal(strlen(hex), HASH_HEX);
		assert_int_equal(hash_from_hex(hex, &back), 0);
		assert_memory_equal(&h, &back, sizeof(h));
		hash_hex(&back, again);
		assert_string_equal(hex, again);
	}
}

static void test_bad_hex(void **state)
{
	static const char bad[] = "ABCDEFGg/:`@ x-+\n";
	char hex[HASH_HEX + 2];
	struct hash h = { { 1, 2, 3 } }, before = h;

	(void)state;
	memset(hex, '0', sizeof(hex));
	hex[HASH_HEX + 1] = '\0';
	assert_int_equal(hash_from_hex(hex, &h), -EINVAL); /* one digit too many */
	hex[HASH_HEX] = '\0';
	for (size_t at = 0; at < HASH_HEX; at++) {
		for (const char *c = bad; *c; c++) {
			hex[at] = *c;
			assert_int_equal(hash_from_hex(hex, &h), -EINVAL);
		}
		hex[at] = '0';
	}
	hex[HASH_HEX - 1] = '\0';
	assert_int_equal(hash_from_hex(hex, &h), -EINVAL);
	assert_int_equal(hash_from_hex("", &h), -EINVAL);
	assert_memory_equal(&h, &before, sizeof(h));
	hex[HASH_HEX - 1] = 'f';
	assert_int_equal(hash_from_hex(hex, &h), 0);
	assert_int_equal(h.byte[HASH_BYTES - 1], 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_bad_hex),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
