"""Facts about processes from /proc."""

from __future__ import annotations

import os
from typing import NamedTuple


class Stat(NamedTuple):
    pid: int
    state: str
    ppid: int
    pgrp: int
    sid: int
    tty: int
    foreground: int


def stat(pid: int) -> Stat | None:
    """None when there is no such process."""
    # Not open(), which takes three times as long: most cases read all processes several times.
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    # ESRCH if the process ends in between.
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        text = os.read(descriptor, 4096)
    except ProcessLookupError:
        return None
    finally:
        os.close(descriptor)
    state, *numbers = text[text.rindex(b")") + 2 :].split(None, 6)[:6]
    return Stat(pid, state.decode(), *map(int, numbers))


def all_processes() -> list[Stat]:
    found = (stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [each for each in found if each is not None]


def descendants(root: int) -> list[Stat]:
    """Every process below `root`, zombies included, wherever they moved to (session, group, namespace)."""
    children: dict[int, list[Stat]] = {}
    for each in all_processes():
        children.setdefault(each.ppid, []).append(each)
    found: list[Stat] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += [each.pid for each in below]
    return found


def status_field(pid: int, name: str) -> str | None:
    """A field of /proc/PID/status, such as `SigCgt`."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(f"{name}:"):
                    return line.split(":", 1)[1].strip()
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def is_stopped(pid: int) -> bool:
    found = stat(pid)
    return found is not None and found.state == "T"


def activity(pid: int) -> tuple[bool, tuple[str, ...]] | None:
    """Whether the process sits still (each thread sleeps or is stopped, no signal pending) and a mark that changes when any
    of its threads has run since. None when it is gone."""
    marks: list[str] = []
    still = True
    try:
        for thread in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8", errors="replace") as file:
                fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            still = still and fields["State"][0] in "STtZ"
            stopped = fields["State"][0] in "Tt"
            for pending in ("SigPnd", "ShdPnd"):
                still = still and (stopped or int(fields[pending], 16) == 0)
            marks.append(f"{thread} {fields['voluntary_ctxt_switches']} {fields['nonvoluntary_ctxt_switches']}")
    except (FileNotFoundError, ProcessLookupError, KeyError):
        return None
    return still, tuple(marks)
