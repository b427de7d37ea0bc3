"""What a command of the embedded cluster reports as `ERROR: …`, with exit status 1."""

from __future__ import annotations


class EmbeddedError(Exception):
    """Something failed in a way that a person can mend; the message names cause and fix."""
