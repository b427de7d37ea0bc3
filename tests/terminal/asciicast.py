"""A strict reader of asciicast v2, and a screen to play it on that knows only what a cast may use.

https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rich.cells import get_character_cell_size

REQUIRED = {"version": int, "width": int, "height": int}
OPTIONAL: dict[str, Any] = {
    "timestamp": int,
    "duration": (int, float),
    "idle_time_limit": (int, float),
    "command": str,
    "title": str,
    "env": dict,
    "theme": dict,
}
CODES = ("o", "i", "m", "r")
PART = re.compile(r"\x1b\[[0-9;]*m|\x1b\[2K|\r|\n|[^\x1b\r\n]", re.DOTALL)


@dataclass(frozen=True)
class Recording:
    """A file that was read: its header, and its events as (seconds, code, data)."""

    header: dict[str, Any]
    events: list[tuple[float, str, str]]


def parse(text: str) -> Recording:
    """Return a recording; AssertionError for whatever the format does not allow."""
    assert text.endswith("\n")
    first, *rest = text[:-1].split("\n")
    header = json.loads(first)
    assert isinstance(header, dict)
    assert header["version"] == 2
    assert set(REQUIRED) <= set(header) <= {*REQUIRED, *OPTIONAL}
    for name, value in header.items():
        assert isinstance(value, {**REQUIRED, **OPTIONAL}[name]), name
        assert not isinstance(value, bool), name
    assert all(isinstance(value, str) for value in header.get("env", {}).values())
    assert header["width"] > 0 < header["height"]
    events = [json.loads(line) for line in rest]
    for event in events:
        assert isinstance(event, list)
        at, code, data = event
        assert isinstance(at, int | float)
        assert not isinstance(at, bool)
        assert at >= 0
        assert code in CODES
        assert isinstance(data, str)
    assert all(one[0] <= other[0] for one, other in pairwise(events))
    return Recording(header, [(event[0], event[1], event[2]) for event in events])


class Screen:
    """A terminal that scrolls without end: every line that was ever on it, as wide as the header says."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.lines = [""]

    def show(self, data: str) -> None:
        """Print what a program writes; AssertionError for a sequence that no cast of ours uses."""
        at = 0
        while at < len(data):
            part = PART.match(data, at)
            assert part, f"not for a terminal: {data[at : at + 20]!r}"
            at = part.end()
            self._show(part[0])

    def _show(self, part: str) -> None:
        if part == "\n":
            self.lines.append("")
        elif part == "\r":
            self._returned = True
        elif part == "\x1b[2K":
            assert self._returned
            self.lines[-1] = ""
        elif not part.startswith("\x1b"):
            assert unicodedata.category(part) != "Cc" or part == "\t", repr(part)
            wide = sum(map(get_character_cell_size, self.lines[-1] + part))
            if wide > self._width:
                self.lines.append("")
            self.lines[-1] += part
        self._returned = part == "\r"


def play(text: str) -> list[str]:
    """Return the lines that a recording leaves on the screen."""
    recording = parse(text)
    screen = Screen(recording.header["width"])
    for _, code, data in recording.events:
        assert code == "o"
        screen.show(data)
    return screen.lines
