"""A client without manners: it sends what bytes it is given, and reads what comes."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from kubetour.embedded.testing import Server

DEADLINE = 30.0  # seconds; whatever takes longer is a hang


@dataclass(frozen=True)
class Request:
    """What is sent: the target as it stands in the request line, and bytes for a body."""

    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=())

    def __repr__(self) -> str:
        body = repr(self.body) if len(self.body) < 2000 else f"{self.body[:100]!r}… ({len(self.body)} bytes)"
        return f"Request({self.method!r}, {self.target!r}, {body}, {self.headers!r})"

    def encode(self, host: str, token: str) -> bytes:
        """Return the bytes on the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}"]
        if not any(name.lower() == "authorization" for name, _ in self.headers):
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogatepass") + self.body


@dataclass(frozen=True)
class Answer:
    """What came back; of an answer that does not end (a watch) only the beginning."""

    status: int
    media: str
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON; ValueError for what is none, NaN included."""

        def refuse(name: str) -> None:
            raise ValueError(name)

        return json.loads(self.body, parse_constant=refuse)


class Client:
    """A connection to a cluster's API that is opened again where the server has closed it."""

    def __init__(self, server: Server) -> None:
        self._record = server.record
        self._context = ssl.create_default_context(cafile=str(server.authority))
        self._socket: ssl.SSLSocket | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> ssl.SSLSocket:
        """Return a new connection, which the caller closes."""
        plain = socket.create_connection(("127.0.0.1", self._record.port), DEADLINE)
        return self._context.wrap_socket(plain, server_hostname="127.0.0.1")

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, request: Request) -> Answer | None:
        """Return the answer, or None where the server closed the connection without one."""
        sent = request.encode(f"127.0.0.1:{self._record.port}", self._record.token)
        for fresh in (self._socket is None, True):
            if self._socket is None:
                self._socket = self.connect()
            with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
                self._socket.sendall(sent)
            try:
                return self._read(request.method)
            except TimeoutError:
                raise
            except (http.client.HTTPException, ConnectionError, ssl.SSLError):
                self.close()
                if fresh:
                    return None
        return None

    def _read(self, method: str) -> Answer:
        assert self._socket is not None
        with contextlib.closing(http.client.HTTPResponse(self._socket, method=method)) as response:
            response.begin()
            media = response.getheader("Content-Type", "")
            if response.chunked and not response.closed:  # a watch or a log that may never end
                self.close()
                return Answer(response.status, media, b"")
            body = response.read()
            if response.will_close:
                self.close()
        return Answer(response.status, media, body)
