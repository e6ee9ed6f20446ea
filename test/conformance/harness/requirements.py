"""What a case can require of the machine, each with the way to find out. An answer is None, or why it is not there."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

#: Enters a new PID namespace; without root it takes a user namespace along.
UNSHARE: tuple[str, ...] = ("unshare", "--pid", "--fork", "--kill-child") + (
    () if os.getuid() == 0 else ("--user", "--map-root-user")
)


def _works(words: Sequence[str]) -> bool:
    try:
        return (
            subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _unshare() -> str | None:
    return None if _works([*UNSHARE, "--mount-proc", "true"]) else "PID namespaces cannot be made here"


def _core_files() -> str | None:
    try:
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
            pattern = file.read().strip()
    except OSError as problem:
        return str(problem)
    return None if not pattern.startswith(("|", "/")) else f"cores do not go to the working directory ({pattern})"


def _make_descriptors() -> str | None:
    if shutil.which("make") is None:
        return "make is not installed"
    return None


def _linux() -> str | None:
    return None if sys.platform == "linux" else "Linux only"


_SPECIAL: dict[str, Callable[[], str | None]] = {
    "unshare": _unshare,
    "core-files": _core_files,
    "make": _make_descriptors,
    "linux": _linux,
}


@functools.cache
def missing(requirement: str) -> str | None:
    """Why the requirement is not met; None when it is. What is not special is a program on PATH."""
    if requirement in _SPECIAL:
        return _SPECIAL[requirement]()
    return None if shutil.which(requirement) else f"{requirement} is not installed"
