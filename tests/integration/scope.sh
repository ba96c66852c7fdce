#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by check
# cordon-scope, where there is no manager or none that answers. A real one is in tests/vm/scope.sh.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
SCOPE=$CORDON_TEST_ROOT/build/cordon-scope

two_lines() { # FIRST SECOND: of the last run's output, and nothing else
	[ "$(wc -l <"$OUT")" -eq 2 ] && grep -Eqx "$1" <(head -n 1 "$OUT") && grep -Eqx "$2" <(tail -n 1 "$OUT")
}
for bad in "" "0" "x" "1 a b" "99999999999 a"; do
	# shellcheck disable=SC2086 # words
	expect_match 'usage: cordon-scope PID NAME' "no arguments: '$bad'" -- bash -c '! "$@"' _ "$SCOPE" $bad
done
# Of root it is the system's manager, which this test must not ask for anything.
[ "$WHO" = user ] || done_testing

run "$SCOPE" $$ cordon-0000000000000001.scope
check "nobody to ask: status 1" test "$STATUS" -eq 1
check "nobody to ask: two lines for the launcher" two_lines \
	"ask the user manager of systemd for the scope 'cordon-0000000000000001.scope': No such file or directory" \
	'.*loginctl enable-linger.*'

# One that says WORDS to whoever comes, or nothing, and stays.
manager() { # WORDS
	mkdir -p "$XDG_RUNTIME_DIR/systemd"
	rm -f "$XDG_RUNTIME_DIR/systemd/private"
	python3 - "$XDG_RUNTIME_DIR/systemd/private" "$1" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1])
s.listen(8)
kept = []
while True:
    c, _ = s.accept()
    kept.append(c)
    if sys.argv[2]:
        c.sendall(sys.argv[2].encode())
PY
	fake=$!
	at_exit "kill $fake; rm -rf '$XDG_RUNTIME_DIR/systemd'"
	wait_for 10 test -S "$XDG_RUNTIME_DIR/systemd/private"
}
manager ""
before=$SECONDS
run "$SCOPE" $$ cordon-0000000000000001.scope
check "one that says nothing: bounded in time" test $((SECONDS - before)) -le 7
check "one that says nothing: told" two_lines \
	"ask the user manager of systemd for the scope '.*': Connection timed out" 'the manager hangs: .*'
kill "$fake"
manager 'REJECTED nothing\r\n'
run "$SCOPE" $$ cordon-0000000000000001.scope
check "one that refuses: told" bash -c '[ "$1" -eq 1 ] && grep -q "^ask the user manager" "$2"' _ "$STATUS" "$OUT"
kill "$fake"
wait_for 5 bash -c '! kill -0 "$1" 2>/dev/null' _ "$fake"
run "$SCOPE" $$ cordon-0000000000000001.scope
check "one that has gone: told" two_lines \
	"ask the user manager of systemd for the scope '.*': Connection refused" '.*'
rm -rf "$XDG_RUNTIME_DIR/systemd"

done_testing
