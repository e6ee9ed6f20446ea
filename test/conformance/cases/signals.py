"""Every signal that can be caught reaches the program exactly once and in order, with no other effect."""

from __future__ import annotations

import os
import signal
import statistics
import time

from harness.agent import Agent
from harness.case import BY_NODE, Registry, expect, expect_true
from harness.process import Process, signal_name
from harness.waiting import Deadline, readable
from harness.world import World

registry = Registry("signals")


SIGSTKFLT = 16


FORWARDED = [
    *[
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGPIPE,
    ],
    *[
        signal.SIGALRM,
        signal.SIGTERM,
        SIGSTKFLT,
        signal.SIGCONT,
        signal.SIGTSTP,
        signal.SIGTTIN,
        signal.SIGTTOU,
        signal.SIGURG,
    ],
    *[
        signal.SIGXCPU,
        signal.SIGXFSZ,
        signal.SIGVTALRM,
        signal.SIGPROF,
        signal.SIGWINCH,
        signal.SIGIO,
        signal.SIGPWR,
        signal.SIGSYS,
    ],
]


def expect_counts(world: World, agent: Agent, expected: dict[int, int]) -> None:
    """When no more signals can come: each was delivered this often, and no other."""
    world.settle(agent)
    seen = {signal_name(number): agent.count(number) for number in sorted({number for number, _, _ in agent.signals})}
    expect("deliveries", seen, {signal_name(number): expected[number] for number in sorted(expected)})


def start_catching(world: World, *numbers: int) -> tuple[Process, Agent]:
    process, agent = world.program()
    agent.handle(*numbers)
    return process, agent


def finish(world: World, process: Process, agent: Agent, status: int = 3) -> None:
    agent.exit(status)
    expect("the end", process.wait(world.deadline()), f"exit {status}")


def forwards(number: int) -> None:
    def run(world: World) -> None:
        process, agent = start_catching(world, *FORWARDED)
        process.send(number)
        agent.wait_signal(number)
        expect_counts(world, agent, {number: 1})
        finish(world, process, agent)

    name = signal_name(number)
    registry.add(f"forward-{name}-once", f"{name} sent to the launcher reaches the program exactly once.", run)


for each in FORWARDED:
    forwards(each)


@registry.case(
    "forward-real-time",
    "A real-time signal reaches the program.",
    impossible=(BY_NODE, "Node has no listeners for real-time signals: they kill the launcher"),
)
def _(world: World) -> None:
    number = signal.SIGRTMIN + 1
    process, agent = start_catching(world, number)
    process.send(number)
    agent.wait_signal(number)
    expect_counts(world, agent, {number: 1})


@registry.case(
    "forward-fault-signals",
    "SIGSEGV, SIGBUS, SIGFPE and SIGILL sent by kill reach the program.",
    impossible=(
        BY_NODE,
        "a listener for a fault signal would loop for ever on a real fault of the launcher, so it has none",
    ),
)
def _(world: World) -> None:
    numbers = [signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL]
    process, agent = start_catching(world, *numbers)
    for number in numbers:
        process.send(number)
        agent.wait_signal(number)
    expect_counts(world, agent, {number: 1 for number in numbers})


@registry.case(
    "forward-SIGCHLD",
    "SIGCHLD sent by kill reaches the program.",
    impossible=(BY_NODE, "the launcher's own SIGCHLD cannot be told from one that another process sent"),
)
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGCHLD)
    process.send(signal.SIGCHLD)
    agent.wait_signal(signal.SIGCHLD)
    expect_counts(world, agent, {signal.SIGCHLD: 1})


@registry.case("order", "Fifty alternating signals arrive in order, each once.")
def _(world: World) -> None:
    pattern = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM] * 10
    process, agent = start_catching(world, *set(pattern))
    for position, number in enumerate(pattern):
        process.send(number)
        agent.wait_signal(number, pattern[: position + 1].count(number))
    world.settle(agent)
    expect("the order", agent.names(), [signal_name(number) for number in pattern])
    finish(world, process, agent)


