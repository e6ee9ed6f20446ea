"""Signals before the program exists: none is lost, and none starts a program that should not run."""

from __future__ import annotations

import select
import signal
import time

from harness.case import Registry, expect
from harness.process import Process, signal_name
from harness.world import World

registry = Registry("signals-at-start")


def moments(world: World) -> list[float]:
    """Times after the start, in seconds, spread from at once to a little after the program has started."""
    began = time.monotonic()
    process, agent = world.program()
    taken = time.monotonic() - began
    agent.exit(0)
    process.wait(world.deadline())
    return [1.3 * taken * step / (world.moments - 1) for step in range(world.moments)]


def start_and_send(world: World, moment: float, number: int, **env: str) -> Process:
    process = world.start(world.probe, env=env)
    select.select([], [], [], moment)  # no event shows the launcher's progress: many moments are tried instead
    if not process.ended():
        process.send(number)
    return process


def fatal(number: int) -> None:
    name = signal_name(number)

    def run(world: World) -> None:
        for moment in moments(world):
            process = start_and_send(world, moment, number)
            expect(f"the end after {name} at {moment * 1000:.0f} ms", process.wait(world.deadline()), f"signal {name}")
            expect(f"processes left behind after {name} at {moment * 1000:.0f} ms", world.survivors(), [])
        expect("stdout", world.output("stdout"), b"")

    registry.add(
        f"{name}-kills",
        f"{name} at any moment from the start on ends all: the parent sees that death, and nothing is left behind.",
        run,
        limit=120,
    )


for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGALRM):
    fatal(each)


@registry.case(
    "SIGTERM-never-lost",
    "SIGTERM at any moment either ends all or reaches the program, which catches it, once.",
    limit=120,
)
def _(world: World) -> None:
    for moment in moments(world):
        process = start_and_send(world, moment, signal.SIGTERM, CONFORMANCE_HANDLE=str(int(signal.SIGTERM)))
        agent = world.agent_unless_ended(process)
        end = "signal SIGTERM"
        if agent is not None:
            agent.wait_signal(signal.SIGTERM)
            world.settle(agent)
            expect("deliveries", agent.count(signal.SIGTERM), 1)
            agent.exit(3)
            end = "exit 3"
        expect(f"the end after SIGTERM at {moment * 1000:.0f} ms", process.wait(world.deadline()), end)
        expect("processes left behind", world.survivors(), [])


def harmless(number: int) -> None:
    name = signal_name(number)

    def run(world: World) -> None:
        for moment in moments(world):
            process = start_and_send(world, moment, number)
            agent = world.agent()
            agent.exit(7)
            expect(f"the end after {name} at {moment * 1000:.0f} ms", process.wait(world.deadline()), "exit 7")

    registry.add(f"{name}-harmless", f"{name} at any moment does nothing to the start.", run, limit=120)


for each in (signal.SIGCONT, signal.SIGWINCH, signal.SIGURG, signal.SIGCHLD):
    harmless(each)


@registry.case(
    "stop-and-continue",
    "A launcher that is stopped before it has started the program starts it when continued.",
    limit=120,
)
def _(world: World) -> None:
    for moment in moments(world)[::3]:
        process = start_and_send(world, moment, signal.SIGSTOP)
        process.send(signal.SIGCONT)
        agent = world.agent()
        agent.exit(7)
        expect("the end", process.wait(world.deadline()), "exit 7")
