#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# Nothing survives the sandbox, and the sandbox survives nothing.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
mkfifo ready

# Processes of the sandboxes by a word in their arguments: they are looked for from outside.
word=cordon-life-$$
alive() { # how many
	grep -lsz -e "[c]${word#c}" /proc/[0-9]*/cmdline 2>/dev/null | wc -l
}
dead() {
	[ "$(alive)" -eq 0 ]
}
# A payload that does all it can to stay: ignores what can be ignored, daemonises twice, leaves its group.
stubborn='trap "" HUP INT TERM QUIT PIPE
	(trap "" HUP INT TERM; setsid sh -c "trap \"\" HUP TERM; sleep 300; : $0" </dev/null >/dev/null 2>&1 &)
	(setsid setsid sleep 300.0 </dev/null >/dev/null 2>&1 &) 
	echo ready; exec 1>&-; sleep 300; : $0'
start() { # OPTION...: a stubborn sandbox in the background; $! is its launcher
	"$CORDON" run "$@" -- sh -c "$stubborn" "$word" >ready 2>err &
	launcher=$!
	timeout 20 head -n 1 <ready >/dev/null
}

# --- the launcher's death is everybody's
start
check "the stubborn payload lives" test "$(alive)" -ge 2
# Its filter is its own (sandbox/supervisor.policy); when it waits it keeps little in memory.
supervisor() { # FIELD: of the kernel's account of it
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$launcher/status"
}
check "the supervisor is under a filter of its own" test "$(supervisor Seccomp) $(supervisor NoNewPrivs)" = "2 1"
pss() {
	sed -n 's/^Pss: *\([0-9]*\) kB$/\1/p' "/proc/$launcher/smaps_rollup"
}
if [ -x "$PROGRAMS/attempts" ]; then # a sanitizer's shadow is none of its memory
	check "a supervisor that waits takes less than 1 MiB" wait_for 5 eval 'test "$(pss)" -lt 1024'
fi
kill -9 "$launcher"
wait "$launcher" 2>/dev/null
check "kill -9 of the launcher ends everything" wait_for 5 dead
start --new-time
kill -9 "$launcher"
wait "$launcher" 2>/dev/null
check "in a time namespace too" wait_for 5 dead
start --limit wall=300ms
wait "$launcher"
status=$?
check "the wall limit ends everything" wait_for 5 dead
check "the wall limit: the status is that of SIGKILL" test "$status" -eq 137
check "the wall limit is told" grep -q "stopped by the wall limit " err
begin=$(date +%s%N)
expect_status 137 "the wall limit is kept" -- "$CORDON" run --limit wall=500ms -- sleep 30
took=$((($(date +%s%N) - begin) / 1000000))
check "the wall limit is kept in time ($took ms)" test "$took" -ge 450 -a "$took" -lt 3000
expect_status 3 "within the wall limit: the allowed twin" -- "$CORDON" run --limit wall=1m -- sh -c 'exit 3'

# --- the payload's end is everybody's
expect_status 4 "the payload's end" -- "$CORDON" run -- sh -c \
	'(setsid sh -c "trap \"\" HUP TERM; sleep 300; : $0" >/dev/null 2>&1 &); sleep 300 & exit 4' "$word"
check "its background children end with it" wait_for 5 dead
begin=$SECONDS
run timeout 20 bash -c "'$CORDON' run -- sh -c 'sleep 300 & echo out' | cat"
check "a reader sees the end of the output at once" test $((SECONDS - begin)) -lt 5 -a "$(cat "$OUT")" = out

# --- orphans are reaped
expect_output "0 zombies" "200 orphans are reaped" -- "$CORDON" run -- sh -c '
	i=0; while [ $i -lt 200 ]; do (: & ); (sh -c "exit 1" &); i=$((i+1)); done
	n=1; tries=0; while [ $n -gt 0 ] && [ $tries -lt 100 ]; do
		n=0; for s in /proc/[0-9]*/stat; do read -r pid name state rest <$s && [ "$state" = Z ] && n=$((n+1)); done 2>/dev/null
		tries=$((tries+1)); sleep 0.02; done
	echo $n zombies'
expect_match '^PPid:.1$' "an orphan comes to pid 1" -- "$CORDON" run -- \
	sh -c 'sh -c "sleep 1 & echo \$! >/tmp/pid"; sleep 0.1; cat /proc/$(cat /tmp/pid)/status'

