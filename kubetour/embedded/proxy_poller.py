"""Which sockets can be read or written: epoll without anything around it, or poll where there is no epoll."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

IN, OUT = select.POLLIN, select.POLLOUT  # epoll's own have the same values
Handler = Callable[[int], None]
_AT_ONCE = 64  # events


class Poller:
    """Calls what was registered for a socket with the events on it (`IN`, `OUT`, and errors of any kind).

    It may be called for nothing, as what happened before in the same turn may have changed that: sockets do
    not block, and what they say then counts.
    """

    def __init__(self) -> None:
        self._epoll = hasattr(select, "epoll")
        self._poll = select.epoll() if hasattr(select, "epoll") else select.poll()
        self._handlers: dict[int, Handler] = {}

    def watch(self, sock: socket.socket, events: int, handler: Handler) -> None:
        """Call the handler upon these events, instead of those before; none: never."""
        descriptor = sock.fileno()
        if not events:
            self.forget(sock)
            return
        if descriptor in self._handlers:
            self._poll.modify(descriptor, events)
        else:
            self._poll.register(descriptor, events)
        self._handlers[descriptor] = handler

    def forget(self, sock: socket.socket) -> None:
        """Watch a socket no more; before it is closed."""
        if self._handlers.pop(sock.fileno(), None) is not None:
            self._poll.unregister(sock.fileno())

    def turn(self, seconds: float | None = None) -> None:
        """Wait for events, that long at most, and call their handlers."""
        if self._epoll:
            events = self._poll.poll(seconds, _AT_ONCE)  # type: ignore[call-arg]
        else:
            events = self._poll.poll(None if seconds is None else seconds * 1000)
        handlers = self._handlers
        for descriptor, event in events:
            handler = handlers.get(descriptor)
            if handler is not None:
                handler(event)
