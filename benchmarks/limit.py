"""A tour's wall time against the longest chain of its own commands, which nothing but them could beat."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.desk import desk
from benchmarks.page import STEPS
from benchmarks.results import Result

ROUNDS = 3
MOST, ALLOWED = 1.05, 0.5  # of the chain, and seconds on top
EARLY = {"create-cluster": (), "load": ("build", "create-cluster")}  # with what they need


def critical(record: Mapping[str, Any]) -> float:
    """Return the seconds of the longest chain: steps in their order, but those that run early beside them."""
    told = 0.0
    acted: dict[str, float] = {}
    for step in record["steps"]:
        act, confirm = (sum(each["seconds"] for each in step[part]) for part in ("commands", "confirm"))
        if step["step"] in EARLY:
            acted[step["step"]] = (
                max((acted.get(need, 0.0) for need in EARLY[step["step"]]), default=0.0) + act
            )
            told = max(told, acted[step["step"]] + confirm)
        else:
            told += act + confirm
            acted[step["step"]] = told
    return told


def main() -> Result:
    """Print the table; return the ratio."""
    walls, chains = [], []
    with tempfile.TemporaryDirectory(prefix="bench") as root, desk(Path(root), "embedded") as here:
        for number in range(ROUNDS + 1):
            _, record = here.tour("--only", ",".join(STEPS))
            here.down()
            if number:
                walls.append(record["seconds"])
                chains.append(critical(record))
    print("| embedded | median, s | min–max |\n|---|---|---|")
    for name, found in (("the tour, by its report", walls), ("the longest chain of its commands", chains)):
        print(f"| {name} | {statistics.median(found):.2f} | {min(found):.2f}–{max(found):.2f} |")
    print()
    rounds = [(wall - ALLOWED) / chain for wall, chain in zip(walls, chains, strict=True)]
    result = Result()
    result.add(f"the tour, less {ALLOWED} s, to the chain", statistics.median(rounds), rounds, most=MOST)
    return result
