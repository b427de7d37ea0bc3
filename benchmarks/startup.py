"""`./inv` before it does anything, against plain Invoke with an empty tasks.py."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.measure import HEAD, against, alternate
from benchmarks.results import Result

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
MOST = 1.15  # in CPU time
EMPTY = "from invoke import task\n\n\n@task\ndef empty(c):\n    pass\n"
CALLS = {
    "`./inv --list`": ("--list",),
    "`./inv --help tour`": ("--help", "tour"),
    "`./inv --complete`, a task": ("--complete", "--", "inv to"),
    "`./inv --complete`, a flag": ("--complete", "--", "inv tour --re"),
    "`./inv --print-completion-script`": ("--print-completion-script", "bash"),
}


def main() -> Result:
    """Print the table and the ratios of CPU time; return them with their bounds."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as bytecode:
        Path(empty, "tasks.py").write_text(EMPTY, encoding="utf-8")
        base = "`invoke --list` (empty tasks.py)"
        commands: dict[str, tuple[str, ...]] = {base: (str(ROOT / ".venv/bin/invoke"), "--list")}
        commands |= {name: (str(ROOT / "inv"), *argv) for name, argv in CALLS.items()}
        places = dict.fromkeys(commands, ROOT) | {base: Path(empty)}
        # As after the first call: what is imported has been compiled, both theirs and ours.
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = bytecode
        samples = alternate(commands, ROUNDS, places, environ=environ)
    print(HEAD, *(s.row(name) for name, s in samples.items()), end="\n\n", sep="\n")
    result = Result()
    for name in CALLS:
        rounds = against(samples[name].cpu, samples[base].cpu)
        result.add(f"CPU of {name} to bare Invoke's", statistics.median(rounds), rounds, most=MOST)
    return result
