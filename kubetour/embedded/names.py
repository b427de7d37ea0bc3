"""Generated names, as k8s.io/apiserver's SimpleNameGenerator makes them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

# No vowels, no look-alikes: no words come out, and none is misread.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX = 5
_LONGEST_BASE = 63 - SUFFIX
_TRIES = 8


def generate(base: str, random: Random) -> str:
    """Return `base`, cut so that the whole stays a DNS label, and five random characters."""
    return base[:_LONGEST_BASE] + "".join(random.choices(ALPHABET, k=SUFFIX))


def free(base: str, random: Random, is_taken: Callable[[str], bool]) -> str:
    """Return a generated name that is not taken; after some tries one that is."""
    for _ in range(_TRIES):
        name = generate(base, random)
        if not is_taken(name):
            break
    return name
