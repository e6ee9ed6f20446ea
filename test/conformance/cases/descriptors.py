"""Descriptors from 3 on reach the program at their own numbers, and nothing else does."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import shutil
import signal
import socket
import struct
from collections.abc import Callable

from harness.case import WITHOUT_ADDON, Impossible, Registry, Skip, expect, expect_true
from harness.waiting import Deadline
from harness.world import CLOSED, World

registry = Registry("descriptors")

NO_REMEDY = (
    f"exec{WITHOUT_ADDON}",
    "Node sets close-on-exec on every inherited descriptor when it starts, and JavaScript cannot clear it",
)


def expect_same(world: World, number: int, ours: int) -> None:
    """The program's descriptor `number` is the same open file as `ours`."""
    _, agent = world.program(descriptors={number: ours})
    info = os.fstat(ours)
    found = agent.descriptor(number)
    expect(f"descriptor {number}", found and (found["dev"], found["ino"]), (info.st_dev, info.st_ino))
    expect("open descriptors", agent.descriptor_numbers, [0, 1, 2, number])


@registry.case("none-added", "The program has no descriptor that its caller did not give it.")
def _(world: World) -> None:
    _, agent = world.program()
    expect("open descriptors", agent.descriptor_numbers, [0, 1, 2])


def kind(name: str, doc: str, make: Callable[[], int]) -> None:
    def run(world: World) -> None:
        expect_same(world, 3, make())

    registry.add(name, doc, run, impossible=NO_REMEDY)


kind("pipe", "A pipe as descriptor 3.", lambda: os.pipe()[0])
kind("socket", "A socket as descriptor 3.", lambda: socket.socketpair()[0].detach())
kind("directory", "A directory as descriptor 3.", lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY))
kind("memory-file", "A memory file as descriptor 3.", lambda: os.memfd_create("conformance"))
kind("event", "An eventfd as descriptor 3.", lambda: os.eventfd(0))
kind("null", "/dev/null as descriptor 3.", lambda: os.open("/dev/null", os.O_RDWR))


LIBC = ctypes.CDLL(None, use_errno=True)


def checked(number: int) -> int:
    if number < 0:
        raise Skip(os.strerror(ctypes.get_errno()))
    return number


def signalfd() -> int:
    mask = (ctypes.c_ulong * 16)()
    mask[0] = 1 << (signal.SIGUSR1 - 1)
    return checked(LIBC.signalfd(-1, mask, 0))


def io_uring() -> int:
    return checked(LIBC.syscall(425, 4, ctypes.create_string_buffer(120)))  # io_uring_setup on all processors


LIKE_NODES = (
    (f"spawn{WITHOUT_ADDON}", f"exec{WITHOUT_ADDON}"),
    "JavaScript cannot tell it from those that Node opens, and passes on none of them",
)


def anonymous(name: str, make: Callable[[], int], impossible: Impossible = NO_REMEDY) -> None:
    """A launcher's own runtime may have opened the same kind."""

    def run(world: World) -> None:
        ours = make()
        for number in (3, 4, 5, 8, 9, 13, 14, 16, 20):
            _, agent = world.program(descriptors={number: ours})
            found = agent.descriptor(number)
            expect(f"the flags of descriptor {number}", found and found["flags"], fcntl.fcntl(ours, fcntl.F_GETFL))
            expect("open descriptors", agent.descriptor_numbers, [0, 1, 2, number])
            agent.exit(0)

    registry.add(f"gap-then-{name}", f"{name} at numbers from 3 to 20, with a gap before.", run, impossible=impossible)


anonymous("eventfd", lambda: os.eventfd(0))
anonymous("eventfd-not-blocking", lambda: os.eventfd(0, os.EFD_NONBLOCK), LIKE_NODES)
anonymous("timerfd", lambda: checked(LIBC.timerfd_create(1, 0)))
anonymous("signalfd", signalfd)
anonymous("inotify", lambda: checked(LIBC.inotify_init1(0)))
anonymous("pidfd", lambda: os.pidfd_open(os.getpid()))
anonymous("epoll", lambda: checked(LIBC.epoll_create1(0)), LIKE_NODES)
anonymous("io_uring", io_uring, LIKE_NODES)


@registry.case(
    "epoll-of-program-alone",
    "An epoll descriptor that the caller closes once it has given it to the program.",
    impossible=LIKE_NODES,
)
def _(world: World) -> None:
    for number in (3, 5, 6, 8, 20):
        reading, writing = os.pipe()
        ours = checked(LIBC.epoll_create1(0))
        event = struct.pack("=IQ", select.EPOLLIN, 7)
        checked(LIBC.epoll_ctl(ours, 1, reading, event) + 1)
        process = world.start(world.probe, descriptors={number: ours})
        os.close(ours)
        agent = world.agent()
        expect("open descriptors", agent.descriptor_numbers, [0, 1, 2, number])
        expect("the kind of the descriptor", os.readlink(f"/proc/{agent.hello['pid']}/fd/{number}"), "anon_inode:[eventpoll]")
        agent.exit(0)
        os.close(reading)
        os.close(writing)


