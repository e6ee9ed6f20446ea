"""The program's environment is the caller's, odd names and values included."""

from __future__ import annotations

from collections.abc import Mapping

from harness.agent import Agent
from harness.case import ONLY_BY_C_LIBRARY, Impossible, Registry, expect
from harness.world import Word, World

registry = Registry("environment")


def as_bytes(word: Word) -> bytes:
    return word.encode() if isinstance(word, str) else word


# The variables that change for a launcher with --broker, which gets OPENAI_API_KEY by --env.
BROKERED = (b"OPENAI_API_BASE", b"OPENAI_API_KEY", b"OPENAI_BASE_URL", b"OPENAI_HOST", b"SOPHIA_BROKERED")


def expect_exactly(world: World, agent: Agent, extra: Mapping[bytes, bytes]) -> None:
    variables = {**world.env, **extra}
    expected = sorted(name + b"=" + value for name, value in variables.items())
    seen = sorted(agent.environment)
    if "--broker" in world.launcher.words:
        key = variables[b"OPENAI_API_KEY"]
        expect("the entries with the real key", [entry[:200] for entry in seen if key in entry], [])
        changed = [entry.partition(b"=")[0] for entry in seen if entry not in expected]
        expect("the names that changed", sorted(set(changed)), list(BROKERED))
        expected, seen = ([entry for entry in each if not entry.startswith(BROKERED)] for each in (expected, seen))
    if seen != expected:
        missing = [entry[:200] for entry in expected if entry not in seen]
        added = [entry[:200] for entry in seen if entry not in expected]
        expect("the environment (what is missing, what is added)", (missing, added), ([], []))


def exact(
    name: str,
    doc: str,
    variables: Mapping[Word, Word],
    *,
    impossible: Impossible | None = None,
) -> None:
    def run(world: World) -> None:
        _, agent = world.program(env=variables)
        expect_exactly(world, agent, {as_bytes(key): as_bytes(value) for key, value in variables.items()})

    registry.add(name, doc, run, impossible=impossible)


exact("unchanged", "Nothing is added and nothing removed.", {"SECRET": "value", "OTHER": "x"})
exact(
    "names-with-dashes",
    "Names that no shell would take pass: `foo-bar`, `a.b`, `1x`.",
    {"foo-bar": "1", "a.b": "2", "1x": "3", "x y": "4", "a/b": "5"},
)
exact(
    "exported-functions",
    "A function exported by bash passes.",
    {"BASH_FUNC_x%%": "() {  echo hi\n}", "BASH_FUNC_a-b%%": "() { :; }"},
)
exact("unicode-names", "Names and values in UTF-8 pass.", {"naïve": "café", "日本": "🚀"})
exact("empty-values", "Empty values stay empty, and do not vanish.", {"EMPTY": "", "NO_COLOR": "", "empty-too": ""})
exact(
    "multi-line",
    "Newlines, tabs and carriage returns in values are unchanged.",
    {"PEM": "-----BEGIN\nx\n-----END\n", "CRLF": "a\r\nb", "TAB": "\t"},
)
exact(
    "quotes",
    "Quotes, dollar signs and comments in values are not interpreted.",
    {"A": "'\"`", "B": "${HOME} $HOME $(id)", "C": "a # b", "D": "\\n\\", "E": " lead trail "},
)
exact("equals-in-values", "Values with `=` stay whole.", {"A": "=", "B": "a=b=c", "C": "=="})
exact(
    "case-matters",
    "Names that differ in case are different variables.",
    {"path": "lower", "Path": "title", "SECRET": "a", "secret": "b"},
)
exact(
    "object-names",
    "Names that mean something to JavaScript objects pass.",
    {"__proto__": "1", "constructor": "2", "toString": "3", "hasOwnProperty": "4", "prototype": "5"},
)
exact("number-names", "Names that are numbers pass.", {"0": "zero", "1": "one", "10": "ten", "-1": "minus"})
exact(
    "shell-variables",
    "Variables that a shell in between would change are unchanged: SHLVL, PWD, OLDPWD, `_`, IFS, PS1.",
    {
        "SHLVL": "7",
        "PWD": "/elsewhere",
        "OLDPWD": "/before",
        "_": "/usr/bin/this",
        "IFS": ":",
        "PS1": "> ",
        "PPID": "1",
        "OPTIND": "3",
    },
)
exact(
    "node-variables",
    "What Node itself reads passes on as it is.",
    {
        "NODE_OPTIONS": "--max-old-space-size=100",
        "NODE_NO_WARNINGS": "1",
        "NODE_ENV": "x",
        "UV_THREADPOOL_SIZE": "2",
        "NODE_PATH": "/x",
        "NODE_EXTRA_CA_CERTS": "",
        "NODE_COMPILE_CACHE": "/tmp/none-such",
    },
)
exact(
    "npm-variables",
    "Variables of npm scripts pass.",
    {"npm_config_user_agent": "npm/10", "npm_lifecycle_event": "start", "npm_package_json": "/x", "INIT_CWD": "/y"},
)
exact("large-value", "A value of 100 kB passes.", {"LARGE": "z" * 100_000})
exact(
    "largest-entry",
    "The largest entry that the kernel takes (131,071 bytes) passes.",
    {"LARGEST": "z" * (131_071 - len("LARGEST="))},
)
exact("many", "Three thousand variables pass.", {f"VARIABLE_{n}": str(n) for n in range(3000)})
exact("one-megabyte", "A megabyte of variables passes.", {f"BULK_{n}": "b" * 100_000 for n in range(10)})
exact(
    "not-utf8",
    "Values and names that are not UTF-8 pass byte for byte.",
    {b"LATIN": b"caf\xe9", b"caf\xe9": b"\xff"},
    impossible=(ONLY_BY_C_LIBRARY, "Node decodes the environment as UTF-8: other bytes are U+FFFD before any JavaScript runs"),
)


@registry.case("unset-home", "HOME, LANG and TERM that are not there are not made up.")
def _(world: World) -> None:
    for name in (b"HOME", b"LANG", b"TERM"):
        del world.env[name]
    _, agent = world.program()
    expect_exactly(world, agent, {})


@registry.case("seen-by-shell", "A shell under the launcher sees the variable.")
def _(world: World) -> None:
    result = world.run("sh", "-c", 'printf %s "$SECRET"', env={"SECRET": "two  words\n$x"})
    expect("stdout", result.stdout, b"two  words\n$x")


@registry.case("with-everything", "Odd names pass when odd arguments do, through a script too.", requires=["bash"])
def _(world: World) -> None:
    world.file("cwd/script", '#!/bin/bash\nx; exec "$PROBE" "$@"\n', 0o755)
    variables = {"BASH_FUNC_x%%": "() {  printf ran\n}", "PROBE": world.probe}
    world.start("./script", "*", "", env=variables)
    agent = world.agent()
    expect("arguments", agent.argv[1:], [b"*", b""])
    expect("the function's output", world.output("stdout"), b"ran")
    expect(
        "the function is still exported", any(entry.startswith(b"BASH_FUNC_x%%=") for entry in agent.environment), True
    )
