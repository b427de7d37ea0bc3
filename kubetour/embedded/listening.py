"""Who listens where on this machine, without knocking: what a probe can wait for instead of guessing."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h
_REST, _SHORTEST_REST = 9, 0.005  # times as long as a reading took; seconds
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


class Listeners:
    """The sockets that listened at the last reading.

    Many probes wait at once, and the tables of a busy machine are long: they are read again only after some
    times as long as that took.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: frozenset[str] | None = None
        self._until = float("-inf")

    def has(self, address: str, port: int) -> bool | None:
        """Return whether something listened there lately, or None where that cannot be told."""
        began = self._monotonic()
        if began >= self._until:
            self._seen = _read_tables()
            ended = self._monotonic()
            self._until = ended + max(_SHORTEST_REST, _REST * (ended - began))
        return None if self._seen is None else not self._seen.isdisjoint(_names(address, port))


def is_listening(address: str, port: int) -> bool | None:
    """Return whether something listens on an IPv4 address and port, or None where that cannot be told."""
    seen = _read_tables()
    return None if seen is None else not seen.isdisjoint(_names(address, port))


def _names(address: str, port: int) -> tuple[str, ...]:
    number = int.from_bytes(ipaddress.IPv4Address(address).packed, sys.byteorder)
    # Also any address, IPv4's, and IPv6's, which takes IPv4 too.
    return f"{number:08X}:{port:04X}", f"{0:08X}:{port:04X}", f"{0:032X}:{port:04X}"


def _read_tables() -> frozenset[str] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        lines = [line for table in _TABLES for line in Path(table).read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    fields = (line.split(None, 4) for line in lines if _LISTEN in line)
    return frozenset(words[1] for words in fields if words[3] == _LISTEN)


def can_bind(address: str, port: int) -> bool:
    """Return whether a server could listen there now; port 0 asks about the address alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def free_ports(address: str) -> Iterator[int]:
    """Yield ports on which nobody listens, below those that outgoing connections are given."""
    start = 20000 + int.from_bytes(os.urandom(2), "big") % 10000
    for port in (*range(start, 30000), *range(20000, start)):
        if can_bind(address, port):
            yield port
