"""This machine in Go's terms, as images, nodes and versions name it."""

from __future__ import annotations

import platform

# GOARCH and GOOS, as image configs name them.
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}


def architecture() -> str:
    """Return this machine's architecture in Go's terms."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def operating_system() -> str:
    """Return this machine's operating system in Go's terms."""
    return platform.system().lower()
