// SPDX-License-Identifier: Apache-2.0
/* cordon-audit: reading and verifying the log. `cordon audit VERB` runs it. */
#include "cli/audit.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/place.h"
#include "audit/stamp.h"
#include "base/text.h"
#include "cli/print.h"

static const char usage[] =
	"usage: cordon audit show [OPTION...] [FILE]     what was refused, for people\n"
	"       cordon audit verify [FILE]               is the log whole? 0 yes, 1 no, 125 "
	"unread\n"
	"options of show:\n"
	"  --group            one table over all sandboxes: what, how often, by which rule\n"
	"  --follow           print records as they come\n"
	"  --json             the records themselves, one a line\n"
	"  --sandbox ID|last  one sandbox, by its id or the id's beginning, or the latest one\n"
	"  --policy NAME      sandboxes under that policy\n"
	"  --call NAME        that system call only\n"
	"  --path GLOB        calls with a path like that\n"
	"  --since TIME       since 2026-01-31T12:00:00 (UTC), or so long ago: 90s, 15m, 2h, 7d\n"
	"  -n N               at most N rows of a table, or the last N records\n"
	"FILE is $XDG_STATE_HOME/cordon/audit.jsonl (~/.local/state/cordon/audit.jsonl) by "
	"default\n";

static int fail(const struct err *err)
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
	{ "follow", no_argument, NULL, 'f' },	    { "group", no_argument, NULL, 'g' },
	{ "json", no_argument, NULL, 'j' },	    { "sandbox", required_argument, NULL, 's' },
	{ "policy", required_argument, NULL, 'p' }, { "call", required_argument, NULL, 'c' },
	{ "path", required_argument, NULL, 'P' },   { "since", required_argument, NULL, 'S' },
	{ "help", no_argument, NULL, 'h' },	    { NULL, 0, NULL, 0 },
};

/* 0, 1 when help was asked for, or -errno. */
static int parse(int argc, char **argv, struct audit_args *args, struct err *err)
{
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "n:h", options, NULL)) != -1) {
		int r = 0;

		switch (opt) {
		case 'f':
			args->follow = true;
			break;
		case 'g':
			args->group = true;
			break;
		case 'j':
			args->json = true;
			break;
		case 's':
			args->sandbox = optarg;
			break;
		case 'p':
			args->policy = optarg;
			break;
		case 'c':
			args->call = optarg;
			break;
		case 'P':
			args->path = optarg;
			break;
		case 'S':
			r = parse_since(optarg, &args->since_ns, err);
			break;
		case 'n':
			if (text_parse_u64(optarg, &args->n) < 0 || args->n == 0)
				r = err_refuse(err, "use '-n %.32s': no number above 0", optarg);
			break;
		case 'h':
			return 1;
		default:
			err_refuse(err, "understand the argument '%.64s'", argv[optind - 1]);
			r = err_hint(err, "'cordon audit --help' lists what there is");
		}
		if (r < 0)
			return r;
	}
	if (argc - optind > 1)
		return err_refuse(err, "read more than one audit log");
	if (optind < argc)
		args->file = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	struct audit_args args = { 0 };
	struct err err = ERR_INIT;
	char place[LIMIT_PATH];
	const char *verb;
	int r;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		(void)fputs(usage, stdout);
		return 0;
	}
	verb = argc > 1 ? argv[1] : "";
	if (strcmp(verb, "show") != 0 && strcmp(verb, "verify") != 0) {
		err_refuse(&err, "understand the verb '%.64s' of 'cordon audit'", verb);
		err_hint(&err, "show or verify; 'cordon audit --help' says more");
		return fail(&err);
	}
	r = parse(argc - 1, argv + 1, &args, &err);
	if (r > 0) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (r == 0 && !args.file) {
		r = place_default(place, sizeof(place), &err);
		args.file = place;
	}
	if (r < 0)
		return fail(&err);
	r = strcmp(verb, "show") == 0 ? audit_cli_show(&args) : audit_cli_verify(&args);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		err_set(&err, -EIO, "write to standard output");
		return fail(&err);
	}
	return r;
}
