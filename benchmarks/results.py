"""What benchmarks find: ratios with their bounds, as lines, as JSON, and against an earlier run."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOISE = 0.1  # what a ratio of two things taken in turn may differ by, from run to run, at the least
_VERSIONS = {"kubectl": ("kubectl", "version", "--client"), "node": ("node", "--version")}


@dataclass(frozen=True)
class Ratio:
    """A figure with its bound: `most` where less is better, `least` where more is."""

    name: str
    value: float
    rounds: tuple[float, ...] = ()
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Return whether it is within its bound."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    @property
    def spread(self) -> float:
        """Return the middle half of the rounds, as a part of their median; 0.0 if there are too few."""
        if len(self.rounds) < 3 or not statistics.median(self.rounds):
            return 0.0
        first, _, third = statistics.quantiles(self.rounds, n=4, method="inclusive")
        return (third - first) / abs(statistics.median(self.rounds))

    def line(self) -> str:
        """Return it as a line of a list."""
        reach = f" ({min(self.rounds):.2f}–{max(self.rounds):.2f})" if self.rounds else ""
        bounds = (("at most", self.most), ("at least", self.least))
        bound = "".join(f"; bound: {words} {value:g}" for words, value in bounds if value is not None)
        return f"- {self.name}: {self.value:.2f}{reach}{bound}{'' if self.holds else ' - DOES NOT HOLD'}"

    def worse(self, old: Mapping[str, Any]) -> float:
        """Return by what part this is worse than the same one of an earlier run; below 0.0 if better."""
        if not self.value or not old["value"]:
            return 0.0
        more = self.value / old["value"]
        return (1 / more if self.least is not None else more) - 1

    def noise(self, old: Mapping[str, Any]) -> float:
        """Return how much worse it may be by chance: the spreads of both, and never less than NOISE."""
        return max(NOISE, self.spread + old["spread"])


@dataclass
class Result:
    """What one benchmark has found."""

    ratios: list[Ratio] = field(default_factory=list)
    curve: dict[str, Any] = field(default_factory=dict)  # how a cost grows, for a plot
    samples: list[dict[str, float]] = field(default_factory=list)  # over time

    def add(self, name: str, value: float, rounds: Sequence[float] = (), **bound: float | None) -> None:
        """Add a ratio with its bound, `most` or `least`, and print it."""
        self.ratios.append(Ratio(name, value, tuple(rounds), **bound))
        print(self.ratios[-1].line(), flush=True)

    @property
    def held(self) -> bool:
        """Return whether every bound holds."""
        return all(ratio.holds for ratio in self.ratios)


def document(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return a run as plain JSON values: the machine, and each ratio with its spread."""
    found = {
        name: [
            {
                "name": each.name,
                "value": round(each.value, 4),
                "median": round(statistics.median(each.rounds), 4) if each.rounds else round(each.value, 4),
                "spread": round(each.spread, 4),
                "rounds": [round(value, 4) for value in each.rounds],
                "most": each.most,
                "least": each.least,
                "holds": each.holds,
            }
            for each in result.ratios
        ]
        for name, result in results.items()
    }
    curves = {name: result.curve for name, result in results.items() if result.curve}
    samples = {name: result.samples for name, result in results.items() if result.samples}
    return {"machine": machine(), "benchmarks": found, "curves": curves, "samples": samples}


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: _version(argv) for name, argv in _VERSIONS.items() if shutil.which(name)},
    }


def _version(argv: Sequence[str]) -> str:
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", check=False
    )
    return (done.stdout.splitlines() or ["?"])[0].removeprefix("Client Version: ")


def slower(results: Mapping[str, Result], old: Mapping[str, Any]) -> list[str]:
    """Return a line for each ratio that is worse than in an earlier run's document, beyond the noise."""
    found = []
    for benchmark, result in results.items():
        before = {each["name"]: each for each in old["benchmarks"].get(benchmark, ())}
        for ratio in result.ratios:
            was = before.get(ratio.name)
            if was and ratio.worse(was) > ratio.noise(was):
                by, noise = 100 * ratio.worse(was), 100 * ratio.noise(was)
                change = f"{was['value']:.2f} → {ratio.value:.2f}"
                found.append(f"{benchmark}: {ratio.name}: {change}, {by:.0f} % worse (noise: {noise:.0f} %)")
    return found


def tell(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)
