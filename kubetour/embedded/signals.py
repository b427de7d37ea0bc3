"""Signals by name and by number, as Dockerfiles give them."""

from __future__ import annotations

import signal


def signal_number(text: str) -> int | None:
    """Return a signal's number, from "15", "TERM" or "SIGTERM"; None if there is no such signal."""
    names = {member.name: int(member) for member in signal.Signals}
    if text.isdigit():
        return int(text) if int(text) in names.values() else None
    return names.get(text.upper() if text.upper().startswith("SIG") else f"SIG{text.upper()}")
