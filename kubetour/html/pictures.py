"""Pictures from the data of proofs: structure, answers, nodes, layers; each only if a step has its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubetour.html import drawings
from kubetour.html.bars import Bar, bars
from kubetour.html.load import load
from kubetour.html.phases import phases
from kubetour.html.words import both, told
from kubetour.proofs.chance import expected_range
from kubetour.proofs.common import human_size
from kubetour.terminal.pictures import size
from kubetour.text import Text

if TYPE_CHECKING:
    from markupsafe import Markup

CHAIN = {"deployment", "replicasets", "service", "address", "selector", "endpoints", "pods"}
MOST = 50  # rows


def pictures(document: Mapping[str, Any], title: Callable[[str], Markup]) -> dict[str, Any]:
    """Return the pictures of a run by name; what no step has proved is None.

    What was measured over time is drawn of steps that failed, too: there it says most.
    """
    measured = [(step["step"], step["proof"]["data"]) for step in document["steps"] if step["proof"]]
    proved = {
        step["step"]: step["proof"]["data"] for step in document["steps"] if step["ok"] and step["proof"]
    }
    chains = [(step, data) for step, data in proved.items() if data.keys() >= CHAIN]
    answers, layers, placed = (
        proved.get(step, {}).get(key)
        for step, key in (("hit-all", "answers"), ("layers", "layers"), ("pods", "nodes"))
    )
    return {
        "structure": _structure(*chains[-1]) if chains else None,
        "answers": _answers(answers) if answers else None,
        "nodes": drawings.nodes(placed, "nodes-title") if placed else None,
        "layers": _layers(layers) if layers else None,
        "phases": [
            {"step": step, "title": title(step), **phases(data["timeline"])}
            for step, data in measured
            if data.get("timeline")
        ],
        "loads": [
            {"step": step, "title": title(step), **load(data["load"])}
            for step, data in measured
            if data.get("load")
        ],
    }


def _structure(step: str, data: Mapping[str, Any]) -> dict[str, Markup]:
    caption = both(told(Text("report.structure-caption", {"step": step})))
    return {"drawing": drawings.structure(data, "structure-title"), "caption": caption}


def _answers(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return a bar for each Pod, and behind it the range that random picks would give."""
    requests = sum(counts.values())
    low, high = expected_range(requests, len(counts))
    most = max(high, *counts.values()) * 1.05 or 1.0
    rows = [
        {"name": name, "count": n, "bars": bars((Bar(low, high, "range"), Bar(0, n, "count", 5)), most, 20)}
        for name, n in list(counts.items())[:MOST]
    ]
    values = {"requests": requests, "pods": len(counts), "low": low, "high": high}
    return {"rows": rows, "caption": both(told(Text("report.answers-caption", values)))}


def _layers(layers: list[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return a row for each instruction: its bar stands where its bytes lie in the whole image."""
    sizes = [size(layer["size"]) for layer in layers]
    total = sum(sizes) or 1.0
    rows, before = [], 0.0
    for layer, own in list(zip(layers, sizes, strict=True))[:MOST]:
        spans = [Bar(0, before, "before", 6)] if before and own else []
        spans += [Bar(before, before + own, "layer", 2)] if own else []
        before += own
        row = {"instruction": layer["instruction"][:200], "size": layer["size"], "bars": bars(spans, total)}
        rows.append({**row, "sum": human_size(before)})
    return rows
