"""Who listens where on this machine, without knocking: what a probe can wait for instead of guessing."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def is_listening(address: str, port: int) -> bool | None:
    """Return whether something listens on an IPv4 address and port, or None where that cannot be told."""
    if not sys.platform.startswith("linux"):
        return None
    number = int.from_bytes(ipaddress.IPv4Address(address).packed, sys.byteorder)
    # Also any address, IPv4's, and IPv6's, which takes IPv4 too.
    wanted = {f"{number:08X}:{port:04X}", f"{0:08X}:{port:04X}", f"{0:032X}:{port:04X}"}
    for table in _TABLES:
        try:
            text = Path(table).read_text(encoding="ascii")
        except OSError:
            return None
        for line in text.splitlines()[1:]:
            fields = line.split(None, 4)
            if fields[3] == _LISTEN and fields[1] in wanted:
                return True
    return False


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
