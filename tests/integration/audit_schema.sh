#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# The log of real sandboxes: each record against doc/audit.schema.json, exact counts, nothing forged,
# and what verify and show say of it. jq and sha256sum are the second opinion on the chain.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
LOG=$WORK/log.jsonl
SCHEMA=$CORDON_TEST_ROOT/doc/audit.schema.json

logged() {
	inside --audit "file:$LOG" "$@"
}

# Calls by number, so that it needs no privilege to be refused: mount, ptrace, and a flood.
python3 - >calls.py <<'PY'
print(r'''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
n = int(sys.argv[1])
for i in range(n):
    libc.mount(b"/dev/\x1b[31m\"\n\xff", b"/mnt", b"ext4", 1, None)
libc.ptrace(16, 1, 0, 0)
libc.syscall(999999, 0)
libc.prctl(15, b"a\"b\nc\x1bd", 0, 0, 0)
libc.mount(b"", b"x" * 4095, None, 0, None)
''')
PY

valid() { # [FILE...]
	python3 - "$SCHEMA" "${@:-$LOG}" <<'PY'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
check = jsonschema.Draft7Validator(schema)
bad = 0
for number, line in enumerate((l for f in sys.argv[2:] for l in open(f, encoding="utf-8")), 1):
    for error in check.iter_errors(json.loads(line)):
        bad += 1
        print("# line", number, ascii(error.message)[:300])
sys.exit(1 if bad else 0)
PY
}

chain_by_hand() {
	local prev want line
	prev=$(printf '0%.0s' {1..64})
	while IFS= read -r line; do
		want=$(jq -r .prev <<<"$line") || return 1
		[ "$want" = "$prev" ] || return 1
		prev=$(printf '%s' "$line" | sha256sum | cut -d' ' -f1)
	done <"$LOG"
	[ "$prev" = "$(cut -d' ' -f5 "$LOG.head")" ]
}

expect_status 0 "a sandbox that is refused things" -- \
	logged --ro "$WORK" -- python3 "$WORK/calls.py" 5
expect_status 3 "one that is not" -- logged -- sh -c 'exit 3'
expect_status 137 "one that is killed" -- logged -- sh -c 'kill -9 $$'
expect_status 127 "one that never starts" -- logged -- no-such-command
check "each record fits the schema" valid
check "the chain holds by jq and sha256sum" chain_by_hand
expect_match ': whole$' "verify says whole" -- "$CORDON" audit verify "$LOG"

check "no byte of the payload's drives a terminal" bash -c '! LC_ALL=C grep -q "[^ -~]" "$1"' _ "$LOG"
check "the path as read, escaped" jq -es \
	'any(.[]; .decoded.dev_name.path_as_read == "/dev/\\x1b[31m\"\\x0a\\xff")' "$LOG"
check "the name of the process, escaped" jq -es 'any(.[]; .comm == "a\"b\\x0ac\\x1bd")' "$LOG"
check "a path of 4,095 bytes is whole" jq -es \
	'any(.[]; (.decoded.dir_name.path_as_read // "" | length) == 4095)' "$LOG"
check "a number without a call" jq -es \
	'any(.[]; .syscall.nr == 999999 and .syscall.name == null and .rule == "kernel")' "$LOG"
check "how each one ended" jq -es '[.[] | select(.type == "close") | .exit | .status // .signal //
	(.error | type)] == [0, 3, "SIGKILL", "string"]' "$LOG"

# --- limits and usage
check "each closing record says what was used, and who counted" jq -es '[.[] | select(.type == "close").usage] |
	length == 4 and all(.[]; (.source == "rusage" or .source == "cgroup") and .cpu_usec > 0 and
	(.user_usec + .system_usec - .cpu_usec | fabs) < 1000 and .max_rss > 100000)' "$LOG"
logged -- "$PROGRAMS/consume" spin 200
check "a fifth of a second of a processor is counted, and not much more" jq -es \
	'[.[] | select(.type == "close")][-1].usage | .cpu_usec > 190000 and .cpu_usec < 2000000' "$LOG"
expect_error 137 '^cordon: stopped by the wall limit 100ms$' "the wall limit is named" -- \
	logged --limit wall=100ms -- sleep 9
