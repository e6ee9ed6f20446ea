"""The launcher stops and continues together with its program, and at no other time."""

from __future__ import annotations

import os
import signal

from harness import procfs
from harness.case import Registry, expect, expect_true
from harness.process import describe
from harness.scene import Scene
from harness.terminal import CTRL_C, CTRL_Z
from harness.world import World

registry = Registry("jobcontrol")


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
        scene.stop_and_resume()
    scene.expect_running()
    scene.finish()


@registry.case(
    "ctrl-z-fg-twenty-times",
    "Ctrl-Z typed as soon as the program continues, twenty times: no stop is lost or doubled.",
    limit=120,
)
def _(world: World) -> None:
    scene = Scene(world)
    for _ in range(20):
        scene.stop_and_resume()
    scene.expect_running()
    scene.finish()


@registry.case("continued", "The shell sees the job continue after `fg`.")
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
    scene.stop_and_resume()
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
    scene.stop_and_resume()
    scene.finish()


@registry.case(
    "continue-launcher-alone", "SIGCONT sent to the stopped launcher alone (`kill -CONT PID`) makes the program go on."
)
def _(world: World) -> None:
    scene = Scene(world)
    scene.terminal.type(CTRL_Z)
    scene.expect_stopped()
    scene.job.send(signal.SIGCONT)
    scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case(
    "continue-then-ctrl-z",
    "SIGCONT to a running job and Ctrl-Z right after it, twenty times: the program and the job stay stopped.",
    limit=120,
)
def _(world: World) -> None:
    scene = Scene(world)
    for _ in range(20):
        scene.job.send(signal.SIGCONT)
        scene.stop_and_resume()
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


@registry.case("kill-stop-in-background", "SIGTSTP sent to a launcher in the background stops program and job.")
def _(world: World) -> None:
    scene = Scene(world, "background")
    scene.job.send(signal.SIGTSTP)
    scene.expect_stopped()
    scene.job.background()
    scene.agent.ping()
    scene.expect_running()
    scene.finish()


@registry.case(
    "stop-of-launcher",
    "SIGSTOP sent to the launcher stops the program.",
    impossible=("spawn", "SIGSTOP cannot be caught: the launcher stops, its program does not"),
)
def _(world: World) -> None:
    scene = Scene(world)
    scene.job.send(signal.SIGSTOP)
    scene.expect_stopped(signal.SIGSTOP)


@registry.case(
    "launcher-stopped-and-continued", "A launcher that was stopped by SIGSTOP and continued goes on as before."
)
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


@registry.case(
    "continue-while-running", "SIGCONT sent to a running launcher in the background reaches the program once."
)
def _(world: World) -> None:
    scene = Scene(world, "background")
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


@registry.case(
    "self-stop-without-terminal",
    "Without a terminal, a program that stops itself stops the launcher, and SIGCONT to the launcher makes it go on.",
)
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


@registry.case(
    "stop-before-start",
    "Ctrl-Z before the program has started really stops the launcher, and `fg` starts the program.",
    limit=120,
)
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
