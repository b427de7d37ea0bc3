"""A run's files, and the last page."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kubetour.course import course
from kubetour.errors import UsageError
from kubetour.html import files
from kubetour.project import TEMPLATES
from kubetour.state import State
from tests.html import sample


def write(root: Path, name: str = "a", templates: Path = TEMPLATES) -> Path:
    titles = course().titles()
    return files.write(State(root), root / "runs" / name, sample.documents(), "zh", titles, templates)


def test_a_run_leaves_a_record_a_page_and_test_results(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert path == tmp_path / "runs/a/report.html"
    assert sorted(each.name for each in path.parent.iterdir()) == ["report.html", "report.json", "report.xml"]
    assert json.loads((path.parent / "report.json").read_text(encoding="utf-8")) == sample.documents()["zh"]
    assert "构建镜像" in path.read_text(encoding="utf-8")


def test_the_record_is_there_even_if_the_page_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write(tmp_path, templates=tmp_path)
    assert sorted(each.name for each in (tmp_path / "runs/a").iterdir()) == ["report.json", "report.xml"]


def test_the_last_page_is_the_newest_one(tmp_path: Path) -> None:
    pages = [write(tmp_path, name) for name in ("b", "a")]
    for age, path in enumerate(pages):
        os.utime(path, (1000 - age, 1000 - age))
    assert files.last(tmp_path) == pages[0]


def test_without_a_run_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="report-none"):
        files.last(tmp_path)


def test_the_page_of_a_run_is_found_by_what_a_person_calls_it(tmp_path: Path) -> None:
    page = write(tmp_path)
    for word in ("last", "-1", "runs/a", "runs/a/report.json"):
        assert files.page_of(word, tmp_path, tmp_path) == page
    page.unlink()
    with pytest.raises(UsageError, match="report-absent"):
        files.page_of("last", tmp_path, tmp_path)


def test_the_last_comparison_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    record = sample.documents()["en"]
    for language in ("en", "zh"):
        path = files.write_comparison(State(tmp_path), record, record, language, course().titles(), TEMPLATES)
        assert f'<html lang="{language}">' in path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["compare.html"]


def test_a_page_is_opened_only_where_there_is_a_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, told = tmp_path / "my report.html", tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" >{told}\n', encoding="utf-8")
    browser.chmod(0o755)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert not files.show(page)
    assert not told.exists()
    monkeypatch.setenv("DISPLAY", ":0")
    assert files.show(page)
    assert told.read_text(encoding="utf-8") == page.as_uri()
