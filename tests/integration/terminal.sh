#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# A terminal of the sandbox's own where the caller has one; pipes and files pass straight.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

# at_terminal OPTION... -- COMMAND...: as a person would; what is printed loses its carriage returns.
at_terminal() {
	/usr/bin/python3 "$CORDON_TEST_ROOT/tests/lib/terminal.py" "$@" >raw
	local status=$?
	tr -d '\r' <raw
	return "$status"
}
restored() { # TITLE: the modes of the outer terminal
	check "$1: the terminal's modes are restored" grep -qx 'modes: as before' "$ERR"
}

# --- the sandbox's own terminal
expect_output /dev/pts/0 "the terminal inside is the sandbox's first" -- at_terminal -- "$CORDON" run -- tty
restored "a normal end"
expect_output "33 77" "its size is the outer one's" -- at_terminal --size 33x77 -- "$CORDON" run -- stty size
expect_output $'ready\n44 99' "a new size arrives, and is told" -- at_terminal --resize-on ready 44x99 -- \
	"$CORDON" run -- sh -c 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
expect_match 'erase = \^H' "the outer modes are taken over" -- at_terminal -- "$CORDON" run -- stty -a
check "the outer modes are taken over: one that was off" grep -q -e '-ixon' "$OUT"
run at_terminal -- "$CORDON" run --ro "$PROGRAMS" -- "$PROGRAMS/inspect" fd process
check "0, 1 and 2 are that terminal" test "$(jq -s -c 'map(select(.what == "fd").target)' "$OUT")" = \
	'["/dev/pts/0","/dev/pts/0","/dev/pts/0"]'
check "it is the controlling one, and the payload in its foreground" test \
	"$(jq -s 'map(select(.what == "process"))[0] | .has_tty == 1 and .foreground == .pgrp' "$OUT")" = true
expect_output "hello" "/dev/tty is it" -- at_terminal -- "$CORDON" run -- sh -c 'echo hello >/dev/tty'
expect_status 1 "without a terminal there is no /dev/tty: the twin" -- "$CORDON" run -- sh -c '{ true >/dev/tty; } 2>/dev/null || exit 1'
expect_output "1" "the host's terminals are not there" -- at_terminal -- "$CORDON" run -- sh -c 'ls /dev/pts | grep -c "^[0-9]"'

# --- keys
expect_output $'ready\nread: typed' "keys arrive" -- at_terminal --send-on ready 'typed\n' -- \
	"$CORDON" run -- sh -c 'stty -echo; echo ready; read -r x; echo "read: $x"'
expect_match '^typed$' "the echo comes once, from inside" -- at_terminal --send-on ready 'typed\n' -- \
	"$CORDON" run -- sh -c 'echo ready; read -r x'
check "the echo comes once" test "$(grep -c typed "$OUT")" -eq 1
expect_status 130 "the interrupt key interrupts" -- at_terminal --send-on ready '\x03' -- \
	"$CORDON" run -- sh -c 'echo ready; exec sleep 20'
restored "an interrupted payload"
expect_status 131 "the quit key quits" -- at_terminal --send-on ready '\x1c' -- \
	"$CORDON" run -- sh -c 'echo ready; exec sleep 20'
expect_output $'ready\n0' "the end-of-file key ends input" -- at_terminal --send-on ready '\x04' -- \
	"$CORDON" run -- sh -c 'echo ready; cat | wc -c'
expect_match '^03 1a ff 00$' "in raw mode every byte arrives" -- at_terminal --send-on ready '\x03\x1a\xff\x00' -- \
	"$CORDON" run -- sh -c 'stty raw -echo; echo ready; x=$(head -c 4 | od -An -tx1); stty sane; echo $x'
restored "a payload that left its own terminal raw"

# --- every way to end
expect_status 137 "the payload kills itself in raw mode" -- at_terminal -- "$CORDON" run -- sh -c 'stty raw -echo; kill -9 $$'
restored "SIGKILL of the payload"
expect_status 127 "the command is missing" -- at_terminal -- "$CORDON" run -- no-such-command
restored "a missing command"
check "a missing command: the error starts at the margin" grep -aq $'^cordon: cannot run' raw
expect_status 125 "a mount cannot be made" -- at_terminal -- "$CORDON" run --ro "$PROGRAMS:/opt/x" -- true
restored "cordon's own failure"
expect_status 137 "the wall limit" -- at_terminal -- "$CORDON" run --limit wall=300ms -- sh -c 'stty raw -echo; sleep 20'
restored "the wall limit"
for signal in TERM HUP INT; do
	expect_status $((128 + $(kill -l $signal))) "SIG$signal to the launcher" -- at_terminal --kill-on ready $signal -- \
		"$CORDON" run -- sh -c 'stty -echo; echo ready; exec sleep 20'
	restored "SIG$signal to the launcher"
done
expect_status 129 "the window is closed: the payload hangs up" -- at_terminal --hangup-on ready -- \
	"$CORDON" run -- sh -c 'echo ready; exec sleep 20'
if wait_for 5 no_orphans; then ok "the window is closed: nothing is left"; else not_ok "the window is closed: nothing is left"; fi
expect_match '^last words$' "what was written last is shown" -- at_terminal -- \
	"$CORDON" run -- sh -c 'seq 3000; printf "last words\n"'
