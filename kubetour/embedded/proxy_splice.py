"""One proxied TCP connection: two sockets, bytes from each to the other.

A side that takes no more stops the other from being read; the end of one direction is passed on and the
other direction goes on; a reset on one side is a reset on the other.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterator

from kubetour.embedded.proxy_poller import IN, OUT, Poller

_RESET = struct.pack("ii", 1, 0)
_UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK)
# One buffer for all: what is read into it is sent or copied before anything else is read.
_BUFFER = memoryview(bytearray(256 * 1024))


class _Side:
    """One end of a connection. `pending` is what it has not taken yet of what the other one sent."""

    __slots__ = ("connection", "ended", "events", "other", "pending", "receive", "send", "sock")

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        self.connection, self.sock = connection, sock
        self.receive, self.send = sock.recv_into, sock.send
        self.other = self
        self.pending = b""
        self.ended = False
        self.events = 0

    def ready(self, events: int) -> None:
        """Do what can be done: readable, writable, or broken, which shows when it is tried."""
        if self.pending and events & ~IN:
            self._flush()
        if events & ~OUT and self.events & IN:
            self._read()

    def _read(self) -> None:
        try:
            count = self.receive(_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            self.connection.reset()
            return
        if not count:
            self._end()
            return
        other = self.other
        try:
            sent = other.send(_BUFFER[:count])
        except BlockingIOError:
            sent = 0
        except OSError:
            self.connection.reset()
            return
        if sent != count:
            other.pending = bytes(_BUFFER[sent:count])
            other.watch()
            self.watch()

    def _flush(self) -> None:
        try:
            sent = self.send(self.pending)
        except BlockingIOError:
            return
        except OSError:
            self.connection.reset()
            return
        self.pending = self.pending[sent:]
        if not self.pending:
            self.watch()
            self.other.watch()

    def _end(self) -> None:
        """Pass the end of this direction on; when both have ended, close. Nothing is pending: it was read."""
        self.ended = True
        if self.other.ended:
            self.connection.close()
            return
        try:
            self.other.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.connection.reset()
        else:
            self.watch()

    def watch(self) -> None:
        """Ask for what is needed now: to read, unless the other side is full or this one has ended."""
        events = (0 if self.ended or self.other.pending else IN) | (OUT if self.pending else 0)
        if events != self.events:
            self.events = events
            self.connection.poller.watch(self.sock, events, self.ready)


class Connection:
    """A client, and the first of the backends that takes it; with none it is reset.

    What the client says before is left in its socket, so that another backend can be tried when one refuses.
    `living` holds every connection until it has ended.
    """

    def __init__(
        self,
        poller: Poller,
        client: socket.socket,
        backends: Iterator[tuple[str, int]],
        living: set[Connection],
    ) -> None:
        self.poller, self._backends, self._living = poller, backends, living
        self._sockets = [client]
        self._address = ("", 0)  # of the backend that is tried
        living.add(self)
        self._try()

    def _try(self) -> None:
        """Connect to the next backend."""
        for address in self._backends:
            self._address = address
            try:
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            except OSError:  # too many are open
                break
            self._sockets.append(sock)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            error = sock.connect_ex(self._address)
            if error in _UNDER_WAY:
                error = sock.connect_ex(self._address)  # on loopback it is there by now
            if error in _UNDER_WAY:
                self.poller.watch(sock, OUT, self._connected)
                return
            if error in (0, errno.EISCONN):
                self._join()
                return
            self._sockets.pop().close()
        self.reset()

    def _connected(self, _: int) -> None:
        """Look what became of an attempt that took longer."""
        sock = self._sockets[1]
        error = sock.connect_ex(self._address)
        if error in _UNDER_WAY:
            return
        self.poller.forget(sock)
        if error in (0, errno.EISCONN):
            self._join()
        else:
            self._sockets.pop().close()
            self._try()

    def _join(self) -> None:
        client, backend = (_Side(self, sock) for sock in self._sockets)
        client.other, backend.other = backend, client
        client.watch()
        backend.watch()

    def close(self) -> None:
        """Close both sides."""
        for sock in self._sockets:
            self.poller.forget(sock)
            sock.close()
        self._living.discard(self)

    def reset(self) -> None:
        """End both sides with RST: what a client sees as refused or reset."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()
