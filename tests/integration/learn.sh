#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2154,SC2317 # expanded inside; called by run
# cordon learn: what a job asked for is all in its policy, the same job passes under it with nothing
# refused, and what the job did not do is refused. A recording that was cut short says so.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1
LOG=$WORK/log.jsonl

learn() { # NAME OPTIONS... -- COMMAND...
	local name=$1
	shift
	timeout -k 5 60 "$CORDON" learn -o "$name.policy" "$@"
}
enforce() {
	local name=$1
	shift
	rm -f "$LOG" "$LOG.head"
	timeout -k 5 30 "$CORDON" run -q --policy "./$name.policy" --audit "file:$LOG" "$@"
}
refused() { # how many calls the last run was refused
	jq -s 'map(select(.type == "close").denials) | add' "$LOG"
}

# job NAME REGEX HOSTILE -- OPTIONS... -- COMMAND...: learned, written well, enforced, and no more than
# that. REGEX is in the output both times. HOSTILE is a shell command that the job does not come to.
job() {
	local name=$1 want=$2 hostile=$3 options=()
	shift 4
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	for _ in 1 2 3; do
		run learn "$name" "${OWN[@]}" "${options[@]}" -- "$@"
		# A signal ended a call before the recorder had it (doc/learn.md, "What it disturbs").
		grep -q 'Pipe call failed' "$ERR" || break
	done
	if [ "$STATUS" -eq 0 ] && grep -Eq "$want" "$OUT" && grep -q '^# complete: yes' "$name.policy"; then
		ok "$name: learned, complete"
	else
		not_ok "$name: learned, complete" "status $STATUS; $(tail -n 5 "$OUT" "$ERR")"
		return
	fi
	check "$name: the policy has no mistake" "$CORDON" policy check "./$name.policy"
	expect_status 0 "$name: and nothing that lint warns of" -- "$CORDON" policy lint "./$name.policy"
	expect_status 0 "$name: its own tests hold" -- "$CORDON" policy test "./$name.policy"
	run enforce "$name" "${options[@]}" -- "$@"
	if [ "$STATUS" -eq 0 ] && grep -Eq "$want" "$OUT" && [ "$(refused)" = 0 ]; then
		ok "$name: the same job passes, nothing refused"
	else
		not_ok "$name: the same job passes, nothing refused" "status $STATUS, refused: $(refused)" \
			"$(tail -n 5 "$OUT" "$ERR"; jq -c 'select(.type == "denial") | [.syscall.name, .decoded]' "$LOG")"
	fi
	# The twin: where everything ordinary is allowed, it works.
	run "$CORDON" run -q "${options[@]}" -- sh -c "$hostile"
	check "$name: the hostile variant works under default" test "$STATUS" -eq 0
	run enforce "$name" "${options[@]}" -- sh -c "$hostile"
	check "$name: and is refused under what was learned" test "$STATUS" -ne 0
}

OWN=() # options of learn itself
DIAL='python3 -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)"'
OTHER='cat /usr/include/stdio.h >/dev/null'

mkdir src && printf 'one\n' >src/file
git -C src init -q && git -C src add file && git -C src -c user.name=a -c user.email=a@b commit -qm one
job git-clone '^one$' "$DIAL" -- --ro "$WORK/src" -- \
	sh -c "git clone -q $WORK/src /tmp/clone && cat /tmp/clone/file"

mkdir build && printf '#include <stdio.h>\nint main(void) { puts("built"); return 0; }\n' >build/one.c
job gcc-build '^built$' "$DIAL" -- --ro "$WORK/build" -- \
	sh -c "gcc -O2 -o /tmp/one $WORK/build/one.c && /tmp/one"

printf 'import unittest, threading, subprocess\nclass T(unittest.TestCase):\n  def test(self):\n    t = threading.Thread(target=print, args=("ran",)); t.start(); t.join()\n    self.assertEqual(subprocess.check_output(["echo", "x"]), b"x\\n")\nunittest.main()\n' >build/one.py
job python-test '^ran$' "$DIAL" -- --ro "$WORK/build" -- python3 "$WORK/build/one.py"

job sqlite '^1$' "$DIAL" -- -- \
	sqlite3 /tmp/one.db 'create table t(a); insert into t values(1); select a from t;'

job tar-xz '^fine$' "$DIAL" -- -- sh -c \
	'cd /tmp && tar cJf one.tar.xz /usr/share/doc/bash 2>/dev/null && tar xf one.tar.xz && xz -t one.tar.xz && echo fine'

