"""Programs that handle stops themselves, and the shells around and inside."""

from __future__ import annotations

import os
import shutil
import signal
import termios

from harness import procfs
from harness.case import Registry, expect, expect_true
from harness.process import signal_name
from harness.scene import Scene
from harness.terminal import CTRL_C, CTRL_Z
from harness.world import World

registry = Registry("jobcontrol")


def not_stopped(name: str, doc: str, prepare: str) -> None:
    def run(world: World) -> None:
        scene = Scene(world)
        getattr(scene.agent, prepare)(signal.SIGTSTP)
        scene.terminal.type(CTRL_Z)
        if prepare == "handle":
            scene.agent.wait_signal(signal.SIGTSTP)
        scene.expect_running()
        expect("the launcher is stopped", procfs.is_stopped(scene.job.pid), False)
        expect("deliveries", scene.agent.count(signal.SIGTSTP), 1 if prepare == "handle" else 0)
        scene.finish()

    registry.add(name, doc, run)


not_stopped("program-catches-stop", "A program that catches SIGTSTP gets it once, and the job does not stop.", "handle")


not_stopped("program-ignores-stop", "A program that ignores SIGTSTP does not stop, nor does the job.", "ignore")


def stops_itself(number: int) -> None:
    def run(world: World) -> None:
        scene = Scene(world)
        for _ in range(2):
            scene.agent.tell(f"raise {int(number)}")
            scene.expect_stopped(number)
            scene.job.foreground()
            scene.agent.answer("the answer to raise")
        scene.expect_running()
        scene.finish()

    name = signal_name(number)
    registry.add(
        f"stops-itself-by-{name}",
        f"A program that stops itself by {name} stops the job by that signal, and goes on with it.",
        run,
    )


for each in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
    stops_itself(each)


@registry.case(
    "stopped-from-outside", "A program that another process stops by SIGSTOP stops the job, ten times.", limit=120
)
def _(world: World) -> None:
    scene = Scene(world)
    for _ in range(10):
        os.kill(scene.agent.pid, signal.SIGSTOP)
        scene.expect_stopped(signal.SIGSTOP)
        scene.job.foreground()
        scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case(
    "editor-style-stop",
    "A program that catches SIGTSTP, tidies up and then stops its whole group, as editors do, stops the job once.",
)
def _(world: World) -> None:
    scene = Scene(world)
    # The first milliseconds, in which a launcher may not tell what the program got, are another concern.
    scene.expect_running()
    for _ in range(3):
        before = scene.agent.count(signal.SIGTSTP)
        scene.agent.handle(signal.SIGTSTP)
        scene.terminal.type(CTRL_Z)
        scene.agent.wait_signal(signal.SIGTSTP, before + 1)
        scene.agent.default(signal.SIGTSTP)
        scene.agent.tell(f"raise-group {int(signal.SIGTSTP)}")
        scene.expect_stopped()
        scene.job.foreground()
        scene.agent.answer("the answer to raise-group")
        scene.expect_running()
    scene.finish()


@registry.case("editor-style-self-stop", "So it does when the program stops itself alone.")
def _(world: World) -> None:
    scene = Scene(world)
    # The first milliseconds, in which a launcher may not tell what the program got, are another concern.
    scene.expect_running()
    for _ in range(3):
        before = scene.agent.count(signal.SIGTSTP)
        scene.agent.handle(signal.SIGTSTP)
        scene.terminal.type(CTRL_Z)
        scene.agent.wait_signal(signal.SIGTSTP, before + 1)
        scene.agent.default(signal.SIGTSTP)
        scene.agent.tell(f"raise {int(signal.SIGTSTP)}")
        scene.expect_stopped()
        scene.job.foreground()
        scene.agent.answer("the answer to raise")
        scene.expect_running()
    scene.finish()


@registry.case(
    "background-read",
    "A program in the background that reads from the terminal stops the job by SIGTTIN, and reads on after `fg`.",
)
def _(world: World) -> None:
    scene = Scene(world, "background")
    scene.agent.tell("read 0 100")
    scene.expect_stopped(signal.SIGTTIN)
    scene.job.foreground()
    scene.terminal.type(b"hello\n")
    expect("what the program read", scene.agent.answer("the line that was typed"), "data " + b"hello\n".hex())
    scene.expect_running()
    scene.finish()


@registry.case(
    "background-write",
    "With `stty tostop`, a program in the background that writes stops the job by SIGTTOU, and writes on after `fg`.",
)
def _(world: World) -> None:
    scene = Scene(world, "background")
    scene.terminal.set_local(termios.TOSTOP, True)
    scene.agent.tell("write 1 78")
    scene.expect_stopped(signal.SIGTTOU)
    scene.job.foreground()
    expect("the answer", scene.agent.answer("the answer to write"), "ok")
    scene.terminal.read_until(b"x")
    scene.expect_running()
    scene.finish()


def in_shell(name: str, doc: str, words: list[str], shell: str) -> None:
    def run(world: World) -> None:
        terminal = world.terminal()
        path = shutil.which(shell)
        assert path is not None
        world.start_words([path, *words], world.setup(terminal=terminal, env={"PS1": "$ ", "PS2": "", "HISTFILE": ""}))
        terminal.type(world.command_line(world.probe, "007").encode() + b"\n")
        agent = world.agent()
        for _ in range(3):
            terminal.type(CTRL_Z)
            world.until("the program is stopped", lambda: procfs.is_stopped(agent.pid))
            terminal.drain()
            terminal.type(b"echo st''opped $(jobs | grep -ci -e stopped -e suspended)\n")
            terminal.read_until(b"stopped 1")
            terminal.type(b"fg\n")
            agent.ping()
        agent.exit(5)
        terminal.type(b"echo ended''with $?\n")
        terminal.read_until(b"endedwith 5")

    registry.add(name, doc, run, requires=[shell])


in_shell(
    "in-bash",
    "The lab book's recipe: Ctrl-Z and `fg`, three times, in an interactive bash.",
    ["--norc", "--noprofile", "-i"],
    "bash",
)


in_shell("in-zsh", "The same in an interactive zsh.", ["-f", "-i", "+Z"], "zsh")


@registry.case("bash-inside", "An interactive bash under the launcher has job control.", requires=["bash"])
def _(world: World) -> None:
    terminal = world.terminal()
    shell = world.shell(terminal, env={"PS1": "$ ", "HISTFILE": ""})
    job = world.job(shell, "bash", "--norc", "--noprofile", "-i")
    terminal.type(f"{world.probe} inside\n".encode())
    agent = world.agent()
    expect("job control messages", b"no job control" in terminal.drain(), False)
    expect_true("the inner program has a group of its own", agent.hello["pgrp"] == agent.pid)
    expect("the group in the foreground", terminal.foreground(), agent.pid)
    for _ in range(2):
        terminal.type(CTRL_Z)
        world.until("the inner program is stopped", lambda: procfs.is_stopped(agent.pid))
        terminal.read_until(b"Stopped")
        terminal.type(b"fg\n")
        agent.ping()
    agent.handle(signal.SIGINT)
    terminal.type(CTRL_C)
    agent.wait_signal(signal.SIGINT)
    agent.exit(0)
    terminal.type(b"exit 6\n")
    expect("the end", job.next_change("the end of bash"), "exit 6")
