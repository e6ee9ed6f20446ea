"""Node's inspector belongs to the program, not to the launcher."""

from __future__ import annotations

import os
import shutil
import signal
import socket

from harness.case import Registry, expect, expect_true
from harness.world import World

registry = Registry("inspector")


def free_port() -> int:
    """A port for this process: below the range from which the kernel gives ports (ip_local_port_range)."""
    return 10_000 + os.getpid() % 20_000


@registry.case(
    "port-is-the-program's", "With NODE_OPTIONS=--inspect=PORT the program, a Node, gets the port.", requires=["node"]
)
def _(world: World) -> None:
    port = free_port()
    node = shutil.which("node")
    assert node is not None
    script = "console.log(require('node:inspector').url())"
    result = world.run(node, "-e", script, env={"NODE_OPTIONS": f"--inspect=127.0.0.1:{port}"})
    expect("the end", result.status, "exit 0")
    expect_true(
        f"the program's inspector is at port {port}; stdout: {result.stdout!r}, stderr: {result.stderr!r}",
        f":{port}/".encode() in result.stdout,
    )
    expect("complaints about the port", b"address already in use" in result.stderr, False)


@registry.case(
    "closed-while-running",
    "With NODE_OPTIONS=--inspect=PORT nothing listens on the port while a program runs that is no Node.",
    requires=["node"],
)
def _(world: World) -> None:
    port = free_port()
    _, agent = world.program(env={"NODE_OPTIONS": f"--inspect=127.0.0.1:{port}"})
    world.settle(agent)
    with socket.socket() as client:
        expect_true("a connection is refused", client.connect_ex(("127.0.0.1", port)) != 0)


@registry.case("SIGUSR1-opens-none", "SIGUSR1 to the launcher reaches the program and opens no inspector.")
def _(world: World) -> None:
    process, agent = world.program()
    agent.handle(signal.SIGUSR1)
    process.send(signal.SIGUSR1)
    agent.wait_signal(signal.SIGUSR1)
    world.settle(agent)
    expect("stderr", world.output("stderr"), b"")
    agent.exit(0)
    expect("the end", process.wait(world.deadline()), "exit 0")


@registry.case(
    "SIGUSR1-opens-the-program's",
    "SIGUSR1 to the launcher opens the inspector of a program that is a Node.",
    requires=["node"],
)
def _(world: World) -> None:
    node = shutil.which("node")
    assert node is not None
    port = free_port()
    reading, writing = os.pipe()
    script = "console.log('ready'); setInterval(() => { const url = require('node:inspector').url(); if (url) { console.log(url); process.exit(4); } }, 5)"
    process = world.start(node, f"--inspect-port=127.0.0.1:{port}", "-e", script, stdout=writing)
    os.close(writing)
    expect("the first output", os.read(reading, 100), b"ready\n")
    process.send(signal.SIGUSR1)
    expect("the end", process.wait(world.deadline()), "exit 4")
    expect_true("the program's own inspector", f":{port}/".encode() in os.read(reading, 1000))
