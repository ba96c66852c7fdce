#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# AppArmor profiles as an author makes them, and apparmor_parser as their reader. Nothing is loaded.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

PARSER=/usr/sbin/apparmor_parser
reads() { # FILE
	"$PARSER" -QKT -q --kernel-features /etc/apparmor.d/abi/3.0 -o /dev/null "$1"
}
check "apparmor_parser is here (tools/install-deps test)" test -x "$PARSER"

# --- the shipped policies
for policy in base-libc process default build session strict; do
	expect_status 0 "$policy: a profile" -- "$CORDON" policy build "$policy" --emit apparmor -o .
	expect_status 0 "$policy: the parser takes it" -- reads "$policy.apparmor"
	check "$policy: its name" grep -qx "profile cordon-$policy {" "$policy.apparmor"
done
cp default.apparmor broken.apparmor
sed -i '$i\  "/a{b" r,' broken.apparmor
expect_status 1 "one broken line more, and it does not" -- reads broken.apparmor

# --- the same bytes for whoever makes it, wherever
mkdir -p elsewhere/home
expect_status 0 "made again, from another place and home" -- \
	bash -c 'cd elsewhere && HOME=$PWD/home XDG_CONFIG_HOME=/x "$0" policy build default --emit apparmor -o .' "$CORDON"
check "the same bytes" cmp default.apparmor elsewhere/default.apparmor
check "every home" grep -qF '"/home/?*{,/,/**}" rwklmix,' default.apparmor

# --- one user's home, one directory
cat >own.policy <<'END'
policy own
allow read execve
exec /
hide $PWD/.git
write $PWD
END
expect_error 125 "line 4 of .*own.policy" "hiding what is not known is refused" -- \
	"$CORDON" policy build ./own.policy --emit apparmor -o .
check "and nothing is written" test ! -e own.apparmor
expect_status 0 "known, it is said" -- "$CORDON" policy build ./own.policy --emit apparmor -o . --home /home/me --pwd /home/me/src
expect_status 0 "the parser takes it" -- reads own.apparmor
check "hidden" grep -qF 'audit deny "/home/me/src/.git{,/,/**}" r' own.apparmor
check "writable" grep -qF '"/home/me/src{,/,/**}" rwkl,' own.apparmor
expect_status 0 "without what it hides, no place is needed" -- \
	bash -c 'sed -i /hide/d own.policy && "$0" policy build ./own.policy --emit apparmor -o .' "$CORDON"

# --- names that would be rules
cat >hostile.policy <<'END'
policy hostile
allow read
read "/a\" rw, /etc/shadow rw, #" "/b{,/x}/**" "/c, capability sys_admin," "/d@{HOME}"
read "/e include <abstractions/base>" "/f\\\" rw" "/g } profile evil { capability,"
END
expect_status 0 "names that look like rules" -- "$CORDON" policy build ./hostile.policy --emit apparmor -o .
expect_status 0 "the parser takes them" -- reads hostile.apparmor
expect_status 0 "and finds one profile" -- bash -c '[ "$("$0" -QN -q hostile.apparmor)" = cordon-hostile ]' "$PARSER"
expect_status 0 "with no capability and no include" -- \
	bash -c '! "$0" -Qp -q hostile.apparmor | grep -E "^[[:space:]]*(capability|include|##included|file|/)"' "$PARSER"

# --- the report speaks of it
expect_match 'apparmor' "the report has its lines" -- "$CORDON" policy report default --mechanism apparmor

done_testing
