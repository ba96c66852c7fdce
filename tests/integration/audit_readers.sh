#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# What reads the log: explain, replay, suggest, export, show. On a real log, and on hostile ones.
. "$(dirname "$0")/../lib/harness.sh"
HOSTILE_LOGS=(evil.jsonl)
HERE=$(cd "$(dirname "$0")/.." && pwd)
cd "$WORK" || exit 1
LOG=$XDG_STATE_HOME/cordon/audit.jsonl

audit() {
	"$CORDON" audit "$@"
}

# --- a real log: 20,000 counted calls of one sandbox, 50 kinds of another
mapfile -t attempts < <("$PROGRAMS/hostile" --list | grep -v -e fork-bomb -e kill-)
inside -- "$PROGRAMS/hostile" "${attempts[@]}" >/dev/null 2>&1
inside -- "$PROGRAMS/denied" 1000 4 >/dev/null 2>&1
n=$(jq -s 'map(select(.type == "denial")) | length' "$LOG")

# --- replay
expect_status 1 "replay under the same policy: still denied" -- audit replay --policy default
expect_status 0 "all of it, by the same lines" -- audit replay --policy default --expect same
expect_status 0 "all is denied, as expected" -- audit replay --policy default --expect denied
expect_match "^$n of $n records: the same answer by the same rule$" "each record's verdict is reproduced" -- \
	audit replay --policy default --expect same
expect_match '^ +1000 +denied +swapoff +EPERM +default.policy:[0-9]+$' "what was counted counts" -- \
	audit replay --policy default --expect denied
expect_status 0 "--json" -- audit replay --policy default --expect same --json
check "--json adds up" jq -e --argjson n "$n" '.records == $n and .same_verdict == $n and .allowed == 0 and
	.denied == ([.rows[].count] | add) and .damaged == 0' "$OUT"
cat >wide.policy <<'END'
policy wide
use default
remove deny swapoff pivot_root
allow swapoff pivot_root
END
expect_status 1 "a wider policy allows some of it" -- audit replay --policy ./wide.policy
check "which, with the line that does" grep -Eq '^ +1000 +allowed +swapoff +wide.policy:4$' "$OUT"
check "and not the rest" grep -Eq '^ +[0-9]+ +denied +mount +EPERM +default.policy' "$OUT"
expect_status 0 "of one sandbox, all" -- audit replay --policy ./wide.policy --sandbox last
expect_status 1 "which is then not denied" -- audit replay --policy ./wide.policy --sandbox last --expect denied
expect_error 125 "without a policy" "replay needs a policy" -- audit replay
expect_error 125 "perhaps" "and knows what to expect" -- audit replay --policy default --expect perhaps
expect_error 125 "no-such" "and a policy that is there" -- audit replay --policy no-such
expect_error 125 "regular file" "and a log" -- audit replay --policy default /dev/null

# --- a long log: the answer is the same, and the memory does not grow with it
jq -c 'select(.type == "denial")' "$LOG" |
	awk '{ line[NR] = $0 } END { for (i = 0; i < 20000; i++) print line[i % NR + 1] }' >long.jsonl
if sanitized; then
	skip "20,000 records in 32 MiB" "a sanitizer has terabytes of shadow memory"
else
	expect_match '^20000 of 20000 records: the same answer' "20,000 records in 32 MiB" -- bash -c \
		"ulimit -v 32768; exec '$CORDON' audit replay --policy default --expect same long.jsonl"
fi

# --- a log in several files
for _ in 1 2 3; do
	inside --audit file:rot.jsonl --audit-rotate size=64K,keep=20 -- "$PROGRAMS/hostile" "${attempts[@]}" >/dev/null 2>&1
done
all=$(cat rot.jsonl rot.jsonl.[0-9]* | grep -c '"type":"denial"')
expect_match "^$all of $all records: the same answer" "what was rotated is read, too" -- \
	audit replay --policy default --expect same rot.jsonl
check "there was something" test "$(find . -name "rot.jsonl.[0-9]*" | wc -l)" -gt 1 -a "$all" -gt 200
expect_match "^record 2, " "explain finds a record there" -- audit explain --seq 2 rot.jsonl

# --- explain
expect_match '^swapoff\("/cordon/denied"\)  \[' "explain: the last denial" -- audit explain
check "its rule, with the line's text" grep -Eq '^  rule:   .*default.policy:[0-9]+: deny .*swapoff' "$OUT"
check "that the policy is the one" grep -q '^  policy: default, .*default.policy, as it was then$' "$OUT"
check "which is said once" test "$(grep -c 'deny .*swapoff.*quotactl' "$OUT") $(grep -c '^  now:' "$OUT")" = "1 0"
check "the smallest rule" grep -q '^  add:    allow swapoff$' "$OUT"
check "what else it opens" grep -q '^          opens also: any specialfile' "$OUT"
seq=$(jq -s 'map(select(.syscall.name == "pivot_root"))[0].seq' "$LOG")
expect_match '^pivot_root\(' "explain: a record by its number" -- audit explain --seq "$seq"
expect_match 'NOT the one that was in force' "explain: another policy is told apart" -- \
	audit explain --seq "$seq" --policy ./wide.policy
