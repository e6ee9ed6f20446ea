"""The processes of a case, which are all below its worker, wherever they moved to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Container, Sequence

from . import procfs
from .process import kill_all
from .waiting import Deadline


def living(except_for: Container[int] = ()) -> list[int]:
    """Every process below this one that is no zombie."""
    return [
        each.pid for each in procfs.descendants(os.getpid()) if each.state not in "ZX" and each.pid not in except_for
    ]


def command_lines(pids: Sequence[int]) -> list[str]:
    found: list[str] = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append(file.read().replace(b"\0", b" ").decode(errors="replace").strip())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def wait_until_still(except_for: Container[int], deadline: Deadline) -> None:
    """Waits until no process below this one has anything left to do: each of its threads sleeps, no signal is pending, and
    none has run between two looks. Gives up quietly at the deadline, since some launchers never sit still."""
    before: object = None
    while not deadline.passed():
        seen = [procfs.activity(pid) for pid in living(except_for)]
        if all(each is None or each[0] for each in seen) and seen == before:
            return
        before = seen
        time.sleep(0.002)


def end_all() -> None:
    """Kills and reaps every process below this one, which is a child subreaper."""
    while True:
        # Without a child there is none below it either. Most cases have ended theirs, and need no look at all of /proc, which
        # takes half of the suite's own processor time.
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        kill_all([each.pid for each in procfs.descendants(os.getpid()) if each.state != "Z"])
        signal.sigtimedwait([signal.SIGCHLD], 0.05)
