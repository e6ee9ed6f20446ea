"""Runs a program on a pseudo-terminal. Reads steps as lines of JSON, and answers each with what is shown or how the program ended.

A step is {"type": text}, {"until": text}, {"resize": [rows, columns]}, {"settings": true} or {"end": true}.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

LIMIT = 20.0


def size(master, rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def main():
    pid, master = pty.fork()
    if pid == 0:
        sys.stdin.readline()
        os.execvp(sys.argv[1], sys.argv[1:])
    size(master, 24, 80)
    os.write(master, b"\n")
    shown = b""
    for line in sys.stdin:
        step = json.loads(line)
        deadline = time.monotonic() + LIMIT
        answer = {}
        if "type" in step:
            os.write(master, step["type"].encode())
        if "resize" in step:
            size(master, *step["resize"])
        if "settings" in step:
            answer["echoes"] = bool(termios.tcgetattr(master)[3] & termios.ECHO)
            answer["raw"] = not termios.tcgetattr(master)[3] & termios.ICANON
        wanted = step.get("until", "").encode()
        while wanted not in shown or "end" in step:
            if not select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
                answer["late"] = True
                break
            try:
                chunk = os.read(master, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                break
            shown += chunk
        if "end" in step:
            status = os.waitpid(pid, 0)[1]
            answer["end"] = os.waitstatus_to_exitcode(status)
        cut = shown.index(wanted) + len(wanted) if wanted in shown and "end" not in step else len(shown)
        answer["shown"] = shown[:cut].decode("utf-8", "replace")
        if "type" not in step and "resize" not in step and "settings" not in step:
            shown = shown[cut:]
        print(json.dumps(answer), flush=True)


main()
