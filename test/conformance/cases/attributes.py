"""The program inherits through the launcher everything that it would inherit by a bare exec."""

from __future__ import annotations

import os
import resource
import signal

from harness import procfs
from harness.case import NODE, Registry, expect, expect_true
from harness.world import World

registry = Registry("attributes")


@registry.case(
    "pid",
    "The program has the launcher's pid.",
    impossible=("spawn", "the launcher is the parent process, and the program has its own pid"),
)
def _(world: World) -> None:
    process, agent = world.program()
    expect("the program's pid", agent.pid, process.pid)


@registry.case(
    "parent",
    "The program's parent is the launcher's parent.",
    impossible=("spawn", "the program's parent is the launcher"),
)
def _(world: World) -> None:
    _, agent = world.program()
    expect("the program's parent", agent.hello["ppid"], os.getpid())


@registry.case(
    "no-process-beside",
    "No process of the launcher is left next to the program.",
    impossible=("spawn", "the launcher is the parent process"),
)
def _(world: World) -> None:
    world.program()
    expect("processes next to the program", world.launcher_processes(), [])


@registry.case("group-and-session", "The program is in the launcher's process group and session.")
def _(world: World) -> None:
    process, agent = world.program()
    expect("group and session", (agent.hello["pgrp"], agent.hello["sid"]), (process.pid, process.pid))


@registry.case("group-as-job", "As a job of a shell: the job's group, the shell's session.")
def _(world: World) -> None:
    shell = world.shell(world.terminal())
    job = world.job(shell, world.probe)
    agent = world.agent()
    expect("group and session", (agent.hello["pgrp"], agent.hello["sid"]), (job.pid, shell.pid))


@registry.case("cwd", "The working directory is the caller's, odd names included.")
def _(world: World) -> None:
    folder = world.folder / "a b'\n日本"
    folder.mkdir()
    _, agent = world.program(cwd=folder)
    expect("the working directory", agent.cwd, os.fsencode(folder))


@registry.case("cwd-through-link", "PWD, which names the folder through a symbolic link, is left as it is.")
def _(world: World) -> None:
    link = world.folder / "link"
    link.symlink_to(world.cwd)
    _, agent = world.program(cwd=link, env={"PWD": str(link)})
    expect("PWD", [entry for entry in agent.environment if entry.startswith(b"PWD=")], [b"PWD=" + os.fsencode(link)])


def umask(mask: int) -> None:
    def before() -> None:
        os.umask(mask)

    def run(world: World) -> None:
        _, agent = world.program(before=before)
        expect("the umask", oct(agent.hello["umask"]), oct(mask))

    registry.add(f"umask-{mask:03o}", f"A umask of {mask:03o} is inherited.", run)


umask(0o027)
umask(0o077)
umask(0o000)


@registry.case("nice", "The nice value is inherited.")
def _(world: World) -> None:
    def before() -> None:
        os.nice(5)

    _, agent = world.program(before=before)
    expect("the nice value", agent.hello["nice"], os.nice(0) + 5)


def set_limits() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (3000, 4000))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 31))
    resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 32 << 20))
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (500, 1000))
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (1000, 2000))


@registry.case(
    "limits", "Resource limits, soft and hard, are inherited (all but the soft limit of open files, a case of its own)."
)
def _(world: World) -> None:
    _, agent = world.program(before=set_limits)
    expected = world.reference(before=set_limits).hello["limits"]
    seen = agent.hello["limits"]
    for number in range(16):
        if number != resource.RLIMIT_NOFILE:
            expect(f"resource limit {number}, soft and hard", seen[number], expected[number])


@registry.case("core-limit", "The limit of core files is the caller's, whatever the launcher does about its own.")
def _(world: World) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    wanted = (4096 if hard == resource.RLIM_INFINITY else min(4096, hard), hard)
    _, agent = world.program(before=lambda: resource.setrlimit(resource.RLIMIT_CORE, wanted))
    expect("soft limit", agent.hello["limits"][resource.RLIMIT_CORE][0], str(wanted[0]))
    expect("hard limit", int(agent.hello["limits"][resource.RLIMIT_CORE][1]) % (1 << 64), hard % (1 << 64))


