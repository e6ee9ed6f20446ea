#!/usr/bin/env python3
"""Runs the suite against every launcher of a manifest and writes docs/conformance.md. A launcher that cannot be had here is left
out with a line. The verdicts of each are kept in .cache/conformance, so that `--render` can write the document again without running anything."""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cases import ALL  # noqa: E402
from harness import launcher as launchers  # noqa: E402

ROOT = launchers.REPOSITORY
CACHE = ROOT / ".cache"


@dataclass(frozen=True)
class Entry:
    """A launcher of the manifest, with every placeholder filled in."""

    label: str
    launcher: str
    env: dict[str, str] = field(default_factory=dict)
    version: str = ""
    ours: bool = False

    @property
    def file(self) -> Path:
        return CACHE / "conformance" / (re.sub(r"[^a-z0-9]+", "-", self.label.lower()).strip("-") + ".json")


class Unavailable(Exception):
    """Why a launcher is not available here."""


def first_line(command: str) -> str:
    """What a program says of its version."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


class Places:
    """Fills in `{here}`, `{peers}`, `{node}` and `{nodeMAJOR}`, installing what they stand for when it is first needed."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {"here": str(HERE / "peers")}

    def fill(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: self.find(match[1]), text)

    def find(self, name: str) -> str:
        if name not in self.known:
            self.known[name] = self.peers() if name == "peers" else self.node(name.removeprefix("node"))
        return self.known[name]

    def node(self, major: str) -> str:
        system = shutil.which("node")
        if system is not None and major in ("", first_line(f"{system} -p process.versions.node.split('.')[0]")):
            return system
        if major == "":
            raise Unavailable("node is not installed")
        done = subprocess.run([str(HERE / "fetch-node.sh"), major], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"Node {major} cannot be installed")
        return done.stdout.strip()

    def peers(self) -> str:
        folder = CACHE / "peers"
        manifest = HERE / "peers" / "package.json"
        copy = folder / "package.json"
        if not copy.exists() or copy.read_bytes() != manifest.read_bytes():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
            shutil.copy(manifest, copy)
            if subprocess.run(["npm", "install", *options], cwd=folder, check=False).returncode != 0:
                copy.unlink()
                raise Unavailable("the packages of peers/package.json cannot be installed")
        return str(folder)


def resolve(raw: dict[str, object], places: Places) -> Entry:
    """Raises Unavailable."""
    label, prefix = str(raw["label"]), places.fill(str(raw["launcher"]))
    env = raw.get("env", {})
    assert isinstance(env, dict)
    try:
        launchers.parse(prefix)
    except ValueError as problem:
        raise Unavailable(str(problem)) from None
    if "package" in raw:
        package = Path(places.find("peers")) / "node_modules" / str(raw["package"]) / "package.json"
        node = first_line(f"{shlex.split(prefix)[0]} --version")
        version = f"{json.loads(package.read_text(encoding='utf-8'))['version']} on Node {node.removeprefix('v')}"
    elif "version" in raw:
        version = first_line(places.fill(str(raw["version"])))
    elif raw.get("ours"):
        version = "this repository on Node " + first_line(f"{shlex.split(prefix)[0]} --version").removeprefix("v")
    else:
        version = ""
    filled = {str(name): places.fill(str(value)) for name, value in env.items()}
    return Entry(label, prefix, filled, version, bool(raw.get("ours", False)))


