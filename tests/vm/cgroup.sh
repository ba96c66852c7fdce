#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: selinux-6.12 apparmor-6.1 apparmor-new
# as: user
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # jq's and inner shells' own; called by check
# Limits by cgroup v2 where a subtree is delegated: each one bites and its twin does not, what was hit
# and used is told, and nothing of a leaf stays.
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/lib/later.sh
. "$(dirname "$0")/../lib/later.sh"
cd "$WORK" || exit 1
PLACE=/sys/fs/cgroup/user
CONSUME=$PROGRAMS/consume
LOG=$WORK/log.jsonl

find_leaves() { # into leaves: their directories
	local dir
	leaves=()
	for dir in "$PLACE"/cordon-*; do
		[ ! -d "$dir" ] || [ "${dir##*/}" = cordon-supervisor ] || leaves+=("$dir")
	done
}
no_leaf() {
	find_leaves
	[ "${#leaves[@]}" -eq 0 ]
}
logged() {
	inside --audit "file:$LOG" "$@"
}
last() { # TITLE FILTER: over the records of the sandbox that ended last
	later "$1" "$LOG" "of_the_last | $2"
}

expect_match '^yes .*delegated cgroup v2 .*pids, memory, cpu, io, cpuset' "doctor sees the controllers" -- \
	"$CORDON" doctor

# --- pids
expect_output 20 "pids: the twin forks" -- logged --limit pids=64 -- "$CONSUME" forks 20
last "pids: nothing was hit" 'all(.[]; .type != "limit")'
# pids.peak is Linux 6.11's, and Debian's 6.1 has it, too
last "pids: usage has the most at once" '.[-1].usage.pids_peak == 22'
# pid 1, the payload, and 6 more
expect_output 6 "pids: 8 processes and no more" -- logged --limit pids=8 -- "$CONSUME" forks 20
last "pids: the log tells how often" 'any(.[]; .limit == "pids" and .count == 14)'
last "pids: what holds is in the opening record" '.[0].in_force | any(. == "limits by cgroup: pids")'

# --- memory
expect_output touched "memory: the twin has enough" -- logged --limit memory=32M -- "$CONSUME" memory 20
last "memory: usage says so" '.[-1].usage | .source == "cgroup" and .memory_peak > 20971520 and
	.memory_peak <= 33554432 and .oom_kills == 0'
expect_error 137 '^cordon: stopped by the memory limit 8M$' "memory: 24 MiB do not fit into 8" -- \
	logged --limit memory=8M -- "$CONSUME" memory 24
check "memory: all of it was killed, not a child alone" test ! -s "$OUT"
last "memory: the log names the limit" 'any(.[]; .limit == "memory" and .count >= 3 and
	(.text | startswith("memory limit 8M: ")))'
last "memory: and how it ended" '.[-1] | .exit.signal == "SIGKILL" and .usage.oom_kills >= 3 and
	.usage.memory_peak <= 8388608 and .usage.memory_peak > 6291456'
expect_error 137 '^cordon: used cpu .* memory [78]\.[0-9] MiB at most.* killed for want of memory' \
	"memory: -v, too" -- logged -v --limit memory=8M -- "$CONSUME" memory 24
expect_output reserved "memory: what is not used does not count" -- \
	logged --limit memory=8M -- "$CONSUME" reserve 400

# --- swap: the lane's 32 MiB, of which so much is for the sandbox
expect_output touched "swap: the twin has room for 40 MiB" -- \
	logged --limit memory=32M --limit swap=16M -- "$CONSUME" memory 40
last "swap: it was in no more memory than the limit" '.[-1].usage | .memory_peak <= 33554432 and .oom_kills == 0'
last "swap: nothing was hit" 'all(.[]; .type != "limit")'
expect_error 137 '^cordon: stopped by the memory limit 32M$' "swap: 64 MiB do not fit into both" -- \
	logged --limit memory=32M --limit swap=16M -- "$CONSUME" memory 64
