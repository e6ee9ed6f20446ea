"""All that one case has: its folder, the launcher, the programs under it, and an end to all of it."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from . import procfs, surroundings
from .agent import Agent
from .build import recorder
from .case import Mismatch, Skip, shorten
from .jobshell import Job, JobShell
from .launcher import Launcher
from .options import Options, Word, as_bytes
from .process import CLOSED, Process, Setup, spawn
from .requirements import UNSHARE
from .terminal import Terminal
from .waiting import Deadline, readable, until

__all__ = ["CLOSED", "Result", "Word", "World"]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Result:
    """A run that is over."""

    status: str
    stdout: bytes
    stderr: bytes


class World:
    def __init__(self, launcher: Launcher, patience: float, moments: int) -> None:
        self.launcher = launcher
        self.patience = patience
        self.moments = moments
        # Short: the path of a Unix socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="conf-", dir="/tmp"))
        self.cwd = self.folder / "cwd"
        self.home = self.folder / "home"
        for each in (self.cwd, self.home):
            each.mkdir()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.folder / "s"))
        self.server.listen(1024)  # some cases never take their programs in
        self.env: dict[bytes, bytes] = {
            b"PATH": PATH.encode(),
            b"HOME": os.fsencode(self.home),
            b"LANG": b"C.UTF-8",
            b"TERM": b"dumb",
            b"CONFORMANCE_SOCKET": os.fsencode(self.folder / "s"),
            **{as_bytes(name): as_bytes(value) for name, value in launcher.env.items()},
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
        path.write_bytes(as_bytes(content))
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

    def setup(self, **options: Unpack[Options]) -> Setup:
        environment = dict(self.env)
        for name, value in options.get("env", {}).items():
            environment[as_bytes(name)] = as_bytes(value)
        for name in options.get("unset", ()):
            environment.pop(as_bytes(name), None)
        terminal = options.get("terminal")
        if terminal is not None:
            default = (terminal.slave, terminal.slave, terminal.slave)
        else:
            default = (self.null, self._output_descriptor("stdout"), self._output_descriptor("stderr"))
        return Setup(
            cwd=os.fspath(options.get("cwd", self.cwd)),
            env=environment,
            stdio=(
                options.get("stdin", default[0]),
                options.get("stdout", default[1]),
                options.get("stderr", default[2]),
            ),
            descriptors=options.get("descriptors", {}),
            terminal=terminal.slave if terminal is not None else None,
            ignored=options.get("ignored", ()),
            blocked=options.get("blocked", ()),
            before=options.get("before"),
            pid_variable=options.get("pid_variable"),
        )

    def start_words(self, words: Sequence[Word], setup: Setup) -> Process:
        process = Process(spawn(words, setup))
        self.watched = (process.pidfd, lambda: self._how_it_ended(process))
        return process

    def start(self, *command: Word, **options: Unpack[Options]) -> Process:
        """Starts the launcher with the command, in a session of its own; the options are those of `setup`. Standard input is
        /dev/null and the output goes to files unless said otherwise."""
        return self.start_words(self.words(*command), self.setup(**options))

    def _how_it_ended(self, process: Process) -> str:
        process.ended()
        status = "still running" if process.status is None else process.wait(Deadline(0))
        errors = self.output("stderr").decode(errors="replace").strip()
        return f"launcher: {status}; stderr: {shorten(errors) if errors else 'nothing'}"

    def run(self, *command: Word, **options: Unpack[Options]) -> Result:
        """Starts, waits for the end, and returns status and output of this run alone."""
        for _name, descriptor in self.files.items():
            os.ftruncate(descriptor, 0)
        process = self.start(*command, **options)
        status = process.wait(self.deadline())
        return Result(status, self.output("stdout"), self.output("stderr"))

    def program(self, *arguments: Word, **options: Unpack[Options]) -> tuple[Process, Agent]:
        """Starts the probe under the launcher and waits until it reports."""
        process = self.start(self.probe, *arguments, **options)
        return process, self.agent()

    def reference(self, *arguments: Word, **options: Unpack[Options]) -> Agent:
        """The probe started by a bare exec under the very same conditions, whatever the launcher."""
        before = self.watched
        self.start_words([str(recorder("bare")), self.probe, *arguments], self.setup(**options))
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

    def agent_unless_ended(self, process: Process) -> Agent | None:
        """The program, or None when the launcher ends without having started one."""
        end = [] if process.pidfd is None else [process.pidfd]
        ready = readable([self.server.fileno(), *end], self.deadline())
        if not ready:
            raise Mismatch(f"after {self.patience:g} s the launcher had neither ended nor started the program")
        return self.agent() if self.server.fileno() in ready else None

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
            raise Mismatch(f"waited {deadline.seconds:g} s without result for {what}")

    def stop_watching(self) -> None:
        """From here on the launcher may be gone while its program is asked things."""
        self.watched = (None, lambda: "not watched")

    # -- terminals

    def terminal(self) -> Terminal:
        terminal = Terminal(self.patience)
        self.terminals.append(terminal)
        return terminal

    def shell(self, terminal: Terminal, env: Mapping[str, Word] | None = None) -> JobShell:
        """A shell with job control as session leader on the terminal."""
        setup = self.setup(terminal=terminal, env=env or {})
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

    def in_namespace(self, *command: Word, mount_proc: bool = True, **options: Unpack[Options]) -> Process:
        """Starts the launcher as PID 1 of a new PID namespace. The process returned is `unshare`, which ends as PID 1 ends."""
        unshare = shutil.which("unshare")
        if unshare is None:
            raise Skip("unshare is not installed")
        words = [unshare, *self.namespace_options(mount_proc), *self.words(*command)]
        return self.start_words(words, self.setup(**options))

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

    def _shell_pids(self) -> set[int]:
        return {shell.pid for shell in self.shells}

    def launcher_processes(self) -> list[int]:
        """Every living process that was started for the case and is neither a probe nor the shell."""
        return surroundings.living({agent.pid for agent in self.agents} | self._shell_pids())

    def survivors(self) -> list[str]:
        """Command lines of the processes of the case that live: probes included, shells not."""
        return surroundings.command_lines(surroundings.living(self._shell_pids()))

    def settle(self, agent: Agent) -> None:
        """Waits until whatever the launcher still wanted to send has been sent and has reached the program."""
        surroundings.wait_until_still({each.pid for each in self.agents} | self._shell_pids(), self.deadline(3.0))
        if not agent.ended:
            agent.ping()

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        until(what, holds, self.deadline())

    def command_line(self, *command: str) -> str:
        """The launcher with the command, as one types it into a shell."""
        return shlex.join(os.fsdecode(word) for word in self.words(*command))

    # -- the end

    def close(self) -> None:
        """Ends every process of the case, wherever it went (the worker is a child subreaper), and removes the folder."""
        surroundings.end_all()
        self.server.close()
        for terminal in self.terminals:
            terminal.close()
        shutil.rmtree(self.folder, ignore_errors=True)
