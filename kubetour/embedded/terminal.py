"""A pseudo-terminal for a program: it has one end, we read and write the other."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from contextlib import suppress


class Terminal:
    """Both ends. `program` is a file descriptor for the program, to be closed here once it has started."""

    def __init__(self) -> None:
        self._ours, self.program = os.openpty()
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> asyncio.StreamReader:
        """Return what the program prints; it ends, as an OSError or an end of file, with the program."""
        reader = asyncio.StreamReader()
        end = os.fdopen(os.dup(self._ours), "rb", buffering=0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), end
        )
        return reader

    def become_controlling(self) -> None:
        """Make it the calling process's own terminal: to be called in the program's process, before exec."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, width: int, height: int) -> None:
        """Set its size in characters."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def fileno(self) -> int:
        """Return our end, for who reads it without `open`."""
        return self._ours

    async def write(self, data: bytes) -> None:
        """Type something; wait while the program takes nothing."""
        await write_all(self._ours, data)

    def started(self) -> None:
        """Leave the program's end to the program."""
        os.close(self.program)

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()
        with suppress(OSError):
            os.close(self._ours)


async def write_all(descriptor: int, data: bytes) -> None:
    """Write to a descriptor that does not block; wait while nothing can be written."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            await _writable(descriptor)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(descriptor, _set, ready)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