# ssh-keygen wants a user that has a name, which the tests' own has not
printf 'tester:x:%s:%s::/tmp:/bin/sh\n' "$(id -u)" "$(id -g)" >passwd
job keygen 'ED25519' "$DIAL" -- --ro "$WORK/passwd:/etc/passwd" -- \
	sh -c 'ssh-keygen -q -t ed25519 -N "" -f /tmp/key && ssh-keygen -l -f /tmp/key'

job vi '^two$' "$DIAL" -- -- sh -c 'echo one >/tmp/f && vi -es -c "%s/one/two/" -c wq /tmp/f </dev/null; cat /tmp/f'

cat >build/nginx <<'END'
port=${PORT:-8080} user=; [ "$(id -u)" != 0 ] || user="user root;"
mkdir -p /tmp/n && cat >/tmp/n/conf <<X
$user daemon off; pid /tmp/n/pid; error_log /tmp/n/e; events {}
http { access_log off; client_body_temp_path /tmp/n/b; proxy_temp_path /tmp/n/p; fastcgi_temp_path /tmp/n/f;
uwsgi_temp_path /tmp/n/u; scgi_temp_path /tmp/n/s; server { listen 127.0.0.1:$port; root /usr/share/doc; } }
X
nginx -c /tmp/n/conf -e /tmp/n/e &
for i in 1 2 3 4 5 6 7 8 9 10; do curl -sf -o /tmp/n/out "http://127.0.0.1:$port/bash/copyright" && break; sleep 0.2; done
[ ! -s /tmp/n/out ] || echo served
nginx -c /tmp/n/conf -e /tmp/n/e -s quit; wait
END
serve() { # PORT: the same job on another port, which succeeds when something was served
	echo "PORT=$1 sh $WORK/build/nginx >/tmp/served; test -s /tmp/served"
}
job nginx-curl '^served$' "$(serve 8081)" -- --ro "$WORK/build" -- sh "$WORK/build/nginx"
check "nginx-curl: its port is in the policy, for server and client" bash -c \
	"grep -q '^net bind tcp4* 8080 .*# r1 .*nginx' nginx-curl.policy && grep -q '^net connect tcp4* 8080 .*curl' nginx-curl.policy"
expect_status 0 "nginx-curl: what the hostile variant is, on the learned port" -- \
	enforce nginx-curl --ro "$WORK/build" -- sh -c "$(serve 8080)"

cat >build/redis <<'END'
redis-server --port 7777 --bind 127.0.0.1 --dir /tmp --save "" >/tmp/redis.log &
for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -p 7777 ping >/dev/null 2>&1 && break; sleep 0.2; done
redis-benchmark -p 7777 -n 500 -c 5 -t set,get --csv | grep -c '^"'
redis-cli -p 7777 shutdown nosave; wait
END
job redis '^[23]$' "$OTHER" -- --ro "$WORK/build" -- sh "$WORK/build/redis"

job sed-sort-awk '^2 b$' "$DIAL" -- -- \
	sh -c 'printf "b\na\nb\n" | sort | uniq -c | sed "s/^ *//" | awk "\$1 > 1"'

printf 'const h = require("http");\nconst s = h.createServer((q, r) => r.end("answered\\n")).listen(0, "127.0.0.1", () =>\n  h.get({ port: s.address().port }, (r) => { r.pipe(process.stdout); r.on("end", () => s.close()); }));\n' >build/one.js
echo '{ "name": "one", "version": "1.0.0", "scripts": { "answer": "node one.js" } }' >build/package.json
job npm-node '^answered$' "$OTHER" -- --ro "$WORK/build" -- \
	sh -c "cd $WORK/build && npm_config_update_notifier=false npm run --silent answer"
check "npm-node: a port of the kernel's choice is no rule" bash -c \
	"grep -q '^net bind tcp.* 0 ' npm-node.policy && grep -q '^net connect tcp.* any ' npm-node.policy"

convert=$(command -v magick || command -v convert-im6.q16 || command -v convert)
job imagemagick '^PNG 16x16$' "$DIAL" -- -- \
	sh -c "$convert -size 16x16 xc:red /tmp/one.png && identify -format '%m %wx%h\n' /tmp/one.png"

# --- quick: what is not recorded is told, and what it lets pass is no way out
OWN=(--quick)
job quick '^2 b$' "$DIAL" -- -- \
	sh -c 'printf "b\na\nb\n" | sort | uniq -c | sed "s/^ *//" | awk "\$1 > 1"'
OWN=()
check "quick: the policy's head says it" grep -q '^# complete: yes, but for [0-9]* calls that --quick assumed' quick.policy
check "quick: reading is assumed, executing is recorded" bash -c \
	"grep -qx 'allow read' quick.policy && grep -q '^allow execve .*# r1 ' quick.policy"
check "quick: what it assumes is in no recording" jq -es \
	'map(select(.type == "call").name) | index("execve") != null and index("read") == null and index("close") == null' \
	quick.policy.learn
