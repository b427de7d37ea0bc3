"""report.json: what a run was, in plain JSON values."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kubetour.checks import Proof, Result
from kubetour.errors import DeadlineError
from kubetour.report import MOST, report, step_record, to_json
from kubetour.settings import Settings
from kubetour.steps import Run
from kubetour.text import Text
from kubetour.tour import Outcome
from tests.making import step

PROOF = Proof(True, Text("proof.scaled", {"declared": 3, "ready": 3}), {"pods": ["a", "b", "c"]})
RUN = Run(("kubectl", "apply", "-f", "-"), "kind: Service\n")


def failed() -> DeadlineError:
    error = DeadlineError("not-in-time", evidence="raw\nlines", proof=PROOF.text, seconds=180)
    error.causes = (Text("cause.probe", {"pod": "web-1"}),)
    return error


def test_a_step_is_recorded_with_commands_proof_and_times() -> None:
    outcome = Outcome(
        step("scale"), True, ((RUN, Result(0, "out", "err", 0.12345)),), (), PROOF, None, 1.23456, 2.0
    )
    record = step_record(outcome, "en")
    assert record["step"] == "scale"
    assert record["stage"] == "app"
    assert (record["ok"], record["already"], record["error"]) == (True, True, None)
    assert (record["started"], record["seconds"]) == (1.235, 2.0)
    assert record["proof"]["data"] == {"pods": ["a", "b", "c"]}
    assert record["proof"]["notes"] == []
    assert record["commands"] == [
        {
            "text": "kubectl apply -f - <<'EOF'\nkind: Service\nEOF",
            "status": 0,
            "seconds": 0.123,
            "stdout": "out",
            "stderr": "err",
        }
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_error_is_recorded_with_cause_fix_evidence_and_diagnosis(language: str) -> None:
    record = step_record(Outcome(step("scale"), error=failed()), language)
    assert record["ok"] is False
    assert record["proof"] is None
    error = record["error"]
    assert (error["key"], error["exit_status"], error["evidence"]) == ("not-in-time", 6, "raw\nlines")
    assert "180" in error["cause"]
    assert error["fix"]
    assert len(error["diagnosis"]) == 1
    assert "web-1" in error["diagnosis"][0]


def test_what_is_noted_beside_a_proof_is_recorded_in_words() -> None:
    note = Text("skew.client", {"version": "37.0.2", "server": "v1.33.1", "fits": "1.37"})
    record = step_record(Outcome(step("one"), proof=replace(PROOF, notes=(note,))), "en")
    (said,) = record["proof"]["notes"]
    assert said.startswith("The Python client 37.0.2 is made for Kubernetes 1.37")


def test_a_huge_output_is_cut() -> None:
    record = step_record(Outcome(step("one"), results=((RUN, Result(0, "x" * (MOST + 1))),)), "en")
    assert len(record["commands"][0]["stdout"]) == MOST


def test_a_whole_record_is_json_that_reads_back_the_same() -> None:
    outcomes = [Outcome(step("one"), proof=PROOF), Outcome(step("two"), error=failed())]
    document = report(outcomes, Settings(image="商店"), "kind", {"image": "flag"}, "zh", 1.0, 2.5)
    text = to_json(document)
    assert json.loads(text) == document
    assert "商店" in text, "readable by a person, too"
    assert [record["step"] for record in document["steps"]] == ["one", "two"]
    assert document["provider"] == "kind"
    assert document["settings"]["image"] == "商店"
