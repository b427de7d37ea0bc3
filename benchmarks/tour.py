"""The whole tour on the embedded cluster, against its own commands typed one after another."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import HEAD, against, alternate
from benchmarks.results import Result

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
MOST_SECONDS = 20.0


def main() -> Result:
    """Print the table; return the ratio and the longest tour's seconds."""
    settings = ROOT / ".kubetour/last.json"  # what the user's last command used is not for us to change
    kept = settings.read_bytes() if settings.exists() else None
    try:
        return _measure(str(ROOT / "inv"))
    finally:
        if kept is not None:
            settings.write_bytes(kept)
        else:
            settings.unlink(missing_ok=True)


def _measure(inv: str) -> Result:
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
    print(HEAD, *(s.row(name) for name, s in samples.items()), "", sep="\n")
    result, rounds = Result(), against(ours.wall, base.wall)
    result.add("the tour to its commands as a script", statistics.median(rounds), rounds)
    result.add("seconds of the longest tour", max(ours.wall), ours.wall, most=MOST_SECONDS)
    return result
