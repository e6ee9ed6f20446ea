"""Programs that cannot be started: 127 or 126, one line on stderr, nothing on stdout, no stack."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterable

from harness.build import recorder
from harness.case import Registry, expect, expect_one_of, expect_true
from harness.world import CLOSED, Result, Word, World

registry = Registry("start-errors")

NOT_FOUND, NOT_EXECUTABLE = [127], [126]


def expect_plain_error(result: Result, statuses: Iterable[int]) -> None:
    expect_one_of("the end", result.status, [f"exit {status}" for status in statuses])
    expect("stdout", result.stdout, b"")
    expect_true(f"no stack on stderr, which holds {result.stderr!r}", b"\n    at " not in result.stderr)
    expect(f"lines on stderr ({result.stderr!r})", len(result.stderr.strip().splitlines()), 1)


def error(
    name: str,
    doc: str,
    statuses: Iterable[int],
    prepare: Callable[[World], Word],
    *arguments: Word,
) -> None:
    def run(world: World) -> None:
        expect_plain_error(world.run(prepare(world), *arguments), statuses)

    registry.add(name, doc, run)


def in_cwd(name: str, content: bytes = b"", mode: int = 0o644) -> Callable[[World], Word]:
    def prepare(world: World) -> Word:
        world.file(f"cwd/{name}", content, mode)
        return f"./{name}"

    return prepare


def a_loop(world: World) -> Word:
    os.symlink("b", world.cwd / "a")
    os.symlink("a", world.cwd / "b")
    return "./a"


def dangling(world: World) -> Word:
    os.symlink("/nonexistent/target", world.cwd / "link")
    return "./link"


def below_a_file(world: World) -> Word:
    world.file("cwd/file", b"", 0o755)
    return "./file/program"


def folder(name: str) -> Callable[[World], Word]:
    def prepare(world: World) -> Word:
        (world.cwd / "folder").mkdir()
        return name

    return prepare


error("not-found", "A name that is nowhere on PATH: 127.", NOT_FOUND, lambda _: "no-such-command")
error(
    "not-found-with-arguments", "Arguments make no difference.", NOT_FOUND, lambda _: "no-such-command", "--help", "x"
)
error("not-found-path", "A path that does not exist: 127.", NOT_FOUND, lambda _: "/nonexistent/program")
error("not-found-relative", "A relative path that does not exist: 127.", NOT_FOUND, lambda _: "./missing")
error("dangling-link", "A symbolic link to nothing: 127.", NOT_FOUND, dangling)
error("empty-command", "An empty command string: 127.", NOT_FOUND, lambda _: "")
error("not-executable", "A file without permission to execute: 126.", NOT_EXECUTABLE, in_cwd("file", b"#!/bin/sh\n"))
error(
    "not-executable-binary", "A binary without permission to execute: 126.", NOT_EXECUTABLE, in_cwd("file", b"\x7fELF")
)
error("directory", "A directory: 126.", NOT_EXECUTABLE, folder("./folder"))
error("directory-with-slash", "A directory with a slash at its end: 126.", NOT_EXECUTABLE, folder("./folder/"))
error("directory-dot", "The working directory: 126.", NOT_EXECUTABLE, lambda _: "./")
error("below-a-file", "A path through a file (ENOTDIR): 126.", NOT_EXECUTABLE, below_a_file)
error("loop", "Symbolic links in a circle (ELOOP): 126.", NOT_EXECUTABLE, a_loop)
error(
    "name-too-long",
    "A path whose last name is too long (ENAMETOOLONG): 126.",
    NOT_EXECUTABLE,
    lambda _: "./" + "n" * 300,
)
error("bare-name-too-long", "A bare name that is too long: 126 or 127.", [126, 127], lambda _: "n" * 300)
error("path-too-long", "A path longer than PATH_MAX: 126.", NOT_EXECUTABLE, lambda _: "/" + "d/" * 3000 + "x")
error(
    "interpreter-missing",
    "A `#!` script whose interpreter is missing: 126 or 127.",
    [126, 127],
    in_cwd("script", b"#!/nonexistent/interpreter\n", 0o755),
)
error(
    "interpreter-not-executable",
    "A `#!` script whose interpreter cannot be executed: 126 or 127.",
    [126, 127],
    in_cwd("script", b"#!/etc/passwd\n", 0o755),
)
error(
    "interpreter-is-directory",
    "A `#!` script whose interpreter is a directory: 126 or 127.",
    [126, 127],
    in_cwd("script", b"#!/usr/bin\n", 0o755),
)
error(
    "interpreter-loops",
    "A `#!` script that names itself as interpreter: 126 or 127.",
    [126, 127],
    in_cwd("script", b"#!./script\n", 0o755),
)


@registry.case(
    "interpreter-with-carriage-return",
    "A script with DOS line ends names an interpreter that does not exist: 126 or 127.",
)
def _(world: World) -> None:
    world.file("cwd/script", b"#!/bin/sh\r\necho hi\r\n", 0o755)
    expect_plain_error(world.run("./script"), [126, 127])


@registry.case("busy", "A program that is open for writing (ETXTBSY): 126.")
def _(world: World) -> None:
    program = world.file("cwd/program", open(world.probe, "rb").read(), 0o755)
    with open(program, "r+b"):
        expect_plain_error(world.run("./program"), NOT_EXECUTABLE)


@registry.case("list-too-long", "More arguments than the system takes (E2BIG): 126.", requires=["linux"])
def _(world: World) -> None:
    _too_long(world, ["a" * 120_000] * 12, {})


@registry.case(
    "environment-too-long",
    "A larger environment than the system takes (E2BIG): 126, and no value on stderr.",
    requires=["linux"],
)
def _(world: World) -> None:
    result = _too_long(world, [], {f"SECRET_{n}": "s3cr3t" * 20_000 for n in range(12)})
    expect("a value on stderr", b"s3cr3t" in result.stderr, False)


def _too_long(world: World, arguments: list[str], env: dict[str, str]) -> Result:
    # 1.4 MB reach the launcher under a stack of 8 MiB; what it executes in its turn may have 1 MiB (see lower_stack.c).
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    setup = world.setup(env=env, before=lambda: resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, hard)))
    words = [str(recorder("lower_stack")), str(4 << 20), *world.words(world.probe, *arguments)]
    process = world.start_words(words, setup)
    status = process.wait(world.deadline())
    result = Result(status, world.output("stdout"), world.output("stderr"))
    expect_plain_error(result, NOT_EXECUTABLE)
    return result


@registry.case("message-names-command", "The one line names the command.")
def _(world: World) -> None:
    result = world.run("no-such-command-at-all")
    expect_plain_error(result, NOT_FOUND)
    expect_true(f"the command's name in {result.stderr!r}", b"no-such-command-at-all" in result.stderr)


@registry.case(
    "terminal-escapes",
    "A command that does not exist and has control characters in its name writes none to the terminal.",
)
def _(world: World) -> None:
    result = world.run("no\x1b[31mred\x07")
    expect_one_of("the end", result.status, ["exit 127"])
    expect("an escape character on stderr", b"\x1b" in result.stderr, False)


@registry.case("stderr-closed", "The status stands when stderr is closed.")
def _(world: World) -> None:
    expect("the end", world.run("no-such-command", stderr=CLOSED).status, "exit 127")


@registry.case("stderr-full", "The status stands when stderr cannot be written.")
def _(world: World) -> None:
    full = os.open("/dev/full", os.O_WRONLY | os.O_CLOEXEC)
    expect("the end", world.run("no-such-command", stderr=full).status, "exit 127")


@registry.case("script-without-interpreter", "A script without `#!` is run by `/bin/sh file args`.")
def _(world: World) -> None:
    world.file("cwd/script", 'printf "[%s]" "$0" "$@"\nexit 5\n', 0o755)
    result = world.run("./script", "a b", "", "-c")
    expect("the end and stdout", (result.status, result.stdout), ("exit 5", b"[./script][a b][][-c]"))


@registry.case("script-without-interpreter-on-path", "So it is for one found on PATH.")
def _(world: World) -> None:
    script = world.file("tools/my-script", 'printf "[%s]" "$@"\nexit 5\n', 0o755)
    result = world.run("my-script", "x", env={"PATH": f"{script.parent}:/usr/bin:/bin"})
    expect("the end and stdout", (result.status, result.stdout), ("exit 5", b"[x]"))


@registry.case(
    "script-without-interpreter-environment", "A script without `#!` sees the environment and the arguments -- and -x."
)
def _(world: World) -> None:
    world.file("cwd/script", '\nprintf "%s|" "$SECRET" "$@"\n', 0o755)
    result = world.run("./script", "--", "-x", env={"SECRET": "a b"})
    expect("the end and stdout", (result.status, result.stdout), ("exit 0", b"a b|--|-x|"))


@registry.case("empty-file", "An empty executable file is an empty script: exit 0.")
def _(world: World) -> None:
    world.file("cwd/script", b"", 0o755)
    result = world.run("./script")
    expect("the end, stdout, stderr", (result.status, result.stdout, result.stderr), ("exit 0", b"", b""))


@registry.case(
    "broken-binary",
    "A file that begins like an ELF binary and is none fails as from a shell, without a crash of the launcher.",
)
def _(world: World) -> None:
    world.file("cwd/program", b"\x7fELF" + b"\2\1\1" + bytes(57), 0o755)
    result = world.run("./program")
    # Where execvp hands it to sh, it is sh that says 2, 126 or 127.
    expect_one_of("the end", result.status, ["exit 2", "exit 126", "exit 127"])
    expect("stdout", result.stdout, b"")


@registry.case("loader-missing", "A binary whose loader does not exist (as one for musl on glibc): 126 or 127.")
def _(world: World) -> None:
    source = world.file("main.c", "int main(void) { return 0; }\n")
    program = world.cwd / "program"
    subprocess.run(["gcc", "-Wl,--dynamic-linker=/nonexistent/ld.so", "-o", str(program), str(source)], check=True)
    expect_plain_error(world.run("./program"), [126, 127])