check "and is in the log" jq -es 'any(.[]; .type == "limit" and .limit == "wall" and .count == 1)' "$LOG"
expect_error 0 '^cordon: used cpu [0-9.]+ s .*memory [0-9.]+ MiB in the largest process.*; as ' "-v tells" -- \
	logged -v -- true
expect_match '^  killed by SIGKILL; cpu [0-9.]+ s, memory [0-9]+ KiB; limits hit: wall$' "show tells" -- \
	"$CORDON" audit show "$LOG"
check "each record fits the schema, those too" valid

# --- show
expect_match '^ +5  mount +"/dev/\\x1b\[31m"\\x0a\\xff"' "show counts by wording" -- \
	"$CORDON" audit show "$LOG"
expect_match 'nothing was refused' "show says when nothing was" -- \
	"$CORDON" audit show --sandbox last "$LOG"
expect_match '^ +6  mount .* EPERM +default.policy:[0-9]+$' "show --group" -- \
	"$CORDON" audit show --group "$LOG"
expect_match '^ +1  ptrace' "show --call" -- "$CORDON" audit show --group --call ptrace "$LOG"
check "and that call only" bash -c '! grep -q mount "$1"' _ "$OUT"
expect_output 5 "show --path and --json" -- bash -c \
	'"$0" audit show --json --path "/dev/*" "$1" | jq -s length' "$CORDON" "$LOG"
expect_output 2 "show -n" -- bash -c '"$0" audit show --json -n 2 "$1" | wc -l' "$CORDON" "$LOG"
expect_output 0 "show --since" -- bash -c \
	'"$0" audit show --json --since 2200-01-01 "$1" | wc -l' "$CORDON" "$LOG"
expect_error 125 "understand the time" "a time that is none" -- \
	"$CORDON" audit show --since yesterday "$LOG"
expect_error 125 "open the audit log" "no log" -- "$CORDON" audit show "$WORK/none"

# --- verify finds edits, and the twin does not
cp "$LOG" whole && cp "$LOG.head" whole.head
broken() { # TITLE WORDS: of the log that was just edited
	run "$CORDON" audit verify whole
	if [ "$STATUS" -eq 1 ] && grep -q "$2" "$OUT"; then ok "$1"; else
		not_ok "$1"
		_said
	fi
	cp "$LOG" whole
}
expect_status 0 "the copy is whole" -- "$CORDON" audit verify whole
sed -i '3s/mount/mouNt/' whole
broken "a flipped byte" "line 3, .*altered record"
sed -i '3d' whole
broken "a dropped record" "missing records"
sed -i -n '3{h;n;p;g};p' whole
broken "two records swapped" "out of order"
sed -i '$d' whole
broken "the last record cut off" "truncated log"
truncate -s -3 whole
broken "half of the last record cut off" "truncated log"
expect_status 125 "a log that cannot be read" -- "$CORDON" audit verify "$WORK"

# --- two at once, and a flood
rm -f "$LOG" "$LOG.head"
for _ in 1 2 3 4; do
	logged --ro "$WORK" -- python3 "$WORK/calls.py" 2000 >/dev/null 2>&1 &
done
wait
expect_match ' 8012 denials accounted for' "four sandboxes, one log, exact counts" -- \
	"$CORDON" audit verify "$LOG"
check "every record of them fits the schema" valid

# --- a log of several files
rm -f "$LOG" "$LOG.head"
rotated() {
	logged --audit-rotate size=64K,keep=2 --ro "$WORK" -- python3 "$WORK/calls.py" 25 >/dev/null 2>&1
}
for _ in {1..12}; do rotated; done
check "rotated by size, two files stay" bash -c \
	'[ "$(ls "$1".0* | wc -l)" -eq 2 ] && [ "$(stat -c %a%s "$1".0* | grep -cE "^600[56]....$")" -eq 2 ]' _ "$LOG"
expect_match 'records up to [0-9]+ were removed, as the log tells' "verify tells what went" -- \
	"$CORDON" audit verify "$LOG"
expect_match ': whole$' "a rotated log is whole" -- "$CORDON" audit verify "$LOG"
check "each record of each file fits the schema" valid "$LOG".0* "$LOG"
check "show reads all files" bash -c '[ "$("$1" audit show --json "$2" | wc -l)" -eq \
	"$(cat "$2".0* "$2" | wc -l)" ]' _ "$CORDON" "$LOG"
