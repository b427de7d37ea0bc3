"""Boxes side by side, and lines of pieces: text in a terminal's columns, of which Chinese takes two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

GAP = 2  # columns between pieces, and between cells
FRAME = 4  # columns that a box takes beside what is in it


def grid(titles: Sequence[Text], boxes: Sequence[list[Text]], size: int, width: int) -> Iterator[Text]:
    """Yield the lines of boxes of that width, as many side by side as there is room for."""
    from rich.text import Text

    abreast = max((width + 1) // (size + 1), 1)
    for at in range(0, len(boxes), abreast):
        row = boxes[at : at + abreast]
        inside = max(map(len, row))
        drawn = [_box(titles[at + n], box, size, inside) for n, box in enumerate(row)]
        for parts in zip(*drawn, strict=True):
            yield Text(" ").join(parts)


def _box(title: Text, lines: Sequence[Text], size: int, inside: int) -> list[Text]:
    """Return a box with a title and that many lines inside."""
    from rich.text import Text

    title = title if title.cell_len <= size - FRAME - 2 else fit(title, size - FRAME - 2)
    rule = "─" * (size - 5 - title.cell_len)
    drawn = [Text.assemble(("┌─ ", "cyan"), title, (f" {rule}┐", "cyan"))]
    for line in [*lines, *[Text()] * (inside - len(lines))]:
        drawn.append(Text.assemble(("│ ", "cyan"), fit(line, size - FRAME), (" │", "cyan")))
    return [*drawn, Text("└" + "─" * (size - 2) + "┘", style="cyan")]


def flow(lines: Iterable[Sequence[Text]], width: int) -> Iterator[Text]:
    """Yield lines of pieces that stay whole; what does not fit any more begins a new line, indented."""
    from rich.text import Text

    for pieces in lines:
        line = Text()
        for piece in pieces:
            if line and line.cell_len + GAP + piece.cell_len > width:
                yield fit(line, width) if line.cell_len > width else line
                line = Text("  ")
            elif line:
                line.append(" " * GAP)
            line.append_text(piece)
        yield fit(line, width) if line.cell_len > width else line


def fit(text: Text, width: int) -> Text:
    """Return a copy of text that is exactly so many columns wide: cut off with an ellipsis, or padded."""
    copy = text.copy()
    copy.truncate(max(width, 0), overflow="ellipsis", pad=True)
    return copy