check "what that would answer" grep -q '^that policy allows it: .*wide.policy:4: allow swapoff pivot_root$' "$OUT"
expect_status 0 "explain: as JSON" -- audit explain --seq "$seq" --json
check "which says all of it" jq -e '.policy.same_as_recorded and .answer == "EPERM" and .now.line > 0 and
	(.now.text | test("pivot_root")) and (.advice.steps | map(.rule) | index("allow pivot_root"))' "$OUT"
expect_error 125 "find a denial with the number 999999" "explain: a record that is not there" -- audit explain --seq 999999
expect_match '^record ' "explain: of one sandbox" -- audit explain --sandbox "$(jq -s -r '.[0].sandbox' "$LOG")"

# --- suggest
expect_status 0 "suggest: a policy" -- audit suggest --policy default
for call in acct setdomainname; do
	check "suggest: $call, which costs little" grep -qx "allow $call" "$OUT"
done
for call in mount bpf ptrace swapoff; do
	check "suggest: no $call" bash -c "! grep -q '^allow $call' '$OUT' && grep -q '^# $call: .* denial.*first of /.*record' '$OUT'"
done
check "suggest: with its risk" grep -q '^# risk [0-9]* of 20 (machine): ' "$OUT"
cp "$OUT" default-suggested.policy
expect_status 0 "suggest: what it says compiles" -- "$CORDON" policy check ./default-suggested.policy
run audit replay --policy ./default-suggested.policy --json
mapfile -t now < <(jq -r '.rows[] | select(.outcome == "allowed").call' "$OUT" | sort)
check "suggest: and allows just what it says" test "${now[*]}" = \
	"$(grep -o '^allow [a-z0-9_]*' default-suggested.policy | sort -u | cut -d' ' -f2 | paste -sd' ')"
# A policy that lacks what an ordinary program needs, and a run of it that is refused.
cat >own.policy <<'END'
policy own
use default
remove allow socket socketpair getcwd kill
expect deny getcwd
END
# shellcheck disable=SC2016
script='import os, socket, signal
for f, t in ((socket.AF_UNIX, 1), (socket.AF_UNIX, 2), (socket.AF_INET, 1), (socket.AF_INET, 2)):
    try: socket.socket(f, t | socket.SOCK_CLOEXEC)
    except OSError: pass
try: os.getcwd()
except OSError: pass
try: os.kill(os.getpid(), 0)
except OSError: pass
try: os.kill(os.getpid(), signal.SIGCHLD)
except OSError: pass'
"$CORDON" run --policy ./own.policy --audit file:own.jsonl -- python3 -I -c "$script" >/dev/null 2>&1
expect_status 1 "an ordinary program is refused" -- audit replay --policy ./own.policy own.jsonl
expect_status 0 "suggest: into a file" -- audit suggest --policy ./own.policy -o learnt.policy own.jsonl
check "lists of values, and nothing more" grep -qx \
	'allow socket if domain in AF_UNIX AF_INET and type in SOCK_STREAM|SOCK_CLOEXEC SOCK_DGRAM|SOCK_CLOEXEC and protocol == 0' learnt.policy
check "signals by name" grep -q '^allow kill if sig in 0 SIGCHLD$' learnt.policy
check "a test that says otherwise goes" grep -qx 'remove expect deny getcwd' learnt.policy
expect_status 0 "it checks" -- "$CORDON" policy check ./learnt.policy
expect_status 0 "its tests pass" -- "$CORDON" policy test ./learnt.policy
expect_status 0 "the log under it: all is allowed" -- audit replay --policy ./learnt.policy own.jsonl
"$CORDON" run --policy ./learnt.policy --audit file:again.jsonl -- python3 -I -c "$script" >/dev/null 2>&1
expect_output 0 "and the program, too" -- audit show --count again.jsonl
expect_status 0 "suggest: a patch" -- audit suggest --policy ./own.policy --patch own.jsonl
cp "$OUT" own.patch
check "which applies" patch -s -p0 -o patched.policy own.policy own.patch
sed -i 's/^policy own$/policy patched/; /^expect/d' patched.policy
expect_status 0 "and allows all" -- audit replay --policy ./patched.policy own.jsonl
expect_status 0 "suggest: JSON" -- audit suggest --policy ./own.policy --json own.jsonl
check "with counts, programs and lines" jq -e '[.calls[] | select(.suggested)] | length == 3 and
	all(.[]; .count > 0 and (.first_program | test("python")) and (.lines | length) > 0)' "$OUT"
