"""Prose for a terminal: inline Markdown as styles, and lines that break well in Chinese, too.

Rich breaks lines at blanks only, which Chinese has none of: it would leave half of a line empty before a
Latin word, and let a line begin with a comma.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubetour.questions import flow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_INLINE = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*]+)\*|`(?P<code>[^`]+)`")
_STYLES = {"bold": "bold", "italic": "italic", "code": "bold cyan"}
# https://www.w3.org/TR/clreq/#prohibition_rules_for_line_start_end
_NOT_FIRST = "，。：；、！？）」』》”’…,.:;!?)"
_NOT_LAST = "（「『《“‘("
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_UNIT = re.compile(rf" +|[{_NOT_LAST}]*(?:[{_WIDE}]|[^ {_WIDE}{_NOT_LAST}]+)[{_NOT_FIRST}]*|.")


def print_prose(console: Console, text: str) -> None:
    """Print paragraphs, an empty line between them, as wide as the console."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            console.print()
        for line in wrap(styled(flow(paragraph)), console.width):
            console.print(line, soft_wrap=True)


def print_wrapped(console: Console, text: str, style: str) -> None:
    """Print one paragraph as it is, in one style, as wide as the console."""
    from rich.text import Text

    for line in wrap(Text(text), console.width):
        console.print(line, style=style, soft_wrap=True)


def styled(text: str) -> Text:
    """Return text with its inline Markdown turned into styles."""
    from rich.text import Text

    out, at = Text(), 0
    for found in _INLINE.finditer(text):
        out.append(text[at : found.start()])
        kind = found.lastgroup or ""
        out.append(found[kind], style=_STYLES[kind])
        at = found.end()
    out.append(text[at:])
    return out


def wrap(text: Text, width: int) -> Iterator[Text]:
    """Yield lines of at most that many cells; a word that is longer has a line of its own."""
    from rich.cells import cell_len

    start = end = used = 0
    for unit in _UNIT.finditer(text.plain):
        blank = unit[0].isspace()
        if not used and blank:
            continue  # no line begins with a blank
        cells = cell_len(unit[0])
        if used and used + cells > width and not blank:
            yield text[start:end]
            used = 0
        if not used:
            start = unit.start()
        if not blank:
            end = unit.end()
        used += cells
    if end > start:
        yield text[start:end]
