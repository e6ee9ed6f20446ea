#!/usr/bin/env python3
"""Runs the suite against the launchers of a manifest. Writes their results to docs/measurements/conformance.json, and from
those docs/conformance.md. A launcher that is not available is recorded with the reason."""

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
import tempfile
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cases import ALL  # noqa: E402
from harness import launcher as launchers  # noqa: E402

ROOT = launchers.REPOSITORY
CACHE = ROOT / ".cache"
RESULTS = ROOT / "docs" / "measurements" / "conformance.json"
PAGE = ROOT / "docs" / "conformance.md"

Record = dict[str, Any]  # of one launcher, as the JSON file has it


@dataclass(frozen=True)
class Entry:
    """A launcher of the manifest, with every placeholder filled in."""

    label: str
    launcher: str
    env: dict[str, str] = field(default_factory=dict)
    version: str = ""
    ours: bool = False


class Unavailable(Exception):
    """The reason why a launcher is not available."""


def first_line(command: str) -> str:
    """Returns the first line that a program prints of its version."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


class Placeholders:
    """Fills in `{here}`, `{peers}`, `{node}` and `{nodeMAJOR}`; installs peers and Node.js on first use."""

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


def resolve(raw: dict[str, object], placeholders: Placeholders) -> Entry:
    """Raises Unavailable."""
    label, prefix = str(raw["label"]), placeholders.fill(str(raw["launcher"]))
    env = raw.get("env", {})
    assert isinstance(env, dict)
    try:
        launchers.parse(prefix)
    except ValueError as problem:
        raise Unavailable(str(problem)) from None
    if "package" in raw:
        package = Path(placeholders.find("peers")) / "node_modules" / str(raw["package"]) / "package.json"
        node = first_line(f"{shlex.split(prefix)[0]} --version")
        version = f"{json.loads(package.read_text(encoding='utf-8'))['version']} on Node {node.removeprefix('v')}"
    elif "version" in raw:
        version = first_line(placeholders.fill(str(raw["version"])))
    elif raw.get("ours"):
        version = "this repository on Node " + first_line(f"{shlex.split(prefix)[0]} --version").removeprefix("v")
    else:
        version = ""
    filled = {str(name): placeholders.fill(str(value)) for name, value in env.items()}
    return Entry(label, prefix, filled, version, bool(raw.get("ours", False)))


def measure(entry: Entry, options: argparse.Namespace) -> Record:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verdicts.json"
        command = [sys.executable, str(HERE / "run.py"), "--launcher", entry.launcher, "--label", entry.label]
        command += ["--json", str(file), "--jobs", str(options.jobs), "--patience", str(options.patience)]
        for name, value in entry.env.items():
            command += ["--env", f"{name}={value}"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        print(f"{entry.label}: {(done.stdout.strip().splitlines() or ['no verdict'])[-1]}", flush=True)
        verdicts = json.loads(file.read_text(encoding="utf-8"))["cases"]
    return record(entry, verdicts)


def record(entry: Entry, verdicts: list[dict[str, object]]) -> Record:
    """Sums the verdicts up; `concerns` has, by concern, the cases that passed, applied and are impossible."""
    concerns: dict[str, list[int]] = {}
    skipped: dict[str, list[str]] = {}
    for each in verdicts:
        name, outcome = str(each["name"]), each["outcome"]
        counts = concerns.setdefault(name.partition("/")[0], [0, 0, 0])
        if outcome == "skipped":
            skipped.setdefault(str(each["message"]), []).append(name)
            continue
        counts[0] += outcome == "passed"
        counts[1] += 1
        counts[2] += outcome == "impossible"
    return {
        "label": entry.label,
        "version": entry.version or "execvp by a C program of ten lines",
        "ours": entry.ours,
        "measured": f"{datetime.date.today().isoformat()}, Linux {platform.release().split('-')[0]} on "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "concerns": concerns,
        "failed": [each["name"] for each in verdicts if each["outcome"] == "failed"],
        "unexpectedlyPassed": [each["name"] for each in verdicts if each["unexpectedPass"]],
        "skipped": skipped,
    }


def totals(one: Record) -> tuple[int, int, int]:
    passed, applicable, impossible = (sum(counts) for counts in zip(*one["concerns"].values(), strict=True))
    return passed, applicable, impossible


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(3, *(len(row[column]) for row in [head, *rows])) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [line(head), line(["-" * width for width in widths]), *map(line, rows)]


def summary(records: list[Record]) -> list[str]:
    """A row for each launcher; one for several versions of Node.js with the same figures."""
    rows: dict[tuple[str, ...], list[Record]] = {}
    for one in records:
        passed, applicable, impossible = totals(one)
        share = f"{100 * passed // applicable} %"
        figures = (str(applicable), str(passed), share, str(impossible), str(len(one["failed"])))
        mode = re.sub(r"Node \d+$", "Node", one["label"])
        rows.setdefault((mode, *figures), []).append(one)
    cells = []
    for (mode, *figures), same in rows.items():
        majors = ", ".join(one["label"].removeprefix(mode).strip() for one in same)
        version = "this repository" if same[0]["ours"] else same[0]["version"]
        cells.append([f"{mode} {majors}".strip(), *figures, version])
    return table(["launcher", "cases", "passed", "share", "impossible", "failed", "version"], cells)


def by_concern(records: list[Record]) -> list[str]:
    concerns = list(dict.fromkeys(case.category for case in ALL))
    rows = []
    for concern in concerns:
        counts = [one["concerns"].get(concern, [0, 0, 0]) for one in records]
        rows.append([concern, *(f"{passed}/{applicable}" for passed, applicable, _ in counts)])
    return table(["concern", *(one["label"] for one in records)], rows)


def wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def item(text: str) -> str:
    return wrapped(f"- {text}", "  ")


def grouped(cases: Iterable[tuple[str, str]]) -> list[str]:
    """A list of reasons, each with the names of its cases; more than four of one concern are counted."""
    groups: dict[str, list[str]] = {}
    for name, reason in cases:
        groups.setdefault(reason, []).append(name)
    items = []
    for reason, names in groups.items():
        concerns = {name.partition("/")[0] for name in names}
        counted = len(names) > 4 and len(concerns) == 1
        shown = f"{len(names)} cases of `{names[0].partition('/')[0]}`" if counted else " ".join(f"`{n}`" for n in names)
        items.append(item(f"{reason[0].upper()}{reason[1:]}: {shown}"))
    return items


def impossible() -> Iterable[tuple[str, str]]:
    for case in ALL:
        by_reason: dict[str, list[str]] = {}
        for mode, reason in case.impossible.items():
            by_reason.setdefault(reason, []).append(mode)
        for reason, modes in by_reason.items():
            yield case.name, f"{reason} ({' and '.join(modes)})"


def known_impossible(name: str) -> Iterable[tuple[str, str]]:
    """The cases and reasons of a list in peers/: the differences by design in one way of starting sophia-run."""
    file = ROOT / "test/conformance/peers" / f"{name}.known-impossible"
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            case, _, reason = line.partition(" ")
            yield case, reason


def with_reasons_above(cases: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Replaces a reason that the page already has for the same case."""
    above = {(case.name, reason) for case in ALL for reason in case.impossible.values()}
    for name, reason in cases:
        yield name, "for the [reasons above](#what-is-impossible-and-why)" if (name, reason) in above else reason


