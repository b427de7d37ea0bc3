"""Text from elsewhere, from a container, a cluster, another host: without what a terminal would obey."""

from __future__ import annotations

import re

# Control characters, the C1 ones, and what turns the direction of text: they could rewrite what is shown.
# Tabs stay.
_NAMED = "\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f{_NAMED}]")
# Sequences that only colour, and those that move or erase: both are dropped whole.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\-_])")
_UNESCAPED = re.compile(f"[{_NAMED}]")


def harmless(text: str) -> str:
    """Return text from elsewhere without anything that a terminal would obey."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text))


def harmless_lines(text: str) -> str:
    """Return text of several lines, each made harmless."""
    return "\n".join(harmless(line) for line in text.split("\n"))


def harmless_json(text: str) -> str:
    """Return JSON that says the same, and that a terminal may show: what JSON leaves as it is, escaped."""
    return _UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
