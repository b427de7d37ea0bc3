"""Measuring whole commands: alternating rounds, wall and CPU time, median and spread."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Samples:
    """Seconds of several runs of one command."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        """Return the samples as a row of a Markdown table: medians, and the wall time's extremes."""
        wall, cpu = statistics.median(self.wall), statistics.median(self.cpu)
        return f"| {name} | {wall:.3f} | {min(self.wall):.3f}–{max(self.wall):.3f} | {cpu:.3f} |"


HEAD = "| command | wall, median s | min–max | CPU, median s |\n|---|---|---|---|"


def alternate(
    commands: Mapping[str, Sequence[str]],
    rounds: int,
    cwd: Mapping[str, Path],
    warm: bool = True,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Samples]:
    """Return the samples of commands run in turn, `rounds` times each; CalledProcessError if one fails."""
    samples = {name: Samples() for name in commands}
    for number in range(rounds + warm):
        for name, argv in commands.items():
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(
                argv,
                cwd=cwd[name],
                env=environ,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
            if number or not warm:
                samples[name].wall.append(wall)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                samples[name].cpu.append(used)
    return samples


def against(ours: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return the ratio of each round."""
    return [mine / theirs for mine, theirs in zip(ours, base, strict=True)]
