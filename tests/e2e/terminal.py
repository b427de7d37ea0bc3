"""A pseudo-terminal with a task at it, and a person who waits for what it says before they type."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.e2e.checkout import PATIENCE, Checkout

# Becomes the task, with the terminal as the one that Ctrl-C at it is for.
ATTACH = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@dataclass
class Terminal:
    """The person's end: what has been shown so far, and the process."""

    master: int
    process: subprocess.Popen[bytes]
    shown: bytes = b""
    read: int = field(default=0)  # of it, what has been waited for

    def until(self, text: str) -> str:
        """Wait until a text is shown, and return all that came since the last one."""
        wanted = text.encode()
        while (at := self.shown.find(wanted, self.read)) < 0:
            assert self._more(), f"never shown: {text!r}, but {self.shown[self.read :].decode()!r}"
        begun, self.read = self.read, at + len(wanted)
        return self.shown[begun : self.read].decode()

    def type(self, text: str) -> None:
        """Type."""
        os.write(self.master, text.encode())

    def watch(self, seconds: float) -> None:
        """Take in what is shown, for at most that long."""
        if select.select([self.master], [], [], seconds)[0]:
            self._more()

    def close(self) -> None:
        """Close the window: the kernel sends SIGHUP, and nothing can be shown any more."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def ended(self) -> int:
        """Wait for the task to end, and return its exit status."""
        while self._more():
            pass
        return self.process.wait(PATIENCE)

    def _more(self) -> bool:
        """Read some more; False when the task has closed its end."""
        ready, _, _ = select.select([self.master], [], [], PATIENCE)
        assert ready, f"nothing more is shown: {self.shown[self.read :].decode()!r}"
        try:
            more = os.read(self.master, 65536)
        except OSError:  # EIO: so Linux says that nobody has the other end open
            return False
        self.shown += more
        return bool(more)


@contextmanager
def terminal(checkout: Checkout, *argv: str, lang: str = "en") -> Iterator[Terminal]:
    """Start a task at a terminal of its own; it has ended when this is left."""
    master, slave = os.openpty()
    command = [sys.executable, "-c", ATTACH, *checkout.command(*argv)]
    environ = checkout.environ(lang, TERM="xterm", NO_COLOR="1")
    with subprocess.Popen(
        command,
        cwd=checkout.root,
        env=environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        at = Terminal(master, process)
        try:
            yield at
        finally:
            at.close()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
