// SPDX-License-Identifier: Apache-2.0
/*
 * Every argument of every call, for every ABI: each has a kind that says something, those that
 * depend on another one are explained, and whatever registers and memory hold, the record is JSON,
 * short enough and without a control character. CORDON_SURVEY=1 prints the list.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/decode.h"
#include "audit/format.h"
#include "audit/scan.h"
#include "base/fd.h"
#include "policies/consts_table.h"
#include "policies/layout_table.h"
#include "policies/syscall_table.h"

static const char *const kinds[_KIND_MAX] = {
	[KIND_NUMBER] = "number",   [KIND_FD] = "fd",
	[KIND_DIRFD] = "dirfd",	    [KIND_PATH] = "path",
	[KIND_STRING] = "string",   [KIND_SOCKADDR] = "sockaddr",
	[KIND_FLAGS] = "flags",	    [KIND_ENUM] = "enum",
	[KIND_MODE] = "mode",	    [KIND_PID] = "pid",
	[KIND_SIGNAL] = "signal",   [KIND_SIZE] = "size",
	[KIND_UID] = "uid",	    [KIND_GID] = "gid",
	[KIND_ID16] = "id16",	    [KIND_DEVICE] = "device",
	[KIND_SIGSET] = "sigset",   [KIND_STRUCT] = "struct",
	[KIND_ARRAY] = "array",	    [KIND_POINTERS] = "pointers",
	[KIND_ARGV] = "argv",	    [KIND_FDS] = "fds",
	[KIND_BITS] = "bits",	    [KIND_BYTES] = "bytes",
	[KIND_CONTROL] = "control", [KIND_WORD] = "word",
	[KIND_ADDRESS] = "address", [KIND_DATA] = "data",
	[KIND_OUT] = "out",	    [KIND_SKIP] = "skip",
};

/* What is a plain number and nothing more, by the kernel's names. A new call's argument comes here
 * only by somebody's hand, who thought about it. */
static const char *const numbers[] = {
	"backlog",    "bufsiz",	   "bytecount",	 "cookie64",	"cookie_high",	"cookie_low",
	"count",      "cpu",	   "cpu_id",	 "entries",	"error_code",	"from",
	"gidsetsize", "home_node", "id",	 "increment",	"len_high",	"len_low",
	"level",      "liovcnt",   "maxevents",	 "maxnode",	"min_complete", "min_nr",
	"msg_prio",   "msgtyp",	   "msqid",	 "n",		"nbytes_high",	"nbytes_low",
	"new_len",    "nfds",	   "niceval",	 "nr",		"nr_args",	"nr_events",
	"nr_futexes", "nr_pages",  "nr_requeue", "nr_segments", "nr_segs",	"nr_wake",
	"nsems",      "nsops",	   "num",	 "off",		"offset",	"offset_high",
	"offset_low", "old_len",   "pgoff",	 "pkey",	"pos",		"pos_h",
	"pos_high",   "pos_l",	   "pos_low",	 "riovcnt",	"rseq_len",	"seconds",
	"semid",      "semnum",	   "shmid",	 "size",	"timeout",	"timeout_msecs",
	"timer_id",   "to_submit", "turn_on",	 "usize",	"val",		"val3",
	"vlen",	      "wd",	   "who",	 "max_fd",
};

/* The same of single calls: signatures, masks, obsolete functions. */
static const struct {
	const char *call, *arg;
} numbers_of[] = {
	{ "bdflush", "data" },	  { "bdflush", "func" },   { "futex_wait", "mask" },
	{ "futex_wake", "mask" }, { "nfsservctl", "cmd" }, { "query_module", "which" },
	{ "rseq", "sig" },	  { "sysfs", "option" },   { "vm86", "cmd" },
};

/* Arguments that depend on something that is not in the tables: of calls that no kernel has. */
static const char *const unexplained[] = { "vm86" };

static bool is_among(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], word) == 0)
			return true;
	}
	return false;
}

static bool is_plain(const char *call, const struct syscall_arg *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers_of); i++) {
		if (strcmp(numbers_of[i].call, call) == 0 &&
		    strcmp(numbers_of[i].arg, arg->name) == 0)
			return true;
	}
	return arg->of != CONSTS_NONE || is_among(numbers, ARRAY_SIZE(numbers), arg->name);
}