expect_status 0 "suggest --all" -- audit suggest --policy default --all
check "holds what is dangerous, with its risk" bash -c "grep -B4 '^remove deny bpf' '$OUT' | grep -q '^# risk 20 of 20'"
cp "$OUT" all.policy
sed -i 's/^policy default-suggested$/policy all/' all.policy
run audit replay --policy ./all.policy --json
check "and allows all but other ABIs and what has no name" jq -e '[.rows[] | select(.outcome != "allowed")] |
	length > 0 and all(.[]; .rule == "abi" or (.call == null and .rule == "kernel"))' "$OUT"
expect_error 125 "no policy" "suggest needs a policy" -- audit suggest
expect_status 0 "suggest: nothing, for a policy that allows it" -- audit suggest --policy ./learnt.policy own.jsonl
check "is no line" bash -c "! grep -q '^allow' '$OUT'"

# --- export
expect_status 0 "export: CSV" -- audit export --format csv
check "each record is a row of as many cells" python3 - "$OUT" "$LOG" <<'END'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
want = [r for r in map(json.loads, open(sys.argv[2])) if r["type"] in ("denial", "summary", "lost")]
assert len(rows) == len(want) and len(want) > 50
for row, r in zip(rows, want):
    assert None not in row and None not in row.values(), row
    assert row["seq"] == str(r["seq"]) and row["count"] == str(r["count"]), row
    assert row["call"] == (r.get("syscall", {}).get("name") or ""), row
    assert row["rule"] == r["rule"], row
END
expect_error 125 "form 'xml'" "export: a form that is none" -- audit export --format xml
expect_status 0 "export: into a file" -- audit export --format ausearch -o kernel.log
ausearch() {
	if type -P ausearch >/dev/null; then
		command ausearch "$@"
	else
		LD_LIBRARY_PATH=$HERE/.cache/audit "$HERE/.cache/audit/ausearch" "$@"
	fi
}
if type -P ausearch >/dev/null || [ -x "$HERE/.cache/audit/ausearch" ]; then
	run ausearch -if kernel.log -m SECCOMP --raw
	check "ausearch reads each line" test "$(wc -l <"$OUT")" -eq "$(grep -c . kernel.log)"
	run ausearch -if kernel.log -sc pivot_root
	check "and knows the calls" grep -q "comm=\"hostile\".* syscall=" "$OUT"
else
	skip "ausearch reads each line" "ausearch is not there"
	skip "and knows the calls" "ausearch is not there"
fi

# --- the summary at the end of run -v
run inside -v --audit file:end.jsonl -- "$PROGRAMS/denied" 1000 4
check "run -v: how many were denied" grep -qx 'cordon: 1000 calls were denied' "$ERR"
check "run -v: of what, how often, by which line" grep -Eqx 'cordon: +1000  swapoff +EPERM +default.policy:[0-9]+' "$ERR"
check "run -v: where the log is" grep -q "^cordon: the log is end.jsonl; 'cordon audit show --sandbox [0-9a-f]\{16\} end.jsonl'" "$ERR"
run inside -v --audit file:end.jsonl -- "$PROGRAMS/hostile" "${attempts[@]}"
check "run -v: ten kinds and the rest" test "$(sed -n '/calls were denied$/,/the log is/p' "$ERR" | wc -l)" -eq 13
check "run -v: adds up" test "$(sed -n 's/^cordon: \([0-9]*\) calls were denied$/\1/p' "$ERR")" -eq \
	"$(sed -n '/calls were denied$/,/the log is/p' "$ERR" | awk '$1 == "cordon:" && $2 + 0 && !/calls were/ { n += $2 } END { print n }')"
run inside -v --audit file:end.jsonl -- "$PROGRAMS/true"
check "run -v: nothing" grep -qx 'cordon: nothing was denied' "$ERR"
run inside --audit file:end.jsonl -- "$PROGRAMS/denied" 10 1
check "without -v: not a word" bash -c "! grep -q denied '$ERR'"

# --- show: filters
expect_output 1000 "show --count: denials, those in summaries too" -- audit show --count --call swapoff
expect_output 0 "of no call" -- audit show --count --call getpid --comm nobody
expect_output 1000 "--rule, with a pattern" -- audit show --count --rule "$(jq -s -r \
	'map(select(.syscall.name? == "swapoff"))[0].rule | split("/")[-1]' "$LOG")" --sandbox last
expect_output 20 "--path: those of which it is known" -- audit show --count --path '/cordon/*'
check "--comm: the program's" test "$(audit show --count --comm hostile)" -eq "$(jq -s \
	'map(select(.comm? == "hostile").count) | add' "$LOG")"
