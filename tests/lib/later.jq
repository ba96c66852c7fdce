# SPDX-License-Identifier: Apache-2.0
# What the filters of tests/lib/later.sh may call; their input is the list of all records of a log.

# The records of the sandbox that ended last.
def of_the_last: (map(select(.type == "close"))[-1].sandbox) as $sandbox | map(select(.sandbox == $sandbox));
# The opening record of the sandbox that began last.
def opened: map(select(.type == "open"))[-1];
# How many denials f is true of; those that were only counted, too.
def denials(f): [.[] | select((.type == "denial" or .type == "summary") and f) | .count] | add // 0;
# How many were read when their process was gone, and so joined to nobody.
def gone: [.[] | select(.type == "kernel") | .unjoined] | add // 0;
# Just n of them; or, where a kernel lets processes go unseen, fewer, and the others are told as gone.
def so_many(n; unseen; f): denials(f) as $found | gone as $gone |
	"\($found) instead of \(n), \($gone) told as gone",
	($found == n or (unseen and $found < n and $found + $gone >= n));
