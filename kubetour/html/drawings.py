"""Drawings of objects as SVG: the way of a request and who owns whom, and the nodes with their Pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubetour.html.words import Told, both, plain, told
from kubetour.text import Text

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH = 400  # of a drawing, in its own units; on a phone one is nearly a pixel
LEFT, RIGHT = 44, 356  # of the boxes; beside them run the lines
MIDDLE = WIDTH // 2
HEIGHT, GAP = 44, 8  # of a box, and between two
ARROW = 28  # between boxes of which one leads to the other
MOST = 12  # Pods that have a row each; of more, one for each node, and small boxes in it
COLUMNS, SMALL = 4, 100  # small boxes beside each other, and in one node; the rest is a number
LONGEST = 36  # characters of a name


def structure(data: Mapping[str, Any], named_by: str) -> Markup:
    """Return request → Service → EndpointSlice → Pods ← ReplicaSet ← Deployment, from the proof's data."""
    selector = ",".join(f"{key}={value}" for key, value in data["selector"].items())
    parts: list[str] = [_text(MIDDLE, 18, told(Text("picture.request")), "strong middle")]
    y = 26
    parts += [
        _down(y),
        _box(y + ARROW, "route", "Service", data["service"], f"{data['address']} · {selector}"),
    ]
    y += ARROW + HEIGHT
    parts += [_down(y)]
    y += ARROW
    slice_middle = y + HEIGHT // 2
    parts += [_box(y, "route", "EndpointSlice", f"{len(data['endpoints'])} × Pod")]
    y += HEIGHT + ARROW
    middles = []
    rows = list(_pods(data["pods"]))
    for name, detail, ready in rows[:MOST]:
        parts += [_box(y, "pod", "Pod", name, detail, "ready" if ready else "waiting")]
        middles.append(y + HEIGHT // 2)
        y += HEIGHT + GAP
    if len(rows) > MOST:
        parts += [_text(MIDDLE, y + 16, _same(f"… + {len(rows) - MOST}"), "middle")]
        y += 24
    y += ARROW - GAP
    owner_middle = y + HEIGHT // 2
    for name in data["replicasets"]:
        parts += [_box(y, "owner", "ReplicaSet", name)]
        y += HEIGHT + GAP
    y -= GAP
    parts += [_up(y), _text(MIDDLE + 10, y + 19, told(Text("picture.owns")), "small")]
    y += ARROW
    parts += [_box(y, "owner", "Deployment", data["deployment"])]
    parts += _rail(LEFT, 18, slice_middle, middles, "route") + _rail(
        RIGHT, -18, owner_middle, middles, "owner"
    )
    return _svg(parts, y + HEIGHT + 2, named_by)


def nodes(placed: Mapping[str, Sequence[str]], named_by: str) -> Markup:
    """Return each node as a box with its Pods in it."""
    parts: list[str] = []
    y = 2
    for node, names in sorted(placed.items()):
        boxes, rows = _boxes(y + 34, sorted(names))
        height = 34 + rows * 32 + 4
        parts += [
            f'<rect class="node" x="2" y="{y}" width="{WIDTH - 4}" height="{height}" rx="8"/>',
            _text(16, y + 22, _same(_shorten(node)), "strong"),
            _text(WIDTH - 16, y + 22, _same(f"{len(names)} × Pod"), "small end"),
            *boxes,
        ]
        y += height + 12
    return _svg(parts, y - 10, named_by)


def _pods(pods: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, bool]]:
    """Yield the name, the detail and whether it is ready of each Pod, or, of many, of those of each node."""
    if len(pods) <= MOST:
        for pod in pods:
            yield pod["name"], f"{pod['address']} · {pod['node']}", pod["ready"]
        return
    for node in sorted({pod["node"] for pod in pods}):
        states = [pod["ready"] for pod in pods if pod["node"] == node]
        yield f"× {len(states)}", f"{node} · {sum(states)}/{len(states)} Ready", all(states)


