"""Runs a command on a pseudo-terminal and tells what a person would have seen, as JSON.

    terminal.py [--columns 120] [--interrupt-after SECONDS] [--limit SECONDS] -- COMMAND…

`code` is the exit code, `frames` every state of a line that was rewritten, `screen` the lines that stay at the end.
A carriage return, a line feed and "erase to the end of the line" are all that the program may send beside text and colours;
anything else is an error.
"""
import argparse
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


class Screen:
    def __init__(self):
        self.lines, self.column, self.frames = [""], 0, []

    def feed(self, text):
        for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.", text, re.S):
            line = self.lines[-1]
            if token == "\r":
                self.column = 0
            elif token == "\n":
                self.lines.append("")
                self.column = 0
            elif token == "\x1b[K":
                self.lines[-1] = line[:self.column]
                self.frames.append(self.lines[-1])
            elif token.startswith("\x1b["):
                if not token.endswith("m"):
                    sys.exit(f"an unexpected control sequence: {token!r}")
            elif ord(token) < 32:
                sys.exit(f"an unexpected control character: {token!r}")
            else:
                self.lines[-1] = line[:self.column] + token + line[self.column + 1:]
                self.column += 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--columns", type=int, default=120)
    arguments.add_argument("--interrupt-after", type=float)
    arguments.add_argument("--limit", type=float, default=60)
    arguments.add_argument("command", nargs="+")
    options = arguments.parse_args()
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
        os.execv(options.command[0], options.command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, options.columns, 0, 0))
    start, output, interrupted = time.monotonic(), b"", False
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.02)
        if ready:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            output += part
        passed = time.monotonic() - start
        if options.interrupt_after is not None and passed > options.interrupt_after and not interrupted:
            interrupted = True
            os.write(terminal, b"\x03")
        if passed > options.limit:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    screen = Screen()
    # A terminal echoes the interrupt as ^C.
    screen.feed(output.decode().replace("^C", ""))
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "frames": screen.frames, "screen": screen.lines}))


if __name__ == "__main__":
    main()
