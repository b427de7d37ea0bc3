"""The console: Rich on a terminal, plain text on a pipe; nothing else can get through."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from kubetour.harmless import harmless, harmless_lines

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["WIDEST", "harmless", "harmless_lines", "make"]

WIDEST = 100  # columns: longer lines are hard to read


def make(stream: TextIO | None = None, *, is_wide: bool = False) -> Console:
    """Return a console on a stream, by default standard output; not wider than prose should be, if not asked.

    NO_COLOR takes the colours (https://no-color.org); what can be drawn anew on a terminal still can.
    """
    from rich.console import Console

    class Ours(Console):
        """Whatever is printed as a text is harmless: nobody has to think of where it came from.

        Rich ends the process itself where nobody reads: with exit status 1, and what runs is not ended.
        """

        def print(self, *objects: Any, **options: Any) -> None:
            super().print(*(harmless_lines(o) if isinstance(o, str) else o for o in objects), **options)

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
