"""A presenter that passes on all it is told, and keeps it with its time: what a cast is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubetour.checks import Proof
from kubetour.observe import Objects
from kubetour.questions import Prediction
from kubetour.steps import Run, Step
from kubetour.text import Text
from kubetour.tour import Outcome, Presenter

MOST = 2_000_000  # characters of output that are kept; all of it is in report.json


@dataclass(frozen=True)
class Event:
    """A method of the presenter that was called, so many seconds after the begin, with these arguments."""

    at: float
    name: str
    told: tuple[Any, ...]


@dataclass
class Recorder:
    """What the presenter `shown` is told, in order."""

    shown: Presenter
    clock: Callable[[], float] = time.monotonic
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._begun = self.clock()
        self._left = MOST

    def begin(self, step: Step, number: int, total: int, seconds: float) -> None:
        """Keep and pass on that a step begins."""
        self._keep("begin", step, number, total, seconds)
        self.shown.begin(step, number, total, seconds)

    def ready(self, step: Step) -> Prediction | None:
        """Pass on that the step may run; what a person answers is not played again."""
        return self.shown.ready(step)

    def command(self, run: Run) -> None:
        """Keep and pass on a command."""
        self._keep("command", run)
        self.shown.command(run)

    def confirm(self, run: Run) -> None:
        """Keep and pass on a command that confirms."""
        self._keep("confirm", run)
        self.shown.confirm(run)

    def line(self, text: str) -> None:
        """Keep and pass on a line of output; once there were very many, only pass it on."""
        self._left -= len(text) + 1
        if self._left > 0:
            self._keep("line", text)
        self.shown.line(text)

    def note(self, text: Text) -> None:
        """Keep and pass on a note."""
        self._keep("note", text)
        self.shown.note(text)

    def waiting(self, proof: Proof) -> None:
        """Keep and pass on what is waited for; said again and again, it is kept once."""
        last = self.events[-1] if self.events else None
        if last is None or last.name != "waiting" or last.told[0].text != proof.text:
            self._keep("waiting", proof)
        self.shown.waiting(proof)

    def end(self, outcome: Outcome) -> None:
        """Keep and pass on that a step has ended."""
        self._keep("end", outcome)
        self.shown.end(outcome)

    def watches(self, step: Step) -> tuple[str, ...]:
        """Return what the presenter asks for."""
        return self.shown.watches(step)

    def changed(self, objects: Objects) -> None:
        """Only pass it on: a live picture is for whoever looks on."""
        self.shown.changed(objects)

    def close(self) -> None:
        """Only pass it on."""
        self.shown.close()

    def _keep(self, name: str, *told: Any) -> None:
        self.events.append(Event(self.clock() - self._begun, name, told))
