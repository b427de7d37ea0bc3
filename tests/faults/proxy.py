"""A proxy before an API server that misbehaves on demand: at the connection, at the answer, in a watch.

It ends TLS with an authority of its own, so that it sees requests, and talks to the real server behind it.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fronting import in_front

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}
REASONS = {401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests", 500: "InternalError"}


@dataclass
class Faults:
    """What goes wrong: a way, for requests whose method and target have all of some words, so many times."""

    way: str = "pass"
    words: tuple[str, ...] = ()
    times: int = 1_000_000
    status: int = 0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    struck: threading.Event = field(default_factory=threading.Event)

    def strikes(self, request: str) -> bool:
        """Return whether this request meets the fault, and count it."""
        self.seen.append(request)
        if self.way == "pass" or self.times <= 0 or not all(word in request for word in self.words):
            return False
        self.times -= 1
        self.struck.set()
        return True


class Proxy(ThreadingHTTPServer):
    """Forwards to one API server, except where its faults strike."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str, theirs: ssl.SSLContext, ours: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.theirs, self.ours = urlsplit(upstream), theirs, ours
        self.faults = Faults()
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"https://127.0.0.1:{self.server_port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection: TLS here, in its own thread, as a client may never begin it."""
        faults = self.faults
        if faults.way in ("reset at once", "silent at once") and faults.strikes("connection"):
            if faults.way == "silent at once":
                self.ended.wait()
            reset(request)
            return
        with suppress(OSError):
            request.settimeout(60)
            with self.ours.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: clients that go away are what this is for."""


def reset(sock: Any) -> None:
    """Close a connection with a reset instead of an end."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


class Handler(BaseHTTPRequestHandler):
    """One request, one connection each way: what a watch streams is passed on as it comes."""

    server: Proxy
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        self.close_connection = True
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        faults = self.server.faults
        way = faults.way if faults.strikes(f"{self.command} {self.path}") else "pass"
        if way == "status":
            self._refuse(faults.status, faults.message, faults.headers)
        elif way == "reset":
            reset(self.connection)
        elif way == "silent":
            self.server.ended.wait()
        else:
            if way == "late":
                self.server.ended.wait(5)
            with suppress(OSError):
                self._forward(way)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  (the library's names)

    def _forward(self, way: str) -> None:
        there = self.server.upstream
        upstream = http.client.HTTPSConnection(there.hostname or "", there.port, context=self.server.theirs)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            upstream.request(self.command, self.path, self.body, headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.send_header("Transfer-Encoding", "chunked")  # as the API server does
            self.end_headers()
            for piece in WAYS.get(way, _as_it_is)(answer, self.server.ended):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        finally:
            upstream.close()

    def _refuse(self, status: int, message: str, headers: dict[str, str]) -> None:
        """Answer as an API server does that refuses."""
        body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": REASONS[status],
            "code": status,
        }
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


Pieces = Iterator[bytes]


def _as_it_is(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    while piece := answer.read1(65536):
        yield piece


def _drip(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    for piece in _as_it_is(answer, ended):
        for byte in piece:
            if ended.wait(1):
                return
            yield bytes((byte,))


def _half(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    whole = b"".join(_as_it_is(answer, ended))
    yield whole[: len(whole) // 2]


def _dropped(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    """Of a watch, bring the first event, and break off."""
    yield from _lines(answer, 1)
    raise ConnectionResetError


def _gone(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    """Of a watch, bring the first event, and then say that its version is too old."""
    yield from _lines(answer, 1)
    status = {"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired", "status": "Failure"}
    told = {"type": "ERROR", "object": {**status, "message": "too old resource version"}}
    yield json.dumps(told).encode() + b"\n"


def _doubled(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    """Of a watch, bring every event twice, and the first one once more at the end: an old version."""
    first = b""
    for line in _lines(answer):
        first = first or line
        yield line + line + (first if b'"ADDED"' in first and b'"DELETED"' not in line else b"")


def _nothing(answer: http.client.HTTPResponse, ended: threading.Event) -> Pieces:
    """Of a watch, bring never anything."""
    ended.wait()
    yield from ()


def _lines(answer: http.client.HTTPResponse, most: int = 1_000_000) -> Pieces:
    rest = b""
    for piece in _as_it_is(answer, threading.Event()):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
            most -= 1
            if most <= 0:
                return


WAYS: dict[str, Callable[[http.client.HTTPResponse, threading.Event], Pieces]] = {
    "drip": _drip,
    "half": _half,
    "dropped": _dropped,
    "gone": _gone,
    "doubled": _doubled,
    "nothing": _nothing,
}


@contextmanager
def before(kubeconfig: Path, directory: Path) -> Iterator[tuple[Path, Proxy]]:
    """Run such a proxy before a kubeconfig's cluster; yield a kubeconfig that leads through it, and it."""
    with in_front(kubeconfig, directory, Proxy) as (through, proxy):
        try:
            yield through, proxy
        finally:
            proxy.ended.set()
