#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# The exit status tells who ended and how: the payload's own, 128+n, 125, 126, 127. Odd callers:
# closed descriptors, closed pipes, many arguments, hostile names.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

# --- the payload's own status
for n in 0 1 2 42 124 125 126 127 128 200 255; do
	expect_status "$n" "exit $n" -- "$CORDON" run -- sh -c "exit $n"
done
for signal in HUP INT QUIT ABRT KILL USR1 SEGV PIPE ALRM TERM XCPU RTMIN; do
	n=$(kill -l "$signal")
	expect_status $((128 + n)) "death by $signal" -- "$CORDON" run -- sh -c "kill -$signal \$\$"
done
expect_status 7 "a child's death by a signal is not the payload's" -- \
	"$CORDON" run -- sh -c 'sh -c "kill -9 \$\$"; exit 7'

# --- 127: not found
expect_error 127 "cannot run 'no-such-command': No such file" "a missing command" -- \
	"$CORDON" run -- no-such-command
check "a missing command: the hint names PATH" grep -q '^hint: .*PATH inside' "$ERR"
expect_error 127 "cannot run '/no/such/file'" "a missing path" -- "$CORDON" run -- /no/such/file
expect_error 127 "cannot run '/etc/passwd/x'" "a path through a file" -- "$CORDON" run -- /etc/passwd/x
printf '#!/no/such/interpreter\n' >lost
printf '#!/bin/sh\nexit 9\n' >script
cp /bin/true plain
chmod 755 lost script
chmod 644 plain
expect_error 127 "cannot run './lost'" "a missing interpreter" -- "$CORDON" run -- ./lost
check "a missing interpreter: the hint says so" grep -q '^hint: .*interpreter' "$ERR"
expect_status 9 "the interpreter is found: the allowed twin" -- "$CORDON" run -- ./script

# --- 126: found, but not to be executed
expect_error 126 "cannot run './plain': Permission denied" "not executable" -- "$CORDON" run -- ./plain
chmod 755 plain
expect_status 0 "executable: the allowed twin" -- "$CORDON" run -- ./plain
expect_error 126 "cannot run '/etc': Is a directory" "a directory" -- "$CORDON" run -- /etc
expect_error 126 "cannot run '\./data'" "an unknown format" -- bash -c "
	printf 'no format' >data; chmod 755 data; exec '$CORDON' run -- ./data"
mkdir -p first second
printf '#!/bin/sh\nexit 5\n' >second/both
printf 'x' >first/both
chmod 755 second/both
expect_status 5 "PATH is searched on behind what cannot be executed" -- \
	"$CORDON" run --env "PATH=$WORK/first:$WORK/second:/usr/bin:/bin" -- both

# --- 125: cordon's own
expect_error 125 "cannot understand the option '--polcy'" "an unknown option" -- \
	"$CORDON" run --polcy default -- true
check "an unknown option: a suggestion" grep -q 'did you mean --policy' "$ERR"
expect_error 125 "cannot understand the verb 'rnu'" "an unknown verb" -- "$CORDON" rnu -- true
check "an unknown verb: a suggestion" grep -q "did you mean 'cordon run'" "$ERR"
expect_error 125 "run nothing" "no command" -- "$CORDON" run
expect_error 125 "run nothing" "no command behind --" -- "$CORDON" run --
expect_error 125 "without its value" "an option without its value" -- "$CORDON" run --policy
expect_error 125 "takes none" "a value for a flag" -- "$CORDON" run --dry-run=1 -- true
expect_error 125 "no-such-policy" "an unknown policy" -- "$CORDON" run --policy no-such-policy -- true
check "an unknown policy: one sentence" test "$(grep -c '^cordon: cannot' "$ERR")" -eq 1
expect_error 125 "defualt" "a policy's name mistyped" -- "$CORDON" run --policy defualt -- true
expect_error 125 "/no/such.policy" "a missing policy file" -- \
	"$CORDON" run --policy /no/such.policy -- true
expect_error 125 "open the base '.*/missing'" "a missing base" -- "$CORDON" run --base missing -- true
expect_error 125 "open the base '/etc/passwd'" "a base that is a file" -- \
	"$CORDON" run --base /etc/passwd -- true
mkdir closed
chmod 000 closed
if [ "$WHO" = user ]; then
	expect_error 125 "base '.*/closed': Permission denied" "a base that is closed" -- \
		"$CORDON" run --base closed -- true
fi
for bad in pids pids= pids=0 pids=-1 pids=1x pids=18446744073709551616 'pids= 5' pids=0xg memory=1Z memory=G \
	memory=99999999999G cpu=0 cpu=. cpu=1.x cpu=-1 nofile=zero upper=1GG wall=5y wall=-1s bogus=1 '' =; do
	expect_error 125 "--limit '$bad'" "a bad limit: '$bad'" -- "$CORDON" run --limit "$bad" -- true
done
expect_status 0 "good limits: the allowed twin" -- "$CORDON" run --limit nofile=100 --limit upper=1M \
	--limit wall=1m --limit inodes=100 -- true
