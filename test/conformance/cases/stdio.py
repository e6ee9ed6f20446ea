"""The standard streams belong to the program: nothing is read ahead, held open or changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import socket
from collections.abc import Callable

from harness.case import BY_NODE, NODE, Registry, expect, expect_true
from harness.options import Options
from harness.waiting import readable
from harness.world import CLOSED, World

registry = Registry("stdio")


def read_all(world: World, descriptor: int) -> bytes:
    """Reads to the end, with the case's time limit for each piece."""
    pieces: list[bytes] = []
    while True:
        expect_true("output goes on or ends", bool(readable([descriptor], world.deadline())))
        piece = os.read(descriptor, 1 << 20)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


@registry.case("silent", "A good run prints nothing of its own.")
def _(world: World) -> None:
    result = world.run("true")
    expect("the end, stdout, stderr", (result.status, result.stdout, result.stderr), ("exit 0", b"", b""))


@registry.case(
    "silent-on-failure", "A program's failure, or its death, is its own affair: the launcher prints nothing."
)
def _(world: World) -> None:
    for command, end in (("exit 3", "exit 3"), ("kill -TERM $$", "signal SIGTERM")):
        result = world.run("sh", "-c", command)
        expect("the end, stdout, stderr", (result.status, result.stdout, result.stderr), (end, b"", b""))


@registry.case("not-read-ahead", "`printf abcdef | (L dd bs=1 count=1; cat)` prints all of it.", requires=["dd"])
def _(world: World) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abcdef")
    os.close(writing)
    result = world.run("dd", "bs=1", "count=1", "status=none", stdin=reading)
    expect("what the program took, and what was left", (result.stdout, os.read(reading, 100)), (b"a", b"bcdef"))


@registry.case(
    "file-offset",
    "A file as standard input is the same open file: what the program does not read is left.",
    requires=["dd"],
)
def _(world: World) -> None:
    file = os.open(world.file("data", b"abcdef"), os.O_RDONLY)
    world.run("dd", "bs=1", "count=2", "status=none", stdin=file)
    expect("our offset", os.lseek(file, 0, os.SEEK_CUR), 2)


