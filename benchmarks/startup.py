"""`./inv --list` against plain `invoke --list` on an empty tasks.py."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.measure import HEAD, alternate

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
MOST = 1.5


def main() -> bool:
    """Print the table and the ratio; return whether it is within its bound."""
    with tempfile.TemporaryDirectory() as empty:
        Path(empty, "tasks.py").write_text(
            "from invoke import task\n\n\n@task\ndef empty(c):\n    pass\n", encoding="utf-8"
        )
        commands = {
            "invoke --list (empty tasks.py)": (str(ROOT / ".venv/bin/invoke"), "--list"),
            "./inv --list": (str(ROOT / "inv"), "--list"),
        }
        samples = alternate(commands, ROUNDS, dict(zip(commands, (Path(empty), ROOT), strict=True)))
    base, ours = samples.values()
    ratio = statistics.median(ours.wall) / statistics.median(base.wall)
    cpu = statistics.median(ours.cpu) / statistics.median(base.cpu)
    print(HEAD, *(s.row(name) for name, s in samples.items()), sep="\n")
    print(f"\nratio: wall {ratio:.2f}, CPU {cpu:.2f} (bound: {MOST})\n")
    return ratio <= MOST
