// SPDX-License-Identifier: Apache-2.0
/* cordon-static: the system calls that a program and its libraries can reach, beside a recording of
 * those that it made. `cordon learn --static` runs it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/learn.h"
#include "cli/confine.h"
#include "cli/print.h"
#include "cli/static.h"

enum { EXIT_FAILED = 125, EXIT_LACKING = 1 };

static const char usage[] =
	"usage: cordon learn --static PROGRAM [--with FILE]... [--against RECORDING] [--json] "
	"[-v]\n\n"
	"  PROGRAM              an ELF file for x86_64, or a name to be found in PATH\n"
	"  --with FILE          a library that it opens at run time; repeatable\n"
	"  --against RECORDING  compare with a NAME.policy.learn: what each has that the other\n"
	"                       lacks; libraries that the run mapped are looked at, too\n"
	"  --json               the same for programs\n"
	"  -v                   by which functions each call is reached\n\n"
	"Nothing of PROGRAM is run. Exit status: 0; 1 when the recording has a call of the "
	"program's own\nthat was not found; 125.\n";

struct args {
	const char *program, *recording;
	const char *with[GRAPH_FILES];
	size_t n_with;
	bool json, verbose;
};

static int parse(int argc, char **argv, struct args *a, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (strcmp(word, "--static") == 0 && i == 1)
			continue;
		if (strcmp(word, "--json") == 0) {
			a->json = true;
		} else if (strcmp(word, "-v") == 0) {
			a->verbose = true;
		} else if (strcmp(word, "--with") == 0 && i + 1 < argc &&
			   a->n_with < GRAPH_FILES - 1) {
			a->with[a->n_with++] = argv[++i];
		} else if (strcmp(word, "--against") == 0 && i + 1 < argc && !a->recording) {
			a->recording = argv[++i];
		} else if (word[0] == '-' || a->program) {
			(void)err_refuse(err, "understand the argument '%.64s'", word);
			return err_hint(err, "'cordon learn --static --help' lists what there is");
		} else {
			a->program = word;
		}
	}
	if (a->program)
		return 0;
	(void)err_refuse(err, "look at no program");
	return err_hint(err, "cordon learn --static PROGRAM");
}

/* As a shell would find it. */
static const char *find(const char *name, char *ret, size_t size)
{
	const char *p = getenv("PATH");

	while (!strchr(name, '/') && p && *p) {
		const size_t n = strcspn(p, ":");

		if (snprintf(ret, size, "%.*s/%s", (int)n, p, name) < (int)size &&
		    access(ret, X_OK) == 0)
			return ret;
		p += n + (p[n] == ':');
	}
	return name;
}

static void hint(const char *path, struct err *err)
{
	char head[128] = "";
	FILE *f = err->code == -ENOEXEC ? fopen(path, "re") : NULL;

	if (!f)
		return;
	if (fgets(head, sizeof(head), f) && strncmp(head, "#!", 2) == 0) {
		head[strcspn(head, "\n")] = '\0';
		(void)err_hint(err, "it is a script: look at its interpreter, %s",
			       head + 2 + strspn(head + 2, " "));
	}
	(void)fclose(f);
}

/* Libraries that the run mapped: some of them opened at run time, which no table says. */
static void add_mapped(struct args *a, const struct learned *l)
{
	for (size_t i = 0; i < l->n_paths; i++) {
		const struct learned_path *p = &l->paths[i];
		const char *name = strrchr(p->path, '/');

		if (!(p->access & LEARN_EXEC) || p->missing || p->link || p->directory || !name ||
		    !strstr(name, ".so") || strncmp(name, "/ld-linux", 9) == 0 ||
		    access(p->path, R_OK) < 0 || a->n_with == GRAPH_FILES - 1)
			continue;
		a->with[a->n_with++] = p->path;
	}
}

static int work(struct args *a, struct err *err)
{
	static struct learned recorded;
	static struct graph g; /* large, and the only one */
	struct comparison c = { .learned = NULL };
	char path[LIMIT_PATH];
	const char *program = find(a->program, path, sizeof(path));
	int r = a->recording ? learned_read(&recorded, a->recording, err) : 0;

	if (r == 0)
		add_mapped(a, &recorded);
	if (r == 0) {
		r = graph_load(&g, program, a->with, a->n_with, err);
		if (r < 0)
			hint(program, err);
	}
	if (r == 0)
		r = graph_walk(&g, err);
	if (r == 0 && a->recording)
		compare(&g, &recorded, &c);
	if (r == 0)
		r = a->json ? static_json(&g, &c, err) : static_text(&g, &c, a->verbose, err);
	graph_done(&g);
	learned_done(&recorded);
	return r < 0 ? r : c.n_lacking > 0 ? EXIT_LACKING : 0;
}

int main(int argc, char **argv)
{
	struct args a = { .program = NULL };
	struct err err = ERR_INIT;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(usage, stdout);
			return 0;
		}
	}
	r = parse(argc, argv, &a, &err);
	if (r == 0)
		r = confine_reader(&reader_program, NULL, &err);
	if (r == 0)
		r = work(&a, &err);
	if (r < 0)
		print_error(NULL, &err);
	return r < 0 ? EXIT_FAILED : r;
}
