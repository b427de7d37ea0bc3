"""The streams of a running container: output goes to its log and to who is attached, input comes from there.

As containerd's pkg/cri/io.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from kubetour.embedded.containerlog import LogWriter
from kubetour.embedded.terminal import Terminal, write_all

_CHUNK = 65536
_BACKLOG = 1000  # chunks that who is attached may leave unread, before it is let go
Output = asyncio.Queue["tuple[str, bytes] | None"]  # of "stdout" and "stderr"; None: the end


class ContainerIO:
    """Reads a process's pipes, or its terminal, until `finish`. `exited` is for the owner to set."""

    def __init__(
        self, process: subprocess.Popen[bytes], terminal: Terminal | None, log: Path, *, stdin_once: bool
    ) -> None:
        self.process = process
        self.exited = asyncio.Event()
        self._terminal, self._stdin_once = terminal, stdin_once
        self._log = LogWriter(log, time.time_ns, self._written)
        self._writes = 0
        self._more = asyncio.Event()
        self._attached: set[Output] = set()
        if terminal:
            self._outputs = {"stdout": terminal.fileno()}
        else:
            pipes = {"stdout": process.stdout, "stderr": process.stderr}
            self._outputs = {name: pipe.fileno() for name, pipe in pipes.items() if pipe}
        if process.stdin:
            os.set_blocking(process.stdin.fileno(), False)
        loop = asyncio.get_running_loop()
        for name, descriptor in self._outputs.items():
            os.set_blocking(descriptor, False)
            loop.add_reader(descriptor, self._read, name, descriptor)

    # --- output

    def attach(self) -> Output:
        """Return what the container prints from now on."""
        output: Output = asyncio.Queue(_BACKLOG)
        if self.exited.is_set():
            output.put_nowait(None)
        self._attached.add(output)
        return output

    def detach(self, output: Output) -> None:
        """Let go of what `attach` gave."""
        self._attached.discard(output)

    def follower(self) -> Callable[[], Awaitable[bool]]:
        """Return what waits until more was logged since its last call, and tells whether more can come."""
        seen = self._writes

        async def wait() -> bool:
            nonlocal seen
            if seen == self._writes and not self.exited.is_set():
                await self._more.wait()
            seen = self._writes
            return not self.exited.is_set()

        return wait

    def finish(self) -> None:
        """Take what is still to be read after the process's end, and close everything."""
        loop = asyncio.get_running_loop()
        for name, descriptor in self._outputs.items():
            loop.remove_reader(descriptor)
            self._drain(name, descriptor)
        self._end_input()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        if self._terminal:
            self._terminal.close()
        with suppress(OSError):
            self._log.close()
        self._tell(None)

    # --- input

    async def write(self, data: bytes) -> None:
        """Give the container input; it is lost where the container takes none."""
        with suppress(OSError, ValueError):
            if self._terminal:
                await self._terminal.write(data)
            elif self.process.stdin:
                await write_all(self.process.stdin.fileno(), data)

    def input_ended(self) -> None:
        """Take note that one who gave input has no more; it was the only one if the container has it so."""
        if self._stdin_once:
            self._end_input()

    def resize(self, width: int, height: int) -> None:
        """Set the size of the terminal, if there is one."""
        if self._terminal:
            self._terminal.resize(width, height)

    # --- helpers

    def _end_input(self) -> None:
        """Let the container read the end of its input. A terminal has none."""
        if self.process.stdin:
            with suppress(OSError):
                self.process.stdin.close()

    def _read(self, name: str, descriptor: int) -> None:
        if not self._drain(name, descriptor, once=True):
            asyncio.get_running_loop().remove_reader(descriptor)

    def _drain(self, name: str, descriptor: int, *, once: bool = False) -> bool:
        """Take what a descriptor holds; return whether more may come."""
        while True:
            try:
                data = os.read(descriptor, _CHUNK)
            except BlockingIOError:
                return True
            except OSError:  # a terminal that nobody has open any more
                return False
            if not data:
                return False
            with suppress(OSError):  # what a full disk has no room for is lost; the container goes on
                self._log.feed(name, data)
            self._tell((name, data))
            if once:
                return True

    def _tell(self, item: tuple[str, bytes] | None) -> None:
        for output in tuple(self._attached):
            if output.full():
                self._attached.discard(output)
                while not output.empty():
                    output.get_nowait()
                output.put_nowait(None)
            else:
                output.put_nowait(item)

    def _written(self) -> None:
        self._writes += 1
        self._more.set()
        self._more = asyncio.Event()