last "swap: the log names the limit" 'any(.[]; .limit == "swap" and .count > 0 and
	.text == "swap limit 16M: no more was swapped out")'
expect_error 137 '^cordon: stopped by the memory limit 8M$' "swap: none that is not given" -- \
	logged --limit memory=8M -- "$CONSUME" memory 12

# --- memory-high: page cache can be taken back, so the peak stays near it and the payload lives
big=/usr/bin/qemu-system-x86_64 # the guest's files are the host's, and the host has this one
check "there is a file of 16 MiB" [ "$(stat -c %s "$big")" -gt 16777216 ]
expect_status 0 "memory-high: the payload goes on" -- logged --limit memory-high=4M -- "$CONSUME" read "$big"
last "memory-high: the peak stays near" '.[-1].usage.memory_peak < 12582912'
last "memory-high: the log tells" 'any(.[]; .limit == "memory-high" and .count > 0)'
expect_status 0 "memory-high: the twin" -- logged --limit memory-high=1G -- "$CONSUME" read "$big"
last "memory-high: takes more" '(.[-1].usage.memory_peak > 14680064) and all(.[]; .type != "limit")'

# --- cpu: little, as an emulated processor is slow
expect_status 0 "cpu: a tenth" -- logged --limit cpu=0.1 -- "$CONSUME" spin 60
last "cpu: held back" 'any(.[]; .limit == "cpu" and .count > 0 and (.text | startswith("cpu limit 0.1: ")))'
expect_status 0 "cpu: the twin has all" -- logged --limit cpu=8 -- "$CONSUME" spin 60
last "cpu: not held back" 'all(.[]; .type != "limit")'

# --- what the kernel says of a leaf. Root's process that watches this test sits in a node below the place:
# Linux 6.1 asks who enables cpuset whether he may schedule it (task_setscheduler).
cpuset=(--limit cpuset=0)
if [ "$CORDON_TEST_LANE" = apparmor-6.1 ]; then
	cpuset=()
	expect_error 125 'enforce --limit cpuset: give cpuset 0 to .*: (Permission denied|Operation not permitted)$' \
		"cpuset: not over root's processes" -- logged --limit cpuset=0 -- "$CONSUME" cpus
else
	expect_output 0 "cpuset: where it may run" -- logged --limit cpuset=0 -- "$CONSUME" cpus
	run "$CORDON" run --policy strict --limit cpuset=0-700 -- true
	check "cpuset: those that are there" test "$STATUS" -eq 0
fi
expect_error 125 'cannot enforce --limit cpuset: give cpuset 7,900 to a cgroup in ' "cpuset: none of these" -- \
	logged --limit cpuset=7,900 -- "$CONSUME" cpus
PAYLOAD=("$CONSUME" hold)
mkfifo ready
exec 8<>ready
hold() { # OPTIONS...: in the background; $held is the supervisor, $leaf its cgroup
	local before dir
	find_leaves
	before=" ${leaves[*]} "
	"$CORDON" run --ro "$PROGRAMS" --audit "file:$LOG" "$@" -- "${PAYLOAD[@]}" >ready 2>/dev/null 8>&- &
	held=$!
	read -r -t 60 -u 8
	find_leaves
	leaf=$PLACE/none
	for dir in "${leaves[@]}"; do [[ $before == *" $dir "* ]] || leaf=$dir; done
}
file_is() { # TITLE FILE VALUE
	check "$1" test "$(<"$leaf/$2")" = "$3"
}
hold --limit pids=33 --limit memory=64M --limit memory-high=48M --limit cpu=1.5 --limit cpu-weight=50 \
	--limit io-weight=200 "${cpuset[@]}"
