"""Presenters for less: one line a step (`--quiet`), one JSON object a step (`--json`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubetour.checks import Proof
from kubetour.harmless import harmless_json
from kubetour.observe import Objects
from kubetour.questions import Prediction
from kubetour.report import step_record
from kubetour.steps import Run, Step
from kubetour.terminal.console import harmless
from kubetour.text import Text, tell
from kubetour.tour import Outcome

if TYPE_CHECKING:
    from rich.console import Console


class Silent:
    """A presenter that says nothing: a base for those that say little."""

    def begin(self, step: Step, number: int, total: int, seconds: float) -> None:
        """Say nothing."""

    def ready(self, step: Step) -> Prediction | None:
        """Ask nothing."""
        return None

    def command(self, run: Run) -> None:
        """Say nothing."""

    def confirm(self, run: Run) -> None:
        """Say nothing."""

    def line(self, text: str) -> None:
        """Say nothing."""

    def note(self, text: Text) -> None:
        """Say nothing."""

    def waiting(self, proof: Proof) -> None:
        """Say nothing."""

    def end(self, outcome: Outcome) -> None:
        """Say nothing."""

    def watches(self, step: Step) -> tuple[str, ...]:
        """Ask for nothing."""
        return ()

    def changed(self, objects: Objects) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""


class Quiet(Silent):
    """One line for each step that was proved, and each note; what went wrong is told at the end anyway."""

    def __init__(self, console: Console, language: str) -> None:
        self._console = console
        self._language = language

    def end(self, outcome: Outcome) -> None:
        """Print the proof and its notes."""
        if outcome.proof and not outcome.error:
            proof = harmless(tell(self._language, outcome.proof.text))
            self._console.print(f"✓ {outcome.step.id}: {proof}", soft_wrap=True)
            for note in outcome.proof.notes:
                said = harmless(tell(self._language, note))
                self._console.print(f"! {outcome.step.id}: {said}", soft_wrap=True)


class Json(Silent):
    """One JSON object on one line for each step: what report.json will hold of it."""

    def __init__(self, console: Console, language: str) -> None:
        self._console = console
        self._language = language

    def end(self, outcome: Outcome) -> None:
        """Print the record of the step."""
        record = step_record(outcome, self._language)
        self._console.file.write(harmless_json(json.dumps(record, ensure_ascii=False)) + "\n")
        self._console.file.flush()
