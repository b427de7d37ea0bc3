"""The proxy's listening sockets, and the choice of a backend for each connection they accept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from random import SystemRandom

from kubetour.embedded.clock import Clock
from kubetour.embedded.proxy_rules import Address, Backend, ServicePort
from kubetour.embedded.proxy_splice import Inbound

_BACKLOG = 1024
_random = SystemRandom()


class Balancer:
    """The backends of one Service's port. Each connection gets one at random, as by kube-proxy's rules; or,
    if the Service has affinity, the one its client had before, until that has been away too long."""

    def __init__(self, port: ServicePort, clock: Clock) -> None:
        self.port = port
        self.backends: tuple[Backend, ...] = ()
        self._clock = clock
        self._affinity: dict[str, tuple[Backend, float]] = {}

    def choose(self, client: str, node: str = "") -> Iterable[Backend]:
        """Yield the backends to try for a client that came in at a node's port (or elsewhere: "")."""
        candidates = self.backends
        if node and self.port.local_only:
            candidates = tuple(backend for backend in candidates if backend.node == node)
        order = _random.sample(candidates, len(candidates)) if len(candidates) > 1 else list(candidates)
        if not self.port.affinity_seconds:
            return order
        return self._with_affinity(client, order)

    def _with_affinity(self, client: str, order: list[Backend]) -> Iterable[Backend]:
        now = self._clock.monotonic()
        known, until = self._affinity.get(client, (None, 0.0))
        if known in order and now < until:
            order.remove(known)
            order.insert(0, known)
        for backend in order:
            # The last one asked for is the one that took the connection.
            self._affinity[client] = (backend, now + self.port.affinity_seconds)
            yield backend


class Listener:
    """A socket that hands its connections on: bound when made (or OSError), served after `start`."""

    def __init__(
        self,
        address: Address,
        balancer: Callable[[], Balancer | None],
        connections: set[Inbound],
    ) -> None:
        self.address = address
        self.balancer = balancer
        self._connections = connections
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._server: asyncio.Server | None = None
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address.host, address.port))
            self._socket.listen(_BACKLOG)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise

    async def start(self) -> None:
        """Begin to accept; what came since the socket was bound has waited."""
        if self._socket.fileno() == -1:
            return
        # In two steps, of which the first does not wait, so that `close` always knows the server.
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Inbound(self._choose, self._connections),
            sock=self._socket,
            backlog=_BACKLOG,
            start_serving=False,
        )
        await self._server.start_serving()

    def close(self) -> None:
        """Stop listening; connections live on."""
        if self._server is not None:
            self._server.close()
        else:
            self._socket.close()

    def _choose(self, client: str) -> Iterable[Backend]:
        balancer = self.balancer()
        return balancer.choose(client, self.address.node) if balancer else ()
