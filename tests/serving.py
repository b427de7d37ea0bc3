"""A web server on loopback that answers as it is told: well, badly, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROGRAM = b"#!/bin/sh\necho v1.36.4\n" * 1000


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `answers` say; the last one again and again."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        kind = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if kind.isdigit():
            self.send_error(int(kind))
            return
        if kind.startswith("to "):
            self.send_response(302)
            self.send_header("Location", kind[3:])
            self.end_headers()
            return
        body = {"tampered": self.server.body[:-1] + b"!", "page": b"<html>log in"}.get(kind, self.server.body)
        self.send_response(200)
        if kind != "unsized":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "silent":
            self.server.done.wait(10)
        self.wfile.write(body[: len(body) // 2] if kind == "cut" else body)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """A server that is told how to answer, and tells what it was asked."""

    def __init__(self, answers: tuple[str, ...], body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.body = list(answers), body
        self.asked, self.done = list[str](), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(*answers: str, body: bytes = PROGRAM) -> Iterator[Server]:
    """Run a server that gives these answers, the last one again and again."""
    with Server(answers, body) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
