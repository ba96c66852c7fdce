#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2317 # expanded inside; called by run
# Ordinary programs just run, under `default` and under `build`, with one writable directory. A refusal that
# they meet on the way is either listed here with its reason, or it is a fault of the policy.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

# NAME CALL: reason. What is refused and does not matter.
expected='
ldd brk: ldd asks each loader that is installed whether the program is its own, the 32-bit one too
ldd writev: the same
ldd exit: the same
ldd exit_group: the same
'
# unexpected NAME: the refusals in log.jsonl that are not in the list.
unexpected() {
	local call rest
	jq -r 'select(.type == "denial" or .type == "summary") | "\(.syscall.name // .syscall.nr) \(.answer.errno // "kill")" +
		" by \(.comm // "?"), arguments \(.args // "?" | tostring), rule \(.rule)"' log.jsonl | sort -u |
		while read -r call rest; do
			grep -q "^$1 $call: ." <<<"$expected" || echo "$call $rest"
		done
}

# works NAME NEEDS SCRIPT: NEEDS are the programs without which this is skipped.
works() {
	local name=$1 needs=$2 script=$3 policy need bad
	for need in $needs; do
		command -v "$need" >/dev/null || {
			skip "$name" "$need is not installed"
			return
		}
	done
	for policy in default build; do
		rm -rf project log.jsonl
		mkdir project
		run timeout 60 "$CORDON" run --policy "$policy" --rw "$WORK/project" --cwd "$WORK/project" \
			--audit "file:$WORK/log.jsonl" -- sh -ec "$script"
		if [ "$STATUS" -eq 0 ] && [ "$(tail -n 1 "$OUT")" = good ]; then ok "$name under $policy"; else
			not_ok "$name under $policy" "status $STATUS"
			_said
		fi
		bad=$(unexpected "$name")
		if [ -z "$bad" ]; then ok "$name under $policy: nothing it needs is refused"; else
			not_ok "$name under $policy: nothing it needs is refused" "$bad"
		fi
	done
}

run "$CORDON" run --audit "file:$WORK/log.jsonl" -- unshare --user true
check "a refusal that is not listed would be seen" grep -q '^unshare EPERM by unshare' <(unexpected unshare)

works "shell" "" '
	i=0; for w in b a c; do echo $w; done | sort | while read -r w; do i=$((i+1)); echo $i$w; done | tr "\n" " " >out
	test "$(cat out)" = "1a 2b 3c "; (sleep 0.01 & wait); trap "echo trapped >t" USR1; kill -USR1 $$; test -s t
	cat <<-END | grep -q here
		here
	END
	echo good'
works "bash" "bash" 'bash -c '\''set -m; coproc cat; echo hi >&${COPROC[1]}; read -r x <&${COPROC[0]}; [ $x = hi ] &&
	diff <(seq 3) <(printf "1\n2\n3\n") && ulimit -a >/dev/null && echo good'\'
works "text tools" "awk sed" '
	seq 100 | awk "{ s += \$1 } END { print s }" | grep -qx 5050; echo abc | sed -E "s/(b)/<\1>/" | grep -qx "a<b>c"
	seq 2000 | sort -rn --parallel=2 | head -n 1 | grep -qx 2000; printf "b\na\n" >f; sort -o f f; cp -a f g; mv g h; ln h i
	ln -s h j; touch -d @0 h; stat -c %Y h | grep -qx 0; chmod 600 h; find . -name h -newermt 1969-01-01 | grep -q h
	timeout 5 true; nice true; env -i true; id >/dev/null; df . >/dev/null; xargs -n1 -P2 echo <f >/dev/null
	mkfifo p; (echo x >p &); cat p >/dev/null; dd if=/dev/zero of=z bs=1k count=4 2>/dev/null; truncate -s 1M z; sync z; rm -r z; echo good'
works "archives" "tar gzip xz" '
	mkdir d; seq 1000 >d/f; ln -s f d/l; chmod 750 d; tar cf a.tar d; tar czf a.tgz d; tar cJf a.txz d; tar tf a.tar >/dev/null
	mkdir x; tar xf a.txz -C x; cmp d/f x/d/f; tar xpf a.tgz -C x; xz -T2 -k a.tar; xz -dc a.tar.xz | cmp - a.tar; gzip -k a.tar; echo good'
works "gcc" "gcc g++" '
	printf "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n" >h.c
	gcc -O2 -g -Wall -flto -o h h.c; test "$(./h)" = hello; gcc -static -o s h.c; ./s >/dev/null; gcc -fsanitize=undefined -o u h.c; ./u >/dev/null
	printf "#include <thread>\n#include <iostream>\nint main() { std::thread t([] { std::cout << 1; }); t.join(); }\n" >t.cc
	g++ -pipe -pthread -o t t.cc; test "$(./t)" = 1; echo good'
works "clang" "clang" '
	printf "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n" >h.c; clang -O2 -o h h.c; test "$(./h)" = hello; echo good'
works "make" "make gcc" '
	for i in 1 2 3 4 5 6; do printf "int f$i(void) { return $i; }\n" >f$i.c; done
	printf "int f1(void); int main(void) { return f1() - 1; }\n" >m.c
	printf "o := \$(patsubst %%.c,%%.o,\$(wildcard *.c))\nall: m\nm: \$o\n\tcc -o \$@ \$^\ncheck: m\n\t./m\n" >Makefile
	make -j2 >/dev/null; make -s check; make -q; echo good'