printf 'policy narrow\nuse default\ndeny lseek if whence == 77\n' >narrow.policy
expect_status 0 "quick: under a policy that asks for an argument" -- \
	learn quick-narrow --quick --policy ./narrow.policy -- tail -n 1 /etc/passwd
check "quick: such a call is not assumed" jq -es \
	'map(select(.type == "run"))[0].assumed | index("lseek") == null and index("close") != null' quick-narrow.policy.learn
check "quick: but recorded" grep -q '^allow lseek .*# r1 ' quick-narrow.policy
sed 's/"assumed":\["[a-z0-9_]*"/"assumed":["mount"/' quick.policy.learn >forged-quick.learn
expect_error 125 'it assumes a call that none may' "quick: no recording makes others assumed" -- \
	"$CORDON" learn write -o forged.policy forged-quick.learn

# --- every call is in the recording
CALLS=$PROGRAMS/calls67
"$CALLS" --list | sort >want
missing=0
for ((i = 0; i < ${CORDON_LEARN_RUNS:-5}; i++)); do
	learn calls -q --ro "$PROGRAMS" -- "$CALLS" "${CORDON_LEARN_MS:-100}" || missing=$((missing + 1000))
	jq -r 'select(.type == "call").name' calls.policy.learn | sort -u | comm -23 want - >lost
	missing=$((missing + $(wc -l <lost)))
done
check "67 distinct calls of 8 processes are recorded, 67 of 67, in each run" test "$missing" -eq 0
if ! sanitized && command -v strace >/dev/null && strace -f -o trace true 2>/dev/null; then
	strace -f -o trace "$CALLS" 0
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' trace | sort -u >traced
	check "strace sees no call that the recording lacks" test -z "$(comm -23 traced <(
		jq -r 'select(.type == "call").name' calls.policy.learn | cat - <(echo execve) | sort -u
	))"
else
	skip "strace sees no call that the recording lacks" "strace does not run here"
fi

# --- learning opens nothing
run learn more --ro "$PROGRAMS" -- "$PROGRAMS/hostile" unshare-user ptrace-sibling mount-tmpfs keyctl bpf
check "what the policy refuses is refused while learning" bash -c "[ '$STATUS' -eq 0 ] && ! grep '^BREACH' '$OUT'"
for call in unshare mount keyctl bpf; do
	check "$call: recorded as refused, and denied" grep -q "^deny $call .*# r1 " more.policy
done
check "the refusals are in the log, too" "$CORDON" audit verify
if sanitized; then
	skip "under a policy that denies execve" "a sanitizer's shadow memory breaks the policy's memory limit"
else
	run learn strict --policy strict -- cat /etc/passwd
	check "under a policy that denies execve, the launch's own passes" bash -c \
		"[ '$STATUS' -eq 0 ] && ! grep -q 'allow execve' strict.policy"
fi

# --- cut short
"$CORDON" learn -o cut.policy -- sleep 20 2>/dev/null &
pid=$!
for ((i = 0; i < 50; i++)); do [ ! -s cut.policy.learn ] || break; sleep 0.1; done
sleep 0.3
kill -KILL "$pid"
wait "$pid" 2>/dev/null
check "a recorder that was killed ends with a status that is none of success" test "$?" -ne 0
expect_status 1 "what it left is not complete" -- "$CORDON" learn write -o cut.policy cut.policy.learn
check "and its policy says so" grep -q '^# complete: no$' cut.policy
run learn wall --limit wall=300ms -- sleep 20
check "a limit cuts short: status, and the reason in the text" bash -c \
	"[ '$STATUS' -ne 0 ] && grep -q '^# complete: no$' wall.policy && grep -q \"CUT SHORT: the limit 'wall'\" wall.policy"
run learn signal -- sh -c 'kill -TERM $$'
check "so does a signal" bash -c "[ '$STATUS' -eq 143 ] && grep -q '^# complete: no$' signal.policy"
run learn three -- sh -c 'exit 3'
check "a command that fails by itself is no cut" bash -c "[ '$STATUS' -eq 3 ] && grep -q '^# complete: yes$' three.policy"

# --- merging
run learn one -- sh -c 'cat /etc/group'
run learn two -- sh -c 'mkdir /tmp/x && cat /etc/passwd'
expect_status 0 "two recordings become one" -- "$CORDON" learn merge -o both.policy one.policy.learn two.policy.learn
check "with the rules of both, and where each is from" bash -c \
	"grep -q '^allow mkdir .*# r2 ' both.policy && grep -q '^allow openat .*# r1,r2 ' both.policy"
