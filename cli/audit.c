// SPDX-License-Identifier: Apache-2.0
/* cordon-audit: reading and verifying the log. `cordon audit VERB` runs it. */
#include "cli/audit.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/place.h"
#include "audit/stamp.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/confine.h"
#include "cli/print.h"

static const char usage[] =
	"usage: cordon audit show [OPTION...] [FILE]     what was refused, for people\n"
	"       cordon audit explain [OPTION...] [FILE]  the last denial: by which line, and what\n"
	"                                                would allow it\n"
	"       cordon audit replay --policy WHAT [FILE] which denials another policy would allow\n"
	"       cordon audit suggest --policy WHAT [FILE]\n"
	"                                                lines that would allow them\n"
	"       cordon audit export --format csv|ausearch [FILE]\n"
	"                                                for other programs\n"
	"       cordon audit verify [OPTION] [FILE]      is the log whole? 0 yes, 1 no, 125 "
	"unread\n"
	"       cordon audit seal-setup [FILE]           seal it from now on, and print the key "
	"once\n"
	"option of verify:\n"
	"  --seal-key FILE|-  check the seals, with the key that seal-setup printed\n"
	"options of show:\n"
	"  --group            one table over all sandboxes: what, how often, by which rule\n"
	"  --count            only how many denials there were\n"
	"  --follow           print the last 10 records, and more as they come\n"
	"  --json             the records themselves, one a line\n"
	"  --sandbox ID|last  one sandbox, by its id or the id's beginning, or the latest one\n"
	"  --policy NAME      sandboxes under that policy\n"
	"  --call NAME        that system call only\n"
	"  --path GLOB        calls with a path like that\n"
	"  --rule GLOB        refused by that rule: default, or FILE:LINE\n"
	"  --comm NAME        by processes of that name\n"
	"  --since TIME       since 2026-01-31T12:00:00 (UTC), or so long ago: 90s, 15m, 2h, 7d\n"
	"  --until TIME       not after that\n"
	"  -n N               at most N rows of a table, or the last N records\n"
	"options of the others (--sandbox is theirs too, --json explain's, replay's and "
	"suggest's):\n"
	"  --seq N            explain that record\n"
	"  --policy WHAT      a policy's name or path; explain finds the record's own without it\n"
	"  --search DIR       look policies up there; repeatable\n"
	"  --expect WHAT      replay is 0 when all denials are now: allowed (the default), "
	"denied,\n"
	"                     or the same, with the same answer by the same rule\n"
	"  --all              suggest dangerous calls too, and what lines refuse on purpose\n"
	"  --patch            suggest a patch of the policy's file, not one that uses it\n"
	"  -o FILE            suggest or export into that file\n"
	"FILE is $XDG_STATE_HOME/cordon/audit.jsonl (~/.local/state/cordon/audit.jsonl) by "
	"default\n";

int audit_cli_fail(const struct err *err)
{
	print_error(NULL, err);
	return AUDIT_EXIT_FAILED;
}

static int parse_since(const char *text, int64_t *ret, struct err *err)
{
	struct timespec now;
	uint64_t ms;

	if (stamp_parse(text, ret) == 0)
		return 0;
	if (text_parse_duration_ms(text, &ms) < 0 || ms > INT64_MAX / 1000000) {
		err_refuse(err, "understand the time '%.64s'", text);
		return err_hint(err, "2026-01-31T12:00:00 in UTC, or an age like 15m");
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*ret = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)ms * 1000000;
	return 0;
}

static const struct option options[] = {
	{ "all", no_argument, NULL, 'A' },
	{ "call", required_argument, NULL, 'c' },
	{ "comm", required_argument, NULL, 'm' },
	{ "count", no_argument, NULL, 'C' },
	{ "expect", required_argument, NULL, 'E' },
	{ "follow", no_argument, NULL, 'f' },
	{ "format", required_argument, NULL, 'F' },
	{ "group", no_argument, NULL, 'g' },
	{ "seal-key", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "patch", no_argument, NULL, 'D' },
	{ "path", required_argument, NULL, 'P' },
	{ "policy", required_argument, NULL, 'p' },
	{ "rule", required_argument, NULL, 'R' },
	{ "sandbox", required_argument, NULL, 's' },
	{ "search", required_argument, NULL, 'I' },
	{ "seq", required_argument, NULL, 'q' },
	{ "since", required_argument, NULL, 'S' },
	{ "until", required_argument, NULL, 'U' },
	{ NULL, 0, NULL, 0 },
};

static int parse_number(const char *name, uint64_t *ret, struct err *err)
{
	if (text_parse_u64(optarg, ret) < 0 || *ret == 0)
		return err_refuse(err, "use '%s %.32s': no number above 0", name, optarg);
	return 0;
}

static int add_search(struct audit_args *args, struct err *err)
{
	if (args->n_search == AUDIT_MAX_SEARCH)
		return err_refuse(err, "look policies up in more than %d directories",
				  AUDIT_MAX_SEARCH);
	args->search[args->n_search++] = optarg;
	return 0;
}

