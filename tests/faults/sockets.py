"""A unix socket before a real Docker Engine that misbehaves on demand, and an engine that may be killed."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REAL = "/var/run/docker.sock"
# Disk and network are its own, in namespaces that end with it: a dockerd that is told to
# use no bridge removes docker0, which is another one's.
SCRIPT = """
here={here}
mkdir -p "$here/data" "$here/exec"
mount -t tmpfs -o size=24m none "$here/data"
exec dockerd --data-root "$here/data" --exec-root "$here/exec" --pidfile "$here/pid" \\
    --host "unix://$here/docker.sock" --storage-driver=vfs \\
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false
"""
MESSAGE = b'{"message":"database is locked"}'
BROKEN = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(MESSAGE), MESSAGE)
)


class Socket:
    """Listens at `path` and passes on what comes, until a client sends the word: then `way` happens.

    `hangs`: the engine is stopped by `killing`, and what comes is passed on.
    `dies`: every connection is reset and nobody listens any more. `silent`: nothing more is passed on.
    `broken`: the answer is a 500. With no word, it happens to every connection from the first byte on.
    """

    def __init__(self, path: Path, way: str, word: bytes, engine: str) -> None:
        self.path, self.way, self.word, self.engine = path, way, word, engine
        self.struck = threading.Event()
        self.killing: Callable[[], None] = lambda: None  # what ends the engine, where it dies
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
            engine.connect(self.engine)
            threading.Thread(target=self._pump, args=(engine, client), daemon=True).start()
            seen = b""
            while data := client.recv(65536):
                seen = (seen + data)[-70000:]
                if self.word in seen and not (self.way == "hangs" and self.struck.is_set()):
                    self.struck.set()
                    self._strike(client)
                    if self.way != "hangs":
                        return
                engine.sendall(data)
            engine.shutdown(socket.SHUT_WR)

    def _strike(self, client: socket.socket) -> None:
        if self.way == "dies":
            self.killing()
            self.close()
        elif self.way == "hangs":
            self.killing()
        elif self.way == "broken":
            client.sendall(BROKEN)
            client.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def before(way: str, word: bytes = b"", engine: str = REAL) -> Iterator[Socket]:
    """Run such a socket, in a directory whose path is short, as a socket's has to be."""
    with tempfile.TemporaryDirectory(prefix="kubetour-socket-") as directory:
        running = Socket(Path(directory) / "docker.sock", way, word, engine)
        try:
            yield running
        finally:
            running.close()


class Daemon:
    """A dockerd of one's own: no network, little space, and nobody minds if it is killed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        run = SCRIPT.format(here=shlex.quote(str(self.directory)))
        with (self.directory / "log").open("ab") as log:
            command = ["unshare", "--mount", "--net", "sh", "-euc", run]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(600):
            asked = ["docker", "--host", self.host, "version"]
            if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                return
            assert self._process.poll() is None, (self.directory / "log").read_text()
            threading.Event().wait(0.1)
        raise AssertionError((self.directory / "log").read_text())

    def freeze(self) -> None:
        """Stop it, and its containerd, as a machine that has come to a standstill; `thaw` lets it go on."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for file in ("pid", "exec/containerd/containerd.pid"):
            with suppress(OSError, ValueError):
                os.kill(int((self.directory / file).read_text()), number)

    def kill(self) -> None:
        """Kill it, as the kernel would, and its containerd with it."""
        assert self._process
        self._signal(signal.SIGKILL)
        self._process.kill()
        self._process.wait(timeout=20)
        for file in ("pid", "exec/containerd/containerd.pid"):
            (self.directory / file).unlink(missing_ok=True)


@contextmanager
def daemon() -> Iterator[Daemon]:
    """Run a dockerd whose disk is a small one in memory; it forgets everything when it is killed."""
    with tempfile.TemporaryDirectory(prefix="kubetour-dockerd-") as directory:
        running = Daemon(Path(directory))
        running.start()
        try:
            yield running
        finally:
            running.kill()
