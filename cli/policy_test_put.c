// SPDX-License-Identifier: Apache-2.0
/* Results of tests as TAP, as JUnit's XML and as JSON. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/policy_test.h"

static void put_place(const struct test_run *run, const struct test_case *t)
{
	policy_cli_print_where(run->policy, &t->expect->where);
}

void test_put_tap(const struct test_run *run)
{
	(void)printf("TAP version 13\n1..%zu\n", run->n);
	for (size_t i = 0; i < run->n; i++) {
		const struct test_case *t = &run->cases[i];

		(void)printf("%s %zu - ", t->outcome == TEST_FAILED ? "not ok" : "ok", i + 1);
		policy_cli_put_text(t->title);
		(void)fputs(" at ", stdout);
		put_place(run, t);
		if (t->outcome == TEST_SKIPPED) {
			(void)fputs(" # SKIP ", stdout);
			policy_cli_put_text(t->why);
		}
		(void)putchar('\n');
		if (t->outcome == TEST_FAILED) {
			(void)fputs("# ", stdout);
			policy_cli_put_text(t->why);
			(void)putchar('\n');
		}
	}
	(void)printf("# %zu expectations, %u failed, %u not tried\n", run->n, run->failed,
		     run->skipped);
}

/* What policy_cli_put_text leaves is printable UTF-8; XML has five characters of its own. */
static void put_xml(const char *text)
{
	_cleanup_buf_ struct buf safe = BUF_INIT;

	if (text_escape(&safe, text, strlen(text)) < 0 || !safe.data)
		return;
	for (const char *p = safe.data; *p; p++) {
		switch (*p) {
		case '&':
			(void)fputs("&amp;", stdout);
			break;
		case '<':
			(void)fputs("&lt;", stdout);
			break;
		case '>':
			(void)fputs("&gt;", stdout);
			break;
		case '"':
			(void)fputs("&quot;", stdout);
			break;
		case '\'':
			(void)fputs("&apos;", stdout);
			break;
		default:
			(void)putchar(*p);
		}
	}
}

void test_put_junit(const struct test_run *run)
{
	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"",
		    stdout);
	put_xml(run->policy->name);
	(void)printf("\" tests=\"%zu\" failures=\"%u\" errors=\"0\" skipped=\"%u\">\n", run->n,
		     run->failed, run->skipped);
	for (size_t i = 0; i < run->n; i++) {
		const struct test_case *t = &run->cases[i];

		(void)fputs("<testcase classname=\"", stdout);
		put_xml(run->policy->name);
		(void)fputs("\" name=\"", stdout);
		put_xml(t->title);
		(void)fputs("\" file=\"", stdout);
		put_xml(run->policy->sources[t->expect->where.source].path);
		(void)printf("\" line=\"%u\"", t->expect->where.line);
		if (t->outcome == TEST_PASSED) {
			(void)fputs("/>\n", stdout);
			continue;
		}
		(void)fputs(t->outcome == TEST_FAILED ? "><failure message=\""
						      : "><skipped message=\"",
			    stdout);
		put_xml(t->why);
		(void)fputs("\"/></testcase>\n", stdout);
	}
	(void)fputs("</testsuite>\n</testsuites>\n", stdout);
}

static void put_case(const struct test_run *run, const struct test_case *t)
{
	static const char *const outcomes[] = { "passed", "failed", "skipped" };
	static const char *const names[] = { "allow", "deny", "kill" };
	char text[1 << 14];
	struct json j;

	json_init(&j, text, sizeof(text));
	json_object(&j, NULL);
	json_string(&j, "test", t->title);
	json_string(&j, "file", run->policy->sources[t->expect->where.source].path);
	json_u64(&j, "line", t->expect->where.line);
	json_string(&j, "outcome", outcomes[t->outcome]);
	json_string(&j, "expected", names[t->expect->action]);
	json_string(&j, "policy", t->has_attempt ? names[t->action] : NULL);
	json_bool(&j, "live", t->live);
	json_string(&j, "why", t->why);
	json_object_end(&j);
	(void)fputs(json_finish(&j) ? text : "null", stdout);
}

void test_put_json(const struct test_run *run)
{
	char name[6 * LIMIT_NAME + 16];
	struct json j;

	json_init(&j, name, sizeof(name));
	json_string(&j, NULL, run->policy->name);
	(void)printf("{\"policy\":%s,\"tests\":%zu,\"failed\":%u,\"skipped\":%u,\"results\":[",
		     json_finish(&j) ? name : "null", run->n, run->failed, run->skipped);
	for (size_t i = 0; i < run->n; i++) {
		(void)fputs(i ? ",\n" : "\n", stdout);
		put_case(run, &run->cases[i]);
	}
	(void)fputs("\n]}\n", stdout);
}
