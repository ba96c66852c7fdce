#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016 # expanded inside
# cordon policy cost, build --usage, build --arch, show --bpf: what the filter is made of.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

# --- the filter as text
expect_status 0 "show --bpf" -- "$CORDON" policy show --bpf default
cp "$OUT" bpf
check "the closing line counts the instructions" bash -c '
	[ "$(grep -cE "^ *[0-9]+  " bpf)" = "$(sed -n "s/^# \([0-9]*\) instructions .*/\1/p" bpf)" ]'
check "each jump stays inside and goes forward" awk '
	/^ *[0-9]+  / { at = $1; n++
		if ($2 == "ja") to = $3
		else if ($2 ~ /^j/) { to = $4 + 0; if ($5 + 0 > to) to = $5 + 0; if ($4 + 0 <= at || $5 + 0 <= at) bad = 1 }
		else next
		if (to > max) max = to
		if (to <= at) bad = 1 }
	END { exit bad || max >= n }' bpf
check "no line ends in a blank" bash -c '! grep -q " $" bpf'
check "the arguments of socket have a heading" grep -q '# arguments of socket$' bpf
# Each line of the policy that asks for arguments of ioctl is named where it is asked.
line=$(grep -n '^deny ioctl if' "$LIBRARY/default.policy" | cut -d: -f1)
check "a rule's instructions name its line" grep -q "deny ioctl if cmd == 0x5412  default.policy:$line\$" bpf
check "the same for the other architecture" bash -c '
	"$0" policy show --bpf --arch aarch64 default | grep -q "jeq 0xc00000b7.*# aarch64"' "$CORDON"

# --- cost
expect_status 0 "cost" -- "$CORDON" policy cost default
check "what the bitmap serves has no row" bash -c '! grep -q "^  read " "$0" && grep -q "bitmap serves" "$0"' "$OUT"
check "what asks for arguments has one" grep -qE '^  socket +arguments +[0-9]+-[0-9]+$' "$OUT"
check "what is refused has one" grep -qE '^  mount +deny +[0-9]+$' "$OUT"
expect_status 0 "cost --json" -- "$CORDON" policy cost --json default
check "cost --json: every call of the table, each once" bash -c '
	jq -e ".calls | (map(.call) | length == (unique | length)) and length > 350" "$0" >/dev/null' "$OUT"
check "cost --json: an allow by number is on the bitmap" jq -e '
	.calls[] | select(.call == "read") | .bitmap and .answer == "allow" and .min == .max' "$OUT"
check "cost --json: one with conditions is not" jq -e '
	.calls[] | select(.call == "socket") | .bitmap == false and .answer == "arguments" and .max > .min' "$OUT"
check "cost --json: a whole program below the limit" jq -e '.instructions > 100 and .instructions < .limit and .limit == 4096' "$OUT"

# --- counts
cat >counts <<'END'
# of a build
openat 1200
ioctl 300
clone3 50
socket 20
END
expect_status 0 "cost --usage" -- "$CORDON" policy cost --usage counts --json default
check "cost --usage: never dearer than the balanced tree" jq -e '
	.average.max_milli <= .average_balanced.max_milli and
	.average.no_bitmap_max_milli <= .average_balanced.no_bitmap_max_milli and .average.max_milli > 0' "$OUT"
check "cost --usage: counts are in the rows" jq -e '.calls[] | select(.call == "ioctl") | .count == 300' "$OUT"
expect_status 0 "build --usage" -- "$CORDON" policy build --usage counts -o hot.bundle default
expect_status 0 "build without" -- "$CORDON" policy build -o even.bundle default
check "build --usage: another program" bash -c '! cmp -s hot.bundle even.bundle'
expect_status 0 "build --usage again" -- "$CORDON" policy build --usage counts -o again.bundle default
check "build --usage: the same bytes" cmp hot.bundle again.bundle
echo "opnat 5" >wrong
expect_error 125 "line 1 names no call" "a wrong count" -- "$CORDON" policy build --usage wrong default
expect_error 125 "line 1 names no call" "a wrong count: cost" -- "$CORDON" policy cost --usage wrong default
expect_error 125 "nothere" "no counts" -- "$CORDON" policy cost --usage nothere default

# --- another architecture
expect_status 0 "build --arch aarch64" -- "$CORDON" policy build --arch aarch64 -o other.bundle default
expect_status 0 "build --arch x86_64" -- "$CORDON" policy build --arch x86_64 -o native.bundle default
check "both are bundles and not the same" bash -c '
	[ "$(head -c 7 other.bundle)" = cordonB ] && ! cmp -s other.bundle native.bundle'
expect_error 125 "no architecture" "an unknown architecture" -- "$CORDON" policy build --arch sparc default

# --- too long
{
	echo "policy long"
	echo "allow read"
	printf 'allow ioctl if cmd in'
	for ((i = 0; i < 400; i++)); do printf ' %d' $((i * 3)); done
	echo
	for ((k = 1; k < 12; k++)); do
		printf 'allow ioctl if cmd in'
		for ((i = 0; i < 400; i++)); do printf ' %d' $((k * 10000 + i * 3)); done
		echo
	done
} >long.policy
expect_error 1 "instructions, and the kernel takes 4096; most of them are made .*long.policy:" \
	"a filter that is too long" -- "$CORDON" policy check ./long.policy
check "what to do is said" grep -q 'hint: say long lists of values in fewer comparisons' "$ERR"
sed -i '9,$d' long.policy
expect_status 0 "its shorter twin" -- "$CORDON" policy check ./long.policy

# --- multiplexers of i386
printf 'abi native i386\nallow socket if domain == AF_UNIX\nallow socketcall\n' >mux.policy
expect_error 1 "mux.policy:3:7: .*socketcall makes socket on i386" "socketcall goes past socket" -- \
	"$CORDON" policy check ./mux.policy
sed -i 's/^allow socketcall/deny socketcall/' mux.policy
expect_status 0 "its twin" -- "$CORDON" policy check ./mux.policy

done_testing
