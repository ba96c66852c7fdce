#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2317 # called by check
# cordon policy diff: what means the same is equal, and what does not is shown by a call.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

compare() {
	"$CORDON" policy diff "$@"
}

# --- the same meaning in another order and another dress
for policy in base-libc process default build session strict; do
	expect_output "the same meaning" "$policy and itself" -- compare "$policy" "$policy"
	grep -vE '^(#|policy|$)' "$LIBRARY/$policy.policy" | sort -R --random-source=/etc/passwd |
		sed 's/ \+/  /g; s/$/   # moved/' >"moved-$policy.policy"
	expect_output "the same meaning" "$policy and its lines in another order" -- \
		compare "$policy" "./moved-$policy.policy"
done

# --- each line of a difference
cat >base.policy <<'END'
policy base
allow @basic-io @process @file-system @default mmap mprotect munmap
allow socket if domain == AF_UNIX and type & 0xf == SOCK_STREAM
allow socket if domain == AF_INET6
allow sync_file_range if nbytes < 0x100000000
allow setpriority if niceval >= -5 and niceval <= 5
deny personality if personality != 0 and personality != 0xffffffff
allow personality
allow ioprio_set if which > 30 and which < 50
deny umask if mask & 07000 == 0
allow umask
deny madvise if behavior == 4 errno EAGAIN
allow madvise if len_in <= 4096
deny epoll_create if size <= 0 quiet
allow epoll_create
kill getpriority if which > 2
allow getpriority if who == 0
exec /
net none
END
sed 's/^allow epoll_create$/kill epoll_create/; s/^exec \/$/exec \/\nhide? \/srv/; s/^net none/net loopback/' \
	base.policy >other.policy
expect_status 1 "two that differ" -- compare ./base.policy ./other.policy
cp "$OUT" said
for want in '^call epoll_create.*: allow -> kill$' '^    old: allow  # .*base.policy:15: allow epoll_create$' \
	'^    new: kill  # .*other.policy:15: kill epoll_create$' '^    witness: epoll_create\(1\)' \
	'^path /srv: exec -> not visible$' '^    witness: openat\("/srv", O_RDONLY\)$' '^net: none -> loopback$'; do
	check "it says $want" grep -Eq "$want" said
done
expect_status 1 "--json" -- compare --json ./base.policy ./other.policy
check "--json has them" jq -e '(.same | not) and ([.differences[].kind] | index("call") != null and index("path") != null
	and index("net") != null)' "$OUT"
expect_status 0 "--json of equal ones" -- compare --json strict strict
check "--json of equal ones is empty" jq -e '.same and .differences == []' "$OUT"
expect_status 125 "one of them is not there" -- compare strict ./nothing.policy
expect_status 125 "one of them is broken" -- compare strict <(echo "allow")

# --- witnesses for real
lives() { # the differences whose witness was made under both, and the policies were right
	jq -e '[.differences[] | select(.live)] | length > 0 and all(.live.agrees)' "$OUT"
}
if sanitized; then
	skip "strict: live" "a sanitizer's shadow memory breaks the policy's memory limit"
else
	expect_status 1 "default and strict, live" -- compare --live --json default strict
	check "default and strict: each call differs in the sandbox too" lives
	diag "$(jq '[.differences[] | select(.live)] | length' "$OUT") calls were made under both"
fi
python3 "$(dirname "$0")/../lib/mutants.py" 20
for i in $(seq 0 19); do
	expect_status 1 "mutant $i differs" -- compare --live --json ./base.policy "./mutant-$i.policy"
	check "mutant $i: its witness differs in the sandbox too" lives
done
expect_error 125 "--search" "--live with --search is refused" -- compare --live --search "$LIBRARY" ./base.policy ./other.policy
done_testing
