#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by check
# cordon policy test --live: expectations in a real sandbox, and reports of them.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

tests() {
	"$CORDON" policy test "$@"
}
count() { # FILTER N
	[ "$(jq "$1" "$OUT")" = "$2" ]
}

# --- every shipped policy, every line of it
shipped=(base-libc process default build session strict)
# As root those that the others do not use
[ "$WHO" = user ] || shipped=(build strict)
for policy in "${shipped[@]}"; do
	if [ "$policy" = strict ] && sanitized; then
		skip "strict: live" "a sanitizer's shadow memory breaks the policy's memory limit"
		continue
	fi
	expect_status 0 "$policy: evaluator and sandbox agree" -- tests --live --format json "$policy"
	check "$policy: none failed, and every call that is there, path and port was tried" jq -e \
		'.failed == 0 and .tests > 5 and
		all(.results[]; .live or .why == "no open ABI has the call" or (.test | test("^(kernel|abi|net|cap|notify|default|limit|env)( |$)")))' "$OUT"
done

# --- calls that end their program, hang, return twice, or come by the dozen
{
	cat <<'END'
policy hard
use process
exec /
kill swapon
deny getpriority errno ENOTUNIQ quiet
remove expect allow getpriority
expect kill swapon
expect deny getpriority
expect allow exit_group(3)
expect allow exit
expect allow pause
expect allow fork
expect allow vfork
expect allow clone(SIGCHLD)
expect allow clone(CLONE_VM|CLONE_VFORK|SIGCHLD)
expect allow clone(CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD)
expect allow rt_sigreturn
expect allow kill(-1, SIGKILL)
expect allow execve("/bin/true")
expect allow read(0)
expect allow getpid
END
	for i in $(seq 100 140); do
		echo "expect deny socket($i)"
	done
} >hard.policy
expect_status 0 "hard ones" -- tests --live --format json ./hard.policy
check "hard ones: all were tried" count '[.results[] | select(.file | endswith("hard.policy"))] |
	length == 56 and all(.live and .outcome == "passed")' true

# --- files and ports
cat >places.policy <<'END'
policy places
use process
allow connect bind unlink
allow socket if domain in AF_INET AF_INET6
exec /
hide? /var/log
tmpfs /tmp
net host
net connect tcp 443
net bind tcp 18000-18010
expect allow connect tcp 443
expect deny connect tcp 444
expect allow bind tcp 18005
expect deny bind tcp 18011
expect deny connect udp 53
expect allow read /etc/passwd
expect deny write /etc/passwd
expect allow exec /usr/bin/env
expect deny exec /var/log/x
expect allow write /tmp
expect deny write /usr
expect deny read /var/log/x
expect allow openat("/tmp/x", O_WRONLY|O_CREAT, 0600)
expect allow execve("/bin/true")
expect deny openat("/usr/x", O_WRONLY|O_CREAT, 0600)
END
expect_status 0 "files and ports" -- tests --live --format json ./places.policy
check "files and ports: all were tried" count '[.results[] | select(.file | endswith("places.policy"))] |
	length == 15 and all(.live and .outcome == "passed")' true
echo mine >mine
{
	printf 'policy mine\nuse process\nexec /\nallow unlink\nwrite %s\n' "$WORK"
	printf 'expect allow openat("%s/mine", O_WRONLY|O_TRUNC)\nexpect allow unlink("%s/mine")\n' "$WORK" "$WORK"
	printf 'expect allow write %s/mine\n' "$WORK"
} >mine.policy
expect_status 0 "a policy that lets the caller's files be changed" -- tests --live --format json ./mine.policy
check "what would change them is not tried" count '[.results[] | select(.outcome == "skipped") |
	select(.why | test("change a file outside"))] | length' 2
check "and they are as they were" test "$(cat mine)" = mine
before=$(stat -c '%a %u %g' /dev/null)
printf 'policy owner\nuse default\nexpect allow fchmod(0, 0)\nexpect allow fchmod(1, 0)\nexpect allow fchown(2, 7, 7)\n' >owner.policy
expect_status 0 "modes and owners of descriptors" -- tests --live ./owner.policy
check "are not those of the host's devices" test "$(stat -c '%a %u %g' /dev/null)" = "$before"

# --- without records the errno tells
printf 'policy blind\nuse process\nnotify off\nexec /\n' >blind.policy
expect_status 0 "notify off" -- tests --live ./blind.policy

# --- what does not hold fails, and says why
cat >wrong.policy <<'END'
policy wrong
use process
exec /usr /bin /lib
expect allow mount
expect deny getpid
expect kill mount
expect deny openat("/etc/passwd", O_RDONLY)
expect allow openat("/etc/passwd", O_RDONLY)
expect allow openat("/bin/sh", O_RDONLY)
expect deny openat("/bin/sh", O_RDONLY)
END
expect_status 1 "wrong expectations" -- tests --live --format json ./wrong.policy
check "wrong expectations: exactly those" count '[.results[] | select(.outcome == "failed") | .line] | map(tostring) |
	join(" ") == "4 5 6 8 10"' true
check "wrong expectations: why" jq -e '.results[] | select(.line == 4) | .why | test("deny, by default")' "$OUT"
expect_match '^not ok [0-9]+ - allow mount at .*wrong.policy:4$' "TAP" -- bash -c \
	"'$CORDON' policy test ./wrong.policy || [ \$? = 1 ]"

# --- a refusal of a call that names no argument is one of all of them, on every ABI
cat >some.policy <<'END'
policy some
allow socket if domain == AF_INET
allow kill if pid == 7
deny kill
expect deny socket
expect deny socket(AF_UNIX)
expect deny kill mount
END
expect_status 1 "a call that some arguments open" -- tests --format json ./some.policy
check "that line alone" count '[.results[] | select(.outcome == "failed") | .line] == [5]' true
check "with the arguments" jq -e '.results[] | select(.line == 5) | .why | test("with arguments 0x2,")' "$OUT"

# --- JUnit
cat >odd.policy <<'END'
policy odd
use process
exec /usr
expect deny openat("/a<b>&'c'", O_RDONLY)
expect allow mount
END
expect_status 1 "JUnit" -- tests --format junit ./odd.policy
check "JUnit is well-formed, with file and line" python3 - "$OUT" <<'END'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
cases = suite.findall("testcase")
assert len(cases) == int(suite.get("tests")) and suite.get("failures") == "1"
bad = [c for c in cases if c.find("failure") is not None]
assert len(bad) == 1 and bad[0].get("line") == "5" and bad[0].get("file").endswith("odd.policy")
END
expect_error 125 "no such format: 'csv'" "a format that is none" -- tests --format csv strict
expect_error 125 "--search" "--live with --search is refused" -- tests --live --search "$LIBRARY" ./odd.policy
printf 'policy shut\nallow execve\nexpect deny mount\n' >shut.policy
expect_error 125 "map memory" "a policy under which nothing starts" -- tests --live ./shut.policy
done_testing
