"""What clients may take of the API server: connections, watches, time. Whoever is too slow is cut off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from kubetour.embedded.api import StatusError
from kubetour.embedded.documents import LARGEST


@dataclass(frozen=True)
class Limits:
    """Times in seconds. Idle and body are as in k8s.io/apiserver/pkg/server/secure_serving.go, about."""

    connections: int = 1024
    watches: int = 1000
    handshake: float = 10.0
    idle: float = 90.0  # without a whole request head: after the handshake, and between two requests
    body: float = 60.0  # until the whole body is there
    lingering: float = 5.0  # that the rest of a request is still read after the answer that ends it
    reading: float = 600.0  # that a client may leave an answer unread; a person may look at a log in a pager


STANDARD = Limits()


class BoundedServer(web.Server):
    """aiohttp's server, which by itself takes any number of connections, and waits for readers for ever."""

    def __init__(self, handler: Any, limits: Limits, **options: Any) -> None:
        super().__init__(handler, **options)
        self._limits = limits
        self._options = options

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        """Take a connection, or close it at once where there are too many."""
        super().connection_made(handler, transport)
        if len(self.connections) > self._limits.connections:
            transport.abort()

    def __call__(self) -> RequestHandler:
        """Return what serves a new connection."""
        return _Connection(
            self, loop=asyncio.get_running_loop(), patience=self._limits.reading, **self._kwargs
        )


class _Connection(RequestHandler):
    def __init__(self, manager: Any, *, patience: float, **options: Any) -> None:
        super().__init__(manager, **options)
        self._patience = patience
        self._stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Note that the client does not read: its end of the connection, and our buffer, are full."""
        super().pause_writing()
        self._stalled = self._loop.call_later(self._patience, self._cut_off)

    def resume_writing(self) -> None:
        """Note that the client has read."""
        self._calm()
        super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._calm()
        super().connection_lost(exc)

    def _calm(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _cut_off(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class BoundedRequest(web.BaseRequest):
    """A request whose body has to come in time, and may not be larger than Kubernetes allows."""

    patience = Limits.body

    async def read(self) -> bytes:
        """Return the body; StatusError 408 where it does not come."""
        if self._payload.is_eof():  # it is all there already: no turn of the event loop is given away
            return await super().read()
        try:
            return await asyncio.wait_for(super().read(), self.patience)
        except asyncio.TimeoutError:
            why = f"the body of the request did not come within {self.patience:g}s"
            raise StatusError(408, "Timeout", why, {}) from None


def request_factory(limits: Limits) -> Any:
    """Return what aiohttp makes a request with."""

    def make(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> BoundedRequest:
        loop = task.get_loop()
        request = BoundedRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST)
        request.patience = limits.body
        return request

    return make
