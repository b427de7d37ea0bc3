"""The timeline: for each step, when its commands ran and when it was proved, and what ran before its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kubetour.html.bars import Bar, bars, scale, ticks

if TYPE_CHECKING:
    from markupsafe import Markup


def timeline(document: Mapping[str, Any], title: Callable[[str], Markup]) -> dict[str, Any]:
    """Return the scale and a row for each step: its id, title, bars and seconds.

    Time in which a person was waited for is cut out: what went on meanwhile, in the background, is shorter.
    """
    waits: list[tuple[float, float]] = [
        (step["started"] - step["waited"], step["started"]) for step in document["steps"]
    ]

    def worked(time: float) -> float:
        return time - sum(min(max(time - begun, 0.0), ended - begun) for begun, ended in waits)

    ends = [worked(step["started"] + step["seconds"]) for step in document["steps"]]
    most = max(ends, default=0.0) or 1.0
    marks = ticks(most)
    rows = [
        {
            "id": step["step"],
            "title": title(step["step"]),
            "ok": step["ok"],
            "seconds": step["seconds"],
            "bars": bars(
                (replace(bar, start=worked(bar.start), end=worked(bar.end)) for bar in spans(step)),
                most,
                marks=marks,
            ),
        }
        for step in document["steps"]
    ]
    return {"scale": scale(most, marks, "s"), "rows": rows, "early": any(map(early, document["steps"]))}


def spans(step: Mapping[str, Any]) -> Iterator[Bar]:
    """Yield a step's bars: from its turn until it was proved, and its commands; those before it apart."""
    yield Bar(step["started"], step["started"] + step["seconds"], "proof", 5)
    for command in (*step["commands"], *step["confirm"]):
        if command["started"] is not None:
            end = command["started"] + command["seconds"]
            kind = "early" if _is_early(step, command) else "command"
            yield Bar(command["started"], end, kind, 2)


def early(step: Mapping[str, Any]) -> float:
    """Return how many seconds before its turn, in the background, a step began; 0 if it did not."""
    begun = [command["started"] for command in step["commands"] if _is_early(step, command)]
    return float(step["started"] - min(begun)) if begun else 0.0


def _is_early(step: Mapping[str, Any], command: Mapping[str, Any]) -> bool:
    # Both are rounded to milliseconds, and the turn of a step begins before its first command.
    return command["started"] is not None and command["started"] < step["started"] - 0.002
