"""report.json: the record of a run, for people to keep and for programs to read."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from kubetour.checks import Result
from kubetour.errors import KubetourError
from kubetour.script import shell
from kubetour.settings import Settings
from kubetour.steps import Run
from kubetour.text import tell
from kubetour.tour import Outcome

VERSION = 1
MOST = 200_000  # characters of one output


def step_record(outcome: Outcome, language: str) -> dict[str, Any]:
    """Return what happened in one step, in plain JSON values; times in seconds since the run began."""
    proof = outcome.proof
    return {
        "step": outcome.step.id,
        "stage": outcome.step.stage.value,
        "ok": outcome.error is None,
        "already": outcome.already,
        "started": round(outcome.started, 3),
        "seconds": round(outcome.seconds, 3),
        "commands": [_command(run, result) for run, result in outcome.results],
        "confirm": [_command(run, result) for run, result in outcome.confirmed],
        "proof": proof
        and {
            "holds": proof.holds,
            "text": tell(language, proof.text),
            "data": dict(proof.data),
            "notes": [tell(language, note) for note in proof.notes],
        },
        "error": error_record(outcome.error, language) if outcome.error else None,
    }


def error_record(error: KubetourError, language: str) -> dict[str, Any]:
    """Return an error in plain JSON values."""
    cause, fix = error.explain(language)
    return {
        "key": error.key,
        "exit_status": error.exit_status,
        "cause": cause,
        "fix": fix,
        "evidence": error.evidence,
        "diagnosis": [tell(language, text) for text in error.causes],
    }


def report(
    outcomes: Iterable[Outcome],
    settings: Settings,
    provider: str,
    origins: Mapping[str, str],
    language: str,
    began: float,
    seconds: float,
) -> dict[str, Any]:
    """Return the whole record. `began` is in seconds since the epoch, `seconds` the run's wall time."""
    steps = [step_record(outcome, language) for outcome in outcomes]
    return {
        "version": VERSION,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(seconds, 3),
        "ok": bool(steps) and all(step["ok"] for step in steps),
        "language": language,
        "provider": provider,
        "settings": asdict(settings),
        "origins": dict(origins),
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "steps": steps,
    }


def to_json(document: Mapping[str, Any]) -> str:
    """Return a record as the text of report.json."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _command(run: Run, result: Result) -> dict[str, Any]:
    return {
        "text": shell(run),
        "status": result.status,
        "seconds": round(result.seconds, 3),
        "stdout": result.stdout[:MOST],
        "stderr": result.stderr[:MOST],
    }
