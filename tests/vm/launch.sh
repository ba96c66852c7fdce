#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lanes: selinux-6.1 apparmor-6.1 apparmor-new selinux-6.12
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# Launches on kernels that no development machine runs: the shipped policies start, nothing that a hostile
# program tries gets through, each denial is in a log that is whole, limits hold by real cgroups, a base
# of one's own takes changes or says why not, and the plan says what this kernel lacks.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
LOG=$XDG_STATE_HOME/cordon/audit.jsonl
case $CORDON_TEST_LANE in
*-6.1) abi=2 ;;
*-6.12) abi=6 ;;
*) abi=11 ;; # and later ones, of which cordon uses what it knows
esac

# --- the shipped policies
for policy in default build session strict; do
	expect_output "hello" "$policy" -- "$CORDON" run --policy "$policy" -- echo hello
done
expect_status 7 "an exit status" -- "$CORDON" run -- sh -c 'exit 7'
run inside -- "$PROGRAMS/inspect" status
check "no_new_privs, a filter, no capability" jq -e 'select(.what == "status") |
	.NoNewPrivs == "1" and .Seccomp == "2" and (.CapEff, .CapPrm, .CapBnd, .CapAmb | test("^0+$"))' "$OUT"
[ "$_failed" -eq 0 ] || _said

# --- what is in force, and what this kernel lacks
run "$CORDON" run --dry-run -- true
check "the plan has Landlock $abi" grep -qE "^with +Landlock ABI $abi$" "$OUT"
for n in 3 6 9; do
	told=$(grep -cE "^without +Landlock ABI $n " "$OUT")
	check "ABI $n is told as given up where it lacks" test "$told" = $((abi < n))
done
expect_match "^yes +Landlock +ABI ($abi|1[2-9])(;|$)" "doctor: Landlock" -- "$CORDON" doctor
check "doctor: cordon can run here" grep -qE '^cordon can run here' "$OUT"
check "doctor: cgroup" grep -qE '^yes +delegated cgroup v2 +/sys/fs/cgroup/[^ ]*: pids, memory, cpu, io, cpuset$' "$OUT"
check "doctor: the security modules" grep -qE "^yes +security modules told +[a-z,]*landlock,yama,${CORDON_TEST_LANE%%-*}" "$OUT"
if [ $abi -eq 2 ]; then
	check "doctor: attributes on tmpfs" grep -qE '^no +user attributes on tmpfs +Operation not supported' "$OUT"
	check "doctor: attributes on tmpfs: what to do" grep -qE 'hint: .*--upper DIR' "$OUT"
else
	check "doctor: attributes on tmpfs" grep -qE '^yes +user attributes on tmpfs' "$OUT"
fi

# --- a hostile program. The loops that fill something end at a bound of ours: they run emulated here.
run inside --limit upper=8M --limit pids=128 -- "$PROGRAMS/hostile"
check "hostile: no breach" grep -qE '^hostile: [0-9]+ refused, [0-9]+ hidden, [0-9]+ bounded, 0 BREACH$' "$OUT"
[ "$STATUS" -eq 0 ] || _said
check "hostile: tried them all" test "$(grep -cE '^(refused|hidden|bounded) ' "$OUT")" -ge 150

# --- denials
rm -f "$LOG" "$LOG.head"
expect_match '"refused":300,"errno":"EPERM"' "300 denials" -- inside -- "$PROGRAMS/denied" 300
expect_match "300 denials accounted for" "300 denials are in the log, which is whole" -- "$CORDON" audit verify
cp "$LOG" forged.jsonl
cp "$LOG.head" forged.jsonl.head
sed -i '0,/"swapoff"/s//"swapon"/' forged.jsonl
expect_status 1 "a log with a changed call is not" -- "$CORDON" audit verify forged.jsonl

# --- limits that need a cgroup
# Files in memory count; one process alone would meet RLIMIT_AS first.
eat=(dd bs=1M count=32 if=/dev/zero of=/tmp/eaten status=none)
expect_status 0 "32 MiB without a limit" -- "$CORDON" run -- "${eat[@]}"
expect_status 137 "32 MiB in 16: ended by the kernel" -- "$CORDON" run --limit memory=16M -- "${eat[@]}"
check "32 MiB in 16: the log says so" grep -q '"type":"limit".*memory' "$LOG"
expect_denied "pids" --limit pids=8 --twin --limit pids=40 -- \
	sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait'
# In user/, as this test does not sit alone in its own node.
leaf() { cat /sys/fs/cgroup/user/cordon-*/"$1" 2>/dev/null; }
has() { [ "$(leaf "$1")" = "$2" ]; }
"$CORDON" run --limit cpu=0.5 --limit memory=64M -- sleep 60 &
check "cpu: the kernel has it" wait_for 60 has cpu.max "50000 100000"
check "memory: the kernel has it" has memory.max 67108864
kill $!
wait $!
check "its cgroup is gone" has cpu.max ""

# --- a base
mkdir -p base/{bin,dir,tmp}
cp "$(command -v busybox)" base/bin/
for applet in sh cat ls mkdir rm; do ln -s busybox "base/bin/$applet"; done
echo lower >base/dir/file
replace='rm -r /dir && mkdir /dir && ls -A /dir && echo x >/dir/new && cat /dir/new'
if [ $abi -eq 2 ]; then
	expect_error 125 "cannot keep the attributes that an overlay needs in the tmpfs upper" "a base" -- \
		"$CORDON" run --base base -- sh -c true
	check "a base: the hint" grep -q '^hint: .*Linux 6.6.*--upper DIR.*--upper none' "$ERR"
	expect_error 125 "cannot keep the attributes" "an overlay" -- "$CORDON" run --overlay base -- true
	check "an overlay: the hint" grep -q '^hint: .*--ro instead' "$ERR"
	mkdir base/{dev,proc,run,var,etc,home,usr}
	expect_output lower "a base, read-only" -- "$CORDON" run --base base --upper none -- cat /dir/file
	disk=$(mktemp -d /run/disk/launch.XXXXXX)
	at_exit "rm -rf $disk"
	expect_output x "a base with an upper on disk takes changes" -- \
		"$CORDON" run --base base --upper "$disk" -- sh -c "$replace"
	expect_output new "which stay" -- "$CORDON" run --base base --upper "$disk" -- ls -A /dir
else
	expect_output x "a base takes changes" -- "$CORDON" run --base base -- sh -c "$replace"
	mkdir over
	echo upper >over/file
	expect_output "upper" "two bases" -- "$CORDON" run --base over --base base -- cat /file
fi
check "the base is as it was" test "$(<base/dir/file)" = lower
done_testing