works "cmake" "cmake make gcc" '
	printf "cmake_minimum_required(VERSION 3.10)\nproject(p C)\nadd_executable(p p.c)\nenable_testing()\nadd_test(NAME p COMMAND p)\n" >CMakeLists.txt
	printf "int main(void) { return 0; }\n" >p.c; cmake -S . -B b >/dev/null; cmake --build b -j2 >/dev/null; cd b; ctest >/dev/null; echo good'
works "ninja" "cmake ninja gcc" '
	printf "cmake_minimum_required(VERSION 3.10)\nproject(p C)\nadd_executable(p p.c)\n" >CMakeLists.txt
	printf "int main(void) { return 0; }\n" >p.c; cmake -G Ninja -S . -B b >/dev/null; ninja -C b >/dev/null; b/p; echo good'
works "perl" "perl" 'perl -MPOSIX -MFile::Temp -e '\''my ($f, $n) = File::Temp::tempfile(); print $f "x"; my $p = fork; exit 3 unless $p;
	waitpid $p, 0; die unless $? >> 8 == 3; open my $c, "-|", "echo", "piped" or die; die unless <$c> eq "piped\n"; print "good\n"'\'
works "python3" "python3" 'python3 -c "
import concurrent.futures as c, multiprocessing as m, os, socket, sqlite3, subprocess, tempfile, threading, asyncio, ssl, hashlib, mmap
def f(x): return x * x
if __name__ == \"__main__\":
    with c.ThreadPoolExecutor(4) as e: assert sum(e.map(f, range(10))) == 285
    with m.get_context(\"fork\").Pool(2) as p: assert sum(p.map(f, range(10))) == 285
    with c.ProcessPoolExecutor(2) as e: assert sum(e.map(f, range(10))) == 285
    assert subprocess.run([\"echo\", \"x\"], capture_output=True).stdout == b\"x\n\"
    with tempfile.TemporaryFile() as t: t.write(b\"x\" * 4096); t.flush(); mmap.mmap(t.fileno(), 4096)
    async def a(): return await (await asyncio.create_subprocess_exec(\"true\")).wait()
    assert asyncio.run(a()) == 0
    socket.getaddrinfo(\"localhost\", 80)
    print(\"good\")
"'
works "python3 packaging" "python3" '
	python3 -m py_compile $(python3 -c "import json; print(json.__file__)") 2>/dev/null || true
	printf "import unittest\nclass T(unittest.TestCase):\n def test(self): self.assertTrue(True)\n" >test_x.py
	python3 -m unittest -q 2>/dev/null; python3 -m compileall -q .; python3 -m zipapp -h >/dev/null; echo good'
works "node" "node" '
	echo "const { Worker, isMainThread } = require(\"worker_threads\"); if (isMainThread) { const w = new Worker(__filename);
	w.on(\"exit\", () => { const o = require(\"child_process\").execSync(\"echo x\").toString();
	require(\"fs\").writeFileSync(\"o\", o); console.log(\"good\"); }); }" >w.js; node -e "1"; node w.js'
works "npm" "npm node" 'npm --version >/dev/null; npm init -y >/dev/null; npm pkg set scripts.test="node -e 1"; npm test --silent; echo good'
works "git" "git" '
	git init -q .; echo x >f; git add f; git -c user.name=a -c user.email=a@b commit -qm m; git log --oneline >l; git gc -q; git clone -q . c
	git -C c checkout -qb n; git status >/dev/null; git diff >/dev/null; git worktree add -q w; echo good'
works "sqlite3" "sqlite3" 'sqlite3 d.db "pragma journal_mode=wal; create table t(x); insert into t values(1),(2); select sum(x) from t;" | tail -n 1 | grep -qx 3; echo good'
works "a server on loopback" "python3 curl" '
	echo content >index.html; python3 -m http.server --bind 127.0.0.1 8080 >/dev/null 2>&1 & p=$!
	i=0; until curl -sf http://127.0.0.1:8080/ >got || [ $i -ge 100 ]; do i=$((i+1)); sleep 0.05; done; kill $p
	cmp got index.html; curl -sf http://localhost:8080/ >/dev/null && exit 1; echo good'
works "java" "java javac" '
	printf "public class A { public static void main(String[] a) throws Exception { Thread t = new Thread(() -> System.out.println(1)); t.start(); t.join(); } }\n" >A.java
	javac A.java; test "$(java -XX:-UsePerfData A)" = 1; echo good'
works "cargo" "cargo rustc" 'cargo --version >/dev/null; cargo init -q --vcs none --name p .; cargo build -q --offline; ./target/debug/p >/dev/null; echo good'
works "go" "go" 'go version >/dev/null; printf "package main\nfunc main() { println(1) }\n" >m.go; GO111MODULE=off go run m.go 2>/dev/null; echo good'
works "ldd" "ldd" 'ldd /bin/sh >/dev/null; echo good'
works "tmux" "tmux" 'tmux -S s new-session -d "echo x >o; sleep 5"; i=0; until [ -s o ] || [ $i -ge 100 ]; do i=$((i+1)); sleep 0.05; done; tmux -S s kill-server; test -s o; echo good'

done_testing
