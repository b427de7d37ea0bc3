"""The chapter a second time: with nothing changed, and with one line of the app changed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.desk import STEPS, Desk, desk
from benchmarks.page import slow_kind
from benchmarks.results import Result

UNCHANGED, CHANGED = 0.25, 0.4


def _change(here: Desk) -> None:
    """Change one line of the app."""
    file = here.folder / "app/app.js"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("You've hit", "You've now hit"), encoding="utf-8")


def _skipped(record: dict[str, Any]) -> str:
    """Return the steps that found nothing to do, and by which command the report says so."""
    return ", ".join(
        f"{step['step']} (`{step['because'][0][:60]}`…)" for step in record["steps"] if step["already"]
    )


def measure(here: Desk) -> Result:
    """Print the table of a provider; return the ratios."""
    here.warm()
    first, _ = here.chapter()
    again, record = here.chapter()
    _change(here)
    changed, _ = here.chapter()
    here.down()
    print(f"| {here.provider}, {len(STEPS)} steps | wall, s |\n|---|---|")
    for name, seconds in (("first", first), ("again", again), ("a line of the app changed", changed)):
        print(f"| {name} | {seconds:.2f} |")
    print(f"\nAgain, with nothing to do: {_skipped(record)}.\n")
    result = Result()
    bounds = (
        here.provider == "kind"
    )  # the embedded cluster comes up in half a second: there is little to save
    result.add(f"{here.provider}: again to first", again / first, most=UNCHANGED if bounds else None)
    result.add(f"{here.provider}: changed to first", changed / first, most=CHANGED if bounds else None)
    return result


def main() -> Result:
    """Print the tables; return the ratios."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="bench") as root, desk(Path(root), "embedded") as here:
        result.ratios += measure(here).ratios
    if shutil.which("docker") is None:
        print("SKIP kind: there is no docker (no pass)")
        return result
    with tempfile.TemporaryDirectory(prefix="bench") as root, slow_kind(Path(root)) as here:
        result.ratios += measure(here).ratios
    return result
