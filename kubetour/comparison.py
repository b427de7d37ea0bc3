"""Two runs side by side: what took how long, and what differs. Pure, from their records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
Both = tuple[str, str]

# What is another in every run: what the API server and the Deployment's controller add to a Pod's name, in
# their alphabet without vowels (https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go);
# a container's short ID (an image's tag, behind a colon, is none); addresses; how long something took.
_RANDOM = re.compile(
    r"-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b"
    r"|(?<![:\w.])[0-9a-f]{12}(?!\w)"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w)"
    r"|(?<![\w.])\d+\.\d+(?= (?:s|秒))"
)


@dataclass(frozen=True)
class Pair:
    """One step in both runs; of a run that does not have it, nothing is known."""

    step: str
    seconds: tuple[float | None, float | None]
    ok: tuple[bool | None, bool | None]
    only: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # commands that only one of them ran
    found: Both | None = None  # its proof or its error in each run, where they differ

    @property
    def ratio(self) -> float | None:
        """Return how many times as long the second took, where that can be said."""
        one, other = self.seconds
        return other / one if one and other is not None else None

    @property
    def differs(self) -> bool:
        """Return whether both have it, and something but the time is different."""
        different = self.ok[0] != self.ok[1] or any(self.only) or self.found is not None
        return different and None not in self.ok


@dataclass(frozen=True)
class Setting:
    """A setting that the runs had with another value, or from another source."""

    name: str
    values: Both
    origins: Both


@dataclass(frozen=True)
class Comparison:
    """All that differs between two runs, and their steps in order."""

    seconds: tuple[float, float]
    steps: tuple[Pair, ...]
    settings: tuple[Setting, ...]

    @property
    def ratio(self) -> float | None:
        """Return how many times as long the second run took, where that can be said."""
        return self.seconds[1] / self.seconds[0] if self.seconds[0] else None

    @property
    def alone(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the steps that only the first run has, and those that only the second has."""
        first, second = (
            tuple(pair.step for pair in self.steps if pair.ok[other] is None) for other in (1, 0)
        )
        return first, second


def times(ratio: float | None) -> str:
    """Return a ratio as it is shown."""
    return "–" if ratio is None else f"× {ratio:.2f}"


def compare(one: Record, other: Record) -> Comparison:
    """Return what two records have in common and what not."""
    by_id = tuple({step["step"]: step for step in record["steps"]} for record in (one, other))
    same_language = one["language"] == other["language"]
    steps = [
        _pair(name, by_id[0].get(name), by_id[1].get(name), same_language)
        for name in merged(list(by_id[0]), list(by_id[1]))
    ]
    whole = (one["seconds"], other["seconds"])
    return Comparison(whole, tuple(steps), tuple(_settings(one, other)))


def merged(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return what is in either, in the first's order; what only the other has, behind what it follows."""
    names = list(one)
    for index, name in enumerate(other):
        if name not in names:
            names.insert(names.index(other[index - 1]) + 1 if index else 0, name)
    return names


def _pair(name: str, one: Record | None, other: Record | None, same_language: bool) -> Pair:
    if one is None or other is None:
        return Pair(name, (_of(one, "seconds"), _of(other, "seconds")), (_of(one, "ok"), _of(other, "ok")))
    texts = [[command["text"] for command in (*step["commands"], *step["confirm"])] for step in (one, other)]
    only = [
        tuple(dict.fromkeys(text for text in mine if masked(text) not in map(masked, theirs)))
        for mine, theirs in (texts, texts[::-1])
    ]
    alike = _grounds(one, same_language) == _grounds(other, same_language)
    found = None if alike else (_said(one), _said(other))
    return Pair(name, (one["seconds"], other["seconds"]), (one["ok"], other["ok"]), (only[0], only[1]), found)


def _of(step: Record | None, key: str) -> Any:
    return None if step is None else step[key]


def masked(text: str) -> str:
    """Return a text without what is another in every run: Pods' random ends, IDs, addresses, times."""
    return _RANDOM.sub("…", text)


def _grounds(step: Record, same_language: bool) -> str:
    """Return what is compared of a proof or an error: its words, or, of two languages, its data."""
    proof, error = step.get("proof"), step.get("error")
    if error:
        return f"{error['key']} {proof['holds'] if proof else ''}"
    if not proof:
        return ""
    data = "" if same_language else json.dumps(proof["data"], sort_keys=True)
    return masked(proof["text"] if same_language else data)


def _said(step: Record) -> str:
    proof, error = step.get("proof"), step.get("error")
    text: str = error["cause"] if error else proof["text"] if proof else "–"
    return text


def _settings(one: Record, other: Record) -> list[Setting]:
    found = []
    for name in merged(list(one["settings"]), list(other["settings"])):
        values = [record["settings"].get(name) for record in (one, other)]
        origins = [str(record["origins"].get(name, "–")) for record in (one, other)]
        if values[0] != values[1] or origins[0] != origins[1]:
            shown = ["–" if value in ("", None) else str(value) for value in values]
            found.append(Setting(name, (shown[0], shown[1]), (origins[0], origins[1])))
    return found
