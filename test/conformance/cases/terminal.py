"""On a terminal: the program has it as if the launcher were not there."""

from __future__ import annotations

import os
import select
import signal
import termios
import time
from typing import Callable

from harness.agent import Agent
from harness.case import Registry, expect, expect_true
from harness.jobshell import Job
from harness.process import Process, signal_name
from harness.terminal import CTRL_BACKSLASH, CTRL_C, CTRL_D, Terminal
from harness.world import World

registry = Registry("terminal")


class Scene:
    """A program under the launcher on a terminal."""

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self.terminal: Terminal = world.terminal()
        self.process: Process | Job
        if kind == "leader":  # as in a container with a terminal, or under script(1)
            self.process = world.start(world.probe, terminal=self.terminal)
        else:  # as a job of an interactive shell
            self.shell = world.shell(self.terminal)
            self.process = world.job(self.shell, world.probe, foreground=kind == "job")
        self.agent: Agent = world.agent()

    def end(self) -> str:
        if isinstance(self.process, Process):
            return self.process.wait(self.world.deadline())
        change = "continued"
        while change == "continued":
            change = self.process.next_change("the job's end")
        return change


def expect_only(scene: Scene, number: int) -> None:
    scene.agent.wait_signal(number)
    scene.world.settle(scene.agent)
    expect("signals delivered", scene.agent.names(), [signal_name(number)])


def resize(terminal: Terminal) -> None:
    terminal.resize(50, 132)


EVENTS: list[tuple[str, str, int, Callable[[Terminal], None]]] = [
    ("ctrl-c", "One Ctrl-C is one SIGINT", signal.SIGINT, lambda terminal: terminal.type(CTRL_C)),
    ("ctrl-backslash", "One Ctrl-\\ is one SIGQUIT", signal.SIGQUIT, lambda terminal: terminal.type(CTRL_BACKSLASH)),
    ("resize", "One change of the window's size is one SIGWINCH", signal.SIGWINCH, resize),
]


def once(name: str, doc: str, number: int, event: Callable[[Terminal], None], kind: str, where: str) -> None:
    def run(world: World) -> None:
        scene = Scene(world, kind)
        scene.agent.handle(signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGTSTP, signal.SIGHUP)
        event(scene.terminal)
        expect_only(scene, number)
        scene.agent.exit(3)
        expect("the end", scene.end(), "exit 3")

    registry.add(f"{name}-once-{kind}", f"{doc}, {where}.", run)


for event_name, event_doc, event_number, make_event in EVENTS:
    once(event_name, event_doc, event_number, make_event, "leader", "with the launcher as session leader")
    once(event_name, event_doc, event_number, make_event, "job", "with the launcher as a job of a shell")