static bool is_pointer(uint8_t kind)
{
	switch (kind) {
	case KIND_PATH:
	case KIND_STRING:
	case KIND_SOCKADDR:
	case KIND_STRUCT:
	case KIND_ARRAY:
	case KIND_POINTERS:
	case KIND_ARGV:
	case KIND_FDS:
	case KIND_BITS:
	case KIND_BYTES:
	case KIND_CONTROL:
	case KIND_DATA:
	case KIND_OUT:
		return true;
	default:
		return false;
	}
}

/* explained: a line of its own says what it is, also where that is a number. */
static void check_arg(const char *call, enum abi abi, const struct syscall_view *view, unsigned i,
		      bool explained)
{
	const struct syscall_arg *arg = &view->args[i];

	if (getenv("CORDON_SURVEY"))
		print_message("%-8s %-24s %-16s %s %s\n", abi_name(abi), call, arg->name,
			      kinds[arg->kind],
			      arg->of == 0 ? ""
			      : arg->kind == KIND_STRUCT || arg->kind == KIND_ARRAY ||
					      arg->kind == KIND_POINTERS
				      ? layout_gen_pool + layout_gen_table[arg->of].name
				      : "of a set");
	if (arg->kind == KIND_NUMBER && !explained && !is_plain(call, arg))
		fail_msg("%s: '%s' is a number: of what? policies/syscalls.tbl", call, arg->name);
	if ((arg->kind == KIND_FLAGS || arg->kind == KIND_ENUM) &&
	    (arg->of == CONSTS_NONE || arg->of >= _CONSTS_MAX))
		fail_msg("%s: '%s' has no names", call, arg->name);
	if (is_pointer(arg->kind) != (arg->width == WIDTH_PTR) && arg->kind != KIND_ADDRESS &&
	    arg->kind != KIND_WORD && arg->kind != KIND_SKIP)
		fail_msg("%s: '%s' is %s and no pointer, or the other way", call, arg->name,
			 kinds[arg->kind]);
	if (arg->length && !(arg->length & SYSCALL_LENGTH_FIXED))
		assert_true(arg->length <= view->n && arg->length != i + 1);
}

static void every_argument_has_a_kind(void **state)
{
	static const uint64_t none[6] = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
					  UINT64_MAX, UINT64_MAX, UINT64_MAX };
	size_t n, seen = 0, forms = 0;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
			struct syscall_view view;

			if (table[i].nr[abi] < 0)
				continue;
			syscall_view(&table[i], (enum abi)abi, none, &view);
			forms += view.n != table[i].n_args;
			for (unsigned k = 0; k < view.n; k++, seen++)
				check_arg(table[i].name, (enum abi)abi, &view, k, false);
		}
	}
	assert_in_range(seen, 3000, 6000);
	assert_true(forms > 5); /* i386 has its own */
}

/* --- what depends on another argument ------------------------------------------------------ */

static const char *const patterns[] = { "\xff",	      "\x01",	 "a", "\0", "\x01\0\0\0\0\0\0\0",
					"\x08\0\0\0", "\x80\x00" };
static const size_t lengths[] = { 1, 1, 1, 1, 8, 4, 2 };

/* Every address has memory, and it is all alike. */
static ssize_t read_pattern(void *ctx, uint64_t addr, void *buf, size_t len)
{
	const unsigned which = *(const unsigned *)ctx;
	char *out = buf;

	(void)addr;
	for (size_t i = 0; i < len; i++)
		out[i] = patterns[which][i % lengths[which]];
	return (ssize_t)len;
}

/* What format_denial() leaves for everything but "decoded" of a record. */
enum { ROOM = FORMAT_BODY - 6144 };
static char out[256 * 1024];
static size_t longest;
static FILE *dump;
static bool kept; /* what is decoded now belongs to the selection */