def _boxes(y: int, names: Sequence[str]) -> tuple[list[str], int]:
    """Return a node's Pods from there on, and how many rows they take: many share a row, by their ends."""
    columns, most = (1, MOST) if len(names) <= MOST else (COLUMNS, SMALL)
    width = (WIDTH - 28 - (columns - 1) * GAP) // columns
    parts = []
    for index, name in enumerate(names[:most]):
        row, column = divmod(index, columns)
        x, top = 14 + column * (width + GAP), y + row * 32
        shown = _shorten(name) if columns == 1 else f"…{name[-6:]}"
        parts += [
            f'<rect class="box pod" x="{x}" y="{top}" width="{width}" height="26" rx="5"/>',
            f'<circle class="ready" cx="{x + 14}" cy="{top + 13}" r="4"/>',
            _text(x + (28 if columns == 1 else 24), top + 17, _same(shown), "mono"),
        ]
    rows = -(-min(len(names), most) // columns)
    if len(names) > most:
        parts += [_text(MIDDLE, y + rows * 32 + 17, _same(f"… + {len(names) - most}"), "middle")]
        rows += 1
    return parts, rows


def _svg(parts: list[str], height: int, named_by: str) -> Markup:
    from markupsafe import Markup

    return Markup(  # noqa: S704  (every text in it went through _text)
        f'<svg class="drawing" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{named_by}">'
        f"{''.join(parts)}</svg>"
    )


def _box(y: int, look: str, kind: str, name: str, detail: str = "", mark: str = "") -> str:
    """Return an object's box: kind, name, a detail under them, and a dot of the kind `mark` says."""
    from markupsafe import escape

    parts = [f'<rect class="box {look}" x="{LEFT}" y="{y}" width="{RIGHT - LEFT}" height="{HEIGHT}" rx="6"/>']
    if mark:
        parts += [f'<circle class="{mark}" cx="{LEFT + 14}" cy="{y + 16}" r="4"/>']
    indent = LEFT + (24 if mark else 12)
    shown = escape(plain(_shorten(name)))
    parts += [
        f'<text x="{indent}" y="{y + (20 if detail else 27)}" class="strong">{kind}'
        f'<tspan dx="7" class="name">{shown}</tspan></text>'
    ]
    if detail:
        parts += [_text(indent, y + 36, _same(_shorten(detail, 42)), "mono")]
    return "".join(parts)


def _text(x: int, y: int, texts: Told, classes: str) -> str:
    return str(both(texts, "text", f' x="{x}" y="{y}" class="{classes}"'))


def _same(text: str) -> Told:
    return {"": text}


def _down(y: int) -> str:
    """Return an arrow down, from y to the top of the box that follows."""
    end = y + ARROW - 2
    return (
        f'<path class="line route" d="M{MIDDLE} {y + 2}V{end - 6}"/>'
        f'<path class="head route" d="M{MIDDLE - 5} {end - 8}L{MIDDLE} {end}L{MIDDLE + 5} {end - 8}z"/>'
    )


def _up(y: int) -> str:
    """Return an arrow up to y, the bottom of the box before it."""
    return (
        f'<path class="line owner" d="M{MIDDLE} {y + ARROW}V{y + 8}"/>'
        f'<path class="head owner" d="M{MIDDLE - 5} {y + 10}L{MIDDLE} {y + 2}L{MIDDLE + 5} {y + 10}z"/>'
    )


def _rail(edge: int, reach: int, start: int, ends: list[int], kind: str) -> list[str]:
    """Return lines from a box's edge, along the side, with an arrow back to the edge at each end."""
    if not ends:
        return []
    side, tip = edge - reach, edge - (2 if reach > 0 else -2)
    back = tip - (8 if reach > 0 else -8)
    far = max(ends, key=lambda end: abs(end - start))
    parts = [f'<path class="line {kind}" d="M{edge} {start}H{side}V{far}"/>']
    for end in ends:
        parts.append(f'<path class="line {kind}" d="M{side} {end}H{back}"/>')
        parts.append(f'<path class="head {kind}" d="M{back} {end - 5}L{tip} {end}L{back} {end + 5}z"/>')
    return parts


def _shorten(text: str, most: int = LONGEST) -> str:
    """Return a text of at most that many characters: what is left out is in the middle."""
    if len(text) <= most:
        return text
    tail = most * 2 // 3
    return f"{text[: most - tail - 1]}…{text[-tail:]}"
