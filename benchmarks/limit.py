"""A tour's wall time against the longest chain of its own commands, which nothing but them could beat."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.desk import desk
from benchmarks.results import Result

ROUNDS = 3
MOST, ALLOWED = 1.05, 0.5  # of the chain, and seconds on top
EARLY = {"create-cluster": (), "load": ("build", "create-cluster")}  # with what they need


def busy(commands: Iterable[Mapping[str, Any]]) -> float:
    """Return the seconds in which at least one of these commands ran: some run side by side."""
    total, end = 0.0, float("-inf")
    for began, seconds in sorted((each["started"], each["seconds"]) for each in commands):
        total += max(began + seconds - max(began, end), 0.0)
        end = max(end, began + seconds)
    return total


def critical(record: Mapping[str, Any]) -> float:
    """Return the seconds of the longest chain: steps in their order, but those that run early beside them."""
    told = 0.0
    acted: dict[str, float] = {}
    for step in record["steps"]:
        act, confirm = busy((*step["asked"], *step["commands"])), busy(step["confirm"])
        if step["step"] in EARLY:
            acted[step["step"]] = (
                max((acted.get(need, 0.0) for need in EARLY[step["step"]]), default=0.0) + act
            )
            told = max(told, acted[step["step"]] + confirm)
        else:
            told += act + confirm
            acted[step["step"]] = told
    return told


def table(provider: str, records: Sequence[Mapping[str, Any]]) -> Result:
    """Print the table of some tours; return the ratio."""
    walls, chains = [record["seconds"] for record in records], [critical(record) for record in records]
    print(f"| {provider} | median, s | min–max |\n|---|---|---|")
    for name, found in (("the tour, by its report", walls), ("the longest chain of its commands", chains)):
        print(f"| {name} | {statistics.median(found):.2f} | {min(found):.2f}–{max(found):.2f} |")
    print()
    rounds = [(wall - ALLOWED) / chain for wall, chain in zip(walls, chains, strict=True)]
    result = Result()
    name = f"{provider}: the tour, less {ALLOWED} s, to the chain"
    result.add(name, statistics.median(rounds), rounds, most=MOST)
    return result


def main() -> Result:
    """Print the table; return the ratio. On kind, `page` measures it: its tours take long."""
    records = []
    with tempfile.TemporaryDirectory(prefix="bench") as root, desk(Path(root), "embedded") as here:
        for number in range(ROUNDS + 1):
            _, record = here.chapter()
            here.down()
            if number:
                records.append(record)
    return table("embedded", records)
