"""The launcher ends as the program ends."""

from __future__ import annotations

import os
import resource
import signal
import time

from harness.case import BY_NODE, Registry, Skip, expect, expect_true
from harness.process import signal_name
from harness.world import World

registry = Registry("status")


def exits(status: int, name: str, doc: str) -> None:
    def run(world: World) -> None:
        process, agent = world.program()
        agent.exit(status)
        expect("the end", process.wait(world.deadline()), f"exit {status}")

    registry.add(name, doc, run)


exits(0, "exit-0", "Success is success.")
exits(1, "exit-1", "Exit 1 is exit 1.")
exits(2, "exit-2", "Exit 2 is exit 2.")
exits(42, "exit-42", "Exit 42 is exit 42.")
exits(78, "exit-78", "A program may use the launcher's own status for a contract that is not met.")
exits(125, "exit-125", "A program may use the launcher's own status for its failures.")
exits(126, "exit-126", "A program may exit with the status for what cannot be executed.")
exits(127, "exit-127", "A program may exit with the status for what was not found.")
exits(128, "exit-128", "128 is an exit like any other.")
exits(130, "exit-130", "130 is an exit, not a death by SIGINT.")
exits(137, "exit-137", "137 is an exit, not a death by SIGKILL.")
exits(143, "exit-143", "143 is an exit, not a death by SIGTERM.")
exits(255, "exit-255", "The largest status passes.")


@registry.case("exit-sample", "Every status of a sample over the whole range passes.", limit=120)
def _(world: World) -> None:
    sample = [3, 5, 9, 15, 17, 63, 64, 77, 99, 100, 124, 129, 131, 159, 192, 200, 254]
    seen = [world.run("sh", "-c", f"exit {status}").status for status in sample]
    expect("the ends", seen, [f"exit {status}" for status in sample])


def dies(number: int) -> None:
    def run(world: World) -> None:
        process, agent = world.program()
        agent.die_of(number)
        expect("the end", process.wait(world.deadline()), f"signal {signal_name(number)}")

    registry.add(
        f"death-by-{signal_name(number)}", f"A death by {signal_name(number)} is seen as such by the parent.", run
    )


FATAL = [
    *[
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
    ],
    *[signal.SIGKILL, signal.SIGUSR1, signal.SIGSEGV, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGTERM],
    *[signal.SIGXCPU, signal.SIGXFSZ, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGSYS],
    16,  # SIGSTKFLT, which Python does not name
]
for each in FATAL:
    dies(each)


@registry.case(
    "death-by-real-time-signal",
    "A death by a real-time signal is seen as such.",
    impossible=(BY_NODE, "Node reports a child that a real-time signal killed as exit 0 with no signal"),
)
def _(world: World) -> None:
    process, agent = world.program()
    agent.die_of(signal.SIGRTMIN + 3)
    expect("the end", process.wait(world.deadline()), f"signal {signal_name(signal.SIGRTMIN + 3)}")


@registry.case("killed-from-outside", "A program killed by another process is seen as killed.")
def _(world: World) -> None:
    process, agent = world.program()
    os.kill(agent.pid, signal.SIGKILL)
    expect("the end", process.wait(world.deadline()), "signal SIGKILL")


@registry.case("killed-while-stopped", "A stopped program that is killed is seen as killed.")
def _(world: World) -> None:
    process, agent = world.program()
    os.kill(agent.pid, signal.SIGSTOP)
    os.kill(agent.pid, signal.SIGKILL)
    expect("the end", process.wait(world.deadline()), "signal SIGKILL")


@registry.case(
    "core-flag",
    "When the program dies of SIGABRT without a core dump, its parent sees none.",
    requires=["core-files"],
)
def _(world: World) -> None:
    _no_core(world, signal.SIGABRT)


@registry.case(
    "no-core-of-launcher",
    "When the program dies of SIGSEGV and has switched off its own core, no core is left by the launcher.",
    requires=["core-files"],
)
def _(world: World) -> None:
    _no_core(world, signal.SIGSEGV)


@registry.case("no-core-after-quit", "So it is for SIGQUIT.", requires=["core-files"])
def _(world: World) -> None:
    _no_core(world, signal.SIGQUIT)


def _no_core(world: World, number: int) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        raise Skip("cores are forbidden here by a hard limit")
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    process, agent = world.program(before=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
    agent.ok(f"limit {resource.RLIMIT_CORE} 0 0")
    agent.die_of(number)
    expect("the end", process.wait(world.deadline()), f"signal {signal_name(number)}")
    expect("core dumped, as the parent sees it", process.core_dumped(), False)
    expect("files in the working directory", [path.name for path in world.cwd.iterdir()], [])


@registry.case("quick-exit", "A program that ends at once, ten times over, has its status passed each time.", limit=120)
def _(world: World) -> None:
    expect("the ends", [world.run("sh", "-c", "exit 9").status for _ in range(10)], ["exit 9"] * 10)


@registry.case("quick-death", "A program that dies at once, ten times over, is seen to die each time.", limit=120)
def _(world: World) -> None:
    expect("the ends", [world.run("sh", "-c", "kill -KILL $$").status for _ in range(10)], ["signal SIGKILL"] * 10)


@registry.case("not-before-the-program", "The launcher does not end before the program has.")
def _(world: World) -> None:
    process, agent = world.program()
    world.settle(agent)
    expect("the launcher has ended", process.ended(), False)
    agent.exit(4)
    expect("the end", process.wait(world.deadline()), "exit 4")


@registry.case("prompt", "The launcher ends within 100 ms of the program, at best of seven.", limit=120)
def _(world: World) -> None:
    best = 10.0
    for _ in range(7):
        process, agent = world.program()
        agent.exit(0)
        world.stop_watching()
        agent.wait_end()
        gone = time.monotonic()
        process.wait(world.deadline())
        best = min(best, time.monotonic() - gone)
    expect_true(f"ended within 0.1 s of the program (it took {best:.3f} s)", best < 0.1)


@registry.case("child-of-program-killed", "How the program's own children end is not mistaken for the program's end.")
def _(world: World) -> None:
    result = world.run("sh", "-c", "sh -c 'kill -KILL $$'; test $? = 137 && exit 5")
    expect("the end", result.status, "exit 5")


@registry.case("after-exec", "A program that executes another has the other's status.")
def _(world: World) -> None:
    expect("the end", world.run("sh", "-c", "exec sh -c 'exit 6'").status, "exit 6")


@registry.case(
    "large-output-then-exit", "Status and output are both whole when a program writes a lot and exits at once."
)
def _(world: World) -> None:
    result = world.run("sh", "-c", "head -c 3000000 /dev/zero; exit 8")
    expect("the end and the size of the output", (result.status, len(result.stdout)), ("exit 8", 3_000_000))
