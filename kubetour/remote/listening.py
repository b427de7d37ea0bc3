"""Ports that something listens on there: read from what the kernel, or netstat, prints."""

from __future__ import annotations

import re

from kubetour.steps import Run

# Linux: https://docs.kernel.org/networking/proc_net_tcp.html. Elsewhere netstat, which BSD and macOS have.
ASK = Run(("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || netstat -an 2>/dev/null"))
_KERNEL = re.compile(r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A ", re.MULTILINE)
_NETSTAT = re.compile(r"^tcp\S*\s+\d+\s+\d+\s+\S+[.:](\d+)\s+\S+\s+LISTEN", re.MULTILINE)


def listening(text: str) -> frozenset[int]:
    """Return the TCP ports that a listing shows as listened on."""
    kernel = (int(port, 16) for port in _KERNEL.findall(text))
    return frozenset((*kernel, *(int(port) for port in _NETSTAT.findall(text))))
