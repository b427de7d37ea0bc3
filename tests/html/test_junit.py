"""report.xml: well-formed whatever an app prints, and the numbers add up."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from kubetour.html.junit import junit
from kubetour.report import report
from kubetour.settings import Settings
from kubetour.tour import Outcome
from tests.html import sample
from tests.making import step


def test_a_run_is_a_suite_and_each_step_a_case() -> None:
    document = sample.documents(sample.failed(), planned=("later", "last"))["en"]
    suite = ElementTree.fromstring(junit(document).encode())
    assert suite.attrib == {
        "name": "kubetour.embedded",
        "tests": "9",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
        "time": "9.5",
        "timestamp": "1970-01-01T00:00:01",
    }
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases[-3:]] == ["hit", "later", "last"]
    assert [case.find("skipped") is not None for case in cases[-3:]] == [False, True, True]
    failure = cases[-3].find("failure")
    assert failure is not None
    assert failure.get("type") == "KT501 not-in-time"
    assert "<script>alert(1)</script>" in (failure.text or "")
    assert "do build" in (cases[0].findtext("system-out") or "")


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_it_is_well_formed_whatever_is_printed(text: str) -> None:
    outcome = Outcome(step("one"), results=(sample.ran("x", 0.0, stdout=text),))
    document = report([outcome], ["one"], Settings(image=text), "kind", {}, "en", 0.0, 1.0)
    document["steps"][0]["commands"][0]["text"] = text
    assert ElementTree.fromstring(junit(document).encode("utf-8", "strict")).get("tests") == "1"
