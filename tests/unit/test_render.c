// SPDX-License-Identifier: Apache-2.0
/* A denial's arguments as people read them: what a text is, where it ends, and that it is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/render.h"

/* decoded as a record has it, and the line that is made of it in a buffer of cap bytes. */
static void check_args(const char *decoded, const char *expected, size_t cap)
{
	char text[1024], line[1024];
	struct scan record;
	struct render r;

	snprintf(text, sizeof(text), "{\"type\":\"denial\",\"decoded\":{%s}}", decoded);
	assert_int_equal(scan_text(text, strlen(text), &record), 0);
	render_init(&r, line, cap);
	assert_true(render_args(&r, &record));
	assert_string_equal(line, expected);
}

static void says(const char *decoded, const char *expected)
{
	check_args(decoded, expected, 1024);
}

static void names_are_bare_and_texts_quoted(void **state)
{
	(void)state;
	says("\"which\":\"PRIO_USER\",\"who\":-1", "PRIO_USER, -1");
	says("\"source\":{\"path_as_read\":\"/a b\"},\"flags\":\"MS_BIND|MS_REC\"",
	     "\"/a b\", MS_BIND|MS_REC");
	says("\"path\":{\"path_as_read\":\"\"}", "\"\"");
	says("\"path\":{\"path_as_read\":\"/long\",\"length\":5000}", "\"/long\"...");
	says("\"buf\":null", "NULL");
	says("\"buf\":{\"note\":\"unreadable\"}", "?");
}

/* TIOCSTI of a space is what a person must see. */
static void a_character_is_quoted(void **state)
{
	(void)state;
	says("\"cmd\":\"TIOCSTI\",\"arg\":{\"char_as_read\":\" \"}", "TIOCSTI, \" \"");
	says("\"cmd\":\"TIOCSTI\",\"arg\":{\"char_as_read\":\"r\"}", "TIOCSTI, \"r\"");
	says("\"cmd\":\"TIOCSTI\",\"arg\":{\"char_as_read\":\"\\\\x0a\"}", "TIOCSTI, \"\\x0a\"");
}

static void a_member_that_nobody_would_see_is_quoted(void **state)
{
	(void)state;
	says("\"s\":{\"x_as_read\":{\"name\":\"\",\"next\":\"AF_ALG\"}}",
	     "{name=\"\", next=AF_ALG}");
	says("\"s\":{\"x_as_read\":{\"name\":\" \"}}", "{name=\" \"}");
	says("\"s\":{\"x_as_read\":{\"name\":\"a \"}}", "{name=\"a \"}");
	says("\"s\":{\"x_as_read\":{\"name\":\"a b\"}}", "{name=a b}");
	says("\"s\":{\"x_as_read\":{\"name\":\"a, flags=0\"}}", "{name=\"a, flags=0\"}");
}

static void structures_lists_and_addresses(void **state)
{
	(void)state;
	says("\"a\":{\"clone_args_as_read\":{\"flags\":\"CLONE_NEWUSER\",\"exit_signal\":"
	     "\"SIGCHLD\"}}",
	     "{flags=CLONE_NEWUSER, exit_signal=SIGCHLD}");
	says("\"argv\":{\"argv_as_read\":[\"make\",\"-j2\"],\"more\":3}",
	     "[\"make\", \"-j2\", ...]");
	says("\"a\":{\"sockaddr_as_read\":{\"family\":\"AF_INET\",\"address\":\"10.0.0.1\","
	     "\"port\":80}}",
	     "10.0.0.1 port 80");
	says("\"a\":{\"sockaddr_as_read\":{\"family\":\"AF_UNIX\",\"abstract\":\"x\"}}", "@\"x\"");
}

/* What is in the log by somebody else's hand: no byte of it drives a terminal. */
static void control_characters_are_escaped(void **state)
{
	(void)state;
	says("\"p\":{\"path_as_read\":\"\\u001b[2J\"}", "\"\\x1b[2J\"");
	says("\"cmd\":\"\\u009b\"", "\\xc2\\x9b");
}

static void a_small_buffer_is_not_overrun(void **state)
{
	(void)state;
	check_args("\"p\":{\"path_as_read\":\"/0123456789\"}", "\"/012345", 9);
}

/* An opening record, and whether its policy's denials are unseen. */
static void begins(const char *fields, bool blind, const char *expected)
{
	char text[512], line[512];
	struct scan record;
	struct render r;

	snprintf(text, sizeof(text), "{\"type\":\"open\",\"policy\":\"p\",%s,\"argv\":[\"make\"]}",
		 fields);
	assert_int_equal(scan_text(text, strlen(text), &record), 0);
	render_init(&r, line, sizeof(line));
	render_record(&r, &record, false);
	assert_string_equal(line, expected);
	assert_int_equal(render_is_blind(&record), blind);
}

#define UNSEEN(list) "\"kernel_denials\":{\"readable\":false,\"why\":\"x\",\"unseen\":[" list "]}"

static void what_is_not_seen_is_said(void **state)
{
	(void)state;
	begins("\"blind\":false", false, "began under policy p: make");
	begins("\"blind\":true", true,
	       "began under policy p, blind: its denials are not seen: make");
	begins("\"blind\":false," UNSEEN(""), false, "began under policy p: make");
	begins("\"blind\":false," UNSEEN("\"apparmor\",\"landlock\""), false,
	       "began under policy p (unseen: apparmor, landlock): make");
	begins("\"blind\":true," UNSEEN("\"landlock\",\"seccomp-errno\""), true,
	       "began under policy p, blind: its denials are not seen (unseen: landlock, "
	       "seccomp-errno): make");
	/* the kernel tells */
	begins("\"blind\":true," UNSEEN("\"landlock\""), false,
	       "began under policy p (unseen: landlock): make");
	begins("\"blind\":false," UNSEEN("\"\\u001b\""), false,
	       "began under policy p (unseen: \\x1b): make");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_bare_and_texts_quoted),
		cmocka_unit_test(what_is_not_seen_is_said),
		cmocka_unit_test(a_character_is_quoted),
		cmocka_unit_test(a_member_that_nobody_would_see_is_quoted),
		cmocka_unit_test(structures_lists_and_addresses),
		cmocka_unit_test(control_characters_are_escaped),
		cmocka_unit_test(a_small_buffer_is_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