@registry.case(
    "file-offset", "A file as descriptor 3 is the same open file: the offset is shared.", impossible=NO_REMEDY
)
def _(world: World) -> None:
    ours = os.open(world.file("data", b"abcdef"), os.O_RDWR)
    os.read(ours, 2)
    _, agent = world.program(descriptors={3: ours})
    expect("what the program reads", agent.read(3, 2), b"cd")
    expect("our offset", os.lseek(ours, 0, os.SEEK_CUR), 4)


@registry.case("append-flag", "The flags of an open file stay.", impossible=NO_REMEDY)
def _(world: World) -> None:
    ours = os.open(world.file("data", b"abc"), os.O_WRONLY | os.O_APPEND)
    _, agent = world.program(descriptors={3: ours})
    found = agent.descriptor(3)
    expect("flags", found and found["flags"], fcntl.fcntl(ours, fcntl.F_GETFL))


@registry.case("gap", "Descriptors with gaps between them keep their numbers.", impossible=NO_REMEDY)
def _(world: World) -> None:
    reading, writing = os.pipe()
    file = os.open(world.file("data", b"abc"), os.O_RDONLY)
    _, agent = world.program(descriptors={4: reading, 7: file})
    os.write(writing, b"x")
    expect("what the program reads at 4", agent.read(4, 10), b"x")
    expect("what the program reads at 7", agent.read(7, 10), b"abc")


