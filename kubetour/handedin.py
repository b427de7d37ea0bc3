"""The reports that students hand in: found, read and checked. They may hold anything."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubetour.project import ROOT
from kubetour.redact import whole
from kubetour.schemas import faults
from kubetour.text import Text

SCHEMA = ROOT / "docs/report.schema.json"
LARGEST = 64 * 1000**2  # bytes of one report
_RUN = re.compile(r"\d{8}-\d{6}-\w+")  # a run's own directory
_OURS = (".kubetour", "runs")


@dataclass(frozen=True)
class Handed:
    """A report: whose it is, as far as its place tells, and what is in it."""

    path: Path
    owner: str
    place: str  # the same for reports that lie together
    record: dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """A file that is no report, and why."""

    path: Path
    why: Text


def read(words: Iterable[str], caller: Path) -> tuple[list[Handed], list[Broken]]:
    """Return the reports in files, directories and patterns, in their order, each once; and what is none."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    found: dict[Path, Handed | Broken] = {}
    for word in words:
        named = caller / word
        paths = (
            [named] if named.exists() else [Path(p) for p in sorted(glob.glob(str(named), recursive=True))]
        )
        if not paths:
            found[named] = Broken(named, Text("class.nothing"))
        for path in paths:
            for file, root in _files(path):
                real = Path(os.path.realpath(file))
                if real not in found:
                    found[real] = _one(file, root, schema)
    handed = [each for each in found.values() if isinstance(each, Handed)]
    return handed, [each for each in found.values() if isinstance(each, Broken)]


def _files(path: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield a file, or those in a directory that may be reports; what else a checkout keeps is none."""
    if not path.is_dir():
        yield path, None
        return
    for directory, inner, names in os.walk(path):
        inner.sort()
        hidden = any(part.startswith(".") for part in Path(directory).relative_to(path).parts)
        for name in sorted(names):
            if name == "report.json" or (name.endswith(".json") and not hidden):
                yield Path(directory, name), path


def _one(path: Path, root: Path | None, schema: dict[str, Any]) -> Handed | Broken:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return Broken(path, Text("class.no-file", {"most": LARGEST // 1000**2}))
        record = json.loads(path.read_bytes(), parse_constant=_refuse)
        wrong = faults(record, schema, schema, newer=True)
    except OSError as error:
        return Broken(path, Text("class.unreadable", {"reason": error.strerror or str(error)}))
    except (ValueError, RecursionError) as error:
        return Broken(path, Text("class.no-json", {"reason": whole(str(error))[:200]}))
    if wrong:
        return Broken(path, Text("class.no-report", {"fault": whole(wrong[0])[:200]}))
    return Handed(path, *_owner(path, root), record)


def _owner(path: Path, root: Path | None) -> tuple[str, str]:
    """Return whose a report is, by the names above it, and what joins it with others of the same place.

    Below a directory that was given, that is the first directory; else the file's own name, or the one of
    the directory that a run was copied into.
    """
    above = path.relative_to(root).parts[:-1] if root else path.parts[:-1]
    useful = [part for part in above if part not in _OURS and not _RUN.fullmatch(part)]
    own = "" if path.stem == "report" else path.stem
    if root and useful:
        return useful[0], str(root / useful[0])
    if root and not own:
        return root.resolve().name, str(root)
    return own or (useful[-1] if useful else path.name), str(path)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")
