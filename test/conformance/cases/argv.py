"""The program gets its arguments byte for byte, and argv[0] as it was typed."""

from __future__ import annotations

import os
import shutil

from harness.case import ONLY_BY_C_LIBRARY, Registry, expect
from harness.world import Word, World

registry = Registry("argv")


def exact(name: str, doc: str, *arguments: Word) -> None:
    def run(world: World) -> None:
        _, agent = world.program(*arguments)
        expected = [os.fsencode(word) if isinstance(word, str) else word for word in arguments]
        expect("the arguments", agent.argv[1:], expected)

    registry.add(name, doc, run)


exact("none", "No arguments are no arguments.")
exact(
    "numbers-and-options",
    "Nothing is turned into a number or taken for an option.",
    "007",
    "1e3",
    "--help",
    "--",
    "",
    "-abc",
)
exact(
    "more-numbers",
    "Number-like words keep their digits.",
    "0x10",
    "1.0",
    "1_000",
    "-0",
    "+5",
    "00",
    "1e-7",
    "Infinity",
    "9" * 30,
)
exact("empty", "Empty arguments stay, at the end too.", "", "a", "", "")
exact("separators", "Further `--` belong to the program.", "--", "a", "--", "--", "b")
exact("leading-separator", "A `--` right after the command belongs to the program.", "--")
exact(
    "launcher-options",
    "Words that the launcher itself might understand are the program's after its name.",
    *["--mode", "exec", "--no-contract", "--version", "-h", "--dotenv", "x", "check", "--quiet", "-v", "-s", "-g"],
)
exact(
    "repeated-options",
    "Repeated and negated options are not merged.",
    "--a",
    "1",
    "--a",
    "2",
    "--no-a",
    "--a=3",
    "--a=",
)
exact("newlines", "White space of every kind is unchanged.", "a\nb\n", "\t", " lead", "trail ", "\r\n", "\x0b\x0c")
exact("control-characters", "Control characters are unchanged.", "".join(chr(n) for n in range(1, 32)), "\x7f", "\x1b[31m")
exact(
    "emoji",
    "UTF-8 beyond the basic plane and combining marks are unchanged.",
    "🚀",
    "e\u0301",
    "\u00e9",
    "日本語",
    "👩‍👩‍👧",
    "\ufeffbom",
)
exact(
    "shell-characters",
    "Nothing is expanded, unquoted or split.",
    *[
        "$HOME",
        "`id`",
        "$(id)",
        "*",
        "?",
        "~",
        "a b",
        '"',
        "'",
        "\\",
        "\\\\n",
        ";",
        "|",
        "&",
        ">x",
        "!!",
        "#",
        "{a,b}",
        "%PATH%",
        "^",
    ],
)
exact("assignments", "Words that look like assignments are arguments.", "A=1", "=x", "--b=2", "C=")
exact("response-files", "`@file` and `+x` are arguments.", "@file", "+x", "-@", "@")
exact("hundred-kilobytes", "An argument of 100 kB arrives whole.", "x" * 100_000)
exact("longest", "The longest argument that the kernel takes (131,071 bytes) arrives whole.", "y" * 131_071)
exact("many", "Five thousand arguments arrive in order.", *[str(n) for n in range(5000)])


@registry.case("printf", "The lab book's recipe: printf shows each word on a line.", requires=["printf"])
def _(world: World) -> None:
    result = world.run("printf", "%s\\n", "007", "1e3", "--help", "--", "", "-abc")
    expect("stdout", result.stdout, b"007\n1e3\n--help\n--\n\n-abc\n")
    expect("status", result.status, "exit 0")


@registry.case(
    "not-utf8",
    "Arguments that are not UTF-8 arrive byte for byte.",
    impossible=(ONLY_BY_C_LIBRARY, "Node decodes its arguments as UTF-8: other bytes are U+FFFD before any JavaScript runs"),
)
def _(world: World) -> None:
    _, agent = world.program(b"\xff\xfe", b"caf\xe9", b"\xc3")
    expect("the arguments", agent.argv[1:], [b"\xff\xfe", b"caf\xe9", b"\xc3"])


def zero(name: str, doc: str, command: str, *, link: bool = False, on_path: bool = False) -> None:
    def run(world: World) -> None:
        target = world.cwd / "tools" / "tool"
        target.parent.mkdir()
        if link:
            target.symlink_to(world.probe)
        else:
            # No hard link: that would make the probe of all cases a file that has just changed.
            shutil.copy(world.probe, target)
        typed = command.replace("CWD", str(world.cwd))
        env = {"PATH": f"{target.parent}:{world.env[b'PATH'].decode()}"} if on_path else {}
        world.start(typed, "x", env=env)
        agent = world.agent()
        expect("argv", agent.argv, [typed.encode(), b"x"])

    registry.add(name, doc, run)


def _copy_probe() -> None:
    zero("zero-on-path", "A bare name found on PATH is argv[0] as typed.", "tool", on_path=True)
    zero("zero-relative", "A relative path is argv[0] as typed.", "./tools/tool")
    zero("zero-relative-unclean", "A path is not normalised.", "./tools/../tools//tool")
    zero("zero-absolute", "An absolute path is argv[0] as typed.", "CWD/tools/tool")
    zero(
        "zero-of-link", "A symbolic link's own name is argv[0], as multi-call programs need.", "./tools/tool", link=True
    )
    zero("zero-of-link-on-path", "So it is for a link found on PATH.", "tool", link=True, on_path=True)


_copy_probe()


@registry.case("spaces-in-command", "A command whose path has spaces and quotes is started as it is.")
def _(world: World) -> None:
    target = world.cwd / 'my tools\' "best" $x' / "a tool"
    target.parent.mkdir()
    target.symlink_to(world.probe)
    world.start(str(target), "a b")
    expect("argv", world.agent().argv, [os.fsencode(target), b"a b"])


@registry.case("script", "A `#!` script gets its arguments as they are, and its path as $0.")
def _(world: World) -> None:
    script = world.file("cwd/script", '#!/bin/sh\nprintf "[%s]" "$0" "$@"\n', 0o755)
    result = world.run("./script", "a b", "", "-x", "*")
    expect("stdout", result.stdout, b"[./script][a b][][-x][*]")
    expect("script exists", script.exists(), True)


@registry.case("script-interpreter-argument", "The one argument of a `#!` line is passed to the interpreter.")
def _(world: World) -> None:
    world.file("cwd/script", "#!/bin/sh -e\nfalse\necho not reached\n", 0o755)
    result = world.run("./script")
    expect("status and output", (result.status, result.stdout), ("exit 1", b""))
