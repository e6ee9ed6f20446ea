"""A pseudo-terminal, with the harness as the user who types."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from .case import Mismatch, shorten
from .waiting import Deadline, readable

CTRL_C, CTRL_D, CTRL_Z, CTRL_BACKSLASH = b"\x03", b"\x04", b"\x1a", b"\x1c"


class Terminal:
    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.master, self.slave = os.openpty()
        for descriptor in (self.master, self.slave):
            os.set_inheritable(descriptor, False)
        self.shown = b""
        self.resize(24, 80)

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def size(self) -> tuple[int, int]:
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.slave, termios.TIOCGWINSZ, bytes(8)))
        return rows, columns

    def settings(self) -> list[object]:
        return list(termios.tcgetattr(self.slave))

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def set_local(self, flag: int, on: bool) -> None:
        settings = termios.tcgetattr(self.slave)
        settings[3] = settings[3] | flag if on else settings[3] & ~flag
        termios.tcsetattr(self.slave, termios.TCSANOW, settings)

    def foreground(self) -> int:
        return os.tcgetpgrp(self.master)

    def _more(self, deadline: Deadline) -> bool:
        if not readable([self.master], deadline):
            return False
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # EIO: the last slave is closed
            return False
        self.shown += chunk
        return bool(chunk)

    def read_until(self, text: bytes) -> None:
        """Waits until the text is shown, and drops what was shown up to its end."""
        deadline = Deadline(self.patience)
        while text not in self.shown:
            if not self._more(deadline):
                raise Mismatch(f"waited for {text!r} on the terminal, which showed {shorten(self.shown)}")
        self.shown = self.shown.split(text, 1)[1]

    def drain(self) -> bytes:
        """Everything shown up to now."""
        while self._more(Deadline(0)):
            pass
        return self.shown

    def hang_up(self) -> None:
        """As when the window is closed or the connection is lost."""
        os.close(self.slave)
        os.close(self.master)
        self.slave = self.master = -1

    def close(self) -> None:
        for descriptor in (self.slave, self.master):
            if descriptor >= 0:
                os.close(descriptor)
