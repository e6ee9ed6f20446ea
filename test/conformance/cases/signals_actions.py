"""Actions of signals: the program starts with its caller's, and its own apply."""

from __future__ import annotations

import os
import signal

from harness.case import NODE, Registry, expect
from harness.process import signal_name
from harness.world import World

registry = Registry("signals")


def kills(number: int) -> None:
    def run(world: World) -> None:
        process, agent = world.program()
        process.send(number)
        expect("the end", process.wait(world.deadline()), f"signal {signal_name(number)}")
        expect("processes left behind", world.survivors(), [])

    name = signal_name(number)
    registry.add(
        f"{name}-by-default",
        f"{name} to the launcher ends a program that does nothing about it, and the parent sees that death.",
        run,
    )


for each in (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGPIPE,
    signal.SIGALRM,
    signal.SIGQUIT,
):
    kills(each)


@registry.case(
    "catch-then-die",
    "A program that catches SIGINT, cleans up and then kills itself by SIGINT is seen to die of SIGINT.",
)
def _(world: World) -> None:
    process, agent = world.program()
    agent.handle(signal.SIGINT)
    process.send(signal.SIGINT)
    agent.wait_signal(signal.SIGINT)
    agent.default(signal.SIGINT)
    agent.die_of(signal.SIGINT)
    expect("the end", process.wait(world.deadline()), "signal SIGINT")


@registry.case(
    "none-ignored", "The program ignores no signal that its caller did not ignore (Node ignores SIGPIPE and SIGXFSZ)."
)
def _(world: World) -> None:
    _, agent = world.program()
    expect("ignored signals", [signal_name(number) for number in agent.hello["ignored"]], [])


@registry.case("none-blocked", "The program blocks no signal that its caller did not block.")
def _(world: World) -> None:
    _, agent = world.program()
    expect("blocked signals", [signal_name(number) for number in agent.hello["blocked"]], [])


@registry.case("broken-pipe-kills", "A program that writes into a broken pipe dies of SIGPIPE.")
def _(world: World) -> None:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    process, agent = world.program(stdout=writing)
    os.close(writing)
    os.close(reading)
    agent.tell("write 1 78")
    expect("the end", process.wait(world.deadline()), "signal SIGPIPE")


@registry.case(
    "nohup",
    "A signal that the caller ignored stays ignored in the program, as nohup needs.",
    impossible=(NODE, "Node resets every signal's action when it starts, and the child's too"),
)
def _(world: World) -> None:
    _, agent = world.program(ignored=[signal.SIGHUP, signal.SIGUSR2])
    expect("ignored signals", [signal_name(number) for number in agent.hello["ignored"]], ["SIGHUP", "SIGUSR2"])


@registry.case(
    "caller-blocked",
    "A signal that the caller blocked stays blocked in the program.",
    impossible=(NODE, "Node empties the signal mask when it starts"),
)
def _(world: World) -> None:
    _, agent = world.program(blocked=[signal.SIGUSR1, signal.SIGTERM])
    expect("blocked signals", [signal_name(number) for number in agent.hello["blocked"]], ["SIGUSR1", "SIGTERM"])


@registry.case(
    "SIGKILL-of-launcher",
    "When the launcher is killed by SIGKILL the program is gone too.",
    impossible=(
        "spawn",
        "nothing can react to SIGKILL; the program lives on unless the kernel was asked for a parent-death signal",
    ),
)
def _(world: World) -> None:
    process, agent = world.program()
    process.send(signal.SIGKILL)
    expect("the end", process.wait(world.deadline()), "signal SIGKILL")
    expect("processes left behind", world.survivors(), [])


@registry.case(
    "program-outlives-killed-launcher",
    "When the launcher is killed by SIGKILL, a program that lives on is undisturbed.",
)
def _(world: World) -> None:
    process, agent = world.program()
    agent.handle(signal.SIGTERM, signal.SIGHUP)
    process.send(signal.SIGKILL)
    expect("the end", process.wait(world.deadline()), "signal SIGKILL")
    world.stop_watching()
    if world.stays_beside(process, agent) and world.survivors():
        agent.ping()
        expect("signals that it got", agent.names(), [])
