#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the terminal sessions that a Markdown file shows, and compare what they print.

usage: transcript.py FILE.md        (TAP on standard output)

A block fenced with ```console is a session: "$ " begins a command, "> " continues it, what follows
is its output (both streams, as a terminal shows them) and, when it fails, a last line "[status]".
In expected output "..." stands for any text within the line, and a line of "..." alone for any
lines. A block fenced with ```text and a first line "FILE: NAME" is a file that the reader writes.
All blocks run in order in one shell, in the directory where this program was started.
"""
import re
import subprocess
import sys
import threading

TIMEOUT = 60


def blocks(text):
    """(line number, kind, lines) of each fenced block."""
    kind, start, lines = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if kind is None:
            match = re.match(r"```(\w+)$", line)
            if match:
                kind, start, lines = match.group(1), number, []
        elif line == "```":
            yield start, kind, lines
            kind = None
        else:
            lines.append(line)
    if kind is not None:
        raise SystemExit(f"transcript: the block of line {start} has no end")


def commands(start, lines):
    """(line number, command, expected output lines, status) of a session."""
    current = None
    for number, line in enumerate(lines, start + 1):
        if line.startswith("$ "):
            if current:
                yield current
            current = [number, line[2:], [], 0]
        elif current is None:
            raise SystemExit(f"transcript: line {number}: output before any command")
        elif line.startswith("> ") or line == ">":
            if current[2]:
                raise SystemExit(f"transcript: line {number}: '> ' behind output")
            current[1] += "\n" + line[2:]
        elif re.fullmatch(r"\[\d+\]", line):
            current[3] = int(line[1:-1])
        else:
            current[2].append(line)
    if current:
        yield current


def matches(expected, got):
    """Whether the lines got are those expected."""
    if not expected:
        return not got
    if expected[0] == "...":
        return any(matches(expected[1:], got[i:]) for i in range(len(got) + 1))
    if not got:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].split("..."))
    return bool(re.fullmatch(pattern, got[0])) and matches(expected[1:], got[1:])


class Shell:
    """One bash that reads commands from a pipe and tells where each one's output ends."""

    MARK = "transcript-mark"

    def __init__(self):
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="backslashreplace", bufsize=1)

    def run(self, command):
        """(status, output lines); None when it neither ends nor says more."""
        timer = threading.Timer(TIMEOUT, self.process.kill)
        timer.start()
        # Standard input belongs to this program: commands get none of it.
        self.process.stdin.write(
            f"{{ {command}\n}} </dev/null\nprintf '\\n%s %d\\n' {self.MARK} $?\n")
        self.process.stdin.flush()
        lines, status = [], None
        for line in self.process.stdout:
            if line.startswith(self.MARK + " "):
                status = int(line.split()[1])
                break
            lines.append(line.rstrip("\n").rstrip())
        timer.cancel()
        if lines and lines[-1] == "":  # the mark's own newline
            lines.pop()
        return status, lines

    def close(self):
        self.process.stdin.close()
        self.process.wait(TIMEOUT)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as stream:
        text = stream.read()
    shell, count, failed = Shell(), 0, 0
    for start, kind, lines in blocks(text):
        if kind == "text" and lines and lines[0].startswith("FILE: "):
            with open(lines[0][len("FILE: "):], "w", encoding="utf-8") as stream:
                stream.write("\n".join(lines[1:]) + "\n")
            continue
        if kind != "console":
            continue
        for number, command, expected, want in commands(start, lines):
            status, got = shell.run(command)
            count += 1
            good = status == want and matches(expected, got)
            failed += not good
            title = command.splitlines()[0].replace("#", "")
            print(f"{'ok' if good else 'not ok'} {count} - line {number}: {title}")
            if good:
                continue
            print(f"# status {status}, expected {want}; printed:")
            for line in got:
                print(f"#   | {line}")
            if status is None:
                print(f"1..{count}")
                raise SystemExit(1)
    shell.close()
    print(f"1..{count}")
    raise SystemExit(1 if failed or not count else 0)


if __name__ == "__main__":
    main()