@registry.case(
    "gap-then-both-ends",
    "Both ends of a pipe behind a gap, where the launcher itself may open something.",
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    _, agent = world.program(descriptors={4: reading, 7: writing})
    agent.write(7, b"+")
    expect("what the program reads at 4", agent.read(4, 1), b"+")


@registry.case(
    "gap-stays-closed",
    "A gap between inherited descriptors stays closed.",
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    ours = os.open("/", os.O_RDONLY)
    expect_same(world, 6, ours)


@registry.case("gap-then-null", "/dev/null behind a gap: shells keep such a descriptor at 10.", impossible=NO_REMEDY)
def _(world: World) -> None:
    expect_same(world, 10, os.open("/dev/null", os.O_RDWR))


@registry.case("high", "A pipe as descriptor 200.")
def _(world: World) -> None:
    reading, writing = os.pipe()
    _, agent = world.program(descriptors={200: reading})
    os.write(writing, b"x")
    expect("what the program reads at 200", agent.read(200, 10), b"x")


@registry.case("twenty", "Twenty descriptors in a row.", impossible=NO_REMEDY)
def _(world: World) -> None:
    files = {number: os.open(world.file(f"data{number}", str(number)), os.O_RDONLY) for number in range(3, 23)}
    _, agent = world.program(descriptors=files)
    expect("open descriptors", agent.descriptor_numbers, list(range(23)))
    expect(
        "contents", [agent.read(number) for number in range(3, 23)], [str(number).encode() for number in range(3, 23)]
    )


@registry.case("both-ends", "Both ends of a pipe, as make's jobserver has them.", impossible=NO_REMEDY)
def _(world: World) -> None:
    reading, writing = os.pipe()
    _, agent = world.program(descriptors={3: reading, 4: writing})
    agent.write(4, b"+")
    expect("what the program reads", agent.read(3, 1), b"+")


@registry.case("both-ends-high", "Both ends of a pipe at numbers above those that the launcher opens itself.")
def _(world: World) -> None:
    reading, writing = os.pipe()
    _, agent = world.program(descriptors={60: reading, 61: writing})
    agent.write(61, b"+")
    expect("what the program reads", agent.read(60, 1), b"+")


@registry.case(
    "end-of-file",
    "When the program closes a pipe, its reader sees the end although the launcher is still there.",
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    process, agent = world.program(descriptors={3: writing})
    os.close(writing)
    agent.ok("close 3")
    ready, _, _ = select.select([reading], [], [], world.deadline().left())
    expect_true("the reader sees the end of the pipe", bool(ready) and os.read(reading, 1) == b"")
    expect("the launcher has ended", process.ended(), False)


@registry.case(
    "broken-pipe",
    "When the program closes the reading end of a pipe, its writer gets EPIPE although the launcher still runs.",
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    process, agent = world.program(descriptors={3: reading})
    os.close(reading)
    agent.ok("close 3")
    poller = select.poll()
    poller.register(writing, 0)
    expect_true("the writer gets EPIPE", bool(poller.poll(world.deadline().left() * 1000)))
    expect("the launcher has ended", process.ended(), False)


@registry.case("not-blocking-flag", "An inherited pipe is not made non-blocking.", impossible=NO_REMEDY)
def _(world: World) -> None:
    reading, writing = os.pipe()
    _, agent = world.program(descriptors={3: reading, 4: writing})
    for number, ours in ((3, reading), (4, writing)):
        found = agent.descriptor(number)
        expect(f"O_NONBLOCK on {number}", found and found["flags"] & os.O_NONBLOCK, 0)
        expect("O_NONBLOCK on ours", fcntl.fcntl(ours, fcntl.F_GETFL) & os.O_NONBLOCK, 0)


@registry.case(
    "with-closed-standard-streams", "A descriptor 3 arrives when the standard streams are closed.", impossible=NO_REMEDY
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    _, agent = world.program(stdin=CLOSED, stdout=CLOSED, stderr=CLOSED, descriptors={3: reading})
    os.write(writing, b"x")
    expect("what the program reads at 3", agent.read(3, 10), b"x")


@registry.case(
    "socket-activation",
    "With LISTEN_FDS the program gets the listening socket as descriptor 3 and a LISTEN_PID that is its own pid.",
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    _activated(world, {})


@registry.case("socket-activation-two", "Two sockets with names.", impossible=NO_REMEDY)
def _(world: World) -> None:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    env = {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:https"}
    _, agent = world.program(
        descriptors={3: sockets[0].fileno(), 4: sockets[1].fileno()}, env=env, pid_variable=b"LISTEN_PID"
    )
    expect(
        "variables",
        _listen_variables(agent.environment),
        [b"LISTEN_FDNAMES=http:https", b"LISTEN_FDS=2", f"LISTEN_PID={agent.hello['pid']}".encode()],
    )


@registry.case(
    "socket-activation-shell-variables",
    "Variables that a shell would change (SHLVL, PWD, OLDPWD, `_`) do not change under socket activation.",
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    _activated(world, {"SHLVL": "7", "PWD": "/elsewhere", "OLDPWD": "/before", "_": "/usr/bin/this", "IFS": ":"})


@registry.case(
    "socket-activation-odd-names", "Odd names of variables pass under socket activation too.", impossible=NO_REMEDY
)
def _(world: World) -> None:
    _activated(world, {"foo-bar": "1", "BASH_FUNC_x%%": "() { :; }", "a.b": "2"})


def _listen_variables(environment: list[bytes]) -> list[bytes]:
    return sorted(entry for entry in environment if entry.startswith(b"LISTEN_"))


def _activated(world: World, extra: dict[str, str]) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    _, agent = world.program(
        "007", "", descriptors={3: server.fileno()}, env={"LISTEN_FDS": "1", **extra}, pid_variable=b"LISTEN_PID"
    )
    expected = [f"{name}={value}".encode() for name, value in extra.items()]
    expect(
        "LISTEN_ variables",
        _listen_variables(agent.environment),
        [b"LISTEN_FDS=1", f"LISTEN_PID={agent.hello['pid']}".encode()],
    )
    expect("other variables that are missing", [entry for entry in expected if entry not in agent.environment], [])
    expect("argv", agent.argv, [world.probe.encode(), b"007", b""])
    client = socket.create_connection(server.getsockname(), timeout=world.deadline().left())
    expect_true("the program accepts a connection", agent.ok("accept 3") > 2)
    client.close()


@registry.case(
    "socket-activation-of-another", "A LISTEN_PID that is not the launcher's is left as it is.", impossible=NO_REMEDY
)
def _(world: World) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    _, agent = world.program(descriptors={3: server.fileno()}, env={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
    expect("LISTEN_ variables", _listen_variables(agent.environment), [b"LISTEN_FDS=1", b"LISTEN_PID=1"])


@registry.case(
    "make-jobserver",
    "`make -j2` through the launcher: the inner make joins the outer one's jobserver and runs two jobs at a time.",
    requires=["make", "timeout"],
    impossible=NO_REMEDY,
)
def _(world: World) -> None:
    # The two jobs meet at a named pipe, which they can only do while both run.
    inner = world.file("inner.mk", "all: a b\na:\n\t@timeout 5 sh -c 'echo met > meet'\nb:\n\t@timeout 5 cat meet\n")
    launch = world.command_line("make", "-f", str(inner)).replace("$", "$$")
    outer = world.file("outer.mk", f"all:\n\t+@{launch}\n")
    os.mkfifo(world.cwd / "meet")
    make = shutil.which("make")
    assert make is not None
    process = world.start_words([make, "--no-print-directory", "-j2", "-f", str(outer)], world.setup())
    status = process.wait(Deadline(30))
    errors = world.output("stderr")
    expect("warnings about the jobserver", b"jobserver" in errors, False)
    expect("the end and the output", (status, world.output("stdout")), ("exit 0", b"met\n"))
