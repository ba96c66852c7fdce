#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# The kernel's own denials, as far as no privilege is needed: what cordon-collect refuses, its filter's own
# tests, and the readers over a log that has some. tests/vm/collect.sh has the rest.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
COLLECT=$CORDON_TEST_ROOT/build/cordon-collect
SCHEMA=$CORDON_TEST_ROOT/doc/audit.schema.json

# --- the program
expect_match '^usage: cordon-collect' "help" -- "$COLLECT" --help
expect_error 125 "take '--no'" "an unknown option" -- "$COLLECT" --no
if [ "$WHO" = root ]; then
	expect_error 125 'cannot collect as root' "it does not run as root" -- "$COLLECT" --socket "$WORK/sock"
else
	expect_error 125 "CAP_AUDIT_READ" "without the capability it says what it takes" -- "$COLLECT" --socket "$WORK/sock"
fi
check "and nothing is left" [ ! -e "$WORK/sock" ]
expect_match '^# [0-9]+ expectations, 0 failed' "its filter's own tests" -- \
	"$CORDON" policy test "$CORDON_TEST_ROOT/collect.policy"

# --- a launch without it
if [ ! -e /run/cordon/collect.sock ]; then
	run "$CORDON" run --audit "file:$WORK/none.jsonl" -- true
	check "the opening record says that there is none" jq -es \
		'.[0].kernel_denials == {"readable": false, "why": "there is no collector",
			"unseen": (if any(.[0].in_force[]; startswith("Landlock")) then ["landlock"] else [] end)}' none.jsonl
	expect_match '"id":"collector",.*"have":false' "doctor says so" -- "$CORDON" doctor --json
fi

# --- readers, over a log of a machine that has one: records as a guest's sandboxes wrote them
cat >seen.policy <<'END'
policy seen
use default
remove exec /
exec? /usr /bin /lib /lib64 /sbin
read /etc
hide /etc/hosts
write /tmp
net connect tcp 443
END
digest=$("$CORDON" policy show --json ./seen.policy | jq -r '.digest // empty')
python3 - "${digest:-000000000000}" >log.jsonl <<'PY'
import hashlib, json, sys
prev, seq = "0" * 64, 0
digest = sys.argv[1]
ids = {"policy": "seen", "digest": digest[:12]}
def put(type, **fields):
    global prev, seq
    seq += 1
    record = {"v": 1, "seq": seq, "prev": prev, "type": type, "time": "2026-11-29T10:24:10.420953648Z",
              "mono": 41703568822 + seq, "sandbox": "0d0f5c76425b8799", **fields}
    line = json.dumps(record, separators=(",", ":"))
    prev = hashlib.sha256(line.encode()).hexdigest()
    print(line)
def kernel(type):
    return {"type": type, "serial": 9, "time": "2026-11-29T10:24:10.323000000Z"}
put("open", cordon="0.1.0", kernel="7.3.4", machine="x86_64", policy="seen", policy_digest=(digest + "0" * 64)[:64],
    plan_digest="0" * 64, uid=1001, uid_inside=1001, blind=False, sealed=None, in_force=[], given_up=[],
    kernel_denials={"readable": True, "forks": True, "audit": True, "unseen": []}, argv=["sh"])
for i in range(3):
    put("denial", **ids, mechanism="landlock", joined="domain", kernel=kernel(1423), operation="fs", access=["execute"],
        path="/tmp/tool", fields={"domain": "1c088ea95"}, count=1)
put("denial", **ids, mechanism="landlock", joined="domain", kernel=kernel(1423), operation="net", access=["connect_tcp"],
    fields={"domain": "1c088ea95", "daddr": "127.0.0.1", "dest": "80"}, count=1)
put("denial", **ids, mechanism="apparmor", joined="pid", kernel=kernel(1400), pid=2, pid_outside=142, uid=1001, comm="sh",
    operation="open", access=["r"], path="/var/lib/a b", label="build", fields={"class": "file"}, count=1)
put("denial", **ids, mechanism="apparmor", joined="pid", kernel=kernel(1400), pid=2, pid_outside=142, uid=1001, comm="cat",
    operation="open", access=["r"], path="/etc/passwd", label="build", fields={}, count=1)
put("denial", **ids, mechanism="apparmor", joined="pid", kernel=kernel(1400), pid=2, pid_outside=142, uid=1001, comm="cat",
    operation="open", access=["r"], path="/etc/hosts", label="build", fields={}, count=1)
put("denial", **ids, mechanism="apparmor", joined="uid", kernel=kernel(1400), pid_outside=142, comm="x\\x1b[31m",
    operation="open", access=["r"], path="/tmp/\\x0aodd", label="build", fields={}, count=1)
put("denial", **ids, mechanism="apparmor", joined="pid", kernel=kernel(1400), pid=2, pid_outside=142, comm="ping",
    operation="capable", access=["net_raw"], label="build", fields={"capability": "13"}, count=1)
put("denial", **ids, mechanism="selinux", joined="pid", kernel=kernel(1400), pid=2, pid_outside=179, comm="cat",
    operation="file", access=["read"], label="all_u:all_r:box_t:s0",
    fields={"name": "secret", "tcontext": "all_u:object_r:secret_t:s0"}, count=1)
put("denial", **ids, mechanism="seccomp", joined="pid", kernel=kernel(1326), pid=7, pid_outside=180, uid=1001, comm="killed",
    operation="syscall", syscall={"name": "getppid", "nr": 110, "abi": "x86_64"}, answer={"kill": True},
    fields={"sig": "31", "code": "0x80000000"}, count=1)