timeout 20 "$CORDON" audit show --follow --json "$LOG" >followed &
follower=$!
before=$(cat "$LOG".0* "$LOG" | tail -n 1 | jq .seq)
for _ in {1..6}; do rotated; done
after=$(tail -n 1 "$LOG" | jq .seq)
for _ in {1..50}; do
	[ "$(tail -n 1 followed | jq .seq 2>/dev/null)" != "$after" ] || break
	sleep 0.1
done
kill "$follower" && wait "$follower" 2>/dev/null
expect_output "$((after - before))" "show --follow goes on over rotations" -- \
	bash -c 'jq -s "[.[] | select(.seq > $1)] | length" followed' _ "$before"
stolen=("$LOG".0*)
rm "${stolen[0]}"
run "$CORDON" audit verify "$LOG"
check "a stolen file is missed" bash -c \
	'[ "$1" -eq 1 ] && grep -q "no record tells that the ones before were removed" "$2"' _ "$STATUS" "$OUT"
expect_error 125 "size=BYTES" "a rotation that is none" -- logged --audit-rotate size=1 -- true

# --- a sealed log; Python is the second opinion on the seals
rm -f "$LOG" "$LOG".*
logged -- true
expect_match '^cordon-seal-1:[0-9a-f]{16}:[0-9a-f]{64}$' "seal-setup prints the key" -- \
	"$CORDON" audit seal-setup "$LOG"
cp "$OUT" key
expect_error 125 "is sealed already" "and only once" -- "$CORDON" audit seal-setup "$LOG"
for _ in 1 2 3; do rotated; done
expect_match '4 seals checked, the last one of epoch 3' "verify --seal-key" -- \
	"$CORDON" audit verify --seal-key key "$LOG"
expect_match '4 seals, not checked' "verify without the key says so" -- "$CORDON" audit verify "$LOG"
check "openings say by which key it is sealed" jq -es --arg id "$(cut -d: -f2 key)" \
	'[.[] | select(.type == "open") | .sealed] | .[-1] == $id' "$LOG"
seals_by_hand() {
	python3 - key "$@" <<'PY'
import hashlib, hmac, json, sys
_, ident, text = open(sys.argv[1]).read().strip().split(":")
key, epoch, seals = bytes.fromhex(text), 0, 0
for line in (l for f in sys.argv[2:] for l in open(f, "rb")):
    record = json.loads(line)
    if record["type"] != "seal":
        continue
    assert record["id"] == ident and record["epoch"] == epoch and record["last"] == record["seq"] - 1
    covered = line[: line.rindex(b',"mac":"')]
    assert hmac.new(key, covered, hashlib.sha256).hexdigest() == record["mac"]
    key, epoch, seals = hmac.new(key, b"cordon-seal evolve 1", hashlib.sha256).digest(), epoch + 1, seals + 1
state = open(sys.argv[-1] + ".seal").read().split()
assert state[3] == "%020d" % epoch and bytes.fromhex(state[6]) == key
sys.exit(0 if seals == 4 else 1)
PY
}
seal_files=()
for file in "$LOG".0*; do [ ! -e "$file" ] || seal_files+=("$file"); done
check "each record of a sealed log fits the schema" valid "${seal_files[@]}" "$LOG"
check "the seals hold by hand" seals_by_hand "${seal_files[@]}" "$LOG"
id=$(cut -d: -f2 key)
echo "cordon-seal-1:$id:$(cut -d: -f3 key | tr '0-9a-f' '1-9a-f0')" >other_key
run "$CORDON" audit verify --seal-key other_key "$LOG"
check "another key does not" bash -c '[ "$1" -eq 1 ] && grep -q "broken seal" "$2"' _ "$STATUS" "$OUT"
expect_error 125 "as a verification key" "what is no key" -- \
	bash -c 'echo x | "$1" audit verify --seal-key - "$2"' _ "$CORDON" "$LOG"
mv "$LOG.seal" away
rotated
expect_match 'the log went on without seals: 1' "a state that is gone is told" -- \
	"$CORDON" audit verify "$LOG"
run "$CORDON" audit verify --seal-key key "$LOG"
check "and breaks the proof" bash -c 'grep -q "the sealing state is missing" "$1"' _ "$OUT"
echo damaged >"$LOG.seal" && chmod 600 "$LOG.seal"
expect_error 125 "use the sealing state" "with a damaged one nothing starts" -- logged -- true

done_testing
