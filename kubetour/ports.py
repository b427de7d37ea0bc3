"""Ports of this machine that nothing listens on, and nobody else is about to."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Callable

from kubetour.errors import ResourceError

TRIES = 200  # ports to try
STUDENTS = range(10_000, 30_000, 2)  # below the NodePorts and what outgoing connections take; two each

claims: dict[int, int] = {}  # the descriptors of what this process has claimed, by port


def free_port(wanted: int, taken: tuple[int, ...] = ()) -> int:
    """Return the first port from `wanted` on that nothing listens on, on this machine's loopback.

    As long as this process runs, no other one gets it from here. ResourceError if there is none near it.
    """
    return first_free(wanted, lambda port: port not in taken and _claim(port) and _is_free(port))


def first_free(wanted: int, is_free: Callable[[int], bool]) -> int:
    """Return the first port from `wanted` on that is free; ResourceError if there is none near it."""
    last = min(wanted + TRIES - 1, 65535)
    for port in range(wanted, last + 1):
        if is_free(port):
            return port
    raise ResourceError("ports-busy", first=wanted, last=last)


def first_port(student: str) -> int:
    """Return the port from which a student's two are looked for: each time the same, mostly nobody else's."""
    digest = hashlib.sha256(student.encode()).digest()
    return STUDENTS[int.from_bytes(digest[:8], "big") % len(STUDENTS)]


def _claim(port: int) -> bool:
    """Return whether a port is ours to choose: two tours that begin at once would both find it free.

    The claim is a name of the kernel's (unix(7), abstract sockets): it is gone with the process, and another
    network namespace has its own, as it has its own ports. macOS has none, and nothing is claimed there.
    """
    if port in claims or sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0kubetour-port-{port}")
    except OSError:
        claim.close()
        return False
    claims[port] = claim.detach()
    return True


def _is_free(port: int) -> bool:
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104  (asked, not kept)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
