"""A class in one table: who reached what, from reports that may hold anything."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubetour.classroom import Classroom, gather
from kubetour.handedin import Broken, read
from kubetour.html.classroom import as_csv, as_json, page
from kubetour.project import ROOT, TEMPLATES
from kubetour.redact import whole
from kubetour.text import LANGUAGES, tell
from tests.html.sample import HOSTILE

PLAN = ("build", "create-cluster", "deploy", "scale")


def record(proved: int = 4, failed: str = "", student: str = "", **more: Any) -> dict[str, Any]:
    """Return a run's record: so many steps were proved, and the next one failed if it is to have a cause."""
    steps = [_step(name, index, "") for index, name in enumerate(PLAN[:proved])]
    if failed:
        steps.append(_step(PLAN[proved], proved, failed))
    return {
        "version": 1,
        "began": "2026-03-01T09:00:00Z",
        "seconds": 10.0 * len(steps),
        "ok": not failed and proved > 0,
        "language": "en",
        "provider": "embedded",
        "settings": {"student": student},
        "origins": {},
        "machine": {"system": "Linux", "machine": "x86_64", "python": "3.12"},
        "planned": list(PLAN),
        "steps": steps,
        **more,
    }


def _step(name: str, index: int, failed: str) -> dict[str, Any]:
    told = {"cause": failed, "fix": "f", "evidence": "", "diagnosis": []}
    error = {"code": "KT503", "key": "not-proved", "exit_status": 7, **told}
    return {
        "step": name,
        "stage": "build",
        "ok": not failed,
        "already": False,
        "started": float(index),
        "seconds": 1.0 + index,
        "waited": 0.0,
        "prediction": None,
        "commands": [],
        "confirm": [],
        "proof": None,
        "error": error if failed else None,
    }


