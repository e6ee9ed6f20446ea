"""The probe under the launcher on a terminal, as its user meets it."""

from __future__ import annotations

import signal
from typing import Literal

from . import procfs
from .agent import Agent
from .case import expect
from .jobshell import Job, JobShell
from .process import Process, signal_name
from .terminal import CTRL_Z, Terminal
from .world import World

#: `leader`: the launcher leads the session, as in a container with a terminal or under script(1). `job` and `background`:
#: it is a job of a shell, in the foreground or not.
Kind = Literal["leader", "job", "background"]


class Scene:
    def __init__(self, world: World, kind: Kind = "job") -> None:
        self.world = world
        self.terminal: Terminal = world.terminal()
        self.process: Process | Job
        self._shell: JobShell | None = None
        if kind == "leader":
            self.process = world.start(world.probe, terminal=self.terminal)
        else:
            self._shell = world.shell(self.terminal)
            self.process = world.job(self._shell, world.probe, foreground=kind == "job")
        self.agent: Agent = world.agent()

    @property
    def shell(self) -> JobShell:
        assert self._shell is not None
        return self._shell

    @property
    def job(self) -> Job:
        assert isinstance(self.process, Job)
        return self.process

    def next_stop_or_end(self) -> str:
        """The next change of the job that is more than going on."""
        change = "continued"
        while change == "continued":
            change = self.job.next_change("the job to stop or end")
        return change

    def end(self) -> str:
        if isinstance(self.process, Process):
            return self.process.wait(self.world.deadline())
        return self.next_stop_or_end()

    def finish(self, status: int = 3) -> None:
        self.agent.exit(status)
        expect("the end", self.end(), f"exit {status}")

    def expect_stopped(self, by: int = signal.SIGTSTP) -> None:
        expect("what the shell sees", self.next_stop_or_end(), f"stopped by {signal_name(by)}")
        self.world.until("the program is stopped", lambda: procfs.is_stopped(self.agent.pid))

    def stop_and_resume(self) -> None:
        """Ctrl-Z, and `fg` once the shell has seen the stop."""
        self.terminal.type(CTRL_Z)
        self.expect_stopped()
        self.job.foreground()
        self.agent.ping()

    def expect_running(self) -> None:
        """The program answers, and the job did not stop again."""
        self.world.settle(self.agent)
        expect("changes that the shell saw", [each for each in self.job.untaken() if each != "continued"], [])

    def expect_only(self, number: int) -> None:
        """The signal reaches the program, once, and no other of those that it catches does."""
        self.agent.wait_signal(number)
        self.world.settle(self.agent)
        expect("signals delivered", self.agent.names(), [signal_name(number)])