expect_status 0 "the first job passes under both" -- enforce both -- sh -c 'cat /etc/group'
expect_status 0 "and the second" -- enforce both -- sh -c 'mkdir /tmp/x && cat /etc/passwd'
run enforce one -- sh -c 'mkdir /tmp/x && cat /etc/passwd'
check "which one's own refuses" test "$STATUS" -ne 0
cpus=$(seq -s , 0 2 98)
jq -c --arg cpus "$cpus" 'if .type == "limit" and .name == "pids" then ., (.name = "cpuset" | .value = $cpus) else . end' \
	one.policy.learn >cpus.learn
expect_status 0 "a list of processors is read" -- "$CORDON" learn write -o cpus.policy cpus.learn
check "and written whole" grep -Eq "^limit .* cpuset $cpus( |$)" cpus.policy
jq -c --arg cpus "0 nofile 1" 'if .type == "limit" and .name == "pids" then ., (.name = "cpuset" | .value = $cpus) else . end' \
	one.policy.learn >cpus.learn
expect_status 0 "what is no list is read, too" -- "$CORDON" learn write -o cpus.policy cpus.learn
check "and left out" bash -c '! grep -q "cpuset\|nofile 1$" cpus.policy'
expect_error 125 'this run was read already' "a run counts once" -- \
	"$CORDON" learn merge -o twice.policy both.policy.learn one.policy.learn
"$CORDON" learn merge -q -o bad.policy one.policy.learn cut.policy.learn
check "merging what is not complete is not complete" grep -q '^# complete: no$' bad.policy

# --- phases: the signal comes between two calls of the payload, each of which waits for its turn
mkdir turn
"$CORDON" learn -o phase.policy --phase --rw "$WORK/turn" -- sh -c \
	"mkdir /tmp/started && echo >$WORK/turn/up; until [ -e $WORK/turn/on ]; do sleep 0.1; done; rmdir /tmp/started" 2>"$ERR" &
pid=$!
for ((i = 0; i < 300; i++)); do [ ! -e turn/up ] || break; sleep 0.1; done
kill -USR1 "$pid"
for ((i = 0; i < 300; i++)); do [ -z "$(awk '$1 == "SigPnd:" && $2 !~ /^0*$/ || $1 == "ShdPnd:" && $2 !~ /^0*$/' "/proc/$pid/status")" ] && break; sleep 0.1; done
echo >turn/on
wait "$pid"
check "calls are told apart by phase" bash -c \
	"grep -q '^allow mkdir .*start-up$' phase.policy && grep -q '^allow rmdir .*serving$' phase.policy"

# --- what may be in a recording
sed '/"type":"call"/s|"name":"[a-z]*"|"name":"read\\nallow mount"|;s|/etc/group|/etc/x\\nallow ptrace|' one.policy.learn >forged.learn
"$CORDON" learn write -q -o forged.policy forged.learn
check "no text of a recording becomes a rule of its own" bash -c \
	"! grep -E '^(allow (mount|ptrace)|$)\$' forged.policy | grep allow"
expect_error 125 'it is no JSON' "a recording that is none is refused" -- \
	"$CORDON" learn write -o x.policy "$WORK/build/one.c"
sed '1a{"type":"env","name":"LC_'"$(printf 'A%.0s' {1..70})"'","value":null}' one.policy.learn >forged.learn
expect_error 125 "line 2 of the recording 'forged.learn': a variable has no name" "nor a name that no policy can have" -- \
	"$CORDON" learn write -o x.policy forged.learn
sed '1a{"type":"env","name":"LC_'"$(printf 'A%.0s' {1..60})"'","value":null}' one.policy.learn >forged.learn
expect_status 0 "one that it can have is written" -- "$CORDON" learn write -q -o x.policy forged.learn
check "in a policy that compiles" "$CORDON" policy check ./x.policy
fill_fifo full
"$CORDON" learn write -o x.policy "$WORK/build/one.c" 2>full &
pid=$!
reader() {
	cat "/proc/$pid/task/$pid/children"
}
check "who reads it is under a filter" wait_for 20 eval 'is_filtered "$(xargs <<<"$(reader)")" 1'
check "and is not who writes the policy" is_filtered "$pid" 0
kill -KILL "$pid"
wait "$pid" 2>/dev/null
exec 7>&-
expect_error 125 'NAME.policy' "the policy's name is asked for" -- "$CORDON" learn -o x.txt -- true
expect_status 0 "its own options stand among a launch's" -- \
	"$CORDON" learn -q --env A=-o --quick --ro /usr -o among.policy -- true
check "and are its own" grep -q '^# complete: yes, but for' among.policy
expect_error 125 '-o' "without a value" -- "$CORDON" learn -q -o
expect_error 125 "the option '--what'" "one that nobody knows" -- "$CORDON" learn -o x.policy --what -- true
done_testing
