"""Verdicts as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from .launcher import Launcher
from .runner import Verdict


def line(verdict: Verdict) -> str | None:
    """What is printed when a verdict comes; nothing for a plain pass."""
    name = verdict.case.name
    if verdict.outcome == "failed":
        return f"FAIL {name}: {verdict.message}"
    if verdict.unexpected_pass:
        return f"note {name}: marked as impossible here, but passes"
    return None


def summary(verdicts: Sequence[Verdict]) -> str:
    """Skipped and impossible cases by name with their reasons, then the counts on a line of their own."""
    lines = [
        f"{outcome} {verdict.case.name}: {verdict.message}"
        for outcome in ("skipped", "impossible")
        for verdict in sorted(verdicts, key=lambda each: each.case.name)
        if verdict.outcome == outcome
    ]
    counts = {
        outcome: sum(1 for each in verdicts if each.outcome == outcome)
        for outcome in ("passed", "failed", "skipped", "impossible")
    }
    if counts["impossible"]:
        lines.append(
            f"{counts['impossible']} impossible in this mode, as listed above; they count as neither passed nor failed"
        )
    lines.append(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return "\n".join(lines)


def as_json(launcher: Launcher, verdicts: Sequence[Verdict]) -> dict[str, object]:
    return {
        "launcher": launcher.label,
        "cases": [
            {
                "name": each.case.name,
                "outcome": each.outcome,
                "message": each.message,
                "seconds": round(each.seconds, 3),
                "unexpectedPass": each.unexpected_pass,
            }
            for each in sorted(verdicts, key=lambda each: each.case.name)
        ],
    }