static void check_json(const char *call, size_t text_max)
{
	const size_t len = strlen(out);
	struct scan root;

	if (scan_text(out, len, &root) < 0)
		fail_msg("%s: no JSON: %.300s", call, out);
	for (size_t i = 0; i < len; i++)
		assert_true((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
	if (text_max < DECODE_TEXT_MIN && len > longest)
		longest = len;
	if (text_max < DECODE_TEXT_MIN && len > ROOM)
		fail_msg("%s: %zu bytes with the shortest texts: %.300s", call, len, out);
}

static void decode_with(const struct syscall_desc *call, enum abi abi, const uint64_t args[6])
{
	static const size_t text_max[] = { DECODE_TEXT_MAX, DECODE_TEXT_MIN / 2 };
	const struct decode_call c = { call, abi, args };
	for (unsigned p = 0; p < ARRAY_SIZE(patterns); p++) {
		const struct decode_memory memory = { read_pattern, &p };

		for (unsigned t = 0; t < ARRAY_SIZE(text_max); t++) {
			struct json j;

			json_init(&j, out, sizeof(out));
			json_object(&j, NULL);
			decode_args(&j, &c, &memory, text_max[t]);
			json_object_end(&j);
			if (json_finish(&j) == 0)
				fail_msg("%s: too long or too deep", call->name);
			check_json(call->name, text_max[t]);
			if (dump && t == 1 && kept && (p & 1) == 0)
				(void)fprintf(dump, "%s\n", out);
		}
	}
}

/* Every line of the tables that explains an argument, reached by its own values. */
static void conditions(void **state)
{
	size_t n, reached = 0;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct syscall_desc *call = &table[i];
		bool words = false;

		for (unsigned k = 0; k < call->n_args; k++)
			words = words || call->args[k].kind == KIND_WORD;
		if (words && call->n_whens == 0 &&
		    !is_among(unexplained, ARRAY_SIZE(unexplained), call->name))
			fail_msg("%s: nothing explains its words", call->name);
		for (unsigned w = 0; w < call->n_whens; w++) {
			const struct syscall_gen_when *when =
				&syscall_gen_whens[call->first_when + w];
			uint64_t args[6] = { 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000 };
			enum abi abi = call->nr[ABI_NATIVE] >= 0 ? ABI_NATIVE : ABI_I386;
			struct syscall_view view;

			if (call->nr[abi] < 0)
				continue;
			args[when->arg] = when->value;
			if (when->second_arg)
				args[when->second_arg - 1] = when->second;
			syscall_view(call, abi, args, &view);
			for (unsigned k = 0; k < view.n; k++) {
				if (view.args[k].kind == KIND_WORD)
					fail_msg("%s: '%s' is not explained by line %u", call->name,
						 view.args[k].name, w);
				check_arg(call->name, abi, &view, k, true);
			}
			kept = true;
			decode_with(call, abi, args);
			reached++;
		}
	}
	assert_in_range(reached, 400, 2000);
}

static void any_registers(void **state)
{
	static const uint64_t values[] = { 0, 1, 8, 0x1000, 0x7fffffff, 0x80000001, UINT64_MAX };
	size_t n;
	const struct syscall_desc *table = syscall_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
			for (size_t v = 0; v < ARRAY_SIZE(values) && table[i].nr[abi] >= 0; v++) {
				const uint64_t args[6] = { values[v], values[v], values[v],
							   values[v], values[v], values[v] };

				/* of an address that is readable: some thousand lines */
				kept = v == 3 && abi != ABI_X32;
				decode_with(&table[i], (enum abi)abi, args);
			}
		}
	}
	print_message("the longest with the shortest texts: %zu bytes\n", longest);
}

/* --- sets and structures ------------------------------------------------------------------- */

