"""The channel that Node gives to a child started with 'ipc' works through the launcher."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from harness.case import Registry, expect
from harness.world import World

registry = Registry("ipc")

RECORDERS = Path(__file__).resolve().parent.parent / "recorders"

IMPOSSIBLE = ("exec", "Node has opened the channel and reads from it: what it has read would be lost")


def conversation(world: World, scenario: str, at: int = 3) -> dict[str, object]:
    node = shutil.which("node")
    assert node is not None
    child = world.words(node, str(RECORDERS / "ipc_child.js"), scenario)
    process = world.start_words([node, str(RECORDERS / "ipc_parent.js"), scenario, *child], world.setup(env={"IPC_AT": str(at)}))
    expect("the end of the parent", process.wait(world.deadline()), "exit 0")
    expect("stderr", world.output("stderr"), b"")
    seen: dict[str, object] = json.loads(world.output("stdout"))
    if scenario == "handle":
        # The socket and the channel are two streams: neither comes before the other.
        seen["seen"] = sorted(map(str, seen["seen"]), reverse=True)  # type: ignore[call-overload]
    return seen


def scene(name: str, doc: str, scenario: str, expected: dict[str, object]) -> None:
    def run(world: World) -> None:
        expect("what the parent saw", conversation(world, scenario), expected)

    registry.add(name, doc, run, requires=["node"], impossible=IMPOSSIBLE)


def ended(code: int | None, signal: str | None = None, seen: list[object] | None = None) -> dict[str, object]:
    return {"seen": seen or [], "code": code, "signal": signal}


BOTH_WAYS = ended(0, seen=[1, "two", {"three": [3]}, None, "", "end", "disconnect"])

scene("both-ways", "Messages pass in both directions, and a disconnect by the child arrives.", "echo", BOTH_WAYS)
scene("order", "Three hundred messages arrive in order.", "order", ended(0, seen=[*range(300), "end", "disconnect"]))
scene(
    "large",
    "A message of a megabyte passes in both directions.",
    "large",
    ended(0, seen=[{"length": 1_000_000}, "end", "disconnect"]),
)
scene(
    "advanced",
    "The advanced serialization passes a Map.",
    "advanced",
    ended(0, seen=[{"map": [[1, {}]]}, "end", "disconnect"]),
)
scene(
    "parent-disconnects",
    "A disconnect by the parent arrives, and the child can end by it.",
    "parent-disconnects",
    ended(5, seen=["disconnect"]),
)
scene(
    "exit",
    "The child's exit status arrives when it ends with the channel open.",
    "exits",
    ended(7, seen=["end", "disconnect"]),
)
scene("death", "So does its death by a signal.", "dies", ended(None, "SIGKILL", seen=["end", "disconnect"]))
scene(
    "handle",
    "A server's handle passes to the child, which accepts a connection.",
    "handle",
    ended(0, seen=["from the socket: child", "disconnect"]),
)


scene(
    "handle-back",
    "A server's handle passes to the parent, which accepts a connection.",
    "handle-back",
    ended(0, seen=["from the socket: parent", "disconnect"]),
)
scene(
    "goes-on",
    "A disconnect by a child that goes on arrives at once.",
    "goes-on",
    ended(4, seen=["disconnect"]),
)


@registry.case("parent-dies", "The child sees the death of its parent.", requires=["node"], impossible=IMPOSSIBLE)
def _(world: World) -> None:
    node = shutil.which("node")
    assert node is not None
    child = world.words(node, str(RECORDERS / "ipc_child.js"), "parent-dies")
    parent = [node, str(RECORDERS / "ipc_parent.js"), "parent-dies", *child]
    process = world.start_words(parent, world.setup(env={"IPC_AT": "3"}))
    expect("the end of the parent", process.wait(world.deadline()), "signal SIGKILL")
    world.until("the child has seen it", lambda: world.output("stdout") == b"disconnect\n")


@registry.case("terminal", "Messages pass while all standard streams are a terminal.", requires=["node"], impossible=IMPOSSIBLE)
def _(world: World) -> None:
    node = shutil.which("node")
    assert node is not None
    child = world.words(node, str(RECORDERS / "ipc_child.js"), "echo")
    parent = [node, str(RECORDERS / "ipc_parent.js"), "echo", *child]
    terminal = world.terminal()
    setup = world.setup(terminal=terminal, env={"IPC_AT": "3", "IPC_STDIN": "inherit"})
    process = world.start_words(parent, setup)
    expect("the end of the parent", process.wait(world.deadline()), "exit 0")
    expect("what the parent saw", json.loads(terminal.drain()), BOTH_WAYS)


def channel_at(at: int, place: str) -> None:
    def run(world: World) -> None:
        expect("what the parent saw", conversation(world, "exits", at), ended(7, seen=["end", "disconnect"]))

    doc = f"The channel may be descriptor {at}, {place}."
    registry.add(f"at-{at}", doc, run, requires=["node"], impossible=IMPOSSIBLE)


for number in range(3):
    channel_at(number, "in place of a standard stream")
channel_at(17, "behind others that are closed")


@registry.case("no-channel", "Without a channel the program has none.", requires=["node"])
def _(world: World) -> None:
    node = shutil.which("node")
    assert node is not None
    result = world.run(node, "-p", "[typeof process.send, process.connected].join()")
    expect("stdout", result.stdout, b"undefined,\n")
