// SPDX-License-Identifier: Apache-2.0
/*
 * Trees made by hand, each after an advisory or a thought. Entries are words TYPE:PATH[>TARGET]:
 *     l symlink (a target's @ is the arena's directory)   d directory   f file   p FIFO   s socket
 *     w whiteout   0 directory without any mode   h hard link within the tree   b file of 1 TiB
 *     o opaque   r redirect   m metacopy (the attributes of overlays, on a directory made first)
 * Below the root of the tree is a root with the payload, but for what is named here.
 */
#include "tests/escape/trees.h"

#define BASE "--base @/tree "

const struct hand hand_made[] = {
	/* what the launcher itself makes or mounts on (runc CVE-2026-41579, crun CVE-2026-47766) */
	{ "/dev is a symlink out", "l:dev>@/canary", BASE, "/bin/look", false },
	{ "/dev is a symlink up", "l:dev>../../../../../../../@/canary", BASE, "/bin/look", false },
	{ "/dev is a file", "f:dev", BASE, "/bin/look", false },
	{ "/dev is a FIFO", "p:dev", BASE, "/bin/look", false },
	{ "/dev is a loop", "l:dev>dev", BASE, "/bin/look", false },
	{ "/dev holds links for each device",
	  "d:dev l:dev/null>@/canary/secret l:dev/zero>@/canary/secret l:dev/pts>@/canary "
	  "l:dev/shm>@/canary l:dev/tty>@/canary/secret l:dev/ptmx>@/canary/new",
	  BASE, "/bin/look", false },
	{ "/dev without any mode", "0:dev", BASE, "/bin/look", false },
	{ "/proc is a symlink out", "l:proc>@/canary", BASE, "/bin/look", false },
	{ "/proc is a symlink to itself's root", "l:proc>/proc/self/root", BASE, "/bin/look",
	  false },
	{ "/proc is a file", "f:proc", BASE, "/bin/look", false },
	{ "/proc holds a false self", "d:proc l:proc/self>@/canary f:proc/sys", BASE, "/bin/look",
	  false },
	{ "/sys is a symlink out", "l:sys>@/canary", BASE, "/bin/look", false },
	{ "/tmp is a symlink out", "l:tmp>@/canary", BASE, "/bin/look", false },
	{ "/tmp is a FIFO", "p:tmp", BASE, "/bin/look", false },
	{ "/run is a symlink out", "l:run>@/canary", BASE, "/bin/look", false },
	{ "/var/tmp is a symlink out", "d:var l:var/tmp>@/canary", BASE, "/bin/look", false },
	{ "/etc is a symlink out", "l:etc>@/canary", BASE, "/bin/look", false },
	{ "/home and /root are symlinks out", "l:home>@/canary l:root>@/canary", BASE, "/bin/look",
	  false },
	{ "a symlink out where the base is read-only", "l:tmp>@/canary l:run>@/canary",
	  BASE "--upper none", "/bin/look", false },
	/* files that launchers read (storage CVE-2024-9676: FIFOs and endless ones) */
	{ "FIFOs for what a launcher or loader reads",
	  "d:etc p:etc/passwd p:etc/group p:etc/ld.so.cache p:etc/ld.so.preload p:etc/resolv.conf "
	  "p:etc/nsswitch.conf p:.krun_config.json",
	  BASE, "/bin/look", false },
	{ "an endless /etc/passwd", "d:etc b:etc/passwd b:etc/group", BASE, "/bin/look", false },
	{ "/etc/passwd is a symlink out", "d:etc l:etc/passwd>@/canary/secret", BASE, "/bin/look",
	  false },
	/* mount points (bubblewrap CVE-2026-87766, crun CVE-2019-18837, runc CVE-2024-45310) */
	{ "a mount point below a symlink out", "l:x>@/canary", BASE "--rw @/rw:/x/new", "/bin/look",
	  false },
	{ "a mount point that is a symlink out", "l:x>@/canary", BASE "--ro @/ro:/x", "/bin/look",
	  false },
	{ "a mount point below a link to the old root", "l:x>/oldroot l:oldroot>@/canary",
	  BASE "--ro @/ro:/x/in", "/bin/look", false },
	{ "--dir below a symlink out", "l:x>@/canary", BASE "--dir /x/made", "/bin/look", false },
	{ "--tmpfs on a symlink out", "l:x>@/canary", BASE "--tmpfs /x", "/bin/look", false },
	{ "--hide of a symlink out", "l:x>@/canary", BASE "--hide /x", "/bin/look", false },
	{ "--symlink below a symlink out", "l:x>@/canary", BASE "--symlink y:/x/made", "/bin/look",
	  false },
	{ "--file below a symlink out", "l:x>@/canary", BASE "--file 9:/x/made", "/bin/look",
	  false },
	{ "--file over a symlink out", "l:x>@/canary/secret", BASE "--file 9:/x", "/bin/look",
	  false },
	{ "--overlay onto a symlink out", "l:x>@/canary", BASE "--overlay @/ro:/x", "/bin/look",
	  false },
	{ "a mount point that is a FIFO", "p:x", BASE "--ro @/ro:/x", "/bin/look", false },
	/* working directory and entry point (podman GHSA-q6r4, runc CVE-2024-21626, 2019-5736) */
	{ "the working directory is a symlink out", "l:x>@/canary", BASE "--cwd /x", "/bin/look",
	  false },
	{ "the working directory is a descriptor", "l:x>/proc/self/fd/7", BASE "--cwd /x/..",
	  "/bin/look", false },
	{ "the working directory is a FIFO", "p:x", BASE "--cwd /x", "/bin/look", false },
	{ "the entry point is a symlink out", "l:go>@/look", BASE, "/go", false },
	{ "the entry point is the launcher's program", "l:go>/proc/self/exe", BASE, "/go", false },
	{ "the entry point is a FIFO", "p:go", BASE, "/go", false },
	{ "the entry point is a directory, a loop on its way", "d:go l:a>b l:b>a", BASE, "/a/go",
	  false },
	/* the marks of overlays, in layers and uppers */
	{ "whiteouts and opaque directories in a lower layer",
	  "w:etc/x d:var o:var w:usr r:lib>/../..", BASE "--base @/honest", "/bin/look", false },
	{ "redirects and metacopies that lead out",
	  "d:a r:a>@/canary d:b r:b>../../../../canary f:c m:c r:c>/../canary/secret",
	  BASE "--base @/honest", "/bin/look", false },
	{ "an upper whose parts are symlinks", "l:upper>@/canary l:work>@/canary",
	  "--base @/honest --upper @/tree", "/bin/look", false },
	{ "an upper whose parts are files and FIFOs", "f:upper p:work",
	  "--base @/honest --upper @/tree", "/bin/look", false },
	{ "a work directory with symlinks in it",
	  "d:upper d:work l:work/work>@/canary l:work/index>@/canary",
	  "--base @/honest --upper @/tree", "/bin/look", false },
	{ "whiteouts over what a launcher makes",
	  "d:upper w:upper/dev w:upper/proc w:upper/tmp d:work", "--base @/honest --upper @/tree",
	  "/bin/look", false },
	{ "symlinks over what a launcher makes",
	  "d:upper l:upper/dev>@/canary l:upper/tmp>@/canary l:upper/run>@/canary d:work",
	  "--base @/honest --upper @/tree", "/bin/look", false },
	/* as a place of the host's */
	{ "what is shown is a symlink out", "l:x>@/canary", "--ro @/tree/x", "@/look", false },
	{ "what is writable is a symlink out", "l:x>@/canary", "--rw @/tree/x", "@/look", false },
	{ "what is shown lies behind a symlink", "l:x>@/canary", "--ro @/tree/x/sub", "@/look",
	  false },
	{ "a socket and a FIFO are shown", "s:x p:y", "--ro @/tree/x --ro @/tree/y", "@/look",
	  false },
	{ "an overlay over links, FIFOs and whiteouts", "l:x>@/canary p:y w:z o:etc",
	  "--overlay @/tree", "@/look", false },
	{ "a directory that is made below a link in what is writable", "l:x>@/canary",
	  "--rw @/tree --dir @/tree/x/made", "@/look", false },
	/* and those that are as they should be */
	{ "an honest base", "d:x f:x/file l:link>x/file", BASE, "/bin/look", true },
	{ "an honest base, read-only", "d:x", BASE "--upper none", "/bin/look", true },
	{ "an honest base with mount points", "d:x",
	  BASE "--rw @/rw:/x/new --ro @/ro:/y --tmpfs /z", "/bin/look", true },
	{ "an honest layer over another", "d:x f:x/file w:opt/none", BASE "--base @/honest",
	  "/bin/look", true },
	{ "an honest upper", "d:upper d:work", "--base @/honest --upper @/tree", "/bin/look",
	  true },
	{ "an honest place", "d:x f:x/file", "--ro @/tree", "@/look", true },
};
const size_t n_hand_made = sizeof(hand_made) / sizeof(*hand_made);
