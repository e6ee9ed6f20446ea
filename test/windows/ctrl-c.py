#!/usr/bin/env python3
"""Ctrl-C at Wine's console: `ctrl-c.py FILE COMMAND...` presses it once FILE is there, and ends as COMMAND does."""

import os
import pty
import select
import sys
import time

LIMIT_SECONDS = 60


def main(ready: str, command: list[str]) -> int:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    pressed = False
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        readable, _, _ = select.select([terminal], [], [], 0.05)
        try:
            if readable and not os.read(terminal, 4096):
                break
        except OSError:  # Linux tells in this way that nobody has the terminal open any more
            break
        if not pressed and os.path.exists(ready):
            pressed = True
            os.write(terminal, b"\x03")
    else:
        os.kill(pid, 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


sys.exit(main(sys.argv[1], sys.argv[2:]))
