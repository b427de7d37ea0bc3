"""Generated names, as k8s.io/apiserver's SimpleNameGenerator makes them."""

from __future__ import annotations

from random import Random

# No vowels, no look-alikes: no words come out, and none is misread.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5
_LONGEST_BASE = 63 - _SUFFIX


def generate(base: str, random: Random) -> str:
    """Return `base`, cut so that the whole stays a DNS label, and five random characters."""
    return base[:_LONGEST_BASE] + "".join(random.choices(ALPHABET, k=_SUFFIX))