put("summary", **ids, mechanism="landlock", operation="fs", first="2026-11-29T10:24:10.323000000Z",
    last="2026-11-29T10:24:10.323000000Z", count=40)
put("summary", **ids, mechanism="apparmor", note="not taken in time from the collector: only their number is known",
    first="2026-11-29T10:24:10.323000000Z", last="2026-11-29T10:24:10.323000000Z", count=2)
put("kernel", policy="seen", event="lost", events=7, unjoined=1, text="denials by the kernel may be missing")
put("kernel", policy="seen", event="unfinished", events=0, unjoined=0, text="nobody knows how many")
put("close", policy="seen", denials=53, records=11, summaries=2, counted=42,
    lost={"records": 0, "denials": 0, "other_sinks": 0}, exit={"status": 0})
PY
check "the records fit the schema" python3 - "$SCHEMA" log.jsonl <<'PY'
import json, sys
import jsonschema
check = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
bad = [e.message for l in open(sys.argv[2]) for e in check.iter_errors(json.loads(l))]
print("#", bad[:3])
sys.exit(1 if bad else 0)
PY
expect_match ': whole$' "verify adds the kernel's up with the others" -- "$CORDON" audit verify log.jsonl
expect_match '^ +3  landlock fs:execute +"/tmp/tool" +- +landlock$' "show: Landlock, with the path" -- \
	"$CORDON" audit show log.jsonl
expect_match '^ +1  apparmor open:r +"/var/lib/a b" +- +build$' "AppArmor, with its profile" -- "$CORDON" audit show log.jsonl
expect_match '^ +1  selinux file:read +name=secret tcontext=all_u:object_r:secret_t:s0 ' "SELinux" -- \
	"$CORDON" audit show log.jsonl
expect_match '^ +1  getppid .* killed' "a filter's kill" -- "$CORDON" audit show log.jsonl
expect_match '^ +1  landlock net:connect_tcp +dest=80 daddr=127.0.0.1' "a port" -- "$CORDON" audit show log.jsonl
expect_match '"/tmp/\\x0aodd"' "a name is escaped" -- "$CORDON" audit show log.jsonl
expect_match 'calls refused: 53 in 1 sandbox' "all are counted" -- "$CORDON" audit show --group log.jsonl
expect_output 3 "--path finds the kernel's path" -- "$CORDON" audit show --count --path '/tmp/too*' log.jsonl
expect_output 5 "--rule finds the profile" -- "$CORDON" audit show --count --rule build log.jsonl

explain() { # SEQ
	"$CORDON" audit explain --seq "$1" --policy ./seen.policy log.jsonl
}
expect_match 'this one would: exec /tmp/tool$' "explain: the line that would give it" -- explain 2
expect_match 'refused by the kernel itself: landlock$' "and who refused it" -- explain 2
expect_match 'by its Landlock domain' "and how it was joined" -- explain 2
expect_match 'this one would: net connect tcp 80$' "a port's line" -- explain 5
expect_match 'this one would: read "/var/lib/a b"$' "a path with a blank" -- explain 6
expect_match 'the policy gives it: .*read /etc' "what the policy gives, a profile does not" -- explain 7
expect_match 'a line hides it: .*hide /etc/hosts' "what it hides" -- explain 8
expect_match 'another process of the same user can be meant' "an inexact join says so" -- explain 9
expect_match 'no line of a policy speaks of it' "a capability" -- explain 10
expect_match '"by_kernel":true.*"wish":\{"line":"exec /tmp/tool","policy":"closed"\}' "explain for programs" -- \
	"$CORDON" audit explain --json --seq 2 --policy ./seen.policy log.jsonl

expect_status 0 "suggest" -- "$CORDON" audit suggest --policy ./seen.policy -o more.policy log.jsonl
check "a path of Landlock's" grep -qx 'exec /tmp/tool' more.policy
check "of AppArmor's" grep -qx 'read "/var/lib/a b"' more.policy
check "a port" grep -qx 'net connect tcp 80' more.policy
check "not what a line hides" grep -q 'a line hides it on purpose' more.policy
check "nor what the policy gives already" grep -q 'is not made of this text' more.policy
check "nor a name that no policy can write" [ "$(grep -c odd more.policy)" -eq 0 ]
check "nor what no line speaks of" grep -q 'another mechanism than the filter refused it' more.policy
expect_status 0 "what is suggested is a policy" -- "$CORDON" policy check ./more.policy
expect_match '"line":"exec /tmp/tool","count":3,"by":"landlock"' "suggest for programs" -- \
	"$CORDON" audit suggest --json --policy ./seen.policy log.jsonl

expect_match '^53 denials: 0 would be allowed now, 0 still denied, 53 not the filter.s$' "replay judges none of them" -- \
	"$CORDON" audit replay --policy ./seen.policy --expect same log.jsonl
run "$CORDON" audit export --format csv log.jsonl
check "export: they are rows" [ "$(grep -c ',landlock,' "$OUT")" -eq 5 ]
run timeout 2 "$CORDON" audit show --follow log.jsonl
check "as it happens" grep -Eq ' denied apparmor open:r "/etc/hosts" by build \(cat, pid 2\)$' "$OUT"
check "and what was counted" grep -Eq ' denied 40 times more landlock fs by landlock$' "$OUT"
check "and who did it" grep -Eq ' denied selinux file:read name=secret .* by all_u:all_r:box_t:s0 \(cat, pid 2\)$' "$OUT"
check "and what may be missing" grep -q ' denials by the kernel may be missing$' "$OUT"
check "or that nobody knows how much" grep -q " nobody knows how many\$" "$OUT"
done_testing
