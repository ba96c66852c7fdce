#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# What a malicious build tries is refused, and every refusal is in the log: by name, with the rule's line,
# counted exactly, in a chain that shows what was changed.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
LOG=$XDG_STATE_HOME/cordon/audit.jsonl

records() { # JQ-FILTER: as one line
	jq -c -s "$1" "$LOG"
}
total() { # denials accounted for in the log
	records 'map(select(.type == "denial" or .type == "summary").count) | add // 0'
}
fresh() {
	rm -f "$LOG" "$LOG.head"
}

# --- the list of attempts
# No limit of the kernel counts root's processes but a cgroup, which may not be there: the launch says so.
mapfile -t attempts < <("$PROGRAMS/hostile" --list | if [ "$WHO" = root ]; then grep -v fork-bomb; else cat; fi)
mkdir -p "$HOME/.ssh" && echo key >"$HOME/.ssh/id_rsa"
for policy in default build session strict; do
	if [ "$policy" = strict ] && sanitized; then
		skip "strict: the list of attempts" "a sanitizer's shadow memory breaks the policy's memory limit"
		continue
	fi
	fresh
	run inside --policy "$policy" --limit upper=64M --limit inodes=8K -- "$PROGRAMS/hostile" "${attempts[@]}"
	cp "$OUT" "hostile.$policy"
	check "$policy: no breach" bash -c "[ '$STATUS' -eq 0 ] && ! grep '^BREACH' 'hostile.$policy'"
	check "$policy: every attempt was made" test "$(grep -c -E '^(refused|hidden|bounded) ' "hostile.$policy")" -eq "${#attempts[@]}"
	check "$policy: the log is whole" "$CORDON" audit verify
	check "$policy: the log accounts for each denial" test "$(total)" = "$(records 'map(select(.type == "close").denials) | add')"
	for call in mount ptrace bpf keyctl init_module userfaultfd perf_event_open io_uring_setup unshare setns; do
		check "$policy: $call is in the log" test \
			"$(records "map(select(.type == \"denial\" and .syscall.name == \"$call\")) | length > 0")" = true
	done
	# Each record names the line that refused it.
	bad=$(jq -r 'select(.type == "denial" and (.rule | test(":[0-9]+$"))) | .syscall.name + " " + .rule' "$LOG" | sort -u |
		while read -r call rule; do
			line=$(sed -n "${rule##*:}p" "$LIBRARY/${rule%:*}" 2>/dev/null || sed -n "${rule##*:}p" "${rule%:*}")
			[[ $line == deny*@* || $line == *" $call"* ]] || echo "$call $rule: $line"
		done)
	check "$policy: each record's rule is the line that denies that call" test -z "$bad"
	[ -z "$bad" ] || diag "$bad"
	named=$(jq -r 'select(.type == "denial" and (.rule | test("policy:[0-9]+$"))).rule' "$LOG" | sort -u | wc -l)
	check "$policy: many lines of policy were at work ($named)" test "$named" -ge 5
done

# --- exact counts, whatever the load
for load in "1 1" "100 1" "1000 4" "20000 8" "50000 2" "100000 64"; do
	read -r n threads <<<"$load"
	fresh
	expect_match "\"refused\":$n," "$n denied calls from $threads threads" -- inside -- "$PROGRAMS/denied" "$n" "$threads"
	check "$n denied calls: all accounted for" test "$(total)" = "$n"
	check "$n denied calls: the closing record says so" test "$(records '.[-1] | [.type, .denials, .lost.denials]')" = "[\"close\",$n,0]"
	check "$n denied calls: verified" "$CORDON" audit verify
done
fresh
for i in 1 2 3 4; do
	inside -- "$PROGRAMS/denied" 500 2 >/dev/null &
done
wait
check "four sandboxes, one log: all accounted for" test "$(total)" = 2000
check "four sandboxes, one log: verified" "$CORDON" audit verify
check "four sandboxes, one log: four openings and closings" test \
	"$(records '[map(select(.type == "open")), map(select(.type == "close"))] | map(length)')" = "[4,4]"

# --- a flood of many kinds: what it brings to the log is bounded, and exact
fresh
expect_match '"refused":50000,' "50,000 calls of 48 kinds" -- bash -c \
	"echo 50000 | '$CORDON' run --ro '$PROGRAMS' -- '$PROGRAMS/outage'"
check "a flood: all accounted for" test "$(total)" = 50000
check "a flood: verified" "$CORDON" audit verify
check "a flood: each kind has a record of its own" test "$(records '[map(select(.type == "denial").syscall.name), map(select(.type == "summary").syscall.name)] |
	(.[0] | unique | length) == 48 and (.[1] - .[0]) == []')" = true
check "a flood: less than 1 MiB" test "$(stat -c %s "$LOG")" -lt 1048576
full=$(records 'map(select(.type == "denial")) | length')
fresh
expect_match '"refused":50000,' "who gives more bytes" -- bash -c \
	"echo 50000 | '$CORDON' run --audit-flood 16M --ro '$PROGRAMS' -- '$PROGRAMS/outage'"
check "has more records of their own" test "$(records 'map(select(.type == "denial")) | length')" -gt $((full + 200))
check "who gives more bytes: all accounted for" test "$(total)" = 50000
expect_error 125 "from 1M to 1G" "--audit-flood wants a size" -- "$CORDON" run --audit-flood 1K -- true

# --- answers
fresh
expect_match '"errno":"ENOSYS"' "a call that no kernel has: ENOSYS" -- inside -- "$PROGRAMS/denied" 3 1 number-600
check "a call that no kernel has: recorded by number" test \
	"$(records 'map(select(.type == "denial" and .syscall.nr == 600)) | map(.answer.errno) | unique')" = '["ENOSYS"]'
expect_match '"errno":"EPERM"' "a named denial: its errno" -- inside -- "$PROGRAMS/denied" 3 1 chroot
if [ "$(uname -m)" = x86_64 ]; then
	check "a foreign ABI was refused" grep -qE '^refused +int80-getpid +\(ENOSYS\)' hostile.default
	check "x32 was refused" grep -qE '^refused +x32-getpid +\(ENOSYS\)' hostile.default
fi
check "clone3 has no flags a filter could read: ENOSYS" grep -qE '^refused +clone3-user +\(ENOSYS\)' hostile.default
check "a nested user namespace was refused" grep -qE '^refused +unshare-user +\(EPERM\)' hostile.default
fresh
run inside -- "$PROGRAMS/selflock"
check "threads, fork, own seccomp and own Landlock work inside" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
check "only what selflock meant to be denied was" test "$(records 'map(select(.type == "denial").syscall.name)')" = '["chroot"]'
expect_output "8" "python's threads and processes" -- "$CORDON" run --env PATH=/usr/bin:/bin -- python3 -c '
import threading, subprocess, os
n = []
t = [threading.Thread(target=lambda: n.append(1)) for _ in range(4)]
[x.start() for x in t]; [x.join() for x in t]
for _ in range(4): n.append(subprocess.run(["true"]).returncode + 1)
print(sum(n))'
check "what is quiet is not recorded" test "$(records 'map(select(.syscall.name? == "clone3")) | length')" = 0

# --- a policy of one's own
cat >own.policy <<'END'
policy own
use default
deny getpgrp errno ENOTUNIQ
deny getsid
kill sync
deny getpriority quiet
END
fresh
# The supervisor is the one who kills: the call is recorded first.
expect_status 137 "kill: the payload dies" -- "$CORDON" run --policy ./own.policy -- sync
check "kill: recorded with its line" test \
	"$(records 'map(select(.type == "denial" and .syscall.name == "sync")) | .[0].rule | endswith("own.policy:5")')" = true
expect_output "76" "another errno" -- "$CORDON" run --policy ./own.policy -- perl -e '$! = 0; syscall(111); print $! + 0'
check "another errno: recorded" test \
	"$(records 'map(select(.type == "denial" and .syscall.name == "getpgrp")) | .[0] | [.answer.errno, (.rule | endswith("own.policy:3"))]')" = '["ENOTUNIQ",true]'

# --- hostile bytes
fresh
expect_match '"refused":5' "a path that looks like a record" -- inside -- "$PROGRAMS/denied" 5 1 acct
check "it is one field of one record" test "$(records 'map(select(.forged?)) | length')" = 0
check "each line of the log is one object" test "$(wc -l <"$LOG")" = "$(records length)"
check "no control byte is in the log" bash -c "! LC_ALL=C tr -d '\n\40-\176' <'$LOG' | grep -q ."
run "$CORDON" audit show
check "audit show: no control byte" bash -c "! LC_ALL=C tr -d '\n\40-\176' <'$OUT' | grep -q $'[\e\r\a]'"
check "audit show: the call is there" grep -q acct "$OUT"
run "$CORDON" audit show --json
check "audit show --json: records" test "$(jq -s 'map(select(.syscall.name? == "acct")) | length' "$OUT")" = 5

# --- what was changed is found
cp "$LOG" good
cp "$LOG.head" good.head
expect_status 0 "a copy is whole: the allowed twin" -- "$CORDON" audit verify good
size=$(stat -c %s good)
found=0
for i in {1..20}; do
	cp good.head flipped.head
	perl -e 'local $/; $_ = <STDIN>; my $p = $ARGV[0]; substr($_, $p, 1) ^= chr(1); print' $((size * i / 21)) <good >flipped
	"$CORDON" audit verify flipped >/dev/null 2>&1
	[ $? -eq 1 ] && found=$((found + 1))
done
check "a flipped bit is found, wherever it is ($found of 20)" test "$found" -eq 20
for how in '3d' '$d' '3{h;d};4G' '1d' '4p'; do
	sed "$how" good >changed
	cp good.head changed.head
	expect_status 1 "lines dropped, swapped or doubled are found: $how" -- "$CORDON" audit verify changed
done
head -c $((size - 40)) good >changed
expect_status 1 "a cut log is found" -- "$CORDON" audit verify changed
check "audit verify of what is not there" bash -c "! '$CORDON' audit verify missing 2>/dev/null"

# --- sinks
expect_match "" "--audit file" -- inside --audit "file:$WORK/own.jsonl" -- "$PROGRAMS/denied" 2
check "--audit file: it is there, and the caller's alone" test "$(jq -s 'map(select(.type == "denial")) | length' own.jsonl) $(stat -c %a own.jsonl)" = "2 600"
run inside --audit stderr -- "$PROGRAMS/denied" 2
check "--audit stderr" grep -q swapoff "$ERR"
to_fd() {
	inside --audit fd:9 -- "$PROGRAMS/denied" 2 9>fd.jsonl
}
expect_status 0 "--audit fd" -- to_fd
check "--audit fd: records" test "$(jq -s 'map(select(.type == "denial")) | length' fd.jsonl)" = 2
two() {
	inside --audit "file:$WORK/a.jsonl" --audit fd:9 -- "$PROGRAMS/denied" 2 9>fd.jsonl
}
expect_status 0 "two sinks" -- two
check "two sinks: both have it" test "$(grep -c swapoff a.jsonl) $(grep -c swapoff fd.jsonl)" = "2 2"
gone() {
	mkfifo pipe
	(head -n 1 >/dev/null) <pipe &
	inside --audit fd:9 -- sh -c "sleep 0.2; '$PROGRAMS/denied' 3" 9>pipe
}
expect_match '"refused":3' "a sink whose reader went: the policy holds" -- gone
check "a sink whose reader went: it is told" grep -q 'could not be written' "$ERR"
expect_error 125 cannot "a log that cannot be begun: nothing runs" -- \
	env XDG_STATE_HOME=/proc/none "$CORDON" run -- echo ran
check "a log that cannot be begun: indeed nothing" test ! -s "$OUT"
ln -s "$WORK/target" "$WORK/link.jsonl"
expect_error 125 cannot "a log behind a symlink is refused" -- "$CORDON" run --audit "file:$WORK/link.jsonl" -- true
check "a log behind a symlink: its target was not made" test ! -e target

done_testing