def measure(entry: Entry, options: argparse.Namespace) -> None:
    entry.file.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        str(HERE / "run.py"),
        "--launcher",
        entry.launcher,
        "--label",
        entry.label,
        "--json",
        str(entry.file),
    ]
    command += ["--jobs", str(options.jobs), "--patience", str(options.patience)]
    for name, value in entry.env.items():
        command += ["--env", f"{name}={value}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(f"{entry.label}: {done.stdout.strip().splitlines()[-1] if done.stdout.strip() else 'no verdict'}", flush=True)


Verdicts = dict[str, dict[str, object]]  # by the case's name


def load(entry: Entry) -> Verdicts:
    cases = json.loads(entry.file.read_text(encoding="utf-8"))["cases"]
    return {each["name"]: each for each in cases}


def cell(verdicts: Verdicts, category: str) -> str:
    """Passed of those that apply, as `7/9`; impossible ones do not pass and are counted in a note."""
    found = [each["outcome"] for name, each in verdicts.items() if category in ("", name.split("/", 1)[0])]
    applicable = [outcome for outcome in found if outcome != "skipped"]
    impossible = found.count("impossible")
    text = f"{found.count('passed')}/{len(applicable)}"
    if category == "" and applicable:
        text += f" ({100 * found.count('passed') // len(applicable)} %)"
    return text + (f" ({impossible} impossible)" if impossible else "")


def table(entries: list[Entry], results: dict[str, Verdicts]) -> list[str]:
    categories = list(dict.fromkeys(case.category for case in ALL))
    lines = ["| concern | " + " | ".join(entry.label for entry in entries) + " |", "|---|" + "---|" * len(entries)]
    for category in categories:
        lines.append(f"| {category} | " + " | ".join(cell(results[entry.label], category) for entry in entries) + " |")
    total = " | ".join(f"**{cell(results[entry.label], '')}**" for entry in entries)
    return [*lines, f"| **all** | {total} |"]


def failing(entry: Entry, verdicts: Verdicts) -> list[str]:
    names = [name for name, each in verdicts.items() if each["outcome"] == "failed"]
    passes = [name for name, each in verdicts.items() if each["unexpectedPass"]]
    if not names and not passes:
        return [f"**{entry.label}**: none.", ""]
    lines = ["<details>", f"<summary>{entry.label}: {len(names)}</summary>", ""]
    lines += [f"- `{name}`" for name in names]
    lines += [f"- `{name}` passes, though it is called impossible in this mode" for name in passes]
    return [*lines, "", "</details>", ""]


def impossible() -> list[str]:
    lines = []
    for case in ALL:
        by_reason: dict[str, list[str]] = {}
        for mode, reason in case.impossible.items():
            by_reason.setdefault(reason, []).append(mode)
        lines += [f"- `{case.name}` ({' and '.join(modes)}): {reason}." for reason, modes in by_reason.items()]
    return lines


def redacted() -> list[str]:
    """What is different by design where secrets are masked in the program's output."""
    lines = (ROOT / "test/conformance/peers/redact.known-impossible").read_text(encoding="utf-8").splitlines()
    cases = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [f"- `{name}`: {reason}." for name, _, reason in cases]


def skipped(entries: list[Entry], results: dict[str, Verdicts]) -> list[str]:
    where: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        for name, each in results[entry.label].items():
            if each["outcome"] == "skipped":
                where.setdefault((name, str(each["message"])), []).append(entry.label)
    return [f"- `{name}`: {reason} ({', '.join(labels)})." for (name, reason), labels in sorted(where.items())]


def document(entries: list[Entry], unavailable: dict[str, str]) -> str:
    results = {entry.label: load(entry) for entry in entries}
    references = [entry for entry in entries if entry.label in ("bare exec", "env")]
    ours = [entry for entry in entries if entry.ours]
    others = [entry for entry in entries if not entry.ours and entry not in references]
    cpu = f"{os.cpu_count()} cores"
    parts = [
        "# Launch conformance",
        "",
        "<!-- Written by test/conformance/table.py. -->",
        "",
        f"{len(ALL)} cases, the same for every launcher, each in a session of its own; `npm run conformance -- --list` describes them. A cell is cases passed"
        " / cases that apply; what a mode cannot do is counted as not passed and listed below with the reason.",
        "",
        f"Measured on {datetime.date.today().isoformat()}, Linux {platform.release().split('-')[0]} on {platform.machine()}, {cpu}, Python {platform.python_version()}.",
        "",
    ]
    if ours:
        parts += ["## sophia-run", "", *table([*references, *ours], results), ""]
    if others:
        parts += ["## Others", "", *table([*references, *others], results), ""]
    parts += ["## Failing cases", ""]
    for entry in entries:
        parts += failing(entry, results[entry.label])
    parts += ["## What is impossible, and why", "", *impossible(), ""]
    parts += [
        "## With --redact",
        "",
        "With a secret to mask, `sophia-run --redact` passes all that `--mode spawn` passes, but for these:",
        "",
        *redacted(),
        "",
    ]
    left_out = skipped(entries, results)
    if left_out:
        parts += [
            "## Cases that do not apply",
            "",
            "<details>",
            "<summary>by name</summary>",
            "",
            *left_out,
            "",
            "</details>",
            "",
        ]
    parts += ["## Versions", ""]
    parts += [f"- {entry.label}: {entry.version or 'execvp by a C program of ten lines'}" for entry in entries]
    parts += [f"- {label}: left out; {reason}" for label, reason in unavailable.items()]
    return "\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, default=HERE / "peers" / "manifest.json")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "conformance.md")
    parser.add_argument("--only-launcher", action="append", metavar="GLOB", help="only launchers whose labels match")
    parser.add_argument(
        "--render", action="store_true", help="run nothing; write the document from the verdicts that are there"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--patience", type=float, default=5.0)
    options = parser.parse_args()

    places = Places()
    entries: list[Entry] = []
    unavailable: dict[str, str] = {}
    for raw in json.loads(options.manifest.read_text(encoding="utf-8"))["launchers"]:
        label = str(raw["label"])
        wanted = not options.only_launcher or any(fnmatch.fnmatch(label, glob) for glob in options.only_launcher)
        try:
            entry = resolve(raw, places)
        except Unavailable as reason:
            print(f"{label}: left out; {reason}", flush=True)
            unavailable[label] = str(reason)
            continue
        if wanted and not options.render:
            measure(entry, options)
        if entry.file.exists():
            entries.append(entry)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(document(entries, unavailable), encoding="utf-8")
    print(f"{options.output}: {len(entries)} launchers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
