"""The program's own children are neither waited for nor signalled nor killed."""

from __future__ import annotations

import signal

from harness.case import Registry, expect
from harness.world import World

registry = Registry("grandchildren")


@registry.case("not-waited-for", "A grandchild that holds every standard stream does not hold the launcher's end.")
def _(world: World) -> None:
    process, agent = world.program()
    agent.fork()
    grandchild = world.agent("grandchild")
    agent.exit(7)
    expect("the end", process.wait(world.deadline()), "exit 7")
    world.stop_watching()
    grandchild.ping()


@registry.case("not-killed", "A grandchild lives on, unsignalled, after the program's end.")
def _(world: World) -> None:
    process, agent = world.program()
    agent.handle(signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCONT)
    agent.fork()  # inherits the handlers
    grandchild = world.agent("grandchild")
    agent.exit(0)
    expect("the end", process.wait(world.deadline()), "exit 0")
    world.stop_watching()
    grandchild.ping()
    expect("signals that it got", grandchild.names(), [])


@registry.case("not-killed-with-the-program", "A grandchild lives on after SIGTERM has ended the program.")
def _(world: World) -> None:
    process, agent = world.program()
    agent.fork()
    grandchild = world.agent("grandchild")
    process.send(signal.SIGTERM)
    expect("the end", process.wait(world.deadline()), "signal SIGTERM")
    world.stop_watching()
    grandchild.ping()


@registry.case("shell-background", "`L sh -c 'sleep 30 >/dev/null & exit 7'` ends 7 at once.")
def _(world: World) -> None:
    expect("the end", world.run("sh", "-c", "sleep 30 >/dev/null & exit 7").status, "exit 7")


@registry.case(
    "daemon",
    "A program that puts itself into the background (fork, and the parent ends) ends the launcher; the daemon lives on.",
)
def _(world: World) -> None:
    process, agent = world.program()
    agent.ok("orphan")
    daemon = world.agent("orphan")
    agent.exit(0)
    expect("the end", process.wait(world.deadline()), "exit 0")
    world.stop_watching()
    daemon.ping()


@registry.case("many", "A program with thirty children that end one after another has its own status.")
def _(world: World) -> None:
    script = "i=0; while [ $i -lt 30 ]; do (exit $i) & i=$((i+1)); done; wait; exit 6"
    expect("the end", world.run("sh", "-c", script).status, "exit 6")
