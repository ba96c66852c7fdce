#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py N: policies mutant-0.policy to mutant-(N-1).policy in the working directory, each
base.policy with one operator of one condition changed."""

import random
import re
import sys

random.seed(5)
with open("base.policy") as f:
    lines = f.read().split("\n")
places = [
    (i, m.start(), m.group())
    for i, line in enumerate(lines)
    if " if " in line
    for m in re.finditer(r"==|!=|<=|>=|<(?!=)|>(?!=)", line)
]
for n in range(int(sys.argv[1])):
    i, at, old = places[n % len(places)]
    masked = "&" in lines[i][:at].split(" and ")[-1]
    others = ["==", "!="] if masked else ["==", "!=", "<", "<=", ">", ">="]
    new = random.choice([o for o in others if o != old])
    changed = lines[:i] + [lines[i][:at] + new + lines[i][at + len(old) :]] + lines[i + 1 :]
    with open(f"mutant-{n}.policy", "w") as f:
        f.write("\n".join(changed).replace("policy base", f"policy mutant-{n}"))
