"""Which backend a connection gets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

Backend = tuple[str, int, str]  # address, port and node


class Balancer:
    """The backends of one Service's port. Each connection gets one at random, as by kube-proxy's rules; or,
    if the Service has affinity, the one its client had before, until that has been away too long."""

    def __init__(self, affinity_seconds: float, local_only: bool, monotonic: Callable[[], float]) -> None:
        self.backends: Sequence[Backend] = ()
        self._affinity_seconds, self._local_only, self._monotonic = affinity_seconds, local_only, monotonic
        self._affinity: dict[str, tuple[Backend, float]] = {}

    def choose(self, client: str, node: str = "") -> Iterator[tuple[str, int]]:
        """Yield the backends to try for a client that came in at a node's port (or elsewhere: "")."""
        left = list(self.backends)
        if node and self._local_only:
            left = [backend for backend in left if backend[2] == node]
        now = self._monotonic()
        known, until = self._affinity.get(client, (None, 0.0))
        first = left.index(known) if known in left and now < until else -1
        while left:
            backend = left.pop(first if first >= 0 else _below(len(left)))
            first = -1
            if self._affinity_seconds:
                # The last one asked for is the one that took the connection.
                self._affinity[client] = (backend, now + self._affinity_seconds)
            yield backend[:2]


def _below(count: int) -> int:
    """Return a random number below another. (`random` would be a third of what its process has to load.)"""
    return int.from_bytes(os.urandom(8), "big") % count if count > 1 else 0
