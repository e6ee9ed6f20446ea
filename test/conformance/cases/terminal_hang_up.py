"""The terminal goes away: one SIGHUP, and nothing is left behind."""

from __future__ import annotations

import os
import signal

from harness import procfs
from harness.case import Registry, expect
from harness.process import Process
from harness.scene import Scene
from harness.world import World

registry = Registry("terminal")


@registry.case("hang-up-leader-once", "When the terminal goes away, a program under a session leader gets SIGHUP once.")
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.agent.handle(signal.SIGHUP)
    scene.terminal.hang_up()
    scene.expect_only(signal.SIGHUP)
    scene.finish(3)


@registry.case(
    "hang-up-leader-kills",
    "When the terminal goes away, a program that does nothing about it dies of SIGHUP, and so does the launcher.",
)
def _(world: World) -> None:
    scene = Scene(world, "leader")
    scene.terminal.hang_up()
    expect("the end", scene.end(), "signal SIGHUP")
    world.until("nothing is left behind", lambda: not world.survivors())


def parent_of(pid: int) -> int | None:
    found = procfs.stat(pid)
    return None if found is None else found.ppid


def hung_up_job(world: World) -> tuple[Scene, Process]:
    scene = Scene(world, "job")
    scene.agent.handle(signal.SIGHUP)
    scene.terminal.hang_up()
    world.stop_watching()
    scene.agent.wait_signal(signal.SIGHUP)
    # The shell ends, as a shell does whose window was closed, and the launcher gets the worker as parent. The kernel
    # hangs up the jobs of a shell a moment before it gives them away.
    world.until("the launcher has a new parent", lambda: parent_of(scene.process.pid) == os.getpid())
    return scene, Process(scene.process.pid)


@registry.case(
    "hang-up-job-once", "When the terminal goes away and the shell ends, a job in the foreground gets SIGHUP once."
)
def _(world: World) -> None:
    scene, process = hung_up_job(world)
    world.settle(scene.agent)
    expect("deliveries", scene.agent.count(signal.SIGHUP), 1)
    scene.agent.exit(3)
    expect("the end", process.wait(world.deadline()), "exit 3")


@registry.case(
    "hang-up-job-kills",
    "A job in the foreground that does nothing about it is gone after the hang-up, launcher and all.",
)
def _(world: World) -> None:
    scene = Scene(world, "job")
    scene.terminal.hang_up()
    world.stop_watching()
    scene.agent.wait_end()
    world.until("nothing is left behind", lambda: not world.survivors())


@registry.case(
    "hang-up-survived", "A program that survives the hang-up can still be sent SIGTERM through the launcher."
)
def _(world: World) -> None:
    scene, process = hung_up_job(world)
    scene.agent.handle(signal.SIGTERM)
    process.send(signal.SIGTERM)
    scene.agent.wait_signal(signal.SIGTERM)
    scene.agent.exit(0)
    expect("the end", process.wait(world.deadline()), "exit 0")
