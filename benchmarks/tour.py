"""The whole tour on the embedded cluster, against its own commands typed one after another."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import HEAD, alternate

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
MOST_SECONDS = 20.0


def main() -> bool:
    """Print the table and the ratio; return whether the tour is within its bound."""
    settings = ROOT / ".kubetour/last.json"  # what the user's last command used is not for us to change
    kept = settings.read_bytes() if settings.exists() else None
    try:
        return _measure(str(ROOT / "inv"))
    finally:
        if kept is not None:
            settings.write_bytes(kept)
        else:
            settings.unlink(missing_ok=True)


def _measure(inv: str) -> bool:
    flags = ("--provider", "embedded", "--cluster-name", "bench", "--name", "bench", "--down")
    script = subprocess.run(
        (inv, "script", *flags), cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    ).stdout
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        commands = {
            "the script (sh -eu)": ("sh", "-eu", file.name),
            "./inv tour --quiet": (inv, "tour", *flags, "--quiet"),
        }
        samples = alternate(commands, ROUNDS, dict.fromkeys(commands, ROOT), warm=False)
    base, ours = samples.values()
    ratio = statistics.median(ours.wall) / statistics.median(base.wall)
    print(HEAD, *(s.row(name) for name, s in samples.items()), sep="\n")
    print(f"\nratio: {ratio:.2f}; longest tour {max(ours.wall):.1f} s (bound: {MOST_SECONDS:.0f} s)\n")
    return max(ours.wall) <= MOST_SECONDS
