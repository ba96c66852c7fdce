#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""apparmor_rules.py PARSER FEATURES DIR

For each DIR/N.profile: what apparmor_parser makes of its file rules (the regular expressions of
-D rule-exprs), matched here, against DIR/N.want: "PERMS PATH" a line, PERMS in hexadecimal with
AA_READ 1, WRITE 2, LOCK 4, LINK 8, MMAP 10, EXEC 20. The parser, not a reader of ours, says what
the text means. Prints what differs; status 1 when something does, or when nothing was compared.
"""
import pathlib
import re
import subprocess
import sys

# parser/immunix.h of AppArmor: the owner's half of a rule's permissions
BITS = ((0x04, 0x01), (0x02, 0x02), (0x20, 0x04), (0x10, 0x08), (0x40, 0x10), (0x01, 0x20))
LINK = 0x08
PAIR = rb"\x00/[^/].*"
RULE = re.compile(rb"^rule: (/.*?)  ->  .*?( deny)? \(0x([0-9a-f]+)/", re.DOTALL)


def rules_of(parser, features, profile):
    run = subprocess.run(
        [parser, "-QKT", "-q", "--kernel-features", features, "-D", "rule-exprs",
         "-o", "/dev/null", profile], capture_output=True, check=False)
    if run.returncode:
        sys.exit(f"{profile}: {run.stderr.decode(errors='replace')[-400:]}")
    rules = []
    for line in run.stderr.split(b"\n"):
        found = RULE.match(line)
        if not found:
            continue
        mask = int(found[3], 16)
        perms = sum(ours for theirs, ours in BITS if mask & theirs)
        pattern = found[1]
        # "NAME\x00TARGET" says of a link what the name alone says of all else: the kernel asks
        # both, and a deny rule speaks of the pair only
        if pattern.endswith(PAIR):
            pattern, perms = pattern[: -len(PAIR)], perms & LINK
        else:
            perms &= ~LINK
        # to AppArmor's own regular expressions a question mark is a character
        pattern = pattern.replace(b"?", rb"\?")
        rules.append((re.compile(pattern + rb"\Z", re.DOTALL), perms, bool(found[2])))
    return rules


def main():
    parser, features, folder = sys.argv[1:]
    compared = wrong = 0
    for profile in sorted(pathlib.Path(folder).glob("*.profile")):
        rules = rules_of(parser, features, profile)
        for line in profile.with_suffix(".want").read_bytes().splitlines():
            want, path = line.split(b" ", 1)
            given = [0, 0]
            for pattern, perms, deny in rules:
                if pattern.match(path):
                    given[deny] |= perms
            got = given[0] & ~given[1]
            compared += 1
            if got != int(want, 16):
                wrong += 1
                print(f"{profile.name}: {path!r}: the parser gives {got:#x}, wanted 0x{want.decode()}")
    print(f"{compared} compared, {wrong} wrong")
    sys.exit(1 if wrong or not compared else 0)


main()
