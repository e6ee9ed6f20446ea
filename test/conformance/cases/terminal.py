"""On a terminal, one key is one signal, and a signal sent by kill is another one."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable

from harness.case import BY_NODE, Registry, expect
from harness.process import signal_name
from harness.scene import Kind, Scene
from harness.terminal import CTRL_BACKSLASH, CTRL_C, Terminal
from harness.world import World

registry = Registry("terminal")


def resize(terminal: Terminal) -> None:
    terminal.resize(50, 132)


EVENTS: list[tuple[str, str, int, Callable[[Terminal], None]]] = [
    ("ctrl-c", "One Ctrl-C is one SIGINT", signal.SIGINT, lambda terminal: terminal.type(CTRL_C)),
    ("ctrl-backslash", "One Ctrl-\\ is one SIGQUIT", signal.SIGQUIT, lambda terminal: terminal.type(CTRL_BACKSLASH)),
    ("resize", "One change of the window's size is one SIGWINCH", signal.SIGWINCH, resize),
]


def once(name: str, doc: str, number: int, event: Callable[[Terminal], None], kind: Kind, where: str) -> None:
    def run(world: World) -> None:
        scene = Scene(world, kind)
        scene.agent.handle(signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGTSTP, signal.SIGHUP)
        event(scene.terminal)
        scene.expect_only(number)
        scene.finish(3)

    registry.add(f"{name}-once-{kind}", f"{doc}, {where}.", run)


for event_name, event_doc, event_number, make_event in EVENTS:
    once(event_name, event_doc, event_number, make_event, "leader", "with the launcher as session leader")
    once(event_name, event_doc, event_number, make_event, "job", "with the launcher as a job of a shell")


@registry.case(
    "ctrl-c-five-times",
    "Five Ctrl-C, each typed when the one before has arrived, are five SIGINT, and the launcher lives as long as the program.",
)
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.handle(signal.SIGINT)
    for count in range(1, 6):
        scene.terminal.type(CTRL_C)
        scene.agent.wait_signal(signal.SIGINT, count)
    world.settle(scene.agent)
    expect("deliveries", scene.agent.count(signal.SIGINT), 5)
    scene.finish(0)


@registry.case("ctrl-c-kills", "Ctrl-C ends a program that does nothing about it; the shell sees a death by SIGINT.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.terminal.type(CTRL_C)
    expect("the end", scene.end(), "signal SIGINT")
    expect("processes left behind", world.survivors(), [])


@registry.case(
    "ctrl-c-ignored",
    "The launcher lives as long as a program that ignores SIGINT, and the program keeps the terminal.",
)
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.ignore(signal.SIGINT)
    scene.terminal.type(CTRL_C)
    world.settle(scene.agent)
    scene.terminal.type(b"still here\n")
    expect("what the program reads", scene.agent.read(0), b"still here\n")
    expect("the foreground group", scene.terminal.foreground(), scene.process.pid)
    scene.finish(0)


@registry.case("ctrl-c-then-own-exit", "A program that catches SIGINT and exits 130 is an exit.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.agent.handle(signal.SIGINT)
    scene.terminal.type(CTRL_C)
    scene.agent.wait_signal(signal.SIGINT)
    scene.finish(130)


@registry.case("ctrl-c-redirected", "One Ctrl-C is one SIGINT too when all standard streams are redirected.")
def _(world: World) -> None:
    terminal = world.terminal()
    null = world.null
    process = world.start(world.probe, terminal=terminal, stdin=null, stdout=null, stderr=null)
    agent = world.agent()
    agent.handle(signal.SIGINT)
    terminal.type(CTRL_C)
    agent.wait_signal(signal.SIGINT)
    world.settle(agent)
    expect("deliveries", agent.count(signal.SIGINT), 1)
    agent.exit(0)
    expect("the end", process.wait(world.deadline()), "exit 0")


@registry.case("ctrl-c-in-script", "One Ctrl-C is one SIGINT when a script runs the launcher in its own process group.")
def _(world: World) -> None:
    terminal = world.terminal()
    shell = world.shell(terminal)
    job = shell.start(["/bin/sh", "-c", f"trap : INT; {world.command_line(world.probe)}; exit 5"], foreground=True)
    agent = world.agent()
    agent.handle(signal.SIGINT)
    terminal.type(CTRL_C)
    agent.wait_signal(signal.SIGINT)
    world.settle(agent)
    expect("deliveries", agent.count(signal.SIGINT), 1)
    agent.exit(0)
    expect("the end", job.next_change("the end"), "exit 5")


@registry.case("ctrl-c-at-start", "Ctrl-C at any moment from the start on ends all, and is never lost.", limit=120)
def _(world: World) -> None:
    began = time.monotonic()
    scene = Scene(world, "job")
    taken = time.monotonic() - began
    scene.agent.exit(0)
    scene.end()
    steps = 2 * world.moments
    for step in range(steps):
        moment = taken * 1.2 * step / (steps - 1)
        job = world.job(scene.shell, world.probe)
        select.select([], [], [], moment)
        scene.terminal.type(CTRL_C)
        expect(
            f"the end after Ctrl-C at {moment * 1000:.1f} ms",
            job.next_change(f"the end after Ctrl-C at {moment * 1000:.1f} ms"),
            "signal SIGINT",
        )
        expect("processes left behind", world.survivors(), [])


@registry.case(
    "other-terminal",
    "A terminal that is only standard input, and not the controlling one, changes nothing: SIGINT is forwarded once.",
)
def _(world: World) -> None:
    terminal = world.terminal()
    process, agent = world.program(stdin=terminal.slave)
    agent.handle(signal.SIGINT, signal.SIGWINCH)
    for number in (signal.SIGINT, signal.SIGWINCH):
        process.send(number)
        agent.wait_signal(number)
    world.settle(agent)
    expect("signals delivered", agent.names(), ["SIGINT", "SIGWINCH"])


def forwards_in_foreground(number: int) -> None:
    def run(world: World) -> None:
        scene = Scene(world, "job")
        scene.agent.handle(number)
        scene.process.send(number)
        scene.expect_only(number)

    name = signal_name(number)
    registry.add(
        f"kill-{name}-in-foreground",
        f"{name} sent by kill to a launcher in the foreground reaches the program once.",
        run,
    )


for each in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
    forwards_in_foreground(each)


@registry.case(
    "kill-SIGINT-in-foreground",
    "SIGINT sent by kill to the launcher alone, in the foreground, reaches the program once.",
    impossible=(
        BY_NODE,
        "Node does not tell the terminal's SIGINT, which the program gets from the kernel, from one sent by kill",
    ),
)
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.handle(signal.SIGINT)
    scene.process.send(signal.SIGINT)
    scene.expect_only(signal.SIGINT)


@registry.case(
    "kill-SIGINT-in-background", "SIGINT sent by kill to a launcher in the background reaches the program once."
)
def _(world: World) -> None:
    scene = Scene(world, "background")
    scene.agent.handle(signal.SIGINT)
    scene.process.send(signal.SIGINT)
    scene.expect_only(signal.SIGINT)


@registry.case("background-then-foreground", "After `fg` of a job started in the background, one Ctrl-C is one SIGINT.")
def _(world: World) -> None:
    scene = Scene(world, "background")
    scene.agent.handle(signal.SIGINT)
    scene.job.foreground()
    scene.agent.ping()
    scene.terminal.type(CTRL_C)
    scene.expect_only(signal.SIGINT)
