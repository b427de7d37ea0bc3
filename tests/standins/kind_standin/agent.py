"""Process 1 of the control plane's container: reaps what has ended and forwards published ports.

    python -m kind_standin.agent ADMIN_CONF API_PORT [PORT ...]

Docker's published ports arrive at the container's own address, where nothing of the embedded cluster
listens: the API port goes to the API server that ADMIN_CONF names, each other port to the same one of
127.0.0.1, where the embedded cluster's proxy listens for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

Where = tuple[str, int]
_SERVER = re.compile(r'server"?: "?https://([\d.]+):(\d+)')


def reap() -> None:
    """Take the exit status of every process that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def api_server(admin: Path) -> Where:
    """Return the API server's address; ConnectionRefusedError before it is there."""
    found = _SERVER.search(admin.read_text()) if admin.exists() else None
    if found is None:
        raise ConnectionRefusedError(f"no API server in {admin}")
    return found[1], int(found[2])


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.write_eof()


async def forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, where: Callable[[], Where]
) -> None:
    """Join a connection with one to `where()`; what cannot be reached resets it, as iptables' REJECT does."""
    try:
        other_reader, other_writer = await asyncio.open_connection(*where())
    except OSError:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, for 0 seconds
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
        return
    try:
        await asyncio.gather(_copy(reader, other_writer), _copy(other_reader, writer))
    finally:
        for each in (writer, other_writer):
            each.close()
            with contextlib.suppress(OSError):
                await each.wait_closed()


async def serve(address: str, admin: Path, api_port: int, ports: list[int]) -> None:
    """Forward until SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGCHLD, reap)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    targets: dict[int, Callable[[], Where]] = {
        port: functools.partial(lambda port: ("127.0.0.1", port), port) for port in ports
    }
    targets[api_port] = functools.partial(api_server, admin)
    async with contextlib.AsyncExitStack() as stack:
        for port, where in targets.items():

            async def accept(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, where: Callable[[], Where] = where
            ) -> None:
                await forward(reader, writer, where)

            server = await asyncio.start_server(accept, address, port)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
        await stopped.wait()
        os._exit(0)  # a node that stops does not wait for open connections


if __name__ == "__main__":
    here = socket.gethostbyname(socket.gethostname())
    asyncio.run(serve(here, Path(sys.argv[1]), int(sys.argv[2]), [int(port) for port in sys.argv[3:]]))
