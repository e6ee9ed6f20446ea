"""Compiles the recorders, once for each state of their source."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

# The compiler for programs of another processor, if set.
COMPILER = shlex.split(os.environ.get("CC") or "gcc")
SOURCES = Path(__file__).resolve().parent.parent / "recorders"


def cache_folder() -> Path:
    """Outside the repository, private to the user."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path(tempfile.gettempdir()) / f"conformance-cache-{os.getuid()}")
    folder = base / "sophia-run-conformance"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def missing_compiler() -> str | None:
    """Why no recorder can be compiled here; None if one can."""
    if shutil.which(COMPILER[0]) is not None:
        return None
    return f"the suite compiles programs that record what they were given, and there is no {COMPILER[0]}; install it, or name a C compiler in CC"


def recorder(name: str, *flags: str) -> Path:
    """The executable compiled from recorders/NAME.c; atomic, so that several runs may build at once."""
    source = SOURCES / f"{name}.c"
    command = [*COMPILER, "-O1", "-Wall", "-Wextra", "-Werror", *flags]
    digest = hashlib.sha256(source.read_bytes() + "\0".join(command).encode()).hexdigest()[:16]
    target = cache_folder() / f"{name}-{digest}"
    if not target.exists():
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        os.close(handle)
        subprocess.run([*command, "-o", temporary, str(source)], check=True)
        os.chmod(temporary, 0o755)
        os.replace(temporary, target)
    return target