@registry.case("output-offset", "A file as standard output is the same open file: the next writer goes on behind.")
def _(world: World) -> None:
    file = os.open(world.folder / "together", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(file, b"before ")
    world.run("printf", "within ", stdout=file)
    os.write(file, b"after")
    expect("the file", os.pread(file, 100, 0), b"before within after")


@registry.case("same-files", "Each standard stream is the very file that the caller gave.")
def _(world: World) -> None:
    ends = [os.pipe()[0], os.pipe()[1], socket.socketpair()[0].detach()]
    _, agent = world.program(stdin=ends[0], stdout=ends[1], stderr=ends[2])
    for number, ours in enumerate(ends):
        info, found = os.fstat(ours), agent.descriptor(number)
        expect(f"descriptor {number}", found and (found["dev"], found["ino"]), (info.st_dev, info.st_ino))


@registry.case("same-flags", "The flags of the standard streams are what the caller set.")
def _(world: World) -> None:
    ends = [
        os.open(world.file("in"), os.O_RDWR),
        os.open(world.file("out"), os.O_WRONLY | os.O_APPEND),
        os.open(world.file("err"), os.O_WRONLY | os.O_SYNC),
    ]
    expected = [fcntl.fcntl(ours, fcntl.F_GETFL) for ours in ends]
    _, agent = world.program(stdin=ends[0], stdout=ends[1], stderr=ends[2])
    expect("the flags", [each["flags"] for each in agent.hello["descriptors"]][:3], expected)


@registry.case("large-output", "Ten megabytes of output pass unchanged.")
def _(world: World) -> None:
    script = "i=0; while [ $i -lt 10 ]; do head -c 1048576 /dev/zero | tr '\\0' x; i=$((i+1)); done"
    reading, writing = os.pipe()
    process = world.start("sh", "-c", script, stdout=writing)
    os.close(writing)
    data = read_all(world, reading)
    expect("the output's hash", hashlib.sha256(data).hexdigest(), hashlib.sha256(b"x" * 10 * 1048576).hexdigest())
    expect("the end", process.wait(world.deadline()), "exit 0")


@registry.case("large-input", "Ten megabytes of input pass unchanged.", requires=["sha256sum"])
def _(world: World) -> None:
    data = bytes(range(256)) * 4096 * 10
    reading, writing = os.pipe()
    process = world.start("sha256sum", stdin=reading)
    os.close(reading)
    os.set_blocking(writing, False)
    sent = 0
    while sent < len(data):
        _, ready, _ = select.select([], [writing], [], world.deadline().left())
        expect_true("the program goes on reading", bool(ready))
        sent += os.write(writing, data[sent : sent + 65536])
    os.close(writing)
    expect("the end", process.wait(world.deadline()), "exit 0")
    expect("the hash", world.output("stdout").split()[0].decode(), hashlib.sha256(data).hexdigest())


@registry.case("separate", "Standard output and standard error stay apart.")
def _(world: World) -> None:
    result = world.run("sh", "-c", "echo out; echo err >&2; echo out2")
    expect("stdout and stderr", (result.stdout, result.stderr), (b"out\nout2\n", b"err\n"))


@registry.case("one-description", "When both are one file, the order of writing is kept.")
def _(world: World) -> None:
    file = os.open(world.folder / "both", os.O_RDWR | os.O_CREAT, 0o600)
    world.run("sh", "-c", "for i in 1 2 3; do echo out$i; echo err$i >&2; done", stdout=file, stderr=file)
    expect("the file", os.pread(file, 1000, 0), b"out1\nerr1\nout2\nerr2\nout3\nerr3\n")


@registry.case("end-of-input", "The end of standard input is the program's end of input.")
def _(world: World) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    result = world.run("cat", stdin=reading)
    expect("the end and stdout", (result.status, result.stdout), ("exit 0", b"abc"))


@registry.case(
    "input-closed-by-program",
    "When the program closes its standard input, the writer gets EPIPE although the launcher still runs.",
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    process, agent = world.program(stdin=reading)
    os.close(reading)
    agent.ok("close 0")
    poller = select.poll()
    poller.register(writing, 0)
    expect_true("the writer gets EPIPE", bool(poller.poll(world.deadline().left() * 1000)))
    expect("the launcher has ended", process.ended(), False)


def closed_by_program(number: int, stream: str) -> None:
    def run(world: World) -> None:
        reading, writing = os.pipe()
        process, agent = world.program(stdout=writing) if number == 1 else world.program(stderr=writing)
        os.close(writing)
        agent.ok(f"close {number}")
        expect_true("the reader gets the end", bool(readable([reading], world.deadline())))
        expect("what the reader sees", os.read(reading, 1), b"")
        expect("the launcher has ended", process.ended(), False)

    registry.add(
        f"{stream}-closed-by-program",
        f"When the program closes its {stream}, the reader sees the end although the launcher is still there.",
        run,
    )


closed_by_program(1, "stdout")
closed_by_program(2, "stderr")


@registry.case(
    "reader-goes-away",
    "`L yes | head -1`: the program dies of SIGPIPE, and so is the launcher seen to.",
    requires=["yes"],
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    process = world.start("yes", stdout=writing)
    os.close(writing)
    expect("the first output", os.read(reading, 2), b"y\n")
    os.close(reading)
    expect("the end", process.wait(world.deadline()), "signal SIGPIPE")


@registry.case("pipeline", "`yes | L head -1 | cat` ends.", requires=["bash", "yes"])
def _(world: World) -> None:
    process = world.start_words(["/bin/sh", "-c", f"yes | {world.command_line('head', '-1')} | cat"], world.setup())
    expect("the end and stdout", (process.wait(world.deadline()), world.output("stdout")), ("exit 0", b"y\n"))


def not_left_non_blocking(name: str, doc: str, make: Callable[[World], list[int]]) -> None:
    def run(world: World) -> None:
        ends = make(world)
        process, agent = world.program(stdin=ends[0], stdout=ends[1], stderr=ends[2])
        expect(
            "O_NONBLOCK, as the program sees it",
            [each["flags"] & os.O_NONBLOCK for each in agent.hello["descriptors"]][:3],
            [0, 0, 0],
        )
        agent.exit(0)
        expect("the end", process.wait(world.deadline()), "exit 0")
        expect("O_NONBLOCK afterwards", [fcntl.fcntl(each, fcntl.F_GETFL) & os.O_NONBLOCK for each in ends], [0, 0, 0])

    registry.add(name, doc, run)


not_left_non_blocking(
    "pipes-stay-blocking",
    "Shared pipes are not made non-blocking.",
    lambda _: [os.pipe()[0], os.pipe()[1], os.pipe()[1]],
)
not_left_non_blocking(
    "sockets-stay-blocking",
    "Shared sockets are not made non-blocking.",
    lambda _: [socket.socketpair()[0].detach() for _ in range(3)],
)
not_left_non_blocking(
    "terminal-stays-blocking", "A shared terminal is not made non-blocking.", lambda world: [world.terminal().slave] * 3
)


@registry.case(
    "non-blocking-kept",
    "A pipe that the caller made non-blocking stays non-blocking.",
    impossible=(BY_NODE, "libuv makes the standard streams of every child that it starts blocking"),
)
def _(world: World) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    _, agent = world.program(stdin=reading, stdout=writing)
    expect("O_NONBLOCK", [bool(each["flags"] & os.O_NONBLOCK) for each in agent.hello["descriptors"]][:2], [True, True])


@registry.case("blocking-after-error", "Nor is stderr made non-blocking when the launcher prints an error.")
def _(world: World) -> None:
    reading, writing = os.pipe()
    world.run("no-such-command", stderr=writing)
    expect_true("an error is printed", bool(readable([reading], world.deadline())))
    expect("O_NONBLOCK", fcntl.fcntl(writing, fcntl.F_GETFL) & os.O_NONBLOCK, 0)


def closed(name: str, doc: str, streams: Options) -> None:
    def run(world: World) -> None:
        expect("the end", world.run("sh", "-c", "exit 3", **streams).status, "exit 3")

    registry.add(name, doc, run)


closed("all-closed", "`L sh -c 'exit 3' 0<&- 1>&- 2>&-` ends 3.", {"stdin": CLOSED, "stdout": CLOSED, "stderr": CLOSED})
closed("input-closed", "With standard input closed it ends 3.", {"stdin": CLOSED})
closed("output-closed", "With standard output closed it ends 3.", {"stdout": CLOSED})
closed("error-closed", "With standard error closed it ends 3.", {"stderr": CLOSED})


@registry.case("output-arrives-with-input-closed", "With standard input closed, output still goes where it should.")
def _(world: World) -> None:
    result = world.run("sh", "-c", "echo out; echo err >&2", stdin=CLOSED)
    expect("stdout and stderr", (result.stdout, result.stderr), (b"out\n", b"err\n"))


@registry.case(
    "closed-stays-closed",
    "A closed standard stream is closed in the program too.",
    impossible=(NODE, "Node opens /dev/null on standard descriptors that are closed, before any JavaScript runs"),
)
def _(world: World) -> None:
    _, agent = world.program(stdin=CLOSED, stderr=CLOSED)
    expect("open descriptors", agent.descriptor_numbers, [1])


@registry.case("input-as-output", "A read-only standard output is passed as it is.")
def _(world: World) -> None:
    reading = os.open("/dev/null", os.O_RDONLY)
    _, agent = world.program(stdout=reading)
    found = agent.descriptor(1)
    expect("the access mode", found and found["flags"] & os.O_ACCMODE, os.O_RDONLY)


@registry.case("full-device", "Output to a full device fails in the program, not in the launcher.")
def _(world: World) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    result = world.run("sh", "-c", "echo x || exit 4", stdout=full)
    expect("the end", result.status, "exit 4")
