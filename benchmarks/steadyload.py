"""Steady requests to a Service, from a thread of their own: when each that failed began and ended, why."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

PATIENCE = 5.0  # seconds for one request, as curl is given by the tour
_PAUSE = 0.25  # seconds between the requests of one connection that is kept


@dataclass(frozen=True)
class Failure:
    """A request that was not answered. Times are of the monotonic clock, in seconds."""

    began: float
    ended: float
    kind: str  # "new" or "kept": what connection it took
    why: str


class NotAnsweredError(Exception):
    """The connection ended before the answer did, or the answer is none."""


@dataclass
class Kept:
    """One connection that is kept for the next request, as long as the server keeps it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Load:
    """Sends `rate` requests per second, each on a new connection, and some on `kept` others."""

    def __init__(self, host: str, port: int, rate: int, kept: int) -> None:
        self.answered = {"new": 0, "kept": 0}
        self.repeated = 0  # a kept connection was closed as a request came: it is sent again on a new one
        self.failures: list[Failure] = []
        self.slowest = 0.0  # seconds of the slowest that was answered
        self.last_answer = 0.0  # of a request on a new connection: when it began
        self._host, self._port, self._rate, self._kept = host, port, rate, kept
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._under_way: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="load")

    def __enter__(self) -> Load:
        """Begin, and return itself."""
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        """End it; requests under way are waited for."""
        self._closed.set()
        self._thread.join()

    def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true after a request, and return whether it was in time."""
        with self._changed:
            return self._changed.wait_for(true, seconds)

    async def _work(self) -> None:
        for number in range(self._kept):
            self._start(self._keep(number * _PAUSE / self._kept))
        due = time.monotonic()
        while not self._closed.is_set():
            if self._rate:
                self._start(self._once())
            due = max(due + 1 / (self._rate or 10), time.monotonic() - 1)  # held up, it sends no burst
            await asyncio.sleep(due - time.monotonic())
        await asyncio.gather(*self._under_way)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _once(self) -> None:
        began = time.monotonic()
        async with self._counted("new", began):
            connection = await asyncio.wait_for(self._connect(), PATIENCE)
            try:
                await asyncio.wait_for(_ask(connection, "close"), PATIENCE)
            finally:
                await _close(connection)
            self.last_answer = max(self.last_answer, began)

    async def _keep(self, delay: float) -> None:
        await asyncio.sleep(delay)
        connection: Kept | None = None
        while not self._closed.is_set():
            async with self._counted("kept", time.monotonic()):
                used, connection = connection, None  # where it fails, it is not asked again
                connection = await self._ask_kept(used)
            await asyncio.sleep(_PAUSE)
        if connection:
            await _close(connection)

    async def _ask_kept(self, connection: Kept | None) -> Kept | None:
        """Return the connection, if it is kept. RFC 9112, 9.3.1: what it was closed under is sent again."""
        used = connection is not None
        while True:
            if connection is None:
                connection = await asyncio.wait_for(self._connect(), PATIENCE)
            try:
                if await asyncio.wait_for(_ask(connection, "keep-alive"), PATIENCE):
                    return connection
            except (OSError, NotAnsweredError, asyncio.TimeoutError):
                await _close(connection)
                if not used:
                    raise
                self.repeated += 1
                used, connection = False, None
            else:
                await _close(connection)
                return None

    async def _connect(self) -> Kept:
        return Kept(*await asyncio.open_connection(self._host, self._port))

    @contextlib.asynccontextmanager
    async def _counted(self, kind: str, began: float) -> AsyncIterator[None]:
        try:
            yield
        except (OSError, NotAnsweredError, asyncio.TimeoutError) as error:
            why = f"{type(error).__name__}: {error}"
            self.failures.append(Failure(began, time.monotonic(), kind, why))
        else:
            self.answered[kind] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        with self._changed:
            self._changed.notify_all()


async def _ask(connection: Kept, manner: str) -> bool:
    """Send a request and read its answer; whether the connection is kept. NotAnsweredError, OSError."""
    head = f"GET / HTTP/1.1\r\nHost: app\r\nConnection: {manner}\r\n\r\n"
    connection.writer.write(head.encode())
    await connection.writer.drain()
    try:
        answer = (await connection.reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 200 "):
            raise NotAnsweredError(answer.split(b"\r\n")[0].decode(errors="replace"))
        body = await connection.reader.readexactly(int(answer.split(b"content-length:")[1].split()[0]))
    except asyncio.IncompleteReadError as error:
        raise NotAnsweredError(f"the connection ended after {len(error.partial)} bytes") from error
    if not body.startswith(b"You've hit "):
        raise NotAnsweredError(f"the answer was {body[:40]!r}")
    return manner == "keep-alive" and b"connection: close" not in answer


async def _close(connection: Kept) -> None:
    connection.writer.close()
    with contextlib.suppress(OSError):
        await connection.writer.wait_closed()


def sorted_out(
    failures: Iterable[Failure], cuts: Iterable[tuple[float, float]]
) -> tuple[list[Failure], list[Failure]]:
    """Return the failures that count, and those of requests that were under way in one of these intervals."""
    known = tuple(cuts)
    counted: list[Failure] = []
    cut: list[Failure] = []
    for each in failures:
        under_way = any(each.began <= until and each.ended >= since for since, until in known)
        (cut if under_way else counted).append(each)
    return counted, cut