file_is "the leaf: pids.max" pids.max 33
file_is "the leaf: memory.max" memory.max 67108864
file_is "the leaf: memory.high" memory.high 50331648
file_is "the leaf: no swap" memory.swap.max 0
file_is "the leaf: killed as one" memory.oom.group 1
file_is "the leaf: cpu.max" cpu.max "150000 100000"
file_is "the leaf: cpu.weight" cpu.weight 50
file_is "the leaf: io.weight" io.weight "default 200"
[ "${#cpuset[@]}" -eq 0 ] || file_is "the leaf: cpuset.cpus" cpuset.cpus 0
check "the leaf: pid 1 and the payload are in it" test "$(wc -l <"$leaf/cgroup.procs")" -eq 2
check "the supervisor is not" not has_line "^$held$" "$leaf/cgroup.procs"
expect_output "nothing was left" "gc leaves the living alone" -- "$CORDON" gc
expect_output 6 "and so does another launch" -- logged --limit pids=8 -- "$CONSUME" forks 20
check "it is still there" test "$(wc -l <"$leaf/cgroup.procs")" -eq 2
kill -TERM "$held"
wait "$held"
check "its end removes the leaf" no_leaf
hold --limit memory=64M --limit swap=1M
file_is "the leaf: swap by name" memory.swap.max 1048576
kill -TERM "$held"
wait "$held"

# --- cpu-weight: two that want the guest's one processor
used() { # LEAF: microseconds of a processor, into REPLY
	local name
	read -r name REPLY <"$1/cpu.stat"
	[ "$name" = usage_usec ]
}
# Enough to tell: a host that takes the guest's processor away takes it from one of them, and the kernel gives it back
# by and by.
have_told() { # LEAST MOST
	local mine its all
	nap 0.3 # each look takes from both
	used "$one" && mine=$((REPLY - before[0]))
	used "$other" && its=$((REPLY - before[1]))
	all=$((mine + its)) share=$((100 * its / (mine + 1)))
	[ "$all" -ge 8000000 ] || { [ "$all" -ge 800000 ] && [ "$share" -gt "$1" ] && [ "$share" -lt "$2" ]; }
}
percent() { # WEIGHT LEAST MOST: share is what a sandbox of this weight gets of a neighbour's time, whose weight is 100
	local PAYLOAD=(sh -c 'echo ready; exec "$0" spin 600000' "$CONSUME") held leaf one other first before
	hold --limit cpu-weight=100
	first=$held one=$leaf
	hold --limit cpu-weight="$1"
	other=$leaf
	used "$one" && before=("$REPLY")
	used "$other" && before+=("$REPLY")
	wait_for 60 have_told "$2" "$3"
	kill -TERM "$first" "$held"
	wait "$first" "$held"
}
percent 1000 300 100000
diag "cpu-weight 1000: $share % of what 100 has"
check "cpu-weight: ten times the weight is far more of the processor" test "$share" -gt 300
percent 100 33 300
diag "cpu-weight 100: $share % of what 100 has"
check "cpu-weight: the twin has what its neighbour has" test "$share" -gt 33 -a "$share" -lt 300
check "cpu-weight: no leaf stays" no_leaf

# --- inside
expect_output "0::/" "the payload sees its own cgroup as the root" -- \
	logged --limit pids=64 -- grep '^0::' /proc/self/cgroup
expect_status 1 "and no cgroup file system" -- logged --limit pids=64 -- test -e /sys/fs/cgroup/cgroup.procs

# --- from a policy
printf 'policy p\nuse default\nlimit memory 8M cpu 2 cpuset 0\n' >p.policy
expect_error 137 'stopped by the memory limit 8M' "a policy's limit" -- \
	logged --policy ./p.policy -- "$CONSUME" memory 24
expect_output touched "--limit outranks it" -- \
	logged --policy ./p.policy --limit memory=32M -- "$CONSUME" memory 20

