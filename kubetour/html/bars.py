"""Bars as SVG that is as wide as its place: x and width in percent, so that no scaling distorts them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

LEAST = 0.4  # percent: what took no time can be seen all the same


@dataclass(frozen=True)
class Bar:
    """A bar from `start` to `end`, in the scale's unit, of a kind that the style sheet knows."""

    start: float
    end: float
    kind: str
    inset: int = 0  # pixels that are left above and below it


def bars(items: Iterable[Bar], most: float, height: int = 16, marks: Iterable[float] = ()) -> Markup:
    """Return bars on one line, on a scale from 0 to `most`, with thin lines at `marks`."""
    from markupsafe import Markup

    parts = [_line(mark / most * 100, height) for mark in marks if 0 < mark < most]
    for item in items:
        left = min(max(0.0, item.start / most * 100), 100 - LEAST)
        width = max(min(item.end / most * 100, 100.0) - left, LEAST)
        parts.append(
            f'<rect class="{item.kind}" x="{left:.2f}%" width="{width:.2f}%" '
            f'y="{item.inset}" height="{height - 2 * item.inset}" rx="2"/>'
        )
    return Markup(  # noqa: S704  (numbers, and kinds from this program)
        f'<svg class="bar" width="100%" height="{height}" aria-hidden="true">{"".join(parts)}</svg>'
    )


def scale(most: float, marks: Iterable[float], unit: str) -> Markup:
    """Return the numbers of a scale from 0 to `most` at those marks."""
    from markupsafe import Markup

    parts = ['<text x="0" y="12">0</text>']
    for mark in marks:
        place = mark / most * 100
        anchor = "end" if place > 96 else "middle"
        parts.append(f'<text x="{place:.2f}%" y="12" text-anchor="{anchor}">{mark:g} {unit}</text>')
    return Markup(  # noqa: S704
        f'<svg class="bar scale" width="100%" height="16" aria-hidden="true">{"".join(parts)}</svg>'
    )


def ticks(most: float, wanted: int = 5) -> tuple[float, ...]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) up to `most`, at most `wanted` of them."""
    if most <= 0:
        return ()
    power = 10.0 ** math.floor(math.log10(most / wanted))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if most / (power * factor) <= wanted)
    return tuple(round(step * index, 6) for index in range(1, math.floor(most / step + 1e-9) + 1))


def _line(place: float, height: int) -> str:
    return f'<line class="grid" x1="{place:.2f}%" x2="{place:.2f}%" y1="0" y2="{height}"/>'
