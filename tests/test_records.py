"""Records of runs: which file is meant, and that no other file is taken for one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.errors import UsageError
from kubetour.records import find, read
from tests.html import sample

RECORD = sample.documents(sample.failed())["en"]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where three runs were kept, the last of them named as the first."""
    for age, name in enumerate(("c", "b", "a")):
        path = tmp_path / "runs" / name / "report.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(RECORD), encoding="utf-8")
        os.utime(path, (age, age))
    return tmp_path


@pytest.mark.parametrize(
    ("word", "run"),
    [
        pytest.param("last", "a", id="last"),
        pytest.param("-1", "a", id="the last by number"),
        pytest.param("-3", "c", id="the first by number"),
        pytest.param("runs/b", "b", id="a directory"),
        pytest.param("runs/b/", "b", id="a directory with a slash"),
        pytest.param("runs/b/report.json", "b", id="a file"),
    ],
)
def test_a_run_is_found_by_what_a_person_calls_it(root: Path, word: str, run: str) -> None:
    assert find(word, root, root) == root / "runs" / run / "report.json"


def test_a_path_may_be_absolute(root: Path, tmp_path: Path) -> None:
    assert find(str(root / "runs/c"), tmp_path / "elsewhere", Path("/")) == root / "runs/c/report.json"


@pytest.mark.parametrize(
    ("word", "key"),
    [
        pytest.param("-4", "report-too-few", id="too far back"),
        pytest.param("runs/d", "report-absent", id="no such run"),
        pytest.param("runs", "report-absent", id="a directory without a record"),
        pytest.param("-0", "report-absent", id="not a number of a run"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_to_name(root: Path, word: str, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(word, root, root)
    assert caught.value.key == key


def test_before_the_first_run_there_is_no_last_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find("last", tmp_path, tmp_path)
    assert caught.value.key == "report-none"


def test_a_record_is_read_as_it_was_written(root: Path) -> None:
    assert read(root / "runs/a/report.json") == RECORD


def test_a_record_of_the_first_release_is_read_too(root: Path) -> None:
    record = deepcopy(RECORD)
    del record["planned"]
    for step in record["steps"]:
        del step["claim"]
        for command in step["commands"]:
            del command["started"]
    path = root / "old.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    assert read(path) == record


def test_what_no_record_may_hold_is_taken_out_of_somebody_elses(tmp_path: Path) -> None:
    record = deepcopy(RECORD)
    record["steps"][0]["commands"][0]["stdout"] = "password=hunter2 half \ud800"
    path = tmp_path / "report.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    assert read(path)["steps"][0]["commands"][0]["stdout"] == "password=[redacted] half ?"


def broken(change: Callable[[dict[str, Any]], Any]) -> str:
    record = deepcopy(RECORD)
    change(record)
    return json.dumps(record)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("", "report-not-one", id="empty"),
        pytest.param("{", "report-not-one", id="cut off"),
        pytest.param("[]", "report-not-one", id="a list"),
        pytest.param("[" * 100_000, "report-not-one", id="too deep"),
        pytest.param('{"apiVersion": "v1"}', "report-not-one", id="another file"),
        pytest.param('{"version": 1}', "report-not-one", id="nothing but the version"),
        pytest.param('{"version": "1"}', "report-not-one", id="a version that is no number"),
        pytest.param(broken(lambda r: r.update(version=2)), "report-version", id="a newer version"),
        pytest.param(broken(lambda r: r.pop("steps")), "report-not-one", id="no steps"),
        pytest.param(broken(lambda r: r.update(seconds="1")), "report-not-one", id="text for a number"),
        pytest.param(broken(lambda r: r["steps"].append(3)), "report-not-one", id="a step that is none"),
        pytest.param(
            broken(lambda r: r["steps"][0]["commands"].append({})),
            "report-not-one",
            id="a command without text",
        ),
        pytest.param(
            broken(lambda r: r["steps"][0].update(proof={"holds": True})), "report-not-one", id="half a proof"
        ),
        pytest.param(
            broken(lambda r: r["steps"][-1].update(error=None)),
            "report-not-one",
            id="failed without an error",
        ),
    ],
)
def test_another_file_is_not_taken_for_a_record(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read(path)
    assert caught.value.key == key
    assert str(path) in caught.value.explain("en")[0]


def test_a_file_that_is_no_text_is_not_one_either(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError) as caught:
        read(path)
    assert caught.value.key == "report-not-one"


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert caught.value.key == "report-unreadable"
    assert "directory" in caught.value.explain("en")[0]


@given(JSON)
def test_no_json_value_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    record = {**RECORD, "steps": [{**RECORD["steps"][0], "proof": value}]}
    for text in (json.dumps(value), json.dumps(record)):
        path.write_text(text, encoding="utf-8")
        with suppress(UsageError):
            read(path)
