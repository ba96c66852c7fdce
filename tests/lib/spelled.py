#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spelled.py TRACE LOG: the names in strace's output and in the log, call by call"""
import collections
import json
import re
import sys

NAME = re.compile(r"\b[A-Z_][A-Z0-9_]*_[A-Za-z0-9_]*\b|\bSIG[A-Z0-9]+\b|\bEPOLL[A-Z]+\b|\b(?:UNAME26)\b")
TEXTS = ("path_as_read", "text_as_read", "argv_as_read", "path", "abstract", "name", "ifr_name", "map_name")
# (call or "", what strace says, what the log says): None where one of them says nothing there.
KNOWN = [
    ("fcntl", None, "O_ASYNC"),  # FASYNC there
    ("ioctl", "SNDCTL_TMR_STOP", None),  # one number of two subsystems
    ("open_tree", "OPEN_TREE_CLOEXEC", "O_CLOEXEC"),  # one value, two names
    ("sched_setscheduler", None, "SCHED_FIFO"),  # not taken apart there
    ("sched_setscheduler", None, "SCHED_RESET_ON_FORK"),
    ("prlimit64", "RLIM64_INFINITY", "RLIM_INFINITY"),
    ("ioprio_set", "IOPRIO_PRIO_VALUE", None),  # a macro of two numbers
    ("prctl", None, "PR_SCHED_CORE_SCOPE_THREAD_GROUP"),  # the kernel's PIDTYPE_TGID there
    ("bpf", "BPF_CGROUP_INET_INGRESS", None),  # what is zero is left out of structures that grow
    ("bpf", "KERNEL_VERSION", None),
    ("perf_event_open", "PERF_ATTR_SIZE_VER7", None),  # a size
    ("futex", "FUTEX_WAIT_BITSET_PRIVATE", "FUTEX_WAIT_BITSET"),
    ("futex", None, "FUTEX_PRIVATE_FLAG"),
    ("syslog", None, "SYSLOG_ACTION_READ_ALL"),  # a comment there
]


def of_strace(line):
    call, rest = line.split("(", 1)
    rest = re.sub(r"\)\s+= .*$", "", rest)
    rest = re.sub(r'"(?:[^"\\]|\\.)*"\.*', "", rest)
    rest = re.sub(r"/\*.*?\*/", "", rest)
    signals = " ".join(re.findall(r"\[((?:[A-Z][A-Z0-9]* ?)+)\]", rest)).split()
    return call, set(NAME.findall(rest)) | {"SIG" + s for s in signals}


def strings(value, key=""):
    if isinstance(value, str):
        if key not in TEXTS:
            yield value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from strings(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from strings(v, key)


def traced(path):
    number = None
    for line in open(path, encoding="utf-8", errors="replace"):
        mark = re.match(r'chdir\("/call/(\d+)"', line)
        if mark:
            number = int(mark.group(1))
        elif number is not None and re.match(r"[a-z]\w*\(", line):
            yield number, line
            number = None


def logged(path):
    """The records of each call, in their order, from the first mark on."""
    by_name, begun = collections.defaultdict(list), False
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        if record["type"] != "denial":
            continue
        name = record["syscall"]["name"]
        begun = begun or name == "chdir"
        if begun and name != "chdir":
            by_name[name].append(record)
    return by_name


def differences(call, theirs, ours):
    for where, strace, log in KNOWN:
        if where in ("", call) and (strace is None or strace in theirs) and (log is None or log in ours):
            theirs.discard(strace)
            ours.discard(log)
    return theirs - ours, ours - theirs


def main():
    records, seen = logged(sys.argv[2]), collections.Counter()
    bad = alike = calls = 0
    for number, line in traced(sys.argv[1]):
        call, theirs = of_strace(line)
        at = seen[call]
        seen[call] += 1
        if at >= len(records[call]):
            print(f"{call}: no record {at + 1}")
            bad += 1
            continue
        decoded = records[call][at].get("decoded", {})
        ours = set(NAME.findall(" ".join(strings(decoded))))
        alike += len(theirs & ours)
        calls += 1
        missing, more = differences(call, set(theirs), set(ours))
        if missing or more:
            bad += 1
            print(f"{number}: strace has {sorted(missing)}, the log has {sorted(more)}:\n  {line.strip()}\n  {json.dumps(decoded)}")
    print(f"{calls} calls, {alike} names alike, {bad} calls differ")
    return 1 if bad or calls < 100 else 0


sys.exit(main())
