"""A port of this machine's loopback that leads, through the connection, to an address as seen from there."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import paramiko

from kubetour.errors import HostError, RefusedError

CHUNK = 65536  # bytes
PROHIBITED = 1  # https://datatracker.ietf.org/doc/html/rfc4254#section-5.1


class Tunnel:
    """Listens until it is closed. The port is held from the beginning, so nobody can take it."""

    def __init__(self, transport: paramiko.Transport, there: tuple[str, int], host: str) -> None:
        self._transport, self._there = transport, there
        self._open: set[socket.socket | paramiko.Channel] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._try(host)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True, name="tunnel")]
        self._threads[0].start()

    @property
    def is_alive(self) -> bool:
        """Return whether the connection that it goes through is there."""
        return bool(self._transport.is_active())

    def close(self) -> None:
        """End every connection through it, and wait for their threads."""
        with self._lock:
            self._closed = True
            ends = tuple(self._open)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        for end in ends:
            _end(end)
        for thread in self._threads:
            thread.join()

    def _try(self, host: str) -> None:
        """Raise RefusedError if the server forwards nothing: that no connection can tell later."""
        try:
            self._channel(("127.0.0.1", 0)).close()
        except paramiko.ChannelException as error:
            if error.code == PROHIBITED:
                raise RefusedError("host-no-forwarding", host=host) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise HostError("host-lost", evidence=str(error), host=host) from error

    def _channel(self, source: tuple[str, int]) -> paramiko.Channel:
        return self._transport.open_channel("direct-tcpip", self._there, source)

    def _accept(self) -> None:
        while True:
            try:
                client, source = self._listener.accept()
            except OSError:
                return
            try:
                channel = self._channel(source)
            except (paramiko.SSHException, EOFError, OSError):
                client.close()  # nothing listens there now, or the connection is gone
                continue
            with self._lock:
                self._open |= {client, channel}
                if self._closed:
                    _end(client)
                    _end(channel)
                left = [2]
                for read, write in ((client.recv, channel), (channel.recv, client)):
                    ends = (client, channel)
                    thread = threading.Thread(
                        target=self._pump, args=(read, write, ends, left), daemon=True, name="tunnel-pump"
                    )
                    self._threads.append(thread)
                    thread.start()

    def _pump(
        self,
        read: Callable[[int], bytes],
        write: socket.socket | paramiko.Channel,
        ends: tuple[socket.socket, paramiko.Channel],
        left: list[int],
    ) -> None:
        """Pass on what comes until it ends; the second direction to end closes both ends."""
        with contextlib.suppress(OSError, EOFError):
            while data := read(CHUNK):
                write.sendall(data)
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            write.shutdown(socket.SHUT_WR)
        with self._lock:
            left[0] -= 1
            if left[0]:
                return
            self._open -= set(ends)
        for end in ends:
            end.close()


def _end(end: socket.socket | paramiko.Channel) -> None:
    """Wake whoever reads from it: closing wakes a channel's reader alone, shutting down a socket's."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        if isinstance(end, socket.socket):
            end.shutdown(socket.SHUT_RDWR)
        else:
            end.close()
