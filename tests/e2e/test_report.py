"""The report of a real tour on the embedded cluster: as its schema says, and shown by a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kubetour.project import ROOT
from kubetour.schemas import faults
from tests.e2e.checkout import Checkout, make
from tests.html.chromium import browser, find

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)
SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout in which the tour has been taken, cleaning up included."""
    checkout = make(tmp_path_factory.mktemp("told"))
    try:
        checkout.inv("tour", "--provider", "embedded", "--cluster-name", "told", "--name", "told", "--down")
        yield checkout
    finally:  # of a tour that failed, too, nothing may run on
        checkout.inv("down", "--provider", "embedded", "--cluster-name", "told")
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
        assert "31 of 31 steps proved" in text
        count = "[...document.querySelectorAll('#structure, #answers, #nodes, #layers, rect.early')].length"
        assert tab.evaluate(count) >= 5
        assert tab.evaluate("document.documentElement.scrollWidth") == 390


def test_a_task_says_where_the_last_report_is(toured: Checkout) -> None:
    told = toured.inv("report", **NO_DISPLAY)
    assert told.stdout == f"{page(toured)}\n"


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


def test_before_the_first_run_the_task_says_how_to_make_one(tmp_path: Path) -> None:
    told = make(tmp_path).inv("report", check=2, **NO_DISPLAY)
    assert "./inv tour" in told.stderr
