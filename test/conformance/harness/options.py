"""How a case wants its process to be started; what it does not say is as in `World.setup`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from .terminal import Terminal

Word = bytes | str


def as_bytes(word: Word) -> bytes:
    return word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word


class Options(TypedDict, total=False):
    #: Variables beside those that every case has.
    env: Mapping[str, Word] | Mapping[bytes, Word] | Mapping[Word, Word]
    #: Variables to leave out.
    unset: Sequence[Word]
    cwd: Path
    #: The harness's own descriptors, or CLOSED; by default /dev/null and two files.
    stdin: int
    stdout: int
    stderr: int
    #: Further descriptors: the number that the process has them at, and the harness's own.
    descriptors: Mapping[int, int]
    #: The controlling terminal of the new session, and all standard streams.
    terminal: Terminal
    #: Signals that the caller ignores, and those that it blocks.
    ignored: Sequence[int]
    blocked: Sequence[int]
    #: Runs in the child before the exec.
    before: Callable[[], None]
    #: A variable for the process's own pid.
    pid_variable: bytes
