#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""explain.py CORDON: what `cordon policy explain` advises for each of many denied attempts is
done to the policy's text, and explain is asked again: then it must be allowed, and with any one of
the steps left out it must not. Prints what went wrong and one line of figures."""

import json
import os
import re
import subprocess
import sys

cordon = sys.argv[1]
HEADS = {
    "default": "use default\n",
    "strict": "use strict\n",
    "process": "use process\nexec /\n",
    "closed": "allow execve exit_group\nexec /usr\n",
    "narrow": """allow execve exit_group read write socket connect bind
allow open openat if flags & O_ACCMODE == O_RDONLY
allow prctl if option in PR_SET_NAME PR_GET_NAME
allow ioctl if cmd == TCGETS
allow lseek if whence >= 0 and whence < 3
kill ptrace
deny personality errno EINVAL quiet
exec /usr /bin /lib
read /etc
hide? /etc/ssl
net loopback
cap none
""",
    "open": "allow @known\nexec /\nhide? /etc/shadow /root\nnet none\ncap none\n",
    "old": "kernel 5.4\nallow execve exit_group\nexec /\n",
}
# attempts a policy; those of calls alone are named with blanks between them
CALLS = {
    "default": """setns bpf perf_event_open userfaultfd io_uring_setup io_uring_enter
        io_uring_register add_key request_key keyctl ptrace process_vm_readv process_vm_writev
        process_madvise kcmp pidfd_getfd move_pages migrate_pages memfd_secret lsm_set_self_attr
        name_to_handle_at fanotify_init fanotify_mark modify_ldt clock_adjtime adjtimex _sysctl
        sysfs ustat uselib nfsservctl statmount listmount clone3 create_module""",
    "strict": """fork vfork execveat unshare pidfd_open socketpair accept accept4 listen sendto
        sendmsg sendmmsg recvfrom recvmsg recvmmsg getsockname getpeername setsockopt getsockopt
        shutdown rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat truncate
        chmod fchmod fchmodat fchmodat2 fchown keyctl add_key request_key personality modify_ldt
        openat2 kill tkill rt_sigqueueinfo mlock mlockall mincore timer_create timer_settime
        vmsplice cachestat wait4 waitid setsid setpgid""",
    "closed": """read write close mmap munmap brk futex nanosleep getpid getuid gettid sched_yield
        uname dup pipe poll epoll_create1 eventfd2 timerfd_create getcwd umask times sysinfo
        prlimit64 membarrier rseq madvise mprotect lseek fsync flock readahead""",
    "process": "mkdir symlink flock epoll_wait shmget semget msgget mbind inotify_init io_setup",
    "old": "openat2 clone3 epoll_pwait2 futex_wait cachestat mseal close_range pidfd_getfd",
}
ARGUMENTS = {
    "default": [
        "clone(CLONE_NEWUSER|SIGCHLD)", "clone(CLONE_NEWNET|CLONE_VM)", "unshare(CLONE_NEWUSER)",
        "prctl(PR_SET_MM)", "personality(ADDR_NO_RANDOMIZE)",
        "personality(READ_IMPLIES_EXEC|ADDR_NO_RANDOMIZE)", "socket(AF_VSOCK, SOCK_STREAM)",
        "socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)", "socket(AF_ALG, SOCK_SEQPACKET)",
        "socketpair(AF_TIPC, SOCK_STREAM)", "ioctl(0, TIOCSTI)", "ioctl(0, TIOCSETD)",
        "ioctl(5, TIOCLINUX, 2)", 'openat("/usr/new", O_WRONLY)', 'openat("/etc/passwd", O_RDWR)',
        'open("/etc/group", O_WRONLY|O_TRUNC)', 'openat("/usr/x/y", O_WRONLY|O_CREAT, 0644)',
        'mkdir("/usr/local/x", 0755)', 'unlink("/usr/bin/env")', 'rename("/etc/a", "/etc/b")',
        'symlink("x", "/opt/y")', 'chmod("/etc/passwd", 0600)', 'truncate("/etc/passwd", 0)',
        'mknod("/usr/p", S_IFIFO|0600)', 'rmdir("/usr/share/doc")',
        'connect(3, "tcp:192.0.2.1:443")', 'connect(3, "tcp:[2001:db8::1]:443")',
        'connect(3, "udp:192.0.2.1:53")',
    ],
    "strict": [
        "socket(AF_UNIX, SOCK_STREAM)", "socket(AF_INET, SOCK_STREAM)", 'connect(3, "unix:/tmp/x")',
        'openat("/etc/hosts", O_RDONLY)', 'openat("/etc/passwd", O_WRONLY)',
        'openat("/usr/x", O_WRONLY|O_CREAT, 0644)', 'open("/home/x", O_RDONLY)',
        'stat("/var/log/x")', "ioctl(1, TIOCSTI)", "prctl(PR_SET_DUMPABLE)",
        "clone(CLONE_CHILD_CLEARTID|SIGCHLD)", 'execveat("/etc/passwd")',
    ],
    "narrow": [
        'openat("/etc/passwd", O_RDWR)', 'openat("/etc/ssl/x", O_RDONLY)',
        'open("/home/me", O_RDONLY)', 'openat("/usr/lib/x", O_WRONLY|O_APPEND)',
        'execve("/etc/init.d/x")', 'execve("/opt/tool")', "prctl(PR_SET_DUMPABLE, 0)",
        "ioctl(0, TCSETS)", "lseek(0, 0, 3)", "lseek(0, 0, 4)", "ptrace(PTRACE_ATTACH, 5)", "ptrace",
        "personality(0)", "personality", "getpid", 'mkdir("/usr/x", 0755)',
        'connect(3, "tcp:192.0.2.1:80")',
    ],
    "open": [
        'openat("/etc/shadow", O_WRONLY)', 'openat("/root/x", O_RDWR)',
        'openat("/usr/x", O_RDWR)', 'connect(3, "tcp:192.0.2.1:25")', "sethostname", "settimeofday",
        "reboot", "init_module", "delete_module", "kexec_load", "clock_settime", "vhangup",
        "swapoff", "acct", "iopl(3)", "syslog(2)", "lookup_dcookie", "setdomainname",
        "socket(AF_PACKET, SOCK_RAW)", 'bind(3, "tcp:127.0.0.1:80")', "open_by_handle_at",
    ],
}


def explain(path, attempt):
    run = subprocess.run(
        [cordon, "policy", "explain", "--json", path, attempt], capture_output=True, text=True
    )
    if run.returncode != 0:
        raise RuntimeError(f"{attempt}: {run.stderr}")
    return json.loads(run.stdout)


def seccomp(answer):
    return next(m for m in answer["mechanisms"] if m["mechanism"] == "seccomp")


def passes(answer, whole):
    return answer["verdict"] == "allow" if whole else seccomp(answer)["answer"] == "allows"


def take_out(line, rule):
    """The line without the call that a removal names; nothing when it was the only one."""
    name = rule.split()[1]
    rest = [w for w in line.split() if w != name]
    return "" if len(rest) == 1 or rest[1] in ("if", "errno", "quiet") else " ".join(rest)


def apply(text, steps, own):
    lines = text.split("\n")
    more = []
    for step in steps:
        here = step["file"] == own and step["line"] > 0
        at = step["line"] - 1
        if step["edit"] == "remove" and here:
            lines[at] = take_out(lines[at], step["rule"])
        elif step["edit"] == "remove":
            verb, name = step["rule"].split()[:2]
            more.append(f"remove {verb} {name}")
        elif step["edit"] == "change":
            path = step["rule"].split()[-1]
            words = [w for w in lines[at].split() if w != path]
            is_path = re.match(r"(read|exec|write|hide|tmpfs)\??$", words[0])
            lines[at] = " ".join(words) if is_path and len(words) > 1 else ""
            more.append(step["rule"])
        else:
            more.append(step["rule"])
    return "\n".join(lines + list(dict.fromkeys(more))) + "\n"


def main():
    good = whole_ones = partly = 0
    bad = []
    cases = [(p, c) for p, names in CALLS.items() for c in names.split()]
    cases += [(p, a) for p, attempts in ARGUMENTS.items() for a in attempts]
    own, edited = os.path.abspath("own.policy"), os.path.abspath("edited.policy")
    for head, attempt in cases:
        text = "policy own\n" + HEADS[head]
        with open(own, "w") as f:
            f.write(text)
        before = explain(own, attempt)
        if before["verdict"] != "deny":
            bad.append(f"{head}: {attempt}: was not denied")
            continue
        steps = before["advice"]["steps"]
        whole = before["advice"]["passes"]
        if not whole and passes(before, False):
            bad.append(f"{head}: {attempt}: nothing is advised: {before['by']}")
            continue
        whole_ones += whole
        partly += not whole
        with open(edited, "w") as f:
            f.write(apply(text, steps, own).replace("policy own", "policy edited"))
        try:
            after = explain(edited, attempt)
        except RuntimeError as e:
            bad.append(f"{head}: {attempt}: the edited text: {e}")
            continue
        if not passes(after, whole):
            bad.append(f"{head}: {attempt}: still denied with {[s['rule'] for s in steps]}")
            continue
        # No step is more than is needed. (Two lines of a used policy that refuse one call go with
        # one `remove`; and every third case will do.)
        removed = [s["rule"].split()[1] for s in steps if s["edit"] == "remove"]
        tried = whole and len(removed) < 2 and (good % 3 == 0 or len(steps) > 1)
        for i in range(len(steps) if tried else 0):
            with open(edited, "w") as f:
                less = steps[:i] + steps[i + 1 :]
                f.write(apply(text, less, own).replace("policy own", "policy edited"))
            if passes(explain(edited, attempt), True):
                bad.append(f"{head}: {attempt}: needs no '{steps[i]['rule']}'")
                break
        else:
            good += 1
    for line in bad:
        print(line)
    print(f"{good} of {len(cases)} flip ({whole_ones} wholly, {partly} as far as seccomp goes)")
    return 1 if bad or len(cases) < 200 else 0


sys.exit(main())
