"""The same tour time and again, in one checkout: each ends well, and `down --check` finds nothing."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.desk import ONLY, desk
from benchmarks.results import Result


def main(times: int = 100, whole: bool = False, provider: str = "embedded") -> Result:
    """Take the tours, and count those that failed. What a tour that failed leaves is removed, and said."""
    seconds, failed = [], []
    with tempfile.TemporaryDirectory(prefix="repeat") as root, desk(Path(root), provider) as here:
        for number in range(1, times + 1):
            try:
                took, _ = here.tour(*(() if whole else ONLY))
                here.down()
                seconds.append(took)
            except subprocess.CalledProcessError as error:
                failed.append(number)
                print(f"  {number}: exit status {error.returncode}: {' '.join(error.cmd[3:])}", flush=True)
                here.down()
            if number % 10 == 0:
                print(f"  {number} tours, {len(failed)} failed", flush=True)
    result = Result()
    if seconds:
        spread = f"{statistics.median(seconds):.1f} s ({min(seconds):.1f}–{max(seconds):.1f})"
        print(f"\n{times} tours ({'whole' if whole else 'the chapter'}): {spread}\n")
    result.add("tours that failed, or left something", len(failed), most=0)
    return result
