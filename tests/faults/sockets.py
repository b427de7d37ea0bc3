"""A unix socket in front of the real Docker Engine that misbehaves on demand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REAL = "/var/run/docker.sock"
MESSAGE = b'{"message":"database is locked"}'
BROKEN = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(MESSAGE), MESSAGE)
)


class Socket:
    """Listens at `path` and passes on what comes, until a client sends the word: then `way` happens.

    `dies`: every connection is reset and nobody listens any more. `silent`: nothing more is passed on.
    `broken`: the answer is a 500. With no word, it happens to every connection from the first byte on.
    """

    def __init__(self, path: Path, way: str, word: bytes = b"") -> None:
        self.path, self.way, self.word = path, way, word
        self.struck = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more, and break off all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX)
        self._open.append(engine)
        with suppress(OSError):
            engine.connect(REAL)
            threading.Thread(target=self._pump, args=(engine, client), daemon=True).start()
            seen = b""
            while data := client.recv(65536):
                seen = (seen + data)[-70000:]
                if self.word in seen:
                    self.struck.set()
                    self._strike(client)
                    return
                engine.sendall(data)
            engine.shutdown(socket.SHUT_WR)

    def _strike(self, client: socket.socket) -> None:
        if self.way == "dies":
            self.close()
        elif self.way == "broken":
            client.sendall(BROKEN)
            client.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def before(directory: Path, way: str, word: bytes = b"") -> Iterator[Socket]:
    """Run such a socket in a directory; its path is short, as a socket's has to be."""
    running = Socket(directory / "docker.sock", way, word)
    try:
        yield running
    finally:
        running.close()
