"""Who listens where on this machine, without knocking: what a probe can wait for instead of guessing."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kubetour.embedded import sockdiag
from kubetour.embedded.sockdiag import Endpoint

_LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h
_MAPPED = b"\0" * 10 + b"\xff\xff"  # before an IPv4 address, as an IPv6 socket has it
_REST, _SHORTEST_REST = 9, 0.005  # times as long as a reading took; seconds
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


class Listeners:
    """The sockets that listened at the last reading.

    Many probes wait at once, and a reading may take long: it is done again only after some times as long as
    that took.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: frozenset[Endpoint] | None = None
        self._until = float("-inf")

    def has(self, address: str, port: int) -> bool | None:
        """Return whether something listened there lately, or None where that cannot be told."""
        began = self._monotonic()
        if began >= self._until:
            self._seen = listening()
            ended = self._monotonic()
            self._until = ended + max(_SHORTEST_REST, _REST * (ended - began))
        return None if self._seen is None else not self._seen.isdisjoint(_endpoints(address, port))


def is_listening(address: str, port: int) -> bool | None:
    """Return whether something listens on an IPv4 address and port, or None where that cannot be told."""
    seen = listening()
    return None if seen is None else not seen.isdisjoint(_endpoints(address, port))


def _endpoints(address: str, port: int) -> tuple[Endpoint, ...]:
    packed = ipaddress.IPv4Address(address).packed
    # Also any address, IPv4's, and IPv6's, which takes IPv4 too.
    return (packed, port), (bytes(4), port), (bytes(16), port), (_MAPPED + packed, port)


def listening() -> frozenset[Endpoint] | None:
    """Return each listening TCP socket's packed address and port, or None where that cannot be told."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return sockdiag.listening()
    except OSError:  # it is not in this kernel, or a sandbox forbids it
        return read_tables()


def read_tables() -> frozenset[Endpoint] | None:
    """As `listening`, from the files of proc(5), which are long where there are many connections."""
    try:
        lines = [line for table in _TABLES for line in Path(table).read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    fields = (line.split(None, 4) for line in lines if _LISTEN in line)
    return frozenset(_endpoint(words[1]) for words in fields if words[3] == _LISTEN)


def _endpoint(text: str) -> Endpoint:
    """Return an endpoint of such a file: words of four bytes in this machine's order, and the port."""
    address, _, port = text.partition(":")
    words = (int(address[start : start + 8], 16) for start in range(0, len(address), 8))
    return b"".join(word.to_bytes(4, sys.byteorder) for word in words), int(port, 16)


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
