"""The report of a real tour on the embedded cluster: as its schema says, and shown by a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kubetour.project import ROOT
from kubetour.schemas import faults
from tests.e2e.checkout import Checkout, make
from tests.html import axe
from tests.html.chromium import browser, find
from tests.terminal.asciicast import parse, play

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)
SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
NO_DISPLAY: Any = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}


TOUR = ("tour", "--provider", "embedded", "--cluster-name", "told", "--name", "told", "--down")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what the tour printed."""
    return []


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory, printed: list[str]) -> Iterator[Checkout]:
    """Return a checkout in which the tour has been taken, cleaning up included."""
    checkout = make(tmp_path_factory.mktemp("told"))
    try:
        printed.append(checkout.inv(*TOUR).stdout)
        yield checkout
    finally:  # of a tour that failed, too, nothing may run on
        checkout.inv("down", "--check", "--provider", "embedded", "--cluster-name", "told")
    assert checkout.processes() == []


def page(checkout: Checkout) -> Path:
    return max(checkout.root.glob(".kubetour/runs/*/report.html"), key=lambda path: path.stat().st_mtime_ns)


def test_the_record_is_as_its_schema_says(toured: Checkout) -> None:
    record = toured.report()
    assert faults(record, SCHEMA, SCHEMA) == []
    assert record["planned"] == [step["step"] for step in record["steps"]]
    assert all(command["started"] is not None for step in record["steps"] for command in step["commands"])


def test_what_ran_in_the_background_began_before_its_turn(toured: Checkout) -> None:
    (create,) = (step for step in toured.report()["steps"] if step["step"] == "create-cluster")
    assert create["commands"][0]["started"] < create["started"]


def test_there_is_a_test_case_for_each_step(toured: Checkout) -> None:
    suite = ElementTree.parse(page(toured).with_name("report.xml")).getroot()
    assert suite.get("failures") == "0"
    assert suite.get("tests") == str(len(toured.report()["steps"]))


def test_a_browser_shows_it_and_nothing_complains(toured: Checkout) -> None:
    program = find()
    if not program and not os.environ.get("CI"):
        pytest.skip("chromium not found: apt-get install chromium")
    assert program, "CI must have Chromium: apt-get install chromium"
    with browser(program) as tab:
        tab.size(390, 900)
        tab.open(page(toured).as_uri())
        assert tab.told() == []
        text = tab.evaluate("document.body.innerText")
        assert "39 of 39 steps proved" in text
        count = "[...document.querySelectorAll('#structure, #answers, #nodes, #layers, rect.early')].length"
        assert tab.evaluate(count) >= 5
        # Of the three replicas, not of the one that there was before scaling.
        assert tab.evaluate("document.querySelectorAll('#structure .box.pod').length") == 3
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert axe.faults(tab, axe.source()) == []


def test_the_cast_plays_what_the_tour_printed(toured: Checkout, printed: list[str]) -> None:
    text = page(toured).with_name("run.cast").read_text(encoding="utf-8")
    shown = "".join(play(text))
    assert shown in printed[0].replace("\n", "")
    record = toured.report()
    assert record["steps"][-1]["proof"]["text"] in shown
    assert parse(text).events[-1][0] == pytest.approx(record["seconds"], abs=5)


def test_a_task_says_where_the_last_report_is(toured: Checkout) -> None:
    told = toured.inv("report", **NO_DISPLAY)
    assert told.stdout == f"{page(toured)}\n"


def test_two_runs_are_shown_side_by_side(toured: Checkout) -> None:
    toured.inv("build", "--provider", "embedded", "--image", "told-other")
    told = toured.inv("report", "--compare", **NO_DISPLAY)
    assert "--image" in told.stdout
    assert "  Only A has these steps\n    tools, app, build-context, " in told.stdout
    again = toured.inv("report", "--compare", "-2", str(page(toured).parent), **NO_DISPLAY)
    assert again.stdout == told.stdout
    compared = toured.root / ".kubetour/compare.html"
    assert told.stdout.endswith(f"{compared}\n")
    assert "told-other" in compared.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--compare", "tasks.py", "last"), "tasks.py", id="not a record"),
        pytest.param(("--compare", "-1", "-9"), "-9", id="too far back"),
        pytest.param(("--compare", "last"), "--compare -2 -1", id="one run"),
        pytest.param(("last", "last"), "--compare -2 -1", id="two runs and no word of comparing"),
    ],
)
def test_what_cannot_be_compared_is_an_error_that_says_why(
    toured: Checkout, words: tuple[str, ...], said: str
) -> None:
    told = toured.inv("report", *words, check=2, **NO_DISPLAY)
    assert said in told.stderr
    assert "→" in told.stderr


def test_the_report_of_a_run_that_is_named_is_found(toured: Checkout) -> None:
    assert toured.inv("report", "last", **NO_DISPLAY).stdout == f"{page(toured)}\n"


def test_a_run_that_fails_has_a_report_that_says_why(toured: Checkout) -> None:
    told = toured.inv("nodes", "--provider", "embedded", "--cluster-name", "nowhere", check=None)
    assert told.status != 0
    record = toured.report()
    assert faults(record, SCHEMA, SCHEMA) == []
    (step,) = record["steps"]
    text = page(toured).read_text(encoding="utf-8")
    assert 'id="wrong"' in text
    assert step["error"]["fix"] in text
    assert page(toured).name in told.told()
    shown = "".join(play(page(toured).with_name("run.cast").read_text(encoding="utf-8")))
    assert step["error"]["fix"] in shown


@pytest.mark.parametrize("flag", ["--quiet", "--json"])
def test_the_cast_of_a_run_of_which_little_was_shown_has_all(toured: Checkout, flag: str) -> None:
    toured.inv("tour", "--only", "app", flag, "--provider", "embedded", "--cluster-name", "told")
    shown = play(page(toured).with_name("run.cast").read_text(encoding="utf-8"))
    assert "$ cat Dockerfile" in shown
    assert shown[1].startswith("1/1 · app · The app and its Dockerfile")


def test_before_the_first_run_the_task_says_how_to_make_one(tmp_path: Path) -> None:
    told = make(tmp_path).inv("report", check=2, **NO_DISPLAY)
    assert "./inv tour" in told.stderr
