"""Requests over time: how many were answered and how many failed in each second, and by which Pod."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubetour.html.bars import scale, ticks
from kubetour.html.words import both, plain, told
from kubetour.text import Text

if TYPE_CHECKING:
    from markupsafe import Markup

MOST = 50  # Pods, marks
COLUMNS = 300  # of a drawing: of a longer time, several seconds share one
TOP, HEIGHT = 42, 170  # pixels above the columns, for the marks' numbers, and all of the drawing
ROW = 20  # pixels of a Pod's row


@dataclass
class Slot:
    """What came back in one column's seconds."""

    ok: int = 0
    failed: int = 0
    by: Counter[str] = field(default_factory=Counter)


def load(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the drawing, a row for each Pod, what each mark means, and the sum in words.

    `data` is a proof's `load`: counts by second, and what was done meanwhile.
    """
    seconds, marks = data["seconds"], data["marks"]
    end = max([second["at"] + 1 for second in seconds] + [math.ceil(mark["at"]) for mark in marks], default=1)
    width = max(1, math.ceil(end / COLUMNS))
    slots = _slots(seconds, math.ceil(end / width), width)
    length = len(slots) * width
    sums = sum((slot.by for slot in slots), Counter[str]())
    answered = sums.total() or 1
    most = max((count for slot in slots for count in slot.by.values()), default=0) or 1
    values = {"requests": data["requests"], "failed": data["failed"], "rate": f"{data['rate']:g}"}
    rows = [
        {
            "name": name,
            "columns": _svg(_columns([slot.by[name] for slot in slots], most, ROW, "count"), ROW),
            "count": sums[name],
            "share": f"{sums[name] / answered * 100:.0f} %",
        }
        for name in _in_order(slots)[:MOST]
    ]
    return {
        "drawing": _drawing(slots, width, [mark["at"] / length for mark in marks[:MOST]]),
        "scale": scale(length, ticks(length), "s"),
        "rows": rows,
        "more": both(told(Text("report.more-pods", {"count": len(sums) - MOST}))) if len(sums) > MOST else "",
        "marks": [(f"{mark['at']:.1f} s", plain(mark["text"])) for mark in marks[:MOST]],
        "failures": _failures(seconds),
        "sum": both(told(Text("report.load-sum", values))),
        "failed": data["failed"],
    }


def _slots(seconds: Iterable[Mapping[str, Any]], count: int, width: int) -> list[Slot]:
    slots = [Slot() for _ in range(count)]
    for second in seconds:
        slot = slots[int(second["at"]) // width]
        slot.ok += second["ok"]
        slot.failed += second["failed"]
        slot.by.update(second["by"])
    return slots


def _in_order(slots: Sequence[Slot]) -> list[str]:
    """Return the Pods in the order in which they answered first."""
    return list(dict.fromkeys(name for slot in slots for name in sorted(slot.by)))


def _failures(seconds: Iterable[Mapping[str, Any]]) -> str:
    """Return when how many requests failed, in short: 3 s: 2, 4 s: 17."""
    failed = [f"{second['at']} s: {second['failed']}" for second in seconds if second["failed"]]
    return ", ".join(failed[:MOST]) + (" …" if len(failed) > MOST else "")


def _drawing(slots: Sequence[Slot], width: int, marks: Sequence[float]) -> Markup:
    """Return columns of what was answered, what failed above it, on a scale of requests per second."""
    rates = [(slot.ok / width, slot.failed / width) for slot in slots]
    most = max((ok + failed for ok, failed in rates), default=0.0) * 1.05 or 1.0
    room = HEIGHT - TOP
    parts = []
    for tick in ticks(most, 3):
        y = HEIGHT - room * tick / most
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
    parts += _columns([ok for ok, _ in rates], most, room, "ok", top=TOP)
    parts += _columns([failed for _, failed in rates], most, room, "failed", [ok for ok, _ in rates], TOP)
    parts += [
        f'<text class="tick" x="2" y="{HEIGHT - room * tick / most - 3:.1f}">{tick:g}/s</text>'
        for tick in ticks(most, 3)
    ]
    for number, mark in enumerate(marks, 1):
        x, y = min(mark, 1.0) * 100, 11 + (number - 1) % 3 * 13
        anchor = "end" if x > 95 else "start"
        parts.append(f'<line class="command-mark" x1="{x:.2f}%" x2="{x:.2f}%" y1="{y - 8}" y2="{HEIGHT}"/>')
        parts.append(
            f'<text class="number-mark" x="{x:.2f}%" dx="{-4 if x > 95 else 4}" y="{y}" '
            f'text-anchor="{anchor}">{number}</text>'
        )
    return _svg(parts, HEIGHT)


def _columns(
    counts: Sequence[float],
    most: float,
    room: int,
    kind: str,
    below: Sequence[float] | None = None,
    top: int = 0,
) -> list[str]:
    """Return a column for each count that is not zero, each upon what is `below` it."""
    parts = []
    for index, count in enumerate(counts):
        if count:
            height = max(count / most * room, 1.5)
            foot = (below[index] if below else 0.0) / most * room
            x, width = index / len(counts) * 100, 100 / len(counts)
            y = max(top + room - foot - height, 0.0)
            parts.append(
                f'<rect class="{kind}" x="{x:.2f}%" width="{width * 0.92:.2f}%" '
                f'y="{y:.1f}" height="{height:.1f}"/>'
            )
    return parts


def _svg(parts: Sequence[str], height: int) -> Markup:
    from markupsafe import Markup

    return Markup(  # noqa: S704  (numbers, and kinds from this program)
        f'<svg class="bar" width="100%" height="{height}" aria-hidden="true">{"".join(parts)}</svg>'
    )