def document(records: list[Record]) -> str:
    available = [one for one in records if "concerns" in one]
    others = [one for one in available if not one["ours"] and one["failed"]]
    measured = " and ".join(sorted({one["measured"] for one in available}))
    cases = max(totals(one)[1] + sum(map(len, one["skipped"].values())) for one in available)
    number = f"This page compares starts by launchers with a start without one: the same {cases} cases run with each."
    intro = [
        f"{number} To measure another launcher:",
        "`npm run conformance -- --list` describes the cases.",
        "_Cases_ are those that apply to a launcher: some are only for one that is PID 1. A case that a mode of sophia-run "
        "cannot pass is _impossible_ and does not count as passed. [conformance.json](measurements/conformance.json) names "
        f"all failed cases. Measured on {measured}.",
    ]
    paragraphs = [wrapped(text) for text in intro]
    missing = [item(f"{one['label']}: not measured ({one['unavailable']})") for one in records if "unavailable" in one]
    parts = [
        "# Launch conformance",
        "<!-- made by python3 test/conformance/table.py; do not edit -->",
        paragraphs[0],
        "```sh\nnpm run conformance -- --launcher 'tini --'\n```",
        *paragraphs[1:],
        "## Results",
        "\n".join(summary(available)),
        *(["\n".join(missing)] if missing else []),
        "## Other launchers by concern",
        "Cases passed / cases that apply:",
        "\n".join(by_concern(others)),
        "## What is impossible, and why",
        "By mode of sophia-run. Node.js does most of this before any JavaScript runs.",
        "\n".join(grouped(impossible())),
        "## With --redact",
        wrapped(
            "With a secret to mask, `sophia-run --redact` passes all cases that `--mode spawn` passes, except "
            "those of [both](#with---redact-or---broker) and these:"
        ),
        "\n".join(grouped(known_impossible("redact"))),
        "## With --broker",
        wrapped(
            "With a key to broker, `sophia-run --broker` passes all cases that `--mode spawn` passes, except "
            "those of [both](#with---redact-or---broker) and this:"
        ),
        "\n".join(grouped(known_impossible("broker"))),
        "## With --redact or --broker",
        "\n".join(grouped(with_reasons_above(known_impossible("node-as-parent")))),
        "<!-- end -->",
    ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, default=HERE / "peers" / "manifest.json")
    parser.add_argument("--only-launcher", action="append", metavar="GLOB", help="only launchers whose labels match")
    parser.add_argument("--render", action="store_true", help="run nothing; write the page from the JSON file")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--patience", type=float, default=5.0)
    options = parser.parse_args()

    former = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    records: dict[str, Record] = {one["label"]: one for one in former}
    placeholders = Placeholders()
    labels: list[str] = []
    for raw in json.loads(options.manifest.read_text(encoding="utf-8"))["launchers"]:
        label = str(raw["label"])
        labels.append(label)
        wanted = not options.only_launcher or any(fnmatch.fnmatch(label, glob) for glob in options.only_launcher)
        if options.render or not wanted:
            continue
        try:
            records[label] = measure(resolve(raw, placeholders), options)
        except Unavailable as reason:
            print(f"{label}: not measured ({reason})", flush=True)
            records[label] = {"label": label, "unavailable": str(reason)}
    shown = [records[label] for label in labels if label in records]
    RESULTS.write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(document(shown), encoding="utf-8")
    print(f"{PAGE}: {len(shown)} launchers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