def hand_in(directory: Path, files: dict[str, Any]) -> Path:
    """Write reports, or whatever text a file is to hold, below a directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return directory


def room(directory: Path, *words: str) -> tuple[Classroom, list[Broken]]:
    handed, broken = read(words or (str(directory),), directory)
    return gather(handed), broken


def test_each_student_has_a_row_with_what_they_reached_and_where_they_stopped(tmp_path: Path) -> None:
    hand_in(
        tmp_path / "in",
        {
            "student-10/report.json": record(2, "no answer"),
            "student-2/report.json": record(4),
            "x.json": record(1, student="ann"),
        },
    )
    found, broken = room(tmp_path, "in")
    assert broken == []
    assert [(s.name, s.proved, s.planned, s.stopped, s.why) for s in found.students] == [
        ("ann", 1, 4, "create-cluster", ""),
        ("student-2", 4, 4, "", ""),
        ("student-10", 2, 4, "deploy", "no answer"),
    ]
    assert (found.finished, found.median) == (1, 40.0)
    assert [(s.step, s.planned, s.proved, s.seconds) for s in found.steps] == [
        ("build", 3, 3, 1.0),
        ("create-cluster", 3, 2, 2.0),
        ("deploy", 3, 1, 3.0),
        ("scale", 3, 1, 4.0),
    ]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("in/ann/report.json", "ann"),
        ("in/ann/project/.kubetour/runs/20260301-090000-a1b2c3/report.json", "ann"),
        ("in/bob.json", "bob"),
        ("in/report.json", "in"),
        ("in/.kubetour/runs/20260301-090000-a1b2c3/report.json", "in"),
    ],
)
def test_without_a_students_name_the_place_tells_whose_it_is(file: str, name: str, tmp_path: Path) -> None:
    hand_in(tmp_path, {file: record()})
    found, _ = room(tmp_path, "in")
    assert [student.name for student in found.students] == [name]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("in/ann/report.json", "ann"),
        ("in/*/report.json", "ann"),
        ("in/ann/r*", "ann"),
        ("in/ann", "ann"),
        ("in/**/*.json", "ann"),
    ],
)
def test_a_file_and_a_pattern_name_reports_too(word: str, name: str, tmp_path: Path) -> None:
    hand_in(tmp_path, {"in/ann/report.json": record()})
    found, broken = room(tmp_path, word, word)
    assert ([student.name for student in found.students], broken) == ([name], [])


def test_of_several_reports_of_one_student_the_best_counts_and_the_latest_of_these(tmp_path: Path) -> None:
    runs = {
        f"in/ann/.kubetour/runs/20260301-09000{number}-abc/report.json": record(
            proved, student="", began=f"2026-03-01T09:00:0{number}Z", seconds=float(number)
        )
        for number, proved in enumerate((4, 4, 1))
    }
    hand_in(tmp_path, runs)
    found, _ = room(tmp_path, "in")
    (student,) = found.students
    assert (student.reports, student.proved, student.seconds) == (3, 4, 1.0)


def test_two_students_whose_places_have_the_same_name_stay_two(tmp_path: Path) -> None:
    hand_in(tmp_path, {"a/kubetour/report.json": record(), "b/kubetour/report.json": record(1)})
    found, _ = room(tmp_path, "a/kubetour/report.json", "b/kubetour/report.json")
    assert [student.proved for student in found.students] == [4, 1]
    assert len({student.name for student in found.students}) == 2


def test_predictions_are_counted_over_the_steps_that_asked(tmp_path: Path) -> None:
    told = record()
    for step, correct in zip(told["steps"], (True, False, None, True), strict=True):
        question = {"question": "?", "options": ["a", "b"], "chosen": 0, "right": 1, "correct": correct}
        step["prediction"] = None if correct is None else question
    hand_in(tmp_path, {"ann.json": told})
    found, _ = room(tmp_path, "ann.json")
    assert (found.students[0].right, found.students[0].asked) == (2, 3)
    assert found.predictions == (2, 3)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "hello",
        "[]",
        "{}",
        "null",
        '{"created": []}',
        json.dumps({**record(), "version": 2}),
        json.dumps({**record(), "seconds": "long"}),
        json.dumps({**record(), "steps": [{"step": "build"}]}),
        json.dumps(record()).replace("40.0", "NaN"),
        json.dumps({**record(), "seconds": float("inf")}),
        "[" * 100_000,
        '{"a":' * 50_000,
        "\x00\x01",
        json.dumps({key: value for key, value in record().items() if key != "planned"}),
    ],
    ids=lambda content: content[:24],
)
def test_what_is_no_report_is_listed_with_the_reason_and_the_others_are_read(
    content: str, tmp_path: Path
) -> None:
    hand_in(tmp_path, {"in/ann.json": record(), "in/odd.json": content})
    found, broken = room(tmp_path, "in")
    assert [student.name for student in found.students] == ["ann"]
    assert [each.path.name for each in broken] == ["odd.json"]
    assert all(tell(language, broken[0].why) for language in LANGUAGES)


def test_of_a_report_that_is_not_whole_the_missing_field_is_named(tmp_path: Path) -> None:
    hand_in(tmp_path, {"old.json": {key: value for key, value in record().items() if key != "planned"}})
    (broken,) = room(tmp_path, "old.json")[1]
    assert tell("en", broken.why) == "JSON, but no report of this kubetour: $: required ['planned']"


def test_a_newer_reports_further_fields_do_no_harm(tmp_path: Path) -> None:
    newer = record(cast="recording")
    newer["steps"][0]["claim"] = "layers"
    hand_in(tmp_path, {"ann.json": newer})
    assert room(tmp_path, "ann.json")[1] == []


@pytest.mark.parametrize("word", ["nothing", "n*", "pipe"])
def test_what_is_not_there_or_no_file_is_listed(word: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert len(room(tmp_path, word)[1]) == 1


def test_a_file_that_is_not_utf8_or_holds_endless_numbers_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"version": "\xff\xfe"}')
    text = json.dumps(record()).replace('"seconds": 40.0', '"seconds": ' + "9" * 400).replace("1.0", "1e999")
    (tmp_path / "b.json").write_text(text)
    found, broken = room(tmp_path, "a.json", "b.json")
    assert [each.path.name for each in broken] == ["a.json"]
    assert found.students[0].seconds == 0.0
    json.loads(as_json(found, broken, "en"), parse_constant=pytest.fail)


class TestHostile:
    """Names and causes come from students."""

    @pytest.fixture
    def hostile(self, tmp_path: Path) -> tuple[Classroom, list[Broken]]:
        told = record(2, HOSTILE, student=HOSTILE, kubetour=HOSTILE)
        told["planned"] = [*PLAN[:3], HOSTILE, *PLAN[3:]]
        formula = record(student="=HYPERLINK(1)")
        hand_in(tmp_path, {"in/a.json": told, "in/b.json": formula, "in/<b>c.json": whole(HOSTILE)})
        return room(tmp_path, "in")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_nothing_of_theirs_is_html_or_script(
        self, language: str, hostile: tuple[Classroom, list[Broken]]
    ) -> None:
        text = page(*hostile, language, TEMPLATES)
        body = text[text.index("<body>") :]
        assert "<img" not in body
        assert body.count("<script") == 1  # our own
        assert "<b>c" not in body
        assert "&lt;script&gt;" in body
        assert not set(text) & set("\x00\x01\x07\x1b\u202e\u202c")
        text.encode("utf-8")

    def test_the_page_loads_nothing(self) -> None:
        text = page(gather([]), [], "en", TEMPLATES)
        assert "default-src 'none'" in text
        assert not any(word in text for word in (" src=", " href=", "@import", "url("))

    def test_no_cell_of_the_csv_is_a_formula(self, hostile: tuple[Classroom, list[Broken]]) -> None:
        rows = list(csv.reader(io.StringIO(as_csv(hostile[0]))))
        assert "'=HYPERLINK(1)" in [row[0] for row in rows]
        assert all(len(row) == len(rows[0]) for row in rows)


def inv(cwd: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", "--search-root", str(ROOT), "class", *argv],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_as_many_reports_as_are_typed_make_one_table_and_a_page(tmp_path: Path) -> None:
    hand_in(tmp_path, {"ann.json": record(), "bob.json": record(1, "no [answer]"), "odd.json": "{}"})
    done = inv(tmp_path, "ann.json", "--output", "class.html", "bob.json", "odd.json", "--lang", "en")
    assert done.returncode == 0, done.stderr
    assert "✓ 4/4" in done.stdout
    assert "create-cluster: no [answer]" in " ".join(done.stdout.split())
    assert "Not read: " in done.stdout
    assert "no [answer]" in (tmp_path / "class.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_for_programs_there_is_csv_and_json(kind: str, tmp_path: Path) -> None:
    hand_in(tmp_path, {"in/ann.json": record()})
    assert inv(tmp_path, "in", "--output", f"class.{kind}").returncode == 0
    text = (tmp_path / f"class.{kind}").read_text(encoding="utf-8")
    students = json.loads(text)["students"] if kind == "json" else list(csv.DictReader(io.StringIO(text)))
    assert [(row["name"], int(row["proved"])) for row in students] == [("ann", 4)]


def test_only_where_none_could_be_read_it_fails(tmp_path: Path) -> None:
    done = inv(hand_in(tmp_path, {"odd.json": "{}"}), "odd.json", "--lang", "zh")
    assert done.returncode == 1
    assert "没有一份可读的报告" in done.stderr


def test_a_name_that_tells_no_format_is_refused(tmp_path: Path) -> None:
    done = inv(hand_in(tmp_path, {"ann.json": record()}), "ann.json", "--output", "class.pdf", "--lang", "en")
    assert done.returncode == 2
    assert "--output class.html" in done.stderr
