"""run.cast: a run as asciinema plays it, told again from its events with colours and at 80 columns.

The format is asciicast v2, https://docs.asciinema.org/manual/asciicast/v2/. It is made after the run, so that
it neither slows the run down nor depends on whether anybody watched.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from kubetour.harmless import harmless_json
from kubetour.report import clean
from kubetour.terminal.console import harmless_lines
from kubetour.terminal.full import Full
from kubetour.terminal.mistakes import print_error
from kubetour.terminal.recorder import Event
from kubetour.text import say

if TYPE_CHECKING:
    from rich.console import Console

WIDTH, HEIGHT = 80, 24
IDLE = 2.0  # seconds that a player waits at most: who looks on need not wait for a download
MOST = 1_000_000  # characters that are printed; then it ends
ENVIRONMENT = {"TERM": "xterm-256color", "SHELL": "/bin/sh"}  # never the user's own
ERASE = "\r\x1b[2K"  # the line, to write it anew


def cast(
    events: Iterable[Event], teller: Callable[..., Full], language: str, title: str, began: float
) -> str:
    """Return the recording; `began` is in seconds since the epoch.

    `teller` makes, from a console and what to `clean` every text with, who tells the run.
    """
    header = {
        "version": 2,
        "width": WIDTH,
        "height": HEIGHT,
        "timestamp": int(began),
        "idle_time_limit": IDLE,
        "title": title,
        "env": ENVIRONMENT,
    }
    lines = [header, *([round(at, 3), "o", text] for at, text in _printed(events, teller, language))]
    return "".join(harmless_json(json.dumps(line, ensure_ascii=False)) + "\n" for line in lines)


def _printed(
    events: Iterable[Event], teller: Callable[..., Full], language: str
) -> Iterator[tuple[float, str]]:
    """Yield what is printed, and when."""
    stream = io.StringIO()
    console = _console(stream)
    told = teller(console, clean=_clean)
    waiting, left = "", MOST
    for event in _without_secrets(events):
        getattr(told, event.name)(*event.told)
        if event.name == "end" and event.told[0].error:
            print_error(console, event.told[0].error, language, _clean)
        text = waiting + stream.getvalue().replace("\n", "\r\n")
        stream.seek(0)
        stream.truncate()
        if event.name == "waiting":
            text += f"\x1b[2m{_cut(_clean(say(language, 'tour.waiting', proof=event.told[0].text)))}\x1b[0m"
        elif text == waiting:
            continue  # nothing to see: what is waited for stays
        waiting = ERASE if event.name == "waiting" else ""
        left -= len(text)
        if left < 0:
            return
        yield event.at, text


def _without_secrets(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events, each command's output redacted as one text: a key has many lines."""
    for is_output, group in groupby(events, lambda event: event.name == "line"):
        if not is_output:
            yield from group
            continue
        lines = list(group)
        text = _clean("\n".join(event.told[0] for event in lines))
        for event, line in zip(lines, text.split("\n"), strict=False):
            yield Event(event.at, "line", (line,))


def _clean(text: str) -> str:
    return clean(harmless_lines(text))


def _cut(text: str) -> str:
    """Return the first of a text's lines, short enough for one of the screen."""
    from rich.cells import set_cell_size

    return set_cell_size(f"  … {text.splitlines()[0]}", WIDTH - 1).rstrip()


def _console(stream: io.StringIO) -> Console:
    """Return a console with colours that does nothing else which only a terminal can."""
    from rich.console import Console

    return Console(
        file=stream,
        width=WIDTH,
        force_terminal=False,
        color_system="standard",
        legacy_windows=False,
        no_color=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
