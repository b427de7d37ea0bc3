"""Whether the other side is still there: of a paused host, or a cut cable, nothing else would tell."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import paramiko

PULSE = 10.0  # seconds between two questions whether it is still there
SILENCE = 15.0  # seconds without a single byte, after a question, before the connection is given up


class Counted:
    """A socket that counts what it receives."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.received = 0  # bytes

    def recv(self, size: int) -> bytes:
        """Return what came."""
        data: bytes = self._socket.recv(size)
        self.received += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def transport(socket: Any, **options: Any) -> paramiko.Transport:
    """Return paramiko's transport over a socket that counts."""
    return paramiko.Transport(Counted(socket), **options)


class Pulse(threading.Thread):
    """Asks again and again, and closes the connection when nothing at all comes back.

    Any byte will do: behind a large file on a slow line, the answer itself may take its time.
    """

    def __init__(self, transport: paramiko.Transport) -> None:
        super().__init__(daemon=True, name="ssh-pulse")
        self._transport = transport
        self._ended = threading.Event()

    def run(self) -> None:
        """Ask until the connection is closed."""
        while not self._ended.wait(PULSE) and self._transport.is_active():
            answered = threading.Event()
            threading.Thread(target=self._watch, args=(answered,), daemon=True, name="ssh-silence").start()
            with contextlib.suppress(Exception):  # a connection that breaks now needs no more closing
                self._transport.global_request("keepalive@openssh.com", wait=True)
            answered.set()

    def _watch(self, answered: threading.Event) -> None:
        """Close the connection unless an answer, or anything else, comes in time."""
        before = -1
        while before != self._transport.sock.received:
            before = self._transport.sock.received
            if answered.wait(SILENCE):
                return
        self._transport.close()

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()