# --- usage
expect_status 0 "a fifth of a second" -- logged --limit pids=64 -- "$CONSUME" spin 200
last "is counted, and not much more" '.[-1].usage | .source == "cgroup" and .cpu_usec > 190000 and
	.cpu_usec < 3000000 and (.user_usec + .system_usec - .cpu_usec | fabs) < 1000'

disk=$(mktemp -d /run/disk/cgroup.XXXXXX)
at_exit 'rm -rf "$disk"'
check "there is a disk" test "$(stat -f -c %T "$disk")" = ext2/ext3
copies() { # DD'S OPTIONS...: a MiB, past the page cache
	logged -v --limit pids=64 --rw "$disk" -- dd bs=64K count=16 "$@"
}
expect_error 0 '^cordon: used .*, io .* read, 1\.[0-9] MiB written, .*; as the cgroup counts$' \
	"io: -v tells what was written" -- copies if=/dev/zero "of=$disk/file" oflag=direct
last "io: the closing record, too" '.[-1].usage.io | .wbytes >= 1048576 and .wbytes < 2097152'
expect_error 0 '^cordon: used .*, io 1\.[0-9] MiB read, 0 B written, .*; as the cgroup counts$' \
	"io: what was read" -- copies "if=$disk/file" of=/dev/null iflag=direct
last "io: the closing record, too" '.[-1].usage.io | .rbytes >= 1048576 and .rbytes < 2097152 and .wbytes == 0'
expect_status 0 "io: the twin touches no disk" -- logged --limit pids=64 -- true
last "io: and has none" '.[-1].usage.io == { rbytes: 0, wbytes: 0 }'

# --- kill -9 of the supervisor
dead() { # leaves a leaf behind
	hold --limit memory=64M
	read -r pid1 <"$leaf/cgroup.procs"
	kill -KILL "$held"
	wait "$held" 2>/dev/null
	wait_for 10 has_ended "$pid1"
	wait_for 10 has_line "^populated 0$" "$leaf/cgroup.events"
}
has_ended() {
	! kill -0 "$1" 2>/dev/null || has_line "^State:.Z" "/proc/$1/status"
}
dead
check "kill -9: the sandbox died with it, its leaf stays" test -d "$leaf"
expect_status 0 "kill -9: the next launch" -- logged --limit pids=64 -- true
check "kill -9: removes it" no_leaf
hold --limit memory=64M
living=$held of_living=$leaf
dead
expect_output "would remove $leaf" "gc -n says what" -- "$CORDON" gc -n
check "gc -n does nothing" test -d "$leaf"
expect_output "removed $leaf" "gc removes it" -- "$CORDON" gc
check "and not the other one" [ ! -e "$leaf" -a -d "$of_living" ]
kill -TERM "$living"
wait "$living"
touch -d '2 minutes ago' "$XDG_CACHE_HOME/cordon/.tmp-0123456789abcdef"
touch "$XDG_CACHE_HOME/cordon/.tmp-fedcba9876543210"
expect_output "removed $XDG_CACHE_HOME/cordon/.tmp-0123456789abcdef" "gc: the cache's old unfinished files" -- "$CORDON" gc
check "gc: not what is being written" test -e "$XDG_CACHE_HOME/cordon/.tmp-fedcba9876543210"
expect_error 125 "take 'x'" "gc: nothing else" -- "$CORDON" gc x

# --- twenty at once
for i in {1..20}; do
	"$CORDON" run --ro "$PROGRAMS" --audit "file:$LOG" --limit memory=64M --limit pids=16 -- sh -c "exit $i" \
		>"many.$i" 2>&1 &
	many[i]=$!
done
wrong=
for i in {1..20}; do
	wait "${many[i]}"
	status=$?
	[ "$status" -eq "$i" ] || wrong+=" $status for $i: $(<"many.$i")"
done
check "twenty at once: each ended as it should" test -z "$wrong"
check "twenty at once: nothing stays" no_leaf
check "the log is whole" "$CORDON" audit verify "$LOG"
done_testing
