"""What benchmarks have found, drawn as SVG: each ratio's rounds beside its bound, and how a cost grows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

WIDTH, MARGIN, ROW = 760, 16, 44  # pixels
LABEL = 300  # pixels of a row that its name takes
# Read on light and dark pages alike; a bound is told by its form, too.
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#777}line{stroke:#999}"
    ".dot{fill:#3b82c4;fill-opacity:.55}.median{stroke:#3b82c4;stroke-width:3}"
    ".bound{stroke:#c4713b;stroke-width:2;stroke-dasharray:4 3}.fails{fill:#c4713b}"
)


def write(document: Mapping[str, Any], directory: Path) -> list[Path]:
    """Write a picture for each benchmark of a run's document; return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name, ratios in document["benchmarks"].items():
        pictures[f"{name}.svg"] = ratios_svg(ratios)
    for name, points in document.get("curves", {}).items():
        pictures[f"{name}-growth.svg"] = growth_svg(**points)
    for file, text in pictures.items():
        (directory / file).write_text(text, encoding="utf-8")
    return [directory / file for file in pictures]


def ratios_svg(ratios: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each ratio: every round a dot, the median a bar, the bound a dashed line."""
    body: list[str] = []
    for number, each in enumerate(ratios):
        top = MARGIN + number * ROW
        values = [value for value in (*each["rounds"], each["value"]) if value > 0]
        bound = each["most"] if each["most"] is not None else each["least"]
        low, high = _reach([*values, *([bound] if bound else [])])

        def across(value: float, low: float = low, high: float = high) -> float:
            share = math.log(value / low) / math.log(high / low)
            return LABEL + share * (WIDTH - LABEL - MARGIN)

        middle = top + 12
        body.append(f"<line x1='{LABEL}' x2='{WIDTH - MARGIN}' y1='{middle}' y2='{middle}'/>")
        body += [
            f"<circle class='dot' cx='{across(v):.1f}' cy='{middle}' r='4'/>" for v in each["rounds"] if v > 0
        ]
        if values:
            at = across(each["value"])
            body.append(
                f"<line class='median' x1='{at:.1f}' x2='{at:.1f}' y1='{middle - 8}' y2='{middle + 8}'/>"
            )
        told = f"{each['value']:.3g}"
        if bound:
            at = across(bound)
            body.append(
                f"<line class='bound' x1='{at:.1f}' x2='{at:.1f}' y1='{middle - 11}' y2='{middle + 11}'/>"
            )
            told += f" ({'at most' if each['most'] is not None else 'at least'} {bound:g})"
        kind = "" if each["holds"] else " class='fails'"
        body.append(f"<text x='{MARGIN}' y='{middle + 4}'>{escape(_cut(each['name']))}</text>")
        body.append(f"<text{kind} x='{LABEL}' y='{middle + 24}'>{told}</text>")
    return _svg(2 * MARGIN + len(ratios) * ROW, body)


def growth_svg(x: str, y: str, points: Sequence[Sequence[float]], slope: float) -> str:
    """Return a log-log plot of points, their best line's slope in words."""
    height, left = 320, 70
    low_x, high_x = _reach([point[0] for point in points])
    low_y, high_y = _reach([point[1] for point in points])

    def place(point: Sequence[float]) -> tuple[float, float]:
        right = math.log(point[0] / low_x) / math.log(high_x / low_x)
        up = math.log(point[1] / low_y) / math.log(high_y / low_y)
        return left + right * (WIDTH - left - MARGIN), height - 50 - up * (height - 90)

    placed = [place(point) for point in points]
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in placed)
    body = [f"<polyline points='{path}' fill='none' stroke='#3b82c4' stroke-width='2'/>"]
    for (across, down), point in zip(placed, points, strict=True):
        body.append(f"<circle class='dot' cx='{across:.1f}' cy='{down:.1f}' r='5'/>")
        body.append(f"<text x='{across - 12:.1f}' y='{height - 30}'>{point[0]:g}</text>")
        body.append(f"<text x='{MARGIN}' y='{down + 4:.1f}'>{point[1]:.3g}</text>")
    body.append(f"<text x='{MARGIN}' y='22'>{escape(y)}; slope {slope:.2f} (1 is linear)</text>")
    body.append(f"<text x='{WIDTH // 2}' y='{height - 8}'>{escape(x)}</text>")
    return _svg(height, body)


def _reach(values: Iterable[float]) -> tuple[float, float]:
    """Return the ends of an axis that shows all values, with some room."""
    known = list(values) or [1.0]
    return min(known) / 1.15, max(known) * 1.15


def _cut(name: str) -> str:
    plain = name.replace("`", "")
    return plain if len(plain) <= 40 else f"{plain[:39]}…"


def _svg(height: int, body: Iterable[str]) -> str:
    size = f"viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}'"
    inside = "\n".join(body)
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size}>\n<style>{STYLE}</style>\n{inside}\n</svg>\n"
