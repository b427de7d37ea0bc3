"""A terminal of its own for a task: what it shows can be read, and keys can be typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.checkout import Checkout

PATIENCE = 60.0  # seconds
SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
CTRL_C = b"\x03"


class Terminal:
    """A task that runs in a terminal, which is its controlling one: Ctrl-C reaches it as from a keyboard."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.raw = ""

    @property
    def shown(self) -> str:
        """Return all that was shown, without what moves and colours."""
        return SEQUENCE.sub("", self.raw)

    def read_until(self, pattern: str, start: int = 0) -> str:
        """Read until what is shown from there on matches; return that. It fails if the task ends before."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.shown[start:])):
            assert self._read(deadline), f"{pattern} was not seen in:\n{self.shown}"
        return found[0]

    def type(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self._master, keys)

    def end(self) -> int:
        """Read to the end and return the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, deadline: float) -> bool:
        """Take what is shown next; False at the end."""
        ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0.0))
        if not ready:
            raise TimeoutError(self.shown)
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # Linux: nobody has the other side open any more
            return False
        self.raw += piece.decode(errors="replace")
        return bool(piece)


@contextmanager
def terminal(
    checkout: Checkout, *argv: str, columns: int = 80, lines: int = 24, lang: str = "en", **environ: str
) -> Iterator[Terminal]:
    """Run a task in a terminal of that size; afterwards it has ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    try:
        with subprocess.Popen(
            ["setsid", "--ctty", *checkout.command(*argv)],
            cwd=checkout.root,
            env=checkout.environ(lang, TERM="xterm-256color", **environ),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        ) as process:
            os.close(slave)
            try:
                yield Terminal(master, process)
            finally:
                process.kill()
    finally:
        os.close(master)
