#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2154,SC2317 # expanded inside; of outage.sh; called by run
# Readers that sleep, go or come back: fd:N, journal and syslog lose records, say how many, and the policy
# is enforced.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/outage.sh"
cd "$WORK" || exit 1
mkfifo orders

# --- a reader of a descriptor that stops reading
mkfifo pipe
cat pipe >read.jsonl &
reader=$!
at_exit "kill -9 $reader"
exec 9>pipe
begin --audit fd:9
exec 9>&-
deny 20
kill -STOP "$reader"
deny 200
deny 100
kill -CONT "$reader"
sleep 0.2
deny 20
end
wait "$reader"
enforced "a reader that sleeps"
exact "a reader that sleeps" read.jsonl 1
check "a reader that sleeps: the user is told" told read.jsonl fd:9 EAGAIN
# ... and one that reads slowly: nothing is lost at the end while it reads at all
mkfifo slow
perl -e 'while (sysread(STDIN, $_, 4096)) { print; select(undef, undef, undef, 0.01) }' <slow >slow.jsonl &
reader=$!
exec 9>slow
begin --audit fd:9
exec 9>&-
deny 400
end
wait "$reader"
enforced "a slow reader"
check "a slow reader: records, counts and losses are what was made" test "$(sum slow.jsonl)" = "$made"
expect_status 0 "a slow reader: its log is whole" -- "$CORDON" audit verify slow.jsonl
check "a slow reader: the closing record came" test "$(jq -s -r '.[-1].type' slow.jsonl)" = close

# --- a reader that goes away, beside a file
mkfifo brief
(head -n 5 >/dev/null) <brief &
reader=$!
exec 9>brief
begin --audit fd:9 --audit "file:$WORK/beside.jsonl"
exec 9>&-
deny 10
wait "$reader"
deny 100
end
enforced "a reader that goes"
exact "a reader that goes: the file has all" beside.jsonl 0
check "a reader that goes: the file says what the other lacks" jq -e -s 'map(select(.type == "close"))[0].lost | .records == 0 and .other_sinks >= 100' beside.jsonl
check "a reader that goes: the user is told" grep -Eqx \
	'cordon: [0-9]+ audit records \([0-9]+ denials\) could not be written to fd:9 \(EPIPE\); the policy was enforced' said

# --- a journal that hangs, dies and comes back
cat >receiver.py <<'END'
# What journald's socket does, on command: "read FILE" appends the records that wait, "close" goes away,
# "open" comes back.
import os, socket, struct, sys
path, s = sys.argv[1], None
def come():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    return s
s = come()
print("ready", flush=True)
for line in sys.stdin:
    word, *rest = line.split()
    if word == "close":
        s.close()
        os.unlink(path)
    elif word == "open":
        s = come()
    else:
        with open(rest[0], "ab") as out:
            while True:
                try: data = s.recv(1 << 20, socket.MSG_DONTWAIT)
                except BlockingIOError: break
                at = data.index(b"CORDON_RECORD\n") + 14
                size = struct.unpack("<Q", data[at:at + 8])[0]
                out.write(data[at + 8:at + 8 + size] + b"\n")
    print("done", flush=True)
END
coproc receiver { exec python3 -I receiver.py "$WORK/socket"; }
receiver() {
	[ $# -eq 0 ] || echo "$*" >&"${receiver[1]}"
	read -r -t 20 _ <&"${receiver[0]}"
}
receiver
begin --audit "journal:$WORK/socket"
deny 5
receiver read journal.jsonl
# it does not read: the queue of the socket fills
deny 400
deny 300
receiver read journal.jsonl
deny 10
receiver read journal.jsonl
# it is gone
receiver close
deny 20
receiver open
deny 10
end
receiver read journal.jsonl
enforced "a journal that hangs and dies"
exact "a journal that hangs and dies" journal.jsonl 2
check "a journal that hangs and dies: why" test "$(jq -s -c 'map(select(.type == "lost").why)' journal.jsonl)" = '["EAGAIN","ENOENT"]'
begin --audit "syslog:$WORK/socket"
deny 5
receiver close
deny 5
end
enforced "a syslog that dies"
check "a syslog that dies: the user is told" grep -Eqx \
	"cordon: 6 audit records \(5 denials\) could not be written to syslog:$WORK/socket \(ENOENT\); the policy was enforced" said
expect_error 125 "reach the audit sink 'syslog:$WORK/socket'" "a syslog that is not there: nothing starts" -- \
	"$CORDON" run --audit "syslog:$WORK/socket" -- true
eval "exec ${receiver[1]}>&-"

done_testing
