"""All that one case has: its folder, the launcher, the programs under it, and an end to all of it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Sequence

from . import procfs
from .agent import Agent
from .build import recorder
from .case import Mismatch, Skip, shorten
from .jobshell import Job, JobShell
from .launcher import Launcher
from .process import CLOSED, Process, Setup, kill_all, spawn
from .requirements import UNSHARE
from .terminal import Terminal
from .waiting import Deadline, readable, until

__all__ = ["CLOSED", "Result", "World"]

Word = bytes | str

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Result:
    """A run that is over."""

    status: str
    stdout: bytes
    stderr: bytes


def _bytes(word: Word) -> bytes:
    return os.fsencode(word) if isinstance(word, str) else word


class World:
    def __init__(self, launcher: Launcher, patience: float) -> None:
        self.launcher = launcher
        self.patience = patience
        # Short: the path of a Unix socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="conf-", dir="/tmp"))
        self.cwd = self.folder / "cwd"
        self.home = self.folder / "home"
        for each in (self.cwd, self.home):
            each.mkdir()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.folder / "s"))
        self.server.listen(32)
        self.env: dict[bytes, bytes] = {
            b"PATH": PATH.encode(),
            b"HOME": os.fsencode(self.home),
            b"LANG": b"C.UTF-8",
            b"TERM": b"dumb",
            b"CONFORMANCE_SOCKET": os.fsencode(self.folder / "s"),
            **{_bytes(name): _bytes(value) for name, value in launcher.env.items()},
        }
        self.probe = str(recorder("probe"))
        self.null = os.open("/dev/null", os.O_RDWR)
        self.watched: tuple[int | None, Callable[[], str]] = (None, lambda: "nothing was started")
        self.waiting_agents: list[Agent] = []
        self.agents: list[Agent] = []
        self.files: dict[str, int] = {}
        self.terminals: list[Terminal] = []
        self.shells: list[JobShell] = []

    # -- folders and files

    def file(self, name: str, content: bytes | str = b"", mode: int = 0o644) -> Path:
        """Makes a file below the case's folder (not in the working directory unless the name says so)."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(content))
        path.chmod(mode)
        return path

    def output(self, name: str) -> bytes:
        """What was written to `stdout` or `stderr` up to now."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""

    def _output_descriptor(self, name: str) -> int:
        if name not in self.files:
            self.files[name] = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return self.files[name]

    # -- starting

    def words(self, *command: Word) -> list[Word]:
        """The command with the launcher in front."""
        prefix = self.launcher.words or (str(recorder("bare")),)
        return [*prefix, *command]

    def setup(
        self,
        *,
        env: Mapping[Word, Word] | None = None,
        unset: Sequence[Word] = (),
        cwd: Word | Path | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        descriptors: Mapping[int, int] | None = None,
        terminal: Terminal | None = None,
        ignored: Sequence[int] = (),
        blocked: Sequence[int] = (),
        before: Callable[[], None] | None = None,
        pid_variable: bytes | None = None,
    ) -> Setup:
        environment = {**self.env, **{_bytes(name): _bytes(value) for name, value in (env or {}).items()}}
        for name in unset:
            environment.pop(_bytes(name), None)
        if terminal is not None:
            stdio = [terminal.slave] * 3
        else:
            stdio = [self.null, self._output_descriptor("stdout"), self._output_descriptor("stderr")]
        for number, given in enumerate((stdin, stdout, stderr)):
            if given is not None:
                stdio[number] = given
        return Setup(
            cwd=os.fspath(cwd) if cwd is not None else str(self.cwd),
            env=environment,
            stdio=(stdio[0], stdio[1], stdio[2]),
            descriptors=descriptors or {},
            terminal=terminal.slave if terminal is not None else None,
            ignored=ignored,
            blocked=blocked,
            before=before,
            pid_variable=pid_variable,
        )

    def start_words(self, words: Sequence[Word], setup: Setup) -> Process:
        process = Process(spawn(words, setup))
        self.watched = (process.pidfd, lambda: self._how_it_ended(process))
        return process

    def start(self, *command: Word, **options: object) -> Process:
        """Starts the launcher with the command, in a session of its own; the options are those of `setup`. Standard input is
        /dev/null and the output goes to files unless said otherwise."""
        return self.start_words(self.words(*command), self.setup(**options))  # type: ignore[arg-type]

    def _how_it_ended(self, process: Process) -> str:
        process.ended()
        status = "still running" if process.status is None else process.wait(Deadline(0))
        errors = self.output("stderr").decode(errors="replace").strip()
        return f"launcher: {status}; stderr: {shorten(errors) if errors else 'nothing'}"

    def run(self, *command: Word, **options: object) -> Result:
        """Starts, waits for the end, and returns status and output of this run alone."""
        for name, descriptor in self.files.items():
            os.ftruncate(descriptor, 0)
        process = self.start(*command, **options)
        status = process.wait(self.deadline())
        return Result(status, self.output("stdout"), self.output("stderr"))

    def program(self, *arguments: Word, **options: object) -> tuple[Process, Agent]:
        """Starts the probe under the launcher and waits until it reports."""
        process = self.start(self.probe, *arguments, **options)
        return process, self.agent()

    def reference(self, *arguments: Word, **options: object) -> Agent:
        """The probe started by a bare exec under the very same conditions, whatever the launcher."""
        before = self.watched
        self.start_words([str(recorder("bare")), self.probe, *arguments], self.setup(**options))  # type: ignore[arg-type]
        agent = self.agent()
        self.watched = before
        return agent

    # -- agents

    def deadline(self, seconds: float | None = None) -> Deadline:
        return Deadline(self.patience if seconds is None else seconds)

    def agent(self, role: str = "program") -> Agent:
        """The next probe that reports with this role."""
        deadline = self.deadline()
        while True:
            for agent in self.waiting_agents:
                if agent.role == role:
                    self.waiting_agents.remove(agent)
                    return agent
            self._accept(f"the program ({role}) to start", deadline)

    def _accept(self, what: str, deadline: Deadline) -> None:
        end, how = self.watched
        listening = self.server.fileno()
        ready = readable([listening] + ([end] if end is not None else []), deadline)
        if listening in ready:
            connection, _ = self.server.accept()
            agent = Agent(connection, self.patience, lambda: self.watched)
            self.agents.append(agent)
            self.waiting_agents.append(agent)
        elif ready:
            raise Mismatch(f"waiting for {what}: the launcher ended first ({how()})")
        else:
            raise Mismatch(f"waited {deadline.seconds:g} s in vain for {what}")

    def expect_no_agent(self) -> None:
        """No program has reported up to now."""
        if readable([self.server.fileno()], Deadline(0)):
            raise Mismatch("expected that no program was started, but one reported")

    def stop_watching(self) -> None:
        """From here on the launcher may be gone while its program is asked things."""
        self.watched = (None, lambda: "not watched")

    # -- terminals

    def terminal(self) -> Terminal:
        terminal = Terminal(self.patience)
        self.terminals.append(terminal)
        return terminal

    def shell(self, terminal: Terminal, **options: object) -> JobShell:
        """A shell with job control as session leader on the terminal."""
        setup = self.setup(terminal=terminal, **options)  # type: ignore[arg-type]
        shell = JobShell(terminal, setup, self.patience)
        self.shells.append(shell)
        return shell

    def job(
        self,
        shell: JobShell,
        *command: Word,
        foreground: bool = True,
        stdio: tuple[int, int, int] | None = None,
    ) -> Job:
        """Starts the launcher with the command as a job of the shell."""
        job = shell.start(self.words(*command), foreground=foreground, stdio=stdio)
        self.watched = (job.pidfd, lambda: f"launcher: {job.untaken()}")
        return job

    # -- as PID 1

    def in_namespace(self, *command: Word, mount_proc: bool = True, **options: object) -> Process:
        """Starts the launcher as PID 1 of a new PID namespace. The process returned is `unshare`, which ends as PID 1 ends."""
        unshare = shutil.which("unshare")
        if unshare is None:
            raise Skip("unshare is not installed")
        words = [unshare, *self.namespace_options(mount_proc), *self.words(*command)]
        return self.start_words(words, self.setup(**options))  # type: ignore[arg-type]

    def namespace_options(self, mount_proc: bool = True) -> list[str]:
        """Options of unshare for a new PID namespace."""
        return [*UNSHARE[1:], *(["--mount-proc"] if mount_proc else [])]

    def first_of_namespace(self, unshare: Process) -> int:
        """The pid of that PID 1 as the harness sees it."""
        below = [each.pid for each in procfs.all_processes() if each.ppid == unshare.pid]
        if len(below) != 1:
            raise Mismatch(f"expected one process below unshare, saw {len(below)}")
        return below[0]

    # -- looking

    def stays_beside(self, process: Process | Job, agent: Agent) -> bool:
        """Whether the launcher is still there as a process of its own."""
        return process.pid != agent.pid

    def launcher_processes(self) -> list[int]:
        """Every living process that was started for the case and is neither a probe nor the shell."""
        others = {agent.pid for agent in self.agents} | {shell.pid for shell in self.shells}
        return [each.pid for each in procfs.descendants(os.getpid()) if each.pid not in others and each.state not in "ZX"]

    def settle(self, agent: Agent) -> None:
        """Waits until whatever the launcher still wanted to send has been sent and has reached the program."""

        def look() -> tuple[bool, object]:
            seen = [procfs.activity(pid) for pid in self.launcher_processes()]
            return all(each is None or each[0] for each in seen), seen

        deadline = Deadline(3.0)  # a launcher that never sits still is not waited for longer
        before: object = None
        while not deadline.passed():
            still, marks = look()
            if still and marks == before:
                break
            before = marks
            time.sleep(0.002)
        if not agent.ended:
            agent.ping()

    def survivors(self) -> list[str]:
        """Command lines of the processes of the case that live (probes included, shells not)."""
        found: list[str] = []
        for each in procfs.descendants(os.getpid()):
            if each.state in "ZX" or any(each.pid == shell.pid for shell in self.shells):
                continue
            try:
                with open(f"/proc/{each.pid}/cmdline", "rb") as file:
                    found.append(file.read().replace(b"\0", b" ").decode(errors="replace").strip())
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        until(what, holds, self.deadline())

    def command_line(self, *command: str) -> str:
        """The launcher with the command, as one types it into a shell."""
        return shlex.join(os.fsdecode(word) for word in self.words(*command))

    # -- the end

    def close(self) -> None:
        """Ends every process of the case, wherever it went (the worker is a child subreaper), and removes the folder."""
        while below := procfs.descendants(os.getpid()):
            kill_all([each.pid for each in below if each.state != "Z"])
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                continue
            signal.sigtimedwait([signal.SIGCHLD], 0.05)
        self.server.close()
        for terminal in self.terminals:
            terminal.close()
        shutil.rmtree(self.folder, ignore_errors=True)
