#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# cordon policy, and the cache between a policy's text and a launch.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

# --- the shipped policies
for policy in base-libc process default build session strict; do
	expect_status 0 "$policy: check" -- "$CORDON" policy check "$policy"
	check "$policy: check says nothing" test ! -s "$ERR"
	expect_match '^ok ' "$policy: test" -- "$CORDON" policy test "$policy"
	check "$policy: no expectation fails" bash -c "! grep -q '^not ok' '$OUT'"
	expect_match 'openat' "$policy: show" -- "$CORDON" policy show "$policy"
	expect_match 'ret|RET' "$policy: show --bpf" -- "$CORDON" policy show --bpf "$policy"
done
expect_status 0 "several at once" -- "$CORDON" policy check default build "$LIBRARY/strict.policy"

# --- mistakes are named by file, line and column
mistake() { # LINE:COLUMN REGEX TITLE, the policy's text on standard input
	local where=$1 want=$2 title=$3
	cat >broken.policy
	expect_error 1 "broken.policy:$where: .*$want" "$title" -- "$CORDON" policy check ./broken.policy
	expect_error 125 "broken.policy:$where: .*$want" "$title: no launch" -- "$CORDON" run --policy ./broken.policy -- true
}
mistake 3:7 "opnat" "an unknown call" <<'END'
policy broken
kernel 6.1
allow opnat
END
check "an unknown call: a suggestion" bash -c "'$CORDON' policy check ./broken.policy 2>&1 | grep -q openat"
cat >two.policy <<'END'
policy two
alow read
allow opnat
END
expect_status 1 "mistakes as JSON: status" -- "$CORDON" policy check --json ./two.policy strict
check "mistakes as JSON: each, and what is good" bash -c "jq -e '.policies | length == 2 and .[0].errors == 2 and
	(.[0].mistakes | map([.severity, .line, .column]) == [[\"error\", 2, 1], [\"error\", 3, 7]]) and
	(.[0].mistakes[1].hint | contains(\"openat\")) and .[1].good and .[1].mistakes == []' '$OUT'"
expect_status 125 "a policy that is not there" -- "$CORDON" policy check --json none-such
check "a policy that is not there: as JSON" jq -e '.policies[0].error | contains("No such file")' "$OUT"
expect_match 'lint .*--level' "help of one verb" -- "$CORDON" policy lint --help
cat >names.policy <<'END'
policy names
read "/with blank" "/with\\backslash" /plain
env A="x y"
END
"$CORDON" policy show ./names.policy | sed -n 's/^\(read .*\|env .*\)  # .*/\1/p' >shown
check "what show prints of paths and variables is what was written" diff shown - <<'END'
read /plain
read "/with blank"
read "/with\\backslash"
env A="x y"
END
mistake 2:1 "alow" "an unknown verb" <<'END'
policy broken
alow read
END
mistake 2:5 "no-such-base" "an unknown policy in use" <<'END'
policy broken
use no-such-base
END
mistake 2:7 "no-such-group" "an unknown group" <<'END'
policy broken
allow @no-such-group
END
mistake 2:18 "EBROKEN" "an unknown errno" <<'END'
policy broken
deny mount errno EBROKEN
END
mistake 2:27 "AF_NOWHERE" "an unknown constant" <<'END'
policy broken
allow socket if domain == AF_NOWHERE
END
mistake 2:17 "colour" "an unknown argument" <<'END'
policy broken
allow socket if colour == 1
END
mistake 2: "limit|many" "a bad limit" <<'END'
policy broken
limit pids many
END
mistake 2: "relative|absolute|path" "a relative path" <<'END'
policy broken
read usr/lib
END
printf 'policy broken\nallow read \xff\xfe\n' | mistake 2: "UTF-8|byte|utf" "bytes that are no text"
cat >loop.policy <<'END'
policy loop
use loop
END
expect_status 1 "a policy that uses itself" -- "$CORDON" policy check --search "$WORK" ./loop.policy
check "a policy that uses itself: is named" grep -q "loop.policy:2" "$ERR"
printf 'policy broken\nallow \x1b[2J\n' >broken.policy
run "$CORDON" policy check ./broken.policy
check "escapes in a policy do not reach the terminal" bash -c "[ '$STATUS' -ne 0 ] && ! grep -q $'\e' '$ERR'"
mkfifo fifo.policy
expect_status 125 "a policy that is a FIFO" -- timeout 10 "$CORDON" policy check ./fifo.policy
mkdir dir.policy
expect_status 125 "a policy that is a directory" -- "$CORDON" policy check ./dir.policy
cat >wrong.policy <<'END'
policy wrong
use default
expect allow mount
expect deny mount
END
expect_status 1 "an expectation that does not hold" -- "$CORDON" policy test ./wrong.policy
check "an expectation that does not hold: which" bash -c "grep -q '^not ok' '$OUT' && grep -q '^ok' '$OUT'"

# --- a policy of one's own, by name and by path
mkdir -p "$XDG_CONFIG_HOME/cordon/policies"
printf 'policy mine\nuse default\ndeny getpriority errno ENOTUNIQ\n' >"$XDG_CONFIG_HOME/cordon/policies/mine.policy"
asks='$! = 0; getpriority(0, 0); print $! + 0, "\n"'
expect_output 76 "a policy in the configuration directory, by name" -- "$CORDON" run --policy mine -- perl -e "$asks"
expect_output 76 "and by path" -- "$CORDON" run --policy "$XDG_CONFIG_HOME/cordon/policies/mine.policy" -- perl -e "$asks"
expect_output 0 "without it: the allowed twin" -- "$CORDON" run -- perl -e "$asks"

# --- the cache: in a copy of the tree whose compiler can be taken away
mkdir -p tree/policies
cp -r "$CORDON_TEST_ROOT/build" tree/build
cp -r "$LIBRARY" tree/policies/
mine=$WORK/tree/build/cordon
cache=$XDG_CACHE_HOME/cordon
# The compiler is found beside the launcher when it is executable there: so one that fails takes its place.
mv tree/build/cordon-policy tree/compiler
printf '#!/bin/sh\nexit 99\n' >tree/broken
chmod 755 tree/broken
with_compiler() {
	cp tree/compiler tree/build/cordon-policy
}
without_compiler() {
	rm -f tree/build/cordon-policy
	cp tree/broken tree/build/cordon-policy
}
rm -rf "$cache"
without_compiler
expect_error 125 "policy" "a cold cache without a compiler: no launch" -- "$mine" run -- true
with_compiler
expect_status 0 "a cold cache with it" -- "$mine" run -- true
check "the cache is the caller's alone" test "$(stat -c %a "$cache")" = 700
check "the cache holds something" test -n "$(find "$cache" -type f)"
check "all of it is the caller's alone" test -z "$(find "$cache" -type f -perm /077)"
without_compiler
expect_status 0 "a warm cache needs no compiler" -- "$mine" run -- true
expect_status 125 "another policy does" -- "$mine" run --policy strict -- true
rebuilt() { # TITLE: refused without the compiler, rebuilt with it, warm afterwards
	expect_status 125 "$1: not used" -- "$mine" run -- true
	with_compiler
	expect_status 0 "$1: made anew" -- "$mine" run -- true
	without_compiler
	expect_status 0 "$1: warm again" -- "$mine" run -- true
}
# A source that changed less than 20 ms ago is compiled and not stored (profiles/cache.h).
printf '# a word\n' >>tree/policies/library/default.policy
sleep 0.1
rebuilt "a changed policy"
printf '# a word\n' >>tree/policies/library/base-libc.policy
sleep 0.1
rebuilt "a changed policy that it uses"

# --- damage, each to a warm cache
damage() {
	local file
	find "$cache" -type f -size +1k | while read -r file; do
		chmod u+w "$file"
		"$@" "$file"
	done
}
flip() {
	perl -e 'open F, "+<", $ARGV[0]; my $s = -s F; seek F, int($s / 2), 0; read F, my $b, 1; seek F, int($s / 2), 0; print F chr(ord($b) ^ 1)' "$1"
}
cut() {
	truncate -s -8 "$1"
}
noise() {
	head -c 5000 /dev/urandom >"$1"
}
open_to_all() {
	chmod 666 "$1"
}
link_to_another() {
	mv "$1" "$WORK/moved.$$" && ln -s "$WORK/moved.$$" "$1"
}
make_fifo() {
	rm "$1" && mkfifo "$1"
}
for what in flip cut noise open_to_all link_to_another make_fifo; do
	damage "$what"
	expect_status 125 "an entry after $what: not used" -- timeout 10 "$mine" run -- true
	with_compiler
	expect_status 0 "an entry after $what: made anew" -- timeout 10 "$mine" run -- true
	without_compiler
	expect_status 0 "an entry after $what: warm again" -- timeout 10 "$mine" run -- true
done
chmod 777 "$cache"
expect_status 125 "a cache that all may write: not used" -- "$mine" run -- true
chmod 700 "$cache"
expect_status 0 "a cache of one's own: the allowed twin" -- "$mine" run -- true
if [ "$WHO" = root ]; then
	damage chown 59741
	expect_status 125 "an entry of somebody else (as root): not used" -- "$mine" run -- true
	with_compiler
	expect_status 0 "an entry of somebody else (as root): made anew" -- "$mine" run -- true
	without_compiler
	expect_status 0 "an entry of somebody else (as root): warm again" -- "$mine" run -- true
fi
with_compiler
for round in 1 2 3; do
	rm -rf "$cache"
	pids=()
	for i in {1..6}; do
		"$mine" run -- sh -c "exit $i" &
		pids+=($!)
	done
	good=0
	for i in {1..6}; do
		wait "${pids[i - 1]}"
		[ $? -eq "$i" ] && good=$((good + 1))
	done
	check "six launches on a cold cache at once, round $round" test "$good" -eq 6
	check "they leave no half-made file, round $round" test -z "$(find "$cache" -type f -name '*tmp*')"
done
rm -rf "$cache"
: >"$cache"
expect_status 0 "a cache that cannot be made is no failure" -- "$mine" run -- true
expect_status 0 "nor is a missing home" -- env -u HOME -u XDG_CACHE_HOME "$mine" run --audit "file:$WORK/log" -- true

done_testing