expect_output 0 "--until: nothing was before it" -- audit show --count --until 2000-01-01T00:00:00
check "--until and --since: all was between" test "$(audit show --count --since 1h --until 2100-01-01)" -eq "$(audit show --count)"
expect_error 125 "another way" "--count is alone" -- audit show --count --json
expect_error 125 "'--seq' of 'cordon audit show'" "an option of another verb" -- audit show --seq 1
expect_error 125 "'--frob' of 'cordon audit replay'" "an option of none" -- audit replay --frob

# --- show: watching
follow() {
	timeout 2 "$CORDON" audit show --follow "$@"
}
run follow
check "--follow: the last ten" test "$(wc -l <"$OUT")" -eq 10
check "up to how the last sandbox ended" bash -c "tail -n 1 '$OUT' | grep -q ' ended: exit 0; 1000 calls denied$'"
run follow -n 3 --json
check "--follow -n: so many" test "$(jq -s -c 'map(.type)' "$OUT")" = "$(tail -n 3 "$LOG" | jq -s -c 'map(.type)')"
run follow --since 1h --call pivot_root
check "--follow --since: all of that time" test "$(wc -l <"$OUT")" -eq "$(jq -s 'map(select(.syscall.name? == "pivot_root")) | length' "$LOG")"
check "a pipe has no colour" bash -c "! grep -q $'\x1b' '$OUT'"
on_terminal() { # COMMAND: what a terminal gets
	script -qec "$1" /dev/null </dev/null
}
run on_terminal "timeout 2 $CORDON audit show --follow --call pivot_root -n 1"
check "a terminal has" grep -q $'\x1b\[31mdenied\x1b\[0m' "$OUT"
run env NO_COLOR=1 bash -c "$(declare -f on_terminal); on_terminal 'timeout 2 $CORDON audit show --follow --call pivot_root -n 1'"
check "unless NO_COLOR is set" bash -c "grep -q denied '$OUT' && ! grep -q $'\x1b' '$OUT'"
run on_terminal "$CORDON run --audit stderr --ro $PROGRAMS -- $PROGRAMS/denied 1"
check "so it is with --audit stderr on a terminal" grep -q $'cordon: \x1b\[31mdenied\x1b\[0m swapoff' "$OUT"
expect_match '^  exit 0; 1000 calls denied; cpu [0-9.]+ s, memory [0-9.]+ [KM]iB$' "show: how a sandbox ended, and how much it was denied" -- audit show --sandbox last

# --- logs that somebody wrote to deceive
audit show --json >whole.jsonl
python3 - whole.jsonl evil.jsonl <<'END'
import json, sys
lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
denial = next(json.loads(l) for l in lines if '"denial"' in l)
def put(**changes):
    r = json.loads(json.dumps(denial)) | changes
    return json.dumps(r, separators=(",", ":"), ensure_ascii=False)
call = denial["syscall"]
out = [put(comm="\x1b[2J", rule="\x9b31m", exe="=1+1|x"),
       put(syscall=call | {"nr": 2**31, "name": None}), put(syscall=call | {"nr": -5}),
       put(syscall=call | {"name": "a\u202eb"}), put(syscall=None), put(syscall=[]), put(args={}),
       put(args=["0x" + "f" * 400] * 6), put(answer={"nr": 10**30}), put(count=2**64), put(count=2**64 - 1),
       put(count=2**64 - 1), put(type="summary"), put(decoded={"a": {"path_as_read": "\n" * 3000}}),
       put(digest="0" * 12 + "\u001b"), put(policy="../" * 1000 + "etc/passwd"), put(policy="/dev/zero"),
       put(rule="/dev/zero:1"), put(rule="/etc/shadow:1"), put(sandbox=7), put(mechanism="\x1b]0;x\x07"),
       "[" * 100000, "{" + '"a":' * 5000, "x" * 3000000, "\x1b[31m", "", "{}", '{"type":"denial"', "\0\0\0"]
with open(sys.argv[2], "w", encoding="utf-8") as f:
    f.write("\n".join(out) + "\n" + lines[1] + "\n" + lines[2][:100])
END
for what in "replay --policy default" "replay --policy default --json" "replay --policy default --expect same" \
	"suggest --policy default" "suggest --policy default --json --all" explain "explain --json" "explain --seq $(jq -s 'map(select(.type == "denial"))[0].seq' whole.jsonl)" \
	"export --format csv" "export --format ausearch" "show --count" "show --group" "show --json" "show"; do
	# shellcheck disable=SC2086 # words
	run timeout 10 "$CORDON" audit $what evil.jsonl
	check "a hostile log: $what ends well" test "$STATUS" -le 1 -o "$STATUS" -eq 125
	check "and drives no terminal" bash -c "! LC_ALL=C grep -qaP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' '$OUT' '$ERR'"
done
expect_status 1 "what is no record is nothing to pass a gate" -- audit replay --policy default --expect denied evil.jsonl

done_testing
