"""Ports of this machine that nothing listens on."""

from __future__ import annotations

import socket

from kubetour.errors import ResourceError

TRIES = 200  # ports to try


def free_port(wanted: int, taken: tuple[int, ...] = ()) -> int:
    """Return the first port from `wanted` on that nothing listens on, on this machine's loopback.

    ResourceError if there is none near it.
    """
    last = min(wanted + TRIES - 1, 65535)
    for port in range(wanted, last + 1):
        if port not in taken and _is_free(port):
            return port
    raise ResourceError("ports-busy", first=wanted, last=last)


def _is_free(port: int) -> bool:
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104  (asked, not kept)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
