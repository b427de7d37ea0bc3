"""Records of runs that were kept: which file a person means, and whether it is one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubetour.errors import UsageError
from kubetour.redact import redacted
from kubetour.report import VERSION

LAST = "last"
NAME = "report.json"
_COUNTED = re.compile(r"-[1-9][0-9]*")
_NUMBER = (int, float)
# What a reader may rely on, in every record of this version since kubetour 0.1.0.
_RECORD: Mapping[str, Any] = {
    "began": str,
    "seconds": _NUMBER,
    "ok": bool,
    "language": str,
    "provider": str,
    "settings": dict,
    "origins": dict,
    "steps": list,
}
_STEP: Mapping[str, Any] = {"step": str, "ok": bool, "seconds": _NUMBER, "commands": list, "confirm": list}
_COMMAND: Mapping[str, Any] = {"text": str, "seconds": _NUMBER}
_PROOF: Mapping[str, Any] = {"holds": bool, "text": str, "data": dict}
_ERROR: Mapping[str, Any] = {"key": str, "cause": str}


def find(word: str, root: Path, caller: Path) -> Path:
    """Return the record that is meant: `last`, `-1` (the last), `-2`, a run's directory, a report.json.

    `root` is where runs are kept, `caller` the directory that a path counts from. UsageError for no such run.
    """
    if word == LAST or _COUNTED.fullmatch(word):
        back = 1 if word == LAST else -int(word)
        kept = sorted((root / "runs").glob(f"*/{NAME}"), key=lambda path: path.stat().st_mtime_ns)
        if not kept:
            raise UsageError("report-none")
        if back > len(kept):
            raise UsageError("report-too-few", word=word, count=len(kept))
        return kept[-back]
    path = caller / word
    if path.is_dir():
        path /= NAME
    if not path.is_file():
        raise UsageError("report-absent", path=str(path))
    return path


def read(path: Path) -> dict[str, Any]:
    """Return a record, with what no record may hold taken out of it.

    UsageError if the file is none, or one of a version that is not known here.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError("report-unreadable", path=str(path), reason=error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise UsageError("report-not-one", path=str(path)) from error
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != VERSION:
        raise UsageError("report-version", path=str(path), version=version, known=VERSION)
    if version != VERSION or not _is_record(document):
        raise UsageError("report-not-one", path=str(path))
    found: dict[str, Any] = redacted(document)  # others write such files, too
    return found


def _is_record(document: Any) -> bool:
    return _has(document, _RECORD) and all(map(_is_step, document["steps"]))


def _is_step(step: Any) -> bool:
    return (
        _has(step, _STEP)
        and all(_has(command, _COMMAND) for command in (*step["commands"], *step["confirm"]))
        and (step.get("proof") is None or _has(step["proof"], _PROOF))
        and (step.get("error") is None or _has(step["error"], _ERROR))
        and (step["ok"] or step.get("error") is not None)
    )


def _has(value: Any, fields: Mapping[str, Any]) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), kind) for name, kind in fields.items())
