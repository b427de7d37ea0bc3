"""The API over plain HTTP requests: what was sent, what came back, and watches that stay open."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True)
class Request:
    """What to send; the body is JSON, or text to send as it is."""

    method: str
    path: str
    body: Any = None
    accept: str = "application/json"
    content_type: str = "application/json"


@dataclass(frozen=True)
class Answer:
    """A response: its status code, and its body, parsed where it is JSON."""

    status: int
    body: Any


class API:
    """The API server of a kubeconfig, asked with its token and trusted by its CA, over one connection."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._address = urlsplit(cluster["server"])
        self._context = ssl.create_default_context(cadata=authority)
        self._token = user["token"]
        self._connection = _Connection(self._connect())

    def _connect(self) -> ssl.SSLSocket:
        host, port = str(self._address.hostname), self._address.port
        return self._context.wrap_socket(socket.create_connection((host, port), 60), server_hostname=host)

    def _bytes(self, request: Request) -> bytes:
        head = {
            "Host": self._address.netloc,
            "Authorization": f"Bearer {self._token}",
            "Accept": request.accept,
        }
        said = request.body if isinstance(request.body, str) else json.dumps(request.body)
        body = b"" if request.body is None else said.encode()
        if body:
            head |= {"Content-Type": request.content_type, "Content-Length": str(len(body))}
        lines = [
            f"{request.method} {request.path} HTTP/1.1",
            *(f"{key}: {value}" for key, value in head.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def send(self, *requests: Request) -> list[Answer]:
        """Send requests without waiting between them, and return what each is answered with."""
        self._connection.socket.sendall(b"".join(map(self._bytes, requests)))
        return [self._connection.answer(request.method) for request in requests]

    def get(self, path: str) -> Any:
        """Return the object at a path, {} where there is none."""
        (answer,) = self.send(Request("GET", path))
        return answer.body if answer.status == 200 else {}

    def watch(self, path: str, version: str, seconds: int = 300) -> Iterator[dict[str, Any]]:
        """Yield a watch's events, on a connection of its own, until that time is over or its server ends."""
        with self._connect() as connected:
            query = f"watch=1&resourceVersion={version}&timeoutSeconds={seconds}"
            connected.sendall(self._bytes(Request("GET", f"{path}?{query}")))
            with http.client.HTTPResponse(connected, method="GET") as response:
                response.begin()
                assert response.status == 200, response.read()
                yield from map(json.loads, response)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Connection:
    """A connection on which many answers are read one after another, as http.client alone would not."""

    def __init__(self, connected: ssl.SSLSocket) -> None:
        self.socket = connected
        self._file = connected.makefile("rb")

    def answer(self, method: str) -> Answer:
        response = http.client.HTTPResponse(_NotClosing(self._file), method=method)  # type: ignore[arg-type]
        response.begin()
        said = response.read().decode()
        is_json = response.getheader("Content-Type", "").startswith("application/json")
        return Answer(response.status, json.loads(said) if is_json else said)

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class _NotClosing:
    """A file that an HTTPResponse takes for its socket's, and leaves open."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def makefile(self, _mode: str) -> _NotClosing:
        return self

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Watch:
    """A watch that is open until its server goes, and what it has told so far."""

    def __init__(self, api: API, path: str, version: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._told = threading.Condition()
        self._source = api.watch(path, version)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for event in self._source:
            with self._told:
                self.events.append(event)
                self._told.notify_all()

    def wait(self, true: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Return as soon as what it has told is so."""
        with self._told:
            assert self._told.wait_for(lambda: true(self.events), 30), "the watch did not tell of it"

    def first(self, count: int) -> list[dict[str, Any]]:
        """Return its first events, as soon as there are so many."""
        self.wait(lambda told: len(told) >= count)
        return self.events[:count]

    def join(self) -> None:
        """Return when it has ended."""
        self._reader.join(10)
        assert not self._reader.is_alive(), "the watch goes on"
