"""A command without a slash is looked up in the program's PATH, as by execvp."""

from __future__ import annotations

from collections.abc import Mapping

from harness.case import Registry, expect, expect_one_of
from harness.world import World

registry = Registry("path")

SYSTEM = "/usr/bin:/bin"


def script(world: World, where: str, says: str, mode: int = 0o755) -> str:
    """Makes a script that prints its path, and returns its folder."""
    return str(world.file(where, f"#!/bin/sh\necho {says}\n", mode).parent)


def expect_says(world: World, command: str, path: str, says: str, env: Mapping[str, str] | None = None) -> None:
    result = world.run(command, env={"PATH": path, **(env or {})})
    expect("the end and stdout", (result.status, result.stdout.decode()), ("exit 0", f"{says}\n"))


@registry.case("first-wins", "The first folder that has the command wins.")
def _(world: World) -> None:
    one, two = script(world, "one/tool", "one"), script(world, "two/tool", "two")
    expect_says(world, "tool", f"{one}:{two}:{SYSTEM}", "one")
    expect_says(world, "tool", f"{two}:{one}:{SYSTEM}", "two")


@registry.case("skips-folders", "A folder with the command's name is skipped.")
def _(world: World) -> None:
    (world.folder / "one" / "tool").mkdir(parents=True)
    two = script(world, "two/tool", "two")
    expect_says(world, "tool", f"{world.folder}/one:{two}:{SYSTEM}", "two")


@registry.case("skips-not-executable", "A file that cannot be executed is skipped.")
def _(world: World) -> None:
    one, two = script(world, "one/tool", "one", 0o644), script(world, "two/tool", "two")
    expect_says(world, "tool", f"{one}:{two}:{SYSTEM}", "two")


@registry.case("only-not-executable", "Where only a file is found that cannot be executed: 126 or 127, nothing runs.")
def _(world: World) -> None:
    one = script(world, "one/tool", "one", 0o644)
    result = world.run("tool", env={"PATH": f"{one}:{SYSTEM}"})
    expect_one_of("the end", result.status, ["exit 126", "exit 127"])
    expect("stdout", result.stdout, b"")


@registry.case("only-a-folder", "Where only a folder of that name is found: 126 or 127.")
def _(world: World) -> None:
    (world.folder / "one" / "tool").mkdir(parents=True)
    result = world.run("tool", env={"PATH": f"{world.folder}/one:{SYSTEM}"})
    expect_one_of("the end", result.status, ["exit 126", "exit 127"])


@registry.case("skips-what-is-no-folder", "Elements of PATH that are files or do not exist are skipped.")
def _(world: World) -> None:
    file = world.file("file", b"", 0o755)
    two = script(world, "two/tool", "two")
    expect_says(world, "tool", f"{file}:/nonexistent:{two}:{SYSTEM}", "two")


@registry.case("skips-dangling-links", "A symbolic link to nothing is skipped.")
def _(world: World) -> None:
    (world.folder / "one").mkdir()
    (world.folder / "one" / "tool").symlink_to("/nonexistent")
    two = script(world, "two/tool", "two")
    expect_says(world, "tool", f"{world.folder}/one:{two}:{SYSTEM}", "two")


@registry.case("working-directory", "The working directory is not searched when PATH does not name it: 127.")
def _(world: World) -> None:
    script(world, "cwd/tool-here", "here")
    result = world.run("tool-here", env={"PATH": SYSTEM})
    expect("the end and stdout", (result.status, result.stdout), ("exit 127", b""))


@registry.case("working-directory-by-name", "It is when PATH names it.")
def _(world: World) -> None:
    script(world, "cwd/tool-here", "here")
    expect_says(world, "tool-here", f".:{SYSTEM}", "here")


@registry.case("relative-element", "A relative element of PATH starts at the working directory.")
def _(world: World) -> None:
    script(world, "cwd/bin/tool", "bin")
    expect_says(world, "tool", f"bin:{SYSTEM}", "bin")


@registry.case("with-slash", "A command with a slash is not looked for on PATH.")
def _(world: World) -> None:
    script(world, "one/sub/tool", "one")
    result = world.run("sub/tool", env={"PATH": f"{world.folder}/one:{SYSTEM}"})
    expect("the end", result.status, "exit 127")


@registry.case("no-path", "Without PATH the system's default applies, and `sh` is found.")
def _(world: World) -> None:
    expect("the end", world.run("sh", "-c", "exit 5", unset=["PATH"]).status, "exit 5")


@registry.case("no-tilde", "A tilde in PATH is not expanded.")
def _(world: World) -> None:
    script(world, "home/bin/tool", "home")
    result = world.run("tool", env={"PATH": f"~/bin:{SYSTEM}"})
    expect("the end", result.status, "exit 127")


@registry.case("shadows-system", "A folder before the system's may have a command of the same name.")
def _(world: World) -> None:
    expect_says(world, "env", f"{script(world, 'one/env', 'mine')}:{SYSTEM}", "mine")


@registry.case("no-builtins", "What only a shell knows (`exit`, `:`-like words, aliases) is not found: 127.")
def _(world: World) -> None:
    for word in ("exit", "unset", "if"):
        expect(f"the end of {word}", world.run(word, "3", env={"PATH": SYSTEM}).status, "exit 127")