static void sets(void **state)
{
	char text[1024];

	(void)state;
	for (unsigned set = 1; set < _CONSTS_MAX; set++) {
		assert_true(consts_gen_sets[set].n > 0);
		/* No bits at all, every bit, and each alone: never nothing, never past the buffer.
		 */
		for (unsigned bit = 0; bit < 66; bit++) {
			uint64_t value = bit < 64 ? UINT64_C(1) << bit : bit == 64 ? 0 : UINT64_MAX;

			for (unsigned abi = 0; abi < _ABI_MAX; abi++) {
				consts_spell((enum consts_set)set, (enum abi)abi, value, text,
					     sizeof(text));
				assert_true(text[0] != '\0' && text[0] != '|');
				assert_null(strstr(text, "||"));
				assert_null(strstr(text, "...")); /* all of them fit */
				consts_spell((enum consts_set)set, (enum abi)abi, value, text, 20);
				assert_true(strlen(text) < 20);
			}
		}
	}
	for (size_t cap = 1; cap < 40; cap++) {
		consts_spell(CONSTS_OPEN_FLAGS, ABI_X86_64, 03101, text, cap);
		assert_true(strlen(text) < cap);
	}
	assert_string_equal(consts_spell(CONSTS_OPEN_FLAGS, ABI_X86_64, 03101, text, 64),
			    "O_WRONLY|O_CREAT|O_TRUNC|O_APPEND");
	assert_string_equal(consts_spell(CONSTS_OPEN_FLAGS, ABI_X86_64, 03101, text, 24),
			    "O_WRONLY|O_CREAT|...");
	assert_string_equal(consts_spell(CONSTS_OPEN_FLAGS, ABI_X86_64, 0400000, text, 64),
			    "O_RDONLY|O_NOFOLLOW");
	assert_string_equal(consts_spell(CONSTS_OPEN_FLAGS, ABI_AARCH64, 0400000, text, 64),
			    "O_RDONLY|O_LARGEFILE");
	assert_string_equal(consts_spell(CONSTS_QUOTA_CMD, ABI_X86_64, 0x80000701, text, 64),
			    "Q_GETQUOTA|GRPQUOTA");
	assert_string_equal(consts_spell(CONSTS_IOPRIO, ABI_X86_64, 2 << 13 | 4, text, 64),
			    "IOPRIO_CLASS_BE|0x4");
	assert_string_equal(consts_spell(CONSTS_IPC_GET, ABI_X86_64, 01600, text, 64),
			    "IPC_CREAT|0600");
	assert_string_equal(consts_spell(CONSTS_ETHER_PROTOCOL, ABI_X86_64, 0x0300, text, 64),
			    "ETH_P_ALL");
	assert_string_equal(consts_spell(CONSTS_KEYRING, ABI_X86_64, (uint64_t)-7, text, 64),
			    "KEY_SPEC_REQKEY_AUTH_KEY");
	assert_string_equal(consts_spell(CONSTS_WHENCE, ABI_X86_64, (uint64_t)-7, text, 64), "-7");
	assert_string_equal(consts_spell(CONSTS_CAPS_HIGH, ABI_X86_64, 0x101, text, 64),
			    "CAP_MAC_OVERRIDE|CAP_CHECKPOINT_RESTORE");
}

/* Fields lie inside, in order, and lengths are of fields that there are. */
static void structures(void **state)
{
	size_t fields = 0;

	(void)state;
	for (unsigned l = 1; l < _LAYOUT_MAX; l++) {
		for (unsigned column = 0; column < _LAYOUT_COLUMN_MAX; column++) {
			struct layout_desc desc;
			struct layout_field field;

			layout_describe((enum layout)l, (enum layout_column)column, &desc);
			assert_true(desc.size > 0 && desc.size <= 4096 && desc.least <= desc.size);
			for (unsigned i = 0;
			     layout_field((enum layout)l, (enum layout_column)column, i, &field);
			     i++) {
				fields++;
				assert_true(field.offset + field.size <= desc.size);
				assert_true(field.type != LAYOUT_TEXT || field.size <= 256);
				assert_true(field.arg.length & SYSCALL_LENGTH_FIXED ||
					    field.arg.length <= desc.n_fields);
				assert_true(i + 1 == desc.n_fields || field.name[0] != '\0');
			}
		}
	}
	assert_in_range(fields, 1000, 6000);
	assert_int_equal(layout_column_of(ABI_X32, 514), LAYOUT_X32);
	assert_int_equal(layout_column_of(ABI_X32, 16), LAYOUT_64);
	assert_int_equal(layout_column_of(ABI_I386, 54), LAYOUT_32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_argument_has_a_kind),
		cmocka_unit_test(conditions),
		cmocka_unit_test(any_registers),
		cmocka_unit_test(sets),
		cmocka_unit_test(structures),
	};
	const char *path = getenv("CORDON_DECODED");
	int r;

	dump = path ? fopen(path, "we") : NULL;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	return dump && fclose(dump) != 0 ? 1 : r;
}
