"""`kubectl port-forward`: connections to a Pod's ports, carried by the streams of one WebSocket.

kubectl (1.31 and newer by default) speaks SPDY/3.1 in it, with two streams for each connection, one for the
data and one for an error (KEP-4006). Other clients speak channels: two for each port that the URL names.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from kubetour.embedded import spdy

TUNNEL, CHANNELS = "SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"
PROTOCOLS = (TUNNEL, CHANNELS)
_CHUNK = 32768

Where = Callable[[int], tuple[str, int]]  # a Pod's port -> where that really listens
Send = Callable[[bytes], Awaitable[None]]


class Connection:
    """One forwarded connection: bytes that came for it wait here until the Pod takes them."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=64)

    async def put(self, data: bytes) -> None:
        """Take bytes for the Pod; empty ones say that no more will come."""
        await self._waiting.put(data)

    async def carry(self, host: str, port: int, send: Send) -> None:
        """Connect to the Pod, and carry bytes both ways until it has said its last; OSError if it refuses."""
        reader, writer = await asyncio.open_connection(host, port)
        upwards = asyncio.ensure_future(self._upwards(writer))
        try:
            while chunk := await reader.read(_CHUNK):
                await send(chunk)
        finally:
            upwards.cancel()
            await asyncio.gather(upwards, return_exceptions=True)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _upwards(self, writer: asyncio.StreamWriter) -> None:
        while data := await self._waiting.get():
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def forward(ws: web.WebSocketResponse, pod: str, ports: list[int], where: Where) -> None:
    """Serve one caller until it goes."""
    tasks: set[asyncio.Task[None]] = set()
    serve = (
        Tunnel(ws, pod, where, tasks).serve
        if ws.ws_protocol == TUNNEL
        else _channels(ws, ports, where, tasks)
    )
    try:
        await serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Tunnel:
    """SPDY in a WebSocket: the server's side."""

    def __init__(
        self, ws: web.WebSocketResponse, pod: str, where: Where, tasks: set[asyncio.Task[None]]
    ) -> None:
        self._ws, self._pod, self._where, self._tasks = ws, pod, where, tasks
        self._session = spdy.Session()
        self._errors: dict[str, int] = {}  # a request's error stream
        self._connections: dict[int, Connection] = {}  # by its data stream

    async def serve(self) -> None:
        """Serve until the caller goes, or speaks something else."""
        async for sent in self._ws:
            if sent.type is not WSMsgType.BINARY:
                continue
            try:
                for event in self._session.feed(sent.data):
                    await self._take(event)
            except spdy.SpdyError:
                await self._ws.close(code=1002)
                return

    async def _take(self, event: spdy.Event) -> None:
        if isinstance(event, spdy.Answer):
            await self._ws.send_bytes(event.frame)
        elif isinstance(event, spdy.Opened):
            await self._ws.send_bytes(self._session.reply(event.stream))
            await self._opened(event)
        elif isinstance(event, spdy.Data) and event.stream in self._connections:
            if event.data:
                await self._connections[event.stream].put(event.data)
            if event.last:
                await self._connections[event.stream].put(b"")

    async def _opened(self, event: spdy.Opened) -> None:
        request = event.headers.get("requestid", "")
        if event.headers.get("streamtype") == "error":
            self._errors[request] = event.stream
        elif event.headers.get("streamtype") == "data" and request in self._errors:
            self._connections[event.stream] = Connection()
            error, port = self._errors.pop(request), int(event.headers.get("port", "0"))
            task = asyncio.ensure_future(self._carry(event.stream, error, port))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, stream: int, error: int, port: int) -> None:
        async def send(chunk: bytes) -> None:
            await self._ws.send_bytes(spdy.data(stream, chunk))

        said = b""
        try:
            await self._connections[stream].carry(*self._where(port), send)
        except OSError as refused:
            said = f"error forwarding port {port} to pod {self._pod}: {refused}".encode()
        finally:
            del self._connections[stream]
        await self._ws.send_bytes(spdy.data(error, said, last=True))
        await self._ws.send_bytes(spdy.data(stream, b"", last=True))


def _channels(
    ws: web.WebSocketResponse, ports: list[int], where: Where, tasks: set[asyncio.Task[None]]
) -> Callable[[], Awaitable[None]]:
    """Return what serves two channels for each port, each of which begins with the port's number."""
    connections = {2 * number: Connection() for number in range(len(ports))}

    async def carry(channel: int, port: int) -> None:
        async def send(chunk: bytes) -> None:
            await ws.send_bytes(bytes((channel,)) + chunk)

        for each in (channel, channel + 1):
            await ws.send_bytes(bytes((each,)) + struct.pack("<H", port))
        try:
            await connections[channel].carry(*where(port), send)
        except OSError as refused:
            await ws.send_bytes(bytes((channel + 1,)) + f"error forwarding port {port}: {refused}".encode())
        if len(ports) == 1:
            await ws.close()  # a channel cannot be closed alone

    async def serve() -> None:
        tasks.update(asyncio.ensure_future(carry(2 * n, port)) for n, port in enumerate(ports))
        async for sent in ws:
            if sent.type is WSMsgType.BINARY and len(sent.data) > 1 and sent.data[0] in connections:
                await connections[sent.data[0]].put(sent.data[1:])

    return serve
