"""The harness's end of the conversation with recorders/probe.c."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from .case import Mismatch
from .process import signal_name
from .waiting import Deadline, readable


class Agent:
    """One running probe. `watch` names the launcher's end while that would make further waiting pointless."""

    def __init__(
        self, connection: socket.socket, patience: float, watch: Callable[[], tuple[int | None, Callable[[], str]]]
    ):
        self.connection = connection
        self.patience = patience
        self.watch = watch
        self.buffer = b""
        self.lines: deque[str] = deque()
        self.signals: list[tuple[int, int, int]] = []  # number, si_code, si_pid, in the order of delivery
        self.ended = False
        # The pid as the harness sees it, which in another PID namespace is not the one that the probe sees.
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.pid: int = struct.unpack("3i", credentials)[0]
        greeting = self.answer("its start")
        if not greeting.startswith("hello "):
            raise RuntimeError(f"the probe said {greeting!r}")
        self.hello: dict[str, Any] = json.loads(greeting[6:])

    # -- what it was started with

    @property
    def role(self) -> str:
        return str(self.hello["role"])

    @property
    def argv(self) -> list[bytes]:
        return [bytes.fromhex(word) for word in self.hello["argv"]]

    @property
    def environment(self) -> list[bytes]:
        return [bytes.fromhex(entry) for entry in self.hello["env"]]

    @property
    def cwd(self) -> bytes:
        return bytes.fromhex(self.hello["cwd"])

    def descriptor(self, number: int) -> dict[str, int] | None:
        return next((each for each in self.hello["descriptors"] if each["fd"] == number), None)

    @property
    def descriptor_numbers(self) -> list[int]:
        return [each["fd"] for each in self.hello["descriptors"]]

    # -- the lines that come

    def _take_in(self, chunk: bytes) -> None:
        self.buffer += chunk
        while b"\n" in self.buffer:
            raw, self.buffer = self.buffer.split(b"\n", 1)
            line = raw.decode()
            if line.startswith("signal "):
                number, code, sender = (int(word) for word in line.split()[1:])
                self.signals.append((number, code, sender))
            else:
                self.lines.append(line)

    def _receive(self, what: str, deadline: Deadline) -> None:
        launcher_end, how = self.watch()
        watched = [self.connection.fileno()] + ([launcher_end] if launcher_end is not None else [])
        ready = readable(watched, deadline)
        if self.connection.fileno() in ready:
            try:
                chunk = self.connection.recv(1 << 20)
            except ConnectionResetError:
                chunk = b""
            if chunk:
                self._take_in(chunk)
                return
            self.ended = True
            raise Mismatch(f"waiting for {what}: the program ended ({how()})")
        if ready:
            raise Mismatch(f"waiting for {what}: the launcher ended first ({how()})")
        raise Mismatch(f"waited {deadline.seconds:g} s without result for {what}")

    def answer(self, what: str = "the answer") -> str:
        """The next line that is not about a signal; for a command without an answer."""
        deadline = Deadline(self.patience)
        while not self.lines:
            self._receive(what, deadline)
        return self.lines.popleft()

    # -- commands

    def tell(self, command: str) -> None:
        """Sends a command that has no answer."""
        try:
            self.connection.sendall(command.encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True
            raise Mismatch(f"the program ended before it got {command!r} ({self.watch()[1]()})") from None

    def ask(self, command: str) -> str:
        """The answer: `ok N`, `errno N` or `data HEX`."""
        self.tell(command)
        return self.answer(f"the answer to {command.split()[0]!r}")

    def ok(self, command: str) -> int:
        """The number in an answer `ok N`; a mismatch when the system call failed."""
        words = self.ask(command).split()
        if words[0] != "ok":
            raise Mismatch(f"{command!r} in the program failed with {os.strerror(int(words[1]))}")
        return int(words[1]) if len(words) > 1 else 0

    def ping(self) -> None:
        """Once it returns, every signal sent to the program before has been handled and is in `signals`."""
        self.ok("ping")

    def handle(self, *numbers: int) -> None:
        for number in numbers:
            self.ok(f"handle {int(number)}")

    def ignore(self, *numbers: int) -> None:
        for number in numbers:
            self.ok(f"ignore {int(number)}")

    def default(self, *numbers: int) -> None:
        for number in numbers:
            self.ok(f"default {int(number)}")

    def exit(self, status: int) -> None:
        self.tell(f"exit {status}")

    def die_of(self, number: int) -> None:
        """Kills itself; the default action is in force unless the case installed another."""
        self.tell(f"raise-quietly {int(number)}")

    def read(self, descriptor: int, most: int = 65536) -> bytes:
        words = self.ask(f"read {descriptor} {most}").split()
        if words[0] != "data":
            raise Mismatch(f"reading descriptor {descriptor} in the program failed with {os.strerror(int(words[1]))}")
        return bytes.fromhex(words[1]) if len(words) > 1 else b""

    def write(self, descriptor: int, data: bytes) -> None:
        self.ok(f"write {descriptor} {data.hex()}")

    def fork(self) -> None:
        """Makes a grandchild, which reports as a further agent of role `grandchild`."""
        self.ok("fork")

    # -- signals

    def count(self, number: int) -> int:
        return sum(1 for each, _, _ in self.signals if each == number)

    def names(self) -> list[str]:
        return [signal_name(number) for number, _, _ in self.signals]

    def wait_signal(self, number: int, count: int = 1) -> None:
        """Waits until the program has been delivered the signal `count` times in all."""
        deadline = Deadline(self.patience)
        while self.count(number) < count:
            self._receive(f"{signal_name(number)} number {count} to reach the program", deadline)

    def wait_end(self) -> None:
        """Waits for the program's end, whatever becomes of the launcher."""
        deadline = Deadline(self.patience)
        while not self.ended:
            if not readable([self.connection.fileno()], deadline):
                raise Mismatch(f"the program was still running after {deadline.seconds:g} s")
            try:
                chunk = self.connection.recv(1 << 20)
            except ConnectionResetError:
                chunk = b""
            if chunk:
                self._take_in(chunk)
            else:
                self.ended = True
