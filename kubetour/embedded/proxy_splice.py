"""One proxied TCP connection: two transports, bytes from each to the other.

A side that is not drained stops the other from being read; the end of one direction is passed on and the
other direction goes on; a reset on one side is a reset on the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterable
from typing import cast

from kubetour.embedded.proxy_rules import Backend

# What a client asks: the backends to try, in order, for the client at that address.
Choose = Callable[[str], Iterable[Backend]]
_RESET = struct.pack("ii", 1, 0)


# One buffer for all: what is read into it is written or copied before anything else can be read.
_BUFFER = memoryview(bytearray(256 * 1024))


class _Side(asyncio.BufferedProtocol):
    """One end of the connection; `other` is its counterpart once both are there."""

    transport: asyncio.Transport
    other: _Side | None = None
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to: no allocation per read, which asyncio's Protocol pays 256 KiB for."""
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what came."""
        if self.other is not None:
            self.other.transport.write(bytes(_BUFFER[:nbytes]))

    def pause_writing(self) -> None:
        """Read no more from the other side while this one is not drained."""
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the end of this direction on; when both have ended, close."""
        self.ended = True
        if self.other is not None and not self.other.transport.is_closing():
            if self.other.ended:
                self.other.transport.close()
                self.transport.close()
            else:
                self.other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side in the same way."""
        if self.other is not None and not self.other.transport.is_closing():
            if exc is None:
                self.other.transport.close()
            else:
                reset(self.other.transport)


class Inbound(_Side):
    """The side towards the client, made for each connection that a listener accepts.

    What the client says before a backend is found is held back, so that another backend can be tried when one
    refuses. `connections` holds every living one, for the end of the proxy.
    """

    def __init__(self, choose: Choose, connections: set[Inbound]) -> None:
        self._choose = choose
        self._connections = connections
        self._early: list[bytes] = []
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look for a backend."""
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connections.add(self)
        peername = self.transport.get_extra_info("peername")
        client = peername[0] if peername else ""
        self._connecting = asyncio.get_running_loop().create_task(self._connect(client))

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what came, or keep it until somebody is there."""
        if self.other is not None:
            self.other.transport.write(bytes(_BUFFER[:nbytes]))
            return
        # Some event loops read once before a pause made in connection_made counts.
        self._early.append(bytes(_BUFFER[:nbytes]))
        self.transport.pause_reading()

    async def _connect(self, client: str) -> None:
        loop = asyncio.get_running_loop()
        for backend in self._choose(client):
            try:
                _, outbound = await loop.create_connection(
                    _Side, backend.host, backend.port, family=socket.AF_INET
                )
            except OSError:
                continue
            self._join(outbound)
            return
        reset(self.transport)

    def _join(self, outbound: _Side) -> None:
        if self.transport.is_closing():
            reset(outbound.transport)
            return
        self.other, outbound.other = outbound, self
        for data in self._early:
            outbound.transport.write(data)
        self._early.clear()
        if self.ended:
            outbound.transport.write_eof()
        else:
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._connections.discard(self)
        if self._connecting is not None:
            self._connecting.cancel()

    def stop(self) -> asyncio.Task[None] | None:
        """Cut both sides; return the task that may still be connecting."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self.other is not None:
            reset(self.other.transport)
        reset(self.transport)
        return self._connecting


def reset(transport: asyncio.Transport) -> None:
    """End a connection with RST, what a client sees as refused or reset."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
