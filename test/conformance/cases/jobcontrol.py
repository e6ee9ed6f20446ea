"""The launcher stops when its program stops, goes on when it goes on, and at no other time."""

from __future__ import annotations

import os
import shutil
import signal

from harness import procfs
from harness.agent import Agent
from harness.case import Registry, expect, expect_true
from harness.jobshell import Job, JobShell
from harness.process import describe, signal_name
from harness.terminal import CTRL_C, CTRL_Z, Terminal
from harness.world import World

registry = Registry("jobcontrol")


class Scene:
    """The probe under the launcher as a job of a shell."""

    def __init__(self, world: World, foreground: bool = True) -> None:
        self.world = world
        self.terminal: Terminal = world.terminal()
        self.shell: JobShell = world.shell(self.terminal)
        self.job: Job = world.job(self.shell, world.probe, foreground=foreground)
        self.agent: Agent = world.agent()

    def next_stop_or_end(self) -> str:
        change = "continued"
        while change == "continued":
            change = self.job.next_change("the job to stop or end")
        return change

    def expect_stopped(self, by: str = "SIGTSTP") -> None:
        expect("what the shell sees", self.next_stop_or_end(), f"stopped by {by}")
        self.world.until("the program is stopped", lambda: procfs.is_stopped(self.agent.pid))

    def expect_running(self) -> None:
        """The program answers, and the job did not stop again."""
        self.world.settle(self.agent)
        expect("changes that the shell saw", [each for each in self.job.untaken() if each != "continued"], [])

    def finish(self, status: int = 3) -> None:
        self.agent.exit(status)
        expect("the end", self.next_stop_or_end(), f"exit {status}")


