"""The launcher under test: a command prefix."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from itertools import pairwise
from dataclasses import dataclass, field
from pathlib import Path

from .case import AUTO, WITHOUT_ADDON

REPOSITORY = Path(__file__).resolve().parents[3]
DEFAULT = "bin/sophia-run --no-contract --"


@dataclass(frozen=True)
class Launcher:
    label: str
    words: tuple[str, ...]  # absolute, so that a case may change PATH and the working directory; empty: bare exec
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_bare(self) -> bool:
        return not self.words


def _locate(word: str) -> str:
    if "/" in word:
        for base in (Path.cwd(), REPOSITORY):
            if (base / word).exists():
                return str((base / word).absolute())
    return word


def _interpreter(path: str) -> list[str]:
    """`#!/usr/bin/env node` and `#!/usr/bin/env -S node --` depend on PATH, which cases change: looked up here instead."""
    try:
        with open(path, "rb") as file:
            first = file.readline(256)
    except OSError:
        return []
    words = first.decode(errors="replace")[2:].split() if first.startswith(b"#!") else []
    if words[:1] != ["/usr/bin/env"]:
        return []
    command = words[2:] if words[1:2] == ["-S"] else words[1:]
    found = shutil.which(command[0]) if command else None
    return [found, *command[1:]] if found else []


def parse(text: str, label: str | None = None, env: Mapping[str, str] | None = None) -> Launcher:
    """Raises ValueError when the first word names no program."""
    words = [_locate(word) for word in shlex.split(text)]
    if words:
        first = words[0] if "/" in words[0] else shutil.which(words[0])
        if first is None or not os.access(first, os.X_OK):
            raise ValueError(f"there is no program {words[0]}")
        words = [*_interpreter(first), first, *words[1:]]
    return Launcher(label or text or "bare exec", tuple(words), env or {})


def declared_mode(launcher: Launcher) -> str:
    """The mode that decides which properties are impossible: as `--mode` and `--no-addons` say; `none` for anything but
    sophia-run."""
    words = list(launcher.words)
    if not any(Path(word).name in ("sophia-run", "sophia-run.cjs") for word in words):
        return "none"
    # Masking and the broker need a parent process.
    mode = "spawn" if {"--redact", "--broker"} & set(words) else AUTO
    for word, following in pairwise([*words, ""]):
        if word == "--mode":
            mode = following
        if word.startswith("--mode="):
            mode = word.removeprefix("--mode=")
    if "--no-addons" not in words:
        return mode
    # Without the addon it spawns unless --mode exec is given.
    return f"{'spawn' if mode == AUTO else mode}{WITHOUT_ADDON}"


def known_lists(launcher: Launcher) -> list[Path]:
    """The lists of what sophia-run cannot do with `--redact` or `--broker`, and of what its stand-alone executable cannot, by its name and
    `--mode`; none for anything else."""
    redacts = "--redact" in launcher.words
    brokers = "--broker" in launcher.words
    lists = [
        *(["redact"] if redacts else []),
        *(["broker"] if brokers else []),
        *(["node-as-parent"] if redacts or brokers else []),
    ]
    name = Path(launcher.words[0]).name if launcher.words else ""
    if name.startswith("sophia-run-"):
        spawns = redacts or brokers or "--mode spawn" in " ".join(launcher.words)
        lists += ["standalone-spawn"] if spawns else []
    return [REPOSITORY / "test/conformance/peers" / f"{each}.known-impossible" for each in lists]
