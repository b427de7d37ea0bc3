"""The way of new Pods: from the command to their place in the EndpointSlice, a row for each Pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubetour.html.bars import Bar, bars, scale, ticks
from kubetour.html.words import both, told
from kubetour.text import Text

PHASES = ("created", "scheduled", "pulled", "started", "ready", "endpoint")  # in Kubernetes' order
OWNERS = {"deployment": "Deployment", "replicaset": "ReplicaSet"}  # whose controllers act before
MOST = 100  # Pods
FEW = 12  # Pods whose milliseconds are shown without asking


def phases(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scale, a row for each owner and each Pod, and the milliseconds as a table.

    `data` is a proof's `timeline`: seconds since the command began, None for what was not seen.
    """
    pods = sorted(data["pods"], key=lambda pod: (_last(pod), pod["name"]))
    seen = [_last(pod) for pod in pods] + [data[owner] or 0.0 for owner in OWNERS]
    most = max(seen, default=0.0) * 1000 or 1.0
    marks = ticks(most)
    owners = [
        {"name": name, "bars": bars((_mark(data[key]),), most, marks=marks), "total": _ms(data[key])}
        for key, name in OWNERS.items()
        if data[key] is not None
    ]
    rows = [
        {"name": pod["name"], "bars": bars(spans(pod), most, marks=marks), "total": _ms(_last(pod))}
        for pod in pods[:MOST]
    ]
    return {
        "scale": scale(most, marks, "ms"),
        "owners": owners,
        "rows": rows,
        "more": both(told(Text("report.more-pods", {"count": len(pods) - MOST}))) if len(pods) > MOST else "",
        "few": len(pods) <= FEW,
        "table": [
            (pod["name"], pod["node"] or "–", [_ms(pod[name]) for name in PHASES]) for pod in pods[:MOST]
        ],
    }


def spans(pod: Mapping[str, Any]) -> Iterator[Bar]:
    """Yield a Pod's bars in milliseconds: from each phase that was seen to the next, whose kind it is."""
    before: float | None = None
    for name in PHASES:
        at = pod[name]
        if at is None:
            continue
        if before is None:
            yield Bar(at * 1000, at * 1000, "mark", 2)
        elif at > before:  # two events may come in the other order
            yield Bar(before * 1000, at * 1000, f"until-{name}", 2)
        before = max(at, before or 0.0)


def _last(pod: Mapping[str, Any]) -> float:
    return max((pod[name] for name in PHASES if pod[name] is not None), default=0.0)


def _mark(at: float) -> Bar:
    return Bar(at * 1000, at * 1000, "mark", 2)


def _ms(at: float | None) -> str:
    return "–" if at is None else f"{at * 1000:,.0f}"
