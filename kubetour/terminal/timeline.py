"""The picture of scaling: when each Pod came to which stage, in milliseconds, and a bar to scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len

from kubetour.proofs.changes import milliseconds
from kubetour.text import say

COLUMN = 9  # columns for each time
BAR = 14  # columns
PARTS = (("created", "░"), ("started", "▒"), ("ready", "█"))  # from when on, and how it is drawn


def picture(times: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """Return a heading and a line for each new Pod, 80 columns at most; nothing if there is none."""
    pods = times["pods"]
    if not pods:
        return ()
    keys = {
        "created": say(language, "picture.stage.created"),
        "scheduled": say(language, "picture.stage.scheduled"),
        "pulled": say(language, "picture.stage.pulled"),
        "started": say(language, "picture.stage.started"),
        "ready": say(language, "picture.stage.ready"),
        "endpoint": say(language, "picture.stage.endpoint"),
    }
    values = {key: milliseconds(times[key]) for key in ("deployment", "replicaset")}
    last = max((pod[key] for pod in pods for key in keys if pod[key] is not None), default=0.0)
    heading = "".join(_right(word, COLUMN) for word in keys.values())
    return (
        f"  {say(language, 'picture.timeline', **values)}",
        f"  {'Pod':<7}{heading}",
        *(
            f"  {_short(pod['name']):<7}"
            + "".join(_right(milliseconds(pod[key]), COLUMN) for key in keys)
            + f"  {_bar(pod, last)}"
            for pod in pods
        ),
    )


def _short(name: str) -> str:
    """Return the end of a Pod's name, by which it differs from the others of its ReplicaSet."""
    return f"…{name[-5:]}"


def _right(text: str, columns: int) -> str:
    return " " * (columns - cell_len(text)) + text


def _bar(pod: Mapping[str, Any], last: float) -> str:
    bar = [" "] * BAR
    for key, mark in PARTS:
        if pod[key] is not None and last:
            start = min(int(BAR * pod[key] / last), BAR - 1)
            bar[start:] = mark * (BAR - start)
    return "".join(bar).rstrip()
