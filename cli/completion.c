// SPDX-License-Identifier: Apache-2.0
/* The completion file lies with the shipped data; this prints it for people who source it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/print.h"
#include "cli/programs.h"
#include "cli/verbs.h"

enum { MAX_BYTES = 1 << 20 };

int cmd_completion(int argc, char **argv)
{
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	char path[LIMIT_PATH + 64];
	size_t len;
	int r;

	if (argc != 2 || strcmp(argv[1], "bash") != 0) {
		(void)err_refuse(&err, "complete for that shell");
		(void)err_hint(&err, "usage: cordon completion bash");
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	programs_data_path("completion.bash", "tools/completion.bash", path, sizeof(path));
	r = fd_read_file_at(AT_FDCWD, path, MAX_BYTES, &text, &len);
	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, text, len);
	if (r < 0) {
		(void)err_set(&err, r, "print '%s'", path);
		print_error(NULL, &err);
		return EXIT_CORDON;
	}
	return 0;
}
