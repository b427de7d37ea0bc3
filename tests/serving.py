"""A web server on loopback that answers as it is told: well, badly, or not at all. And a proxy to one."""

from __future__ import annotations

import http.client
import re
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PROGRAM = b"#!/bin/sh\necho v1.36.4\n" * 1000
ETAG = '"of the program"'


class FakeClock:
    """Time that passes only by sleeping, and by `step` with every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.time, self.step, self.slept = 0.0, step, list[float]()

    def monotonic(self) -> float:
        self.time += self.step
        return self.time

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `answers` say; the last one again and again.

    good, text TEXT, unsized, silent, cut (half of it), cut silent; tampered, page (something else); to URL
    (a redirect); a status, and after it a Retry-After. To a request for a part: rest, rest cut (half of it),
    rest of another file, wrong rest (another part), long rest (too much). `older` is an earlier file;
    `plain` and `weak` have no ETag and one that stands for no certain bytes.
    """

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.ranges.append(self.headers.get("Range", ""))
        self.server.headers.append(dict(self.headers))
        kind = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if kind[0].isdigit():
            self.send_response(int(kind[:3]))
            self.send_header("Content-Length", "0")
            if kind[3:]:
                self.send_header("Retry-After", kind[4:])
            self.end_headers()
        elif kind.startswith("to "):
            self.send_response(302)
            self.send_header("Location", kind[3:])
            self.end_headers()
        elif "rest" in kind and self.headers.get("If-Range", ETAG) == ETAG:
            self._part(kind)
        else:
            self._whole(kind)

    def _whole(self, kind: str) -> None:
        body = {
            "tampered": self.server.body[:-1] + b"!",
            "page": b"<html>log in",
            "older cut": self.server.body.upper(),
        }.get(kind, self.server.body)
        if kind.startswith("text "):
            body = kind[5:].encode()
        self.send_response(200)
        if "unsized" not in kind:
            self.send_header("Content-Length", str(len(body)))
        if "weak" in kind:
            self.send_header("ETag", f"W/{ETAG}")
        elif "plain" not in kind:
            self.send_header("ETag", '"of an older one"' if "older" in kind else ETAG)
        self.end_headers()
        if kind == "silent":
            self.server.done.wait(10)
        self.wfile.write(body[: len(body) // 2] if "cut" in kind else body)
        if kind == "cut silent":
            self.server.done.wait(10)

    def _part(self, kind: str) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))
        assert asked
        body = self.server.body.upper() if "another" in kind else self.server.body
        start = int(asked[1]) - (100 if kind == "wrong rest" else 0)
        piece = body[start:] + (b"more" if kind == "long rest" else b"")
        self.send_response(206)
        self.send_header("Content-Length", str(len(piece)))
        self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", ETAG)
        self.end_headers()
        self.wfile.write(piece[: len(piece) // 2] if "cut" in kind else piece)

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(403)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


class Proxy(Handler):
    """Passes requests for whole URLs on, as a proxy does, with what was asked and answered."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        there = urlsplit(self.path)
        connection = http.client.HTTPConnection(there.netloc, timeout=10)
        connection.request("GET", there.path, headers={**dict(self.headers), "Connection": "close"})
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        while chunk := answer.read1(65536):
            self.wfile.write(chunk)
        connection.close()


class Server(ThreadingHTTPServer):
    """A server that is told how to answer, and tells what it was asked."""

    def __init__(
        self, answers: tuple[str, ...], body: bytes, handler: type[Handler], tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.answers, self.body = list(answers), body
        self.asked, self.ranges, self.done = list[str](), list[str](), threading.Event()
        self.headers = list[dict[str, str]]()
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet where the client hung up: it did not trust the certificate, or would not wait."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(
    *answers: str, body: bytes = PROGRAM, handler: type[Handler] = Handler, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Run a server that gives these answers, the last one again and again."""
    with Server(answers, body, handler, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
