// SPDX-License-Identifier: Apache-2.0
/*
 * Every number, length or depth that comes from outside has its bound here, and a
 * test one past it. A bound is refused with the object's name, never cut silently.
 */
#pragma once

enum {
	LIMIT_PATH = 4096,	      /* PATH_MAX of the kernel, the NUL included */
	LIMIT_NAME = 64,	      /* a policy's, group's or variable's name */
	LIMIT_LABEL = 256,	      /* a security label's name, the NUL included */
	LIMIT_ERR_TEXT = 640,	      /* struct err: one sentence */
	LIMIT_ERR_HINT = 384,	      /* struct err: one hint */
	LIMIT_ARGV = 32768,	      /* arguments of the payload */
	LIMIT_ENV = 4096,	      /* variables of the payload */
	LIMIT_BINDS = 512,	      /* mount steps in one plan */
	LIMIT_ROOT_ENTRIES = 128,     /* directories and symlinks in the host's "/" */
	LIMIT_LAYERS = 64,	      /* --base given so often */
	LIMIT_PASS_FDS = 64,	      /* --fd given so often */
	LIMIT_SINKS = 8,	      /* --audit given so often */
	LIMIT_HOSTNAME = 64,	      /* HOST_NAME_MAX, linux/utsname.h */
	LIMIT_CPUS = 1024,	      /* processors a cpuset can name, counted from 0 */
	LIMIT_POLICY_BYTES = 1 << 20, /* one policy file */
	LIMIT_POLICY_FILES = 64,      /* files in one composition */
	LIMIT_POLICY_DEPTH = 16,      /* nesting of `use` */
	LIMIT_POLICY_LINE = 4096,     /* bytes in one policy line */
	LIMIT_POLICY_RULES = 16384,   /* call rules after groups are expanded */
	LIMIT_RULE_CONDS = 6,	      /* comparisons in one rule */
	LIMIT_IMPORT_BYTES = 1 << 20, /* one file of another program's policy */
	LIMIT_IMPORT_ENTRIES = 16384, /* calls named in it, one counted as often as it is */
	LIMIT_IMPORT_TERMS = 256,     /* alternatives in one call's conditions */
	LIMIT_IMPORT_RANGES = 256,    /* ranges of one argument in one alternative */
	LIMIT_IMPORT_DEPTH = 32,      /* nesting of JSON, parentheses and policies in policies */
	LIMIT_IMPORT_FILES = 16,      /* files that include one another */
	LIMIT_EXPORT_WIDE = 16,	      /* exported rules of one call on several arguments */
	LIMIT_BUNDLE_BYTES = 1 << 20, /* one bundle */
	LIMIT_BPF_INSNS = 4096,	      /* BPF_MAXINSNS, linux/bpf_common.h */
	LIMIT_LOG_LINE = 16384,	      /* one audit record, its newline included */
};
