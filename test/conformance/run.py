#!/usr/bin/env python3
"""The launch conformance suite: the same cases against any command prefix. See README.md in this folder."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import ALL  # noqa: E402
from harness import build  # noqa: E402
from harness import launcher as launchers  # noqa: E402
from harness import report  # noqa: E402
from harness.case import ALL_MODES, AUTO, Case  # noqa: E402
from harness.runner import Effort, Verdict, run_cases  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--launcher", default=launchers.DEFAULT, metavar="PREFIX", help="the command prefix; '' is a bare exec"
    )
    parser.add_argument("--label", help="what to call it in the report")
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="a variable that this launcher needs"
    )
    parser.add_argument("--only", action="append", metavar="GLOB", help="only cases whose names match; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the cases, run nothing")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts here too")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (default 2)")
    parser.add_argument("--repeat", type=int, default=1, help="run everything so often")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="keep N busy loops running beside it")
    parser.add_argument(
        "--patience", type=float, default=10.0, metavar="SECONDS", help="how long an event is awaited (default 10)"
    )
    parser.add_argument(
        "--moments", type=int, default=14, metavar="N", help="a signal at any moment of a start comes at N (default 14)"
    )
    parser.add_argument(
        "--impossible",
        choices=(*ALL_MODES, "none"),
        help="the mode whose impossible properties are expected to fail (default: what --mode and --no-addons in the prefix say)",
    )
    parser.add_argument(
        "--known-impossible",
        action="append",
        default=[],
        metavar="FILE",
        help="further ones: a line each, the case's name and then the reason; may be repeated",
    )
    options = parser.parse_args()
    reports = os.environ.get("TEST_REPORTS")
    if reports and not options.json:
        options.json = f"{reports}/conformance-{os.getpid()}.json"
    return options


def impossible_cases(mode: str, files: Sequence[Path]) -> dict[str, str]:
    """Names and reasons."""
    reasons = {case.name: case.reason_impossible(mode) for case in ALL}
    found = {name: reason for name, reason in reasons.items() if reason is not None}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                name, _, reason = line.strip().partition(" ")
                found[name] = reason.strip() or "listed as impossible"
    return found


@contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """Processes that take all the processor time they can get."""
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"], stdin=subprocess.DEVNULL) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def show_list(cases: list[Case]) -> None:
    for case in cases:
        marks = [f"requires {', '.join(case.requires)}"] if case.requires else []
        marks += [f"impossible in {mode} mode: {reason}" for mode, reason in case.impossible.items()]
        print(f"{case.name}: {case.doc}" + (f" [{'; '.join(marks)}]" if marks else ""))
    print(f"{len(cases)} cases")


def main() -> int:
    options = arguments()
    cases = [case for case in ALL if not options.only or any(fnmatch.fnmatch(case.name, glob) for glob in options.only)]
    if options.list:
        show_list(cases)
        return 0
    if not cases:
        print("no case matches", file=sys.stderr)
        return 2
    try:
        env = dict(entry.split("=", 1) for entry in options.env)
        launcher = launchers.parse(options.launcher, options.label, env)
    except ValueError as problem:
        print(f"run.py: {problem}", file=sys.stderr)
        return 2
    problem = build.missing_compiler()
    if problem is not None:
        print(f"run.py: {problem}", file=sys.stderr)
        return 2
    mode = options.impossible or launchers.declared_mode(launcher)
    lists = [*launchers.known_lists(launcher), *map(Path, options.known_impossible)]
    impossible = impossible_cases(mode, lists)

    def done(verdict: Verdict) -> None:
        text = report.line(verdict)
        if text is not None and not (mode.startswith(AUTO) and verdict.unexpected_pass):
            print(text, flush=True)

    effort = Effort(options.patience, options.moments)
    failed_rounds = 0
    with busy_loops(options.load):
        for round_number in range(1, options.repeat + 1):
            if options.repeat > 1:
                print(f"round {round_number} of {options.repeat}", flush=True)
            verdicts = run_cases(cases, launcher, jobs=options.jobs, effort=effort, impossible=impossible, done=done)
            print(report.summary(verdicts), flush=True)
            failed_rounds += any(each.outcome == "failed" for each in verdicts)
            if options.json:
                Path(options.json).write_text(
                    json.dumps(report.as_json(launcher, verdicts), indent=2) + "\n", encoding="utf-8"
                )
    if options.repeat > 1:
        print(f"{options.repeat - failed_rounds} of {options.repeat} rounds without a failure")
    return 1 if failed_rounds else 0


if __name__ == "__main__":
    sys.exit(main())
