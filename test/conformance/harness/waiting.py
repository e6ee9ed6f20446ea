"""Waiting for an event with a deadline."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence

from .case import Mismatch


class Deadline:
    """A point in time, in seconds from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self.at - time.monotonic())

    def passed(self) -> bool:
        return self.left() == 0.0


def readable(descriptors: Sequence[int], deadline: Deadline) -> list[int]:
    """Those of the descriptors that can be read (or are at an end), as soon as there is one; none after the deadline."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN | select.POLLHUP)
    return [fd for fd, _ in poller.poll(int(deadline.left() * 1000) + 1)]


def until(what: str, holds: Callable[[], bool], deadline: Deadline, step: float = 0.002) -> None:
    """For a state of the kernel that announces itself by no event (a process state, the foreground group): looks until
    it holds. Fails after the deadline."""
    while not holds():
        if deadline.passed():
            raise Mismatch(f"waited {deadline.seconds:g} s without result until {what}")
        time.sleep(step)


def pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None when there is no such process."""
    try:
        return os.pidfd_open(pid)
    except (ProcessLookupError, OSError):
        return None