@registry.case("burst", "Twelve different signals sent at one go all arrive, each once.")
def _(world: World) -> None:
    burst = [
        *[
            signal.SIGTERM,
            signal.SIGHUP,
            signal.SIGUSR2,
            signal.SIGINT,
            signal.SIGALRM,
            signal.SIGQUIT,
            signal.SIGUSR1,
            signal.SIGWINCH,
        ],
        *[signal.SIGURG, signal.SIGIO, signal.SIGPIPE, signal.SIGPROF],
    ]
    process, agent = start_catching(world, *burst)
    for number in burst:
        process.send(number)
    for number in burst:
        agent.wait_signal(number)
    expect_counts(world, agent, {number: 1 for number in burst})
    finish(world, process, agent)


@registry.case(
    "many", "Three hundred signals, each sent when the one before has arrived, are three hundred deliveries."
)
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGUSR1)
    for count in range(1, 301):
        process.send(signal.SIGUSR1)
        agent.wait_signal(signal.SIGUSR1, count)
    expect_counts(world, agent, {signal.SIGUSR1: 300})
    finish(world, process, agent)


@registry.case("no-escalation", "Ten SIGINT and ten SIGTERM are no reason to kill a program that catches them.")
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGINT, signal.SIGTERM)
    for count in range(1, 11):
        for number in (signal.SIGINT, signal.SIGTERM):
            process.send(number)
            agent.wait_signal(number, count)
    expect_counts(world, agent, {signal.SIGINT: 10, signal.SIGTERM: 10})
    finish(world, process, agent, 0)


@registry.case(
    "ignored-by-program", "A program may ignore SIGTERM, SIGINT and SIGHUP: neither it nor the launcher ends."
)
def _(world: World) -> None:
    process, agent = world.program()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    agent.ignore(*numbers)
    for number in numbers:
        process.send(number)
    world.settle(agent)
    expect("the launcher has ended", process.ended(), False)
    finish(world, process, agent)


@registry.case("no-grace-kill", "A program that takes its time after SIGTERM is not killed (watched for 2.5 s).")
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGTERM)
    process.send(signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    ended = readable([agent.connection.fileno()], Deadline(2.5))
    expect("the program was disturbed meanwhile", bool(ended), False)
    expect_counts(world, agent, {signal.SIGTERM: 1})
    finish(world, process, agent, 9)


@registry.case("trap-in-shell", "A shell that traps SIGTERM and exits 9 is an exit 9.")
def _(world: World) -> None:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    process = world.start("sh", "-c", 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done', stdout=writing)
    os.close(writing)
    expect("the first output", os.read(reading, 100), b"ready\n")
    process.send(signal.SIGTERM)
    expect("the end", process.wait(world.deadline()), "exit 9")


@registry.case("by-kill", "The signals carry SI_USER, as those of kill(2) do.")
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGUSR1)
    process.send(signal.SIGUSR1)
    agent.wait_signal(signal.SIGUSR1)
    expect("si_code", agent.signals[0][1], 0)


@registry.case(
    "not-to-the-group", "A signal for the launcher is for the program alone, not for others in the process group."
)
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGTERM)
    agent.fork()  # inherits the handler
    other = world.agent("grandchild")
    process.send(signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    expect_counts(world, agent, {signal.SIGTERM: 1})
    other.ping()
    expect("deliveries to another process of the group", other.count(signal.SIGTERM), 0)


@registry.case(
    "group-kill-once",
    "SIGTERM sent to the whole process group reaches the program once.",
    impossible=(
        BY_NODE,
        "Node does not tell whether a signal was sent to the process or to its group, so the program gets the sender's and the launcher's",
    ),
)
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGTERM)
    os.killpg(process.pid, signal.SIGTERM)
    agent.wait_signal(signal.SIGTERM)
    expect_counts(world, agent, {signal.SIGTERM: 1})


@registry.case(
    "to-the-program", "A signal sent to the program itself is its own affair: the launcher does not add one."
)
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGUSR1)
    os.kill(agent.pid, signal.SIGUSR1)
    agent.wait_signal(signal.SIGUSR1)
    expect_counts(world, agent, {signal.SIGUSR1: 1})
    finish(world, process, agent)


@registry.case("prompt", "A signal reaches the program within 50 ms at the median of 21.")
def _(world: World) -> None:
    process, agent = start_catching(world, signal.SIGUSR2)
    times: list[float] = []
    for count in range(1, 22):
        sent = time.monotonic()
        process.send(signal.SIGUSR2)
        agent.wait_signal(signal.SIGUSR2, count)
        times.append(time.monotonic() - sent)
    median = statistics.median(times)
    expect_true(f"a median under 50 ms (it was {median * 1000:.1f} ms)", median < 0.05)