for bad in 1x -1 4294967295 4294967294 18446744073709551616 '' ' 1' 1e3 0x; do
	expect_error 125 "--uid '$bad'" "a bad uid: '$bad'" -- "$CORDON" run --uid "$bad" -- true
done
expect_output 4294967293 "the largest uid: the allowed twin" -- "$CORDON" run --uid 4294967293 -- id -u
for bad in x -1 99 1048577 ''; do
	expect_error 125 "descriptor|--fd" "a bad descriptor: '$bad'" -- "$CORDON" run --fd "$bad" -- true
done
for bad in '' a_b "a b" "$(printf 'x%.0s' {1..65})" $'a\nb'; do
	expect_error 125 "--hostname" "a bad host name" -- "$CORDON" run --hostname "$bad" -- true
done
expect_error 125 "variable" "an environment variable without a name" -- "$CORDON" run --env =x -- true
expect_error 125 "--net" "a network that is none" -- "$CORDON" run --net lo -- true
expect_error 125 "working directory" "a missing working directory" -- "$CORDON" run --cwd /no/where -- true
expect_error 125 "cannot" "a sink that cannot be written" -- "$CORDON" run --audit file:/no/where/log -- true
check "a sink that cannot be written: nothing ran" test ! -s "$OUT"
expect_error 125 "cannot" "an unknown sink" -- "$CORDON" run --audit pigeon -- true
expect_error 125 "name is empty" "an empty command" -- "$CORDON" run -- ''

# --- odd callers
run_closed() {
	"$CORDON" run -- sh -c 'cat; echo done' <&-
}
expect_output "done" "standard input closed" -- run_closed
out=$(timeout 20 bash -c "'$CORDON' run -- yes 2>'$ERR' | head -n 1; echo \${PIPESTATUS[0]}")
check "standard output to a closed pipe: SIGPIPE ends the payload (got: $out)" [ "$out" = $'y\n141' ]
(exec "$CORDON" run -- "$WORK/script" <&- >&- 2>&-)
check "0, 1 and 2 closed: the status arrives" [ $? -eq 9 ]
(exec "$CORDON" run -- sh -c 'echo x >>/tmp/x; exec 3</tmp/x; read -r x <&3; exit $(($(ls /proc/self/fd | wc -l) + ${#x}))' <&- >&- 2>&-)
check "0, 1 and 2 closed: nothing of cordon's lies there" [ $? -eq 6 ]
(exec -a '' "$CORDON" run -- "$WORK/script")
check "cordon called by an empty name" [ $? -eq 9 ]
expect_output "1 " "an empty argv[0] for the payload" -- "$CORDON" run --argv0 '' -- \
	sh -c 'echo "1 $(tr "\0" "\n" </proc/$$/cmdline | head -n 1)"'
expect_output nick "another argv[0]" -- "$CORDON" run --argv0 nick -- \
	sh -c 'tr "\0" "\n" </proc/$$/cmdline | head -n 1'
# shellcheck disable=SC2046 # one word a number
expect_output 10000 "10,000 arguments" -- "$CORDON" run -- sh -c 'echo $#' sh $(seq 10000)
# shellcheck disable=SC2046
expect_error 125 "more than 32768 arguments" "too many arguments" -- "$CORDON" run -- true $(seq 32768)
expect_output "$(printf 'x%.0s' {1..100000} | sha256sum)" "a long argument arrives whole" -- \
	"$CORDON" run -- sh -c 'printf %s "$1" | sha256sum' sh "$(printf 'x%.0s' {1..100000})"
expect_output $'\n--\n-v' "empty arguments and dashes arrive as they are" -- \
	"$CORDON" run -- printf '%s\n' '' -- -v
expect_status 127 "a name full of escapes" -- "$CORDON" run -- $'\e]0;pwned\a\e[2J\r\x9b31m\xff'
check "a name full of escapes: none reaches the terminal" \
	bash -c "! LC_ALL=C tr -d '\n\40-\176' <'$ERR' | grep -q ." 
expect_error 125 "cannot understand the option" "an option full of escapes" -- "$CORDON" run $'--\e[2J' true
check "an option full of escapes: none reaches the terminal" bash -c "! grep -q $'\e' '$ERR'"

few_files() {
	ulimit -n 16
	"$CORDON" run -- sh -c 'ulimit -n; echo fine'
}
expect_output $'16\nfine' "with 16 descriptors" -- few_files
big_environment() {
	local i value
	value=$(printf 'v%.0s' {1..1000})
	for i in {1..1000}; do
		export "BIG_$i=$value"
	done
	"$CORDON" run --env 'BIG_*' -- sh -c 'env | grep -c "^BIG_.*vvv"; exit 3'
}
run big_environment
check "an environment of a megabyte passes" test "$STATUS $(cat "$OUT")" = "3 1000"
many_variables() {
	local i
	for i in {1..4200}; do
		export "MANY_$i=$i"
	done
	"$CORDON" run "$@" -- sh -c 'env | grep -c MANY'
}
expect_error 125 "more than 4096 environment variables" "too many variables are refused" -- \
	many_variables --env 'MANY_*'
run many_variables
check "unasked variables are not passed" test "$(cat "$OUT")" = 0

done_testing
