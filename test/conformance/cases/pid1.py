"""The launcher as PID 1 of a PID namespace, as in a container. In exec mode the program is PID 1."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Unpack

from harness import procfs
from harness.agent import Agent
from harness.case import WITHOUT_ADDON, Registry, Skip, expect, expect_true
from harness.options import Options
from harness.process import Process, signal_name
from harness.terminal import CTRL_C
from harness.world import World

registry = Registry("pid1")


def started(world: World, mount_proc: bool = True, **options: Unpack[Options]) -> tuple[Process, Agent, int]:
    """The process that made the namespace, the program, and PID 1 of the namespace (its pid outside)."""
    process = world.in_namespace(world.probe, mount_proc=mount_proc, **options)
    agent = world.agent()
    return process, agent, world.first_of_namespace(process)


def unless_program_is_first(agent: Agent) -> None:
    if agent.hello["pid"] == 1:
        raise Skip("the program is PID 1 itself, and the kernel shields it from its own signals")


def exits(status: int) -> None:
    def run(world: World) -> None:
        process, agent, _ = started(world)
        agent.exit(status)
        expect("the end", process.wait(world.deadline()), f"exit {status}")

    registry.add(f"exit-{status}", f"As PID 1, exit {status} is exit {status}.", run, requires=["unshare"])


for each in (0, 7, 130):
    exits(each)


def dies(number: int) -> None:
    def run(world: World) -> None:
        process, agent, _ = started(world)
        unless_program_is_first(agent)
        agent.die_of(number)
        expect("the end", process.wait(world.deadline()), f"exit {128 + number}")

    name = signal_name(number)
    registry.add(
        f"death-by-{name}",
        f"As PID 1, which cannot kill itself, a death by {name} is exit {128 + int(number)}.",
        run,
        requires=["unshare"],
    )


for each in (
    signal.SIGTERM,
    signal.SIGKILL,
    signal.SIGSEGV,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGPIPE,
):
    dies(each)


@registry.case(
    "stop", "SIGTERM to PID 1 ends a program that does nothing about it, promptly: exit 143.", requires=["unshare"]
)
def _(world: World) -> None:
    process, agent, first = started(world)
    unless_program_is_first(agent)
    os.kill(first, signal.SIGTERM)
    expect("the end", process.wait(world.deadline(3)), "exit 143")


@registry.case("forward", "Signals to PID 1 reach the program once each.", requires=["unshare"])
def _(world: World) -> None:
    process, agent, first = started(world)
    numbers = [
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    ]
    agent.handle(*numbers)
    for number in numbers:
        os.kill(first, number)
        agent.wait_signal(number)
    world.settle(agent)
    expect("the signals", agent.names(), [signal_name(number) for number in numbers])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case("graceful-stop", "A program that catches SIGTERM as PID 1 ends as it likes.", requires=["unshare"])
def _(world: World) -> None:
    reading, writing = os.pipe()
    process = world.in_namespace(
        "sh", "-c", 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done', stdout=writing
    )
    os.close(writing)
    expect("the first output", os.read(reading, 100), b"ready\n")
    os.kill(world.first_of_namespace(process), signal.SIGTERM)
    expect("the end", process.wait(world.deadline()), "exit 9")


@registry.case("signal-from-inside", "`kill -TERM 1` inside the namespace reaches the program.", requires=["unshare"])
def _(world: World) -> None:
    process = world.in_namespace("sh", "-c", 'trap "exit 9" TERM; (kill -TERM 1); while :; do sleep 0.05; done')
    expect("the end", process.wait(world.deadline()), "exit 9")


@registry.case(
    "not-found", "As PID 1, a command that is not found is 127 with one line on stderr.", requires=["unshare"]
)
def _(world: World) -> None:
    process = world.in_namespace("no-such-command")
    expect("the end", process.wait(world.deadline()), "exit 127")
    expect("lines on stderr", len(world.output("stderr").splitlines()), 1)


@registry.case("orphan-does-not-hold", "As PID 1, an orphan left behind does not hold the end.", requires=["unshare"])
def _(world: World) -> None:
    process, agent, _ = started(world)
    agent.ok("orphan")
    world.agent("orphan")
    agent.exit(5)
    expect("the end", process.wait(world.deadline()), "exit 5")


@registry.case(
    "orphan-reaped",
    "As PID 1, orphans that end are reaped.",
    requires=["unshare"],
    impossible=(f"spawn{WITHOUT_ADDON}", "Node waits for its own children only; put tini or --init in front"),
)
def _(world: World) -> None:
    _, agent, _ = started(world)
    unless_program_is_first(agent)
    agent.ok("orphan")
    orphan = world.agent("orphan")
    orphan.exit(0)
    world.until("the orphan is reaped", lambda: procfs.stat(orphan.pid) is None)


@registry.case("silent", "As PID 1, a good run prints nothing.", requires=["unshare"])
def _(world: World) -> None:
    process = world.in_namespace("true")
    expect("the end", process.wait(world.deadline()), "exit 0")
    expect("stdout and stderr", (world.output("stdout"), world.output("stderr")), (b"", b""))


def with_terminal(world: World) -> tuple[Process, Agent]:
    # The new namespace's first process makes a session of its own with the terminal, as container engines do.
    setsid = shutil.which("setsid")
    assert setsid is not None
    terminal = world.terminal()
    unshare = [shutil.which("unshare") or "unshare", *world.namespace_options(), setsid, "--ctty"]
    process = world.start_words(
        [*unshare, *world.words(world.probe)],
        world.setup(stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave),
    )
    agent = world.agent()
    return process, agent


@registry.case("ctrl-c-once", "As PID 1 on a terminal, one Ctrl-C is one SIGINT.", requires=["unshare", "setsid"])
def _(world: World) -> None:
    process, agent = with_terminal(world)
    agent.handle(signal.SIGINT)
    world.terminals[-1].type(CTRL_C)
    agent.wait_signal(signal.SIGINT)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGINT"])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case(
    "ctrl-c-ends",
    "As PID 1 on a terminal, Ctrl-C ends a program that does nothing about it: exit 130.",
    requires=["unshare", "setsid"],
)
def _(world: World) -> None:
    process, agent = with_terminal(world)
    unless_program_is_first(agent)
    world.terminals[-1].type(CTRL_C)
    expect("the end", process.wait(world.deadline()), "exit 130")


@registry.case("hang-up", "As PID 1 on a terminal, a hang-up is one SIGHUP.", requires=["unshare", "setsid"])
def _(world: World) -> None:
    process, agent = with_terminal(world)
    agent.handle(signal.SIGHUP)
    world.terminals[-1].hang_up()
    agent.wait_signal(signal.SIGHUP)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGHUP"])
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case(
    "foreign-proc", "With the /proc of another PID namespace, status and signals are as ever.", requires=["unshare"]
)
def _(world: World) -> None:
    process, agent, first = started(world, mount_proc=False)
    agent.handle(signal.SIGTERM)
    os.kill(first, signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    world.settle(agent)
    expect("deliveries", agent.names(), ["SIGTERM"])
    agent.exit(5)
    expect("the end", process.wait(world.deadline()), "exit 5")


@registry.case(
    "self-stop-with-foreign-proc",
    "With the /proc of another PID namespace, a program that stops itself and is continued ends as ever.",
    requires=["unshare"],
)
def _(world: World) -> None:
    process, agent, _ = started(world, mount_proc=False)
    unless_program_is_first(agent)
    agent.tell(f"raise {int(signal.SIGSTOP)}")
    world.until("the program is stopped", lambda: procfs.is_stopped(agent.pid))
    os.kill(agent.pid, signal.SIGCONT)
    agent.answer("the answer to raise")
    agent.exit(5)
    expect_true("it ends 5", process.wait(world.deadline()) == "exit 5")
