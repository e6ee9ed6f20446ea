"""A small shell with job control: a session leader on a terminal that starts jobs in process groups of their own, puts them
into the foreground and background, and reports every change of their state, as an interactive shell does. It changes no terminal settings."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import termios
from collections.abc import Callable, Sequence
from dataclasses import replace

from .case import Mismatch
from .process import Setup, become, describe, read_failure
from .terminal import Terminal
from .waiting import Deadline, pidfd, readable


class Job:
    """A job of the shell, seen from the harness."""

    def __init__(self, shell: JobShell, pid: int) -> None:
        self.shell = shell
        self.pid = pid
        self.pidfd = pidfd(pid)
        self.changes: list[int] = []  # wait statuses, in order
        self.taken = 0

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def send_group(self, number: int) -> None:
        os.killpg(self.pid, number)

    def next_change(self, what: str) -> str:
        """The next change of state as the shell saw it."""
        deadline = Deadline(self.shell.patience)
        while self.taken == len(self.changes):
            self.shell.receive(f"the shell to see {what}", deadline)
        self.taken += 1
        return describe(self.changes[self.taken - 1])

    def untaken(self) -> list[str]:
        """Changes that the shell has seen and no case has taken."""
        self.shell.ask({"do": "sync"})
        return [describe(status) for status in self.changes[self.taken :]]

    def foreground(self) -> None:
        """`fg`"""
        self.shell.ask({"do": "foreground", "pid": self.pid})

    def background(self) -> None:
        """`bg`"""
        self.shell.ask({"do": "background", "pid": self.pid})


class JobShell:
    def __init__(self, terminal: Terminal, setup: Setup, patience: float) -> None:
        self.patience = patience
        self.jobs: dict[int, Job] = {}
        self.answers: list[dict[str, object]] = []
        self.buffer = b""
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.pid = os.fork()
        if self.pid == 0:
            try:
                ours.close()
                os.close(terminal.master)
                _Server(theirs, terminal.slave, setup).serve()
            finally:
                os._exit(0)
        theirs.close()

    def start(
        self, words: Sequence[bytes | str], *, foreground: bool, stdio: tuple[int, int, int] | None = None
    ) -> Job:
        self.ask(
            {
                "do": "start",
                "words": [word.hex() if isinstance(word, bytes) else word.encode().hex() for word in words],
                "foreground": foreground,
                "stdio": stdio,
            }
        )
        answer = self.answers.pop()
        if "failure" in answer:
            raise RuntimeError(str(answer["failure"]))
        pid = answer["pid"]
        assert isinstance(pid, int)
        return self.jobs[pid]

    def ask(self, request: dict[str, object]) -> None:
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        deadline = Deadline(self.patience)
        count = len(self.answers)
        while len(self.answers) == count:
            self.receive(f"the shell to answer {request['do']}", deadline)

    def receive(self, what: str, deadline: Deadline) -> None:
        if not readable([self.socket.fileno()], deadline):
            raise Mismatch(f"waited {deadline.seconds:g} s without result for {what}")
        chunk = self.socket.recv(65536)
        if not chunk:
            raise Mismatch(f"the shell ended while waiting for {what}")
        self.buffer += chunk
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            message = json.loads(line)
            if "status" in message:
                self.jobs[message["pid"]].changes.append(message["status"])
                continue
            if "pid" in message:
                self.jobs[message["pid"]] = Job(self, message["pid"])
            self.answers.append(message)


class _Server:
    """The shell itself, in a process of its own."""

    def __init__(self, channel: socket.socket, terminal: int, setup: Setup) -> None:
        self.channel = channel
        self.terminal = terminal
        self.setup = setup
        self.current: int | None = None  # the job that has the terminal
        self.jobs: set[int] = set()
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the end of the shell is what hangs up its jobs
        self.wake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        self.give_terminal(os.getpgrp())

    def give_terminal(self, group: int) -> None:
        os.tcsetpgrp(self.terminal, group)

    def say(self, message: dict[str, object]) -> None:
        self.channel.sendall(json.dumps(message).encode() + b"\n")

    def serve(self) -> None:
        buffer = b""
        while True:
            ready, _, _ = select.select([self.channel.fileno(), self.wake], [], [])
            if self.wake in ready:
                os.read(self.wake, 4096)
                self.collect()
            if self.channel.fileno() in ready:
                chunk = self.channel.recv(65536)
                if not chunk:
                    return
                buffer += chunk
                while b"\n" in buffer:
                    line, buffer = buffer.split(b"\n", 1)
                    self.obey(json.loads(line))

    def collect(self) -> None:
        while self.jobs:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if not os.WIFCONTINUED(status) and pid == self.current:
                self.current = None
                self.give_terminal(os.getpgrp())
            self.say({"pid": pid, "status": status})

    def obey(self, request: dict[str, object]) -> None:
        handlers: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
            "start": self.start,
            "foreground": self.foreground,
            "background": self.background,
            "sync": self.sync,
        }
        self.say(handlers[str(request["do"])](request))

    def sync(self, _: dict[str, object]) -> dict[str, object]:
        self.collect()
        return {}

    def start(self, request: dict[str, object]) -> dict[str, object]:
        words = request["words"]
        assert isinstance(words, list)
        stdio = request["stdio"] if isinstance(request["stdio"], list) else [self.terminal] * 3
        setup = replace(self.setup, new_session=False, terminal=None, stdio=tuple(stdio))
        reading, writing = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            os.setpgid(0, 0)
            if request["foreground"]:
                self.give_terminal(os.getpgrp())
            become([bytes.fromhex(word) for word in words], setup, writing)
        os.close(writing)
        self.jobs.add(pid)
        if request["foreground"]:
            self.current = pid
        failure = read_failure(reading)
        return {"failure": failure} if failure else {"pid": pid}

    def foreground(self, request: dict[str, object]) -> dict[str, object]:
        pid = request["pid"]
        assert isinstance(pid, int)
        self.current = pid
        self.give_terminal(pid)
        os.killpg(pid, signal.SIGCONT)
        return {}

    def background(self, request: dict[str, object]) -> dict[str, object]:
        pid = request["pid"]
        assert isinstance(pid, int)
        os.killpg(pid, signal.SIGCONT)
        return {}
