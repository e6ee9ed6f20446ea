"""Starting a process exactly so, and learning how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .case import Mismatch
from .waiting import Deadline, pidfd

CLOSED = -1  # as a standard stream: the descriptor is closed


@dataclass
class Setup:
    """Settings of a process. Descriptors of `stdio` and `descriptors` are the harness's own."""

    cwd: bytes | str
    env: Mapping[bytes, bytes]
    stdio: tuple[int, int, int]
    descriptors: Mapping[int, int] = field(default_factory=dict)
    new_session: bool = True
    terminal: int | None = None  # the slave of a pty: becomes the controlling terminal of the new session
    ignored: Sequence[int] = ()
    blocked: Sequence[int] = ()
    before: Callable[[], None] | None = None  # runs in the child last before the exec
    pid_variable: bytes | None = None  # a variable for the process's own pid


def _reset_signals(setup: Setup) -> None:
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN if number in setup.ignored else signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # KILL, STOP and those that libc keeps for itself
    signal.pthread_sigmask(signal.SIG_SETMASK, setup.blocked)


def _place_descriptors(setup: Setup, keep: int) -> int:
    wanted = dict(enumerate(setup.stdio)) | dict(setup.descriptors)
    out_of_the_way = {
        number: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 800) for number, source in wanted.items() if source != CLOSED
    }
    keep = fcntl.fcntl(keep, fcntl.F_DUPFD_CLOEXEC, 800)
    for number in (int(name) for name in os.listdir("/proc/self/fd")):
        if number < 800:
            try:
                os.close(number)
            except OSError:
                pass
    for number, source in out_of_the_way.items():
        os.dup2(source, number, inheritable=True)
    return keep


def become(words: Sequence[bytes | str], setup: Setup, failure: int) -> None:
    """In a freshly forked child: never returns. A failure is written to the descriptor `failure`."""
    try:
        if setup.new_session:
            os.setsid()
        if setup.terminal is not None:
            fcntl.ioctl(setup.terminal, termios.TIOCSCTTY, 0)
        failure = _place_descriptors(setup, failure)
        os.chdir(setup.cwd)
        environment = dict(setup.env)
        if setup.pid_variable is not None:
            environment[setup.pid_variable] = str(os.getpid()).encode()
        if setup.before is not None:
            setup.before()
        _reset_signals(setup)
        os.execve(words[0], list(words), environment)
    except BaseException as problem:  # this process has no other way to report it
        os.write(failure, f"{type(problem).__name__}: {problem}".encode())
    finally:
        os._exit(111)


def read_failure(descriptor: int) -> str:
    """What the child wrote before its exec; empty once the exec has closed the descriptor."""
    text = b""
    while chunk := os.read(descriptor, 4096):
        text += chunk
    os.close(descriptor)
    return text.decode()


def spawn(words: Sequence[bytes | str], setup: Setup) -> int:
    """Returns the pid once the exec has happened."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        become(words, setup, writing)
    os.close(writing)
    failure = read_failure(reading)
    if failure:
        os.waitpid(pid, 0)
        raise RuntimeError(f"cannot start {words[0]!r}: {failure}")
    return pid


def describe(status: int) -> str:
    """A wait status in words: `exit 3`, `signal SIGTERM`, `stopped by SIGTSTP`, `continued`."""
    if os.WIFEXITED(status):
        return f"exit {os.WEXITSTATUS(status)}"
    if os.WIFCONTINUED(status):
        return "continued"
    if os.WIFSTOPPED(status):
        return f"stopped by {signal_name(os.WSTOPSIG(status))}"
    return f"signal {signal_name(os.WTERMSIG(status))}"


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


class Process:
    """A child of the worker. SIGCHLD is blocked in the worker, so that no change of a child is ever missed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.ended_at = 0.0
        self.pidfd = pidfd(pid)

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def _look(self, options: int) -> int | None:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG | options)
        except ChildProcessError:
            raise Mismatch(f"process {self.pid} is no longer there") from None
        if pid == 0:
            return None
        if not os.WIFSTOPPED(status) and not os.WIFCONTINUED(status):
            self.status = status
            self.ended_at = time.monotonic()
        return status

    def change(self, deadline: Deadline, *, stops: bool = True) -> int | None:
        """The next change of state as a wait status; None after the deadline."""
        if self.status is not None:
            return self.status
        options = (os.WUNTRACED | os.WCONTINUED) if stops else 0
        while (status := self._look(options)) is None:
            if deadline.passed():
                return None
            signal.sigtimedwait([signal.SIGCHLD], deadline.left())
        return status

    def ended(self) -> bool:
        return self.status is not None or self._look(0) is not None

    def wait(self, deadline: Deadline) -> str:
        status = self.change(deadline, stops=False)
        if status is None:
            raise Mismatch(f"the launcher had not ended after {deadline.seconds:g} s")
        return describe(status)

    def core_dumped(self) -> bool:
        return self.status is not None and os.WIFSIGNALED(self.status) and os.WCOREDUMP(self.status)


def kill_all(pids: Sequence[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError as problem:
            if problem.errno != errno.ESRCH:
                raise
