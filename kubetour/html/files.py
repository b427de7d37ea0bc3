"""The files that a run leaves in its directory: report.json, report.xml, report.html; and the last page."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubetour.errors import UsageError
from kubetour.html.comparing import comparison_page
from kubetour.html.junit import junit
from kubetour.html.page import Titles, page
from kubetour.records import find
from kubetour.report import to_json
from kubetour.state import State


def write(
    state: State,
    directory: Path,
    documents: Mapping[str, Any],
    language: str,
    titles: Titles,
    templates: Path,
) -> Path:
    """Write a run's record, given in each language, into its directory, and return the page's path.

    `titles` are the steps', by language and id. Whatever stands in the way of the page, the record for
    programs is there.
    """
    document = documents[language]
    state.write(directory / "report.json", to_json(document))
    state.write(directory / "report.xml", junit(document))
    path = directory / "report.html"
    state.write(path, page(documents, language, titles, templates))
    return path


def last(root: Path) -> Path:
    """Return the page of the last run; UsageError if there is none."""
    pages = sorted((root / "runs").glob("*/report.html"), key=lambda path: path.stat().st_mtime_ns)
    if not pages:
        raise UsageError("report-none")
    return pages[-1]


def page_of(word: str, root: Path, caller: Path) -> Path:
    """Return the page of a run named as `records.find` takes it; UsageError if there is none."""
    path = find(word, root, caller).with_name("report.html")
    if not path.is_file():
        raise UsageError("report-absent", path=str(path))
    return path


def write_comparison(
    state: State,
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    language: str,
    titles: Titles,
    templates: Path,
) -> Path:
    """Write two records side by side as a page, in place of the one before, and return its path."""
    path = state.root / "compare.html"
    state.write(path, comparison_page(one, other, language, titles, templates))
    return path


def show(path: Path) -> bool:
    """Open a page in a browser, where there is a display; return whether one opened."""
    if sys.platform != "darwin" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False  # a browser for terminals would take ours
    import webbrowser

    return webbrowser.open(path.as_uri())