def set_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (900, 2000))


@registry.case(
    "open-files-soft",
    "The soft limit of open files is inherited.",
    impossible=(
        NODE,
        "Node raises its own soft limit to the hard one when it starts, and the program inherits that",
    ),
)
def _(world: World) -> None:
    _, agent = world.program(before=set_files)
    expect("the soft limit", agent.hello["limits"][resource.RLIMIT_NOFILE][0], "900")


@registry.case("open-files-hard", "The hard limit of open files is inherited.")
def _(world: World) -> None:
    _, agent = world.program(before=set_files)
    expect("the hard limit", agent.hello["limits"][resource.RLIMIT_NOFILE][1], "2000")


def same_status(name: str, doc: str, *fields: str) -> None:
    def run(world: World) -> None:
        _, agent = world.program()
        reference = world.reference()
        for field in fields:
            expect(field, procfs.status_field(agent.pid, field), procfs.status_field(reference.pid, field))

    registry.add(name, doc, run)


same_status(
    "identity",
    "User, groups and capabilities are inherited.",
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
)
same_status("confinement", "Nothing is confined that was not: no_new_privs, seccomp.", "NoNewPrivs", "Seccomp")
same_status("memory-nodes", "The memory nodes are inherited.", "Mems_allowed")
same_status("threads", "The program starts with one thread.", "Threads")


@registry.case("processors", "The set of processors is inherited.")
def _(world: World) -> None:
    one = {min(os.sched_getaffinity(0))}
    _, agent = world.program(before=lambda: os.sched_setaffinity(0, one))
    expect("the set of processors", os.sched_getaffinity(agent.pid), one)


@registry.case("scheduling", "The scheduling policy is inherited.")
def _(world: World) -> None:
    _, agent = world.program(before=lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)))
    expect("the policy", os.sched_getscheduler(agent.pid), os.SCHED_BATCH)


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


@registry.case("memory-killer", "The adjustment for the out-of-memory killer is inherited.")
def _(world: World) -> None:
    def before() -> None:
        with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
            file.write("500")

    _, agent = world.program(before=before)
    expect("oom_score_adj", read(f"/proc/{agent.pid}/oom_score_adj"), "500")


@registry.case("executable", "The process is the program itself, with no shell or helper between.")
def _(world: World) -> None:
    _, agent = world.program("x")
    expect("the executable", os.readlink(f"/proc/{agent.pid}/exe"), os.path.realpath(world.probe))
    with open(f"/proc/{agent.pid}/cmdline", "rb") as file:
        expect("the command line", file.read(), world.probe.encode() + b"\0x\0")


@registry.case("no-children", "The program starts with no children that it does not know of.")
def _(world: World) -> None:
    _, agent = world.program()
    expect("children at the start", agent.hello["has_children"], 0)


@registry.case("no-parent-death-signal", "The program is not killed with its parent unless that is asked for.")
def _(world: World) -> None:
    _, agent = world.program()
    expect("the parent-death signal", agent.hello["parent_death_signal"], 0)


@registry.case("no-control-terminal", "Without a controlling terminal the program has none.")
def _(world: World) -> None:
    _, agent = world.program()
    expect("the foreground group", agent.hello["foreground"], -1)


@registry.case("values-not-in-process-list", "No value of the environment stands in any command line.")
def _(world: World) -> None:
    world.program(env={"SECRET": "s3cr3t-v4lue"})
    lines = [line for line in world.survivors() if "s3cr3t" in line]
    expect("command lines with the value", lines, [])


@registry.case(
    "caught-signals-elsewhere", "The launcher's own signal actions are not the program's: SIGUSR1 kills it by default."
)
def _(world: World) -> None:
    process, agent = world.program()
    os.kill(agent.pid, signal.SIGUSR1)
    expect_true("it dies of it", process.wait(world.deadline()).endswith("SIGUSR1") or not world.survivors())
