"""A class in one table, from the reports that were handed in: pure functions of their records."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from kubetour.handedin import Handed
from kubetour.redact import whole
from kubetour.terminal.console import harmless

LONGEST = 300  # characters of one text
MOST = 500  # steps of one plan; the longest of ours has not a tenth of that


@dataclass(frozen=True)
class Student:
    """How far one got: the best of the reports that are theirs. Times are in seconds."""

    name: str
    reports: int
    proved: int
    planned: int
    stopped: str  # the first step that failed or was not reached, "" if there is none
    why: str  # why it failed, in the report's own language; "" if it was not reached
    seconds: float
    right: int
    asked: int
    provider: str
    kubetour: str
    began: str


@dataclass(frozen=True)
class Reached:
    """One step in the whole class: how many had it in their plan, how many proved it, in what median time."""

    step: str
    planned: int
    proved: int
    seconds: float | None


@dataclass(frozen=True)
class Classroom:
    """All of it."""

    students: tuple[Student, ...]
    steps: tuple[Reached, ...]

    @property
    def finished(self) -> int:
        """Return how many proved all that they had planned."""
        return sum(not each.stopped for each in self.students)

    @property
    def median(self) -> float:
        """Return the median of the wall times, of those who finished if there are any; seconds."""
        times = [each.seconds for each in self.students if not each.stopped]
        return median(times or [each.seconds for each in self.students] or [0.0])

    @property
    def predictions(self) -> tuple[int, int]:
        """Return how many predictions of all were right, and how many were made."""
        return sum(each.right for each in self.students), sum(each.asked for each in self.students)


def gather(handed: Iterable[Handed]) -> Classroom:
    """Return the class: one row for each student, by name, and one for each step, in the tour's order."""
    theirs: dict[tuple[str, str], list[Handed]] = {}
    for each in handed:
        student = _text(each.record["settings"].get("student") or "")
        theirs.setdefault((student, "") if student else (_text(each.owner), each.place), []).append(each)
    names = [name for name, _ in theirs]
    best, students = [], []
    for (name, place), reports in theirs.items():
        chosen = max(reports, key=lambda each: (_proved(each.record), each.record["began"]))
        best.append(chosen.record)
        alone = names.count(name) == 1
        shown = name if alone or not place else f"{name} ({_text(place)})"
        students.append(_student(shown, len(reports), chosen.record))
    students.sort(key=lambda each: _natural(each.name))
    return Classroom(tuple(students), _steps(best))


def _student(name: str, reports: int, record: dict[str, Any]) -> Student:
    steps = record["steps"]
    planned = record["planned"] or [step["step"] for step in steps]
    failed = next((step for step in steps if not step["ok"]), None)
    unreached = planned[len(steps) : len(steps) + 1] or [""]
    error = (failed or {}).get("error") or {}
    predictions = [step["prediction"] for step in steps if isinstance(step.get("prediction"), dict)]
    return Student(
        name,
        reports,
        _proved(record),
        max(len(planned), len(steps)),
        _text(failed["step"] if failed else unreached[0]),
        _text(error.get("cause", "")),
        _seconds(record["seconds"]),
        sum(each.get("correct") is True for each in predictions),
        len(predictions),
        record["provider"],
        _text(str(record.get("kubetour", ""))),
        record["began"],
    )


def _steps(records: Sequence[dict[str, Any]]) -> tuple[Reached, ...]:
    """Return every step of any plan; the longest plan gives the order."""
    plans = [(record["planned"] or [step["step"] for step in record["steps"]])[:MOST] for record in records]
    order = dict.fromkeys(step for plan in sorted(plans, key=len, reverse=True) for step in plan)
    rows = []
    for name in order:
        times = [
            _seconds(step["seconds"])
            for record in records
            for step in record["steps"][:MOST]
            if step["step"] == name and step["ok"]
        ]
        planned = sum(name in plan for plan in plans)
        rows.append(Reached(_text(name), planned, len(times), median(times) if times else None))
    return tuple(rows)


def _proved(record: dict[str, Any]) -> int:
    return sum(step["ok"] for step in record["steps"])


def _seconds(value: float) -> float:
    try:
        seconds = float(value)
    except OverflowError:  # JSON's whole numbers have no end
        return 0.0
    return round(seconds, 3) if math.isfinite(seconds) else 0.0


def _text(text: str) -> str:
    """Return a text from elsewhere on one line, bounded, whole, and without what a terminal would obey."""
    return " ".join(harmless(whole(text[:LONGEST])).split())


def _natural(name: str) -> tuple[Any, ...]:
    """Return what sorts student-2 before student-10."""
    parts = re.split(r"(\d{1,9})", name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts)