check "nothing written before it is missing" test "$(grep -c '^[0-9]*$' "$OUT")" -eq 3000

# --- nothing is typed into the caller's terminal
expect_match '^refused +tiocsti ' "TIOCSTI is refused on a terminal" -- at_terminal -- \
	"$CORDON" run --ro "$PROGRAMS" -- "$PROGRAMS/hostile" tiocsti tiocsti-own-pty tioclinux-own-pty
check "TIOCLINUX is refused" grep -qE '^refused +tioclinux-own-pty' "$OUT"
check "TIOCSTI: it is in the log" grep -q '"TIOCSTI"' "$XDG_STATE_HOME/cordon/audit.jsonl"

expect_match '^refused +tiocsti ' "TIOCSTI is refused where a terminal is passed on by wish" -- at_terminal -- \
	"$CORDON" run --pty never --ro "$PROGRAMS" -- "$PROGRAMS/hostile" tiocsti

# --- mixed: exactly what is a terminal outside is one inside
which='x=""; for fd in 0 1 2; do if [ -t $fd ]; then x="$x tty"; else x="$x no"; fi; done; echo ${x# } >&2'
printf 'from a file' >input
expect_output "no tty tty" "standard input is a file" -- at_terminal --stdin input -- "$CORDON" run -- sh -c "$which"
expect_output "tty no tty" "standard output is a file" -- at_terminal --stdout output -- "$CORDON" run -- sh -c "$which"
expect_output "no no tty" "both are" -- at_terminal --stdin input --stdout output -- "$CORDON" run -- sh -c "$which"
expect_status 0 "a file passes to the terminal" -- at_terminal --stdin input -- "$CORDON" run -- cat
check "a file passes to the terminal: unchanged" test "$(cat "$OUT")" = "from a file"
head -c 10M /dev/urandom >big
expect_status 0 "10 MB from a file to a file, beside a terminal" -- \
	at_terminal --stdin big --stdout output -- "$CORDON" run -- cat
check "10 MB from a file to a file: unchanged" cmp -s big output
expect_status 0 "the terminal for keys, a file for output" -- at_terminal --stdout output --send-on ready 'typed\n' -- \
	"$CORDON" run -- sh -c 'stty -echo; echo ready >&2; head -n 1'
check "the terminal for keys, a file for output: it is there" test "$(cat output)" = typed
restored "mixed"

# --- no terminal: pipes pass straight
expect_output "no no no" "no terminal" -- bash -c "echo x | '$CORDON' run -- sh -c '$which' 2>&1 | cat"
sum=$(sha256sum <big)
check "10 MB through pipes: unchanged" test "$("$CORDON" run -- cat <big | cat | sha256sum)" = "$sum"
check "10 MB from a pipe: unchanged" test "$(tee big.2 <big | "$CORDON" run -- sha256sum)" = "$sum"
expect_output "/dev/pts/0" "--pty always" -- bash -c "'$CORDON' run --pty always -- tty </dev/null | tr -d '\r'"
expect_match '^(tty|no) no (tty|no)' "--pty never: no terminal of the sandbox's" -- at_terminal --stdout output -- \
	"$CORDON" run --pty never -- sh -c "$which; test ! -e /dev/pts/0"

# --- a session
export SHELL=/bin/sh
with_bash() {
	SHELL=/bin/bash at_terminal "$@"
}
expect_status 5 "cordon shell" -- at_terminal --size 24x200 --send-on 'go>' 'echo in=$((40+2)); tty; exit 5\n' -- \
	"$CORDON" shell --env 'PS1=go> '
check "cordon shell: commands run" grep -q '^in=42' "$OUT"
check "cordon shell: on its own terminal" grep -qx /dev/pts/0 "$OUT"
check "cordon shell: with job control" bash -c "! grep -qi 'job control' '$OUT'"
restored "cordon shell"
expect_match Stopped "a job is stopped by its key" -- with_bash --send-on 'go>' "sh -c 'echo st''arted; exec sleep 20'\n" \
	--send-on started '\x1a' --send-on Stopped 'kill -9 %1; exit; exit 0\n' -- \
	"$CORDON" shell --env 'PS1=go> ' -- --norc -i
expect_status 3 "cordon shell with arguments" -- "$CORDON" shell -- -c 'exit 3'

# --- a terminal that takes what is written to it slowly, still, when the payload has long ended
slow() { # the latter half by 4 KB each 0.2 s; prints how much came in all
	/usr/bin/python3 - "$@" <<-'END'
		import os, subprocess, sys, time, tty
		master, slave = os.openpty()
		tty.setraw(slave)
		child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, start_new_session=True)
		os.close(slave)
		n = 0
		try:
		    while True:
		        n += len(os.read(master, 12288))
		        time.sleep(0.2 * (n > 150000))
		except OSError:
		    pass
		print(child.wait(), n)
	END
}
expect_output "0 300000" "a slow terminal gets all of it" -- \
	slow "$CORDON" run -q -- sh -c 'head -c 300000 /dev/zero | tr "\0" x'

done_testing