# --- signals
for signal in TERM INT HUP QUIT USR1 USR2; do
	n=$(kill -l $signal)
	rm -f said
	"$CORDON" run -- sh -c "trap 'echo got $signal; exit 33' $signal; echo ready; while :; do sleep 0.05; done" >said &
	launcher=$!
	wait_for 10 grep -qs ready said
	kill "-$signal" "$launcher"
	wait "$launcher"
	status=$?
	check "SIG$signal reaches the payload ($status)" test "$status" -eq 33 -a "$(tail -n 1 said)" = "got $signal"
	rm -f said
	"$CORDON" run -- sh -c 'echo ready; exec sleep 30' >said &
	launcher=$!
	wait_for 10 grep -qs ready said
	kill "-$signal" "$launcher"
	wait "$launcher"
	status=$?
	check "SIG$signal ends a payload that does not catch it" test "$status" -eq $((128 + n))
done
rm -f said
"$CORDON" run -- sh -c 'trap "" TERM; echo ready; sleep 0.5; exit 6' >said &
launcher=$!
wait_for 10 grep -qs ready said
kill -TERM "$launcher"
wait "$launcher"
check "a payload may ignore SIGTERM" test $? -eq 6
expect_status 8 "nobody inside ends pid 1" -- "$CORDON" run -- \
	sh -c 'for s in TERM INT HUP KILL STOP USR1 SEGV; do kill -$s 1 2>/dev/null; done; sleep 0.1; exit 8'
expect_status 9 "nobody inside reaches beyond" -- "$CORDON" run -- sh -c 'trap "" TERM; kill -TERM -1; kill -TERM 0; exit 9'

# --- killed at any moment of its start
before=$(_places)
for i in {1..50}; do
	"$CORDON" run --rw . --base /usr --tmpfs /tmp -- /bin/sleep 20 >/dev/null 2>&1 &
	one=$!
	"$CORDON" run --rw . -- sh -c 'sleep 20; : $0' "$word" >/dev/null 2>&1 &
	two=$!
	perl -e 'select undef, undef, undef, $ARGV[0] / 1e6' $((i * 137 % 7000))
	kill -9 $one $two
	wait $one $two 2>/dev/null
done
check "50 times killed during the start: no process" wait_for 5 dead
check "50 times killed during the start: no orphan" wait_for 5 no_orphans
check "50 times killed during the start: no file" test "$(_places)" = "$before"
check "50 times killed during the start: no mount" test "$(_mounts)" = "$_mounts_before"
for i in {1..20}; do
	"$CORDON" run -- sh -c 'sleep 20; : $0' "$word" >/dev/null 2>&1 &
	one=$!
	perl -e 'select undef, undef, undef, $ARGV[0] / 1e6' $((i * 311 % 5000))
	kill -TERM $one
	wait $one
	statuses+=" $?"
done
check "20 times ended by SIGTERM during the start: no process" wait_for 5 dead
check "20 times ended by SIGTERM during the start: each told (${statuses# })" bash -c "
	for s in $statuses; do case \$s in 143) ;; *) exit 1 ;; esac; done"

# --- limits that end a bomb
if [ "$WHO" = user ]; then
	count_forks='i=0; while [ $i -lt 400 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo $i'
	run "$CORDON" run --limit pids=60 -- sh -c "$count_forks"
	check "a fork bomb is bounded by --limit pids" bash -c "[ '$STATUS' -ne 0 ] || ! grep -qx 400 '$OUT'"
	expect_output 400 "without a tight limit it is not: the allowed twin" -- \
		"$CORDON" run --limit pids=2000 -- sh -c "$count_forks"
fi

# --- cordon inside cordon
# Where it is a sanitizer's: its leak check needs ptrace, which is not to be had inside.
expect_error 125 "namespaces" "cordon inside cordon is refused" -- \
	"$CORDON" run --ro "$CORDON_TEST_ROOT" --env ASAN_OPTIONS=detect_leaks=0 --env XDG_STATE_HOME=/tmp \
	--env XDG_CACHE_HOME=/tmp -- "$CORDON" run -- true
check "cordon inside cordon: one sentence and a hint" test "$(grep -c '^cordon: cannot' "$ERR") $(grep -c ^hint: "$ERR")" = "1 1"

# --- many at once
pids=()
for i in {1..16}; do
	"$CORDON" run -- sh -c "exit $i" &
	pids+=($!)
done
good=0
for i in {1..16}; do
	wait "${pids[i - 1]}"
	[ $? -eq "$i" ] && good=$((good + 1))
done
check "16 sandboxes at once, each with its own status" test "$good" -eq 16

done_testing
