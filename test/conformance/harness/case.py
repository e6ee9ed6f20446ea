"""What a case is, how it is registered, and how it says that something is not as it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

#: The modes of a launcher for which a property can be impossible: `spawn` keeps the launcher as the parent process,
#: `exec` replaces it.
MODES = ("spawn", "exec")

#: A launcher that chooses between the two case by case.
AUTO = "auto"

#: Behind a mode: without an addon that calls the C library, as `node --no-addons` starts a launcher. More is impossible.
WITHOUT_ADDON = "-without-addon"

#: What `--impossible` takes.
ALL_MODES = (*MODES, AUTO, *(f"{mode}{WITHOUT_ADDON}" for mode in MODES))

#: Modes, one or several, in which a property is impossible, and the reason.
Impossible = tuple[str | tuple[str, ...], str]

#: A property that no launcher for Node can have, in either mode.
NODE = MODES

#: A property that an execve by the C library has, and nothing that Node can do by itself.
ONLY_BY_C_LIBRARY = (f"spawn{WITHOUT_ADDON}", f"exec{WITHOUT_ADDON}")

#: Node is the parent process. With the addon a monitor is.
BY_NODE = f"spawn{WITHOUT_ADDON}"


class Mismatch(Exception):
    """The launcher did something other than what the case expects."""


class Skip(Exception):
    """The case does not apply here; the message says why."""


class TimeLimit(Exception):
    """The whole case took too long."""


@dataclass(frozen=True)
class Case:
    name: str
    doc: str
    run: Callable[[World], None]
    requires: tuple[str, ...] = ()
    impossible: Mapping[str, str] = field(default_factory=dict)
    limit: float = 60.0

    def reason_impossible(self, mode: str) -> str | None:
        """Why a launcher in this mode (one of ALL_MODES, or anything else, as `none`) cannot pass; None if it can."""
        base = mode.removesuffix(WITHOUT_ADDON)
        if base == mode:
            # With the addon it spawns only where exec would not do.
            modes: tuple[str, ...] = ("exec",) if base == AUTO else (base,)
        else:
            modes = (base, mode)
        reasons = [reason for each, reason in self.impossible.items() if each in modes]
        return "; ".join(dict.fromkeys(reasons)) or None

    @property
    def category(self) -> str:
        return self.name.split("/", 1)[0]


class Registry:
    """The cases of one concern (one file of cases/); `category` is the first half of their names."""

    def __init__(self, category: str) -> None:
        self.category = category
        self.cases: list[Case] = []

    def case(
        self,
        name: str,
        doc: str,
        *,
        requires: Sequence[str] = (),
        impossible: Impossible | None = None,
        limit: float = 60.0,
    ) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
        """Registers a function as the case CATEGORY/NAME. `impossible` is (a mode or several, reason)."""

        def register(run: Callable[[World], None]) -> Callable[[World], None]:
            self.add(name, doc, run, requires=requires, impossible=impossible, limit=limit)
            return run

        return register

    def add(
        self,
        name: str,
        doc: str,
        run: Callable[[World], None],
        *,
        requires: Sequence[str] = (),
        impossible: Impossible | None = None,
        limit: float = 60.0,
    ) -> None:
        full = f"{self.category}/{name}"
        reasons: dict[str, str] = {}
        if impossible is not None:
            modes, reason = impossible
            for each in (modes,) if isinstance(modes, str) else modes:
                if each not in ALL_MODES:
                    raise ValueError(f"{full}: no mode {each}")
                reasons[each] = reason
        self.cases.append(Case(full, doc, run, tuple(requires), reasons, limit))


def check_names(cases: Sequence[Case]) -> None:
    """Raises ValueError when two cases have one name."""
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"more than one case is called {', '.join(sorted(twice))}")


def shorten(value: object, most: int = 300) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[: most // 2]} … ({len(text)} characters) … {text[-most // 4 :]}"


def expect(what: str, seen: Any, expected: Any) -> None:
    """`seen` must equal `expected`."""
    if seen != expected:
        raise Mismatch(f"{what}: expected {shorten(expected)}, saw {shorten(seen)}")


def expect_one_of(what: str, seen: Any, allowed: Iterable[Any]) -> None:
    choices = list(allowed)
    if seen not in choices:
        raise Mismatch(f"{what}: expected one of {shorten(choices)}, saw {shorten(seen)}")


def expect_true(what: str, seen: Any) -> None:
    """`what` is a statement that must hold."""
    if not seen:
        raise Mismatch(f"expected: {what}")
