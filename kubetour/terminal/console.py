"""The console: Rich on a terminal, plain text on a pipe; nothing else can get through."""

from __future__ import annotations

import errno
import os
import re
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

WIDEST = 100  # columns: longer lines are hard to read
# Control characters, the C1 ones and the bidirectional overrides: from a container, they could rewrite
# what the terminal shows. Tabs stay.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Sequences that only colour, and those that move or erase: both are dropped whole.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[@-Z\\\\-_])")


def make(stream: TextIO | None = None, *, is_wide: bool = False) -> Console:
    """Return a console on a stream, by default standard output; not wider than prose should be, if not asked.

    NO_COLOR takes the colours (https://no-color.org); what can be drawn anew on a terminal still can.
    """
    from rich.console import Console

    class Ours(Console):
        """Rich ends the process itself where nobody reads: with exit status 1, and what runs is not ended."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    stream = stream or sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    is_plain = bool(os.environ.get("NO_COLOR")) or not is_terminal
    console = Ours(
        file=stream,
        force_terminal=is_terminal,
        color_system=None if is_plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )
    if not is_wide:
        console.width = min(console.width, WIDEST)
    return console


def harmless(text: str) -> str:
    """Return text from elsewhere without anything that a terminal would obey."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text))


def harmless_lines(text: str) -> str:
    """Return text of several lines, each made harmless."""
    return "\n".join(harmless(line) for line in text.split("\n"))