@registry.case("ctrl-z", "Ctrl-Z stops program and launcher; the shell sees a stop by SIGTSTP.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    expect_true("the launcher is stopped", procfs.is_stopped(scene.job.pid))


@registry.case("ctrl-z-fg-three-times", "Ctrl-Z and `fg`, three times, and then the program's own end.")
def _(world: World) -> None:
    scene = Scene(world)
    for _ in range(3):
        scene.terminal.type(CTRL_Z)
        scene.expect_stopped()
        scene.job.foreground()
        scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case("ctrl-z-fg-twenty-times", "Ctrl-Z typed as soon as the program goes on, twenty times: no stop is lost and none is doubled.", limit=120)
def _(world: World) -> None:
    scene = Scene(world)
    for _ in range(20):
        scene.terminal.type(CTRL_Z)
        scene.expect_stopped()
        scene.job.foreground()
        scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case("continued", "The shell sees the job go on after `fg`.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.foreground()
    expect("what the shell sees", scene.job.next_change("the job go on"), "continued")
    scene.agent.ping()


@registry.case("fg-then-ctrl-c", "After Ctrl-Z and `fg`, one Ctrl-C is one SIGINT.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.agent.handle(signal.SIGINT)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.foreground()
    scene.agent.ping()
    scene.terminal.type(CTRL_C)
    scene.agent.wait_signal(signal.SIGINT)
    world.settle(scene.agent)
    expect("deliveries", scene.agent.names(), ["SIGINT"])
    scene.finish()


@registry.case("bg", "After Ctrl-Z and `bg` the program runs on in the background.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.background()
    scene.agent.ping()
    expect("the group in the foreground", scene.terminal.foreground(), scene.shell.pid)
    scene.expect_running()
    scene.finish()


@registry.case("bg-then-fg", "After Ctrl-Z, `bg` and `fg`, Ctrl-Z stops it again.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.background()
    scene.agent.ping()
    scene.job.foreground()
    scene.agent.ping()
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.foreground()
    scene.agent.ping()
    scene.finish()


@registry.case("continue-launcher-alone", "SIGCONT sent to the stopped launcher alone (`kill -CONT PID`) makes the program go on.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.send(signal.SIGCONT)
    scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case("one-continue", "A program that catches SIGCONT gets one for each `fg`.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.agent.handle(signal.SIGCONT)
    for count in range(1, 4):
        scene.terminal.type(CTRL_Z)
        scene.expect_stopped()
        scene.job.foreground()
        scene.agent.wait_signal(signal.SIGCONT, count)
        world.settle(scene.agent)
        expect("deliveries", scene.agent.names(), ["SIGCONT"] * count)
    scene.finish()


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
            scene.expect_stopped(signal_name(number))
            scene.job.foreground()
            scene.agent.answer("the answer to raise")
        scene.expect_running()
        scene.finish()

    name = signal_name(number)
    registry.add(f"stops-itself-by-{name}", f"A program that stops itself by {name} stops the job by that signal, and goes on with it.", run)


for each in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
    stops_itself(each)


@registry.case("stopped-from-outside", "A program that somebody stops by SIGSTOP stops the job; ten times over.", limit=120)
def _(world: World) -> None:
    scene = Scene(world)
    for _ in range(10):
        os.kill(scene.agent.pid, signal.SIGSTOP)
        scene.expect_stopped("SIGSTOP")
        scene.job.foreground()
        scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case("editor-style-stop", "A program that catches SIGTSTP, tidies up and then stops its whole group, as editors do, stops the job once.")
def _(world: World) -> None:
    scene = Scene(world)
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


@registry.case("kill-stop-in-background", "SIGTSTP sent to a launcher in the background stops program and job.")
def _(world: World) -> None:
    scene = Scene(world, foreground=False)
    scene.job.send(signal.SIGTSTP)
    scene.expect_stopped()
    scene.job.background()
    scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case("stop-of-launcher", "SIGSTOP sent to the launcher stops the program.", impossible=("spawn", "SIGSTOP cannot be caught: the launcher stops, its program does not"))
def _(world: World) -> None:
    scene = Scene(world)
    scene.job.send(signal.SIGSTOP)
    scene.expect_stopped("SIGSTOP")


@registry.case("launcher-stopped-and-continued", "A launcher that was stopped by SIGSTOP and continued goes on as before.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.agent.handle(signal.SIGTERM)
    scene.job.send(signal.SIGSTOP)
    expect("what the shell sees", scene.next_stop_or_end(), "stopped by SIGSTOP")
    scene.job.foreground()
    scene.agent.ping()
    scene.job.send(signal.SIGTERM)
    scene.agent.wait_signal(signal.SIGTERM)
    scene.expect_running()
    scene.finish()


@registry.case("continue-while-running", "SIGCONT sent to a running launcher in the background reaches the program once.")
def _(world: World) -> None:
    scene = Scene(world, foreground=False)
    scene.agent.handle(signal.SIGCONT)
    scene.job.send(signal.SIGCONT)
    scene.agent.wait_signal(signal.SIGCONT)
    world.settle(scene.agent)
    expect("deliveries", scene.agent.names(), ["SIGCONT"])
    scene.finish()


@registry.case("terminate-while-stopped", "SIGTERM and then SIGCONT end a stopped job by SIGTERM, as `kill %1` does.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.send_group(signal.SIGTERM)
    scene.job.send_group(signal.SIGCONT)
    expect("the end", scene.next_stop_or_end(), "signal SIGTERM")
    expect("processes left behind", world.survivors(), [])


@registry.case("grandchild-stops", "That a grandchild stops is no reason for the job to stop.")
def _(world: World) -> None:
    scene = Scene(world)
    scene.agent.fork()
    grandchild = world.agent("grandchild")
    os.kill(grandchild.pid, signal.SIGSTOP)
    world.until("the grandchild is stopped", lambda: procfs.is_stopped(grandchild.pid))
    scene.expect_running()
    expect("the launcher is stopped", procfs.is_stopped(scene.job.pid), False)
    os.kill(grandchild.pid, signal.SIGCONT)
    scene.finish()


@registry.case("background-read", "A program in the background that reads from the terminal stops the job by SIGTTIN, and reads on after `fg`.")
def _(world: World) -> None:
    scene = Scene(world, foreground=False)
    scene.agent.tell("read 0 100")
    scene.expect_stopped("SIGTTIN")
    scene.job.foreground()
    scene.terminal.type(b"hello\n")
    expect("what the program read", scene.agent.answer("the line that was typed"), "data " + b"hello\n".hex())
    scene.expect_running()
    scene.finish()


@registry.case("background-write", "With `stty tostop`, a program in the background that writes stops the job by SIGTTOU, and writes on after `fg`.")
def _(world: World) -> None:
    import termios

    scene = Scene(world, foreground=False)
    scene.terminal.set_local(termios.TOSTOP, True)
    scene.agent.tell("write 1 78")
    scene.expect_stopped("SIGTTOU")
    scene.job.foreground()
    expect("the answer", scene.agent.answer("the answer to write"), "ok")
    scene.terminal.read_until(b"x")
    scene.expect_running()
    scene.finish()


@registry.case("self-stop-without-terminal", "Without a terminal, a program that stops itself stops the launcher, and SIGCONT to the launcher makes it go on.")
def _(world: World) -> None:
    process, agent = world.program()
    for _ in range(3):
        agent.tell(f"raise {int(signal.SIGSTOP)}")
        change = process.change(world.deadline())
        expect("what the parent sees", change is not None and describe(change), "stopped by SIGSTOP")
        process.send(signal.SIGCONT)
        agent.answer("the answer to raise")
        change = process.change(world.deadline())
        expect("what the parent sees", change is not None and describe(change), "continued")
    agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case("stop-before-start", "Ctrl-Z before the program has started really stops the launcher, and `fg` starts the program.", limit=120)
def _(world: World) -> None:
    terminal = world.terminal()
    shell = world.shell(terminal)
    for _ in range(3):
        job = world.job(shell, world.probe)
        terminal.type(CTRL_Z)
        expect("what the shell sees", job.next_change("the job to stop"), "stopped by SIGTSTP")
        job.foreground()
        agent = world.agent()
        agent.exit(3)
        change = "continued"
        while change == "continued":
            change = job.next_change("the end")
        expect("the end", change, "exit 3")


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


in_shell("in-bash", "The lab book's recipe: Ctrl-Z and `fg`, three times, in an interactive bash.", ["--norc", "--noprofile", "-i"], "bash")
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
