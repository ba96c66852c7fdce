#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2054,SC2317 # awk's own; one word; called by check
# What a power failure may leave of audit logs and of the cache: each state of what programs wrote
# (tests/durability) is a whole log or says what is broken, nothing that is sealed is missing, and the
# next launch goes on. CORDON_CRASH=--all: each combination, not each pair.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

if [ ! -x "$PROGRAMS/crash" ]; then
	echo "1..0 # SKIP the recorder is built for x86_64 and without sanitizers"
	exit 0
fi
cat >payload <<END
#!/bin/sh
for call in mount swapoff; do
	"$PROGRAMS/denied" 12 1 \$call >/dev/null
done
END
chmod +x payload
mkdir log state
sandbox=("$CORDON" run -q --audit "file:$WORK/log/audit.jsonl" --audit-rotate size=64K,keep=2
	--ro "$PROGRAMS" --ro "$WORK/payload" -- "$WORK/payload")

# crashes TITLE LEAST OPTION... KIND DIR -- COMMAND...: at least so many states, and no finding.
crashes() {
	local title=$1 least=$2 options=() kind dir
	shift 2
	while [[ $1 == --* ]]; do
		options+=("$1")
		shift
	done
	kind=$1 dir=$2
	shift 3
	[ -z "${CORDON_CRASH-}" ] || options+=("$CORDON_CRASH")
	run "$PROGRAMS/crash" "${options[@]}" --every=40 "$kind" "$dir" "$WORK/state" "$CORDON" /bin/true -- "$@"
	diag "$title: $(cat "$OUT")"
	check "$title: no finding" test "$STATUS" -eq 0
	[ "$STATUS" -eq 0 ] || _said
	check "$title: the states were made" \
		awk -v least="$least" '/^(audit|cache): / { seen = $2 >= least } END { exit !seen }' "$OUT"
}
# sealed TITLE LEAST NEEDED OPTION...: and each sync is for something, at least NEEDED of them: without it a
# promise breaks. What the last one forces, a key, is asked for by the next seal: "two seals" has one.
sealed() {
	local title=$1 least=$2 needed=$3
	shift 3
	crashes "$title" "$least" --forget-syncs "$@"
	check "$title: $needed syncs are missed, or more" test "$(grep -c '^sync .*: missed ' "$OUT")" -ge "$needed"
	check "$title: the last one alone is not" test "$(grep '^sync .*: not missed$' "$OUT")" = "$(grep '^sync .* of audit.jsonl.seal: ' "$OUT" | tail -n 1)"
}
unforced() { # nothing was told to be on the disk
	! grep -q '^[0-9]* operations:.* sync' "$OUT"
}
# So full that the next sandbox rotates it.
fill() {
	until [ -f log/audit.jsonl ] && [ "$(stat -c %s log/audit.jsonl)" -gt 50000 ]; do
		"${sandbox[@]}" || return
	done
}
rotated() {
	[ "$(find log -name 'audit.jsonl.0*' | wc -l)" -eq "$1" ]
}

fill
crashes "a log that is rotated" 100 audit log -- "${sandbox[@]}"
check "a log that is rotated: it was" rotated 1
check "a log that is rotated: promises nothing, and waits for no disk" unforced

sealed "seal-setup" 10 3 --seal-key="$WORK/key" --key-printed audit log -- \
	"$CORDON" audit seal-setup "$WORK/log/audit.jsonl"
check "seal-setup: the key was printed" grep -q '^cordon-seal-1:' key
fill
sealed "a sealed log that is rotated" 100 3 --seal-key="$WORK/key" audit log -- "${sandbox[@]}"
check "a sealed log that is rotated: it was" rotated 2
fill
sealed "a sealed log of which the oldest file goes" 100 4 --seal-key="$WORK/key" audit log -- "${sandbox[@]}"
check "a sealed log of which the oldest file goes: it did" rotated 2
# Two seals, so that the first one's key has to be gone from the disk when the second one is made.
short=("$CORDON" run -q --audit "file:$WORK/log/audit.jsonl" -- /bin/true)
sealed "two seals" 30 3 --seal-key="$WORK/key" audit log -- \
	/bin/sh -c '"$@" && "$@"' sh "${short[@]}"
run "$CORDON" audit verify --seal-key key log/audit.jsonl
check "without a crash it is whole, and sealed to its end" grep -q 'seals checked' "$OUT"

rm -rf log
mkdir log
crashes "a first log" 30 audit log -- "${short[@]}"

# --- the cache: a launch behind each state, and the entry is whole then
export XDG_CACHE_HOME=$WORK/cache
mkdir -m 0700 cache cache/cordon
run "$PROGRAMS/crash" cache "$WORK/cache/cordon" "$WORK/cache/cordon" "$CORDON" /bin/true -- \
	"$CORDON" run -q --policy default --audit stderr -- /bin/true
diag "the cache: $(cat "$OUT")"
check "the cache: no finding" test "$STATUS" -eq 0
[ "$STATUS" -eq 0 ] || _said
check "the cache: waits for no disk" unforced
check "the cache: what was torn was found and rebuilt" \
	awk '/^cache: / { seen = $2 >= 50 && $4 == $2 - 1 } END { exit !seen }' "$OUT"
# A whole bundle of another policy in the entry's place is none of it.
"$CORDON" run -q --policy strict --audit stderr -- /bin/true 2>/dev/null
entry=$(sed -n 1p cache/cordon/*.ref | head -c 64)
for file in cache/cordon/*.bundle; do
	[ "$file" = "cache/cordon/$entry.bundle" ] || other=$file
done
cp "cache/cordon/$entry.bundle" kept
cp "$other" "cache/cordon/$entry.bundle"
for policy in default strict; do
	run "$CORDON" run -q --policy "$policy" --audit stderr -- /bin/true
	check "another policy's bundle in its place: $policy starts" test "$STATUS" -eq 0
done
check "another policy's bundle in its place: it is whole again" cmp kept "cache/cordon/$entry.bundle"
rm -rf log state
done_testing
