// SPDX-License-Identifier: Apache-2.0
/* cordon gc: what launches that were killed have left. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/programs.h"
#include "cli/verbs.h"
#include "profiles/cache.h"
#include "sandbox/cgroup.h"

struct list {
	struct buf text;
	bool dry;
	int error;
};

static void add(void *ctx, const char *path)
{
	struct list *list = ctx;
	int r = list->error;

	if (r == 0)
		r = buf_puts(&list->text, list->dry ? "would remove " : "removed ");
	if (r == 0)
		r = text_escape(&list->text, path, strlen(path));
	if (r == 0)
		r = buf_puts(&list->text, "\n");
	list->error = r;
}

static int collect(struct list *list, struct err *err)
{
	char cache[LIMIT_PATH], config[LIMIT_PATH];
	int r, n;

	n = cgroup_gc_all(list->dry, add, list, err);
	/* Without cgroup v2 there is nothing of ours in it. */
	if (n == -ENOENT || n == -EXDEV)
		n = 0;
	if (n < 0)
		return n;
	programs_own_dirs(cache, config, sizeof(cache));
	r = cache[0] ? cache_gc(cache, list->dry, add, list, err) : 0;
	if (r < 0)
		return r;
	if (list->error < 0)
		return err_set(err, list->error, "list what was removed");
	return n + r;
}

static int usage(const char *word)
{
	struct err err = ERR_INIT;

	err_refuse(&err, "take '%s'", word);
	err_hint(&err, "usage: cordon gc [-n]");
	print_error("gc", &err);
	return EXIT_CORDON;
}

int cmd_gc(int argc, char **argv)
{
	struct list list = { .text = BUF_INIT };
	struct err err = ERR_INIT;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)printf(
				"usage: cordon gc [-n]\n\nRemove what launches that were killed "
				"have left: empty cgroups, and\nunfinished files of the cache of "
				"policies. With -n only say what.\n");
			return 0;
		}
		if (strcmp(argv[i], "-n") != 0)
			return usage(argv[i]);
		list.dry = true;
	}
	r = collect(&list, &err);
	if (list.text.data)
		(void)fwrite(list.text.data, 1, list.text.len, stdout);
	else if (r == 0)
		(void)puts("nothing was left");
	buf_done(&list.text);
	if (r < 0) {
		print_error("gc", &err);
		return EXIT_CORDON;
	}
	return 0;
}
