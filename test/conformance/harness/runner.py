"""Runs each case in a worker process of its own: a fresh session, a child subreaper, with an end in time."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from . import procfs
from .case import Case, Mismatch, Skip, TimeLimit, shorten
from .launcher import Launcher
from .process import kill_all
from .requirements import missing
from .world import World

PR_SET_CHILD_SUBREAPER = 36
# The seconds for which a case awaits an event that is expected not to come.
IMPOSSIBLE_PATIENCE = 1.0


@dataclass(frozen=True)
class Effort:
    patience: float  # the seconds for which an event is awaited
    moments: int  # a signal at any moment is sent at so many


@dataclass(frozen=True)
class Verdict:
    case: Case
    outcome: str  # passed, failed, skipped, or impossible: a failure that is expected of this mode
    message: str  # why, for all but passed
    seconds: float
    unexpected_pass: bool = False  # called impossible, and yet it holds


def _attempt(case: Case, launcher: Launcher, effort: Effort) -> tuple[str, str]:
    for requirement in case.requires:
        reason = missing(requirement)
        if reason is not None:
            return "skipped", reason
    world = World(launcher, effort.patience, effort.moments)
    try:
        case.run(world)
        return "passed", ""
    except Mismatch as mismatch:
        errors = shorten(world.output("stderr").decode(errors="replace").strip(), 600)
        known = not errors or "stderr" in str(mismatch)
        return "failed", str(mismatch) if known else f"{mismatch}; stderr: {errors}"
    except Skip as skip:
        return "skipped", str(skip)
    except TimeLimit:
        return "failed", f"the case took longer than {case.limit:g} s"
    except Exception:  # a fault of the suite itself must show as such
        return "failed", "error in the suite: " + traceback.format_exc().strip().replace("\n", " | ")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        world.close()


def _work(case: Case, launcher: Launcher, effort: Effort, answer: int) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])

    def too_long(*_: object) -> None:
        raise TimeLimit

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, case.limit)
    outcome, message = _attempt(case, launcher, effort)
    os.write(answer, json.dumps([outcome, message[:4000]]).encode())


@dataclass
class _Worker:
    case: Case
    pid: int
    answer: int
    started: float

    def end(self) -> tuple[str, str]:
        text = os.read(self.answer, 65536)
        os.close(self.answer)
        os.waitpid(self.pid, 0)
        if not text:
            return "failed", "error in the suite: the worker ended without a verdict"
        outcome, message = json.loads(text)
        return outcome, message

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        kill_all([each.pid for each in procfs.descendants(self.pid)])
        os.kill(self.pid, signal.SIGKILL)


def _begin(case: Case, launcher: Launcher, effort: Effort) -> _Worker:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            _work(case, launcher, effort, writing)
        finally:
            os._exit(0)
    os.close(writing)
    return _Worker(case, pid, reading, time.monotonic())


def judge(case: Case, outcome: str, message: str, seconds: float, impossible: Mapping[str, str]) -> Verdict:
    """`impossible`: names of the cases that this launcher cannot pass, with the reason."""
    reason = impossible.get(case.name)
    if reason is not None and outcome == "failed":
        return Verdict(case, "impossible", reason, seconds)
    return Verdict(case, outcome, message, seconds, unexpected_pass=reason is not None and outcome == "passed")


def run_cases(
    cases: Iterable[Case],
    launcher: Launcher,
    *,
    jobs: int,
    effort: Effort,
    impossible: Mapping[str, str],
    done: Callable[[Verdict], None],
) -> list[Verdict]:
    """Runs them all, `jobs` at a time; `done` is called with each verdict as it comes."""
    hasty = replace(effort, patience=min(effort.patience, IMPOSSIBLE_PATIENCE))
    waiting = list(cases)[::-1]
    running: dict[int, _Worker] = {}
    verdicts: list[Verdict] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                case = waiting.pop()
                worker = _begin(case, launcher, hasty if case.name in impossible else effort)
                running[worker.answer] = worker
            ready, _, _ = select.select(list(running), [], [], 1.0)
            for answer in ready:
                worker = running.pop(answer)
                outcome, message = worker.end()
                seconds = time.monotonic() - worker.started
                verdicts.append(judge(worker.case, outcome, message, seconds, impossible))
                done(verdicts[-1])
            for worker in running.values():
                # The worker's own alarm comes first; this is for one that cannot even clean up.
                if time.monotonic() - worker.started > worker.case.limit + 30:
                    worker.kill()
    finally:
        for worker in running.values():
            worker.kill()
    return verdicts
