// SPDX-License-Identifier: Apache-2.0
/* cordon policy export: a policy's calls for other programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "policies/export.h"

static int export(const struct policy_args *args)
{
	__attribute__((cleanup(export_result_done))) struct export_result result = {
		.text = BUF_INIT, .notes = BUF_INIT
	};
	_cleanup_policy_ struct policy *policy = NULL;
	const char *to = policy_arg(args, "--to"), *output = policy_arg(args, "-o");
	struct err err = ERR_INIT;
	int r;

	if (!to || strcmp(to, "oci") != 0) {
		(void)policy_cli_usage_error("export needs --to oci:", to ? to : "");
		return POLICY_EXIT_FAILED;
	}
	r = policy_cli_load(args, args->what[0], &policy);
	if (r < 0)
		return r == -EBADMSG ? 1 : POLICY_EXIT_FAILED;
	r = export_oci(policy, &result, &err);
	if (result.notes.len > 0 && (r == -EBADMSG || !policy_flag(args, "--quiet")))
		(void)fd_write_all(STDERR_FILENO, result.notes.data, result.notes.len);
	if (r == -EBADMSG)
		return 1;
	if (r == 0 && output)
		r = policy_cli_write_file(output, result.text.data, result.text.len, &err);
	else if (r == 0 && fwrite(result.text.data, 1, result.text.len, stdout) != result.text.len)
		r = err_set(&err, -EIO, "write the profile");
	if (r == 0)
		return 0;
	print_error(NULL, &err);
	return POLICY_EXIT_FAILED;
}

const struct policy_verb policy_verb_export = {
	.name = "export",
	.run = export,
	.min_what = 1,
	.max_what = 1,
	.options = " --to= --quiet -o= ",
	.usage = "  export --to oci [--quiet] [-o FILE] WHAT\n"
		 "                             its calls as a container runtime's profile\n",
};
