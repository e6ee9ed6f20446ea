"""The program has the terminal as if the launcher were not there: its settings, its input, its foreground."""

from __future__ import annotations

import os
import termios

from harness.case import Registry, expect, expect_true
from harness.scene import Scene
from harness.terminal import CTRL_D
from harness.world import World

registry = Registry("terminal")


@registry.case("is-terminal", "The program's standard streams are the terminal.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    slave = os.fstat(scene.terminal.slave)
    for number in range(3):
        found = scene.agent.descriptor(number)
        expect(
            f"descriptor {number}",
            found and (found["tty"], found["ino"], found["dev"]),
            (1, slave.st_ino, slave.st_dev),
        )


@registry.case("controlling", "The program has the controlling terminal.")
def _(world: World) -> None:
    expect_true("/dev/tty can be opened", Scene(world, "leader").agent.ok("open-terminal") > 2)


@registry.case(
    "foreground-group",
    "The foreground process group is the launcher's before, during and after the program's run, and the program is in it.",
)
def _(world: World) -> None:
    scene = Scene(world, "job")
    expect("the group in the foreground, as the harness sees it", scene.terminal.foreground(), scene.process.pid)
    expect("the group in the foreground, as the program sees it", scene.agent.hello["foreground"], scene.process.pid)
    expect("the program's group", scene.agent.hello["pgrp"], scene.process.pid)
    scene.finish(0)
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


persists(
    "stty-persists", "`stty -echo` under the launcher lasts after the launcher's end.", ["stty", "-echo"], "exit 0"
)


persists(
    "stty-persists-after-death",
    "So it does when the program is killed.",
    ["sh", "-c", "stty -echo; kill -KILL $$"],
    "signal SIGKILL",
)


persists(
    "stty-persists-after-failure", "So it does when the program fails.", ["sh", "-c", "stty -echo; exit 4"], "exit 4"
)


@registry.case(
    "settings-restored-by-program",
    "A program that changes the settings and puts them back leaves them as they were.",
    requires=["stty"],
)
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
    shell = world.shell(terminal)
    for rows, columns in ((33, 111), (12, 34)):
        terminal.resize(rows, columns)
        job = world.job(shell, "stty", "size")
        terminal.read_until(f"{rows} {columns}".encode())
        expect("the end", job.next_change("the end"), "exit 0")


@registry.case("prints-nothing", "The launcher itself writes nothing to the terminal.")
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.agent.write(1, b"only this\n")
    scene.finish(0)
    expect("what is shown", scene.terminal.drain(), b"only this\r\n")