@registry.case("ctrl-c-five-times", "Five Ctrl-C, each typed when the one before has arrived, are five SIGINT, and the launcher stays while the program does.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.handle(signal.SIGINT)
    for count in range(1, 6):
        scene.terminal.type(CTRL_C)
        scene.agent.wait_signal(signal.SIGINT, count)
    world.settle(scene.agent)
    expect("deliveries", scene.agent.count(signal.SIGINT), 5)
    scene.agent.exit(0)
    expect("the end", scene.end(), "exit 0")


@registry.case("ctrl-c-kills", "Ctrl-C ends a program that does nothing about it; the shell sees a death by SIGINT.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.terminal.type(CTRL_C)
    expect("the end", scene.end(), "signal SIGINT")
    expect("processes left behind", world.survivors(), [])


@registry.case("ctrl-c-ignored", "The launcher stays while a program that ignores SIGINT lives on, and the program keeps the terminal.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.ignore(signal.SIGINT)
    scene.terminal.type(CTRL_C)
    world.settle(scene.agent)
    scene.terminal.type(b"still here\n")
    expect("what the program reads", scene.agent.read(0), b"still here\n")
    expect("the foreground group", scene.terminal.foreground(), scene.process.pid)
    scene.agent.exit(0)
    expect("the end", scene.end(), "exit 0")


@registry.case("ctrl-c-then-own-exit", "A program that catches SIGINT and exits 130 is an exit.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.agent.handle(signal.SIGINT)
    scene.terminal.type(CTRL_C)
    scene.agent.wait_signal(signal.SIGINT)
    scene.agent.exit(130)
    expect("the end", scene.end(), "exit 130")


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
    for step in range(36):
        moment = taken * 1.2 * step / 35
        job = world.job(scene.shell, world.probe)
        select.select([], [], [], moment)
        scene.terminal.type(CTRL_C)
        expect(f"the end after Ctrl-C at {moment * 1000:.1f} ms", job.next_change(f"the end after Ctrl-C at {moment * 1000:.1f} ms"), "signal SIGINT")
        expect("processes left behind", world.survivors(), [])


@registry.case("other-terminal", "A terminal that is only standard input, and not the controlling one, changes nothing: SIGINT is forwarded once.")
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
        expect_only(scene, number)

    name = signal_name(number)
    registry.add(f"kill-{name}-in-foreground", f"{name} sent by kill to a launcher in the foreground reaches the program once.", run)


for each in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
    forwards_in_foreground(each)


@registry.case("kill-SIGINT-in-foreground", "SIGINT sent by kill to the launcher alone, in the foreground, reaches the program once.", impossible=("spawn", "Node does not tell the terminal's SIGINT, which the program gets from the kernel, from one sent by kill"))
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.handle(signal.SIGINT)
    scene.process.send(signal.SIGINT)
    expect_only(scene, signal.SIGINT)


@registry.case("kill-SIGINT-in-background", "SIGINT sent by kill to a launcher in the background reaches the program once.")
def _(world: World) -> None:
    scene = Scene(world, "background")
    scene.agent.handle(signal.SIGINT)
    scene.process.send(signal.SIGINT)
    expect_only(scene, signal.SIGINT)


@registry.case("background-then-foreground", "After `fg` of a job started in the background, one Ctrl-C is one SIGINT.")
def _(world: World) -> None:
    scene = Scene(world, "background")
    assert isinstance(scene.process, Job)
    scene.agent.handle(signal.SIGINT)
    scene.process.foreground()
    scene.agent.ping()
    scene.terminal.type(CTRL_C)
    expect_only(scene, signal.SIGINT)


@registry.case("is-terminal", "The program's standard streams are the terminal.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    slave = os.fstat(scene.terminal.slave)
    for number in range(3):
        found = scene.agent.descriptor(number)
        expect(f"descriptor {number}", found and (found["tty"], found["ino"], found["dev"]), (1, slave.st_ino, slave.st_dev))


@registry.case("controlling", "The program has the controlling terminal.")
def _(world: World) -> None:
    expect_true("/dev/tty can be opened", Scene(world, "leader").agent.ok("open-terminal") > 2)


@registry.case("foreground-group", "The foreground process group is the launcher's before, during and after the program's run, and the program is in it.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    expect("the group in the foreground, as the harness sees it", scene.terminal.foreground(), scene.process.pid)
    expect("the group in the foreground, as the program sees it", scene.agent.hello["foreground"], scene.process.pid)
    expect("the program's group", scene.agent.hello["pgrp"], scene.process.pid)
    scene.agent.exit(0)
    expect("the end", scene.end(), "exit 0")
    expect("the group in the foreground afterwards", scene.terminal.foreground(), scene.shell.pid)


@registry.case("settings-at-start", "The terminal's settings are what they were when the program starts.")
def _(world: World) -> None:
    terminal = world.terminal()
    terminal.set_local(termios.ECHOCTL, False)
    before = terminal.settings()
    world.start(world.probe, terminal=terminal)
    world.agent()
    expect("the settings", terminal.settings(), before)


def persists(name: str, doc: str, command: list[str], end: str) -> None:
    def run(world: World) -> None:
        terminal = world.terminal()
        shell = world.shell(terminal)
        expect("the terminal echoes before", terminal.echoes(), True)
        job = world.job(shell, *command)
        expect("the end", job.next_change("the end"), end)
        expect("the terminal echoes afterwards", terminal.echoes(), False)

    registry.add(name, doc, run, requires=["stty"])


persists("stty-persists", "`stty -echo` under the launcher lasts after the launcher's end.", ["stty", "-echo"], "exit 0")
persists("stty-persists-after-death", "So it does when the program is killed.", ["sh", "-c", "stty -echo; kill -KILL $$"], "signal SIGKILL")
persists("stty-persists-after-failure", "So it does when the program fails.", ["sh", "-c", "stty -echo; exit 4"], "exit 4")


@registry.case("settings-restored-by-program", "A program that changes the settings and puts them back leaves them as they were.", requires=["stty"])
def _(world: World) -> None:
    terminal = world.terminal()
    before = terminal.settings()
    job = world.job(world.shell(terminal), "sh", "-c", "old=$(stty -g); stty raw -echo; stty $old")
    expect("the end", job.next_change("the end"), "exit 0")
    expect("the settings", terminal.settings(), before)


@registry.case("type-ahead", "What was typed before the program started is the program's.")
def _(world: World) -> None:
    terminal = world.terminal()
    terminal.type(b"typed ahead\n")
    world.start(world.probe, terminal=terminal)
    expect("what the program reads", world.agent().read(0), b"typed ahead\n")


@registry.case("every-line", "Every line typed is read by the program: the launcher takes none.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    for count in range(40):
        line = f"line {count}\n".encode()
        scene.terminal.type(line)
        expect("what the program reads", scene.agent.read(0), line)


@registry.case("ctrl-d", "Ctrl-D is an end of file to the program.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.terminal.type(CTRL_D)
    expect("what the program reads", scene.agent.read(0), b"")


@registry.case("window-size", "The program sees the window's size, and the new one after a change.", requires=["stty"])
def _(world: World) -> None:
    terminal = world.terminal()
    terminal.resize(33, 111)
    world.start("stty", "size", terminal=terminal)
    terminal.read_until(b"33 111")


@registry.case("prints-nothing", "The launcher itself writes nothing to the terminal.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.write(1, b"only this\n")
    scene.agent.exit(0)
    expect("the end", scene.end(), "exit 0")
    expect("what is shown", scene.terminal.drain(), b"only this\r\n")


@registry.case("hang-up-leader-once", "When the terminal goes away, a program under a session leader gets SIGHUP once.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.agent.handle(signal.SIGHUP)
    scene.terminal.hang_up()
    expect_only(scene, signal.SIGHUP)
    scene.agent.exit(3)
    expect("the end", scene.end(), "exit 3")


@registry.case("hang-up-leader-kills", "When the terminal goes away, a program that does nothing about it dies of SIGHUP, and so does the launcher.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.terminal.hang_up()
    expect("the end", scene.end(), "signal SIGHUP")
    world.until("nothing is left behind", lambda: not world.survivors())


def hung_up_job(world: World) -> tuple[Scene, Process]:
    scene = Scene(world, "job")
    scene.agent.handle(signal.SIGHUP)
    scene.terminal.hang_up()
    # The shell is gone, as a shell is whose window was closed; the launcher's parent is now the worker.
    world.stop_watching()
    scene.agent.wait_signal(signal.SIGHUP)
    return scene, Process(scene.process.pid)


@registry.case("hang-up-job-once", "When the terminal goes away and the shell ends, a job in the foreground gets SIGHUP once.")
def _(world: World) -> None:
    scene, process = hung_up_job(world)
    world.settle(scene.agent)
    expect("deliveries", scene.agent.count(signal.SIGHUP), 1)
    scene.agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case("hang-up-job-kills", "A job in the foreground that does nothing about it is gone after the hang-up, launcher and all.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.terminal.hang_up()
    world.stop_watching()
    scene.agent.wait_end()
    world.until("nothing is left behind", lambda: not world.survivors())


@registry.case("hang-up-survived", "A program that survives the hang-up can still be sent SIGTERM through the launcher.")
def _(world: World) -> None:
    scene, process = hung_up_job(world)
    scene.agent.handle(signal.SIGTERM)
    process.send(signal.SIGTERM)
    scene.agent.wait_signal(signal.SIGTERM)
    scene.agent.exit(0)
    expect("the end", process.wait(world.deadline()), "exit 0")
