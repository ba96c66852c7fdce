// SPDX-License-Identifier: Apache-2.0
#include "cli/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

static int put_safe(struct buf *out, const char *text)
{
	return text_escape(out, text, strlen(text));
}

void print_error(const char *prefix, const struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int r;

	if (err->code == -EBADMSG && !err->msg[0])
		return;
	r = buf_puts(&out, "cordon: ");
	if (r == 0 && prefix)
		r = put_safe(&out, prefix);
	if (r == 0)
		r = buf_puts(&out, prefix ? ": cannot " : "cannot ");
	if (r == 0)
		r = put_safe(&out, err->msg);
	if (r == 0)
		r = err->ours ? buf_puts(&out, "\n")
			      : buf_printf(&out, ": %s\n", err_text(err->code));
	if (r == 0 && err->hint[0])
		r = buf_puts(&out, "hint: ");
	if (r == 0 && err->hint[0])
		r = put_safe(&out, err->hint);
	if (r == 0 && err->hint[0])
		r = buf_puts(&out, "\n");
	/* One write, so that lines of two processes do not mix. */
	if (r == 0)
		(void)fd_write_all(STDERR_FILENO, out.data, out.len);
	else
		(void)fputs("cordon: cannot say what went wrong: out of memory\n", stderr);
}

bool print_colours(FILE *to)
{
	const char *no = getenv("NO_COLOR"); /* https://no-color.org: present and not empty */

	return isatty(fileno(to)) && !(no && no[0]);
}