/* The option, or its value, into args. */
static int take(int opt, struct audit_args *args, struct err *err)
{
	const struct {
		int opt;
		bool *flag;
		const char **text;
	} plain[] = {
		{ 'f', &args->follow, NULL },  { 'g', &args->group, NULL },
		{ 'j', &args->json, NULL },    { 'C', &args->count, NULL },
		{ 'D', &args->patch, NULL },   { 'A', &args->all, NULL },
		{ 's', NULL, &args->sandbox }, { 'p', NULL, &args->policy },
		{ 'c', NULL, &args->call },    { 'P', NULL, &args->path },
		{ 'R', NULL, &args->rule },    { 'm', NULL, &args->comm },
		{ 'o', NULL, &args->out },     { 'F', NULL, &args->format },
		{ 'E', NULL, &args->expect },  { 'k', NULL, &args->seal_key },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (plain[i].opt != opt)
			continue;
		if (plain[i].flag)
			*plain[i].flag = true;
		else
			*plain[i].text = optarg;
		return 0;
	}
	switch (opt) {
	case 'S':
		return parse_since(optarg, &args->since_ns, err);
	case 'U':
		return parse_since(optarg, &args->until_ns, err);
	case 'I':
		return add_search(args, err);
	case 'q':
		return parse_number("--seq", &args->seq, err);
	case 'n':
		return parse_number("-n", &args->n, err);
	default:
		return err_refuse(err, "understand an option");
	}
}

/* 0, 1 when help was asked for, or -errno. */
static int parse(const struct audit_verb *verb, int argc, char **argv, struct audit_args *args,
		 struct err *err)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "n:o:h", options, NULL)) != -1) {
		int r;

		if (opt == 'h')
			return 1;
		if (opt == '?' || !strchr(verb->options, opt)) {
			err_refuse(err, "understand the argument '%.64s' of 'cordon audit %s'",
				   optarg && argv[optind - 1] == optarg && optind > 2
					   ? argv[optind - 2]
					   : argv[optind - 1],
				   verb->name);
			return err_hint(err, "'cordon audit --help' lists what there is");
		}
		r = take(opt, args, err);
		if (r < 0)
			return r;
	}
	if (argc - optind > 1)
		return err_refuse(err, "read more than one audit log");
	if (optind < argc)
		args->file = argv[optind];
	return 0;
}

/* A process in a Landlock domain reaches no other's /proc/PID/root, cwd or fd (landlock(7), "Ptrace
 * restrictions"). */
static int check_view(const char *file, struct err *err)
{
	const char *pid = text_starts_with(file, "/proc/") ? file + strlen("/proc/") : "";
	const size_t n = strspn(pid, "0123456789");

	if (n == 0 || pid[n] != '/' || strtol(pid, NULL, 10) == getpid())
		return 0;
	err_refuse(err, "read a log through another process's view: '%.512s'", file);
	return err_hint(err, "enter it: nsenter --mount --target %.*s cordon audit ...",
			(int)(n < 20 ? n : 20), pid);
}

static const struct audit_verb verbs[] = {
	{ "show", audit_cli_show, "fgCjspcPRmSUn" }, { "explain", audit_cli_explain, "jspqI" },
	{ "replay", audit_cli_replay, "jspIE" },     { "suggest", audit_cli_suggest, "jspIoAD" },
	{ "export", audit_cli_export, "soF" },	     { "seal-setup", audit_cli_seal_setup, "" },
	{ "verify", audit_cli_verify, "k" },
};

int main(int argc, char **argv)
{
	struct audit_args args = { 0 };
	struct err err = ERR_INIT;
	const struct audit_verb *verb = NULL;
	char place[LIMIT_PATH];
	int r;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		(void)fputs(usage, stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			verb = &verbs[i];
	}
	if (!verb) {
		err_refuse(&err, "understand the verb '%.64s' of 'cordon audit'",
			   argc > 1 ? argv[1] : "");
		err_hint(&err, "show, explain, replay, suggest, export, seal-setup or "
			       "verify; "
			       "'cordon audit --help' says more");
		return audit_cli_fail(&err);
	}
	r = parse(verb, argc - 1, argv + 1, &args, &err);
	if (r > 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (r == 0 && !args.file) {
		r = place_default(place, sizeof(place), &err);
		args.file = place;
	}
	/* What makes a key reads nothing that others wrote. */
	if (r == 0 && verb->run != audit_cli_seal_setup) {
		r = check_view(args.file, &err);
		r = r < 0 ? r : confine_reader(&reader_program, args.out, &err);
	}
	if (r < 0)
		return audit_cli_fail(&err);
	r = verb->run(&args);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		err_set(&err, -EIO, "write to standard output");
		return audit_cli_fail(&err);
	}
	return r;
}
