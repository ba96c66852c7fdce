#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""terminal.py [OPTION...] -- COMMAND...: a person at a terminal.

Runs COMMAND as the leader of a session on a new pseudo-terminal, shows what it prints there on standard
output, and ends with its exit status (128+n). The last line on standard error tells whether the terminal's
modes are what they were. Each --...-on acts once, when TEXT (a word of the output) has come.
  --size ROWSxCOLS            of the terminal at first
  --send-on TEXT BYTES        type BYTES (with \\x03 and the like)
  --resize-on TEXT ROWSxCOLS  drag the window's corner
  --kill-on TEXT SIGNAL       send a signal to COMMAND itself
  --hangup-on TEXT            close the window
  --stdin FILE, --stdout FILE these instead of the terminal
"""
import fcntl, os, pty, select, signal, struct, sys, termios, time


def set_size(fd, text):
    rows, cols = map(int, text.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def parse(args):
    files, actions, size = {}, [], "24x80"
    while args and args[0] != "--":
        word = args.pop(0)
        if word == "--size":
            size = args.pop(0)
        elif word in ("--stdin", "--stdout"):
            flags = os.O_RDONLY if word == "--stdin" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            files[0 if word == "--stdin" else 1] = os.open(args.pop(0), flags, 0o600)
        elif word == "--hangup-on":
            actions.append((word, args.pop(0).encode(), None))
        elif word in ("--send-on", "--resize-on", "--kill-on"):
            actions.append((word, args.pop(0).encode(), args.pop(0)))
        else:
            sys.exit("terminal.py: unknown option " + word)
    return files, actions, size, args[1:]


def start(command, slave, files):
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(files.get(fd, slave), fd)
    os.closerange(3, 256)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(command[0], command)


def act(action, value, master, pid):
    if action == "--send-on":
        os.write(master, value.encode().decode("unicode_escape").encode("latin-1"))
    elif action == "--resize-on":
        set_size(master, value)
    elif action == "--kill-on":
        os.kill(pid, getattr(signal, "SIG" + value))


def main():
    files, actions, size, command = parse(sys.argv[1:])
    master, slave = pty.openpty()
    set_size(master, size)
    # Not the kernel's defaults, so that "restored" differs from "reset".
    modes = termios.tcgetattr(slave)
    modes[0] &= ~termios.IXON
    modes[6][termios.VERASE] = b"\x08"
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    before = termios.tcgetattr(slave)
    pid = start(command, slave, files)
    seen, status, end, open_ = b"", None, time.monotonic() + 30, True
    while time.monotonic() < end:
        if open_ and select.select([master], [], [], 0.02 if status is None else 0)[0]:
            chunk = os.read(master, 65536)
            sys.stdout.buffer.write(chunk)
            seen = (seen + chunk)[-100000:]
        elif status is not None:
            break
        for a in [a for a in actions if a[1] in seen]:
            actions.remove(a)
            if a[0] == "--hangup-on":
                os.close(slave)
                os.close(master)
                open_ = False
            else:
                act(a[0], a[2], master, pid)
        if status is None:
            done, raw = os.waitpid(pid, os.WNOHANG)
            status = raw if done else None
            if not open_:
                time.sleep(0.02)
    sys.stdout.flush()
    if status is None:
        os.kill(pid, signal.SIGKILL)
        sys.exit("terminal.py: stopped after 30 s")
    if open_:
        same = termios.tcgetattr(slave) == before
        print("modes:", "as before" if same else "CHANGED", file=sys.stderr)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


main()
