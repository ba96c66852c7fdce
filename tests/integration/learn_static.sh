#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib/harness.sh disable=SC2016,SC2154,SC2317 # the linker's; called by run
# cordon learn --static: the calls that a program can reach are found, those that it cannot are not, and
# what real programs were recorded to make is all among what was found.
. "$(dirname "$0")/../lib/harness.sh"
cd "$WORK" || exit 1

if [ "$(uname -m)" != x86_64 ]; then
	skip "all" "it reads x86_64 only"
	done_testing
	exit
fi

static() {
	"$CORDON" learn --static "$@"
}
calls() { # PROGRAM...: the names, sorted
	static --json "$@" | jq -r '.calls[].name' | sort
}
found() { # CALL: among those of the last calls
	grep -qx "$1" have
}

# --- programs of our own: no libc, so that what is there is what was written
cat >parts.h <<'END'
static inline long call3(long nr, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
END
cat >own.c <<'END'
#include "parts.h"
/* the number comes with the call, twice over */
__attribute__((noinline)) long wrapper(long nr, long a) { return call3(nr, a, 0, 0); }
__attribute__((noinline)) static long outer(long a, long nr) { return wrapper(nr, a) + 1; }
/* reached by its address alone, in data and in code */
__attribute__((noinline)) static long by_table(void) { return call3(102, 0, 0, 0); /* getuid */ }
__attribute__((noinline)) static long by_pointer(void) { return call3(104, 0, 0, 0); /* getgid */ }
long (*const table[])(void) __attribute__((used)) = { by_table };
/* reached by nothing */
__attribute__((noinline, used)) static long never(void) { return call3(165, 0, 0, 0); /* mount */ }
volatile int unknown;
void _start(void)
{
	long (*volatile p)(void) = by_pointer;
	call3(39, 0, 0, 0);                           /* getpid */
	if (unknown)
		call3(110, 0, 0, 0);                  /* getppid */
	else
		call3(186, 0, 0, 0);                  /* gettid */
	for (int i = 0; i < unknown; i++)
		call3(24, 0, 0, 0);                   /* sched_yield */
	outer(0, 107);                                /* geteuid */
	wrapper(108, 0);                              /* getegid */
	p(), table[unknown]();
	call3(231, 0, 0, 0);                          /* exit_group */
}
END
want="exit_group getegid geteuid getgid getpid getppid gettid getuid sched_yield"
for how in "-O1 -static" "-O2 -static" "-Os -static" "-O2 -static-pie -fPIE"; do
	# shellcheck disable=SC2086 # several words
	gcc $how -nostdlib -ffreestanding -fno-stack-protector -o own own.c
	check "gcc $how: what can be reached, and no more" test "$(calls ./own | xargs)" = "$want"
	strip own
	check "gcc $how: the same of what is stripped" test "$(calls ./own | xargs)" = "$want"
done
gcc -O2 -static -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -s -o own own.c
check "nothing says where functions begin: all of it is found" test -z "$(comm -13 <(calls ./own) <(tr ' ' '\n' <<<"$want"))"
gcc -O0 -static -nostdlib -ffreestanding -fno-stack-protector -o own own.c
check "a number that went over the stack is told" bash -c "'$CORDON' learn --static ./own | grep -q 'call3, at .* its number is computed'"

cat >dark.c <<'END'
#include "parts.h"
volatile long number;
void _start(void)
{
	call3(number, 0, 0, 0);
	__asm__ volatile("int $0x80" : : "a"(20));
	call3(60, 0, 0, 0);
}
END
gcc -O2 -static -nostdlib -ffreestanding -o dark dark.c
static ./dark >text
check "a number from memory is told" grep -q 'its number is computed' text
check "and a call of another ABI" grep -q 'a call of the i386 ABI' text
check "and what is known is found" grep -q '^exit  ' text

# --- libraries: by the linker's tables, by name at run time, and by an option
printf '#include "parts.h"\nlong lib_used(void) { return call3(102, 0, 0, 0); }\nlong lib_unused(void) { return call3(165, 0, 0, 0); }\nlong lib_looked_up(void) { return call3(104, 0, 0, 0); }\n' >lib.c
gcc -O2 -shared -fPIC -o libown.so lib.c
printf '#include <dlfcn.h>\nlong lib_used(void);\nint main(void) { void *p = dlsym(RTLD_DEFAULT, "lib_looked_up"); return p && lib_used(); }\n' >user.c
gcc -O2 -o user user.c -L. -lown -Wl,-rpath,'$ORIGIN'
calls ./user >have
check "a library's function that is called" found getuid
check "one that is looked up by its name" found getgid
check "none that is neither" bash -c '! grep -qx mount have'
check "the library is named" bash -c "'$CORDON' learn --static --json ./user | jq -e '.files | any(endswith(\"/libown.so\"))' >/dev/null"
mv libown.so gone.so
static ./user >text
check "one that is missing is told" grep -q 'libown.so, which it needs and which was not found' text
calls ./user --with ./gone.so >have
check "what is given by an option is looked at" found getuid

# --- real programs: what they were recorded to make is found
against() { # NAME ELF -- COMMAND...
	local name=$1 elf=$2
	shift 3
	"$CORDON" learn -o "$name.policy" -q -- "$@" >/dev/null 2>&1
	expect_status 0 "$name: what was recorded was found" -- static "$elf" --against "$name.policy.learn"
	check "$name: and something else, too" grep -Eq ' [1-9][0-9]* found and$' "$OUT"
}
against true /bin/true -- true
against ls /bin/ls -- ls -la /usr/bin
against sqlite3 sqlite3 -- sqlite3 /tmp/one.db 'create table t(a); insert into t values(1); select a from t;'
against xz xz -- xz -k -c /etc/services
against git git -- git --exec-path
against sort sort -- sort --parallel=2 /etc/services
against python3 /usr/bin/python3 -- /usr/bin/python3 -c 'import json, threading; print(1)'
sed 's/"name":"newfstatat"/"name":"mount"/' true.policy.learn >forged.learn
expect_status 1 "a call that it cannot have made is told" -- static /bin/true --against forged.learn
check "by its name" grep -q 'RECORDED, NOT FOUND: mount (true)' "$OUT"
sed 's/"name":"newfstatat"/"name":"restart_syscall"/' true.policy.learn >restart.learn
expect_status 0 "what the kernel makes is explained" -- static /bin/true --against restart.learn
check "and told" grep -q 'recorded, not found: restart_syscall (true): the kernel makes it itself' "$OUT"

# --- what is no program
expect_error 125 "as a program or library for x86_64" "a text" -- static /etc/services
printf '#!/bin/sh\n' >script
expect_error 125 'as a program' "a script" -- static ./script
check "its interpreter is named" grep -q '^hint: it is a script: look at its interpreter, /bin/sh' "$ERR"
expect_error 125 'No such file' "one that is not there" -- static ./nothing
expect_error 125 'look at no program' "none" -- static
head -c 3000 /bin/true >part
run static ./part
check "one that is cut ends with an error" test "$STATUS" -eq 125

# --- the program that read it is somebody else's: what it could do is little
fill_fifo full
"$CORDON" learn --static ./part 2>full &
pid=$!
check "who reads programs is under a filter" wait_for 20 is_filtered "$pid" 1
kill -KILL "$pid"
wait "$pid" 2>/dev/null
exec 7>&-
done_testing
