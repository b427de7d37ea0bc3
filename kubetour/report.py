"""report.json: the record of a run, for people to keep and for programs to read.

docs/report.schema.json is its form. No record holds a secret or the path of a home directory.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from kubetour import __version__
from kubetour.checks import Result
from kubetour.errors import Told
from kubetour.harmless import harmless_json
from kubetour.questions import Prediction, Question
from kubetour.redact import redact, redacted, whole
from kubetour.script import shell
from kubetour.settings import Settings
from kubetour.steps import Run
from kubetour.text import tell
from kubetour.tour import Outcome

VERSION = 1
MOST = 200_000  # characters of one output
MOST_OF_ALL = 1_000_000  # characters of all outputs of a step's commands
REST = 200  # characters of each that is over that


def step_record(outcome: Outcome, language: str, question: Question | None = None) -> dict[str, Any]:
    """Return what happened in one step, in plain JSON values; times in seconds since the run began.

    `question` is the step's, in that language.
    """
    proof = outcome.proof
    return {
        "step": outcome.step.id,
        "stage": outcome.step.stage.value,
        "claim": outcome.step.claim,
        "ok": outcome.error is None,
        "already": outcome.already,
        "because": [clean(shell(run)) for run in outcome.because],
        "asked": _commands(outcome.asked, outcome.origin),
        "started": round(outcome.started, 3),
        "seconds": round(outcome.seconds, 3),
        "waited": round(outcome.waited, 3),
        "prediction": outcome.prediction and _prediction(outcome.prediction, question),
        "commands": _commands(outcome.results, outcome.origin),
        "confirm": _commands(outcome.confirmed, outcome.origin),
        "proof": proof
        and {
            "holds": proof.holds,
            "text": clean(tell(language, proof.text)),
            "data": redacted(dict(proof.data), _home()),
            "notes": [clean(tell(language, note)) for note in proof.notes],
        },
        "error": error_record(outcome.error, language) if outcome.error else None,
    }


def _prediction(prediction: Prediction, question: Question | None) -> dict[str, Any]:
    """Return a prediction in the question's language, unless that one asks something else than was asked."""
    asked = question if question and question.like(prediction.question) else prediction.question
    plain = asked.plain()
    return {
        "question": clean(plain.text),
        "options": [clean(option) for option in plain.options],
        "chosen": prediction.chosen,
        "right": plain.right,
        "correct": prediction.correct,
    }


def error_record(error: Told, language: str) -> dict[str, Any]:
    """Return an error in plain JSON values."""
    cause, fix = error.explain(language)
    return {
        "code": error.code,
        "key": error.key,
        "exit_status": error.exit_status,
        "cause": clean(cause),
        "fix": clean(fix),
        "evidence": clean(error.evidence),
        "diagnosis": [clean(text) for text in error.diagnosis(language)],
    }


def report(
    outcomes: Iterable[Outcome],
    planned: Iterable[str],
    settings: Settings,
    provider: str,
    origins: Mapping[str, str],
    language: str,
    began: float,
    seconds: float,
    questions: Mapping[str, Question] | None = None,
) -> dict[str, Any]:
    """Return the whole record. `began` is in seconds since the epoch, `seconds` the run's wall time.

    `planned` are the ids of all steps that were to be run, `questions` the steps' in that language.
    """
    asked = questions or {}
    steps = [step_record(outcome, language, asked.get(outcome.step.id)) for outcome in outcomes]
    return {
        "version": VERSION,
        "kubetour": __version__,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(seconds, 3),
        "ok": bool(steps) and all(step["ok"] for step in steps),
        "language": language,
        "provider": provider,
        "settings": redacted(asdict(settings), _home()),
        "origins": dict(origins),
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "planned": list(planned),
        "steps": steps,
    }


def to_json(document: Mapping[str, Any]) -> str:
    """Return a record as the text of report.json."""
    return harmless_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _commands(results: Sequence[tuple[Run, Result]], origin: float) -> list[dict[str, Any]]:
    """Return the commands; of the many of a step that was repeated, the last ones with their whole output."""
    left, found = MOST_OF_ALL, []
    for run, result in reversed(results):
        found.append(_command(run, result, origin, MOST if left > 0 else REST))
        left -= len(found[-1]["stdout"]) + len(found[-1]["stderr"])
    return found[::-1]


def _command(run: Run, result: Result, origin: float, most: int) -> dict[str, Any]:
    return {
        "text": clean(shell(run)),
        "status": result.status,
        "started": round(result.began - origin, 3) if result.began else None,
        "seconds": round(result.seconds, 3),
        "stdout": clean(result.stdout[:most]),
        "stderr": clean(result.stderr[:most]),
    }


@lru_cache(maxsize=512)  # a run is recorded in each language, and most of its text is the same
def clean(text: str) -> str:
    """Return a text bounded, whole, and without what no record may hold."""
    return redact(whole(text[:MOST]), _home())


def _home() -> str:
    return os.path.expanduser("~")  # as it is where there is none
