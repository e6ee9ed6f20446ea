"""Limits and missing resources: the launcher works wherever a bare exec works."""

from __future__ import annotations

import os
import resource
import shutil
import signal

from harness.case import Registry, Skip, expect
from harness.requirements import UNSHARE
from harness.world import CLOSED, World

registry = Registry("limits")


@registry.case(
    "deleted-working-directory", "A program with an absolute path starts in a working directory that no longer exists."
)
def _(world: World) -> None:
    folder = world.folder / "gone"
    folder.mkdir()
    process, agent = world.program("x", cwd=folder, before=lambda: os.rmdir(folder))
    expect("argv", agent.argv[1:], [b"x"])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case("deleted-working-directory-not-found", "A relative path is not found there: 127, one line.")
def _(world: World) -> None:
    folder = world.folder / "gone"
    folder.mkdir()
    result = world.run("./program", cwd=folder, before=lambda: os.rmdir(folder))
    expect("the end and lines on stderr", (result.status, len(result.stderr.splitlines())), ("exit 127", 1))


@registry.case("file-size", "A program that writes past the limit of a file's size dies of SIGXFSZ.")
def _(world: World) -> None:
    def before() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    result = world.run("sh", "-c", "exec head -c 100000 /dev/zero > big", before=before)
    expect("the end", result.status, "signal SIGXFSZ")


@registry.case("processor-time", "A program that uses up its processor time dies of SIGXCPU.")
def _(world: World) -> None:
    process, agent = world.program()
    agent.ok(f"limit {resource.RLIMIT_CPU} 1 10")
    agent.tell("spin")
    expect("the end", process.wait(world.deadline(30)), "signal SIGXCPU")


@registry.case("few-open-files", "With room for 64 open files the program starts.")
def _(world: World) -> None:
    process, agent = world.program(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case("no-home", "With HOME, TMPDIR and XDG folders that do not exist, all is as ever.")
def _(world: World) -> None:
    nowhere = {
        name: "/nonexistent" for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
    }
    result = world.run("sh", "-c", "exit 3", env=nowhere)
    expect("the end, stdout, stderr", (result.status, result.stdout, result.stderr), ("exit 3", b"", b""))


@registry.case("empty-environment", "With an environment of one variable, all is as ever.")
def _(world: World) -> None:
    world.env = {b"CONFORMANCE_SOCKET": world.env[b"CONFORMANCE_SOCKET"]}
    process, agent = world.program()
    expect("the environment", agent.environment, [b"CONFORMANCE_SOCKET=" + world.env[b"CONFORMANCE_SOCKET"]])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case(
    "nothing-left-in-folders", "Nothing is left in the working directory, HOME or the folder for temporary files."
)
def _(world: World) -> None:
    temporary = world.folder / "tmp"
    temporary.mkdir()
    world.run("true", env={"TMPDIR": str(temporary)})
    left = [
        str(path.relative_to(world.folder))
        for folder in (world.cwd, world.home, temporary)
        for path in folder.rglob("*")
    ]
    expect("files left", left, [])


@registry.case("twelve-at-once", "Twelve launchers at once each pass their own status.", limit=120)
def _(world: World) -> None:
    processes = [world.start("sh", "-c", f"exit {number}") for number in range(12)]
    expect(
        "the ends",
        [process.wait(world.deadline(30)) for process in processes],
        [f"exit {number}" for number in range(12)],
    )


def nested(world: World) -> list[str | bytes]:
    return world.words(*world.words(world.probe, "--", "x"))


@registry.case("nested", "The launcher under itself: arguments, a signal and the status pass through both.")
def _(world: World) -> None:
    process = world.start_words(nested(world), world.setup())
    agent = world.agent()
    expect("argv", agent.argv[1:], [b"--", b"x"])
    agent.handle(signal.SIGTERM)
    process.send(signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGTERM"])
    agent.exit(6)
    expect("the end", process.wait(world.deadline()), "exit 6")


@registry.case("nested-ctrl-c", "The launcher under itself: one Ctrl-C is one SIGINT.")
def _(world: World) -> None:
    terminal = world.terminal()
    process = world.start_words(nested(world), world.setup(terminal=terminal))
    agent = world.agent()
    agent.handle(signal.SIGINT)
    terminal.type(b"\x03")
    agent.wait_signal(signal.SIGINT)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGINT"])
    agent.die_of(signal.SIGKILL)
    expect("the end", process.wait(world.deadline()), "signal SIGKILL")


@registry.case(
    "closed-streams-and-error", "With every standard stream closed, a command that is not found is still 127."
)
def _(world: World) -> None:
    expect("the end", world.run("no-such-command", stdin=CLOSED, stdout=CLOSED, stderr=CLOSED).status, "exit 127")


def without(place: str, world: World, *command: str) -> list[str | bytes]:
    unshare, mount = shutil.which("unshare"), shutil.which("mount")
    if unshare is None or mount is None:
        raise Skip("mount is not installed")
    options = [option for option in UNSHARE[1:] if option.startswith(("--user", "--map"))]
    inner = f"{mount} -t tmpfs none {place} && exec {world.command_line(*command)}"
    return [unshare, "--mount", *options, "/bin/sh", "-c", inner]


@registry.case(
    "no-proc",
    "Where /proc is not mounted, the program starts, is sent signals, and its status passes.",
    requires=["unshare"],
)
def _(world: World) -> None:
    process = world.start_words(without("/proc", world, world.probe, "x"), world.setup())
    agent = world.agent()
    agent.handle(signal.SIGTERM)
    process.send(signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGTERM"])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case("no-proc-not-found", "Nor does it matter for a command that is not found.", requires=["unshare"])
def _(world: World) -> None:
    process = world.start_words(without("/proc", world, "no-such-command"), world.setup())
    expect("the end", process.wait(world.deadline()), "exit 127")


@registry.case(
    "no-dev",
    "Where /dev is empty, as in a chroot, the program starts, is sent signals, and its status passes.",
    requires=["unshare"],
)
def _(world: World) -> None:
    process = world.start_words(without("/dev", world, world.probe, "x"), world.setup())
    agent = world.agent()
    agent.handle(signal.SIGTERM)
    process.send(signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGTERM"])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")
